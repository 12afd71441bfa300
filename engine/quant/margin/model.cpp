#include "engine/quant/margin/model.hpp"

#include <array>
#include <utility>

#include "engine/core/math.hpp"

namespace gimbal::quant {

namespace {

// Moves to look at: the grid of the stress report first, finer near 0, then out to the ends.
constexpr std::array<double, 22> up_moves{0.0025, 0.005, 0.01, 0.02, 0.03, 0.04,        0.06, 0.08,
                                          0.10,   0.12,  0.16, 0.20, 0.25, 0.32,        0.40, 0.50,
                                          0.60,   0.80,  1.2,  2.0,  4.0,  highest_move};
constexpr std::array<double, 22> down_moves{
    -0.0025, -0.005, -0.01, -0.02, -0.03, -0.04, -0.06, -0.08, -0.10, -0.12, -0.16,
    -0.20,   -0.25,  -0.32, -0.40, -0.50, -0.60, -0.70, -0.80, -0.90, -0.97, lowest_move};

double cushion_at(const MarginModel& model, double move) {
  return model.at({move, 0, 0}).cushion();
}

// Brent (1973), zeroin: the root of the cushion between a (cushion above 0) and b (at or below 0).
double root_between(const MarginModel& model, double a, double fa, double b, double fb) {
  double c = a;
  double fc = fa;
  double step = b - a;
  double before = step;
  for (int i = 0; i < 100 && fb != 0; ++i) {
    if ((fb > 0) == (fc > 0)) {
      c = a;
      fc = fa;
      step = before = b - a;
    }
    if (math::abs(fc) < math::abs(fb)) {
      a = b, b = c, c = a;
      fa = fb, fb = fc, fc = fa;
    }
    const double tolerance = 0x1p-52 * math::abs(b) + 5e-11 * (1.0 + b);
    const double half = 0.5 * (c - b);
    if (math::abs(half) <= tolerance) break;
    if (math::abs(before) < tolerance || math::abs(fa) <= math::abs(fb)) {
      step = before = half;
    } else {
      const double s = fb / fa;
      const double q0 = fa / fc;
      const double r = fb / fc;
      double p = a == c ? 2.0 * half * s : s * (2.0 * half * q0 * (q0 - r) - (b - a) * (r - 1.0));
      double q = a == c ? 1.0 - s : (q0 - 1.0) * (r - 1.0) * (s - 1.0);
      if (p > 0) q = -q;
      p = math::abs(p);
      const double limit = 3.0 * half * q - math::abs(tolerance * q);
      const bool inside = 2.0 * p < (limit < math::abs(before * q) ? limit : math::abs(before * q));
      before = inside ? step : half;
      step = inside ? p / q : half;
    }
    a = b;
    fa = fb;
    b += math::abs(step) > tolerance ? step : (half > 0 ? tolerance : -tolerance);
    fb = cushion_at(model, b);
  }
  return b;
}

LiquidationSide side(double move, double sigma, double horizon_years) noexcept {
  LiquidationSide out;
  out.exists = true;
  out.move = move;
  out.percent = 100.0 * math::abs(move);
  const double width = sigma * math::sqrt(horizon_years > 0 ? horizon_years : 0.0);
  if (width > 0) {
    out.sigmas = math::abs(math::log(1.0 + move)) / width;
    out.probability = 2.0 * math::normal_cdf(-out.sigmas);
  }
  return out;
}

template <std::size_t n>
LiquidationSide search(const MarginModel& model, const std::array<double, n>& moves, double here,
                       double sigma, double horizon_years) {
  double from = 0;
  double cushion_from = here;
  for (const double to : moves) {
    const double cushion_to = cushion_at(model, to);
    if (!(cushion_to > 0)) {
      return side(root_between(model, from, cushion_from, to, cushion_to), sigma, horizon_years);
    }
    from = to;
    cushion_from = cushion_to;
  }
  return {};
}

}  // namespace

double Margin::health() const noexcept {
  if (!(maintenance > 0)) return equity < 0 ? std::numeric_limits<double>::infinity() : 0.0;
  return equity > 0 ? maintenance / equity : std::numeric_limits<double>::infinity();
}

LiquidationDistance liquidation_distance(const MarginModel& model, double sigma,
                                         double horizon_years) {
  const Margin now = model.at({});
  if (now.liquidatable()) {
    const LiquidationSide here = side(0.0, sigma, horizon_years);
    return {here, here};
  }
  return {search(model, down_moves, now.cushion(), sigma, horizon_years),
          search(model, up_moves, now.cushion(), sigma, horizon_years)};
}

}  // namespace gimbal::quant
