// Profit and loss of the day: trips at their limits, to the nano and to the tick.
#include <cmath>

#include "tests/support/controls_fixture.hpp"

namespace gimbal {
namespace {

struct DayTest : test::ControlsTest {
  [[nodiscard]] Qty owned() const {
    Qty sum{};
    for (std::size_t owner = 0; owner < ProfitLedger::owners_max; ++owner) {
      sum += core().profits().held(perp, owner);
    }
    return sum;
  }
};

// --- P-19
// -----------------------------------------------------------------------------------------

TEST_F(DayTest, ALossExactlyAtItsLimitPassesAndANanoMoreTrips) {
  for (const bool over : {false, true}) {
    setup.limits = test::wide_limits();
    // 100,000 USD from 50,000 to 40,000: half a coin, 20,000 USD.
    setup.limits.max_strategy_loss_usd = Money{money(20000).nano - (over ? 1 : 0)};
    restart(0, 0);
    hold(100000);
    tick(45000);
    EXPECT_TRUE(raised().empty());
    tick(40000);
    EXPECT_EQ(core().snapshot().day_profit_usd, money(-20000));
    EXPECT_EQ(count_of(TripCode::strategy_loss), over ? 1U : 0U);
    EXPECT_EQ(mode(strategy_scope()), over ? Mode::reduce : Mode::active);
    if (!over) continue;
    const Trip t = only(TripCode::strategy_loss);
    EXPECT_EQ(t.limit, money(20000).nano - 1);
    EXPECT_EQ(t.actual, money(20000).nano);
    EXPECT_TRUE(t.latched);
    market(40000);
    mark(perp, 40000, 40000);
  }
}

TEST_F(DayTest, ThreeCrashesTripWithinOneTickOfTheirThreshold) {
  for (const double slope : {0.0005, 0.002, 0.01}) {
    setup.limits = test::wide_limits();
    setup.limits.max_day_loss_usd = money(30000);
    restart(200000, 0);
    std::uint64_t random = 17;
    double mid = 50000;
    bool tripped = false;
    for (int n = 0; n < 2000 && !tripped; ++n) {
      random = random * 6364136223846793005ULL + 1442695040888963407ULL;
      const double noise = (static_cast<double>((random >> 40) % 2001) - 1000) * 1e-6;
      mid = std::round(mid * (1 - slope + noise) * 2) / 2;
      tick(mid);
      const double loss = -200000 * (mid / 50000 - 1);
      if (std::abs(loss - 30000) < 1e-3) continue;
      ASSERT_EQ(count_of(TripCode::global_loss), loss > 30000 ? 1U : 0U) << slope << " " << n;
      tripped = loss > 30000;
    }
    EXPECT_TRUE(tripped);
    EXPECT_EQ(mode({}), Mode::reduce);
  }
}

TEST_F(DayTest, AfterALossExitsPassAndGrowthDoesNot) {
  setup.limits.max_day_loss_usd = money(1000);
  setup.limits.collar_bps = 10000;
  armed();
  hold(100000);
  tick(49000);
  EXPECT_EQ(only(TripCode::global_loss).scope, Scope{});
  EXPECT_FALSE(order(50000, 1000).order.valid());
  EXPECT_EQ(last_refusal(), Refusal::reduce_rule);
  EXPECT_TRUE(order(48000, 100000, Side::sell).order.valid());
}

TEST_F(DayTest, DrawdownIsMeasuredFromTheDaysPeak) {
  setup.limits.max_drawdown_usd = money(25000);
  armed(100000);
  tick(62500);  // 25,000 USD up
  tick(50000);  // all of it gone: at the limit
  EXPECT_TRUE(raised().empty());
  tick(49999.5);
  const Trip t = only(TripCode::drawdown);
  EXPECT_EQ(t.evidence, money(25000).nano);
  EXPECT_GT(t.actual, t.limit);
}

TEST_F(DayTest, ANewDayBeginsAtZeroAndAnOldTripStays) {
  setup.limits.max_day_loss_usd = money(3001);
  armed(100000);
  tick(48500);  // 3,000 USD
  EXPECT_TRUE(raised().empty());
  advance(seconds(86400));
  market(48500);
  EXPECT_EQ(core().snapshot().day_profit_usd, Money{});
  tick(47530);  // 2,000 of a new day
  EXPECT_TRUE(raised().empty());
  tick(46500);
  EXPECT_EQ(count_of(TripCode::global_loss), 1U);
  advance(seconds(86400));
  market(46500);
  EXPECT_EQ(mode({}), Mode::reduce);
}

TEST_F(DayTest, TheDayBeginsAtItsConfiguredHour) {
  setup.limits.day_start = seconds(8 * 3600);
  armed(100000);
  tick(49000);
  // 1.8e18 ns are 20,833 days and 8 hours: a day of 08:00 began 1,000 seconds ago.
  ASSERT_EQ(test::clock_offset % 86'400'000'000'000, seconds(8 * 3600).count);
  advance(seconds(86400 - 1100) - milliseconds(100));
  market(49000);
  EXPECT_LT(core().snapshot().day_profit_usd, Money{});
  advance(seconds(200));
  market(49000);
  EXPECT_EQ(core().snapshot().day_profit_usd, Money{});
}

TEST_F(DayTest, WhatTheAccountHeldCountsForTheDayAndForNoStrategy) {
  setup.limits.max_strategy_loss_usd = money(1);
  armed(100000);
  tick(40000);
  EXPECT_TRUE(raised().empty());
  EXPECT_EQ(core().snapshot().day_profit_usd, money(-20000));
}

TEST_F(DayTest, TheLedgerHoldsWhatThePortfolioHoldsWhateverHappens) {
  setup.limits.order_rate_per_s = setup.limits.order_burst = 100000;
  setup.limits.price_drift_bps = 1'000'000;
  armed(5000);
  std::uint64_t random = 23;
  for (int n = 0; n < 3000; ++n) {
    random = random * 6364136223846793005ULL + 1442695040888963407ULL;
    const double size = 10 * static_cast<double>(1 + (random >> 40) % 50);
    const bool buy = (random >> 50 & 1) != 0;
    switch ((random >> 33) % 4) {
      case 0: hold(buy ? size : -size); break;
      case 1: venue_fill(buy ? size : -size); break;
      case 2: tick(50000 + 0.5 * static_cast<double>((random >> 36) % 100)); break;
      default:
        reconcile(ReconcilePhase::begin);
        position(perp, size);
        position(option, 0);
        reconcile(ReconcilePhase::complete);
        break;
    }
    ASSERT_EQ(owned(), core().portfolio().position(perp)) << n;
    rearm_strategy();
    market(50000);
    seen.clear();
  }
}

}  // namespace
}  // namespace gimbal
