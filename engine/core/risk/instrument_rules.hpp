// The venue's own rules for one order: listed, on tick, whole lots, priced.
#pragma once

#include "engine/core/risk/context.hpp"
#include "engine/core/risk/limits.hpp"
#include "engine/core/risk/refusal.hpp"

namespace gimbal {

struct InstrumentRules {
  static Refused check(const OrderFacts& o, const GateContext& c, const RiskLimits&) noexcept {
    if (c.instrument == nullptr || o.amount.nano <= 0 || o.price.nano <= 0) {
      return {Refusal::malformed, 1, o.amount.nano < o.price.nano ? o.amount.nano : o.price.nano};
    }
    if (c.strategy == StrategyId{}) return {Refusal::no_owner, 1, 0};
    const Instrument& i = *c.instrument;
    if (i.state != InstrumentState::open) {
      return {Refusal::instrument_closed, static_cast<std::int64_t>(InstrumentState::open),
              static_cast<std::int64_t>(i.state)};
    }
    if (o.tif == TimeInForce::fill_or_kill) return {Refusal::market_order, 0, 1};
    if (!i.ticks.on_tick(o.price)) {
      return {Refusal::off_tick, i.ticks.tick_at(o.price).nano, o.price.nano};
    }
    if (o.amount.nano % i.lot.nano != 0) return {Refusal::off_lot, i.lot.nano, o.amount.nano};
    if (o.amount < i.amount_min) return {Refusal::off_lot, i.amount_min.nano, o.amount.nano};
    return {};
  }
};

}  // namespace gimbal
