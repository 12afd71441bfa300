// Candles and funding as the exchange remembers them.
#include "venues/sim/history.hpp"

#include <gtest/gtest.h>

namespace gimbal::sim {
namespace {

constexpr ExchTime midnight{1'790'035'200'000'000'000};  // a whole day since 1970
constexpr Nanos minute = seconds(60);

Price usd(std::int64_t units) { return Price{units * nano_per_unit}; }

TEST(Candles, TradesOfAMinuteMakeOneCandleAndTheNextMinuteAnother) {
  CandleSeries s;
  s.add(midnight + seconds(1), usd(100), 1, 100);
  s.add(midnight + seconds(2), usd(103), 2, 206);
  s.add(midnight + seconds(3), usd(99), 1, 99);
  s.add(midnight + seconds(59), usd(101), 1, 101);
  s.add(midnight + seconds(60), usd(105), 1, 105);
  const auto rows = s.collect(midnight, midnight + minute, minute, 10);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].start, midnight);
  EXPECT_EQ(rows[0].open, usd(100));
  EXPECT_EQ(rows[0].high, usd(103));
  EXPECT_EQ(rows[0].low, usd(99));
  EXPECT_EQ(rows[0].close, usd(101));
  EXPECT_DOUBLE_EQ(rows[0].volume, 5);
  EXPECT_DOUBLE_EQ(rows[0].cost, 506);
  EXPECT_EQ(rows[1].open, usd(105));
}

TEST(Candles, AMinuteWithoutTradesRepeatsTheCloseAndNothingComesBeforeTheFirstTrade) {
  CandleSeries s;
  EXPECT_TRUE(s.collect(midnight, midnight + minute, minute, 10).empty());
  s.add(midnight + minute * 2, usd(100), 1, 100);
  s.add(midnight + minute * 5, usd(110), 1, 110);
  const auto rows = s.collect(midnight, midnight + minute * 6, minute, 10);
  ASSERT_EQ(rows.size(), 5U);
  EXPECT_EQ(rows[0].start, midnight + minute * 2);
  EXPECT_EQ(rows[1].open, usd(100));
  EXPECT_EQ(rows[1].high, usd(100));
  EXPECT_DOUBLE_EQ(rows[1].volume, 0);
  EXPECT_EQ(rows[3].open, usd(110));
  EXPECT_EQ(rows[4].close, usd(110));
}

TEST(Candles, WiderOnesAreAlignedAndTheSumOfTheirMinutes) {
  CandleSeries s;
  for (int i = 0; i < 20; ++i) s.add(midnight + minute * i, usd(100 + i), 1, 100 + i);
  const auto rows = s.collect(midnight + seconds(1), midnight + minute * 19, minute * 5, 10);
  ASSERT_EQ(rows.size(), 3U) << "the first whole one begins at minute 5";
  EXPECT_EQ(rows[0].start, midnight + minute * 5);
  EXPECT_EQ(rows[0].open, usd(105));
  EXPECT_EQ(rows[0].close, usd(109));
  EXPECT_DOUBLE_EQ(rows[0].volume, 5);
}

TEST(Candles, TheNewestAreKeptWhenMoreAreAskedForThanAllowed) {
  CandleSeries s;
  for (int i = 0; i < 20; ++i) s.add(midnight + minute * i, usd(100 + i), 1, 1);
  const auto rows = s.collect(midnight, midnight + minute * 19, minute, 4);
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_EQ(rows.back().start, midnight + minute * 19);
}

TEST(Funding, WhatIsPaidBetweenTwoTimesIsTheSumOfItsSteps) {
  FundingSeries f;
  for (int i = 1; i <= 7200; ++i) f.add(midnight + seconds(i), 1e-6, 0.01, usd(100'000 + i));
  EXPECT_NEAR(f.paid(midnight, midnight + seconds(7200)), 7200e-6, 2e-6);
  EXPECT_NEAR(f.paid(midnight + seconds(3600), midnight + seconds(7200)), 3600e-6, 60e-6)
      << "to the minute";
  EXPECT_EQ(f.paid(midnight + seconds(7200), midnight + seconds(1)), 0);
  EXPECT_EQ(f.paid(midnight + seconds(9000), midnight + seconds(9900)), 0);
}

TEST(Funding, EachFullHourLeavesARow) {
  FundingSeries f;
  for (int i = 1; i <= 7201; ++i) f.add(midnight + seconds(i), 1e-6, 0.01, usd(100'000 + i));
  ASSERT_EQ(f.hours().size(), 2U);
  const FundingHour& h = f.hours()[1];
  EXPECT_EQ(h.end, midnight + seconds(7200));
  EXPECT_NEAR(h.interest_1h, 3600e-6, 2e-6);
  EXPECT_DOUBLE_EQ(h.interest_8h, 0.01);
  EXPECT_GT(h.index, h.previous_index);
}

}  // namespace
}  // namespace gimbal::sim
