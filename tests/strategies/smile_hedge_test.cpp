// Which delta of the options a hedge keeps inside its band.
#include <gtest/gtest.h>

#include <cmath>

#include "strategies/delta_hedge/delta_hedge.hpp"
#include "tests/support/smile_fixture.hpp"

namespace gimbal {
namespace {

using test::SmileHedge;

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

}  // namespace
}  // namespace gimbal
