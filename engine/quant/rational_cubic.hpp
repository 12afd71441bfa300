// Shape-preserving rational cubic interpolation between two points with given slopes, after
// Delbourgo and Gregory (1985). Room: engine/quant, cold; no allocation.
#pragma once

namespace gimbal::quant {

struct RationalCubic {
  double x_left{0}, x_right{0};  // x_left < x_right
  double y_left{0}, y_right{0};
  double slope_left{0}, slope_right{0};
  // Tension, above -1: 3 is the plain cubic, infinity the straight line.
  double tension{3};

  // For x in [x_left, x_right].
  [[nodiscard]] double at(double x) const noexcept;
  // Chooses the tension so that the second derivative at that end is `curvature`, but not below
  // what keeps the curve monotone and convex (or concave) where the data are. `shape_first` prefers
  // the straight line where the data themselves have no such shape.
  void fit_left(double curvature, bool shape_first) noexcept;
  void fit_right(double curvature, bool shape_first) noexcept;
};

}  // namespace gimbal::quant
