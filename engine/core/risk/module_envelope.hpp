// What third-party risk modules allow (engine/core/risk/envelope.hpp). A module that is late, dead
// or invalid, and its veto of growth, leave exits and hedges, as REDUCE does. Its amounts and the
// vetoes of a side bind hedges too, as the position limit does; an exit always passes, also one
// that leaves the delta over its limit as long as it lowers it.
#pragma once

#include "engine/core/risk/context.hpp"
#include "engine/core/risk/limits.hpp"
#include "engine/core/risk/lowers_risk.hpp"
#include "engine/core/risk/reduce_rule.hpp"
#include "engine/core/risk/refusal.hpp"

namespace gimbal {

struct ModuleEnvelope {
  static Refused check(const OrderFacts& o, const GateContext& c, const RiskLimits& l) noexcept {
    if (o.replace && o.added.nano <= 0) return {};  // smaller is always allowed
    const EnvelopeCap& cap = c.envelope;
    const bool no_growth = (cap.veto & module_veto::growth) != 0;
    const bool exits = LowersRisk::exit(o, c, l);
    if ((c.modules_late || no_growth) && !exits && !ReduceRule::lets_through(o, c, l)) {
      return {c.modules_late ? Refusal::module_late : Refusal::module_veto, 0, cap.veto};
    }
    const bool buy = o.side == Side::buy;
    if ((cap.veto & (buy ? module_veto::buy : module_veto::sell)) != 0 && !exits) {
      return {Refusal::module_veto, 0, cap.veto};
    }
    const Qty open = buy ? c.exposure.worst_buy() : c.exposure.worst_sell();
    const i128 moved = static_cast<i128>(open.nano) + o.added.nano;
    const i128 worst = buy ? c.position.nano + moved : c.position.nano - moved;
    if ((buy ? worst <= cap.ceiling : worst >= cap.floor) || exits) return {};
    return {Refusal::module_limit, buy ? cap.ceiling : cap.floor,
            fits_int64(worst) ? static_cast<std::int64_t>(worst) : (buy ? INT64_MAX : INT64_MIN)};
  }
};

}  // namespace gimbal
