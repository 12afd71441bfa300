// What may still be sent in REDUCE, and while growth is blocked (control P-13). An order passes if,
// in the worst case over open and unknown orders,
//   (a) its instrument's position shrinks without crossing zero and the underlying's delta stays
//       inside its limit, or
//   (b) it is on the configured hedge instrument and the underlying's worst delta strictly falls.
// The position limit is a check of its own and applies to both.
#pragma once

#include "engine/core/risk/context.hpp"
#include "engine/core/risk/delta_limit.hpp"
#include "engine/core/risk/limits.hpp"
#include "engine/core/risk/refusal.hpp"

namespace gimbal {

struct ReduceRule {
  static bool shrinks(const OrderFacts& o, const GateContext& c) noexcept {
    const bool buy = o.side == Side::buy;
    // Positive: what this side may take back before the position crosses zero.
    const i128 held = buy ? -static_cast<i128>(c.position.nano) : c.position.nano;
    const Qty open = buy ? c.exposure.worst_buy() : c.exposure.worst_sell();
    return held > 0 && static_cast<i128>(open.nano) + o.added.nano <= held;
  }
  static i128 worst_after(const GateContext& c) noexcept {
    i128 low = c.delta.low;
    i128 high = c.delta.high;
    (c.order_delta >= 0 ? high : low) += c.order_delta;
    const i128 below = low < 0 ? -low : low;
    const i128 above = high < 0 ? -high : high;
    return below > above ? below : above;
  }
  // The worst case once this order has filled whole: both ends of the range move.
  static i128 worst_filled(const GateContext& c) noexcept {
    const i128 low = static_cast<i128>(c.delta.low) + c.order_delta;
    const i128 high = static_cast<i128>(c.delta.high) + c.order_delta;
    const i128 below = low < 0 ? -low : low;
    const i128 above = high < 0 ? -high : high;
    return below > above ? below : above;
  }

  static Refused check(const OrderFacts& o, const GateContext& c, const RiskLimits& l) noexcept {
    if (c.mode < Mode::reduce && !c.growth_blocked) return {};
    if (o.replace && o.added.nano <= 0) return {};  // smaller is always allowed
    const Refusal reason = c.mode >= Mode::reduce ? Refusal::reduce_rule : Refusal::paused;
    if (!c.delta_known) return {reason, 1, 0};
    if (shrinks(o, c) && DeltaLimit::usd(worst_after(c), c.index) <= l.max_delta_usd.nano) {
      return {};
    }
    if (c.hedge_instrument && l.hedge_in_reduce && worst_filled(c) < c.delta.worst()) return {};
    const i128 after = worst_filled(c);
    return {reason, c.delta.worst(),
            fits_int64(after) ? static_cast<std::int64_t>(after) : INT64_MAX};
  }
};

}  // namespace gimbal
