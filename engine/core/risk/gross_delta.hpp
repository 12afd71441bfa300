// Gross delta of the underlying in USD: the instruments' absolute deltas summed, open and unknown
// orders counted as filled (control P-09). Hedges and exits pass.
#pragma once

#include "engine/core/risk/context.hpp"
#include "engine/core/risk/limits.hpp"
#include "engine/core/risk/lowers_risk.hpp"
#include "engine/core/risk/refusal.hpp"

namespace gimbal {

struct GrossDelta {
  static Refused check(const OrderFacts& o, const GateContext& c, const RiskLimits& l) noexcept {
    if (o.added.nano <= 0 || LowersRisk::holds(o, c, l)) return {};
    const i128 order = c.order_delta < 0 ? -static_cast<i128>(c.order_delta) : c.order_delta;
    const i128 held = static_cast<i128>(c.gross_delta) * (c.greeks_stale ? 2 : 1);
    const std::int64_t value = LowersRisk::usd(held + order, c.index);
    if (value <= l.max_gross_delta_usd.nano) return {};
    return {Refusal::gross_delta_limit, l.max_gross_delta_usd.nano, value};
  }
};

}  // namespace gimbal
