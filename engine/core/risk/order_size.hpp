// Size of one order, in lots and in USD of exposure (options count their underlying).
#pragma once

#include "engine/core/risk/context.hpp"
#include "engine/core/risk/limits.hpp"
#include "engine/core/risk/refusal.hpp"

namespace gimbal {

struct OrderSize {
  static Refused check(const OrderFacts& o, const GateContext& c, const RiskLimits& l) noexcept {
    const std::int64_t lots = o.amount.nano / c.instrument->lot.nano;
    if (lots > l.max_order_lots) return {Refusal::order_lots, l.max_order_lots, lots};
    Money value;
    if (!c.instrument->exposure_usd(o.price, o.amount, c.index, value)) {
      return {Refusal::overflow, l.max_order_usd.nano, INT64_MAX};
    }
    if (value > l.max_order_usd) return {Refusal::order_usd, l.max_order_usd.nano, value.nano};
    return {};
  }
};

}  // namespace gimbal
