// Kernels of the pricing room and its elementary functions.
#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "engine/core/math.hpp"
#include "engine/core/pricing.hpp"
#include "tests/support/random_terms.hpp"

namespace gimbal {
namespace {

using test::Numbers;

// --- kernels ------------------------------------------------------------------------------------

struct Columns {
  static constexpr std::size_t rows = 96;
  alignas(64) std::array<double, rows> strike{}, sigma{}, sign{};
  alignas(64) std::array<std::array<double, rows>, 8> out{};
  OptionColumns in() const { return {strike.data(), sigma.data(), sign.data()}; }
  GreekColumns greeks() {
    return {out[0].data(), out[1].data(), out[2].data(), out[3].data(),
            out[4].data(), out[5].data(), out[6].data(), out[7].data()};
  }
};

Columns random_columns(Numbers& n, double forward) {
  Columns c;
  for (std::size_t i = 0; i < Columns::rows; ++i) {
    c.strike[i] = forward * n.uniform(0.5, 1.7);
    c.sigma[i] = i % 17 == 0 ? 0.0 : n.uniform(0.2, 2);
    c.sign[i] = n.uniform(0, 1) < 0.5 ? 1.0 : -1.0;
  }
  return c;
}

TEST(PricingKernels, AColumnGivesWhatSingleOptionsGive) {
  Numbers n;
  const BucketPoint at{63250.25, 0.09, 0.03, 0.9973};
  Columns c = random_columns(n, at.forward);
  scalar_pricing().full(at, c.in(), c.greeks(), Columns::rows);
  for (std::size_t i = 0; i < Columns::rows; ++i) {
    const OptionType type = c.sign[i] > 0 ? OptionType::call : OptionType::put;
    const LinearGreeks g =
        price_linear({type, at.forward, c.strike[i], at.years, c.sigma[i], at.rate, at.discount});
    EXPECT_EQ(c.out[0][i], g.price);
    EXPECT_EQ(c.out[1][i], g.delta);
    EXPECT_DOUBLE_EQ(c.out[2][i], g.gamma);
    EXPECT_DOUBLE_EQ(c.out[3][i], g.vega);
    EXPECT_DOUBLE_EQ(c.out[4][i], g.theta);
    EXPECT_DOUBLE_EQ(c.out[5][i], g.vanna);
    EXPECT_NEAR(c.out[6][i], g.speed, 1e-15 * std::abs(g.speed));
  }
}

TEST(PricingKernels, TheTickKernelFollowsTheFullOneWithinTheLossOfTheLogarithm) {
  Numbers n;
  BucketPoint at{63250.25, 0.09, 0, 1};
  Columns c = random_columns(n, at.forward);
  scalar_pricing().full(at, c.in(), c.greeks(), Columns::rows);
  std::array<double, Columns::rows> log_strike{}, half_sd{};
  const std::array<double, Columns::rows> inverse_sd = c.out[7];
  for (std::size_t i = 0; i < Columns::rows; ++i) {
    log_strike[i] = math::log(c.strike[i]);
    half_sd[i] = inverse_sd[i] > 0 ? 0.5 * c.sigma[i] * math::sqrt(at.years) : 0.0;
  }
  std::array<std::array<double, Columns::rows>, 3> ticked{};
  for (const double forward : {63250.25, 63000.0, 66000.0, 20000.0}) {
    at.forward = forward;
    scalar_pricing().full(at, c.in(), c.greeks(), Columns::rows);
    scalar_pricing().tick(
        at, {c.strike.data(), c.sign.data(), log_strike.data(), inverse_sd.data(), half_sd.data()},
        {ticked[0].data(), ticked[1].data(), ticked[2].data()}, Columns::rows);
    for (std::size_t i = 0; i < Columns::rows; ++i) {
      const double d1 =
          std::abs(math::log_ratio(forward, c.strike[i]) * inverse_sd[i]) + half_sd[i];
      const double kappa0 = 1 + (1 + d1) * (d1 + inverse_sd[i]);
      const double tolerance = 16 * 0x1p-53 * kappa0;
      EXPECT_NEAR(ticked[0][i], c.out[0][i], tolerance * (forward + c.strike[i]));
      EXPECT_NEAR(ticked[1][i], c.out[1][i], tolerance * std::abs(c.out[1][i]) + 1e-290);
      EXPECT_NEAR(ticked[2][i], c.out[2][i], tolerance * c.out[2][i] + 1e-290);
    }
  }
}

TEST(PricingKernels, LaneSumsKeepTheirOrder) {
  // Lane 0 sees 1e16, 1 and -1e16 in this order, so the 1 is lost; lane 1 keeps its own.
  std::array<double, 17> value{};
  std::array<double, 17> weight{};
  weight.fill(1);
  value[0] = 1e16;
  value[8] = 1;
  value[16] = -1e16;
  value[1] = 3;
  EXPECT_EQ(lane_dot(weight.data(), value.data(), value.size()), 3);
  EXPECT_EQ(lane_dot(weight.data(), value.data(), 0), 0);
}

// The bits of elementary functions and kernels, folded into one number. It is the same with every
// compiler, optimisation level and sanitizer; a change of it is a change of every journal's digest.
TEST(PricingKernels, BitsAreTheSameInEveryBuild) {
  Numbers n;
  std::uint64_t digest = 0xcbf29ce484222325ULL;
  const auto fold = [&](double v) {
    digest = (digest ^ std::bit_cast<std::uint64_t>(v)) * 0x100000001b3ULL;
  };
  for (int i = 0; i < 5000; ++i) {
    fold(math::exp(n.uniform(-700, 700)));
    fold(math::log(n.uniform(1e-3, 1e6)));
    fold(math::mills(n.uniform(0, 40)));
    fold(math::normal_cdf(n.uniform(-38, 38)));
    const double top = n.uniform(1, 2);
    fold(math::log_ratio(top, n.uniform(1, 2)));
    fold(math::log_quotient(top, n.uniform(1e-3, 1e3)));
  }
  for (int round = 0; round < 20; ++round) {
    const BucketPoint at{n.uniform(1000, 100000), n.uniform(0.001, 1), 0.02, 0.99};
    Columns c = random_columns(n, at.forward);
    scalar_pricing().full(at, c.in(), c.greeks(), Columns::rows);
    for (const auto& column : c.out) {
      for (const double v : column) fold(v);
    }
    fold(lane_dot(c.strike.data(), c.out[1].data(), Columns::rows));
  }
  EXPECT_EQ(digest, 5325363331572429276ULL);
}

TEST(Elementary, SpecialArgumentsGiveTheirLimits) {
  const double inf = std::numeric_limits<double>::infinity();
  EXPECT_EQ(math::exp(0), 1);
  EXPECT_EQ(math::exp(1000), inf);
  EXPECT_EQ(math::exp(-1000), 0);
  EXPECT_EQ(math::exp(-745.1), 0x1p-1074);
  EXPECT_TRUE(std::isnan(math::exp(std::nan(""))));
  EXPECT_EQ(math::log(1), 0);
  EXPECT_EQ(math::log(0), -inf);
  EXPECT_EQ(math::log(inf), inf);
  EXPECT_TRUE(std::isnan(math::log(-1)));
  EXPECT_TRUE(std::isnan(math::log(std::nan(""))));
  EXPECT_NEAR(math::log(0x1p-1074), -744.4400719213812, 1e-12);
  EXPECT_EQ(math::normal_pdf(40), 0);
  EXPECT_EQ(math::normal_cdf(0), 0.5);
  EXPECT_EQ(math::normal_cdf(40), 1);
  EXPECT_EQ(math::normal_cdf(-40), 0);
  EXPECT_TRUE(std::isnan(math::normal_pdf(std::nan(""))));
  EXPECT_GE(math::mills(inf), 0);
}

TEST(Elementary, TheDensityEndsWhereItsPowerOfTwoStaysNormal) {
  const double last = std::nextafter(math::density_end, 0.0);
  const long double want =
      std::exp(-0.5L * static_cast<long double>(last) * last) * 0.398942280401432677939946L;
  EXPECT_NEAR(static_cast<double>(math::normal_pdf(last) / want), 1, 4 * 0x1p-53);
  EXPECT_EQ(math::normal_pdf(-last), math::normal_pdf(last));
  EXPECT_EQ(math::normal_pdf(math::density_end), 0);
  EXPECT_EQ(math::normal_pdf(std::numeric_limits<double>::infinity()), 0);
}

// Against long double, whose 64 bits leave 11 to see the error with.
TEST(Elementary, ErrorsStayBelowThoseStated) {
  Numbers n;
  double exp_worst = 0;
  double log_worst = 0;
  double ratio_worst = 0;
  double quotient_worst = 0;  // relative, in 2^-53
  const auto ulps = [](double got, long double want) {
    const int exponent = std::ilogb(static_cast<double>(want));
    return static_cast<double>(
        std::abs((static_cast<long double>(got) - want) * std::ldexp(1.0L, 52 - exponent)));
  };
  for (int i = 0; i < 200000; ++i) {
    const double x = i % 2 == 0 ? n.uniform(-700, 700) : n.uniform(-1, 1);
    exp_worst = std::max(exp_worst, ulps(math::exp(x), std::exp(static_cast<long double>(x))));
    const double y = i % 2 == 0 ? n.uniform(1e-6, 1e6) : n.uniform(0.5, 2);
    log_worst = std::max(log_worst, ulps(math::log(y), std::log(static_cast<long double>(y))));
    const double b = n.uniform(1000, 100000);
    const double a = b * (1 + n.uniform(-1, 1) * std::exp(-n.uniform(0, 20)));
    const long double gap = (static_cast<long double>(a) - b) / b;
    ratio_worst = std::max(ratio_worst, a == b ? 0 : ulps(math::log_ratio(a, b), std::log1p(gap)));
    const double far = b * std::exp(n.uniform(-1, 1) * (i % 2 == 0 ? 1.0 : 400.0));
    for (const double top : {a, far}) {
      const long double apart = (static_cast<long double>(top) - b) / b;
      const long double want =
          std::abs(apart) < 0.5L ? std::log1p(apart) : std::log(static_cast<long double>(top) / b);
      const long double error = std::abs(math::log_quotient(top, b) - want);
      if (error == 0) continue;
      quotient_worst =
          std::max(quotient_worst, static_cast<double>(error / std::abs(want) * 0x1p53L));
    }
  }
  std::printf("largest errors in ulp: exp %.3f log %.3f log_ratio %.3f; log_quotient %.3f u\n",
              exp_worst, log_worst, ratio_worst, quotient_worst);
  EXPECT_LT(exp_worst, 1.1);
  EXPECT_LT(log_worst, 1.0);
  EXPECT_LT(ratio_worst, 2.0);
  EXPECT_LT(quotient_worst, 3.5);
}

}  // namespace
}  // namespace gimbal
