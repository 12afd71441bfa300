// Value at risk and expected shortfall of a sample of profits, with standard errors.
//
// Room: engine/quant, cold. Sources: ops/docs/risk.md, section 4. Losses are positive.
#pragma once

#include <span>
#include <vector>

namespace gimbal::quant {

struct TailRisk {
  double confidence{0};  // 0.99: the tail is the worst 1 %
  double var{0};         // -quantile of the profit at 1 - confidence
  double var_error{0};   // sqrt(a (1 - a) / n) / f(VaR), f from the spacing of neighbours
  double es{0};          // mean loss at and beyond the VaR
  double es_error{0};    // sqrt((tail variance + a (ES - VaR)^2) / (n (1 - a)))
};
// `sorted` ascending, at least 1 value. The quantile is the ceil(n (1 - a))-th smallest profit.
[[nodiscard]] TailRisk tail_risk(std::span<const double> sorted, double confidence);

struct Moments {
  double mean{0};
  double deviation{0};
  double skew{0};
  double excess_kurtosis{0};
};
[[nodiscard]] Moments moments(std::span<const double> profits);

// Quantile of a distribution with those moments at the standard normal's quantile z (Cornish and
// Fisher 1938); valid for small skew and kurtosis only.
[[nodiscard]] double cornish_fisher(const Moments& m, double z) noexcept;

// Moments of d'x + x'Gx/2 with x normal of mean 0 and covariance `cov` (row by row), G diagonal.
[[nodiscard]] Moments delta_gamma_moments(std::span<const double> d, std::span<const double> g,
                                          std::span<const double> cov);

struct Histogram {
  double low{0};
  double width{0};  // of a bin
  std::vector<std::size_t> counts;
};
// Equal bins from the smallest to the largest value.
[[nodiscard]] Histogram histogram(std::span<const double> sorted, std::size_t bins);

}  // namespace gimbal::quant
