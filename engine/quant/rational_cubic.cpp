#include "engine/quant/rational_cubic.hpp"

#include <algorithm>

#include "engine/core/math.hpp"

namespace gimbal::quant {

namespace {

constexpr double tension_min = -(1.0 - 0x1p-26);
constexpr double tension_max = 0x1p+100;  // a straight line in all but name

double chord(const RationalCubic& c) noexcept {
  return (c.y_right - c.y_left) / (c.x_right - c.x_left);
}

// Delbourgo and Gregory, equations (3.8) for monotone and (3.18) for convex data.
double shape_tension(const RationalCubic& c, bool shape_first) noexcept {
  const double s = chord(c);
  const double left = s - c.slope_left;
  const double right = c.slope_right - s;
  const bool monotone = c.slope_left * s >= 0 && c.slope_right * s >= 0;
  const bool curved = (left >= 0 && right >= 0) || (left <= 0 && right <= 0);
  if (!monotone && !curved) return tension_min;
  double least = tension_min;
  if (monotone) {
    if (s != 0) {
      least = (c.slope_left + c.slope_right) / s;
    } else if (shape_first) {
      return tension_max;
    }
  }
  if (curved && left != 0 && right != 0) {
    const double change = math::abs(c.slope_right - c.slope_left);
    return std::max(least, change / std::min(math::abs(left), math::abs(right)));
  }
  return shape_first ? tension_max : least;
}

double tension_of(double numerator, double denominator) noexcept {
  if (numerator == 0) return 0;
  if (denominator == 0) return numerator > 0 ? tension_max : tension_min;
  return std::min(numerator / denominator, tension_max);
}

}  // namespace

double RationalCubic::at(double x) const noexcept {
  const double h = x_right - x_left;
  if (!(h > 0)) return 0.5 * (y_left + y_right);
  const double t = (x - x_left) / h;
  const double u = 1.0 - t;
  if (!(tension < tension_max)) return y_right * t + y_left * u;
  const double inner_right = tension * y_right - h * slope_right;
  const double inner_left = tension * y_left + h * slope_left;
  const double above =
      t * t * (y_right * t + inner_right * u) + u * u * (y_left * u + inner_left * t);
  return above / (1.0 + (tension - 3.0) * t * u);
}

void RationalCubic::fit_left(double curvature, bool shape_first) noexcept {
  const double h = x_right - x_left;
  const double wanted =
      tension_of(0.5 * h * curvature + (slope_right - slope_left), chord(*this) - slope_left);
  tension = std::max(wanted, shape_tension(*this, shape_first));
}

void RationalCubic::fit_right(double curvature, bool shape_first) noexcept {
  const double h = x_right - x_left;
  const double wanted =
      tension_of(0.5 * h * curvature + (slope_right - slope_left), slope_right - chord(*this));
  tension = std::max(wanted, shape_tension(*this, shape_first));
}

}  // namespace gimbal::quant
