#include "strategies/rebalance/rebalance.hpp"

#include <gtest/gtest.h>

#include "tests/support/engine_world.hpp"

namespace gimbal {
namespace {

using test::amount;
using test::usd;

struct RebalanceTest : testing::Test, test::World<Rebalance> {
  RebalanceConfig config;

  RebalanceTest() {
    config.instrument = "BTC-PERPETUAL";
    config.trigger = RebalanceTrigger::price_above;
    config.level = usd(51000);
    config.target = amount(-3000);
    config.slice_max = amount(1000);
    config.interval_min = milliseconds(100);
  }
  void go(double held = 0, InstrumentId watch = {}) {
    Rebalance r{StrategyId{1}};
    ASSERT_EQ(r.add(config, perp, watch.valid() ? watch : perp), "");
    start(r);
    to_armed(50000, held);
  }
  void moment(double mid, Nanos d = milliseconds(150)) {
    advance(d);
    market(mid);
  }
  Rebalance& rule() { return std::get<0>(engine->strategies()); }
};

TEST_F(RebalanceTest, RefusesATriggerWithoutItsLevel) {
  Rebalance r;
  config.level = {};
  EXPECT_NE(r.add(config, perp, perp), "");
  config.trigger = RebalanceTrigger::volatility_below;
  EXPECT_NE(r.add(config, perp, perp), "");
  config.trigger = RebalanceTrigger::after;
  EXPECT_NE(r.add(config, InstrumentId{}, perp), "");
  EXPECT_EQ(r.add(config, perp, perp), "");
}

TEST_F(RebalanceTest, WaitsForThePriceThenMovesInSlicesAndStops) {
  go();
  moment(50999);
  EXPECT_TRUE(placed().empty());
  for (int i = 0; i < 6; ++i) {
    const std::size_t before = placed().size();
    moment(51000);
    if (placed().size() == before) continue;
    EXPECT_EQ(placed().back().amount, amount(1000));
    EXPECT_EQ(placed().back().side, Side::sell);
    EXPECT_EQ(placed().back().order.strategy(), StrategyId{1});
    ack(placed().back());
    fill(placed().back(), 1000);
  }
  EXPECT_EQ(placed().size(), 3U);
  EXPECT_EQ(core().portfolio().position(perp), amount(-3000));
  EXPECT_TRUE(rule().done(0));
}

TEST_F(RebalanceTest, DoesNotAskAgainWhileItsOrderIsOpenOrUnknown) {
  go();
  moment(51000);
  ASSERT_EQ(placed().size(), 1U);
  moment(51000);
  EXPECT_EQ(placed().size(), 1U);
  ASSERT_EQ(core().orders().find(placed()[0].order)->state, OrderState::unknown);
  moment(51000);
  EXPECT_EQ(placed().size(), 1U);
  done(placed()[0], 0, DoneReason::ioc_remainder);
  moment(51000);
  EXPECT_EQ(placed().size(), 2U);
}

TEST_F(RebalanceTest, FiresOnVolatility) {
  config.trigger = RebalanceTrigger::volatility_above;
  config.volatility = 0.8;
  go(0, option);
  moment(50000);
  EXPECT_TRUE(placed().empty());
  option_ticker(0.85, 50000, 50000);
  EXPECT_EQ(placed().size(), 1U);
}

TEST_F(RebalanceTest, FiresAfterATimeCountedFromTheArm) {
  config.trigger = RebalanceTrigger::after;
  config.delay = seconds(2);
  go();
  moment(50000, milliseconds(1900));
  EXPECT_TRUE(placed().empty());
  moment(50000, milliseconds(200));
  EXPECT_EQ(placed().size(), 1U);
}

TEST_F(RebalanceTest, GivesUpAfterItsNumberOfOrders) {
  config.orders_max = 3;
  go();
  for (int i = 0; i < 10; ++i) {
    const std::size_t before = placed().size();
    moment(51000);
    if (placed().size() > before) done(placed().back(), 0, DoneReason::ioc_remainder);
  }
  EXPECT_EQ(placed().size(), 3U);
  EXPECT_TRUE(rule().done(0));
}

TEST_F(RebalanceTest, ObeysTheGatesLimits) {
  setup.limits.max_position_lots = 100;  // 1,000 USD
  go();
  for (int i = 0; i < 5; ++i) {
    const std::size_t before = placed().size();
    moment(51000);
    if (placed().size() == before) continue;
    ack(placed().back());
    fill(placed().back(), 1000);
  }
  EXPECT_EQ(placed().size(), 1U);
  EXPECT_EQ(core().portfolio().position(perp), amount(-1000));
}

}  // namespace
}  // namespace gimbal
