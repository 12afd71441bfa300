#include "strategies/delta_hedge/delta_hedge.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "strategies/registry.hpp"
#include "tests/support/engine_world.hpp"
#include "tests/support/hedge_fixture.hpp"

namespace gimbal {
namespace {

using test::amount;
using test::HedgeTest;
using test::usd;

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

TEST_F(HedgeTest, LookingOverTheNextHedgeNamesItsOrderAndChangesNoneOfIt) {
  go(2400);  // 0.048 coins
  const StrategyId hedge{0};
  const OrderId next = core().look_over(test::the_coin, hedge);
  const EngineCounters before = core().counters();
  for (int n = 0; n < 5; ++n) EXPECT_EQ(core().look_over(test::the_coin, hedge), next);
  EXPECT_EQ(core().look_over(UnderlyingId{underlyings_max}, hedge), next) << "of none";
  EXPECT_EQ(core().counters().commands, before.commands);
  ASSERT_TRUE(placed().empty());
  moment(milliseconds(20), 47500);  // 0.0505
  ASSERT_EQ(placed().size(), 1U);
  EXPECT_EQ(placed()[0].order, next);
  EXPECT_EQ(core().gate().refused_total(), 0U);
}

TEST_F(HedgeTest, TradesToZeroWhenToldToWithoutFlippingTheSign) {
  config.target = HedgeTarget::zero;
  go(-5004);
  moment();
  ASSERT_EQ(placed().size(), 1U);
  EXPECT_EQ(placed()[0].side, Side::buy);
  EXPECT_EQ(placed()[0].amount, amount(5000));
}

// --- what an earlier boot left resting (a hedge of that boot made markets)

struct LeftOver : HedgeTest {
  PlaceOrder left;  // sells 1000 far from the market, if not told otherwise
  StrategyId of{0};
  Side side{Side::sell};
  double price{60000};

