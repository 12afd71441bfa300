// Levenberg-Marquardt inside a box, for a handful of parameters. Room: engine/quant, cold; no
// allocation. Source: Marquardt (1963); a parameter on a bound that the step would leave is held.
#pragma once

#include <array>
#include <cstddef>

#include "engine/core/math.hpp"

namespace gimbal::quant {

// Sums over all residuals r with gradients g: cost r^2, gradient r g, matrix g g'.
template <std::size_t N>
struct NormalEquations {
  double cost{0};
  std::array<double, N> gradient{};
  std::array<std::array<double, N>, N> matrix{};  // the lower triangle

  void add(double r, const std::array<double, N>& g) noexcept {
    cost += r * r;
    for (std::size_t i = 0; i < N; ++i) {
      gradient[i] += r * g[i];
      for (std::size_t j = 0; j <= i; ++j) matrix[i][j] += g[i] * g[j];
    }
  }
};

// x with A x = rhs by Cholesky; false when A is not positive definite.
template <std::size_t N>
bool solve_symmetric(std::array<std::array<double, N>, N> a, std::array<double, N>& x) noexcept {
  for (std::size_t i = 0; i < N; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      double sum = a[i][j];
      for (std::size_t k = 0; k < j; ++k) sum -= a[i][k] * a[j][k];
      if (i == j) {
        if (!(sum > 0)) return false;
        a[i][i] = math::sqrt(sum);
      } else {
        a[i][j] = sum / a[j][j];
      }
    }
  }
  for (std::size_t i = 0; i < N; ++i) {
    for (std::size_t k = 0; k < i; ++k) x[i] -= a[i][k] * x[k];
    x[i] /= a[i][i];
  }
  for (std::size_t i = N; i-- > 0;) {
    for (std::size_t k = i + 1; k < N; ++k) x[i] -= a[k][i] * x[k];
    x[i] /= a[i][i];
  }
  return true;
}

template <std::size_t N>
struct Box {
  std::array<double, N> low{};
  std::array<double, N> high{};
  [[nodiscard]] double clamp(std::size_t i, double v) const noexcept {
    return v < low[i] ? low[i] : v > high[i] ? high[i] : v;
  }
};

template <std::size_t N>
struct BoxFit {
  std::array<double, N> at{};
  double cost{0};
  int evaluations{0};
};

// `evaluate(p, equations)` fills the sums at p; false where the model has no value. Ends when a
// step gains less than `gain_min` of the cost, or after `evaluations_max`.
template <std::size_t N, class Evaluate>
BoxFit<N> fit_in_box(const Box<N>& box, std::array<double, N> start, int evaluations_max,
                     double gain_min, Evaluate evaluate) noexcept {
  BoxFit<N> fit;
  for (std::size_t i = 0; i < N; ++i) fit.at[i] = box.clamp(i, start[i]);
  NormalEquations<N> now;
  fit.evaluations = 1;
  if (!evaluate(fit.at, now)) {
    fit.cost = 1e300;
    return fit;
  }
  double damping = 1e-4;
  while (fit.evaluations < evaluations_max && now.cost > 1e-30 && damping < 1e12) {
    std::array<double, N> step{};
    auto damped = now.matrix;
    for (std::size_t i = 0; i < N; ++i) {
      step[i] = -now.gradient[i];
      damped[i][i] += damping * damped[i][i] + 1e-300;
    }
    for (std::size_t i = 0; i < N; ++i) {  // held at a bound
      if ((step[i] < 0 && fit.at[i] > box.low[i]) || (step[i] > 0 && fit.at[i] < box.high[i])) {
        continue;
      }
      step[i] = 0;
      for (std::size_t j = 0; j < N; ++j) (j <= i ? damped[i][j] : damped[j][i]) = j == i ? 1 : 0;
    }
    if (!solve_symmetric(damped, step)) {
      damping *= 10;
      continue;
    }
    std::array<double, N> next{};
    for (std::size_t i = 0; i < N; ++i) next[i] = box.clamp(i, fit.at[i] + step[i]);
    NormalEquations<N> there;
    ++fit.evaluations;
    if (!evaluate(next, there) || !(there.cost < now.cost)) {
      damping *= 8;
      continue;
    }
    const double gain = (now.cost - there.cost) / now.cost;
    fit.at = next;
    now = there;
    damping = damping > 1e-11 ? damping * 0.1 : damping;
    if (gain < gain_min) break;
  }
  fit.cost = now.cost;
  return fit;
}

}  // namespace gimbal::quant
