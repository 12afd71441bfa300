// Own elementary functions against the C library, the generator, and the second Black-76.
#include "venues/sim/numeric.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "venues/sim/black.hpp"

namespace gimbal::sim {
namespace {

TEST(Numeric, ExpAndLogAgreeWithTheLibrary) {
  for (double x = -50; x <= 50; x += 0.0371) {
    EXPECT_NEAR(exp_of(x) / std::exp(x), 1, 1e-14) << x;
    const double y = std::exp(x);
    EXPECT_NEAR(log_of(y), std::log(y), 1e-15 + std::abs(x) * 1e-15) << x;
  }
}

TEST(Numeric, NormalCdfAgreesWithErfc) {
  for (double x = -7.9; x <= 7.9; x += 0.013) {
    EXPECT_NEAR(normal_cdf(x), 0.5 * std::erfc(-x / std::sqrt(2.0)), 2e-15) << x;
  }
}

TEST(Numeric, RoundingIsHalfAwayFromZero) {
  EXPECT_EQ(round_to(0.125, 2), 0.13);
  EXPECT_EQ(round_to(-0.125, 2), -0.13);
  EXPECT_EQ(to_nano(-1.5), -1'500'000'000);
  EXPECT_EQ(to_nano(1e300), 9'200'000'000'000'000'000);
}

TEST(Numeric, GeneratorIsUniformAndNormalEnough) {
  Rng rng{42};
  double sum = 0;
  double squares = 0;
  double fourth = 0;
  constexpr int n = 200'000;
  for (int i = 0; i < n; ++i) {
    const double z = rng.normal();
    sum += z;
    squares += z * z;
    fourth += z * z * z * z;
    ASSERT_LT(rng.below(7), 7u);
  }
  EXPECT_NEAR(sum / n, 0, 0.01);
  EXPECT_NEAR(squares / n, 1, 0.02);
  EXPECT_NEAR(fourth / n, 3, 0.12);
}

TEST(Black, PutCallParityAndKnownValue) {
  const BlackInput call{true, 100, 100, 1, 0.2};
  EXPECT_NEAR(black_value(call), 7.965567455405804, 1e-12);
  for (double k = 50; k < 200; k += 7) {
    const BlackInput c{true, 100, k, 0.3, 0.8};
    const BlackInput p{false, 100, k, 0.3, 0.8};
    EXPECT_NEAR(black_value(c) - black_value(p), 100 - k, 1e-11);
  }
}

TEST(Black, ImpliedVolInvertsTheValue) {
  for (double k = 60; k < 180; k += 5) {
    for (const double vol : {0.2, 0.6, 1.5}) {
      BlackInput in{k > 100, 100, k, 0.1, vol};
      const double value = black_value(in);
      if (value < 1e-6) continue;
      EXPECT_NEAR(black_implied_vol(in, value), vol, 1e-6) << k << ' ' << vol;
    }
  }
  EXPECT_EQ(black_implied_vol({true, 100, 80, 0.1, 0}, 19.9), 0);  // below intrinsic
  EXPECT_EQ(black_implied_vol({true, 100, 100, 0.01, 0}, 90), 5);  // capped
}

TEST(Black, GreeksAreTheValuesDerivatives) {
  const BlackInput in{false, 100'000, 95'000, 0.08, 0.55};
  const Greeks g = black_greeks(in, black_value(in));
  const auto value = [&](double f, double vol) {
    BlackInput b = in;
    b.forward = f;
    b.vol = vol;
    return black_value(b);
  };
  EXPECT_NEAR(g.delta, (value(100'001, 0.55) - value(99'999, 0.55)) / 2, 1e-7);
  EXPECT_NEAR(g.vega, (value(100'000, 0.551) - value(100'000, 0.549)) / 0.2, 1e-3);
  EXPECT_NEAR(
      g.gamma,
      value(100'100, 0.55) / 1e4 + value(99'900, 0.55) / 1e4 - 2 * value(100'000, 0.55) / 1e4,
      1e-9);
}

TEST(Black, ThetaNeverExceedsWhatTheOptionIsWorth) {
  const BlackInput wing{true, 100'000, 120'000, 0.003, 0.6};
  const double worth = black_value(wing);
  EXPECT_NEAR(black_greeks(wing, worth).theta, -worth, worth * 1e-9);
}

}  // namespace
}  // namespace gimbal::sim
