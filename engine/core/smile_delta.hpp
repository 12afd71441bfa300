// What the smile adds to Black's delta of one option, and its bounds. One formula for the portfolio
// and for the study that fits its coefficients.
//
// Room: engine/core, hot. Deltas are the call's, whatever the option: a call and a put of one
// strike have one vega and move with one volatility, so that their parity holds under any of these
// deltas. Units: coins a coin of option.
#pragma once

#include <algorithm>
#include <array>

#include "engine/core/math.hpp"

namespace gimbal {

inline constexpr double smile_shift_max = 0.25;
inline constexpr double minimum_variance_max = 2;  // |a|, |b|, |c|
// Where the coefficients were fitted; beyond they say nothing.
inline constexpr double minimum_variance_delta_min = 0.05;
inline constexpr double minimum_variance_delta_max = 0.95;
inline constexpr double minimum_variance_years_min = 0.5 / 365;

constexpr double call_delta(double delta, bool put) noexcept { return put ? delta + 1 : delta; }

constexpr bool minimum_variance_applies(double delta, double years) noexcept {
  return delta >= minimum_variance_delta_min && delta <= minimum_variance_delta_max &&
         years >= minimum_variance_years_min;
}

inline double minimum_variance_of(const std::array<double, 3>& m, double delta) noexcept {
  return math::fma(math::fma(m[2], delta, m[1]), delta, m[0]);
}

// At most smile_shift_max, and Black's delta with it stays in 0 .. 1.
inline double bounded_smile_shift(double shift, double delta) noexcept {
  if (!math::finite(shift) || !math::finite(delta)) return 0;
  const double low = std::min(std::max(-smile_shift_max, -delta), 0.0);
  const double high = std::max(std::min(smile_shift_max, 1 - delta), 0.0);
  return std::min(std::max(shift, low), high);
}

}  // namespace gimbal
