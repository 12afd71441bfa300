// Whether a table of kernels gives the bits of the scalar twin, on rows of all kinds.
#include <array>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>

#include "engine/core/math.hpp"
#include "engine/quant/stress/philox.hpp"
#include "engine/quant/vector_pricing.hpp"

namespace gimbal::quant {

namespace {

constexpr std::size_t rows = 256;
using Column = std::array<double, rows>;

struct Columns {
  alignas(64) Column strike{};
  alignas(64) Column sigma{};
  alignas(64) Column sign{};
  alignas(64) Column log_strike{};
  alignas(64) Column half_sd{};
  alignas(64) std::array<Column, 8> full{};
  alignas(64) std::array<Column, 3> tick{};
};

// Near and far strikes, calls and puts, every ninth row without volatility.
void fill(Columns& c, double forward, std::uint64_t round) {
  for (std::size_t i = 0; i < rows; ++i) {
    PathDraws draws{round, i, false};
    const double width = i % 2 == 0 ? 0.5 : 8.0;
    c.strike[i] = i % 16 == 1 ? forward : forward * math::exp(width * (draws.uniform() - 0.5));
    c.sigma[i] = i % 9 == 0 ? 0.0 : math::exp(6.0 * draws.uniform() - 4.0);
    c.sign[i] = draws.uniform() < 0.5 ? -1.0 : 1.0;
    c.log_strike[i] = math::log(c.strike[i]);
  }
}

// What no caller should give: the twin's answer all the same. One column a call, so that no other
// one draws the kernel's attention.
constexpr double endless = std::numeric_limits<double>::infinity();
constexpr double no_number = std::numeric_limits<double>::quiet_NaN();
void spoil(Columns& c, std::uint64_t round) {
  constexpr std::array<double, 4> odd{no_number, -no_number, endless, -endless};
  const std::array<Column*, 4> all{&c.strike, &c.sigma, &c.sign, &c.log_strike};
  Column& column = *all[round % all.size()];
  for (std::size_t i = 3; i < rows; i += 29) column[i] = odd[i / 29 % odd.size()];
}

void price(const PricingKernels& k, const BucketPoint& at, Columns& c) {
  k.full(at, {c.strike.data(), c.sigma.data(), c.sign.data()},
         {c.full[0].data(), c.full[1].data(), c.full[2].data(), c.full[3].data(), c.full[4].data(),
          c.full[5].data(), c.full[6].data(), c.full[7].data()},
         rows);
  for (std::size_t i = 0; i < rows; ++i) {
    c.half_sd[i] = c.full[7][i] > 0 ? 0.5 / c.full[7][i] : 0.0;
  }
  BucketPoint moved = at;
  moved.forward *= 1.01;
  k.tick(moved,
         {c.strike.data(), c.sign.data(), c.log_strike.data(), c.full[7].data(), c.half_sd.data()},
         {c.tick[0].data(), c.tick[1].data(), c.tick[2].data()}, rows);
}

}  // namespace

bool agrees_with_twin(const PricingKernels& kernels) {
  const auto a = std::make_unique<Columns>();
  const auto b = std::make_unique<Columns>();
  const auto agree = [&](const BucketPoint& at) {
    *b = *a;
    price(scalar_pricing(), at, *a);
    price(kernels, at, *b);
    return std::memcmp(&a->full, &b->full, sizeof a->full) == 0 &&
           std::memcmp(&a->tick, &b->tick, sizeof a->tick) == 0;
  };
  constexpr std::array<double, 4> years{1e-5, 0.02, 0.5, 3.0};
  for (std::size_t round = 0; round < years.size(); ++round) {
    const BucketPoint at{63250.25, years[round], 0.03, math::exp(-0.03 * years[round])};
    fill(*a, at.forward, round);
    if (!agree(at)) return false;
    spoil(*a, round);
    if (!agree(at)) return false;
  }
  return agree({no_number, 0.02, 0.03, 0.99}) && agree({63250.25, 0.02, 0.03, endless});
}

}  // namespace gimbal::quant
