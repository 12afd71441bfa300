// The judgements of data quality, each at its boundary.
#include <gtest/gtest.h>

#include "engine/core/quality/clock_offset.hpp"
#include "engine/core/quality/event_budget.hpp"
#include "engine/core/quality/outlier.hpp"
#include "engine/core/quality/receive_lag.hpp"
#include "engine/core/quality/staleness.hpp"

namespace gimbal {
namespace {

constexpr RecvTime start{seconds(600).count};
Price usd(double v) { return Price{static_cast<std::int64_t>(v * 1e9)}; }

TEST(Staleness, AgeIsOfDataAndNeverOlderThanTheLastSleep) {
  EXPECT_EQ(Staleness::age(start, {}, {}), Nanos{}) << "no data yet";
  EXPECT_EQ(Staleness::age(start, start - seconds(2), {}), seconds(2));
  EXPECT_EQ(Staleness::age(start, start - seconds(2), start - milliseconds(5)), milliseconds(5));
  EXPECT_EQ(Staleness::age(start, start + seconds(1), {}), Nanos{}) << "never negative";
}

TEST(Staleness, AWitnessMovedByMoreThanItsTicksNotByExactlySoMany) {
  const Price tick = usd(0.5);
  EXPECT_FALSE(Staleness::witnessed(usd(50001.5), usd(50000), tick, 3));
  EXPECT_TRUE(Staleness::witnessed(usd(50001.6), usd(50000), tick, 3));
  EXPECT_TRUE(Staleness::witnessed(usd(49998.4), usd(50000), tick, 3));
  EXPECT_FALSE(Staleness::witnessed(usd(50100), Price{}, tick, 3)) << "no index then";
}

TEST(EventBudget, CountsWhatLiesWithinTheMinute) {
  EventBudget b;
  for (int i = 0; i < 10; ++i) (void)b.count(start);
  EXPECT_EQ(b.count(start + seconds(54)), 11);
  EXPECT_EQ(b.count(start + seconds(60)), 2) << "the first ten are over a minute old";
  EXPECT_EQ(b.count(start + seconds(6000)), 1);
}

struct Outliers : testing::Test {
  QualityLimits limits;
  OutlierFilter filter;
  RecvTime now{start};
  // A minute that swings by a tick around 50000.
  void minute() {
    for (int i = 0; i < 600; ++i) {
      now = now + milliseconds(100);
      ASSERT_FALSE(filter.judge(usd(50000 + (i % 2)), usd(50000), now, limits).outlier());
    }
  }
};

TEST_F(Outliers, APerpetualFurtherFromItsIndexThanTheLimitIsOneAndAtTheLimitIsNot) {
  EXPECT_FALSE(filter.judge(usd(52500), usd(50000), now, limits).outlier()) << "5.00 %";
  const auto v = filter.judge(usd(52505), usd(50000), now, limits);
  EXPECT_EQ(v.kind, OutlierFilter::Kind::index);
  EXPECT_EQ(v.limit_bps, 500);
  EXPECT_EQ(v.actual_bps, 501);
  EXPECT_TRUE(filter.judge(usd(47495), usd(50000), now, limits).outlier());
}

TEST_F(Outliers, TheMinuteSaysNothingBeforeItHasEnoughPrices) {
  for (int i = 1; i < OutlierFilter::samples_min; ++i) {
    (void)filter.judge(usd(50000), {}, now, limits);
  }
  EXPECT_FALSE(filter.judge(usd(60000), {}, now, limits).outlier());
}

TEST_F(Outliers, APriceFarFromTheMinuteIsOneUntilItHasStayedForTheHold) {
  minute();
  const Price spike = usd(51000);
  EXPECT_EQ(filter.judge(spike, usd(50000), now, limits).kind, OutlierFilter::Kind::minute);
  now = now + limits.outlier_hold - Nanos{1};
  EXPECT_TRUE(filter.judge(spike, usd(50000), now, limits).outlier());
  now = now + Nanos{1};
  EXPECT_FALSE(filter.judge(spike, usd(50000), now, limits).outlier()) << "it is the market";
  EXPECT_FALSE(filter.judge(usd(51001), usd(50000), now, limits).outlier());
}

TEST_F(Outliers, AStillMarketMayMoveByHalfAPercent) {
  minute();
  EXPECT_FALSE(filter.judge(usd(50249), usd(50000), now, limits).outlier());
  EXPECT_TRUE(filter.judge(usd(50300), usd(50000), now, limits).outlier());
}

TEST_F(Outliers, AWildMinuteAllowsWhatItsDeviationDoes) {
  for (int i = 0; i < 600; ++i) {
    now = now + milliseconds(100);
    (void)filter.judge(usd(50000 + (i % 2) * 400), {}, now, limits);
  }
  // Mean 50200, deviation 200: ten of them are 2000.
  EXPECT_TRUE(filter.judge(usd(52210), {}, now, limits).outlier());
  EXPECT_FALSE(filter.judge(usd(52190), {}, now, limits).outlier());
}

TEST_F(Outliers, AnIndexThatDisagreesIsNotOutvotedByTime) {
  for (int i = 0; i < 100; ++i) {
    now = now + seconds(1);
    EXPECT_TRUE(filter.judge(usd(60000), usd(50000), now, limits).outlier());
  }
}

TEST_F(Outliers, TenThousandSpikesNeverPassAndNeverMoveTheMinute) {
  minute();
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_TRUE(filter.judge(usd(i % 2 == 0 ? 51500 : 48500), {}, now, limits).outlier()) << i;
    ASSERT_FALSE(filter.judge(usd(50000), {}, now, limits).outlier()) << i;
  }
}

TEST_F(Outliers, PricesOfEverySizeAreJudgedWithoutOverflow) {
  for (const double v : {0.001, 1.0, 9'999'999.0, 9e9}) {
    OutlierFilter f;
    for (int i = 0; i < 400'000; ++i) (void)f.judge(usd(v), {}, now, limits);
    EXPECT_FALSE(f.judge(usd(v), {}, now, limits).outlier()) << v;
  }
}

TEST(ReceiveLag, BeginsAboveItsLimitAndEndsBelowTheOther) {
  QualityLimits l;
  ReceiveLag lag;
  EXPECT_FALSE(lag.note(5'000'000, l)) << "at the limit";
  EXPECT_FALSE(lag.lagging());
  EXPECT_TRUE(lag.note(5'000'001, l));
  EXPECT_FALSE(lag.note(9'000'000, l)) << "told once";
  EXPECT_FALSE(lag.note(1'000'000, l));
  EXPECT_TRUE(lag.lagging()) << "not below lag_clear";
  EXPECT_FALSE(lag.note(999'999, l));
  EXPECT_FALSE(lag.lagging());
  EXPECT_EQ(lag.begun(), 1U);
  EXPECT_EQ(lag.worst(), Nanos{9'000'000});
}

TEST(ClockOffset, WarnsAboveItsLimitAndPausesAboveHalfAnOrdersLife) {
  const QualityLimits l;
  const Nanos ttl = milliseconds(500);
  using V = ClockOffset::Verdict;
  EXPECT_EQ(ClockOffset::judge(milliseconds(100), {}, ttl, l), V::fine);
  EXPECT_EQ(ClockOffset::judge(milliseconds(100) + Nanos{1}, {}, ttl, l), V::warn);
  EXPECT_EQ(ClockOffset::judge(milliseconds(-250), {}, ttl, l), V::warn);
  EXPECT_EQ(ClockOffset::judge(milliseconds(-250) - Nanos{1}, {}, ttl, l), V::pause);
  EXPECT_EQ(ClockOffset::judge(milliseconds(300), milliseconds(60), ttl, l), V::warn)
      << "only what is certain counts";
  EXPECT_EQ(ClockOffset::judge(seconds(3600), milliseconds(60), ttl, l), V::pause);
}

}  // namespace
}  // namespace gimbal
