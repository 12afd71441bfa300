// Which delta of the options a hedge keeps inside its band.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "strategies/delta_hedge/delta_hedge.hpp"
#include "tests/support/hedge_fixture.hpp"
#include "tests/support/surface_bytes.hpp"

namespace gimbal {
namespace {

using test::HedgeTest;
using test::the_coin;
using test::the_venue;

struct SmileHedge : HedgeTest {
  std::vector<std::byte> block;
  static std::span<const std::byte> find(const void* self, std::uint16_t, std::uint32_t) noexcept {
    return static_cast<const SmileHedge*>(self)->block;
  }
  void SetUp() override {
    setup.blocks = {this, &find};
    setup.portfolio.surface_age_max = seconds(30);
  }
  void surface(double slope) {
    SurfaceHead h;
    h.expiry = table[option].expiry;
    h.as_of = now;
    h.underlying = test::the_coin;
    h.source = VolSource::svi;
    h.verdict = SurfaceVerdict::accepted;
    h.minimum_variance = {-0.1, 0, 0};
    block = test::surface_bytes(h, {{option, {}, 0.6, slope}});
    SideBlockRef ref;
    ref.kind = SideBlockKind::surface;
    send(EventKind::side_block, ref);
  }
  RiskNumbers risk() const { return core().view().risk(test::the_coin); }
};

TEST_F(SmileHedge, HedgesTheDeltaThatTheConfigNames) {
  for (const HedgeDelta delta :
       {HedgeDelta::black, HedgeDelta::sticky_delta, HedgeDelta::minimum_variance}) {
    SCOPED_TRACE(static_cast<int>(delta));
    config.delta = delta;
    config.band = 100;  // looks, and trades nothing
    config.band_max = 100;
    go(0, -10);
    surface(-0.4);
    moment();
    const double shift = delta == HedgeDelta::black          ? 0
                         : delta == HedgeDelta::sticky_delta ? risk().sticky_delta_shift
                                                             : risk().minimum_variance_shift;
    EXPECT_EQ(std::abs(shift) > 0.01, delta != HedgeDelta::black);
    EXPECT_NEAR(state().residual, settled() + shift, 1e-8);
    EXPECT_EQ(state().shift, shift);
    EXPECT_TRUE(placed().empty());
  }
}

TEST_F(SmileHedge, TradesTheShiftOfTheSmileAndIsBlackWithoutASurface) {
  config.delta = HedgeDelta::sticky_delta;
  config.target = HedgeTarget::zero;
  go(0, -10);
  moment();
  ASSERT_EQ(placed().size(), 1U);
  fill_whole(placed()[0]);
  moment();
  EXPECT_LT(std::abs(settled()), 0.01) << "no surface yet: Black's delta is flat";
  seen.clear();
  surface(-0.4);
  moment();
  ASSERT_EQ(placed().size(), 1U);
  const double shift = risk().sticky_delta_shift;
  EXPECT_EQ(placed()[0].side, shift > 0 ? Side::sell : Side::buy);
  fill_whole(placed()[0]);
  moment();
  EXPECT_NEAR(settled(), -shift, 0.01);
}

TEST_F(SmileHedge, InReduceItHedgesTheDeltaThatTheGateLooksAt) {
  config.delta = HedgeDelta::sticky_delta;
  config.target = HedgeTarget::zero;
  go(0, -10);
  moment();
  ASSERT_EQ(placed().size(), 1U);
  fill_whole(placed()[0]);
  operate(OperatorAction::kill, Mode::reduce);
  seen.clear();
  surface(-0.4);
  moment();
  EXPECT_LT(risk().sticky_delta_shift, -0.3) << "the smile's delta would be bought, and refused";
  EXPECT_EQ(state().shift, 0);
  EXPECT_NEAR(state().residual, settled(), 1e-8);
  EXPECT_TRUE(placed().empty());
  Fill f;
  f.trade = TradeId{5, 5};
  f.amount = test::amount(10000);  // 0.2 coins
  f.price = test::usd(50000);
  send(EventKind::fill, f, perp);
  moment();
  ASSERT_EQ(placed().size(), 1U);
  EXPECT_EQ(placed()[0].side, Side::sell);
  fill_whole(placed()[0]);
  moment();
  EXPECT_LT(std::abs(settled()), 0.01);
}

TEST_F(SmileHedge, WhileGrowthIsBlockedItTurnsToTheDeltaThatTheGateLooksAt) {
  config.delta = HedgeDelta::sticky_delta;
  config.target = HedgeTarget::zero;
  go(0, -10);
  moment();
  ASSERT_EQ(placed().size(), 1U);
  fill_whole(placed()[0]);
  operate(OperatorAction::pause, Mode::active, {}, OperatorSource::monitor);
  seen.clear();
  surface(-0.4);
  moment();
  EXPECT_TRUE(placed().empty()) << "the smile's delta would be bought, and is refused";
  Fill f;
  f.trade = TradeId{5, 5};
  f.amount = test::amount(10000);  // 0.2 coins
  f.price = test::usd(50000);
  send(EventKind::fill, f, perp);
  for (int i = 0; i < 100 && placed().empty(); ++i) moment();
  ASSERT_EQ(placed().size(), 1U);
  EXPECT_EQ(placed()[0].side, Side::sell);
  fill_whole(placed()[0]);
  EXPECT_LT(std::abs(settled()), 0.01);
}

// Short options hedged under the smile's delta: that is flat, Black's is long by the shift.
struct PausedSmile : SmileHedge {
  void hedged() {
    config.delta = HedgeDelta::sticky_delta;
    config.target = HedgeTarget::zero;
    go(0, -10);
    trade_through(5);
    surface(-0.4);
    trade_through(20);
    ASSERT_NEAR(state().residual, 0, 0.01);
    ASSERT_GT(settled(), 0.3);
    seen.clear();
  }
  void pause(bool on) {
    operate(on ? OperatorAction::pause : OperatorAction::resume, Mode::active, {},
            OperatorSource::monitor);
  }
  // Somebody else trades the perpetual.
  void foreign(double coins) {
    Fill f;
    f.trade = TradeId{5, ++trades_};
    f.side = coins < 0 ? Side::sell : Side::buy;
    f.amount = test::amount(std::round(std::abs(coins) * 5000) * 10);
    f.price = test::usd(50000);
    send(EventKind::fill, f, perp);
  }
  void pass(int moments) {
    for (int i = 0; i < moments; ++i) moment();
  }
  // The same, with everything that is asked for filled at once. Coins traded.
  double trade_through(int moments) {
    double coins = 0;
    for (int i = 0; i < moments; ++i) {
      moment();
      for (const PlaceOrder& o : placed()) {
        coins += to_double(o.amount) / 50000;
        seen.clear();
        fill_whole(o);
      }
    }
    return coins;
  }
  [[nodiscard]] std::uint64_t refused() const { return core().gate().refused_total(); }

 private:
  std::uint64_t trades_{10};
};

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
