// Room venues/sim. The numbers of the simulated venue's portfolio margin; fractions, per
// sqrt(year).
#pragma once

namespace gimbal::sim {

struct PortfolioRules {
  bool used{false};  // false: standard margin
  double price_range{0};
  double volatility_up{0};
  double volatility_down{0};
  double volatility_up_min{0};
  double short_power{0};
  double long_power{0};
  double extended_factor{0};
  double dampener_usd{0};
  double annual_move{0};
  double roll_min{0};
  double delta_shock_per_coin{0};
  double delta_shock_max{0};
  double delta_shock_threshold_usd{0};
  double maintenance_factor{0};
};

}  // namespace gimbal::sim
