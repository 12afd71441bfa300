// The cheapest point that meets linear demands: small dense programs. Room: engine/quant, cold.
#pragma once

#include <optional>
#include <vector>

namespace gimbal::quant {

// Least sum of cost[i] y[i] with 0 <= y[i] <= 1 and, for each demand, sum of share[i] y[i] >=
// least.
struct Demand {
  std::vector<double> share;
  double least{0};
};
// Dual simplex on the dictionary (Dantzig; Chvatal 1983, chapter 5). Costs above 0, all numbers
// finite and, for the tolerances, of the order of 1. Empty when nothing meets the demands, or when
// rounding kept it from an end.
[[nodiscard]] std::optional<std::vector<double>> cheapest(const std::vector<double>& cost,
                                                          const std::vector<Demand>& demands);

}  // namespace gimbal::quant
