// The scenario grid, single shocks, and the state of each account: full repricing at every node.
//
// Room: engine/quant, cold. Source: ops/docs/risk.md, section 4.
#pragma once

#include <array>
#include <string>

#include "engine/quant/stress/portfolio.hpp"

namespace gimbal::quant {

inline constexpr std::array<double, 21> grid_moves{-0.60, -0.40, -0.25, -0.16, -0.12, -0.08, -0.06,
                                                   -0.04, -0.02, -0.01, 0,     0.01,  0.02,  0.04,
                                                   0.06,  0.08,  0.12,  0.16,  0.25,  0.40,  0.60};
inline constexpr std::array<double, 3> grid_vols{-0.25, 0, 0.50};
inline constexpr std::array<double, 2> grid_days{0, 1};

// After a shock: all in USD, summed over accounts; health is the worst account's.
struct Node {
  std::vector<Shock> shocks;  // one per underlying
  double profit{0};
  double delta_usd{
      0};  // sum of delta in coins times index; in the `usd` numeraire equity in coins counts
  double maintenance{0};  // of the accounts with a margin model
  double health{0};       // NaN when no account has both equity and a margin model
};
[[nodiscard]] Node node_at(const Repricer& repricer, std::vector<Shock> by_underlying);

// grid_days x grid_vols x grid_moves nodes, moves fastest; every underlying moves alike.
[[nodiscard]] std::vector<Node> scenario_grid(const Repricer& repricer, std::size_t threads);

struct AccountState {
  std::string name;
  Margin margin;  // in the account's currency; NaN without a model
  bool has_margin{false};
  LiquidationDistance distance;
};
// `horizon_years` scales the distance in sigmas.
[[nodiscard]] std::vector<AccountState> account_states(const Portfolio& portfolio,
                                                       double horizon_years);

}  // namespace gimbal::quant
