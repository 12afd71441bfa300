// The cheapest way to bring an account under portfolio margin back to a health, closing positions
// only.
//
// Room: engine/quant, cold. The requirement is the worst of many scenarios, each linear in the
// amounts, so the choice is a linear program; what is not linear (the shocks for roll and size) is
// made good by asking for a little more. Whole lots are searched for from its answer, by branch and
// bound. Source: ops/docs/risk.md, section 3.2.
#pragma once

#include <cstddef>
#include <vector>

#include "engine/quant/margin/deribit_portfolio.hpp"

namespace gimbal::quant {

inline constexpr std::size_t deleverage_legs_max = 256;  // what a plan takes in seconds
struct DeleverageAsk {
  double target_health{0};  // maintenance / equity, above 0
  // One per leg. Cost of closing one unit of its amount, in the account's currency: fee, half of
  // the spread, impact. 0: the leg is not to be touched.
  std::vector<double> unit_cost{};
  // What amounts are closed in multiples of; 0, or less than a millionth of the leg: any amount.
  std::vector<double> lot{};
};

struct DeleverageStep {
  std::size_t leg{0};
  double amount{0};  // to trade, signed as the leg's amount: against its position
  double cost{0};
  double maintenance{0};  // of the account after this step
};

enum class DeleverageResult : unsigned char {
  nothing_needed,
  reached,
  out_of_reach,   // not even all that may be closed brings the account there: no steps
  not_found,      // the search ended without a plan and without proof that there is none: no steps
  delta_shocked,  // the shock for a large delta is on: what closing takes from it is not planned
};
struct Deleverage {
  DeleverageResult result{DeleverageResult::nothing_needed};
  // In this order; after no step is the maintenance above what it was before all of them, but for
  // what no order can avoid.
  std::vector<DeleverageStep> steps{};
  double cost{0};
  double equity{0};  // after all steps
  double maintenance{0};
};
// At most `deleverage_legs_max` legs. Amounts only shrink, none turns over, and no scenario ends
// above the target's budget: a hedge is closed only as far as nothing needs it.
[[nodiscard]] Deleverage deleverage(const Book& book, const PortfolioMarginParameters& p,
                                    const DeleverageAsk& ask);

}  // namespace gimbal::quant
