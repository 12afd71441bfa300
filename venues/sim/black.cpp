#include "venues/sim/black.hpp"

#include <algorithm>

#include "venues/sim/numeric.hpp"

namespace gimbal::sim {
namespace {

double intrinsic(const BlackInput& in) noexcept {
  const double d = in.call ? in.forward - in.strike : in.strike - in.forward;
  return d > 0 ? d : 0;
}

}  // namespace

double black_value(const BlackInput& in) noexcept {
  const double sd = in.vol * sqrt_of(in.years);
  if (!(sd > 1e-12)) return intrinsic(in);
  const double d1 = log_of(in.forward / in.strike) / sd + 0.5 * sd;
  const double d2 = d1 - sd;
  const double value = in.call ? in.forward * normal_cdf(d1) - in.strike * normal_cdf(d2)
                               : in.strike * normal_cdf(-d2) - in.forward * normal_cdf(-d1);
  return std::max(value, intrinsic(in));
}

double black_implied_vol(BlackInput in, double value) noexcept {
  constexpr double vol_max = 5;
  if (!(value > intrinsic(in) + in.forward * 1e-12) || in.years <= 0) return 0;
  double low = 0;
  double high = vol_max;
  in.vol = high;
  if (black_value(in) <= value) return vol_max;
  in.vol = 0.6;
  for (int i = 0; i < 60; ++i) {
    const double error = black_value(in) - value;
    (error > 0 ? high : low) = in.vol;
    if (error < in.forward * 1e-13 && error > -in.forward * 1e-13) break;
    const double sd = in.vol * sqrt_of(in.years);
    const double d1 = log_of(in.forward / in.strike) / sd + 0.5 * sd;
    const double vega = in.forward * normal_pdf(d1) * sqrt_of(in.years);
    const double next = vega > 1e-12 ? in.vol - error / vega : low;
    in.vol = (next > low && next < high) ? next : 0.5 * (low + high);
    if (high - low < 1e-9) break;
  }
  return in.vol;
}

Greeks black_greeks(const BlackInput& in, double worth) noexcept {
  Greeks g;
  const double root = sqrt_of(in.years);
  const double sd = in.vol * root;
  if (!(sd > 1e-12)) {
    const bool itm = in.call ? in.forward > in.strike : in.forward < in.strike;
    g.delta = itm ? (in.call ? 1 : -1) : 0;
    return g;
  }
  const double d1 = log_of(in.forward / in.strike) / sd + 0.5 * sd;
  const double d2 = d1 - sd;
  const double density = normal_pdf(d1);
  g.delta = in.call ? normal_cdf(d1) : normal_cdf(d1) - 1;
  g.gamma = density / (in.forward * sd);
  g.vega = in.forward * density * root / 100;
  const double days = in.years * 365;
  const double decay = in.forward * density * in.vol / (2 * root) / 365 * std::min(1.0, days);
  g.theta = -std::min(decay, worth);
  g.rho = in.call ? in.strike * in.years * normal_cdf(d2) / 100
                  : -in.strike * in.years * normal_cdf(-d2) / 100;
  return g;
}

Greeks rounded(const Greeks& g) noexcept {
  return {round_to(g.delta, 5), round_to(g.gamma, 5), round_to(g.vega, 5), round_to(g.theta, 5),
          round_to(g.rho, 5)};
}

}  // namespace gimbal::sim
