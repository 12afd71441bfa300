// Black (1976) prices and Greeks of European options, linear and inverse.
//
// Room: engine/core, hot. No allocation, no exception, no libm; the same bits in every build. Never
// NaN for finite input: T <= 0 or sigma <= 0 gives the intrinsic value, the step delta (1/2 at the
// money) and zero for the rest. Arguments must be finite with F > 0 and K > 0: refuse others at the
// door (`priceable`).
//
// Units: F and K in quote currency per coin; T in years of 365 days; sigma a fraction per
// sqrt(year); vega per 1.00 of sigma; theta per year (= -dP/dT with F and r fixed); gamma per unit
// of F.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/core/instrument.hpp"
#include "engine/core/time.hpp"

namespace gimbal {

inline constexpr double seconds_per_year = 31'536'000.0;  // ACT/365 fixed
[[nodiscard]] constexpr double years(Nanos d) noexcept {
  return static_cast<double>(d.count) * (1e-9 / seconds_per_year);
}

struct OptionTerms {
  OptionType type{OptionType::call};
  double forward{0};
  double strike{0};
  double years{0};
  double sigma{0};
  double rate{0};      // linear only; -ln(discount)/years
  double discount{1};  // linear only; exp(-rate * years)
};
// Whether the terms are in the range where no result is NaN: F and K in 1e-100 .. 1e100, T,
// sigma and r at most 1e6 in magnitude, discount in 1e-60 .. 1e60.
[[nodiscard]] bool priceable(const OptionTerms& t) noexcept;

// Linear (paid in the quote currency), discounted.
struct LinearGreeks {
  double price{0}, delta{0}, gamma{0}, vega{0}, theta{0}, vanna{0}, volga{0}, charm{0}, speed{0};
};
[[nodiscard]] LinearGreeks price_linear(const OptionTerms& t) noexcept;

// Inverse (paid in the coin), undiscounted; rate and discount are ignored.
struct InverseGreeks {
  double value{0};      // coins
  double delta_bs{0};   // d(value * F)/dF
  double delta_net{0};  // premium-adjusted: delta_bs - value = F dv/dF, in closed form
  double gamma_bs{0}, gamma_net{0};
  double dv_df{0}, d2v_df2{0};
  double vega{0};       // coins per 1.00 of sigma
  double theta{0};      // coins per year
  double vanna_net{0};  // d delta_net / d sigma
  double volga{0};      // coins
};
[[nodiscard]] InverseGreeks price_inverse(const OptionTerms& t) noexcept;

// The venue's own display of an option's Greeks (Deribit): Black on the undiscounted forward, delta
// not premium-adjusted, vega in quote per volatility point, theta in quote per day as
//   -min(daily decay * min(1, days left), worth of the option in quote).
// `mark` is the venue's mark price: coins for inverse, quote for linear.
struct VenueGreeks {
  double delta{0}, gamma{0}, vega{0}, theta{0}, rho{0};
};
[[nodiscard]] VenueGreeks deribit_display(const OptionTerms& t, double mark, bool inverse) noexcept;

// --- batches ------------------------------------------------------------------------------------
// Rows of one bucket share forward, time and discount. Columns are 64-byte aligned and readable and
// writable up to the next multiple of 8 rows: a vector kernel works on whole groups of 8.
inline constexpr std::size_t virtual_lanes = 8;

struct BucketPoint {
  double forward{0};
  double years{0};
  double rate{0};
  double discount{1};
};
struct OptionColumns {
  const double* strike{nullptr};
  const double* sigma{nullptr};
  const double* sign{nullptr};  // +1 call, -1 put
};
struct GreekColumns {  // undiscounted where discount is 1
  double* price{nullptr};
  double* delta{nullptr};
  double* gamma{nullptr};
  double* vega{nullptr};
  double* theta{nullptr};
  double* vanna{nullptr};
  double* speed{nullptr};
  double* inverse_sd{nullptr};  // 1 / (sigma sqrt T); 0 where the row is at its intrinsic value
};

// What `full` multiplies by that is the same for a whole bucket; shared by the twin and the
// vectors.
struct FullScales {
  explicit FullScales(const BucketPoint& at) noexcept;
  double root_years, inverse_forward;
  double vega;   // of df n(d1): F sqrt T
  double decay;  // of sigma^2 df n(d1)/sd: -F/2
  double vanna;  // of d2 df n(d1)/sd: -sqrt T, since 1/sigma = sqrt T/sd
  double speed;  // of gamma (1 + d1/sd): -1/F
};

// Prepared rows for `tick`: what does not change while only the forward moves.
struct PreparedColumns {
  const double* strike{nullptr};
  const double* sign{nullptr};
  const double* log_strike{nullptr};
  const double* inverse_sd{nullptr};  // 0 marks a row at its intrinsic value
  const double* half_sd{nullptr};
};
struct TickColumns {
  double* price{nullptr};
  double* delta{nullptr};
  double* gamma{nullptr};
};

// Kernel table, chosen once at construction. The scalar twin is here; vector kernels must give the
// same bits for every row of finite numbers; what is not finite is the caller's to keep out.
struct PricingKernels {
  void (*full)(const BucketPoint& at, const OptionColumns& in, const GreekColumns& out,
               std::size_t count) noexcept;
  void (*tick)(const BucketPoint& at, const PreparedColumns& in, const TickColumns& out,
               std::size_t count) noexcept;
};
[[nodiscard]] const PricingKernels& scalar_pricing() noexcept;

// sum(weight[i] * value[i]) in 8 virtual lanes (row i goes to lane i mod 8), folded as
// ((0+4)+(2+6)) + ((1+5)+(3+7)): the order that every kernel and target keeps.
[[nodiscard]] double lane_dot(const double* weight, const double* value,
                              std::size_t count) noexcept;

}  // namespace gimbal