  PlaceOrder report(std::uint32_t number, double size = 1000) {
    OpenOrderReport r;
    r.order = make_order_id(6, of, number);
    r.price = usd(price);
    r.amount = amount(size);
    r.side = side;
    send(EventKind::open_order_report, r, perp);
    PlaceOrder o;
    o.order = r.order;
    o.instrument = perp;
    o.price = r.price;
    o.amount = r.amount;
    o.side = r.side;
    return o;
  }
  OrderState state(const PlaceOrder& o) const { return core().orders().find(o.order)->state; }
  // Long `held` USD; `orders` of them rest, all found by the picture before the arm.
  void adopted(double held, std::uint32_t orders = 1) {
    DeltaHedge hedge{StrategyId{0}};
    ASSERT_EQ(hedge.add(config, test::the_coin, perp), "");
    start(hedge);
    gateway(GatewayState::ready);
    clock();
    snapshot(perp, 49999.5, 50000.5);
    mark(perp, 50000, 50000);
    option_ticker(0.6, 50000, 50000);
    reconcile(ReconcilePhase::begin);
    position(perp, held);
    for (std::uint32_t n = 1; n <= orders; ++n) left = report(n);
    reconcile(ReconcilePhase::complete);
    seen.clear();
    operate(OperatorAction::arm);
    ASSERT_EQ(answer(), OperatorResult::accepted);
  }
};

// An order of another strategy between the market and the end of the hedge's reach: the whole order
// would be refused (self_match), though it would be filled long before.
TEST_F(LeftOver, OfAnotherStrategyTheHedgeReachesATickLessFar) {
  of = StrategyId{1};
  side = Side::buy;
  price = 49950;
  adopted(5000);
  moment();
  ASSERT_EQ(placed().size(), 1U);
  EXPECT_EQ(placed()[0].side, Side::sell);
  EXPECT_EQ(placed()[0].price, usd(49950.5)) << "not 49899.5";
  EXPECT_EQ(core().gate().refused(Refusal::self_match), 0U);
}

TEST_F(LeftOver, OfAnotherStrategyTheHedgeThatBuysReachesATickLessFarToo) {
  of = StrategyId{1};
  price = 50001;
  adopted(-5000);
  moment();
  ASSERT_EQ(placed().size(), 1U);
  EXPECT_EQ(placed()[0].side, Side::buy);
  EXPECT_EQ(placed()[0].price, usd(50000.5)) << "the best ask itself";
}

TEST_F(LeftOver, OfAnotherStrategyAtTheTopLeavesNothingToTake) {
  of = StrategyId{1};
  side = Side::buy;
  price = 49999.5;
  adopted(5000);
  moment();
  EXPECT_TRUE(placed().empty());
  EXPECT_GE(core().gate().refused(Refusal::self_match), 1U);
}

TEST_F(LeftOver, OfAnotherStrategyOutOfReachChangesNothing) {
  of = StrategyId{1};
  side = Side::buy;
  price = 49899;
  adopted(5000);
  moment();
  ASSERT_EQ(placed().size(), 1U);
  EXPECT_EQ(placed()[0].price, usd(49899.5));
}

TEST_F(LeftOver, IsCancelledOnceAndTheHedgeTakesWhenItIsGone) {
  adopted(5000);  // 0.1 long
  moment();
  ASSERT_EQ(count(CommandKind::cancel), 1U);
  EXPECT_TRUE(placed().empty()) << "beside an order that may still fill";
  moment();
  EXPECT_EQ(count(CommandKind::cancel), 1U) << "asked once";
  EXPECT_TRUE(placed().empty());
  done(left, 0);
  moment();
  ASSERT_EQ(placed().size(), 1U);
  EXPECT_EQ(placed()[0].amount, amount(2500)) << "nothing of it counts any more";
}

TEST_F(LeftOver, FilledWhileItsCancelIsOnItsWayIsNotHedgedTwice) {
  adopted(5000);
  moment();
  fill(left, 1000);
  moment();
  ASSERT_EQ(placed().size(), 1U);
  EXPECT_EQ(placed()[0].amount, amount(1500)) << "the rest, from 4000 to the edge at 2500";
}

TEST_F(LeftOver, IsCancelledInsideTheBandToo) {
  adopted(1000);
  moment();
  EXPECT_EQ(count(CommandKind::cancel), 1U);
  EXPECT_TRUE(placed().empty());
}

TEST_F(LeftOver, EveryOneOfThemIsTakenBackBeforeTheHedgeGoesOn) {
  adopted(5000, 3);
  moment();
  EXPECT_EQ(count(CommandKind::cancel), 3U);
  for (std::uint32_t n = 1; n <= 3; ++n) {
    EXPECT_TRUE(placed().empty());
    PlaceOrder o = left;
    o.order = make_order_id(6, StrategyId{0}, n);
    done(o, 0);
  }
  moment();
  EXPECT_EQ(placed().size(), 1U);
  EXPECT_EQ(count(CommandKind::cancel), 3U);
}

TEST_F(LeftOver, WithoutAnAnswerToTheCancelOnlyWhatEveryOutcomeNeedsIsHedged) {
  adopted(10000);  // 0.2 long
  moment();
  ASSERT_EQ(count(CommandKind::cancel), 1U);
  run(milliseconds(101));
  ASSERT_EQ(state(left), OrderState::unknown);
  moment();
  ASSERT_EQ(placed().size(), 1U) << "within the time of one answer, whatever became of it";
  EXPECT_EQ(placed()[0].amount, amount(6500)) << "filled it is 9000, unfilled 10000: to 2500";
  EXPECT_EQ(count(CommandKind::cancel), 1U);
  lookup(left, LookupOutcome::open);
  run(milliseconds(5));
  EXPECT_EQ(count(CommandKind::cancel), 2U) << "found at work: cancelled again by the core";
}

TEST_F(LeftOver, AMakerKeepsOneOfThemAndTakesTheOthersBack) {
  config.execution = HedgeExecution::maker;
  adopted(5000, 3);
  moment();
  EXPECT_EQ(count(CommandKind::cancel), 2U);
  EXPECT_TRUE(placed().empty());
  EXPECT_EQ(count(CommandKind::replace), 0U) << "not before the others are gone";
  for (std::uint32_t n = 1; n <= 3; ++n) {
    PlaceOrder o = left;
    o.order = make_order_id(6, StrategyId{0}, n);
    if (state(o) != OrderState::live) done(o, 0);
  }
  moment();
  EXPECT_EQ(count(CommandKind::replace), 1U) << "the one that stays goes to the market";
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
    moment(seconds(1));
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

TEST_F(HedgeTest, OrdersWithoutEffectComeAtOnceThreeTimesAndThenLeaveTheRateToOthers) {
  go(5000);
  std::size_t ended = 0;
  const auto fruitless = [&](int moments) {
    for (int i = 0; i < moments; ++i) {
      if (ended < placed().size()) done(placed()[ended++], 0, DoneReason::ioc_remainder);
      moment(milliseconds(50));
    }
    return placed().size();
  };
  EXPECT_EQ(fruitless(3), 4U);    // no pause yet
  EXPECT_LE(fruitless(60), 9U);   // 0.1, 0.2, 0.4, 0.8, 1.6 s in three seconds
  EXPECT_GE(fruitless(60), 10U);  // two seconds at most
  EXPECT_FALSE(state().stopped);
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

}  // namespace
}  // namespace gimbal
