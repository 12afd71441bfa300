// Read access: the strategies' view and the status picture.
#include <algorithm>

#include "engine/core/engine_core.hpp"

namespace gimbal {
namespace {

OrderStatus status_of(const Order& o) noexcept {
  return OrderStatus{o.id,
                     o.instrument,
                     o.side,
                     o.state,
                     o.price,
                     o.amount,
                     o.filled,
                     o.created,
                     o.decision.models,
                     o.adopted,
                     o.carried,
                     o.decision_price,
                     o.decision.theoretical,
                     o.decision.arrival,
                     o.reserved_usd};
}

}  // namespace

const FlatOrderBook* EngineCore::book(InstrumentId id) const noexcept {
  const Market* m = market(id);
  return m == nullptr ? nullptr : m->book;
}

ExchTime EngineCore::venue_now(VenueId venue) const noexcept { return venue_at(venue, now_); }

ExchTime EngineCore::venue_at(VenueId venue, RecvTime at) const noexcept {
  if (venue.value >= venues_max || !venues_[venue.value].clock_known) return {};
  return {at.mono_ns + venues_[venue.value].clock_offset.count};
}

bool EngineCore::venue_ready(VenueId venue) const noexcept {
  if (venue.value >= venues_max) return false;
  const Venue& v = venues_[venue.value];
  return v.gateway == GatewayState::ready && v.reconciled && v.clock_known;
}

const MarginReport* EngineCore::margin(VenueId venue, Currency settlement) const noexcept {
  if (venue.value >= venues_max) return nullptr;
  for (const MarginSlot& slot : venues_[venue.value].margins) {
    if (slot.used && slot.report.settlement == settlement) return &slot.report;
  }
  return nullptr;
}

AccountMargin EngineCore::margin_model(VenueId venue, Currency settlement) const noexcept {
  if (venue.value >= venues_max) return AccountMargin::unknown;
  for (const MarginSlot& slot : venues_[venue.value].margins) {
    if (slot.used && slot.report.settlement == settlement) return slot.model;
  }
  return AccountMargin::unknown;
}

// --- StrategyView -----------------------------------------------------------------------------

RecvTime StrategyView::now() const noexcept { return engine_->now_; }
const InstrumentTable& StrategyView::instruments() const noexcept { return engine_->table_; }

std::optional<Quote> StrategyView::quote(InstrumentId id) const noexcept {
  const auto* m = engine_->market(id);
  if (m == nullptr || m->book == nullptr || m->outlier) return std::nullopt;
  return m->book->top();
}
std::optional<BookView> StrategyView::book(InstrumentId id) const noexcept {
  const FlatOrderBook* book = engine_->book(id);
  return book == nullptr ? std::nullopt : book->view();
}
Nanos StrategyView::data_age(InstrumentId id) const noexcept {
  const auto* m = engine_->market(id);
  if (m == nullptr || m->data_at.mono_ns == 0) return Nanos{INT64_MAX / 2};
  return engine_->now_ > m->data_at ? engine_->now_ - m->data_at : Nanos{};
}
std::optional<Price> StrategyView::mark(InstrumentId id) const noexcept {
  const auto* m = engine_->market(id);
  if (m == nullptr || m->mark.nano <= 0) return std::nullopt;
  return m->mark;
}
std::optional<Price> StrategyView::index(UnderlyingId u) const noexcept {
  if (u.value >= underlyings_max || engine_->coins_[u.value].index.nano <= 0) return std::nullopt;
  return engine_->coins_[u.value].index;
}
Qty StrategyView::position(InstrumentId id) const noexcept {
  return engine_->portfolio_.position(id);
}
const Exposure& StrategyView::exposure(InstrumentId id) const noexcept {
  return engine_->orders_.exposure(id);
}
RiskNumbers StrategyView::risk(UnderlyingId u) const noexcept {
  return engine_->portfolio_.risk(u);
}
OptionMark StrategyView::option_mark(InstrumentId id) const noexcept {
  return engine_->portfolio_.mark(id);
}
std::optional<double> StrategyView::delta_price(InstrumentId id) const noexcept {
  return engine_->delta_price(id);
}
std::optional<ResidualDelta> StrategyView::residual(UnderlyingId u) const noexcept {
  return engine_->residual(u);
}
const UnderlyingSetup& StrategyView::setup(UnderlyingId u) const noexcept {
  return engine_->setup_.underlyings[u.value];
}
const MarginReport* StrategyView::margin(VenueId venue, Currency settlement) const noexcept {
  return engine_->margin(venue, settlement);
}
AccountMargin StrategyView::margin_model(VenueId venue, Currency settlement) const noexcept {
  return engine_->margin_model(venue, settlement);
}
RecvTime StrategyView::margin_at(VenueId venue, Currency settlement) const noexcept {
  if (venue.value >= venues_max) return {};
  for (const auto& slot : engine_->venues_[venue.value].margins) {
    if (slot.used && slot.report.settlement == settlement) return slot.at;
  }
  return {};
}
std::span<const InstrumentId> StrategyView::held() const noexcept { return engine_->held_; }
std::optional<ScenarioBook> StrategyView::scenarios(UnderlyingId u, bool inverse) const noexcept {
  return engine_->held_scenarios(u, inverse);
}
bool StrategyView::scenarios_awaited(UnderlyingId u, bool inverse) const noexcept {
  return engine_->scenarios_awaited(u, inverse);
}
bool StrategyView::add_scenario_profit(InstrumentId id, Qty signed_amount,
                                       ScenarioBook::Cells& profit) const noexcept {
  return engine_->add_profit(id, signed_amount, profit);
}
const ScenarioConfig& StrategyView::scenario_config() const noexcept {
  return engine_->cells_.config();
}
std::optional<double> StrategyView::years_left(InstrumentId id) const noexcept {
  if (!engine_->table_.contains(id)) return {};
  const Instrument& i = engine_->table_[id];
  if (i.expiry.unix_ns == 0) return 0.0;
  const ExchTime now = engine_->venue_now(i.venue);
  if (now.unix_ns == 0) return {};
  return std::max(years(i.expiry - now), 0.0);
}
const Order* StrategyView::order(OrderId id) const noexcept { return engine_->orders_.find(id); }
std::size_t StrategyView::open_orders() const noexcept { return engine_->orders_.listed(); }
const Order& StrategyView::open_order(std::size_t n) const noexcept {
  return engine_->orders_.open_order(n);
}
Mode StrategyView::mode(StrategyId strategy, InstrumentId id) const noexcept {
  if (!engine_->table_.contains(id)) return Mode::lock;
  const Instrument& i = engine_->table_[id];
  return engine_->gate_.modes().effective({i.venue, strategy, i.underlying, id});
}
bool StrategyView::growth_blocked(StrategyId strategy, InstrumentId id) const noexcept {
  return growth_held(strategy, id) || tick_late(id);
}
bool StrategyView::tick_late(InstrumentId id) const noexcept {
  return engine_->table_.contains(id) && engine_->late_on(id) > 0;
}
bool StrategyView::growth_held(StrategyId strategy, InstrumentId id) const noexcept {
  if (engine_->growth_held(id, strategy)) return true;
  const EnvelopeBook& modules = engine_->envelopes_;
  return modules.used() &&
         (modules.late(engine_->now_) || (modules.cap(id).veto & module_veto::growth) != 0);
}
bool StrategyView::venue_ready(VenueId venue) const noexcept { return engine_->venue_ready(venue); }
std::uint64_t StrategyView::arm_generation() const noexcept { return engine_->arm_generation_; }
Refused StrategyView::last_refusal(StrategyId strategy) const noexcept {
  return strategy.value < strategies_max ? engine_->last_refusal_[strategy.value] : Refused{};
}
std::uint64_t StrategyView::refusals_of(StrategyId strategy) const noexcept {
  return strategy.value < strategies_max ? engine_->refusals_[strategy.value] : 0;
}
std::uint64_t StrategyView::refusals_of(StrategyId strategy, UnderlyingId u) const noexcept {
  if (strategy.value >= strategies_max || u.value >= underlyings_max) return 0;
  return engine_->refusals_by_[strategy.value][u.value];
}
std::int64_t StrategyView::rate_room(VenueId venue) const noexcept {
  return engine_->gate_.room(engine_->now_, venue);
}
Qty StrategyView::parent_left(StrategyId strategy, std::uint64_t parent,
                              Qty amount) const noexcept {
  const ParentBook::Parent* p = engine_->parents_.find(strategy, parent);
  if (p == nullptr) return amount;
  const Qty left = p->allowed() - p->filled - engine_->open_children(strategy, parent);
  return left.nano > 0 ? left : Qty{};
}
const RiskLimits& StrategyView::limits() const noexcept { return engine_->gate_.limits(); }
void StrategyView::trace(TraceRecord record) const noexcept {
  if (engine_->setup_.trace == nullptr) return;
  record.seq = engine_->seq_.value;
  record.at = engine_->now_;
  engine_->setup_.trace->put(record);
}

// --- status -----------------------------------------------------------------------------------

void EngineCore::fill_underlyings(EngineStatus& s) const noexcept {
  for (std::size_t i = 0; i < underlyings_max; ++i) {
    const UnderlyingId u{static_cast<std::uint8_t>(i)};
    UnderlyingStatus& to = s.underlyings[i];
    const Coin& coin = coins_[i];
    to.used = coin.perpetual.valid() || setup_.underlyings[i].hedge.valid();
    if (!to.used) continue;
    const RiskNumbers risk = portfolio_.risk(u);
    to.complete = risk.complete;
    to.models = risk.models;
    to.sticky_delta_shift = risk.sticky_delta_shift;
    to.minimum_variance_shift = risk.minimum_variance_shift;
    if (risk.surface_at != RecvTime{}) {
      to.surface_age_s = static_cast<double>((now_ - risk.surface_at).count) * 1e-9;
    }
    to.delta_net = risk.delta_net.value;
    to.delta_bs = risk.delta_bs.value;
    to.gamma = risk.gamma.value;
    to.vega = risk.vega.value;
    to.theta = risk.theta.value;
    to.index = coin.index;
    std::int64_t nano = 0;
    if (decision_nano(portfolio_.perpetual_mid(u), nano)) to.perpetual = Price{nano};
    const std::optional<ResidualDelta> r = residual(u);
    to.complete = to.complete && r.has_value();
    if (!r) continue;
    to.residual = static_cast<double>(r->expected) * 1e-9;
    to.low = static_cast<double>(r->worst.low) * 1e-9;
    to.high = static_cast<double>(r->worst.high) * 1e-9;
  }
}

EngineStatus EngineCore::snapshot() const noexcept {
  EngineStatus s;
  s.seq = seq_.value;
  s.now = now_;
  s.epoch = boot_.epoch;
  s.global = gate_.modes().at({});
  std::size_t tight = 0;
  for (std::size_t level = 1; level < scope_levels; ++level) {
    const auto l = static_cast<ScopeLevel>(level);
    for (std::size_t id = 0; id < scope_count(l); ++id) {
      if (gate_.modes().at({l, static_cast<std::uint16_t>(id)}) > Mode::active) ++tight;
    }
  }
  s.tightened_scopes = static_cast<std::uint8_t>(std::min<std::size_t>(tight, 255));
  s.monitor_pause = monitor_pause_;
  for (const CancelJob& job : jobs_)
    s.cancel_jobs = static_cast<std::uint8_t>(s.cancel_jobs + (job.active ? 1 : 0));
  s.guardian_live = guardian_live_;
  s.config_hash = boot_.config_hash;
  s.order_counter = order_counter_;
  s.gate_epoch = gate_.epoch();
  s.answers = answers_;
  fill_flatten(s);
  s.orders = orders_.counters();
  s.counters = counters_;
  s.approved = gate_.approved();
  s.day_profit_usd = Money{day_.profit_usd};
  s.day_peak_usd = Money{day_.peak_usd};
  fill_day(s.day);
  for (std::size_t r = 0; r < refusals; ++r) s.refused[r] = gate_.refused(static_cast<Refusal>(r));
  s.unknown_orders = static_cast<std::uint32_t>(orders_.unknown_count());
  for (std::size_t n = 0; n < orders_.listed(); ++n) {
    const Order& o = orders_.open_order(n);
    if (!o.open()) continue;
    ++s.open_orders;
    if (s.orders_shown == status_orders_max) continue;
    s.order[s.orders_shown++] = status_of(o);
  }
  s.positions_total = static_cast<std::uint32_t>(held_.size());
  for (const InstrumentId id : held_) {
    if (s.positions_shown == status_positions_max) break;
    const Qty amount = portfolio_.position(id);
    s.position[s.positions_shown++] =
        PositionStatus{id, portfolio_.model(id), amount, coins_of(id, amount).value_or(0.0),
                       markets_[id.value].mark};
  }
  for (std::size_t v = 0; v < venues_max; ++v) {
    const Venue& from = venues_[v];
    s.venues[v] =
        VenueStatus{from.used,    from.reconciled, from.cancel_on_disconnect, from.clock_known,
                    from.gateway, from.generation, from.reconciled_at,        from.foreign};
  }
  for (std::size_t n = 0; n < strategies_max; ++n) {
    s.strategy_gaps[n] = gaps_.of(StrategyId{static_cast<std::uint8_t>(n)});
  }
  for (std::size_t v = 0; v < venues_max; ++v) {
    s.venue_gaps[v] = gaps_.of(VenueId{static_cast<std::uint8_t>(v)});
  }
  s.modules = envelopes_.seats();
  fill_underlyings(s);
  return s;
}

}  // namespace gimbal
