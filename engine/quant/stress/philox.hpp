// Random numbers that are a function of a counter and a key: Philox 4x32 with 10 rounds (Salmon,
// Moraes, Dror and Shaw 2011, Parallel random numbers: as easy as 1, 2, 3). Any draw can be made
// alone, in any order, on any thread. Room: engine/quant, cold; no state, no allocation.
#pragma once

#include <array>
#include <cstdint>

#include "engine/core/math.hpp"
#include "engine/quant/normalised_black.hpp"

namespace gimbal::quant {

using PhiloxCounter = std::array<std::uint32_t, 4>;
using PhiloxKey = std::array<std::uint32_t, 2>;

[[nodiscard]] constexpr PhiloxCounter philox(PhiloxCounter c, PhiloxKey k) noexcept {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{0xD2511F53} * c[0];
    const std::uint64_t b = std::uint64_t{0xCD9E8D57} * c[2];
    c = {static_cast<std::uint32_t>(b >> 32) ^ c[1] ^ k[0], static_cast<std::uint32_t>(b),
         static_cast<std::uint32_t>(a >> 32) ^ c[3] ^ k[1], static_cast<std::uint32_t>(a)};
    k[0] += 0x9E3779B9;
    k[1] += 0xBB67AE85;
  }
  return c;
}

// The draws of one path: draw n of path p under one seed is always the same number.
class PathDraws {
 public:
  PathDraws(std::uint64_t seed, std::uint64_t path, bool mirrored) noexcept
      : key_{low(seed), high(seed)}, path_{path}, mirrored_{mirrored} {}

  // In (0, 1), never 0 or 1; a mirrored path gets 1 - u.
  double uniform() noexcept {
    if (used_ == 2) refill();
    const std::uint64_t bits = std::uint64_t{block_[2 * used_]} << 32 | block_[2 * used_ + 1];
    ++used_;
    const double u = (static_cast<double>(bits >> 12) + 0.5) * 0x1p-52;
    return mirrored_ ? 1.0 - u : u;
  }
  // Standard normal by inversion; a mirrored path gets the opposite sign.
  double normal() noexcept {
    const double u = uniform();
    return u < 0.5 ? inverse_normal_of_log(math::log(u))
                   : -inverse_normal_of_log(math::log(1.0 - u));
  }
  // Poisson with that mean (at most 50) by inversion.
  int poisson(double mean) noexcept {
    const double u = uniform();
    double probability = math::exp(-mean);
    double sum = probability;
    int n = 0;
    while (u > sum && n < 1000) {
      ++n;
      probability *= mean / n;
      sum += probability;
    }
    return n;
  }

 private:
  static std::uint32_t low(std::uint64_t v) noexcept { return static_cast<std::uint32_t>(v); }
  static std::uint32_t high(std::uint64_t v) noexcept {
    return static_cast<std::uint32_t>(v >> 32);
  }
  void refill() noexcept {
    block_ = philox({low(path_), high(path_), next_++, 0}, key_);
    used_ = 0;
  }

  PhiloxKey key_;
  std::uint64_t path_;
  bool mirrored_;
  PhiloxCounter block_{};
  std::uint32_t next_{0};
  std::size_t used_{2};
};

}  // namespace gimbal::quant
