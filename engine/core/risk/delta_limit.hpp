// Worst-case delta of the underlying in USD, on the side to which the order pushes it (control
// P-09). With stale Greeks the options' share counts once and twice, whichever is worse: for an
// exit as well while trading, unless the worst delta falls. Where nothing may grow (REDUCE, PAUSE)
// P-13 decides about exits, by the delta as it is.
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
    if (value <= l.max_delta_usd.nano || LowersRisk::hedge(c)) return {};
    const bool closing = c.mode >= Mode::reduce || c.growth_blocked;
    const bool counts = closing || !c.greeks_stale || LowersRisk::eases(c);
    if (counts && LowersRisk::exit(o, c, l)) return {};
    return {Refusal::delta_limit, l.max_delta_usd.nano, value};
  }
};

}  // namespace gimbal
