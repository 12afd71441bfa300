// The 35 scenarios of [scenarios]: what moves, what counts of it, what it is reduced by.
//
// Room: engine/core, pure numbers. Shared by the cells of the gate and by what prices their rows
// off the hot thread (engine/quant/margin/scenario_pricer.hpp). Source: ops/docs/risk.md, section
// 3.2 (the venue's portfolio margin).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/core/risk/scenarios.hpp"

namespace gimbal {

class ScenarioTable {
 public:
  // 9 price moves by 3 volatilities (index 3 * move + down, same, up), then 8 far moves, vol up.
  static constexpr std::size_t standard_count = 27;
  static constexpr std::size_t count = 35;
  static constexpr std::size_t unmoved = 13;
  struct Scenario {
    double move{0};        // of the price, relative
    double weight{1};      // of the far moves
    double relief_usd{0};  // times 1 / index for coins
    int volatility{0};     // -1, 0, +1
  };

  explicit ScenarioTable(const ScenarioConfig& config) noexcept;
  [[nodiscard]] const Scenario& operator[](std::size_t n) const noexcept { return scenarios_[n]; }
  [[nodiscard]] static bool far(std::size_t n) noexcept { return n >= standard_count; }
  // Of a far move, coins at the far price become coins at the edge of the standard table.
  [[nodiscard]] double edge(std::size_t n) const noexcept;
  // What the volatility shocks of an option with that life are multiplied by.
  [[nodiscard]] double shock_scale(double years) const noexcept;
  // `sigma` after the shock; never below zero.
  [[nodiscard]] double shocked(double sigma, double scale, int volatility) const noexcept;
  // Two tables with the same number price the same rows.
  [[nodiscard]] std::uint64_t number() const noexcept { return number_; }

 private:
  ScenarioConfig config_;
  std::array<Scenario, count> scenarios_{};
  std::uint64_t number_{0};
};

}  // namespace gimbal
