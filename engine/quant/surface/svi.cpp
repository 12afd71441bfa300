#include "engine/quant/surface/svi.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

#include "engine/core/math.hpp"

namespace gimbal::quant {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr std::size_t grid_half = 96;  // points on each side of m
constexpr double grid_step = 0.125;    // in u: 96 of them reach 12
constexpr int sections = 28;           // to a width of 1e-6 of a step: the least g to 1e-12

double sinh_of(double u) noexcept {
  if (math::abs(u) < 1e-2) return u * (1.0 + u * u / 6.0);
  const double e = math::exp(u);
  return 0.5 * (e - 1.0 / e);
}

// sinh(u) of the grid's points above m.
const std::array<double, grid_half>& grid() noexcept {
  static const std::array<double, grid_half> points = [] {
    std::array<double, grid_half> out{};
    for (std::size_t i = 0; i < grid_half; ++i) {
      out[i] = sinh_of(grid_step * static_cast<double>(i + 1));
    }
    return out;
  }();
  return points;
}

struct Least {
  double value{infinity};
  double u{0};
  double k{0};
};

// The least of f over k = m + s sinh(u): a grid, then golden sections around its best point.
template <class F>
Least least_over(const Svi& p, F f) noexcept {
  Least best{f(p.m), 0, p.m};
  const auto look = [&](double u, double sinh_u) {
    const double k = p.m + p.s * sinh_u;
    const double value = f(k);
    if (value < best.value) best = {value, u, k};
    return value;
  };
  const auto& points = grid();
  for (std::size_t i = 0; i < grid_half; ++i) {
    const double u = grid_step * static_cast<double>(i + 1);
    look(u, points[i]);
    look(-u, -points[i]);
  }
  const auto near = [&](double u) { return look(u, sinh_of(u)); };
  constexpr double section = 0.6180339887498949;
  double low = best.u - grid_step;
  double high = best.u + grid_step;
  double left = high - section * (high - low);
  double right = low + section * (high - low);
  double at_left = near(left);
  double at_right = near(right);
  for (int i = 0; i < sections; ++i) {
    if (at_left < at_right) {
      high = right;
      right = left;
      at_right = at_left;
      left = high - section * (high - low);
      at_left = near(left);
    } else {
      low = left;
      left = right;
      at_left = at_right;
      right = low + section * (high - low);
      at_right = near(right);
    }
  }
  return best;
}

}  // namespace

SviPoint svi_at(const Svi& p, double k) noexcept {
  const double x = k - p.m;
  const double h2 = x * x + p.s * p.s;
  const double h = math::sqrt(h2);
  return {p.a + p.b * (p.rho * x + h), p.b * (p.rho + x / h), p.b * p.s * p.s / (h2 * h)};
}

double durrleman_g(const SviPoint& p, double k) noexcept {
  const double lean = 1.0 - 0.5 * k * p.w1 / p.w;
  return lean * lean - 0.25 * p.w1 * p.w1 * (1.0 / p.w + 0.25) + 0.5 * p.w2;
}

bool well_formed(const Svi& p) noexcept {
  if (!math::finite(p.a) || !math::finite(p.b) || !math::finite(p.m) || !math::finite(p.s)) {
    return false;
  }
  return p.b >= 0 && math::abs(p.rho) < 1 && p.s > 0 &&
         p.a + p.b * p.s * math::sqrt(1.0 - p.rho * p.rho) > 0;
}

ButterflyCheck check_butterfly(const Svi& p) noexcept {
  ButterflyCheck out;
  out.wing_slope = p.b * (1.0 + math::abs(p.rho));
  if (!well_formed(p)) return out;
  const Least least = least_over(p, [&](double k) { return durrleman_g(svi_at(p, k), k); });
  out.min_g = least.value;
  out.k = least.k;
  for (const double side : {-1.0, 1.0}) {
    const double slope = p.b * (1.0 + side * p.rho);
    const double limit = 0.25 - slope * slope / 16.0;
    if (limit < out.min_g) {
      out.min_g = limit;
      out.k = side * infinity;
    }
  }
  return out;
}

CalendarCheck check_calendar(const Svi& near, const Svi& far) noexcept {
  const auto variance = [](const Svi& p, double k) {
    const double x = k - p.m;
    return p.a + p.b * (p.rho * x + math::sqrt(x * x + p.s * p.s));
  };
  const auto share = [&](double k) {
    const double w = variance(near, k);
    return (variance(far, k) - w) / w;
  };
  const Least by_near = least_over(near, share);
  const Least by_far = least_over(far, share);
  const Least least = by_near.value < by_far.value ? by_near : by_far;
  CalendarCheck out{least.value, least.k};
  for (const double side : {-1.0, 1.0}) {
    const double steep = near.b * (1.0 + side * near.rho);
    const double flat = far.b * (1.0 + side * far.rho);
    if (flat >= steep || (flat - steep) / steep >= out.min_gap) continue;
    out.min_gap = (flat - steep) / steep;
    out.k = side * infinity;
  }
  return out;
}

double ssvi_phi_max(double theta, double rho) noexcept {
  const double lean = theta * (1.0 + math::abs(rho));
  // The first condition is strict.
  return std::min(4.0 * (1.0 - 1e-12) / lean, 2.0 * (1.0 - 1e-12) / math::sqrt(lean));
}

Svi raw(const Ssvi& p) noexcept {
  const double rest = 1.0 - p.rho * p.rho;
  return {0.5 * p.theta * rest, 0.5 * p.theta * p.phi, p.rho, -p.rho / p.phi,
          math::sqrt(rest) / p.phi};
}

}  // namespace gimbal::quant
