// The comparison of deltas on worlds where the answer is known.
#include "engine/quant/surface/delta_study.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <random>

#include "engine/core/pricing.hpp"

namespace gimbal::quant {
namespace {

constexpr double step_years = 10.0 / 31'536'000;

double smile(double k) { return 0.6 - 0.3 * k; }

// A month of 11 strikes; the smile stays with the forward (stickiness 0), with the strike (1), or
// runs ahead of it (2).
using Edit = std::function<void(int step, std::vector<OptionMoment>&)>;
DeltaStudy world(
    double stickiness, int steps, double noise = 0, const Edit& edit = [](int, auto&) {}) {
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
    edit(n, moments);
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

TEST(DeltaStudy, PutsFindTheCoefficientsOfCalls) {
  const DeltaStudy calls = world(0, 400, 1e-4);
  ASSERT_GT(std::abs(calls.fitted()[0]), 0.01);
  for (const std::uint32_t every : {1U, 2U}) {
    const DeltaStudy puts = world(0, 400, 1e-4, [&](int, std::vector<OptionMoment>& m) {
      for (std::size_t i = 0; i < m.size(); i += every) m[i].type = OptionType::put;
    });
    EXPECT_EQ(puts.score().changes, calls.score().changes);
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_NEAR(puts.fitted()[i], calls.fitted()[i], 1e-6) << "all puts, or half of them";
    }
    EXPECT_NEAR(puts.score().minimum_variance / calls.score().minimum_variance, 1, 1e-6);
  }
}

TEST(DeltaStudy, OneGlitchedMarkAmongGoodOnesChangesNothing) {
  const DeltaStudy clean = world(0, 400);
  for (const double sigma : {3.0, 0.01}) {
    const DeltaStudy s = world(0, 400, 0, [&](int n, std::vector<OptionMoment>& m) {
      if (n == 200) m[5].sigma = sigma;
    });
    EXPECT_EQ(s.score().changes + 2, clean.score().changes) << "to it and from it";
    EXPECT_NEAR(s.score().black / clean.score().black, 1, 0.02);
    EXPECT_NEAR(s.score().gain_of(s.score().minimum_variance),
                clean.score().gain_of(clean.score().minimum_variance), 0.01);
    for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(s.fitted()[i], clean.fitted()[i], 1e-3);
  }
}

TEST(DeltaStudy, MomentsTooFarApartAreNoChange) {
  const auto changes_with = [](double apart_s) {
    DeltaStudy s;
    for (int n = 0; n < 20; ++n) {
      const double passed = n * apart_s / 31'536'000;
      const OptionMoment m{
          1, OptionType::call, 100'000, 100'000 + 10.0 * (n % 2), 0.1 - passed, 0.6, 0};
      s.observe(std::vector<OptionMoment>{m}, 30.0 / 31'536'000 * (1 + 1e-6));
    }
    return s.score().changes;
  };
  EXPECT_EQ(changes_with(30), 9U);
  EXPECT_EQ(changes_with(30.1), 0U);
}

TEST(DeltaStudy, IsUsedFromATwoPercentGainAndUntilALoss) {
  EXPECT_FALSE(DeltaStudy::worth(false, 0));
  EXPECT_FALSE(DeltaStudy::worth(false, 0.02));
  EXPECT_TRUE(DeltaStudy::worth(false, 0.0201));
  EXPECT_TRUE(DeltaStudy::worth(true, 0.0201));
  EXPECT_TRUE(DeltaStudy::worth(true, 0));
  EXPECT_FALSE(DeltaStudy::worth(true, -1e-9));
  EXPECT_FALSE(DeltaStudy::worth(true, std::nan("")));
  EXPECT_EQ(world(1, 800, 1e-3).usable(), (std::array<double, 3>{})) << "noise";
}

// A smile so steep that the coefficients that fit it are beyond their bound.
TEST(DeltaStudy, CoefficientsBeyondTheirBoundAreNotTaken) {
  const DeltaStudy s = world(40, 400);
  for (const double v : s.fitted()) EXPECT_LE(std::abs(v), 2);
}

// A study that forgets half at each step, told what to find: parallel moves of the volatility.
struct Found {
  DeltaStudy study{1};
  double fitted{0};
  double sigma{0.6};
  double forward{100'000};
  int steps{0};

  void look() {
    std::vector<OptionMoment> moments;
    for (std::uint32_t i = 0; i < 11; ++i) {
      moments.push_back({i, OptionType::call, 80'000 + 4'000.0 * i, forward,
                         30.0 / 365 - steps * step_years, sigma, 0});
    }
    study.observe(moments);
  }
  // The next step after which a is about `a`.
  void find(double a) {
    if (steps == 0) look();
    const double years = 30.0 / 365 - steps * step_years;
    const double moved = steps % 2 == 0 ? 10 : -10;
    sigma += (2 * a - fitted) * moved / (forward * std::sqrt(years));
    forward += moved;
    fitted = a;
    ++steps;
    look();
  }
  void find(double a, int times) {
    for (int n = 0; n < times; ++n) find(a);
  }
  [[nodiscard]] bool used() const { return study.usable() != std::array<double, 3>{}; }
};

TEST(DeltaStudy, AStepOrTwoBeyondTheBoundKeepWhatIsUsedAndThreeEndItForLong) {
  Found f;
  f.find(1.8, 90);
  ASSERT_TRUE(f.used());
  ASSERT_NEAR(f.study.fitted()[0], 1.8, 0.1);
  for (int n = 0; n < 10; ++n) {
    f.find(2.2);
    EXPECT_NEAR(f.study.usable()[0], 1.8, 0.1) << "what was found before";
    f.find(2.2);
    EXPECT_NEAR(f.study.usable()[0], 1.8, 0.1);
    f.find(1.8);
    EXPECT_NEAR(f.study.usable()[0], 1.8, 0.1);
  }
  f.find(2.2, 3);
  EXPECT_FALSE(f.used());
  EXPECT_EQ(f.study.fitted(), (std::array<double, 3>{})) << "not what an earlier hour found";
  f.find(1.8, static_cast<int>(DeltaStudy::steps_min) - 1);
  EXPECT_FALSE(f.used());
  f.find(2.2);
  f.find(1.8, static_cast<int>(DeltaStudy::steps_min));
  EXPECT_FALSE(f.used()) << "one step beyond, and it waits anew";
  f.find(1.8);
  EXPECT_TRUE(f.used());
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
