// Controls of the gate that look at data, positions, rates and repeats; the reduce rule.
#include <gtest/gtest.h>

#include "engine/core/risk/gate.hpp"
#include "engine/core/risk/reduce_rule.hpp"
#include "tests/support/engine_world.hpp"
#include "tests/support/gate_fixture.hpp"

namespace gimbal {
namespace {

using test::amount;
using test::Gate;
using test::money;
using test::usd;

TEST_F(Gate, OldDataMovesNoOrder) {
  c.mark_age = limits.mark_age_max;
  c.quote_age = limits.quote_age_max;
  c.index_age = limits.index_age_max;
  EXPECT_EQ(reason(), Refusal::none);
  c.quote_age = c.quote_age + Nanos{1};
  EXPECT_EQ(reason(), Refusal::mark_stale);
  c.quote_age = {};
  c.mark_age = c.mark_age + Nanos{1};
  EXPECT_EQ(reason(), Refusal::mark_stale);
  c.mark_age = {};
  c.index_age = c.index_age + Nanos{1};
  EXPECT_EQ(reason(), Refusal::index_stale);
  c.index_age = {};
  c.mark = {};
  EXPECT_EQ(reason(), Refusal::mark_stale);
  c.mark = usd(50000);
  c.index = {};
  EXPECT_EQ(reason(), Refusal::index_stale);
}

TEST_F(Gate, PositionLimitCountsLiveAndUnknownOnTheOrdersSide) {
  limits.max_position_lots = 400;  // 4,000 USD
  c.position = amount(1000);
  c.exposure.live_buy = amount(1000);
  c.exposure.unknown_buy = amount(1000);
  c.exposure.live_sell = amount(90000);
  EXPECT_EQ(reason(), Refusal::none);
  o.amount = amount(1010);
  EXPECT_EQ(ask(), (Refused{Refusal::position_limit, 400, 401}));
  o.amount = amount(990);
  EXPECT_EQ(reason(), Refusal::none);
  o.side = Side::sell;
  c.exposure.live_sell = amount(4020);
  EXPECT_EQ(reason(), Refusal::position_limit);
  c.exposure.live_sell = amount(4010);
  EXPECT_EQ(reason(), Refusal::none);
  c.exposure.live_buy = Qty{INT64_MAX / 2};
  o.side = Side::buy;
  EXPECT_EQ(reason(), Refusal::position_limit);
}

TEST_F(Gate, DeltaLimitIsExactAndBindsOnlyOutward) {
  limits.max_delta_usd = money(50000);  // one coin
  c.delta = {amount(0.2).nano, amount(0.5).nano};
  c.order_delta = amount(0.5).nano;
  EXPECT_EQ(reason(), Refusal::none);
  c.order_delta = amount(0.5).nano + 1;
  EXPECT_EQ(reason(), Refusal::delta_limit);
  c.order_delta = amount(0.5).nano - 1;
  EXPECT_EQ(reason(), Refusal::none);
  c.delta = {amount(3).nano, amount(3).nano};
  c.order_delta = amount(-1).nano;  // over the limit, but coming back
  EXPECT_EQ(reason(), Refusal::none);
  c.delta = {INT64_MAX - 1, INT64_MAX - 1};
  c.order_delta = 2;
  EXPECT_EQ(reason(), Refusal::delta_limit);
  c.delta_known = false;
  EXPECT_EQ(reason(), Refusal::delta_unknown);
}

TEST_F(Gate, GammaAndVegaBindWhenTheyAreConfigured) {
  c.gamma_usd = money(-900).nano;
  c.order_gamma_usd = money(-101).nano;
  EXPECT_EQ(reason(), Refusal::none);
  limits.max_gamma_usd = money(1000);
  EXPECT_EQ(reason(), Refusal::gamma_limit);
  c.order_gamma_usd = money(-100).nano;
  EXPECT_EQ(reason(), Refusal::none);
  c.gamma_usd = money(-2000).nano;
  c.order_gamma_usd = money(1).nano;  // over, but less so
  EXPECT_EQ(reason(), Refusal::none);
  limits.max_vega_usd = money(10);
  c.order_vega_usd = money(10).nano + 1;
  EXPECT_EQ(reason(), Refusal::vega_limit);
}

TEST_F(Gate, CountsOpenOrders) {
  limits.max_open_orders = 3;
  c.open_orders = 2;
  EXPECT_EQ(reason(), Refusal::none);
  c.open_orders = 3;
  EXPECT_EQ(ask(), (Refused{Refusal::open_orders, 3, 4}));
  limits.max_open_orders = 4000;
  c.open_orders = open_orders_max;
  EXPECT_EQ(reason(), Refusal::table_full);
}

TEST_F(Gate, TheSameOrderTwiceIsADuplicateWithinTheWindow) {
  RiskGate gate{limits};
  EXPECT_EQ(gate.approve(o, c).index(), 0U);
  c.now = c.now + limits.duplicate_window - Nanos{1};
  EXPECT_EQ(std::get<1>(gate.approve(o, c)).reason, Refusal::duplicate);
  c.intent = 1;
  EXPECT_EQ(gate.approve(o, c).index(), 0U);
  c.intent = 0;
  c.now = c.now + Nanos{1};
  EXPECT_EQ(gate.approve(o, c).index(), 0U);
  c.intent_open = true;
  EXPECT_EQ(std::get<1>(gate.approve(o, c)).reason, Refusal::intent_open);
}

TEST_F(Gate, RefusesToMeetAnOrderOfOurOwn) {
  c.self_match = true;
  EXPECT_EQ(reason(), Refusal::self_match);
}

TEST_F(Gate, TheRateKeepsAReserveThatOnlyCancelsUse) {
  limits.order_rate_per_s = 10;
  limits.order_burst = 10;
  limits.cancel_reserve = 4;
  RiskGate gate{limits};
  for (std::uint64_t i = 0; i < 6; ++i) {
    c.intent = i;
    EXPECT_EQ(gate.approve(o, c).index(), 0U) << i;
  }
  c.intent = 6;
  EXPECT_EQ(std::get<1>(gate.approve(o, c)).reason, Refusal::order_rate);
  for (int i = 0; i < 50; ++i) gate.note_cancel(c.now);  // never refused, never below empty
  c.now = c.now + milliseconds(499);
  EXPECT_EQ(std::get<1>(gate.approve(o, c)).reason, Refusal::order_rate);
  c.now = c.now + milliseconds(1);
  EXPECT_EQ(gate.approve(o, c).index(), 0U);
}

TEST_F(Gate, AnApprovalCarriesItsEpochAndItsEnd) {
  RiskGate gate{limits};
  const std::uint64_t before = gate.epoch();
  auto answer = gate.approve(o, c);
  EXPECT_EQ(std::get<0>(answer).gate_epoch(), before);
  EXPECT_EQ(std::get<0>(answer).expires(), c.now + limits.approval_ttl);
  EXPECT_FALSE(gate.tighten({}, Mode::halt));  // it boots there
  EXPECT_EQ(gate.epoch(), before);
  EXPECT_TRUE(gate.tighten({ScopeLevel::strategy, 3}, Mode::reduce));
  EXPECT_EQ(gate.epoch(), before + 1);
  EXPECT_FALSE(gate.tighten({ScopeLevel::strategy, 3}, Mode::active));
  EXPECT_EQ(gate.modes().at({ScopeLevel::strategy, 3}), Mode::reduce);
}

TEST_F(Gate, AReplaceIsHeldAgainstItsGrowthOnly) {
  RiskGate gate{limits};
  Order current;
  current.state = OrderState::live;
  current.side = Side::buy;
  current.amount = amount(1000);
  ReplaceOrder change;
  change.instrument = perp.id;
  change.price = usd(50000);
  change.amount = amount(2000);
  c.position = amount(1000);
  c.exposure.live_buy = amount(1000);
  RiskLimits tight = limits;
  tight.max_position_lots = 300;
  gate.set_limits(tight);
  EXPECT_EQ(gate.approve(change, current, c).index(), 0U);
  change.amount = amount(2010);
  EXPECT_EQ(std::get<1>(gate.approve(change, current, c)).reason, Refusal::position_limit);
  change.amount = amount(500);
  EXPECT_EQ(gate.approve(change, current, c).index(), 0U);
  current.filled = amount(500);
  EXPECT_EQ(std::get<1>(gate.approve(change, current, c)).reason, Refusal::malformed);
  current.state = OrderState::pending_replace;
  EXPECT_EQ(std::get<1>(gate.approve(change, current, c)).reason, Refusal::order_state);
}

// P-13, row by row: position, open orders of the same side, order, delta range, what is expected.
struct ReduceRow {
  const char* says;
  double position, open_same_side, size;
  Side side;
  double delta_low, delta_high, order_delta;
  bool hedge;
  bool passes;
};

TEST_F(Gate, TheReduceRuleLetsExitsAndHedgesThroughAndNothingElse) {
  const ReduceRow rows[] = {
      {"a long position shrinks", 1000, 0, 1000, Side::sell, 0.5, 0.5, -0.02, false, true},
      {"it may not cross zero", 1000, 0, 1010, Side::sell, 0.5, 0.5, -0.02, false, false},
      {"open exits count", 1000, 500, 510, Side::sell, 0.5, 0.5, -0.02, false, false},
      {"up to what is left", 1000, 500, 500, Side::sell, 0.5, 0.5, -0.02, false, true},
      {"a short position shrinks", -1000, 0, 1000, Side::buy, -0.5, -0.5, 0.02, false, true},
      {"growing is refused", 1000, 0, 10, Side::buy, -0.5, -0.5, 0.0002, false, false},
      {"an exit that breaks the delta limit", 1000, 0, 1000, Side::sell, -1.99, -1.99, -0.02, false,
       false},
      {"over the limit, an exit that lowers delta", 1000, 0, 1000, Side::sell, 2.5, 2.5, -0.02,
       false, true},
      {"over the limit, an exit that raises it", 1000, 0, 1000, Side::sell, -2.5, -2.5, -0.02,
       false, false},
      {"over the limit, an exit that overshoots", 1000, 0, 1000, Side::sell, 2.5, 2.5, -6, false,
       false},
      {"over the limit, an exit that ends over it by less, on the other side", 1000, 0, 1000,
       Side::sell, 2.5, 2.5, -4.9, false, true},
      {"one that lands inside on the other side", 1000, 0, 1000, Side::sell, 2.5, 2.5, -4.4, false,
       true},
      {"over the limit, an exit without a delta", 1000, 0, 1000, Side::sell, 2.5, 2.5, 0, false,
       true},
      {"a hedge that lowers delta", 0, 0, 1000, Side::buy, -0.5, -0.5, 0.02, true, true},
      {"the same elsewhere", 0, 0, 1000, Side::buy, -0.5, -0.5, 0.02, false, false},
      {"a hedge that overshoots", 0, 0, 1000, Side::buy, -0.5, -0.5, 1.0, true, false},
      {"a hedge with the worst outcome unchanged", 0, 0, 1000, Side::buy, -0.5, 0.5, 0.02, true,
       false},
      {"from no position nothing shrinks", 0, 0, 10, Side::sell, 0.0, 0.0, -0.0002, false, false},
  };
  limits.max_delta_usd = money(100000);  // two coins
  for (const ReduceRow& row : rows) {
    c.position = amount(row.position);
    c.exposure = {};
    (row.side == Side::buy ? c.exposure.live_buy : c.exposure.unknown_sell) =
        amount(row.open_same_side);
    o.side = row.side;
    o.amount = amount(row.size);
    c.delta = {amount(row.delta_low).nano, amount(row.delta_high).nano};
    c.order_delta = amount(row.order_delta).nano;
    c.hedge_instrument = row.hedge;
    c.mode = Mode::reduce;
    c.growth_blocked = false;
    EXPECT_EQ(reason() == Refusal::none, row.passes) << row.says;
    c.mode = Mode::active;
    c.growth_blocked = true;
    const Refusal paused = reason();
    EXPECT_EQ(paused == Refusal::none, row.passes) << row.says;
    if (!row.passes) { EXPECT_EQ(paused, Refusal::paused) << row.says; }
  }
}

// Delta 2.5 of 2 allowed, of it the options' share -3 by Greeks that are old.
TEST_F(Gate, OverTheLimitAnExitThatLowersTheDeltaPassesWithStaleGreeksToo) {
  limits.max_delta_usd = money(100000);
  c.mode = Mode::reduce;
  c.position = amount(1000);
  o.side = Side::sell;
  c.delta = {amount(2.5).nano, amount(2.5).nano};
  c.options_delta = amount(-3).nano;
  c.order_delta = amount(-4).nano;
  EXPECT_EQ(reason(), Refusal::none) << "fresh: 2.5 becomes -1.5";
  c.greeks_stale = true;
  EXPECT_EQ(reason(), Refusal::none) << "it may be -4.5, but a book that is closed has to close";
  c.order_delta = amount(-5).nano;
  EXPECT_EQ(reason(), Refusal::reduce_rule) << "-2.5 is no less than 2.5";
}

// Delta 1 of 2 allowed: the options' share is 0.8, by Greeks that are old.
TEST_F(Gate, WhileTradingAnExitThatRaisesTheDeltaIsHeldToTheStaleBound) {
  limits.max_delta_usd = money(100000);
  c.position = amount(-1000);
  c.delta = {amount(1).nano, amount(1).nano};
  c.options_delta = amount(0.8).nano;
  c.order_delta = amount(0.2).nano;
  c.greeks_stale = true;
  EXPECT_EQ(reason(), Refusal::none) << "2 of 2, the options counted twice";
  c.order_delta += 1;
  EXPECT_EQ(reason(), Refusal::delta_limit);
  c.greeks_stale = false;
  EXPECT_EQ(reason(), Refusal::none);
  c.greeks_stale = true;
  c.growth_blocked = true;
  EXPECT_EQ(reason(), Refusal::none) << "nothing may grow: a book that is closed has to close";
  c.growth_blocked = false;
  c.mode = Mode::reduce;
  EXPECT_EQ(reason(), Refusal::none);
  c.mode = Mode::active;
  c.delta = {amount(-1).nano, amount(-1).nano};
  c.options_delta = amount(3).nano;
  EXPECT_EQ(reason(), Refusal::none) << "the worst delta falls";
}

// One that the limits would blame the strategy for, or trip: nothing may grow, and that is told.
TEST_F(Gate, WhatMayNotGrowIsRefusedForThatBeforeAnyLimitOnGrowth) {
  limits.max_delta_usd = limits.max_gross_delta_usd = money(1);
  limits.max_open_usd = limits.max_venue_open_usd = money(1);
  limits.max_position_lots = 1;
  limits.max_gamma_usd = money(1);
  limits.max_scenario_loss_bps = 1;
  c.order_delta = c.gross_delta = amount(1).nano;
  c.gamma_usd = money(2).nano;
  c.scenario = {true, 0, money(2).nano, money(1)};
  EXPECT_NE(reason(), Refusal::none);
  c.growth_blocked = true;
  EXPECT_EQ(reason(), Refusal::paused);
  c.growth_blocked = false;
  c.modules_late = true;
  EXPECT_EQ(reason(), Refusal::module_late);
  c.modules_late = false;
  c.envelope.veto = module_veto::growth;
  EXPECT_EQ(reason(), Refusal::module_veto);
  c.mode = Mode::reduce;
  EXPECT_EQ(reason(), Refusal::reduce_rule);
}

TEST(RiskLimitsChange, OnlyALargerAllowanceLoosens) {
  const RiskLimits from = test::wide_limits();
  EXPECT_FALSE(loosens(from, from));
  RiskLimits to = from;
  to.max_order_usd = Money{from.max_order_usd.nano - 1};
  EXPECT_FALSE(loosens(from, to));
  to.max_order_usd = Money{from.max_order_usd.nano + 1};
  EXPECT_TRUE(loosens(from, to));
  to = from;
  to.cancel_reserve = from.cancel_reserve - 1;
  EXPECT_TRUE(loosens(from, to));
  to = from;
  to.max_gamma_usd = Money{1};  // off before: any bound is stricter
  EXPECT_FALSE(loosens(from, to));
  EXPECT_TRUE(loosens(to, from));
}

}  // namespace
}  // namespace gimbal
