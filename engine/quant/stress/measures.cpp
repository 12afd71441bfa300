#include "engine/quant/stress/measures.hpp"

#include <algorithm>
#include <cmath>

namespace gimbal::quant {

TailRisk tail_risk(std::span<const double> sorted, double confidence) {
  const std::size_t n = sorted.size();
  const auto count = static_cast<double>(n);
  const double share = 1.0 - confidence;
  // n (1 - a) is a whole number in the usual cases; its rounding error must not add one.
  const auto rank = static_cast<std::size_t>(std::ceil(count * share - 1e-9));
  const std::size_t tail = std::clamp<std::size_t>(rank, 1, n);
  TailRisk r;
  r.confidence = confidence;
  r.var = -sorted[tail - 1];
  double sum = 0;
  for (std::size_t i = 0; i < tail; ++i) sum -= sorted[i];
  r.es = sum / static_cast<double>(tail);
  double square = 0;
  for (std::size_t i = 0; i < tail; ++i) square += (-sorted[i] - r.es) * (-sorted[i] - r.es);
  const double variance = square / static_cast<double>(tail);
  const double beyond = r.es - r.var;
  r.es_error = std::sqrt((variance + confidence * beyond * beyond) / (count * share));
  // Density at the quantile: how many of the neighbours lie within their own span.
  const std::size_t reach = std::max<std::size_t>(1, tail / 4);
  const std::size_t from = tail - 1 >= reach ? tail - 1 - reach : 0;
  const std::size_t to = std::min(tail - 1 + reach, n - 1);
  const double span = sorted[to] - sorted[from];
  const double density = static_cast<double>(to - from) / count;  // times 1 / span
  r.var_error = density > 0 ? std::sqrt(confidence * share / count) * span / density : 0.0;
  return r;
}

Moments moments(std::span<const double> profits) {
  Moments m;
  const auto n = static_cast<double>(profits.size());
  for (const double v : profits) m.mean += v;
  m.mean /= n;
  double second = 0;
  double third = 0;
  double fourth = 0;
  for (const double v : profits) {
    const double d = v - m.mean;
    second += d * d;
    third += d * d * d;
    fourth += d * d * d * d;
  }
  second /= n;
  m.deviation = std::sqrt(second);
  if (second > 0) {
    m.skew = third / n / (second * m.deviation);
    m.excess_kurtosis = fourth / n / (second * second) - 3.0;
  }
  return m;
}

double cornish_fisher(const Moments& m, double z) noexcept {
  const double s = m.skew;
  const double w = z + (z * z - 1) * s / 6 + (z * z * z - 3 * z) * m.excess_kurtosis / 24 -
                   (2 * z * z * z - 5 * z) * s * s / 36;
  return m.mean + m.deviation * w;
}

// Cumulants of a quadratic form in normals: k-th = (k-1)!/2 tr((G S)^k) + k!/2 d'S (G S)^(k-2) d.
Moments delta_gamma_moments(std::span<const double> d, std::span<const double> g,
                            std::span<const double> cov) {
  const std::size_t n = d.size();
  std::vector<double> power(n * n, 0.0);  // (G S)^k, from k = 0
  for (std::size_t i = 0; i < n; ++i) power[i * n + i] = 1;
  double cumulant[5] = {};
  const double factorial[5] = {1, 1, 2, 6, 24};
  for (std::size_t k = 1; k <= 4; ++k) {
    if (k >= 2) {
      double with_delta = 0;
      std::vector<double> v(d.begin(), d.end());
      for (std::size_t round = 0; round + 2 < k; ++round) {
        std::vector<double> w(n, 0.0);
        for (std::size_t i = 0; i < n; ++i) {
          for (std::size_t j = 0; j < n; ++j) w[i] += g[i] * cov[i * n + j] * v[j];
        }
        v = w;
      }
      for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < n; ++j) with_delta += d[i] * cov[i * n + j] * v[j];
      }
      cumulant[k] += 0.5 * factorial[k] * with_delta;
    }
    std::vector<double> next(n * n, 0.0);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        for (std::size_t l = 0; l < n; ++l)
          next[i * n + j] += power[i * n + l] * g[l] * cov[l * n + j];
      }
    }
    power = next;
    double trace = 0;
    for (std::size_t i = 0; i < n; ++i) trace += power[i * n + i];
    cumulant[k] += 0.5 * factorial[k - 1] * trace;
  }
  Moments m;
  m.mean = cumulant[1];
  m.deviation = std::sqrt(std::max(cumulant[2], 0.0));
  if (m.deviation > 0) {
    m.skew = cumulant[3] / (cumulant[2] * m.deviation);
    m.excess_kurtosis = cumulant[4] / (cumulant[2] * cumulant[2]);
  }
  return m;
}

Histogram histogram(std::span<const double> sorted, std::size_t bins) {
  Histogram h;
  h.low = sorted.front();
  h.width = (sorted.back() - sorted.front()) / static_cast<double>(bins);
  h.counts.assign(bins, 0);
  for (const double v : sorted) {
    const double at = h.width > 0 ? (v - h.low) / h.width : 0.0;
    ++h.counts[std::min(static_cast<std::size_t>(at), bins - 1)];
  }
  return h;
}

}  // namespace gimbal::quant
