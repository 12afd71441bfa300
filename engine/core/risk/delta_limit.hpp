// Worst-case delta of the underlying in USD, on the side to which the order pushes it.
#pragma once

#include "engine/core/risk/context.hpp"
#include "engine/core/risk/limits.hpp"
#include "engine/core/risk/refusal.hpp"

namespace gimbal {

struct DeltaLimit {
  // |coins| * index in USD at 1e-9, saturating.
  static std::int64_t usd(i128 coins_nano, Price index) noexcept {
    const i128 magnitude = coins_nano < 0 ? -coins_nano : coins_nano;
    if (magnitude > INT64_MAX) return INT64_MAX;
    const i128 value = divide(magnitude * index.nano, nano_per_unit, Rounding::up);
    return fits_int64(value) ? static_cast<std::int64_t>(value) : INT64_MAX;
  }

  static Refused check(const OrderFacts&, const GateContext& c, const RiskLimits& l) noexcept {
    if (!c.delta_known) return {Refusal::delta_unknown, 1, 0};
    const i128 pushed = c.order_delta >= 0 ? static_cast<i128>(c.delta.high) + c.order_delta
                                           : static_cast<i128>(c.delta.low) + c.order_delta;
    const bool outward = c.order_delta >= 0 ? pushed > 0 : pushed < 0;
    const std::int64_t value = outward ? usd(pushed, c.index) : 0;
    if (value <= l.max_delta_usd.nano) return {};
    return {Refusal::delta_limit, l.max_delta_usd.nano, value};
  }
};

}  // namespace gimbal
