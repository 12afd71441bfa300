#include "strategies/rebalance/rebalance.hpp"

#include <algorithm>

#include "strategies/pause.hpp"

namespace gimbal {

std::uint64_t Rebalance::parent_of(const Rule& rule, const StrategyView& view) const noexcept {
  const auto number = static_cast<std::uint64_t>(&rule - rules_.data()) + 1;
  return (view.arm_generation() << 8) | number;
}

std::string_view Rebalance::add(const RebalanceConfig& config, InstrumentId instrument,
                                InstrumentId watch) noexcept {
  if (!instrument.valid()) return "instrument is not known";
  if (!watch.valid()) return "watched instrument is not known";
  if (count_ == rules_max) return "too many rules";
  const bool price = config.trigger == RebalanceTrigger::price_above ||
                     config.trigger == RebalanceTrigger::price_below;
  const bool volatility = config.trigger == RebalanceTrigger::volatility_above ||
                          config.trigger == RebalanceTrigger::volatility_below;
  if (price && config.level.nano <= 0) return "level must be positive for a price trigger";
  if (volatility && !(config.volatility > 0)) {
    return "volatility must be positive for a volatility trigger";
  }
  Rule& rule = rules_[count_++];
  rule = Rule{};
  rule.config = config;
  rule.instrument = instrument;
  rule.watch = watch;
  return {};
}

bool Rebalance::triggered(const Rule& rule, const StrategyView& view) noexcept {
  const RebalanceConfig& c = rule.config;
  switch (c.trigger) {
    case RebalanceTrigger::after: return view.now() - rule.armed_at >= c.delay;
    case RebalanceTrigger::price_above:
    case RebalanceTrigger::price_below: {
      const std::optional<Quote> quote = view.quote(rule.watch);
      if (!quote || view.data_age(rule.watch) > c.data_age_max) return false;
      return c.trigger == RebalanceTrigger::price_above ? quote->mid() >= c.level
                                                        : quote->mid() <= c.level;
    }
    case RebalanceTrigger::volatility_above:
    case RebalanceTrigger::volatility_below: {
      const OptionMark mark = view.option_mark(rule.watch);
      if (!mark.usable) return false;
      return c.trigger == RebalanceTrigger::volatility_above ? mark.sigma >= c.volatility
                                                             : mark.sigma <= c.volatility;
    }
  }
  return false;
}

void Rebalance::wake(const StrategyView& view, Requests& requests) noexcept {
  for (std::size_t i = 0; i < count_; ++i) {
    Rule& rule = rules_[i];
    if (view.arm_generation() != rule.arm_generation) {
      rule.arm_generation = view.arm_generation();
      rule.armed_at = view.now();
      rule.fired = rule.done = false;
      rule.orders = 0;
      rule.whole = {};
      rule.refusals.forgive();
    }
    if (rule.done) continue;
    if (!rule.fired) {
      if (!triggered(rule, view)) continue;
      rule.fired = true;
      TraceRecord r;
      r.id = TraceId::rebalance_fired;
      r.instrument = rule.instrument;
      r.strategy = id_;
      r.a = static_cast<std::int64_t>(rule.config.trigger);
      r.b = rule.config.target.nano;
      r.c = view.position(rule.instrument).nano;
      view.trace(r);
    }
    move(rule, view, requests);
  }
}

void Rebalance::move(Rule& rule, const StrategyView& view, Requests& requests) noexcept {
  const RebalanceConfig& c = rule.config;
  if (!view.instruments().contains(rule.instrument)) return;
  const Instrument& i = view.instruments()[rule.instrument];
  const Exposure& open = view.exposure(rule.instrument);
  // One order at a time, and none while another's fate is unknown.
  if (open.worst_buy().nano > 0 || open.worst_sell().nano > 0) return;
  const Qty missing = c.target - view.position(rule.instrument);
  if (abs(missing) < i.lot || rule.orders >= c.orders_max) {
    rule.done = true;
    return;
  }
  if (!view.venue_ready(i.venue) || view.mode(id_, rule.instrument) >= Mode::halt) return;
  static_cast<void>(rule.refusals.look(view.refusals_of(id_, i.underlying), false));
  const Nanos wait = std::max(c.interval_min, refusal_pause(rule.refusals.in_row()));
  if (rule.last_order.mono_ns != 0 && view.now() - rule.last_order < wait) return;
  if (view.rate_room(i.venue) == 0) return;
  const std::optional<Quote> quote = view.quote(rule.instrument);
  if (!quote || view.data_age(rule.instrument) > c.data_age_max) return;
  OrderRequest request;
  request.instrument = rule.instrument;
  request.strategy = id_;
  request.side = side_of(missing);
  request.amount = abs(missing);
  if (c.slice_max.nano > 0) request.amount = std::min(request.amount, c.slice_max);
  // All slices of one firing are children of it: together never more than what was missing then.
  if (rule.whole.nano == 0) rule.whole = abs(missing);
  request.parent = parent_of(rule, view);
  request.parent_amount = rule.whole;
  request.amount = std::min(request.amount, view.parent_left(id_, request.parent, rule.whole));
  if (request.amount < i.lot) {
    rule.done = true;
    return;
  }
  const Price best = request.side == Side::buy ? quote->ask : quote->bid;
  const auto reach = static_cast<std::int64_t>(static_cast<i128>(best.nano) * c.collar_bps / 10000);
  request.limit = request.side == Side::buy ? best + PriceOffset{reach} : best - PriceOffset{reach};
  request.decision_price = quote->mid();
  request.evidence_nano = missing.nano;
  request.intent = (static_cast<std::uint64_t>(rule.instrument.value) << 48) | (rule.intent + 1);
  if (!requests.place(request)) return;
  rule.refusals.note_asked();
  ++rule.intent;
  ++rule.orders;
  rule.last_order = view.now();
}

}  // namespace gimbal
