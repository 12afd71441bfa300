// Whom the ladder keeps waiting and whom it tells: orders of others, a RED in which nothing
// shrinks, a configuration that does not fit.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "tests/support/liquidation_fixture.hpp"

namespace gimbal {
namespace {

using test::amount;
using test::LiquidationTest;
using test::money;
using test::usd;

// The two parts of a step: what others ask for is final before the ladder looks, and the ladder
// looks at the same event.
TEST_F(LiquidationTest, AnOrderOfAnotherStrategyIsOutBeforeTheLadderLooksAtTheSameEvent) {
  go(4, 0.4);
  moment();
  ASSERT_EQ(state().state, MarginState::green);
  ASSERT_TRUE(puppet.next->place(wish(Side::buy, 1000)));
  MarginReport m;
  m.settlement = settlement;
  m.equity = m.balance = m.margin_balance = money(maintenance / 0.85);
  m.maintenance_margin = money(maintenance);
  advance(milliseconds(60));
  Event head = make_event(EventKind::margin_report, test::the_venue, {}, now, venue_time(), m);
  head.add_flag(event_flag::last_in_packet);
  Event parts[event_parts_max];
  const std::size_t count = write_parts(head, m, parts);
  for (std::size_t n = 0; n + 1 < count; ++n) step(parts[n]);
  parts[count - 1].set_seq({++seq});
  engine->begin(parts[count - 1], out);
  ASSERT_EQ(out.size(), 1U);
  ASSERT_EQ(out[0].kind(), CommandKind::place);
  EXPECT_EQ(out[0].place()->order.strategy(), StrategyId{0});
  EXPECT_EQ(state().state, MarginState::green);
  const OrderId first = out[0].place()->order;
  engine->rest(out);
  EXPECT_EQ(state().state, MarginState::red);
  ASSERT_GE(out.size(), 2U);
  EXPECT_EQ(out[0].place()->order, first);
  EXPECT_EQ(out[1].kind(), CommandKind::raise);
}

// As in the pipelined topology: the last gate's refusal comes back through a ring.
TEST_F(LiquidationTest, ARefusalThatComesSomeLooksLaterSlowsTheLadderDownAsMuch) {
  go(4, 0.4);
  moment();
  report(maintenance / 0.85, maintenance);
  std::size_t refused = 0;
  int looks = 0;
  for (int n = 0; n < 2000; ++n) {
    moment(50000, milliseconds(10));
    if (placed().size() == refused || ++looks < 3) continue;
    looks = 0;
    OrderReject r;
    r.order = placed()[refused++].order;
    r.reason = RejectReason::last_gate;
    send(EventKind::order_reject, r, perp);
  }
  EXPECT_GE(refused, 10U);
  EXPECT_LT(refused, 25U) << "every 50 ms it would be 200 in these 20 s";
}

TEST_F(LiquidationTest, RefusesAChoiceOfBalanceOnStandardMargin) {
  Liquidation l;
  config.balance = LadderBalance::equity;
  EXPECT_NE(l.add(config, test::the_coin, perp), "");
  config.margin_model = LadderMargin::portfolio;
  EXPECT_EQ(l.add(config, test::the_coin, perp), "");
}

// The report of the moment makes it RED; nobody answers its order.
struct StuckLadder : LiquidationTest {
  RecvTime entered{};
  void enter() {
    config.stuck_max = seconds(3);
    go(4, 0.4);
    moment();
    report(maintenance / 0.85, maintenance);
    entered = now;
    ASSERT_EQ(state().state, MarginState::red);
  }
  void until(Nanos after) {
    while (now < entered + after) {
      moment(50000, std::min(milliseconds(500), entered + after - now));
    }
  }
  // The same, and the venue finds nobody to trade with.
  void without_a_fill_until(Nanos after) {
    while (now < entered + after) {
      moment(50000, std::min(milliseconds(50), entered + after - now));
      while (answered < placed().size()) done(placed()[answered++], 0, DoneReason::ioc_remainder);
    }
  }
  [[nodiscard]] std::vector<Trip> told() const { return raised(TripCode::ladder_stuck); }
  std::size_t answered{0};
};

TEST_F(StuckLadder, ARedThatReducesNothingIsToldOnceAfterItsTimeAndNotAtIt) {
  enter();
  until(seconds(3));
  EXPECT_TRUE(told().empty());
  until(seconds(3) + Nanos{1});
  ASSERT_EQ(told().size(), 1U);
  EXPECT_EQ(told()[0].limit, seconds(3).count);
  EXPECT_GT(told()[0].actual, seconds(3).count);
  EXPECT_EQ(told()[0].severity, Severity::critical);
  until(seconds(30));
  EXPECT_EQ(told().size(), 1U);
}

TEST_F(StuckLadder, AFillBeginsTheTimeAnewAndAnotherStopIsToldAgain) {
  enter();
  until(seconds(2));
  ASSERT_FALSE(placed().empty());
  fill(placed()[0], 1000);
  until(seconds(5) - Nanos{1});
  EXPECT_TRUE(told().empty());
  until(seconds(6));
  EXPECT_EQ(told().size(), 1U);
  fill(placed()[0], 1000);
  until(seconds(10));
  EXPECT_EQ(told().size(), 2U);
}

// What others trade in the same instrument is no reduction when it grows.
TEST_F(StuckLadder, AGrowthOfThePositionByOthersIsNoWayOut) {
  enter();
  until(seconds(2));
  ASSERT_FALSE(placed().empty());
  PlaceOrder other = placed()[0];
  other.order = OrderId{};  // by hand
  other.side = other.side == Side::buy ? Side::sell : Side::buy;
  fill(other, 1000);
  until(seconds(3) + Nanos{1});
  EXPECT_EQ(told().size(), 1U);
}

TEST_F(StuckLadder, TheTimeBeginsAnewWithTheArmAfterAHaltHoweverShortThatWas) {
  enter();
  without_a_fill_until(seconds(2));
  operate(OperatorAction::kill, Mode::halt);
  moment(50000, seconds(1));
  const std::vector<Trip> before = told();
  EXPECT_TRUE(before.empty());
  operate(OperatorAction::arm);
  ASSERT_EQ(answer(), OperatorResult::accepted);
  const Nanos armed = now - entered;
  without_a_fill_until(armed + seconds(3));
  EXPECT_TRUE(told().empty());
  without_a_fill_until(armed + seconds(4));
  EXPECT_EQ(told().size(), 1U);
}

TEST_F(StuckLadder, AnOperatorsStopOfTheLadderIsNoAlarm) {
  enter();
  until(seconds(2));
  operate(OperatorAction::kill, Mode::halt, Scope{ScopeLevel::strategy, 1});
  until(seconds(20));
  EXPECT_EQ(state().state, MarginState::red);
  EXPECT_TRUE(told().empty());
}

// The options could be closed, and are not.
TEST_F(StuckLadder, AStopOfTheHedgeAloneIsNoExcuse) {
  enter();
  Fill f;
  f.trade = TradeId{5, 5};
  f.amount = amount(1);
  f.price = usd(0.05);
  send(EventKind::fill, f, option);
  operate(OperatorAction::kill, Mode::halt, Scope{ScopeLevel::instrument, perp.value});
  until(seconds(3) + Nanos{1});
  EXPECT_EQ(told().size(), 1U);
}

TEST_F(StuckLadder, WhatCallsForNoReductionIsNotStuck) {
  config.stuck_max = seconds(3);
  go(4, 0.4);
  for (int n = 0; n < 20; ++n) {
    report(maintenance / 0.65, maintenance);
    moment(50000, milliseconds(500));
  }
  EXPECT_EQ(state().state, MarginState::amber);
  EXPECT_TRUE(told().empty());
}

}  // namespace
}  // namespace gimbal
