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

// Of gimbal-sim --portfolio-margin and of the simulation tester; ops/docs/exchange-simulator.md
// lists them as a bot's [scenarios]. A real venue's change without notice.
[[nodiscard]] constexpr PortfolioRules usual_portfolio_rules() noexcept {
  return {true,    0.16,  0.5,  0.25, 0.5, 0.3,        0.13, 1,
          100'000, 0.075, 0.01, 5e-5, 0.1, 20'000'000, 0.8};
}

}  // namespace gimbal::sim
