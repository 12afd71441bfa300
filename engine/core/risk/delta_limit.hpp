// Worst-case delta of the underlying in USD, on the side to which the order pushes it (control
// P-09). With stale Greeks the options' share counts once and twice, whichever is worse.
#pragma once

#include "engine/core/risk/context.hpp"
#include "engine/core/risk/limits.hpp"
#include "engine/core/risk/lowers_risk.hpp"
#include "engine/core/risk/refusal.hpp"

namespace gimbal {

struct DeltaLimit {
  static Refused check(const OrderFacts& o, const GateContext& c, const RiskLimits& l) noexcept {
    if (!c.delta_known) return {Refusal::delta_unknown, 1, 0};
    const std::int64_t value = LowersRisk::pushed_usd(c);
    if (value <= l.max_delta_usd.nano || LowersRisk::holds(o, c, l)) return {};
    return {Refusal::delta_limit, l.max_delta_usd.nano, value};
  }
};

}  // namespace gimbal
