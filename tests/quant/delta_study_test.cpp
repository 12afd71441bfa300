// The comparison of deltas on worlds where the answer is known.
#include "engine/quant/surface/delta_study.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "engine/core/pricing.hpp"

namespace gimbal::quant {
namespace {

constexpr double step_years = 10.0 / 31'536'000;

double smile(double k) { return 0.6 - 0.3 * k; }

// A month of 11 strikes; the smile stays with the forward (stickiness 0), with the strike (1), or
// runs ahead of it (2).
DeltaStudy world(double stickiness, int steps, double noise = 0) {
  DeltaStudy study;
  std::mt19937_64 random{7};
  std::normal_distribution<double> normal;
  double forward = 100'000;
  double shift = 0;  // of the smile's centre from the forward, in log
  double years = 30.0 / 365;
  for (int n = 0; n < steps; ++n) {
    std::vector<OptionMoment> moments;
    for (std::uint32_t i = 0; i < 11; ++i) {
      const double strike = 80'000 + 4'000.0 * i;
      const double k = std::log(strike / forward);
      const double sigma = smile(k + shift) + noise * normal(random);
      moments.push_back({i, OptionType::call, strike, forward, years, sigma, -0.3});
    }
    study.observe(moments);
    const double move = 5e-4 * normal(random);
    forward *= std::exp(move);
    shift += stickiness * move;
    years -= step_years;
  }
  return study;
}

TEST(DeltaStudy, FindsTheSmileThatMovesWithTheForward) {
  const DeltaStudy s = world(0, 400);
  EXPECT_GT(s.score().gain_of(s.score().sticky_delta), 0.9);
  EXPECT_GT(s.score().gain_of(s.score().minimum_variance), 0.9);
  EXPECT_NEAR(s.fitted()[0], 0.3 * std::sqrt(30.0 / 365), 0.05) << "-slope sqrt(T)";
  EXPECT_NE(s.usable(), (std::array<double, 3>{}));
  EXPECT_GT(s.score().changes, 3000U);
}

TEST(DeltaStudy, BlackIsRightWhenTheVolatilityStaysWithTheStrike) {
  const DeltaStudy s = world(1, 400, 5e-5);
  EXPECT_LT(s.score().gain_of(s.score().sticky_delta), -1);
  EXPECT_LT(s.score().gain_of(s.score().minimum_variance), 0.05);
}

TEST(DeltaStudy, MinimumVarianceFollowsWhatStickyDeltaGetsWrong) {
  const DeltaStudy s = world(2, 400);
  EXPECT_LT(s.score().gain_of(s.score().sticky_delta), 0);
  EXPECT_GT(s.score().gain_of(s.score().minimum_variance), 0.9);
  EXPECT_LT(s.fitted()[0], 0);
}

TEST(DeltaStudy, SaysNothingBeforeItHasJudgedEnough) {
  EXPECT_EQ(world(0, 60).usable(), (std::array<double, 3>{}));
  EXPECT_NE(world(0, 80).usable(), (std::array<double, 3>{}));
  EXPECT_EQ(world(0, 1).score().steps, 0U);
}

TEST(DeltaStudy, NoiseAloneGainsNothing) {
  const DeltaStudy s = world(1, 800, 1e-3);
  EXPECT_LT(s.score().gain_of(s.score().minimum_variance), 0.01);
}

TEST(DeltaStudy, NumbersThatAreNoneAreLeftOut) {
  DeltaStudy s;
  const OptionMoment good{1, OptionType::call, 100'000, 100'000, 0.1, 0.6, 0};
  for (int n = 0; n < 100; ++n) {
    OptionMoment bad = good;
    bad.id = 2;
    bad.sigma = n % 2 == 0 ? std::nan("") : 0.6;
    OptionMoment short_lived = good;
    short_lived.id = 3;
    short_lived.years = 0.0001;
    s.observe(std::vector<OptionMoment>{bad, short_lived, good});
  }
  EXPECT_TRUE(std::isfinite(s.score().black));
  EXPECT_LE(s.score().changes, 100U);
}

}  // namespace
}  // namespace gimbal::quant
