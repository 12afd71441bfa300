// The account's worst scenario after the order, against its margin balance: a limit on what one
// move of price and volatility may cost. Open and unknown orders count in each scenario where
// their fill would hurt. Off while the limit is zero.
//
// An order that leaves the worst scenario no worse passes even over the limit, and so does a hedge.
// An exit that makes it worse does not while trading. In REDUCE, and FLATTEN with it, the reduce
// rule decides alone; a PAUSE holds an exit back only where it sells a long option, which would
// leave the short leg of a spread bare; there without usable numbers as well, as what pauses is
// often what the numbers are missing for. Else without them hedges and exits pass and nothing else
// grows: `scenario_unknown`.
#pragma once

#include "engine/core/risk/context.hpp"
#include "engine/core/risk/limits.hpp"
#include "engine/core/risk/lowers_risk.hpp"
#include "engine/core/risk/refusal.hpp"

namespace gimbal {

struct ScenarioLoss {
  // In the settlement currency at 1e-9; zero without a balance.
  static std::int64_t limit(const GateContext& c, const RiskLimits& l) noexcept {
    if (c.scenario.balance.nano <= 0) return 0;
    const i128 most = static_cast<i128>(c.scenario.balance.nano) * l.max_scenario_loss_bps / 10'000;
    return fits_int64(most) ? static_cast<std::int64_t>(most) : INT64_MAX;
  }
  static Refused check(const OrderFacts& o, const GateContext& c, const RiskLimits& l) noexcept {
    if (l.max_scenario_loss_bps == 0 || o.added.nano <= 0) return {};
    const ScenarioFacts& s = c.scenario;
    const std::int64_t most = s.known ? limit(c, l) : 0;
    if (s.known && (s.loss_after <= most || s.loss_after <= s.loss_before)) return {};
    if (!s.known) {
      const bool held_back = c.growth_blocked && c.mode < Mode::reduce && bares(o, c);
      if (LowersRisk::hedge(c) || (LowersRisk::exit(o, c, l) && !held_back)) return {};
      return {held_back ? Refusal::paused : Refusal::scenario_unknown, 1, 0};
    }
    if (c.mode >= Mode::reduce || LowersRisk::hedge(c)) return {};
    if (c.growth_blocked && LowersRisk::exit(o, c, l) && !bares(o, c)) return {};
    // Nothing may grow, an exit is held back: nobody's fault.
    if (c.growth_blocked) return {Refusal::paused, most, s.loss_after};
    return {Refusal::scenario_loss, most, s.loss_after};
  }

 private:
  static bool bares(const OrderFacts& o, const GateContext& c) noexcept {
    return is_option(c.instrument->kind) && o.side == Side::sell;
  }
};

}  // namespace gimbal
