#include "engine/quant/normalised_black.hpp"

#include "engine/core/math.hpp"

namespace gimbal::quant {

namespace {

constexpr double log_sqrt_two_pi = 0x1.d67f1c864beb5p-1;
constexpr double ln_half = -0x1.62e42fefa39efp-1;

// Y(a - t) - Y(a + t) by the odd derivatives of Y in a: no cancellation for small t. The
// derivatives follow y' = a y - 1 and y(n+1) = a y(n) + n y(n-1). That recursion amplifies the
// rounding error of Y by a^n, which t^n with a t <= 1/2 takes back.
double mills_difference_series(double a, double t) noexcept {
  double even = math::mills(a);
  double odd = math::fma(a, even, -1.0);
  double weight = t;  // t^(2k+1) / (2k+1)!
  double sum = 0;
  for (int k = 0; k < 12; ++k) {
    const double term = weight * odd;
    sum += term;
    if (math::abs(term) < 0x1p-56 * math::abs(sum)) break;
    const double n = 2.0 * k + 1.0;
    even = math::fma(a, odd, n * even);
    odd = math::fma(a, even, (n + 1.0) * odd);
    weight *= t * t / ((n + 1.0) * (n + 2.0));
  }
  return -2.0 * sum;
}

// exp(-(h^2 + t^2) / 2) / sqrt(2 pi), with what the squares lose added back.
double density(double h, double t) noexcept {
  const double hh = h * h;
  const double tt = t * t;
  const double sum = hh + tt;
  const double large = hh > tt ? hh : tt;
  const double small = hh > tt ? tt : hh;
  const double lost = (small - (sum - large)) + (math::fma(h, h, -hh) + math::fma(t, t, -tt));
  const double value = math::detail::inverse_sqrt_two_pi * math::exp(-0.5 * sum);
  return math::fma(value, -0.5 * lost, value);
}

}  // namespace

NormalisedBlack normalised_black(double x, double s) noexcept {
  const double a = -x / s;  // |h|
  const double t = 0.5 * s;
  NormalisedBlack b;
  b.vega = density(a, t);
  const double most = math::exp(0.5 * x);
  if (t < a || t * (a > 1.0 ? a : 1.0) < 0.5) {
    b.ratio = t * (a > 1.0 ? a : 1.0) < 0.5 ? mills_difference_series(a, t)
                                            : math::mills(a - t) - math::mills(a + t);
    b.value = b.vega * b.ratio;
    b.complement = most - b.value;
    b.log_value = -0.5 * math::fma(a, a, t * t) - log_sqrt_two_pi + math::log(b.ratio);
  } else {
    b.complement = b.vega * (math::mills(t - a) + math::mills(a + t));
    b.value = most - b.complement;
    b.ratio = b.value / b.vega;
    b.log_value = math::log(b.value);
  }
  return b;
}

double inverse_normal_of_log(double log_p) noexcept {
  if (!(log_p < ln_half)) return 0.0;
  const double r = math::sqrt(-2.0 * log_p);
  const double guess =
      r - math::fma(math::fma(0.010328, r, 0.802853), r, 2.515517) /
              math::fma(math::fma(math::fma(0.001308, r, 0.189269), r, 1.432788), r, 1.0);
  // With z = -u and the hazard m = 1/Y(u): g(u) = ln N(-u) - log_p has g' = -m, g''/g' = m - u,
  // g'''/g' = (m - u)^2 + m (m - u) - 1.
  const double u = guess > 0 ? guess : 0.0;
  const double y = math::mills(u);
  const double m = 1.0 / y;
  const double g = math::log(y) - 0.5 * u * u - log_sqrt_two_pi - log_p;
  const double z = u + householder_step(g * y, m - u, (m - u) * (m - u) + m * (m - u) - 1.0);
  return z > 0 ? -z : 0.0;
}

double householder_step(double newton, double second, double third) noexcept {
  return newton * (1.0 + 0.5 * second * newton) / (1.0 + newton * (second + third * newton / 6.0));
}

}  // namespace gimbal::quant
