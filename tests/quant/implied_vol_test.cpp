// Implied volatility against rows whose sigma is the exact inverse of the price, and its
// properties.
#include "engine/quant/implied_vol.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <map>
#include <string>

#include "engine/core/pricing.hpp"
#include "engine/quant/normalised_black.hpp"
#include "tests/support/number_table.hpp"
#include "tests/support/random_terms.hpp"
#include "tests/support/shared_data.hpp"

namespace gimbal::quant {
namespace {

using test::NumberTable;

constexpr double tolerance = 8;  // in units of the attainable relative accuracy

QuotedOption row_of(const NumberTable& t, std::size_t row) {
  return {t.text(row, "type") == "C" ? OptionType::call : OptionType::put,
          t.number(row, "F"),
          t.number(row, "K"),
          t.number(row, "T"),
          t.number(row, "df"),
          t.number(row, "price")};
}

void check_file(const std::string& path) {
  const NumberTable t{path};
  std::map<std::string, double> worst;
  std::size_t solved = 0;
  for (std::size_t row = 0; row < t.size(); ++row) {
    const QuotedOption o = row_of(t, row);
    ASSERT_TRUE(solvable(o)) << "row " << row;
    const ImpliedVol v = implied_vol(o);
    ASSERT_EQ(to_string(v.status), t.text(row, "status")) << "row " << row;
    if (v.status != VolStatus::ok) {
      EXPECT_EQ(v.sigma, 0) << "row " << row;
      continue;
    }
    const double attainable = t.number(row, "attainable_rel");
    const double error = std::abs(v.sigma / t.number(row, "sigma") - 1) / attainable;
    EXPECT_LE(error, tolerance) << "row " << row << ", sigma " << v.sigma;
    EXPECT_NEAR(v.attainable / attainable, 1, 1e-9) << "row " << row;
    double& most = worst[t.text(row, "bucket")];
    most = std::max(most, error);
    ++solved;
  }
  EXPECT_GT(solved, t.size() / 2);
  std::printf("%zu rows, %zu solved, largest errors in attainable units:", t.size(), solved);
  for (const auto& [bucket, error] : worst) std::printf(" %s %.2f", bucket.c_str(), error);
  std::printf("\n");
}

TEST(ImpliedVol, MatchesTheProjectsOwnRows) {
  check_file(test::fixture_path("quant/implied_vol.csv"));
}

TEST(ImpliedVol, MatchesTheGoldenRows) {
  const std::string path = test::shared_path("data/quant/implied_vol.csv");
  if (!test::present(path)) GTEST_SKIP() << path << " is not here";
  check_file(path);
}

// The pricing room and the solver share no formula but ln(F/K) and the Mills ratio.
TEST(ImpliedVol, RecoversTheVolatilityOfAPrice) {
  test::Numbers n;
  double worst = 0;
  for (int i = 0; i < 20000; ++i) {
    OptionTerms t = test::random_terms(n);
    t.sigma = std::exp(n.uniform(-4, 2));
    t.discount = n.uniform(0.8, 1);
    const LinearGreeks g = price_linear(t);
    const double price = g.price;
    const QuotedOption o{t.type, t.forward, t.strike, t.years, t.discount, price};
    const ImpliedVol v = implied_vol(o);
    if (v.status != VolStatus::ok || v.attainable > 1e-6 || price < 1e-290) continue;
    const double error = std::abs(v.sigma / t.sigma - 1) / v.attainable;
    worst = std::max(worst, error);
    // The price is a difference of two terms and has their rounding errors (the pricing room's own
    // tolerance); the solver cannot know.
    const double d1 = std::log(t.forward / t.strike) / (t.sigma * std::sqrt(t.years)) +
                      0.5 * t.sigma * std::sqrt(t.years);
    const double terms = 2 * std::abs(g.delta) * t.forward + price;
    const double price_error = 16 * 0x1p-53 * (1 + (1 + std::abs(d1)) * (1 + std::abs(d1))) * terms;
    EXPECT_LE(error, 8 + price_error / (g.vega * t.sigma * v.attainable)) << i;
  }
  std::printf("largest error in attainable units: %.2f\n", worst);
}

TEST(ImpliedVol, IsMonotoneInThePriceAcrossAllSegments) {
  for (const double strike : {100.0, 100.0000001, 101.0, 150.0, 1000.0}) {
    double last = 0;
    for (int i = 1; i < 4000; ++i) {
      const double share = i / 4000.0;
      const QuotedOption o{OptionType::call, 100, strike, 0.5, 1, 100 * share * share * share};
      const ImpliedVol v = implied_vol(o);
      ASSERT_EQ(v.status, VolStatus::ok);
      EXPECT_GT(v.sigma, last) << "strike " << strike << " price " << o.price;
      last = v.sigma;
    }
  }
}

TEST(ImpliedVol, CallAndPutOfOneStrikeAgreeByParity) {
  test::Numbers n;
  for (int i = 0; i < 5000; ++i) {
    const OptionTerms t = test::random_terms(n);
    if (std::abs(std::log(t.forward / t.strike)) > t.sigma * std::sqrt(t.years)) continue;
    const OptionTerms other = test::other_type(t);
    const ImpliedVol a =
        implied_vol({t.type, t.forward, t.strike, t.years, 1, price_linear(t).price});
    const ImpliedVol b =
        implied_vol({other.type, t.forward, t.strike, t.years, 1, price_linear(other).price});
    ASSERT_EQ(a.status, VolStatus::ok);
    ASSERT_EQ(b.status, VolStatus::ok);
    EXPECT_NEAR(a.sigma / b.sigma, 1, 64 * (a.attainable + b.attainable));
  }
}

TEST(ImpliedVol, StatusTurnsOnTheLastBitOfThePrice) {
  // 110 - 100 is exact, 0.75 (F - K) too: one step of the price decides.
  const auto status = [](OptionType type, double forward, double price) {
    return implied_vol({type, forward, 100, 0.25, 0.75, price}).status;
  };
  EXPECT_EQ(status(OptionType::call, 110, 7.5), VolStatus::zero_time_value);
  EXPECT_EQ(status(OptionType::call, 110, std::nextafter(7.5, 0)), VolStatus::below_intrinsic);
  EXPECT_EQ(status(OptionType::call, 110, std::nextafter(7.5, 8)), VolStatus::ok);
  EXPECT_EQ(status(OptionType::call, 110, 82.5), VolStatus::above_maximum);
  EXPECT_EQ(status(OptionType::call, 110, std::nextafter(82.5, 0)), VolStatus::ok);
  EXPECT_EQ(status(OptionType::put, 90, 75), VolStatus::above_maximum);
  EXPECT_EQ(status(OptionType::put, 110, 0), VolStatus::zero_time_value);
  EXPECT_EQ(status(OptionType::put, 110, -5e-324), VolStatus::below_intrinsic);
}

// df (F - K) of these doubles is no double: rounding it would give the wrong answer.
TEST(ImpliedVol, StatusUsesTheExactIntrinsicValue) {
  const double forward = 1.0;
  const double strike = 0x1p-60;
  EXPECT_EQ(implied_vol({OptionType::call, forward, strike, 1, 1, 1.0}).status,
            VolStatus::above_maximum);
  EXPECT_EQ(implied_vol({OptionType::call, forward, strike, 1, 1, std::nextafter(1.0, 0)}).status,
            VolStatus::below_intrinsic);
}

TEST(ImpliedVol, TheSmallestAndLargestPricesAreSolved) {
  for (const double price : {5e-324, 1e-300, 1e-200, 99.99999, std::nextafter(100.0, 0)}) {
    for (const double strike : {100.0, 100.1, 400.0}) {
      const ImpliedVol v = implied_vol({OptionType::call, 100, strike, 1, 1, price});
      ASSERT_EQ(v.status, VolStatus::ok) << price << " " << strike;
      EXPECT_TRUE(std::isfinite(v.sigma) && v.sigma > 0) << price << " " << strike;
      EXPECT_TRUE(std::isfinite(v.attainable)) << price << " " << strike;
    }
  }
}

TEST(ImpliedVol, TermsOutOfRangeAreNotSolvable) {
  const QuotedOption good{OptionType::call, 100, 100, 1, 1, 5};
  EXPECT_TRUE(solvable(good));
  for (double QuotedOption::*field : {&QuotedOption::forward, &QuotedOption::strike,
                                      &QuotedOption::years, &QuotedOption::discount}) {
    for (const double bad : {0.0, -1.0, double(NAN), double(INFINITY), 1e200}) {
      QuotedOption o = good;
      o.*field = bad;
      EXPECT_FALSE(solvable(o));
    }
  }
  QuotedOption o = good;
  o.price = NAN;
  EXPECT_FALSE(solvable(o));
  o = good;
  o.type = OptionType::none;
  EXPECT_FALSE(solvable(o));
}

TEST(NormalisedBlack, InverseNormalOfLogReturnsToTheTail) {
  for (double z = -37; z < -0.01; z += 0.0371) {
    const double log_p = std::log(0.5 * std::erfc(-z / std::sqrt(2.0)));
    EXPECT_NEAR(inverse_normal_of_log(log_p) / z, 1, 1e-8) << z;
  }
  EXPECT_EQ(inverse_normal_of_log(0), 0);
}

TEST(NormalisedBlack, ValueAndComplementAddUpToTheMaximum) {
  for (const double x : {0.0, -1e-9, -0.01, -1.0, -20.0}) {
    for (const double s : {1e-6, 1e-3, 0.3, 1.0, 5.0, 20.0}) {
      const NormalisedBlack b = normalised_black(x, s);
      EXPECT_NEAR((b.value + b.complement) / std::exp(x / 2), 1, 1e-14) << x << " " << s;
      EXPECT_GE(b.value, 0);
    }
  }
}

}  // namespace
}  // namespace gimbal::quant
