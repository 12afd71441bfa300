// Limits of the delta hedge, its maker and its bands.
#include <gtest/gtest.h>

#include <cmath>

#include "strategies/delta_hedge/delta_hedge.hpp"
#include "strategies/registry.hpp"
#include "tests/support/engine_world.hpp"
#include "tests/support/hedge_fixture.hpp"

namespace gimbal {
namespace {

using test::amount;
using test::HedgeTest;
using test::money;
using test::usd;

TEST_F(HedgeTest, TradesNoMoreThanItsBudgetOfASecond) {
  config.usd_per_second_max = money(3000);
  go(50000);
  double traded = 0;
  for (std::size_t filled = 0, i = 0; i < 40; ++i) {
    if (filled < placed().size()) {
      traded += to_double(placed()[filled].amount);
      fill_whole(placed()[filled++]);
    }
    moment();
  }
  EXPECT_EQ(traded, 3000);
  moment(milliseconds(300));
  EXPECT_EQ(placed().back().amount, amount(3000));
  EXPECT_EQ(placed().size(), 2U);
}

TEST_F(HedgeTest, StaysInsideTheOrderLimitsOfTheGate) {
  setup.limits.max_order_usd = money(1000);
  go(50000);
  moment();
  ASSERT_EQ(placed().size(), 1U);
  EXPECT_EQ(placed()[0].amount, amount(1000));
}

TEST_F(HedgeTest, MovesNothingOnOldDataOrAnInvalidBook) {
  config.data_age_max = milliseconds(100);
  go(2000);
  Fill f;
  f.trade = TradeId{5, 5};
  f.amount = amount(10000);
  f.price = usd(50000);
  advance(milliseconds(200));
  send(EventKind::fill, f, perp);
  EXPECT_TRUE(placed().empty());
  send(EventKind::feed_status, FeedStatus{}, perp);
  mark(perp, 50000, 50000);
  EXPECT_TRUE(placed().empty());
  snapshot(perp, 49999.5, 50000.5);
  EXPECT_EQ(placed().size(), 1U) << "a pause blocks growth, not the hedge that lowers delta";
}

TEST_F(HedgeTest, HedgesInReduceAndStopsInHalt) {
  go(2000);
  operate(OperatorAction::kill, Mode::reduce);
  Fill f;
  f.trade = TradeId{5, 5};
  f.amount = amount(10000);
  f.price = usd(50000);
  send(EventKind::fill, f, perp);
  EXPECT_EQ(placed().size(), 1U);
  fill_whole(placed()[0]);
  operate(OperatorAction::kill, Mode::halt);
  f.trade = TradeId{5, 6};
  send(EventKind::fill, f, perp);
  moment();
  EXPECT_EQ(placed().size(), 1U);
}

TEST_F(HedgeTest, InUsdTheTargetContainsTheEquity) {
  config.numeraire = Numeraire::usd;
  config.target = HedgeTarget::zero;
  setup.underlyings[0].numeraire = Numeraire::usd;
  go();
  moment();
  EXPECT_TRUE(placed().empty()) << "no margin report yet: the residual is not known";
  MarginReport m;
  m.settlement = currency("BTC");
  m.equity = money(2);
  send(EventKind::margin_report, m);
  ASSERT_EQ(placed().size(), 1U);
  EXPECT_EQ(placed()[0].side, Side::sell) << "two coins of equity are short two coins of perpetual";
  EXPECT_EQ(placed()[0].amount, amount(100000));
}

TEST_F(HedgeTest, TheMakerRestsPassivelyAndFollowsTheMarket) {
  config.execution = HedgeExecution::maker;
  go(5000);
  moment();
  ASSERT_EQ(placed().size(), 1U);
  const PlaceOrder o = placed()[0];
  EXPECT_EQ(o.flags & order_flag::post_only, order_flag::post_only);
  EXPECT_EQ(o.side, Side::sell);
  EXPECT_EQ(o.price, usd(50000.5));
  ack(o);
  moment();
  EXPECT_EQ(count(CommandKind::replace), 0U) << "where it is, it is near enough";
  moment(milliseconds(20), 50100);
  EXPECT_EQ(count(CommandKind::replace), 1U);
}

TEST_F(HedgeTest, AnOrderAtRestFollowsTheMarketWithoutThePauseOfFruitlessOnes) {
  config.execution = HedgeExecution::maker;
  go(5000);
  moment();
  for (std::size_t ended = 0; ended < 7; ++ended) {
    while (placed().size() == ended) moment(milliseconds(100));
    done(placed()[ended], 0);
  }
  while (placed().size() == 7) moment(milliseconds(100));
  ASSERT_GT(state().cycles, 5U) << "the next new order would wait";
  ack(placed()[7]);
  moment(milliseconds(20), 50100);
  EXPECT_EQ(count(CommandKind::replace), 1U);
}

TEST_F(HedgeTest, TheMakerWithLongGammaRestsWhereTheBandWouldBeLeft) {
  config.execution = HedgeExecution::maker;
  go(0, 10);
  Fill flat;  // bring the delta to about zero
  flat.trade = TradeId{4, 4};
  flat.side = Side::sell;
  flat.price = usd(50000);
  flat.amount = amount(std::round(settled() * 5000) * 10);
  const std::size_t before = placed().size();
  ASSERT_GT(before, 0U);
  done(placed().back(), 0);
  send(EventKind::fill, flat, perp);
  if (placed().size() > before) done(placed().back(), 0);
  moment();
  const auto all = placed();
  ASSERT_FALSE(all.empty());
  const PlaceOrder& o = all.back();
  const double gamma = core().view().risk(test::the_coin).gamma_net.value;
  ASSERT_GT(gamma, 0);
  if (o.side == Side::sell) {
    EXPECT_GT(o.price, usd(50000.5));
  } else {
    EXPECT_LT(o.price, usd(49999.5));
  }
  const double distance = std::abs(to_double(o.price) - 50000);
  EXPECT_NEAR(distance, 0.05 / gamma, 0.05 / gamma * 0.2 + 1);
}

// A clean day: the market walks, jumps now and then, the hedge follows. No control may call it out.
TEST_F(HedgeTest, ADayOfHedgingTripsNothing) {
  config.target = HedgeTarget::zero;
  setup.limits.order_rate_per_s = 3;
  setup.limits.order_burst = 14;
  setup.limits.cancel_reserve = 4;
  setup.limits.price_drift_bps = 300;
  go(0, -10);
  double mid = 50000;
  std::uint64_t random = 11;
  std::size_t hedges = 0;
  for (int s = 0; s < 86400 * 2; ++s) {
    random = random * 6364136223846793005ULL + 1442695040888963407ULL;
    const double jump = (random >> 33) % 2000 == 0 ? 10 : 1;  // no outlier
    mid += 0.5 * jump * (static_cast<double>((random >> 40) % 41) - 20) + 0.0005 * (50000 - mid);
    mid = std::round(mid * 2) / 2;
    if (s % 4 == 0) option_ticker(0.6, mid, mid);
    moment(milliseconds(500), mid);
    for (const PlaceOrder& o : placed()) {
      ++hedges;
      fill_whole(o);
    }
    for (const Command& c : seen) {
      ASSERT_NE(c.kind(), CommandKind::raise) << s << " " << static_cast<int>(c.raise().code);
    }
    seen.clear();
  }
  EXPECT_GT(hedges, 300U);
  EXPECT_EQ(core().gate().refused_total(), 0U);
  EXPECT_FALSE(state().stopped);
}

// Orders that cannot pass: the hedge asks again ever more slowly and is not disabled for it.
TEST_F(HedgeTest, RefusedHedgesAreAskedForEverMoreSlowly) {
  setup.limits.collar_bps = 0;  // the hedge reaches beyond the mark
  go(50000);
  std::size_t first_second = 0;
  for (int n = 0; n < 600; ++n) {
    moment(milliseconds(100));
    if (n == 10) first_second = core().gate().refused_total();
  }
  EXPECT_LE(first_second, 4U);
  EXPECT_LT(core().gate().refused_total(), 20U);
  for (const Command& c : seen) {
    if (c.kind() != CommandKind::raise) continue;
    EXPECT_NE(c.raise().code, TripCode::strategy_denials);
  }
}

// As in the pipelined topology: the last gate's refusal comes back through a ring.
TEST_F(HedgeTest, ARefusalThatComesSomeLooksLaterSlowsItDownAsMuch) {
  go(50000);
  std::size_t refused = 0;
  int looks = 0;
  for (int n = 0; n < 3000; ++n) {
    moment(milliseconds(10));
    if (placed().size() == refused || ++looks < 3) continue;
    looks = 0;
    OrderReject r;
    r.order = placed()[refused++].order;
    r.reason = RejectReason::last_gate;
    send(EventKind::order_reject, r, perp);
  }
  EXPECT_GE(refused, 8U);
  EXPECT_LT(refused, 20U) << "every 100 ms it would be 200 in these 30 s";
  EXPECT_FALSE(state().stopped);
}

TEST_F(HedgeTest, AnOrderThatPassesEndsTheRowOfRefusals) {
  go(50000);
  const auto refuse = [&](const PlaceOrder& o) {
    OrderReject r;
    r.order = o.order;
    r.reason = RejectReason::last_gate;
    send(EventKind::order_reject, r, perp);
  };
  moment();
  ASSERT_EQ(placed().size(), 1U);
  refuse(placed()[0]);
  for (int n = 0; n < 6; ++n) moment();
  ASSERT_EQ(placed().size(), 2U) << "after 100 ms";
  refuse(placed()[1]);
  for (int n = 0; n < 11; ++n) moment();
  ASSERT_EQ(placed().size(), 3U) << "after 200 ms";
  moment();
  done(placed()[2], 0, DoneReason::ioc_remainder);
  moment();
  moment();
  ASSERT_EQ(placed().size(), 4U) << "at once: that one was not refused";
  refuse(placed()[3]);
  for (int n = 0; n < 6; ++n) moment();
  EXPECT_EQ(placed().size(), 5U) << "after 100 ms again";
}

TEST_F(HedgeTest, WithoutRoomInTheThrottleItWaitsWithoutAsking) {
  setup.limits.order_rate_per_s = 1;
  setup.limits.order_burst = 4;
  setup.limits.cancel_reserve = 2;
  config.interval_min = milliseconds(1);
  go(50000);
  for (std::size_t filled = 0, n = 0; n < 200; ++n) {
    moment(milliseconds(20), n % 2 == 0 ? 50000 : 50500);
    if (filled < placed().size()) done(placed()[filled++], 0, DoneReason::ioc_remainder);
  }
  EXPECT_EQ(core().gate().refused_total(), 0U);
  EXPECT_GE(placed().size(), 5U);
}

TEST(HedgeBand, CubeRootIsExactToTheLastDigits) {
  for (double x = 1e-12; x < 1e12; x *= 1.37) {
    EXPECT_NEAR(cube_root(x) / std::cbrt(x), 1.0, 1e-15) << x;
  }
  EXPECT_EQ(cube_root(27.0), 3.0);
  EXPECT_EQ(cube_root(0), 0);
  EXPECT_EQ(cube_root(-1), 0);
}

TEST(HedgeBand, TheFormulaMinimisesCostPlusVariance) {
  const double cost = 6e-4, price = 50000, gamma = 3e-4, aversion = 1e-5, sigma = 0.6;
  const double best = whalley_wilmott_band(cost, price, gamma, aversion);
  const auto burden = [&](double h) {
    return cost * price * std::pow(gamma * price * sigma, 2) / (2 * h) +
           aversion * std::pow(price * sigma * h, 2) / 6;
  };
  for (const double other : {0.9, 0.99, 1.01, 1.1}) EXPECT_GT(burden(best * other), burden(best));
  EXPECT_EQ(whalley_wilmott_band(cost, price, gamma, 0), 0);
  EXPECT_EQ(whalley_wilmott_band(cost, price, -gamma, aversion), best);
}

TEST_F(HedgeTest, TheGammaBandFollowsGammaAndIsClamped) {
  config.risk_aversion = 1e-7;
  config.band_max = 10;
  go(0, -10);
  moment();
  const double gamma = core().view().risk(test::the_coin).gamma_net.value;
  EXPECT_NEAR(state().band, whalley_wilmott_band(6e-4, 50000, gamma, 1e-7), 1e-3);
}

TEST(Registry, HoldsTheStrategiesInOrder) {
  const StrategySet all = make_strategies();
  EXPECT_EQ(std::get<0>(all).id(), StrategyId{0});
  EXPECT_EQ(std::get<1>(all).id(), StrategyId{1});
}

}  // namespace
}  // namespace gimbal
