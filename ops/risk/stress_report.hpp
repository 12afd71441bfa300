// The whole of `gimbal stress`: scenario grid, shock sets, Monte Carlo and account states of one
// portfolio, and its four forms. Every number is explained in ops/docs/risk.md, section 4. Room:
// ops/risk, cold; uses threads while it computes.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/quant/stress/grid.hpp"
#include "engine/quant/stress/monte_carlo.hpp"
#include "ops/risk/portfolio_file.hpp"

namespace gimbal::risk {

struct StressRequest {
  std::uint64_t seed{1};
  std::size_t paths{100'000};  // even
  std::size_t threads{1};
  double horizon_years{60.0 / 31'536'000.0};  // time that deleveraging takes
  std::function<void(double share)> progress;
};

struct ReplayRow {
  std::string label;
  quant::Node node;
};

struct StressReport {
  quant::Portfolio portfolio;
  std::vector<std::string> notes;
  std::uint64_t seed{0};
  std::size_t paths{0};
  double horizon_years{0};
  std::vector<quant::Node> grid;  // as scenario_grid gives them
  std::vector<quant::AccountState> accounts;
  std::vector<ReplayRow> replay;               // worst first
  std::vector<quant::Simulation> simulations;  // one hour, one day; empty without dynamics
};
// The same bits for any number of threads.
[[nodiscard]] StressReport stress(const StressInput& input, const std::vector<ShockRow>& shocks,
                                  const StressRequest& request);

[[nodiscard]] std::string stress_text(const StressReport& r);
[[nodiscard]] std::string stress_json(const StressReport& r);
// One row per node: kind (grid or replay), label, days, vol, move, profit_usd, delta_usd,
// maintenance_usd, health.
[[nodiscard]] std::string stress_csv(const StressReport& r);
// One page without any reference to the network.
[[nodiscard]] std::string stress_html(const StressReport& r);

// "1.23M", "-450", for people.
[[nodiscard]] std::string short_money(double v);

}  // namespace gimbal::risk
