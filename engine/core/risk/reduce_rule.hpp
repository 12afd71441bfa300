// What may still be sent in REDUCE, and while growth is blocked (control P-13): exits and hedges
// (lowers_risk.hpp), and an order made smaller. The position limit is a check of its own and
// applies to both. In REDUCE an amendment may only make an order smaller.
#pragma once

#include "engine/core/risk/context.hpp"
#include "engine/core/risk/limits.hpp"
#include "engine/core/risk/lowers_risk.hpp"
#include "engine/core/risk/refusal.hpp"

namespace gimbal {

struct ReduceRule {
  // Exits, and hedges where the config allows them.
  static bool lets_through(const OrderFacts& o, const GateContext& c,
                           const RiskLimits& l) noexcept {
    return LowersRisk::exit(o, c, l) || (l.hedge_in_reduce && LowersRisk::hedge(c));
  }
  static Refused check(const OrderFacts& o, const GateContext& c, const RiskLimits& l) noexcept {
    if (c.mode < Mode::reduce && !c.growth_blocked) return {};
    if (o.replace && o.added.nano <= 0) return {};  // smaller is always allowed
    if (o.replace && c.mode >= Mode::reduce) return {Refusal::reduce_rule, 0, o.added.nano};
    const Refusal reason = c.mode >= Mode::reduce ? Refusal::reduce_rule : Refusal::paused;
    if (c.delta_known && lets_through(o, c, l)) return {};
    if (c.late_ns > 0 && c.mode < Mode::reduce) {
      return {Refusal::tick_late, c.late_max.count, static_cast<std::int64_t>(c.late_ns)};
    }
    if (!c.delta_known) return {reason, 1, 0};
    const i128 after = LowersRisk::worst_filled(c);
    return {reason, c.delta.worst(),
            fits_int64(after) ? static_cast<std::int64_t>(after) : INT64_MAX};
  }
};

}  // namespace gimbal
