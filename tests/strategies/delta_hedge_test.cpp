#include "strategies/delta_hedge/delta_hedge.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "strategies/registry.hpp"
#include "tests/support/engine_world.hpp"

namespace gimbal {
namespace {

using test::amount;
using test::money;
using test::usd;

struct HedgeTest : testing::Test, test::World<DeltaHedge> {
  DeltaHedgeConfig config;

  HedgeTest() {
    config.underlying = "BTC";
    config.numeraire = Numeraire::coin;
    config.band = 0.05;
    config.interval_min = milliseconds(10);
  }
  // Short ten options and a perpetual position that makes the delta about flat, armed.
  void go(double perp_held = 0, double option_held = 0) {
    DeltaHedge hedge{StrategyId{0}};
    ASSERT_EQ(hedge.add(config, test::the_coin, perp), "");
    start(hedge);
    to_armed(50000, perp_held, option_held);
  }
  const HedgeState& state() { return std::get<0>(engine->strategies()).state(test::the_coin); }
  double settled() const {
    return static_cast<double>(core().view().residual(test::the_coin)->settled) * 1e-9;
  }
  // The market moves on by a moment: data stays fresh and strategies look.
  void moment(Nanos d = milliseconds(20), double mid = 50000) {
    advance(d);
    market(mid);
  }
  void fill_whole(const PlaceOrder& o) {
    ack(o);
    fill(o, to_double(o.amount));
  }
};

TEST_F(HedgeTest, RefusesAConfigWithoutANumeraire) {
  DeltaHedge hedge;
  config.numeraire = Numeraire::unset;
  EXPECT_NE(hedge.add(config, test::the_coin, perp), "");
  config.numeraire = Numeraire::usd;
  EXPECT_EQ(hedge.add(config, test::the_coin, perp), "");
  EXPECT_NE(hedge.add(config, test::the_coin, perp), "");
  EXPECT_NE(hedge.add(config, UnderlyingId{1}, InstrumentId{}), "");
}

TEST_F(HedgeTest, DoesNothingInsideTheBand) {
  go(2000);  // 0.04 coins
  moment();
  EXPECT_TRUE(placed().empty());
  EXPECT_FALSE(state().outside);
}

TEST_F(HedgeTest, SellsBackToTheEdgeInWholeLots) {
  go(5000);  // 0.1 coins long, the band is 0.05
  moment();
  ASSERT_EQ(placed().size(), 1U);
  const PlaceOrder o = placed()[0];
  EXPECT_EQ(o.side, Side::sell);
  EXPECT_EQ(o.amount, amount(2500));
  EXPECT_EQ(o.tif, TimeInForce::immediate_or_cancel);
  EXPECT_EQ(o.price, usd(49899.5)) << "20 bp under the bid, on the aggressive tick";
  fill_whole(o);
  moment();
  EXPECT_EQ(placed().size(), 1U);
  EXPECT_LE(std::abs(settled()), 0.05);
}

TEST_F(HedgeTest, TradesToZeroWhenToldToWithoutFlippingTheSign) {
  config.target = HedgeTarget::zero;
  go(-5004);
  moment();
  ASSERT_EQ(placed().size(), 1U);
  EXPECT_EQ(placed()[0].side, Side::buy);
  EXPECT_EQ(placed()[0].amount, amount(5000));
}

TEST_F(HedgeTest, LeavesLessThanHalfALot) {
  config.band = 0;
  config.target = HedgeTarget::zero;
  go(4);
  moment();
  EXPECT_TRUE(placed().empty());
}

TEST_F(HedgeTest, HedgesAMoveOfTheUnderlyingThroughTheOptionsGamma) {
  config.target = HedgeTarget::zero;
  go(0, -10);
  moment();
  ASSERT_FALSE(placed().empty());
  fill_whole(placed().back());
  const std::size_t before = placed().size();
  moment();
  EXPECT_EQ(placed().size(), before);
  moment(milliseconds(20), 50800);
  ASSERT_EQ(placed().size(), before + 1) << settled();
  EXPECT_EQ(placed().back().side, Side::buy) << "short gamma buys on the way up";
  fill_whole(placed().back());
  EXPECT_LT(std::abs(settled()), 0.05);
}

TEST_F(HedgeTest, OneOrderAtATime) {
  go(50000);
  moment();
  moment();
  moment();
  EXPECT_EQ(placed().size(), 1U);
  done(placed()[0], 0, DoneReason::ioc_remainder);
  moment();
  EXPECT_EQ(placed().size(), 2U);
}

TEST_F(HedgeTest, CountsALiveOrderAsFilled) {
  go(5000);
  moment();
  ASSERT_EQ(placed().size(), 1U);
  const auto r = core().view().residual(test::the_coin);
  EXPECT_NEAR(static_cast<double>(r->expected) * 1e-9, 0.05, 1e-6);
  EXPECT_NEAR(static_cast<double>(r->worst.high) * 1e-9, 0.1, 1e-6);
}

TEST_F(HedgeTest, WhileAnOrderIsUnknownOnlyThePartNeededInEveryOutcomeIsHedged) {
  go(5000);
  moment();
  const PlaceOrder o = placed()[0];  // sells 2500
  run(milliseconds(101));
  ASSERT_EQ(core().orders().find(o.order)->state, OrderState::unknown);
  moment();
  EXPECT_EQ(placed().size(), 1U) << "filled it is 0.05, unfilled 0.1: the outcomes disagree";
  EXPECT_GT(state().waits, 0U);
  Fill f;  // someone else makes us 0.2 longer: needed in every outcome
  f.trade = TradeId{5, 5};
  f.price = usd(50000);
  f.amount = amount(10000);
  send(EventKind::fill, f, perp);
  moment();
  ASSERT_EQ(placed().size(), 2U);
  EXPECT_EQ(placed()[1].side, Side::sell);
  EXPECT_EQ(placed()[1].amount, amount(10000)) << "0.25 in the better outcome, down to 0.05";
}

TEST_F(HedgeTest, KeepsItsDistanceInTime) {
  config.interval_min = milliseconds(500);
  go(50000);
  moment();
  ASSERT_EQ(placed().size(), 1U);
  done(placed()[0], 0, DoneReason::ioc_remainder);
  moment(milliseconds(100));
  EXPECT_EQ(placed().size(), 1U);
  moment(milliseconds(400));
  EXPECT_EQ(placed().size(), 2U);
}

TEST_F(HedgeTest, TwentyCyclesWithoutImprovementStopItAndAnArmStartsItAgain) {
  go(5000);
  for (std::size_t ended = 0, i = 0; i < 40; ++i) {
    if (ended < placed().size()) done(placed()[ended++], 0, DoneReason::ioc_remainder);
    moment();
  }
  EXPECT_EQ(placed().size(), 20U);
  EXPECT_TRUE(state().stopped);
  EXPECT_GT(traced(TraceId::hedge_stopped), 0U);
  reconcile(ReconcilePhase::begin);
  position(perp, 5000);
  reconcile(ReconcilePhase::complete);
  operate(OperatorAction::arm);
  ASSERT_EQ(answer(), OperatorResult::accepted);
  moment();
  EXPECT_EQ(placed().size(), 21U);
}

TEST_F(HedgeTest, HedgesThatWorkNeverStopIt) {
  config.target = HedgeTarget::zero;
  go(0, -10);
  for (std::size_t filled = 0, i = 0; i < 100; ++i) {
    if (filled < placed().size()) fill_whole(placed()[filled++]);
    moment(milliseconds(50), i % 2 == 0 ? 50000 : 51000);
  }
  EXPECT_GE(placed().size(), 90U);
  EXPECT_FALSE(state().stopped);
}

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
