// Vector kernels against the scalar twin, bit by bit, on every target this machine has, and against
// the golden rows.
#include "engine/quant/vector_pricing.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>

#include "engine/core/math.hpp"
#include "tests/support/number_table.hpp"
#include "tests/support/random_terms.hpp"
#include "tests/support/shared_data.hpp"

namespace gimbal::quant {
namespace {

constexpr std::size_t rows = 64;

struct Columns {
  alignas(64) std::array<double, rows> strike{}, sigma{}, sign{}, log_strike{}, half_sd{};
  alignas(64) std::array<std::array<double, rows>, 8> full{};
  alignas(64) std::array<std::array<double, rows>, 3> tick{};
  OptionColumns in() const { return {strike.data(), sigma.data(), sign.data()}; }
  GreekColumns greeks() {
    return {full[0].data(), full[1].data(), full[2].data(), full[3].data(),
            full[4].data(), full[5].data(), full[6].data(), full[7].data()};
  }
  PreparedColumns prepared() const {
    return {strike.data(), sign.data(), log_strike.data(), full[7].data(), half_sd.data()};
  }
  TickColumns ticks() { return {tick[0].data(), tick[1].data(), tick[2].data()}; }
};

bool same(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

// Both kernels of `k` and of the twin on the same rows; the first difference is reported.
void expect_same_bits(const VectorPricing& v, const BucketPoint& at, double next_forward,
                      const Columns& inputs) {
  const std::string target{v.target};
  Columns a = inputs;
  Columns b = inputs;
  scalar_pricing().full(at, a.in(), a.greeks(), rows);
  v.kernels.full(at, b.in(), b.greeks(), rows);
  for (std::size_t c = 0; c < a.full.size(); ++c) {
    for (std::size_t i = 0; i < rows; ++i) {
      ASSERT_TRUE(same(a.full[c][i], b.full[c][i]))
          << target << " full column " << c << " row " << i << ": " << a.full[c][i] << " "
          << b.full[c][i] << " F " << at.forward << " K " << inputs.strike[i] << " sigma "
          << inputs.sigma[i];
    }
  }
  BucketPoint moved = at;
  moved.forward = next_forward;
  for (std::size_t i = 0; i < rows; ++i) {
    a.log_strike[i] = b.log_strike[i] = math::log(a.strike[i]);
    a.half_sd[i] = b.half_sd[i] = a.full[7][i] > 0 ? 0.5 / a.full[7][i] : 0.0;
  }
  scalar_pricing().tick(moved, a.prepared(), a.ticks(), rows);
  v.kernels.tick(moved, b.prepared(), b.ticks(), rows);
  for (std::size_t c = 0; c < a.tick.size(); ++c) {
    for (std::size_t i = 0; i < rows; ++i) {
      ASSERT_TRUE(same(a.tick[c][i], b.tick[c][i]))
          << target << " tick column " << c << " row " << i << ": " << a.tick[c][i] << " "
          << b.tick[c][i];
    }
  }
}

TEST(VectorPricing, HasAtLeastOneTargetAndPicksTheFirst) {
  const auto all = vector_pricing_targets();
  ASSERT_FALSE(all.empty());
  EXPECT_EQ(vector_pricing().target, all.front().target);
  for (const auto& v : all) std::printf("target %s\n", std::string{v.target}.c_str());
}

TEST(VectorPricing, IsTheTwinBitByBitOnListedOptions) {
  test::Numbers n;
  for (const VectorPricing& v : vector_pricing_targets()) {
    for (int round = 0; round < 400; ++round) {
      Columns c;
      const double forward = n.uniform(100, 100000);
      for (std::size_t i = 0; i < rows; ++i) {
        c.strike[i] = i % 13 == 0 ? forward : forward * n.uniform(0.3, 3);
        c.sigma[i] = i % 17 == 0 ? 0.0 : n.uniform(0.1, 3);
        c.sign[i] = n.uniform(0, 1) < 0.5 ? 1.0 : -1.0;
      }
      const double years = round % 20 == 0 ? 0.0 : n.uniform(1e-5, 2);
      const double rate = round % 2 == 0 ? 0.0 : 0.04;
      expect_same_bits(v, {forward, years, rate, math::exp(-rate * years)},
                       forward * n.uniform(0.95, 1.05), c);
    }
  }
}

TEST(VectorPricing, IsTheTwinBitByBitFarOutside) {
  test::Numbers n;
  for (const VectorPricing& v : vector_pricing_targets()) {
    for (int round = 0; round < 400; ++round) {
      Columns c;
      const double forward = std::exp(n.uniform(-60, 60));
      for (std::size_t i = 0; i < rows; ++i) {
        c.strike[i] = forward * std::exp(n.uniform(-1, 1) * std::exp(n.uniform(-30, 4)));
        c.sigma[i] = (i % 11 == 0 ? -1.0 : 1.0) * std::exp(n.uniform(-12, 4));
        c.sign[i] = n.uniform(0, 1) < 0.5 ? 1.0 : -1.0;
      }
      expect_same_bits(v, {forward, std::exp(n.uniform(-18, 4)), 0.01, 0.99},
                       forward * std::exp(n.uniform(-1, 1)), c);
    }
  }
}

TEST(VectorPricing, WritesNothingBeyondTheNextMultipleOfEight) {
  for (const VectorPricing& v : vector_pricing_targets()) {
    Columns c;
    c.strike.fill(100);
    c.sigma.fill(0.5);
    c.sign.fill(1);
    for (auto& column : c.full) column.fill(-7);
    v.kernels.full({100, 0.1, 0, 1}, c.in(), c.greeks(), 9);
    for (const auto& column : c.full) {
      EXPECT_NE(column[8], -7);
      for (std::size_t i = 16; i < rows; ++i) EXPECT_EQ(column[i], -7) << v.target;
    }
  }
}

void one_bit_off(const BucketPoint& at, const OptionColumns& in, const GreekColumns& out,
                 std::size_t count) noexcept {
  scalar_pricing().full(at, in, out, count);
  out.vanna[count - 1] = std::nextafter(out.vanna[count - 1], 1e9);
}

TEST(VectorPricing, AKernelThatIsOneBitOffIsNotTaken) {
  EXPECT_TRUE(agrees_with_twin(scalar_pricing()));
  EXPECT_FALSE(agrees_with_twin({&one_bit_off, scalar_pricing().tick}));
  for (const VectorPricing& v : vector_pricing_targets()) {
    EXPECT_TRUE(agrees_with_twin(v.kernels)) << v.target;
  }
  EXPECT_EQ(proven_pricing().target, vector_pricing().target);
}

// The largest error of the tick kernel's columns in a row, in u kappa0: its logarithms are those of
// F and K, rounded apart.
double tick_error(const test::NumberTable& t, std::size_t row, const Columns& c) {
  const double d1 = std::abs(t.number(row, "d1"));
  const double sd = t.number(row, "sigma") * std::sqrt(t.number(row, "T"));
  const double unit = 0x1p-53 * (1 + (1 + d1) * (d1 + 1 / sd));
  const auto units = [&](std::size_t column, const char* name, double scale) {
    const double error = std::abs(c.tick[column][0] - t.number(row, name));
    return error <= 1e-290 ? 0.0 : error / (unit * scale);
  };
  return std::max({units(0, "price", t.number(row, "term_magnitude")),
                   units(1, "delta", std::abs(t.number(row, "delta"))),
                   units(2, "gamma", t.number(row, "gamma"))});
}

// Each golden row is a bucket of its own: price and Greeks within 16 u kappa of their scales.
void check_file(const std::string& path) {
  const test::NumberTable t{path};
  double worst = 0;
  double ticked = 0;
  for (const VectorPricing& v : vector_pricing_targets()) {
    for (std::size_t row = 0; row < t.size(); ++row) {
      Columns c;
      const double forward = t.number(row, "F");
      c.strike.fill(t.number(row, "K"));
      c.sigma.fill(t.number(row, "sigma"));
      c.sign.fill(t.text(row, "type") == "C" ? 1.0 : -1.0);
      const BucketPoint at{forward, t.number(row, "T"), t.number(row, "r"), t.number(row, "df")};
      expect_same_bits(v, at, forward, c);
      v.kernels.full(at, c.in(), c.greeks(), rows);
      c.log_strike.fill(math::log(c.strike[0]));
      c.half_sd.fill(0.5 * c.sigma[0] * math::sqrt(at.years));
      const double d1 = std::abs(t.number(row, "d1"));
      const double unit = 0x1p-53 * (1 + (1 + d1) * (1 + d1));
      const auto check = [&](std::size_t column, const char* name, double scale) {
        const double error = std::abs(c.full[column][0] - t.number(row, name));
        if (error <= 1e-290) return;
        EXPECT_LE(error, 16 * unit * scale) << v.target << " " << name << " row " << row;
        worst = std::max(worst, error / (unit * scale));
      };
      check(0, "price", t.number(row, "term_magnitude"));
      check(1, "delta", std::abs(t.number(row, "delta")));
      check(2, "gamma", t.number(row, "gamma"));
      check(3, "vega", t.number(row, "vega"));
      check(4, "theta",
            t.number(row, "vega") * t.number(row, "sigma") / (2 * t.number(row, "T")) +
                std::abs(t.number(row, "r")) * t.number(row, "term_magnitude"));
      v.kernels.tick(at, c.prepared(), c.ticks(), rows);
      ticked = std::max(ticked, tick_error(t, row, c));
    }
  }
  std::printf("%zu rows, largest error %.2f u kappa, tick %.2f u kappa0\n", t.size(), worst,
              ticked);
  EXPECT_LE(ticked, 16);
}

TEST(VectorPricing, KeepsTheTolerancesOnTheProjectsOwnRows) {
  check_file(test::fixture_path("quant/black76.csv"));
}
TEST(VectorPricing, KeepsTheTolerancesOnTheGoldenRows) {
  const std::string path = test::shared_path("data/quant/black76.csv");
  if (!test::present(path)) GTEST_SKIP() << path << " is not here";
  check_file(path);
}

}  // namespace
}  // namespace gimbal::quant
