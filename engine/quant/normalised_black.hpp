// The normalised Black function b(x, s): the price of the out-of-the-money option divided by
// df sqrt(F K), as a function of x = -|ln(F/K)| and of the total volatility s = sigma sqrt(T).
//
// Room: engine/quant, cold; no allocation, no libm: the same bits in every build. Source: Jaeckel
// (2015), Let's Be Rational, sections 2 and 6; the evaluation by Mills ratios is our own.
#pragma once

namespace gimbal::quant {

// Everything that a solver wants to know at one s, without cancellation at either end. With the
// vega b' = n(x/s) exp(-s^2/8), all in units of df sqrt(F K):
struct NormalisedBlack {
  double value{0};       // b; underflows to 0 where `ratio` and `log_value` still have all digits
  double complement{0};  // exp(x/2) - b: the distance from the largest possible price
  double vega{0};        // b'
  double ratio{0};       // b / b'
  double log_value{0};   // ln b
};
// x in [-1400, 0], s > 0, both finite. Relative error of s when solved back from `value` or
// `log_value`: a few 2^-53; see tests/quant/implied_vol_test.cpp for what is measured.
[[nodiscard]] NormalisedBlack normalised_black(double x, double s) noexcept;

// z <= 0 with N(z) = exp(log_p), for log_p <= ln(1/2); larger arguments give 0. Relative error
// below 1e-9 for log_p in [-1e5, -0.7]; good as a starting point. Rational guess of Hastings
// (Abramowitz and Stegun 26.2.23), then one fourth-order step on ln N.
[[nodiscard]] double inverse_normal_of_log(double log_p) noexcept;

// The third-order step of Householder (convergence order 4) towards the root of g, from the Newton
// step -g/g' and the ratios g''/g' and g'''/g'.
[[nodiscard]] double householder_step(double newton, double second, double third) noexcept;

}  // namespace gimbal::quant
