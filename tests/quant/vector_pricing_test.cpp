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
#include <limits>
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

// `tick` of both on the same prepared rows; what `a` and `b` hold of other columns is the same.
void expect_same_ticks(const VectorPricing& v, const BucketPoint& at, Columns& a, Columns& b) {
  scalar_pricing().tick(at, a.prepared(), a.ticks(), rows);
  v.kernels.tick(at, b.prepared(), b.ticks(), rows);
  for (std::size_t c = 0; c < a.tick.size(); ++c) {
    for (std::size_t i = 0; i < rows; ++i) {
      ASSERT_TRUE(same(a.tick[c][i], b.tick[c][i]))
          << v.target << " tick column " << c << " row " << i << ": " << a.tick[c][i] << " "
          << b.tick[c][i];
    }
  }
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
  expect_same_ticks(v, moved, a, b);
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

// --- what no caller should give

constexpr double endless = std::numeric_limits<double>::infinity();
constexpr double no_number = std::numeric_limits<double>::quiet_NaN();
const std::array<double, 12> odd_numbers{no_number,
                                         -no_number,
                                         endless,
                                         -endless,
                                         std::bit_cast<double>(0x7ff8000000000fffULL),
                                         std::bit_cast<double>(0xfff800000000deadULL),
                                         0.0,
                                         -0.0,
                                         -1.0,
                                         5e-324,
                                         1e308,
                                         -1e308};
constexpr BucketPoint usual_bucket{63250.25, 0.08, 0.03, 0.998};

// Alive and expired rows, near and far, with all that `tick` is prepared from.
Columns usual_rows() {
  Columns c;
  for (std::size_t i = 0; i < rows; ++i) {
    c.strike[i] = 40000.0 + 750.0 * static_cast<double>(i);
    c.sigma[i] = i % 5 == 0 ? 0.0 : 0.4 + 0.01 * static_cast<double>(i);
    c.sign[i] = i % 2 == 0 ? 1.0 : -1.0;
    c.log_strike[i] = math::log(c.strike[i]);
  }
  scalar_pricing().full(usual_bucket, c.in(), c.greeks(), rows);
  for (std::size_t i = 0; i < rows; ++i) c.half_sd[i] = c.full[7][i] > 0 ? 0.5 / c.full[7][i] : 0;
  return c;
}

TEST(VectorPricing, IsTheTwinBitByBitWhereARowIsNoNumber) {
  for (const VectorPricing& v : vector_pricing_targets()) {
    for (const double odd : odd_numbers) {
      for (const std::size_t row : {std::size_t{0}, std::size_t{10}, rows - 1}) {
        for (auto column : {&Columns::strike, &Columns::sigma, &Columns::sign}) {
          if (column == &Columns::sign && std::isfinite(odd)) continue;  // it is 1 or -1
          Columns c = usual_rows();
          (c.*column)[row] = odd;
          expect_same_bits(v, usual_bucket, 63000, c);
        }
        if (std::isfinite(odd)) continue;
        for (auto column :
             {&Columns::strike, &Columns::sign, &Columns::log_strike, &Columns::half_sd}) {
          Columns a = usual_rows();
          (a.*column)[row] = odd;
          Columns b = a;
          expect_same_ticks(v, usual_bucket, a, b);
        }
        Columns a = usual_rows();
        a.full[7][row] = odd;  // 1 / sd
        Columns b = a;
        expect_same_ticks(v, usual_bucket, a, b);
        if (HasFatalFailure()) return;
      }
    }
  }
}

TEST(VectorPricing, IsTheTwinBitByBitWhereTheBucketIsNoNumber) {
  constexpr std::array fields{&BucketPoint::forward, &BucketPoint::years, &BucketPoint::rate,
                              &BucketPoint::discount};
  for (const VectorPricing& v : vector_pricing_targets()) {
    for (double BucketPoint::*const field : fields) {
      for (const double odd : {no_number, -no_number, endless, -endless, 0.0, -1.0, 1e308}) {
        BucketPoint at = usual_bucket;
        at.*field = odd;
        expect_same_bits(v, at, at.forward, usual_rows());
        if (HasFatalFailure()) return;
      }
    }
  }
}

// What is behind the last row is read in groups, and is not judged.
TEST(VectorPricing, ARowIsTheTwinsWhateverIsBehindTheLastOne) {
  for (const VectorPricing& v : vector_pricing_targets()) {
    const Columns whole = usual_rows();
    Columns c = usual_rows();
    for (std::size_t i = 9; i < 16; ++i) c.strike[i] = no_number;
    v.kernels.full(usual_bucket, c.in(), c.greeks(), 9);
    for (std::size_t column = 0; column < c.full.size(); ++column) {
      for (std::size_t i = 0; i < 9; ++i) {
        EXPECT_TRUE(same(c.full[column][i], whole.full[column][i])) << v.target << " " << i;
      }
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

// As a vector's Min and Max do when their operands are the other way round.
void hides_no_number(const BucketPoint& at, const OptionColumns& in, const GreekColumns& out,
                     std::size_t count) noexcept {
  scalar_pricing().full(at, in, out, count);
  for (std::size_t i = 0; i < count; ++i) {
    if (std::isnan(out.price[i])) out.price[i] = 0;
  }
}
void hides_no_tick(const BucketPoint& at, const PreparedColumns& in, const TickColumns& out,
                   std::size_t count) noexcept {
  scalar_pricing().tick(at, in, out, count);
  for (std::size_t i = 0; i < count; ++i) {
    if (std::isnan(out.price[i])) out.price[i] = 0;
  }
}

TEST(VectorPricing, AKernelThatHidesWhatIsNoNumberIsNotTaken) {
  EXPECT_FALSE(agrees_with_twin({&hides_no_number, scalar_pricing().tick}));
  EXPECT_FALSE(agrees_with_twin({scalar_pricing().full, &hides_no_tick}));
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
