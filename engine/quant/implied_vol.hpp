// Black volatility that a price implies, to the accuracy that the price attains.
//
// Room: engine/quant, cold; no allocation, no exception, no libm: the same bits in every build.
// Source: Jaeckel (2015), Let's Be Rational: the problem is reduced to the out-of-the-money option,
// four segments of the price give a rational guess, and third-order Householder steps finish.
//
// Units as in engine/core/pricing.hpp: F and K in quote per coin, T in years of 365 days, price in
// quote per coin and discounted, sigma a fraction per sqrt(year).
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/core/instrument.hpp"

namespace gimbal::quant {

enum class VolStatus : std::uint8_t {
  ok,
  below_intrinsic,  // price < df max(q(F - K), 0): no volatility is low enough
  above_maximum,    // price >= df F (call) or df K (put): no volatility is high enough
  zero_time_value,  // price = df max(q(F - K), 0): sigma is 0, but any tiny sigma rounds to it
  unsolvable,       // terms that `solvable` refuses; from implied_vols only
};
[[nodiscard]] std::string_view to_string(VolStatus s) noexcept;

struct QuotedOption {
  OptionType type{OptionType::call};
  double forward{0};
  double strike{0};
  double years{0};
  double discount{1};
  double price{0};
};
// Whether the solver takes the terms: F and K in 1e-100 .. 1e100, T in 1e-12 .. 1e6, df in
// 1e-60 .. 1e60, price at most 1e160 in magnitude; all finite.
[[nodiscard]] bool solvable(const QuotedOption& o) noexcept;

struct ImpliedVol {
  VolStatus status{VolStatus::ok};
  double sigma{0};  // 0 unless ok
  // Relative change of sigma for one unit in the last place of the price, 2^-52 max(1, price /
  // (sigma vega)): no method can do better. 0 unless ok.
  double attainable{0};
};
// The terms must be solvable. The status is exact: it is decided by the exact value of the doubles.
// The error of sigma is below 8 `attainable`, except that F = K with a price below 1e-290 df F
// gives some sigma above 0 that small.
[[nodiscard]] ImpliedVol implied_vol(const QuotedOption& o) noexcept;

// The total volatility s = sigma sqrt(T) with b(x, s) = beta, for x <= 0 and 0 < beta < exp(x/2).
// `complement` is exp(x/2) - beta, given apart because it is known better than the difference;
// `log_beta` is ln beta, valid where beta has underflowed to 0.
[[nodiscard]] double total_volatility(double x, double beta, double complement,
                                      double log_beta) noexcept;

}  // namespace gimbal::quant
