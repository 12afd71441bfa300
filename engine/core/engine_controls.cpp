// What a control does when it refuses an order, and when a book is found over its limits: the
// confirmations of its row, then the trip with its numbers.
#include <algorithm>

#include "engine/core/engine_core.hpp"
#include "engine/core/risk/lowers_risk.hpp"

namespace gimbal {
namespace {

// Refusals that say something about the market, the session or the mode, not about the strategy:
// it could not have known better, and what they stand for has a control of its own.
bool blames_strategy(Refusal reason) noexcept {
  switch (reason) {
    case Refusal::halted:
    case Refusal::paused:
    case Refusal::tick_late:
    case Refusal::not_reconciled:
    case Refusal::gateway_down:
    case Refusal::clock_unknown:
    case Refusal::mark_stale:
    case Refusal::index_stale:
    case Refusal::delta_unknown:
    case Refusal::scenario_unknown:
    case Refusal::reduce_rule:
    case Refusal::option_insane:
    case Refusal::module_late:
    case Refusal::module_veto:
    case Refusal::module_limit:
    case Refusal::table_full: return false;
    default: return true;
  }
}

Trip trip_of(TripCode code, Scope scope, const Refused& why, std::int64_t evidence) noexcept {
  Trip t;
  t.code = code;
  t.scope = scope;
  t.limit = why.limit;
  t.actual = why.actual;
  t.evidence = evidence;
  return t;
}

Trip reduces(Trip t, Severity severity) noexcept {
  t.severity = severity;
  t.latched = true;
  t.cancels = true;
  t.mode = Mode::reduce;
  return t;
}

}  // namespace

// --- after a refusal --------------------------------------------------------------------------

void EngineCore::after_refusal(const Refused& why, StrategyId strategy, InstrumentId id,
                               std::uint64_t intent, Price price) noexcept {
  const RiskLimits& l = gate_.limits();
  const Scope instrument{ScopeLevel::instrument, id.value};
  const Scope owner{ScopeLevel::strategy, strategy.value};
  const VenueId venue = table_.contains(id) ? table_[id].venue : VenueId{0xFF};
  const auto raise = [&](Trip t) noexcept {
    t.strategy = strategy;
    t.instrument = id;
    t.venue = venue;
    trip(t);
  };
  switch (why.reason) {
    case Refusal::price_collar: {
      Market* m = market(id);
      if (m == nullptr || !m->collar_refusals.note(now_, l.collar_refusals_max, l.collar_window)) {
        break;
      }
      const Refused count{why.reason, l.collar_refusals_max, l.collar_refusals_max};
      raise(reduces(trip_of(TripCode::collar_repeated, instrument, count, l.collar_window.count),
                    Severity::warning));
      break;
    }
    case Refusal::price_drift:
      raise(reduces(trip_of(TripCode::price_drift, owner, why, price.nano), Severity::warning));
      break;
    case Refusal::duplicate:
      raise(trip_of(TripCode::duplicate_order, owner, why, static_cast<std::int64_t>(intent)));
      break;
    case Refusal::open_usd:
    case Refusal::venue_open_usd: {
      Trip t = trip_of(TripCode::venue_value, {ScopeLevel::venue, venue.value}, why, 0);
      t.venue = venue;
      pause(t);
      break;
    }
    case Refusal::order_rate:
      raise(trip_of(TripCode::message_throttle, {ScopeLevel::venue, venue.value}, why, 0));
      break;
    case Refusal::option_insane:
      raise(trip_of(TripCode::greeks_insane, instrument, why,
                    static_cast<std::int64_t>(GreekKind::none)));
      break;
    case Refusal::expiry_window: {
      Trip t = trip_of(TripCode::expiry_window, instrument, why, 0);
      t.severity = Severity::info;
      t.instrument = id;
      pause(t);
      break;
    }
    default: break;
  }
  if (blames_strategy(why.reason)) count_denial(strategy);
}

void EngineCore::count_denial(StrategyId strategy) noexcept {
  if (strategy.value >= strategies_max) return;
  const RiskLimits& l = gate_.limits();
  Denials& d = denials_[strategy.value];
  const bool fast = d.second.note(now_, l.denials_1s_max, seconds(1));
  const bool slow = d.minute.note(now_, l.denials_60s_max, seconds(60));
  const Scope owner{ScopeLevel::strategy, strategy.value};
  if ((!fast && !slow) || gate_.modes().at(owner) >= Mode::reduce) return;
  const std::int64_t allowed = fast ? l.denials_1s_max : l.denials_60s_max;
  Trip t = trip_of(TripCode::strategy_denials, owner, {Refusal::none, allowed, allowed},
                   (fast ? seconds(1) : seconds(60)).count);
  t.strategy = strategy;
  trip(reduces(t, Severity::critical));
}

// A human armed: what led to the last trip is not counted again.
void EngineCore::forget_confirmations() noexcept {
  for (Denials& d : denials_) {
    d.second.clear();
    d.minute.clear();
  }
  for (Market& m : markets_) m.collar_refusals.clear();
  for (Venue& v : venues_) v.ticks.clear();
  repeats_.forget();
}

// --- parents and children ---------------------------------------------------------------------

// Live and unknown amounts of the parent's children; what ended orders still owe included.
Qty EngineCore::open_children(StrategyId strategy, std::uint64_t parent) const noexcept {
  Qty open{};
  for (std::size_t n = 0; n < orders_.listed(); ++n) {
    const Order& o = orders_.open_order(n);
    if (o.parent == parent && o.id.strategy() == strategy) open += o.open_amount();
  }
  return open;
}

void EngineCore::gather_parent(GateContext& c, StrategyId strategy, std::uint64_t parent,
                               Qty amount) noexcept {
  if (parent == 0) return;
  const ParentBook::Parent& p = parents_.open(strategy, parent, amount);
  c.has_parent = true;
  c.parent_amount = p.allowed();
  c.parent_used = p.filled + open_children(strategy, parent);
}

void EngineCore::fill_parent(const Order& order, Qty amount) noexcept {
  ParentBook::Parent* p = parents_.find(order.id.strategy(), order.parent);
  if (p == nullptr) return;
  p->filled += amount;
  const Qty used = p->filled + open_children(p->strategy, p->id);
  if (used > p->amount) close_parent(*p, used, order.instrument);
}

// The parent takes no more children, those that are open are cancelled.
void EngineCore::close_parent(ParentBook::Parent& p, Qty used, InstrumentId instrument) noexcept {
  if (p.closed) return;
  p.closed = true;
  for (std::size_t n = orders_.listed(); n > 0; --n) {
    const Order& o = orders_.open_order(n - 1);
    if (o.open() && o.parent == p.id && o.id.strategy() == p.strategy) orders_.want_cancel(o.id);
  }
  Trip t;
  t.code = TripCode::child_over_parent;
  t.severity = Severity::critical;
  t.latched = true;
  t.scope = {ScopeLevel::strategy, p.strategy.value};
  t.strategy = p.strategy;
  t.instrument = instrument;
  t.limit = p.amount.nano;
  t.actual = used.nano;
  t.evidence = static_cast<std::int64_t>(p.id);
  trip(t);
}

// Cancels are never held back; one that finds not even the reserve is told (T-02).
void EngineCore::note_cancel(VenueId venue) noexcept {
  if (gate_.note_cancel(now_, venue)) return;
  Trip t;
  t.code = TripCode::cancel_reserve;
  t.scope = {ScopeLevel::venue, venue.value};
  t.venue = venue;
  t.limit = gate_.limits().cancel_reserve;
  trip(t);
}

// --- books over their limits --------------------------------------------------------------------

// After any change of a position, whoever made it (P-08).
void EngineCore::check_position(InstrumentId id) noexcept {
  const Instrument& i = table_[id];
  if (i.lot.nano <= 0) return;
  const i128 held = abs(portfolio_.position(id)).nano;
  const i128 limit = static_cast<i128>(gate_.limits().max_position_lots) * i.lot.nano;
  const Scope scope{ScopeLevel::instrument, id.value};
  if (held <= limit || gate_.modes().at(scope) >= Mode::reduce) return;
  Trip t;
  t.code = TripCode::position_over_limit;
  t.limit = gate_.limits().max_position_lots;
  t.actual = static_cast<std::int64_t>(divide(held, i.lot.nano, Rounding::up));
  t.scope = scope;
  t.instrument = id;
  t.venue = i.venue;
  trip(reduces(t, Severity::critical));
}

// Keeps the underlying's gross delta: the share of one instrument, at what it is worth now.
void EngineCore::refresh_gross(InstrumentId id) noexcept {
  const UnderlyingId u = table_[id].underlying;
  if (u.value >= underlyings_max) return;
  Market& m = markets_[id.value];
  const Qty held = portfolio_.position(id);
  std::int64_t share = 0;
  if (held.nano != 0) {
    const std::optional<double> coins = coins_of(id, held);
    if (!coins || !decision_nano(*coins < 0 ? -*coins : *coins, share)) return;  // as it was
  }
  coins_[u.value].gross += share - m.gross;
  m.gross = share;
}

// On the engine's tick, while trading (P-09): what is held against the limits of the book.
void EngineCore::check_greeks() noexcept {
  if (gate_.modes().at({}) >= Mode::halt) return;
  for (std::size_t n = 0; n < underlyings_max; ++n) {
    const UnderlyingId u{static_cast<std::uint8_t>(n)};
    const Coin& coin = coins_[n];
    if (coin.index.nano <= 0 || !setup_.underlyings[n].hedge.valid()) continue;
    const std::optional<ResidualDelta> r = residual(u);
    if (r) check_book(u, *r);
  }
}

void EngineCore::check_book(UnderlyingId u, const ResidualDelta& r) noexcept {
  const RiskLimits& l = gate_.limits();
  Coin& coin = coins_[u.value];
  const RiskNumbers risk = portfolio_.risk(u);
  const BookGreeks g = book_greeks(risk, coin.index);
  warn_stale(u, risk);
  warn_surface(u, risk);
  if (!g.known) return;
  const std::int64_t delta = LowersRisk::usd(r.settled, coin.index);
  const std::int64_t gross = LowersRisk::usd(coin.gross, coin.index);
  const auto over = [](std::int64_t v, Money limit) noexcept {
    return limit.nano > 0 && (v > limit.nano || v < -limit.nano);
  };
  Refused found;
  GreekKind kind = GreekKind::none;
  if (delta > l.max_delta_usd.nano) {
    found = {Refusal::none, l.max_delta_usd.nano, delta};
    kind = GreekKind::delta;
  } else if (gross > l.max_gross_delta_usd.nano) {
    found = {Refusal::none, l.max_gross_delta_usd.nano, gross};
    kind = GreekKind::gross_delta;
  } else if (over(g.gamma_usd, l.max_gamma_usd)) {
    found = {Refusal::none, l.max_gamma_usd.nano, g.gamma_usd};
    kind = GreekKind::gamma;
  } else if (over(g.vega_usd, l.max_vega_usd)) {
    found = {Refusal::none, l.max_vega_usd.nano, g.vega_usd};
    kind = GreekKind::vega;
  }
  const Scope scope{ScopeLevel::underlying, u.value};
  if (kind == GreekKind::none || gate_.modes().at(scope) >= Mode::reduce) return;
  Trip t = trip_of(TripCode::greeks_over_limit, scope, found, static_cast<std::int64_t>(kind));
  t = reduces(t, Severity::critical);
  t.cancels = false;  // tightening cancels what grows; exits and hedges stay
  trip(t);
}

bool EngineCore::greeks_stale(const RiskNumbers& risk) const noexcept {
  return risk.updated.mono_ns != 0 && now_ - risk.updated > gate_.limits().greeks_age_max;
}

// USD of delta for a 1% move, USD per volatility point; the door from analytics to decisions.
EngineCore::BookGreeks EngineCore::book_greeks(const RiskNumbers& risk, Price index) noexcept {
  BookGreeks g;
  const double at = to_double(index);
  g.known = decision_nano(risk.gamma.value * at * at * 0.01, g.gamma_usd) &&
            decision_nano(risk.vega.value * 0.01, g.vega_usd) &&
            decision_nano(risk.delta_net.value - risk.delta_one, g.options_delta);
  return g;
}

}  // namespace gimbal
