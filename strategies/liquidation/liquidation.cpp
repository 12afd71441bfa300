#include "strategies/liquidation/liquidation.hpp"

#include <algorithm>
#include <limits>
#include <optional>

#include "engine/core/math.hpp"
#include "strategies/pause.hpp"

namespace gimbal {
namespace {

constexpr Nanos pause_first{50'000'000};  // after refusals and misses
constexpr Nanos pause_max{2'000'000'000};
constexpr std::uint32_t mismatches_told = 3;
constexpr double drift_max = 0.005;  // between two looks with scenarios; more is a jump
constexpr double money_step = 1e-9;  // of the figures in a report
constexpr double infinite = std::numeric_limits<double>::infinity();

std::int64_t nano_or_max(double v) noexcept {
  std::int64_t n = 0;
  return decision_nano(v, n) ? n : INT64_MAX;
}

double health_of(double maintenance, double equity) noexcept {
  if (maintenance <= 0) return equity < 0 ? infinite : 0;
  return equity > 0 ? maintenance / equity : infinite;
}

double sigmas_of(double move, double deviation) noexcept {
  if (!(move > -1) || !(deviation > 0)) return infinite;
  return math::abs(math::log(1 + move)) / deviation;
}

// Nothing of the hedge's margin account may be traded by the strategy.
bool is_all_stopped(const StrategyView& view, StrategyId strategy, InstrumentId hedge) noexcept {
  if (view.mode(strategy, hedge) < Mode::halt) return false;
  const Instrument& h = view.instruments()[hedge];
  const std::span<const InstrumentId> held = view.held();
  return std::all_of(held.begin(), held.end(), [&](InstrumentId id) {
    const Instrument& i = view.instruments()[id];
    return i.venue != h.venue || i.settlement != h.settlement ||
           view.mode(strategy, id) >= Mode::halt;
  });
}

// Of the report, the balance that the configuration says is counted.
Money balance_of(const LiquidationConfig& c, const MarginReport& report) noexcept {
  return c.balance == LadderBalance::equity ? report.equity : report.margin_balance;
}

// What the venue itself counts: its available funds are that less the initial margin. Empty: the
// report does not say, or the choice does not claim to know it.
std::optional<double> counted_by_venue(const LiquidationConfig& c,
                                       const MarginReport& report) noexcept {
  if (c.margin_model != LadderMargin::portfolio || c.balance == LadderBalance::smaller) return {};
  if (report.available.nano <= 0) return {};
  return to_double(report.available) + to_double(report.initial_margin);
}

bool contradicted(const LiquidationState& s) noexcept {
  return s.told != AccountMargin::unknown && s.told != venue_model(s.configured);
}

bool in_order(const LiquidationConfig& c) noexcept {
  return c.target_health < c.amber_health && c.amber_health < c.red_health &&
         c.red_health < c.black_health && c.red_sigmas <= c.amber_sigmas;
}

}  // namespace

std::string_view Liquidation::add(const LiquidationConfig& config, UnderlyingId underlying,
                                  InstrumentId hedge) noexcept {
  if (underlying.value >= underlyings_max) return "underlying is not known";
  if (!hedge.valid()) return "hedge instrument is not known";
  if (!in_order(config)) {
    return "needs target_health < amber_health < red_health < black_health and red_sigmas <= "
           "amber_sigmas";
  }
  if (config.slice_usd_max.nano <= 0) return "slice_usd_max must be positive";
  if (config.margin_model == LadderMargin::standard && config.balance != LadderBalance::smaller) {
    return "balance needs margin_model = \"portfolio\": standard margin has one balance";
  }
  if (count_ == books_.size()) return "too many accounts";
  for (std::size_t n = 0; n < count_; ++n) {
    if (books_[n].underlying == underlying) return "underlying is configured twice";
  }
  Book& book = books_[count_++];
  book = Book{};
  book.underlying = underlying;
  book.hedge = hedge;
  book.config = config;
  book.shown.used = true;
  book.shown.configured = config.margin_model;
  book.shown.underlying = underlying;
  return {};
}

void Liquidation::wake(const StrategyView& view, Requests& requests) noexcept {
  for (std::size_t n = 0; n < count_; ++n) look(books_[n], view, requests);
}

void Liquidation::look(Book& book, const StrategyView& view, Requests& requests) noexcept {
  if (!view.instruments().contains(book.hedge)) return;
  book.account.look(view, book.hedge, book.config);
  const MarginReading r = read(book, view);
  compare(book, view, requests);
  tell_model(book, view, requests);
  tell_unknown(book, view, requests);
  const MarginState before = book.ladder.state();
  const MarginState now = book.ladder.step(r, book.config, view.now());
  book.shown.state = now;
  book.shown.stuck = book.shown.stuck && now >= MarginState::red;
  if (now != before) trace_state(book, view, before, r);
  tell(book, view, r, requests);
  if (now >= MarginState::amber) restrain(book, view, requests);
  book.arrived = book.arrived && now >= MarginState::red;
  // The standard model, which knows no hedge, does not size what the scenarios will in a moment.
  const bool sized = !r.pending || now == MarginState::black;
  if (now >= MarginState::red && sized) reduce(book, view, r, requests);
  tell_stuck(book, view, r, requests);
}

// A drift that leaves the scenarios' anchor behind has every row priced anew, which takes a tenth
// of a second or a few, several times on an ordinary day. A jump is no drift: it counts as unknown.
bool Liquidation::repricing(Book& book, bool modelled, RecvTime now) noexcept {
  const double price = book.account.picture().price;
  if (modelled) {
    book.modelled_at = now;
    book.modelled_price = price;
    return false;
  }
  return book.account.portfolio().awaited() && book.modelled_at.mono_ns != 0 &&
         now - book.modelled_at <= book.config.data_age_max &&
         math::abs(price / book.modelled_price - 1) <= drift_max;
}

// The worse of: own model at the marks, own model at the mid, the venue's report. An own model that
// cannot be used leaves the report alone.
MarginReading Liquidation::read(Book& book, const StrategyView& view) const noexcept {
  const LiquidationConfig& c = book.config;
  const Instrument& hedge = view.instruments()[book.hedge];
  const MarginPicture& p = book.account.picture();
  LiquidationState& s = book.shown;
  s.settlement = hedge.settlement;
  const MarginReport* report = view.margin(hedge.venue, hedge.settlement);
  const Nanos age = view.now() - view.margin_at(hedge.venue, hedge.settlement);
  const bool reported = report != nullptr && age <= c.report_age_max;
  const bool fresh = view.data_age(book.hedge) <= c.data_age_max;
  s.health_venue = report == nullptr ? 0
                                     : health_of(to_double(report->maintenance_margin),
                                                 to_double(balance_of(c, *report)));
  MarginReading r;
  const bool modelled =
      c.margin_model == LadderMargin::standard || book.account.portfolio().known();
  s.model = modelled ? c.margin_model : LadderMargin::standard;
  s.told = view.margin_model(hedge.venue, hedge.settlement);
  r.usable = p.known && p.complete && fresh && modelled && !contradicted(s);
  if (p.known && p.complete && fresh && !contradicted(s)) {
    r.pending = repricing(book, modelled, view.now());
  }
  r.reported = reported;
  s.usable = r.usable && reported;
  if (!r.usable && reported) r.health = nano_or_max(s.health_venue);
  if (!p.known) {
    s.health = s.health_venue;
    s.sigmas = infinite;
    return r;
  }
  const double move = p.mid > 0 ? p.mid / p.price - 1 : 0;
  const MarginAccount& a = book.account;
  const double at_mid = health_of(a.maintenance_at(move), a.equity_at(move));
  s.equity = a.equity_at(0);
  s.maintenance = a.maintenance_at(0);
  s.health_own = std::max(health_of(s.maintenance, s.equity), at_mid);
  s.health = std::max(s.health_own, s.health_venue);
  const CushionRoots roots = a.roots();
  s.below = roots.below;
  s.above = roots.above;
  const double sigma = std::max(p.volatility, c.volatility_min);
  const double deviation = sigma * math::sqrt(years(c.horizon));
  s.sigmas = std::min(sigmas_of(roots.below, deviation), sigmas_of(roots.above, deviation));
  if (!r.usable) return r;
  r.health = nano_or_max(s.health);
  r.sigmas = nano_or_max(s.sigmas);
  // Without a fresh report the own model still acts; it is AMBER at least.
  if (!reported) r.health = std::max(r.health, nano_or_max(c.amber_health));
  return r;
}

// Own maintenance margin against each new report; one that differs may be a mark on its way.
void Liquidation::compare(Book& book, const StrategyView& view, Requests& requests) noexcept {
  const MarginAccount& a = book.account;
  if (a.reports() == book.reports || !a.picture().known || !a.picture().complete) return;
  book.reports = a.reports();
  const Instrument& hedge = view.instruments()[book.hedge];
  const MarginReport* report = view.margin(hedge.venue, hedge.settlement);
  if (report == nullptr) return;
  double theirs = to_double(report->maintenance_margin);
  double ours = a.maintenance_at_report();
  if (!math::finite(ours)) return;
  const auto agree = [&]() noexcept {
    return math::abs(ours - theirs) <= book.config.mismatch_max * math::abs(theirs) + 1e-8;
  };
  bool same = agree();
  const std::optional<double> counted = counted_by_venue(book.config, *report);
  if (same && counted) {
    theirs = *counted;
    ours = a.balance_at_report();
    same = agree();
  }
  if (same) {
    book.mismatches = 0;
    book.shown.mismatch = false;
    return;
  }
  if (++book.mismatches != mismatches_told) return;
  book.shown.mismatch = true;
  ++book.shown.alarms;
  Trip t;
  t.code = TripCode::margin_mismatch;
  t.scope = {ScopeLevel::venue, hedge.venue.value};
  t.venue = hedge.venue;
  t.strategy = id_;
  t.limit = nano_or_max(theirs);
  t.actual = nano_or_max(ours);
  t.evidence = nano_or_max(book.config.mismatch_max);
  static_cast<void>(requests.raise(t));
}

// The venue asks by another model than the own numbers: once, and again after it agreed.
void Liquidation::tell_model(Book& book, const StrategyView& view, Requests& requests) noexcept {
  if (!contradicted(book.shown)) {
    book.model_told = false;
    return;
  }
  if (book.model_told) return;
  Trip t;
  t.code = TripCode::margin_model;
  t.severity = Severity::critical;
  t.scope = {ScopeLevel::underlying, book.underlying.value};
  t.venue = view.instruments()[book.hedge].venue;
  t.strategy = id_;
  t.limit = static_cast<std::int64_t>(venue_model(book.config.margin_model));
  t.actual = static_cast<std::int64_t>(book.shown.told);
  book.model_told = requests.raise(t);
  book.shown.alarms += book.model_told ? 1 : 0;
}

// Portfolio margin without its scenarios: once for each time that it lasts. Where the venue asks by
// another model nobody looked for them, and that is told already.
void Liquidation::tell_unknown(Book& book, const StrategyView& view, Requests& requests) noexcept {
  if (book.shown.model == book.config.margin_model || contradicted(book.shown)) {
    book.unknown_since = {};
    book.unknown_told = false;
    return;
  }
  if (book.unknown_since.mono_ns == 0) book.unknown_since = view.now();
  const Nanos lasted = view.now() - book.unknown_since;
  if (book.unknown_told || lasted <= book.config.data_age_max) return;
  Trip t;
  t.code = TripCode::margin_unknown;
  t.scope = {ScopeLevel::underlying, book.underlying.value};
  t.venue = view.instruments()[book.hedge].venue;
  t.strategy = id_;
  t.limit = book.config.data_age_max.count;
  t.actual = lasted.count;
  t.evidence = nano_or_max(book.shown.health_own);
  book.unknown_told = requests.raise(t);
  book.shown.alarms += book.unknown_told ? 1 : 0;
}

// RED or BLACK in which nothing shrinks: nothing to reduce, refusals, orders that find no price, no
// session, no numbers. Once for each time that it lasts.
void Liquidation::tell_stuck(Book& book, const StrategyView& view, const MarginReading& r,
                             Requests& requests) noexcept {
  const bool reduces = book.ladder.state() >= MarginState::red;
  // Who stopped it knows. In a HALT of everything nobody looks: it ends with an arm.
  const bool stopped =
      view.arm_generation() != book.arm_generation || is_all_stopped(view, id_, book.hedge);
  if (!reduces || !book.reducing || stopped) book.moved_at = view.now();
  book.reducing = reduces;
  book.arm_generation = view.arm_generation();
  const Nanos lasted = view.now() - book.moved_at;
  if (lasted <= book.config.stuck_max) {
    book.stuck_told = false;
    return;
  }
  if (book.stuck_told) return;
  Trip t;
  t.code = TripCode::ladder_stuck;
  t.severity = Severity::critical;
  t.scope = {ScopeLevel::underlying, book.underlying.value};
  t.venue = view.instruments()[book.hedge].venue;
  t.strategy = id_;
  t.limit = book.config.stuck_max.count;
  t.actual = lasted.count;
  t.evidence = r.health;
  book.stuck_told = requests.raise(t);
  book.shown.alarms += book.stuck_told ? 1 : 0;
}

void Liquidation::trace_state(const Book& book, const StrategyView& view, MarginState before,
                              const MarginReading& r) const noexcept {
  TraceRecord record;
  record.id = TraceId::margin_state;
  record.instrument = book.hedge;
  record.strategy = id_;
  record.underlying = book.underlying.value;
  record.a = static_cast<std::int64_t>(before);
  record.b = static_cast<std::int64_t>(book.ladder.state());
  record.c = r.health;
  record.d = r.sigmas;
  view.trace(record);
}

// Once for each entry, on the first figures that call for the state: one that was entered for
// numbers that cannot be used has told nothing yet.
void Liquidation::tell(Book& book, const StrategyView& view, const MarginReading& r,
                       Requests& requests) noexcept {
  const LiquidationConfig& c = book.config;
  const MarginState now = book.ladder.state();
  book.told = std::min(book.told, now);
  if (now == book.told || Ladder::judge(r, c, 0) < now) return;
  const double health = now == MarginState::black ? c.black_health
                        : now == MarginState::red ? c.red_health
                                                  : c.amber_health;
  const double sigmas = now == MarginState::amber ? c.amber_sigmas : c.red_sigmas;
  const bool by_health = r.health >= nano_or_max(health);
  Trip t;
  t.code = by_health ? TripCode::margin_ratio : TripCode::near_liquidation;
  t.severity = now == MarginState::amber ? Severity::warning : Severity::critical;
  t.scope = {ScopeLevel::underlying, book.underlying.value};
  t.strategy = id_;
  t.venue = view.instruments()[book.hedge].venue;
  t.limit = nano_or_max(by_health ? health : sigmas);
  t.actual = by_health ? r.health : r.sigmas;
  t.evidence = by_health ? r.sigmas : r.health;
  if (!requests.raise(t)) return;
  ++book.shown.alarms;
  book.told = now;
}

// Whether an order of anybody, once filled, asks for more margin: it opens, and does not hedge.
bool Liquidation::adds_risk(const Book& book, const StrategyView& view,
                            const Order& order) const noexcept {
  const Qty held = view.position(order.instrument);
  const Qty signed_open = signed_qty(order.side, order.open_amount());
  const bool closes =
      held.nano != 0 && (held.nano > 0) != (signed_open.nano > 0) && abs(signed_open) <= abs(held);
  if (closes) return false;
  if (order.instrument != book.hedge) return true;
  const std::optional<ResidualDelta> residual = view.residual(order.underlying);
  return !residual || (residual->settled > 0) == (signed_open.nano > 0);
}

// AMBER and worse: nothing may grow, and what rests and would grow goes. In BLACK all of it goes.
void Liquidation::restrain(const Book& book, const StrategyView& view,
                           Requests& requests) const noexcept {
  const Instrument& hedge = view.instruments()[book.hedge];
  const bool black = book.ladder.state() == MarginState::black;
  std::array<bool, underlyings_max> seen{};
  const auto hold = [&](UnderlyingId u) noexcept {
    if (u.value >= underlyings_max || seen[u.value]) return;
    seen[u.value] = true;
    static_cast<void>(requests.hold({{ScopeLevel::underlying, u.value}, milliseconds(500)}));
  };
  hold(book.underlying);
  for (std::size_t n = 0; n < book.account.futures(); ++n) {
    hold(view.instruments()[book.account.future(n)].underlying);
  }
  for (std::size_t n = 0; n < view.open_orders(); ++n) {
    const Order& o = view.open_order(n);
    if (!o.open() || o.wants_cancel || o.id.strategy() == id_) continue;
    if (o.tif != TimeInForce::good_til_cancelled) continue;
    const Instrument& i = view.instruments()[o.instrument];
    if (i.venue != hedge.venue || i.settlement != hedge.settlement) continue;
    if (!black && !adds_risk(book, view, o)) continue;
    if (!requests.cancel({o.id})) return;
  }
}

// True when the last order has ended and the picture is younger than its end.
bool Liquidation::settled(Book& book, const StrategyView& view) noexcept {
  bool open = false;
  bool unknown = false;
  for (std::size_t n = 0; n < view.open_orders(); ++n) {
    const Order& o = view.open_order(n);
    if (o.id.strategy() != id_) continue;
    // One whose fate is unknown keeps its instrument out of the plan, not the account.
    if (o.state == OrderState::unknown)
      unknown = true;
    else if (o.instrument == book.asked_for)
      open = true;
  }
  const Qty held = book.asked_for.valid() ? view.position(book.asked_for) : Qty{};
  if (abs(held) < abs(book.position_seen)) book.moved_at = view.now();
  if (held != book.position_seen || (book.uncertain && !unknown)) book.traded_at = view.now();
  book.position_seen = held;
  book.uncertain = unknown;
  if (open) return false;
  if (book.waiting) {
    book.waiting = false;
    book.settled_at = view.now();
    book.misses = held != book.position_before ? 0 : book.misses + 1;
  }
  return book.settled_at.mono_ns == 0 || book.account.picture().options_at > book.settled_at ||
         view.now() - book.settled_at > seconds(1);
}

// Maintenance margin that is too much for a health of `target`, by the worst figure there is. A
// report from before our last trade does not know what that closed: acting on it would close it
// twice.
double Liquidation::missing(const Book& book, const StrategyView& view, const MarginReading& r,
                            double target) const noexcept {
  const MarginPicture& p = book.account.picture();
  double most = -infinite;
  if (r.usable) {
    const double move = p.mid > 0 ? p.mid / p.price - 1 : 0;
    const MarginAccount& a = book.account;
    most = a.maintenance_at(0) - target * a.equity_at(0);
    most = std::max(most, a.maintenance_at(move) - target * a.equity_at(move));
  }
  if (!answered(book, view)) return most;
  const Instrument& hedge = view.instruments()[book.hedge];
  const MarginReport* report = view.margin(hedge.venue, hedge.settlement);
  return std::max(most, to_double(report->maintenance_margin) -
                            target * to_double(balance_of(book.config, *report)));
}

bool Liquidation::answered(const Book& book, const StrategyView& view) const noexcept {
  const Instrument& hedge = view.instruments()[book.hedge];
  if (view.margin(hedge.venue, hedge.settlement) == nullptr || book.uncertain) return false;
  return book.traded_at.mono_ns == 0 ||
         view.margin_at(hedge.venue, hedge.settlement) > book.traded_at;
}

// Down to the target, the venue's report agreeing; and from there not again for every move of the
// price, but when the health has lost `leave_health` or the distance that share of itself.
bool Liquidation::wants(Book& book, const StrategyView& view, const MarginReading& r,
                        double too_much) const noexcept {
  const LiquidationConfig& c = book.config;
  if (too_much <= money_step && r.sigmas >= nano_or_max(c.amber_sigmas)) {
    book.arrived = book.arrived || (r.usable && answered(book, view));
    return false;
  }
  if (!book.arrived) return true;
  const double again = std::min(c.target_health + c.leave_health, c.amber_health);
  // A distance that is RED by itself is never rested at.
  const double near = std::max(c.amber_sigmas * (1 - c.leave_health), c.red_sigmas);
  book.arrived = missing(book, view, r, again) <= money_step && r.sigmas >= nano_or_max(near);
  return !book.arrived;
}

void Liquidation::reduce(Book& book, const StrategyView& view, const MarginReading& r,
                         Requests& requests) noexcept {
  const LiquidationConfig& c = book.config;
  const VenueId venue = view.instruments()[book.hedge].venue;
  if (book.refusals.look(view.refusals_of(id_, book.underlying), book.waiting)) {
    book.waiting = false;
  }
  const bool ended = settled(book, view);
  // By the report alone, the slices go to what has prices; the plan leaves the rest out.
  if (!r.usable && !r.reported) return;
  const double too_much = missing(book, view, r, c.target_health);
  const bool health_binds = too_much > money_step;
  if (!wants(book, view, r, too_much)) {
    book.shown.stuck = false;
    book.moved_at = view.now();
    return;
  }
  if (!view.venue_ready(venue) || !ended) return;
  const Nanos pause = doubled_pause(book.refusals.in_row() + book.misses, pause_first, pause_max);
  const Nanos wait = std::max(c.interval_min, pause);
  if (book.last_order.mono_ns != 0 && view.now() - book.last_order < wait) return;
  if (view.rate_room(venue) == 0) return;
  PlanAsk ask;
  ask.hedge = book.hedge;
  ask.config = &c;
  ask.black = book.ladder.state() == MarginState::black;
  ask.hedge_trades =
      view.quote(book.hedge).has_value() && view.data_age(book.hedge) <= c.data_age_max;
  ask.missing = too_much;
  ask.whole_slices = !health_binds;
  ask.venue_health = std::min(book.shown.health_venue, 1.0);
  ask.own_health = std::min(book.shown.health_own, 1.0);
  // Standard margin would call the hedge of a portfolio dear and take it away.
  ask.only_neutral = contradicted(book.shown) && c.margin_model == LadderMargin::standard;
  ask.strategy = id_;
  const Reduction reduction = best_reduction(book.account, view, ask);
  book.shown.stuck = !reduction.instrument.valid();
  if (!book.shown.stuck) send(book, view, reduction, r, requests);
}

void Liquidation::send(Book& book, const StrategyView& view, const Reduction& reduction,
                       const MarginReading& r, Requests& requests) noexcept {
  const std::optional<Quote> quote = view.quote(reduction.instrument);
  OrderRequest request;
  request.instrument = reduction.instrument;
  request.strategy = id_;
  request.side = reduction.side;
  request.tif = TimeInForce::immediate_or_cancel;
  request.flags = order_flag::reduce_only;
  request.limit = reduction.limit;
  request.amount = reduction.amount;
  request.decision_price = quote ? quote->mid() : reduction.mid;
  request.evidence_nano = r.health;
  request.intent = (static_cast<std::uint64_t>(book.underlying.value) << 48) | (book.intent + 1);
  if (!requests.place(request)) return;
  ++book.intent;
  ++book.shown.orders;
  book.shown.raised += reduction.raises ? 1 : 0;
  book.refusals.note_asked();
  book.waiting = true;
  book.asked_for = reduction.instrument;
  book.position_before = book.position_seen = view.position(reduction.instrument);
  book.last_order = view.now();
  TraceRecord record;
  record.id = TraceId::liquidation_decided;
  record.instrument = reduction.instrument;
  record.strategy = id_;
  record.underlying = book.underlying.value;
  record.a = r.health;
  record.b = r.sigmas;
  record.c = signed_qty(reduction.side, reduction.amount).nano;
  record.d = reduction.limit.nano;
  view.trace(record);
}

}  // namespace gimbal
