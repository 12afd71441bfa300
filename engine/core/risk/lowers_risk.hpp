// Whether an order lowers risk in the worst case over open and unknown orders. What does is never
// held back by a limit on growth (control P-13 and section 4: no trip blocks an exit), but for an
// exit that makes the account's worst scenario worse beyond its limit (scenario_loss.hpp).
//   (a) an exit: its instrument's position shrinks without crossing zero, and the underlying's
//       worst delta stays inside its limit or, where it is over it, strictly falls, or the order
//       has no delta. Stale Greeks do not count twice here: a book that is being closed would not
//       close (while trading delta_limit.hpp counts them). or
//   (b) a hedge: on the configured hedge instrument, the underlying's worst delta strictly falls.
#pragma once

#include "engine/core/risk/context.hpp"
#include "engine/core/risk/limits.hpp"

namespace gimbal {

struct LowersRisk {
  // |coins| * index in USD at 1e-9, rounded up, saturating.
  static std::int64_t usd(i128 coins_nano, Price index) noexcept {
    const i128 magnitude = coins_nano < 0 ? -coins_nano : coins_nano;
    if (magnitude > INT64_MAX) return INT64_MAX;
    const i128 value = divide(magnitude * index.nano, nano_per_unit, Rounding::up);
    return fits_int64(value) ? static_cast<std::int64_t>(value) : INT64_MAX;
  }
  static bool shrinks(const OrderFacts& o, const GateContext& c) noexcept {
    const bool buy = o.side == Side::buy;
    // Positive: what this side may take back before the position crosses zero.
    const i128 held = buy ? -static_cast<i128>(c.position.nano) : c.position.nano;
    const Qty open = buy ? c.exposure.worst_buy() : c.exposure.worst_sell();
    return held > 0 && static_cast<i128>(open.nano) + o.added.nano <= held;
  }
  // The end of the range that the order pushes moves.
  static i128 worst_after(const GateContext& c) noexcept {
    i128 low = c.delta.low;
    i128 high = c.delta.high;
    (c.order_delta >= 0 ? high : low) += c.order_delta;
    return larger(low, high);
  }
  // The worst case once this order has filled whole: both ends of the range move.
  static i128 worst_filled(const GateContext& c) noexcept {
    return larger(static_cast<i128>(c.delta.low) + c.order_delta,
                  static_cast<i128>(c.delta.high) + c.order_delta);
  }
  // P-09: USD at 1e-9 on the side to which the order pushes the delta, zero while that is inward.
  // With stale Greeks the options' share counts once and twice, whichever is worse.
  static std::int64_t pushed_usd(const GateContext& c) noexcept {
    const bool up = c.order_delta >= 0;
    i128 pushed = static_cast<i128>(up ? c.delta.high : c.delta.low) + c.order_delta;
    if (c.greeks_stale && (c.options_delta > 0) == up) pushed += c.options_delta;
    const bool outward = up ? pushed > 0 : pushed < 0;
    return outward ? usd(pushed, c.index) : 0;
  }
  static bool exit(const OrderFacts& o, const GateContext& c, const RiskLimits& l) noexcept {
    return c.delta_known && shrinks(o, c) &&
           (usd(worst_after(c), c.index) <= l.max_delta_usd.nano || eases(c));
  }
  static bool hedge(const GateContext& c) noexcept {
    return c.delta_known && c.hedge_instrument && worst_filled(c) < c.delta.worst();
  }
  static bool holds(const OrderFacts& o, const GateContext& c, const RiskLimits& l) noexcept {
    return exit(o, c, l) || hedge(c);
  }

  // Has no delta, or lowers the worst one.
  static bool eases(const GateContext& c) noexcept {
    return c.order_delta == 0 || worst_filled(c) < c.delta.worst();
  }

 private:
  static i128 larger(i128 low, i128 high) noexcept {
    const i128 below = low < 0 ? -low : low;
    const i128 above = high < 0 ? -high : high;
    return below > above ? below : above;
  }
};

}  // namespace gimbal
