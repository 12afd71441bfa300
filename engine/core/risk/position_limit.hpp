// Worst-case position of the instrument on the order's side, in lots: everything open or unknown on
// that side counted as filled, the other side as not.
#pragma once

#include "engine/core/risk/context.hpp"
#include "engine/core/risk/limits.hpp"
#include "engine/core/risk/refusal.hpp"

namespace gimbal {

struct PositionLimit {
  static Refused check(const OrderFacts& o, const GateContext& c, const RiskLimits& l) noexcept {
    const bool buy = o.side == Side::buy;
    const i128 held = buy ? c.position.nano : -static_cast<i128>(c.position.nano);
    const Qty open = buy ? c.exposure.worst_buy() : c.exposure.worst_sell();
    const i128 worst = held + open.nano + o.added.nano;
    const i128 limit = static_cast<i128>(l.max_position_lots) * c.instrument->lot.nano;
    if (worst <= limit) return {};
    const i128 lots = divide(worst, c.instrument->lot.nano, Rounding::up);
    return {Refusal::position_limit, l.max_position_lots,
            fits_int64(lots) ? static_cast<std::int64_t>(lots) : INT64_MAX};
  }
};

}  // namespace gimbal
