// Elementary functions with the same bits in every build, on every compiler and vector target.
//
// Room: engine/core, hot. No libm: only + - * / sqrt, explicit fused multiply-add and integer
// moves, in a fixed order and without tables, so a vector kernel can repeat the operations lane by
// lane. Accuracy is against the exact value of the double argument; the tests print what was
// measured.
#pragma once

#include <bit>
#include <cstdint>
#include <limits>

#include "engine/core/mills_table.hpp"
#include "engine/core/series_table.hpp"

namespace gimbal::math {

// One rounding; a single instruction on every target the build allows (FMA3).
inline double fma(double a, double b, double c) noexcept { return __builtin_fma(a, b, c); }
inline double sqrt(double x) noexcept { return __builtin_sqrt(x); }  // exact by IEEE 754
inline double abs(double x) noexcept { return __builtin_fabs(x); }
inline bool finite(double x) noexcept { return abs(x) <= std::numeric_limits<double>::max(); }

namespace detail {

inline constexpr double two_pow_52_times_1_5 = 0x1.8p52;  // adding it rounds to the nearest integer
inline constexpr double log2_e = 0x1.71547652b82fep+0;
inline constexpr double ln2_high = 0x1.62e42fefa39efp-1;
inline constexpr double ln2_low = 0x1.abc9e3b39803fp-56;  // ln 2 - ln2_high
inline constexpr double ln2_short = 0x1.62e42fefa38p-1;  // its product with a k of 11 bits is exact
inline constexpr double ln2_rest = 0x1.ef35793c7673p-45;  // ln 2 - ln2_short

// 1/n! for n = 2 .. 13: on |r| <= ln(2)/2 the series ends below 2^-57 of e^r.
inline constexpr double inverse_factorial[] = {
    0x1.0000000000000p-1,  0x1.5555555555555p-3,  0x1.5555555555555p-5,  0x1.1111111111111p-7,
    0x1.6c16c16c16c17p-10, 0x1.a01a01a01a01ap-13, 0x1.a01a01a01a01ap-16, 0x1.71de3a556c734p-19,
    0x1.27e4fb7789f5cp-22, 0x1.ae64567f544e4p-26, 0x1.1eed8eff8d898p-29, 0x1.6124613a86d09p-33};

// 2/(2n+1) for n = 1 .. 10: the series of ln((1+s)/(1-s)) / s - 2 in s^2 <= 0.0295.
inline constexpr double odd_series[] = {2.0 / 3,  2.0 / 5,  2.0 / 7,  2.0 / 9,  2.0 / 11,
                                        2.0 / 13, 2.0 / 15, 2.0 / 17, 2.0 / 19, 2.0 / 21};

inline double power_of_two(std::int64_t k) noexcept {
  return std::bit_cast<double>(static_cast<std::uint64_t>(k + 1023) << 52);
}

inline constexpr double inverse_sqrt_two_pi = 0x1.9884533d43651p-2;

}  // namespace detail

// e^x, error below 1.1 ulp; inf above 709.78, 0 below -745.13, NaN for NaN. Subnormal results are
// rounded twice.
[[nodiscard]] inline double exp(double x) noexcept {
  x = x > 710.0 ? 710.0 : x;
  x = x < -746.0 ? -746.0 : x;
  const double shifted = fma(x, detail::log2_e, detail::two_pow_52_times_1_5);
  const double k = shifted - detail::two_pow_52_times_1_5;
  double r = fma(k, -detail::ln2_high, x);
  r = fma(k, -detail::ln2_low, r);
  // Two interleaved chains in r^2 halve the latency.
  const double r2 = r * r;
  double even = detail::inverse_factorial[10];
  double odd = detail::inverse_factorial[11];
  for (int i = 8; i >= 0; i -= 2) {
    even = fma(even, r2, detail::inverse_factorial[i]);
    odd = fma(odd, r2, detail::inverse_factorial[i + 1]);
  }
  const double tail = fma(fma(odd, r, even), r2, r);
  const auto exponent =
      static_cast<std::int64_t>(std::bit_cast<std::uint64_t>(shifted) << 13) >> 13;
  const std::int64_t half = exponent >> 1;
  return (1.0 + tail) * detail::power_of_two(half) * detail::power_of_two(exponent - half);
}

// ln x, error below 1 ulp; -inf for 0, NaN below 0 and for NaN, inf for inf.
[[nodiscard]] inline double log(double x) noexcept {
  if (!(x > 0))
    return x == 0 ? -std::numeric_limits<double>::infinity()
                  : std::numeric_limits<double>::quiet_NaN();
  if (!finite(x)) return x;
  double k = 0;
  if (x < std::numeric_limits<double>::min()) {
    x *= 0x1p54;
    k = -54;
  }
  // x = 2^k m with m in [sqrt(1/2), sqrt(2)).
  constexpr std::uint64_t sqrt_half = 0x3fe6a09e667f3bcdULL;
  const auto bits = std::bit_cast<std::uint64_t>(x);
  const std::uint64_t above = bits - sqrt_half;
  k += static_cast<double>(static_cast<std::int64_t>(above) >> 52);
  const double f = std::bit_cast<double>(bits - (above & 0xfff0000000000000ULL)) - 1.0;  // exact
  const double s = f / (2.0 + f);
  const double z = s * s;
  const double w = z * z;
  double even = detail::odd_series[8];
  double odd = detail::odd_series[9];
  for (int i = 6; i >= 0; i -= 2) {
    even = fma(even, w, detail::odd_series[i]);
    odd = fma(odd, w, detail::odd_series[i + 1]);
  }
  const double series = z * fma(odd, z, even);
  // ln(1+f) = f - (f^2/2 - s (f^2/2 + series)); the large terms are exact or added last.
  const double half_square = 0.5 * f * f;
  const double correction = fma(s, half_square + series, k * detail::ln2_low);
  return fma(k, detail::ln2_high, f - (half_square - correction));
}

// ln(a / b) for positive finite a and b with a finite normal quotient, error below 2 ulp also when
// a is close to b: what the division rounded away is added back.
[[nodiscard]] inline double log_ratio(double a, double b) noexcept {
  const double quotient = a / b;
  return log(quotient) + fma(-quotient, b, a) / a;
}

// ln(a / b) for positive normal a and b with a normal quotient, with one division. Relative error
// below 3.5 * 2^-53 also when a is close to b: the numerator a - 2^k b is exact.
[[nodiscard]] inline double log_quotient(double a, double b) noexcept {
  constexpr std::uint64_t one_exponent = std::uint64_t{1} << 52;
  constexpr std::uint64_t bias = 1024 * one_exponent;
  const auto of_b = std::bit_cast<std::uint64_t>(b);
  // The difference of the bits is the binary logarithm within 0.09: a / (2^k b) is in [2/3, 3/2].
  const std::uint64_t apart = std::bit_cast<std::uint64_t>(a) - of_b + (bias + one_exponent / 2);
  const double k =
      std::bit_cast<double>((apart >> 52) | std::bit_cast<std::uint64_t>(0x1p52)) - (0x1p52 + 1024);
  const double scaled = std::bit_cast<double>(of_b - bias + (apart & ~(one_exponent - 1)));
  const double s = (a - scaled) / (a + scaled);
  const double z = s * s;
  const double w = z * z;
  const auto& c = detail::ratio_coefficient;
  const double even = fma(fma(fma(c[6], w, c[4]), w, c[2]), w, c[0]);
  const double odd = fma(fma(c[5], w, c[3]), w, c[1]);
  const double rest = fma(s * z, fma(odd, z, even), k * detail::ln2_low);
  return fma(k, detail::ln2_high, (s + s) + rest);
}

// Mills ratio Y(a) = N(-a) / n(a) for a >= 0, relative error below 8e-16; infinity gives 1e-25.
[[nodiscard]] inline double mills(double a) noexcept {
  a = a > 1e25 ? 1e25 : a;
  const double z = a * a;
  static_assert(mills_degree == 11);
  // Powers of the square, twice: half as many roundings in a row, and half the latency.
  double above_even = z + mills_numerator[8];
  double above_odd = mills_numerator[9];
  double below_odd = z + mills_denominator[9];
  double below_even = mills_denominator[10];
  for (int i = 6; i >= 0; i -= 2) {
    above_even = fma(above_even, z, mills_numerator[i]);
    above_odd = fma(above_odd, z, mills_numerator[i + 1]);
    below_odd = fma(below_odd, z, mills_denominator[i + 1]);
    below_even = fma(below_even, z, mills_denominator[i + 2]);
  }
  below_even = fma(below_even, z, mills_denominator[0]);
  return fma(above_odd, a, above_even) / fma(below_odd, a, below_even);
}

inline constexpr double density_end = 37.5;  // the density beyond is below 1e-305

// Density of the standard normal; 0 beyond |x| = 37.5.
[[nodiscard]] inline double normal_pdf(double x) noexcept {
  x = abs(x);
  if (!(x < density_end)) return x >= density_end ? 0.0 : x;
  // x^2 = y - 2 k ln 2 with |y| <= ln 2; the square itself is never rounded.
  const double shifted = fma(x * x, -0.5 * detail::log2_e, detail::two_pow_52_times_1_5);
  const double k = shifted - detail::two_pow_52_times_1_5;
  const double y = fma(k, 2 * detail::ln2_rest, fma(x, x, k * (2 * detail::ln2_short)));
  const double y2 = y * y;
  const auto& c = detail::density_coefficient;
  double odd = c[11];
  double even = c[10];
  for (int i = 8; i >= 2; i -= 2) {
    odd = fma(odd, y2, c[i + 1]);
    even = fma(even, y2, c[i]);
  }
  odd = fma(odd, y2, c[1]);
  const double density = fma(fma(even, y, odd), y, c[0]);
  // Times 2^k: the result is normal.
  return std::bit_cast<double>(std::bit_cast<std::uint64_t>(density) +
                               (std::bit_cast<std::uint64_t>(shifted) << 52));
}

// Distribution of the standard normal, with relative accuracy in the lower tail too.
[[nodiscard]] inline double normal_cdf(double x) noexcept {
  const double tail = normal_pdf(x) * mills(abs(x));
  return x > 0 ? 1.0 - tail : tail;
}

}  // namespace gimbal::math
