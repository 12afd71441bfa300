// Prices what the scenario cells of the core ask for: up to sixteen options of one expiry in 35
// scenarios.
//
// Room: engine/quant, off the hot thread. Each option has three states of its volatility, prepared
// once a question (down, as it is, up). A move of the price is then one call of the `tick` kernel
// with the forward where the move puts it: over all three states in the standard table, over the
// last one for a far move. From price, delta and gamma there come value, slope and curve of a row,
// relative to the unmoved option, in a move of the perpetual's price around the question's anchor.
// Formulas: ops/docs/risk.md, section 3.2.
//
// The answer is the side block of engine/core/risk/scenario_rows.hpp. Its bits depend on nothing
// but question, table and build-independent arithmetic: the kernels agree on theirs.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "engine/core/pricing.hpp"
#include "engine/core/risk/scenario_rows.hpp"
#include "engine/core/risk/scenario_table.hpp"

namespace gimbal::quant {

class ScenarioPricer {
 public:
  ScenarioPricer(const ScenarioConfig& config, const PricingKernels& kernels)
      : table_{config}, kernels_{kernels} {}
  [[nodiscard]] const ScenarioTable& table() const noexcept { return table_; }

  // Writes the block and gives its size; 0 where the question is none (no rows, or numbers that are
  // not positive and finite). `to`: scenario_block_max bytes; what is behind the size is scratch.
  [[nodiscard]] std::size_t answer(const ScenarioQuestion& question, std::span<std::byte> to);

 private:
  static constexpr std::size_t lanes = scenario_rows_max;
  static constexpr std::size_t states = 3;
  using States = std::array<double, states * lanes>;  // every option with volatility down, same, up
  struct alignas(64) Prepared {
    States strike, sign, log_strike, inverse_sd, half_sd;
  };
  // Every option in every scenario: price, delta and gamma, then value, slope and half curve.
  using Grid = std::array<double, ScenarioTable::count * lanes>;
  struct alignas(64) Grids {
    Grid value, slope, half_curve;
  };
  [[nodiscard]] static bool sound(const ScenarioQuestion& q) noexcept;
  void prepare(const ScenarioQuestion& q) noexcept;
  void evaluate(double years, std::size_t n, std::size_t state, std::size_t count) noexcept;
  template <bool inverse>
  void finish(const ScenarioQuestion& q) noexcept;

  ScenarioTable table_;
  PricingKernels kernels_;
  // Of the question at work: where each scenario puts the forward, its inverse, and what counts.
  std::array<double, ScenarioTable::count> forward_{}, per_coin_{}, weight_{};
  Prepared prepared_{};
  Grids grids_{};
};

}  // namespace gimbal::quant
