// Which position to reduce first, by how much, and at what price.
//
// Hot, pure over StrategyView. Standard margin adds up over positions, so the greedy choice (the
// largest relief of maintenance margin per unit of cost, again after every slice) is the optimum of
// the continuous problem as long as books get worse with depth. Cost is the distance of the
// opposite best from the mark, and the fee; closing costs equity, and that side is counted too.
// Under portfolio margin the relief is that of a whole slice over all scenarios and shocks.
// A reduction may not leave more residual delta than there was, beyond `band`, unless a delta_hedge
// takes it (`hedged`): then the margin that the hedge's own change frees or asks for is counted,
// and the hedge instrument itself is only traded towards a smaller residual.
#pragma once

#include <cstdint>

#include "strategies/liquidation/account.hpp"

namespace gimbal {

struct Reduction {
  InstrumentId instrument{};  // invalid: there is nothing to reduce
  Side side{Side::buy};
  Price limit{};
  Qty amount{};
  Price mid{};         // mark at the decision, when the book has one side only
  double relief{0};    // maintenance margin that the whole of it gives back
  double cost{0};      // equity that it takes, both in the settlement currency
  bool raises{false};  // the first leg of a pair of which each alone makes a health worse
};

struct PlanAsk {
  InstrumentId hedge{};
  const LiquidationConfig* config{nullptr};
  bool black{false};
  bool hedge_trades{true};  // the hedge can answer for a closed option: quote and data are fresh
  double missing{0};  // maintenance margin less target_health of the balance, settlement currency
  bool whole_slices{false};  // the distance binds, not the health: as much as a slice allows
  double venue_health{0};    // by the last report, at most 1: what a premium is paid against
  double own_health{0};      // by the own numbers, at most 1
  bool only_neutral{false};  // the margin is not known: only what lowers the residual goes
  StrategyId strategy{};
};

// The best reduction of the account now; an invalid instrument when none is allowed. Instruments
// with an open or unknown order of anybody on the reducing side are left out.
[[nodiscard]] Reduction best_reduction(const MarginAccount& account, const StrategyView& view,
                                       const PlanAsk& ask) noexcept;

}  // namespace gimbal
