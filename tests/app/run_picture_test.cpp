// Pictures of several boots put together, and the day that they are of. Room: tests.
#include <gtest/gtest.h>

#include <cmath>

#include "ops/app/run_picture.hpp"
#include "ops/app/trading_day.hpp"

namespace gimbal {
namespace {

RunPicture boot(std::uint32_t epoch, double from, double equity) {
  RunPicture p;
  BootLine line;
  line.boot.epoch = epoch;
  line.from = from;
  line.to = from + 10;
  line.events = 100;
  p.boots.push_back(line);
  UnderlyingHistory u;
  u.name = "BTC";
  u.first_equity = equity;
  u.inside_s = 8;
  HistorySample s;
  s.t = from;
  s.pnl = 0;
  u.samples.push_back(s);
  s.t = from + 10;
  s.pnl = 0.5;
  s.options = 0.25;
  s.fees = -0.1;
  u.samples.push_back(s);
  p.underlyings.push_back(u);
  HistoryFill f;
  f.t = from + 1;
  f.gap.priced = true;
  f.gap.shortfall_usd = Money{3};
  f.gap.mark[0] = Price{1};
  f.gap.after_usd[0] = Money{5};
  f.traded_usd = Money{1000};
  p.fills.push_back(f);
  add(p.all_gaps, f);
  p.gaps.push_back({"venue deribit", p.all_gaps});
  p.refusals["DeltaLimit"] = epoch;
  p.limits.push_back({"delta", "coins", static_cast<double>(epoch), 10});
  p.placed = 2;
  p.seconds = 10;
  ProfitRow row;
  row.name = "boot " + std::to_string(epoch);
  row.first_equity = equity;
  row.last_equity = equity + 0.5;
  row.profit.profit = 0.5;
  p.profit.push_back({VenueId{0}, currency("BTC"), {row}});
  return p;
}

TEST(RunPicture, TheSumsOfADayAreThoseOfItsBoots) {
  RunPicture day = boot(1, 100, 40);
  join(day, boot(2, 200, 39));
  EXPECT_EQ(day.boots.size(), 2U);
  EXPECT_EQ(day.events(), 200U);
  EXPECT_EQ(day.placed, 4U);
  EXPECT_EQ(day.seconds, 20);
  EXPECT_EQ(day.fills.size(), 2U);
  ASSERT_EQ(day.gaps.size(), 1U);
  EXPECT_EQ(day.gaps[0].totals.fills, 2U);
  EXPECT_EQ(day.gaps[0].totals.shortfall_usd, Money{6});
  EXPECT_EQ(day.gaps[0].totals.traded_usd, Money{2000});
  EXPECT_EQ(day.gaps[0].totals.marked[0], 2U);
  EXPECT_EQ(day.gaps[0].totals.marked[1], 0U);
  EXPECT_EQ(day.refusals["DeltaLimit"], 3U);
  ASSERT_EQ(day.limits.size(), 1U);
  EXPECT_EQ(day.limits[0].used, 2);
  // From 40 to 40.5, to 39 while nobody ran, to 39.5.
  ASSERT_EQ(day.profit.size(), 1U);
  ASSERT_EQ(day.profit[0].rows.size(), 3U);
  EXPECT_EQ(day.profit[0].rows[1].name, "between boots");
  EXPECT_EQ(day.profit[0].rows[1].profit.profit, -1.5);
  EXPECT_EQ(day.profit[0].whole().profit, -0.5);
}

TEST(RunPicture, LinesGoOnFromTheDaysBeginAndAreBrokenBetweenBoots) {
  RunPicture day = boot(1, 100, 40);
  join(day, boot(2, 200, 39));
  ASSERT_EQ(day.underlyings.size(), 1U);
  const std::vector<HistorySample>& s = day.underlyings[0].samples;
  ASSERT_EQ(s.size(), 5U);
  EXPECT_TRUE(std::isnan(s[2].pnl) && std::isnan(s[2].residual) && std::isnan(s[2].explained()));
  EXPECT_GT(s[2].t, s[1].t);
  EXPECT_LT(s[2].t, s[3].t);
  EXPECT_EQ(s[3].pnl, -1) << "the equity, against the day's first";
  EXPECT_EQ(s[4].pnl, -0.5);
  EXPECT_EQ(s[4].options, 0.5) << "what was explained adds up";
  EXPECT_EQ(day.underlyings[0].inside_s, 16);
}

TEST(TradingDay, IsTheTwentyFourHoursFromItsStartOn) {
  const auto number = parse_day("2026-11-29");
  ASSERT_TRUE(number.has_value());
  const TradingDay day{*number, seconds(8 * 3600)};
  EXPECT_EQ(day.midnight().unix_ns, INT64_C(1795910400) * 1'000'000'000);
  EXPECT_EQ(day.begin(), day.midnight() + seconds(8 * 3600));
  EXPECT_EQ(day.end(), day.midnight() + seconds(32 * 3600));
  EXPECT_EQ(parse_day("1970-01-01"), 0);
  for (const char* none : {"", "2026-02-29", "2026-13-01", "2026-1-01", "2026-11-29 ", "x026-11-29",
                           "2026/11/29", "-026-11-29"}) {
    EXPECT_FALSE(parse_day(none).has_value()) << none;
  }
  EXPECT_TRUE(parse_day("2028-02-29").has_value());
}

}  // namespace
}  // namespace gimbal
