#include "venues/sim/numeric.hpp"

#include <bit>
#include <cmath>

namespace gimbal::sim {

Rng::Rng(std::uint64_t seed) noexcept {
  for (auto& word : s_) {
    seed += 0x9e3779b97f4a7c15ULL;
    word = mix64(seed);
  }
}

std::uint64_t Rng::bits() noexcept {
  const std::uint64_t result = std::rotl(s_[0] + s_[3], 23) + s_[0];
  const std::uint64_t shifted = s_[1] << 17;
  s_[2] ^= s_[0];
  s_[3] ^= s_[1];
  s_[1] ^= s_[2];
  s_[0] ^= s_[3];
  s_[2] ^= shifted;
  s_[3] = std::rotl(s_[3], 45);
  return result;
}

std::uint64_t Rng::below(std::uint64_t n) noexcept {
  __extension__ using wide = unsigned __int128;
  return static_cast<std::uint64_t>((static_cast<wide>(bits()) * n) >> 64);
}

double Rng::normal() noexcept {
  if (has_spare_) {
    has_spare_ = false;
    return spare_;
  }
  for (;;) {
    const double u = 2 * uniform() - 1;
    const double v = 2 * uniform() - 1;
    const double r2 = u * u + v * v;
    if (r2 >= 1 || r2 == 0) continue;
    const double scale = sqrt_of(-2 * log_of(r2) / r2);
    spare_ = v * scale;
    has_spare_ = true;
    return u * scale;
  }
}

double exp_of(double x) noexcept {
  if (x > 700) x = 700;
  if (x < -700) x = -700;
  constexpr double ln2_high = 0x1.62e42fee00000p-1;
  constexpr double ln2_low = 0x1.a39ef35793c76p-33;
  const double scaled = x * 1.4426950408889634;
  const auto n = static_cast<std::int64_t>(scaled + (scaled < 0 ? -0.5 : 0.5));
  const double r = (x - static_cast<double>(n) * ln2_high) - static_cast<double>(n) * ln2_low;
  double sum = 1;
  for (int k = 13; k >= 1; --k) sum = 1 + sum * r / k;
  return sum * std::bit_cast<double>(static_cast<std::uint64_t>(n + 1023) << 52);
}

double log_of(double x) noexcept {
  auto bits = std::bit_cast<std::uint64_t>(x);
  auto exponent = static_cast<std::int64_t>(bits >> 52) - 1023;
  double m = std::bit_cast<double>((bits & 0x000FFFFFFFFFFFFFULL) | 0x3FF0000000000000ULL);
  if (m > 1.4142135623730951) {
    m *= 0.5;
    ++exponent;
  }
  const double s = (m - 1) / (m + 1);
  const double s2 = s * s;
  double sum = 0;
  for (int k = 23; k >= 1; k -= 2) sum = sum * s2 + 1.0 / k;
  const auto e = static_cast<double>(exponent);
  return e * 0x1.62e42fee00000p-1 + (2 * s * sum + e * 0x1.a39ef35793c76p-33);
}

double sqrt_of(double x) noexcept { return std::sqrt(x); }

double normal_pdf(double x) noexcept { return 0.3989422804014327 * exp_of(-0.5 * x * x); }

double normal_cdf(double x) noexcept {
  if (x > 8) return 1;
  if (x < -8) return 0;
  // N(x) = 1/2 + n(x) (x + x^3/3 + x^5/(3 5) + ..): all terms of one sign, so nothing cancels.
  double term = x;
  double sum = x;
  for (int k = 3; k < 400; k += 2) {
    term *= x * x / k;
    const double next = sum + term;
    if (next == sum) break;
    sum = next;
  }
  return 0.5 + normal_pdf(x) * sum;
}

double round_to(double x, int decimals) noexcept {
  constexpr std::array<double, 10> powers{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
  const double scale = powers[static_cast<std::size_t>(decimals)];
  const double scaled = x * scale;
  if (!(scaled > -9e15 && scaled < 9e15)) return x;
  const auto whole = static_cast<std::int64_t>(scaled + (scaled < 0 ? -0.5 : 0.5));
  return static_cast<double>(whole) / scale;
}

std::int64_t to_nano(double x) noexcept {
  const double scaled = x * 1e9;
  if (scaled >= 9.2e18) return 9'200'000'000'000'000'000;
  if (scaled <= -9.2e18) return -9'200'000'000'000'000'000;
  return static_cast<std::int64_t>(scaled + (scaled < 0 ? -0.5 : 0.5));
}

}  // namespace gimbal::sim
