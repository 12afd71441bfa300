// The held positions of one underlying and settlement in every scenario of [scenarios], as
// polynomials of second order in a relative move x of the price from now. Hot, pure numbers.
//
// Units: coins for inverse, quote currency for linear instruments.
#pragma once

#include <array>
#include <cstddef>

namespace gimbal {

struct ScenarioBook {
  static constexpr std::size_t cells = 40;  // ScenarioCells::padded; padding stays zero
  using Cells = std::array<double, cells>;

  // Loss less what a far move is reduced by; negative where the scenario wins.
  Cells loss{}, slope{}, half_curve{};

  // The largest loss at the move x, at least 0.
  [[nodiscard]] double worst(double x) const noexcept {
    double most = 0;
    for (std::size_t n = 0; n < cells; ++n) {
      const double v = loss[n] + x * (slope[n] + x * half_curve[n]);
      most = v > most ? v : most;
    }
    return most;
  }
  // The same at x = 0 after positions that earn `profit` came in addition.
  [[nodiscard]] double worst_after(const Cells& profit) const noexcept {
    double most = 0;
    for (std::size_t n = 0; n < cells; ++n) {
      const double v = loss[n] - profit[n];
      most = v > most ? v : most;
    }
    return most;
  }
};

}  // namespace gimbal
