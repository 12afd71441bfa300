// The worst scenario in the gate: its boundary, what passes all the same, and what is not known.
#include <gtest/gtest.h>

#include "engine/core/risk/scenario_loss.hpp"
#include "tests/support/gate_fixture.hpp"

namespace gimbal {
namespace {

using test::amount;
using test::Gate;
using test::money;
using test::usd;

struct ScenarioGate : Gate {
  ScenarioGate() {
    limits.max_scenario_loss_bps = 2500;
    c.order_delta = amount(0.02).nano;
    c.scenario = {true, money(1).nano, money(2).nano, money(10)};
  }
};

TEST_F(ScenarioGate, TheWorstScenarioIsExactAtItsLimit) {
  c.scenario.loss_after = money(2.5).nano;
  EXPECT_EQ(reason(), Refusal::none);
  c.scenario.loss_after += 1;
  EXPECT_EQ(ask(), (Refused{Refusal::scenario_loss, money(2.5).nano, money(2.5).nano + 1}));
  limits.max_scenario_loss_bps = 0;
  EXPECT_EQ(reason(), Refusal::none) << "off";
}

TEST_F(ScenarioGate, OverTheLimitAnOrderThatMakesTheWorstNoWorsePasses) {
  c.scenario = {true, money(4).nano, money(4).nano, money(10)};
  EXPECT_EQ(reason(), Refusal::none);
  c.scenario.loss_after += 1;
  EXPECT_EQ(reason(), Refusal::scenario_loss);
  c.scenario.loss_after = money(3).nano;
  EXPECT_EQ(reason(), Refusal::none);
}

// What the order makes worse: 4 lost before, 5 after, of 2.5 allowed.
struct WorseScenario : ScenarioGate {
  WorseScenario() { c.scenario = {true, money(4).nano, money(5).nano, money(10)}; }
  void exits() { c.position = amount(-1000); }
  void hedges() {
    c.hedge_instrument = true;
    c.delta = {amount(-3).nano, amount(-3).nano};
  }
};

TEST_F(WorseScenario, AnExitIsRefusedWhereTheNumbersAreKnown) {
  exits();
  EXPECT_EQ(ask(), (Refused{Refusal::scenario_loss, money(2.5).nano, money(5).nano}));
  c.scenario.loss_after = money(2.5).nano;
  EXPECT_EQ(reason(), Refusal::none) << "at the limit";
}

TEST_F(WorseScenario, AnExitPassesInReduceWhereTheReduceRuleDecides) {
  c.mode = Mode::reduce;
  exits();
  EXPECT_EQ(reason(), Refusal::none);
  c.position = {};
  EXPECT_EQ(reason(), Refusal::reduce_rule) << "growth";
}

// The ladder reduces under its own pause, by margin and not by scenarios.
TEST_F(WorseScenario, AnExitPassesWhileGrowthIsBlocked) {
  c.growth_blocked = true;
  exits();
  EXPECT_EQ(reason(), Refusal::none);
  c.position = {};
  EXPECT_EQ(reason(), Refusal::paused) << "growth";
}

// The long leg of a spread: a PAUSE is no looser than trading.
struct LongLeg : WorseScenario {
  LongLeg() {
    limits.option_collar_bps = 10'000;
    c.instrument = &option;
    o.instrument = option.id;
    o.side = Side::sell;
    o.price = c.mark = usd(0.05);
    o.amount = c.position = amount(1);
    c.order_delta = amount(-0.02).nano;
  }
};

// What pauses is often what the numbers are missing for.
TEST_F(LongLeg, WithoutNumbersItIsNotSoldInAPauseEither) {
  c.scenario.known = false;
  EXPECT_EQ(reason(), Refusal::none) << "trading";
  c.growth_blocked = true;
  EXPECT_EQ(reason(), Refusal::paused);
  c.mode = Mode::reduce;
  EXPECT_EQ(reason(), Refusal::none);
  c.mode = Mode::active;
  o.side = Side::buy;
  c.position = amount(-1);
  EXPECT_EQ(reason(), Refusal::none) << "a short one is bought back";
}

TEST_F(LongLeg, IsNotSoldWhileGrowthIsBlockedButInReduce) {
  EXPECT_EQ(reason(), Refusal::scenario_loss) << "trading";
  c.growth_blocked = true;
  EXPECT_EQ(reason(), Refusal::paused);
  c.mode = Mode::reduce;
  EXPECT_EQ(reason(), Refusal::none);
  c.mode = Mode::active;
  o.side = Side::buy;
  c.position = amount(-1);
  c.order_delta = amount(0.02).nano;
  EXPECT_EQ(reason(), Refusal::none) << "a short one is bought back";
}

TEST_F(WorseScenario, AHedgePassesThatLowersTheWorstDelta) {
  hedges();
  EXPECT_EQ(reason(), Refusal::none);
  c.delta = {amount(3).nano, amount(3).nano};
  EXPECT_EQ(reason(), Refusal::scenario_loss) << "it raises the delta";
  hedges();
  c.hedge_instrument = false;
  EXPECT_EQ(reason(), Refusal::scenario_loss) << "another instrument";
}

TEST_F(WorseScenario, WithoutNumbersHedgesAndExitsPassAndNothingElse) {
  c.scenario.known = false;
  EXPECT_EQ(reason(), Refusal::scenario_unknown);
  exits();
  EXPECT_EQ(reason(), Refusal::none) << "an exit";
  c.position = {};
  hedges();
  EXPECT_EQ(reason(), Refusal::none) << "a hedge";
}

TEST_F(ScenarioGate, WithoutABalanceNothingGrows) {
  for (const double balance : {0.0, -5.0}) {
    c.scenario = {true, 0, 1, money(balance)};
    EXPECT_EQ(ask(), (Refused{Refusal::scenario_loss, 0, 1}));
  }
}

TEST_F(ScenarioGate, TheLargestNumbersDoNotOverflow) {
  limits.max_scenario_loss_bps = 1'000'000;
  c.scenario = {true, 0, INT64_MAX, Money{INT64_MAX}};
  EXPECT_EQ(ScenarioLoss::limit(c, limits), INT64_MAX);
  EXPECT_EQ(reason(), Refusal::none);
}

}  // namespace
}  // namespace gimbal
