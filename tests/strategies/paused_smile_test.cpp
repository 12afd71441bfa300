// A hedge of the smile's delta while growth is blocked: when it turns to Black's, and back.
#include <gtest/gtest.h>

#include "tests/support/scenario_answers.hpp"
#include "tests/support/smile_fixture.hpp"

namespace gimbal {
namespace {

using test::PausedSmile;
using test::the_coin;
using test::the_venue;

TEST_F(PausedSmile, AShortPauseTurnsNothing) {
  hedged();
  pause(true);
  foreign(-0.06);
  EXPECT_EQ(trade_through(20), 0) << "it would be bought, and refused";
  EXPECT_EQ(refused(), 0U) << "nor asked for";
  pause(false);
  EXPECT_NEAR(trade_through(100), 0.06, 0.001) << "and not Black's delta there and back";
  EXPECT_NEAR(state().residual, 0, 0.01);
}

TEST_F(PausedSmile, WhatBothDeltasAskForIsHedgedAtOnce) {
  hedged();
  pause(true);
  foreign(0.5);
  EXPECT_NEAR(trade_through(5), 0.5, 0.001) << "long under both: down to where one is flat";
  EXPECT_NEAR(state().residual, 0, 0.01);
  EXPECT_EQ(refused(), 0U);
}

TEST_F(PausedSmile, ALongPauseIsHedgedByBlackAndTheSmileComesBackASecondAfterIt) {
  hedged();
  pause(true);
  const double shift = settled();
  EXPECT_EQ(trade_through(45), 0);
  EXPECT_NEAR(trade_through(20), shift, 0.01);
  EXPECT_EQ(state().shift, 0);
  EXPECT_EQ(trade_through(100), 0);
  pause(false);
  EXPECT_EQ(trade_through(45), 0);
  pause(true);
  pause(false);
  EXPECT_EQ(trade_through(45), 0) << "free for a second in one piece";
  EXPECT_NEAR(trade_through(20), shift, 0.01);
  EXPECT_NEAR(state().residual, 0, 0.01);
  EXPECT_EQ(refused(), 0U);
}

TEST_F(PausedSmile, ALateTickDoesNotBeginTheWayBackAnew) {
  setup.budget.tick_to_order = Nanos{200'000};
  setup.budget.late_ticks_max = 0;
  setup.quality.lag_max = seconds(5);
  hedged();
  pause(true);
  const double shift = settled();
  EXPECT_NEAR(trade_through(65), shift, 0.01);
  pause(false);
  double coins = 0;
  for (int n = 0; n < 20; ++n) {
    coins += trade_through(3);
    Event late = make_event(EventKind::trade, the_venue, perp, now, {}, Trade{});
    late.add_flag(event_flag::last_in_packet);
    late.queue_ns = 300'000;
    step(late);
  }
  EXPECT_GE(core().counters().late_ticks, 20U);
  EXPECT_NEAR(coins, shift, 0.01);
  EXPECT_EQ(refused(), 0U);
}

TEST_F(PausedSmile, AHaltOfItsCoinLeavesAMakersOrderWhereItRests) {
  config.execution = HedgeExecution::maker;
  hedged();
  foreign(-0.06);
  for (int i = 0; i < 100 && placed().empty(); ++i) moment();
  ASSERT_EQ(placed().size(), 1U);
  ack(placed()[0]);
  operate(OperatorAction::kill, Mode::halt, {ScopeLevel::underlying, the_coin.value});
  pass(100);
  EXPECT_EQ(core().view().mode(StrategyId{0}, perp), Mode::halt);
  EXPECT_EQ(count(CommandKind::cancel), 0U);
  EXPECT_EQ(placed().size(), 1U);
}

TEST_F(PausedSmile, AMakersOrderRestsThroughThePause) {
  config.execution = HedgeExecution::maker;
  hedged();
  pause(true);
  foreign(-0.06);
  for (int i = 0; i < 100 && placed().empty(); ++i) moment();
  ASSERT_EQ(placed().size(), 1U);
  const PlaceOrder o = placed()[0];
  EXPECT_EQ(o.side, Side::sell) << "Black's";
  ack(o);
  pass(200);
  pause(false);
  pass(45);
  EXPECT_EQ(placed().size(), 1U);
  EXPECT_EQ(count(CommandKind::cancel), 0U);
  pass(7);
  EXPECT_EQ(count(CommandKind::cancel), 1U) << "the smile's delta is due";
  EXPECT_EQ(placed().size(), 1U) << "and nothing is sent beside it";
  done(o, 0);
  moment();
  ASSERT_EQ(placed().size(), 2U);
  EXPECT_EQ(placed()[1].side, Side::buy);
  EXPECT_EQ(refused(), 0U);
}

TEST_F(PausedSmile, HedgesWithoutEffectStopItInAPauseAsWell) {
  config.attempts_max = 5;
  hedged();
  pause(true);
  foreign(-0.06);
  for (int i = 0; i < 400 && !state().stopped; ++i) {
    moment();
    for (const PlaceOrder& o : placed()) {
      EXPECT_EQ(o.side, Side::sell) << "Black's";
      seen.clear();
      ack(o);
      done(o, 0);
    }
  }
  EXPECT_TRUE(state().stopped);
  EXPECT_EQ(state().cycles, 5U);
}

// One move of the price may cost no more than is lost already: only Black's hedge passes.
TEST_F(PausedSmile, WhereTheScenarioLimitBindsBlacksHedgePassesAndNothingIsBlamed) {
  setup.limits.max_scenario_loss_bps = 1;
  setup.scenarios = {0.16, 0.5, 0.25, 0.5, 0.3, 0.13, 1, 100'000, seconds(100), seconds(100)};
  const test::ScenarioAnswers answers{*this};
  config.delta = HedgeDelta::sticky_delta;
  config.target = HedgeTarget::zero;
  go(0, -10);
  MarginReport r;
  r.settlement = currency("BTC");
  r.margin_balance = r.equity = test::money(1);
  send(EventKind::margin_report, r);
  moment();
  for (const PlaceOrder& o : placed()) fill_whole(o);
  pause(true);
  seen.clear();
  surface(-0.4);
  pass(100);
  EXPECT_TRUE(placed().empty()) << "the smile's hedge would be bought";
  foreign(0.2);
  EXPECT_NEAR(trade_through(100), 0.2, 0.01);
  EXPECT_EQ(core().gate().refused(Refusal::scenario_loss), 0U);
  EXPECT_EQ(core().view().mode(StrategyId{0}, perp), Mode::active);
}

}  // namespace
}  // namespace gimbal
