// Room venues/sim, pure. Random numbers and elementary functions that give the same bits in every
// build: own exp, log and normal cdf (sqrt is exact by IEEE 754), no standard distribution.
#pragma once

#include <array>
#include <cstdint>

#include "engine/core/units.hpp"

namespace gimbal::sim {

// SplitMix64's finaliser: a good 64-bit mixer, used to seed and for counter-based draws.
constexpr std::uint64_t mix64(std::uint64_t x) noexcept {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}
constexpr double unit_from_bits(std::uint64_t bits) noexcept {
  return static_cast<double>(bits >> 11) * 0x1.0p-53;
}

// xoshiro256++.
class Rng {
 public:
  explicit Rng(std::uint64_t seed) noexcept;
  std::uint64_t bits() noexcept;
  double uniform() noexcept { return unit_from_bits(bits()); }  // [0, 1)
  double normal() noexcept;                                     // polar method
  std::uint64_t below(std::uint64_t n) noexcept;                // [0, n), n > 0

 private:
  std::array<std::uint64_t, 4> s_{};
  double spare_{0};
  bool has_spare_{false};
};

double exp_of(double x) noexcept;  // relative error below 1e-15; clamps to +-700
double log_of(double x) noexcept;  // x > 0
double sqrt_of(double x) noexcept;
double normal_pdf(double x) noexcept;
double normal_cdf(double x) noexcept;  // absolute error below 1e-15

// Half away from zero, to a multiple of 10^-decimals (decimals 0 to 9).
double round_to(double x, int decimals) noexcept;
// Nearest nano-unit; saturates instead of overflowing.
std::int64_t to_nano(double x) noexcept;

}  // namespace gimbal::sim
