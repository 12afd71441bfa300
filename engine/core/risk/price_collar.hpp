// The price may not be worse for us than the mark by more than the collar. Passive distance is
// free.
#pragma once

#include "engine/core/risk/context.hpp"
#include "engine/core/risk/limits.hpp"
#include "engine/core/risk/refusal.hpp"

namespace gimbal {

struct PriceCollar {
  // Distance allowed from the mark, in price units at 1e-9.
  static i128 width(const Instrument& i, Price mark, const RiskLimits& l) noexcept {
    if (!is_option(i.kind)) {
      return divide(static_cast<i128>(mark.nano) * l.collar_bps, 10000, Rounding::down);
    }
    const i128 ticks = static_cast<i128>(i.ticks.tick_at(mark).nano) * l.option_collar_ticks;
    const i128 share =
        divide(static_cast<i128>(mark.nano) * l.option_collar_bps, 10000, Rounding::down);
    return ticks > share ? ticks : share;
  }

  static Refused check(const OrderFacts& o, const GateContext& c, const RiskLimits& l) noexcept {
    const i128 allowed = width(*c.instrument, c.mark, l);
    const i128 edge = o.side == Side::buy ? c.mark.nano + allowed : c.mark.nano - allowed;
    const bool beyond = o.side == Side::buy ? o.price.nano > edge : o.price.nano < edge;
    if (!beyond) return {};
    return {Refusal::price_collar, fits_int64(edge) ? static_cast<std::int64_t>(edge) : INT64_MAX,
            o.price.nano};
  }
};

}  // namespace gimbal
