// The strategies of this program. To add one: its folder, its include, its line in each list.
#pragma once

#include <tuple>
#include <vector>

#include "engine/core/ids.hpp"
#include "strategies/delta_hedge/delta_hedge.hpp"
#include "strategies/rebalance/rebalance.hpp"

namespace gimbal {

// Woken in this order. The StrategyId of each is its place in the list.
using StrategySet = std::tuple<DeltaHedge, Rebalance>;

// The [strategy.*] tables.
struct StrategyConfig {
  std::vector<DeltaHedgeConfig> delta_hedge;
  std::vector<RebalanceConfig> rebalance;
};

[[nodiscard]] inline StrategySet make_strategies() noexcept {
  return {DeltaHedge{StrategyId{0}}, Rebalance{StrategyId{1}}};
}

}  // namespace gimbal
