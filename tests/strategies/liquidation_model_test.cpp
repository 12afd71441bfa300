// The ladder's own numbers against the venue's: what a report is compared with, and the account's
// margin model.
#include <gtest/gtest.h>

#include "tests/support/portfolio_ladder_fixture.hpp"

namespace gimbal {
namespace {

using test::LiquidationTest;
using test::month;
using test::PortfolioLadderTest;
using test::the_coin;
using test::usd;

// A short option whose first price comes after the account's first report.
struct LateOption : LiquidationTest {
  InstrumentId late{table.add(test::option_definition(60000))};
};

TEST_F(LateOption, AReportThatCameBeforeAPositionHadItsPriceIsComparedWithNothing) {
  Liquidation l{StrategyId{1}};
  ASSERT_EQ(l.add(config, the_coin, perp), "");
  start(puppet, l);
  gateway(GatewayState::ready);
  clock();
  snapshot(perp, 49999.5, 50000.5);
  mark(perp, 50000, 50000);
  option_ticker(0.6, 50000, 50000);
  reconcile(ReconcilePhase::begin);
  position(perp, 200000);
  position(late, -1);
  reconcile(ReconcilePhase::complete);
  operate(OperatorAction::arm);
  ASSERT_EQ(answer(), OperatorResult::accepted);
  report(100, 5);
  moment();
  ASSERT_FALSE(state().usable);
  Ticker t;
  t.mark = usd(0.02);
  t.index = t.underlying = usd(50000);
  t.mark_iv_nano = usd(0.6).nano;
  send(EventKind::ticker, t, late);
  for (int n = 0; n < 3; ++n) moment();
  ASSERT_TRUE(state().usable);
  const double own = state().maintenance;
  for (int n = 0; n < 2; ++n) {
    report(100, own * 1.05);
    moment();
  }
  EXPECT_TRUE(raised(TripCode::margin_mismatch).empty()) << "two, not three";
  report(100, own * 1.05);
  moment();
  EXPECT_EQ(raised(TripCode::margin_mismatch).size(), 1U);
}

TEST_F(LiquidationTest, WhereTheVenueAsksByAnotherModelItIsAmberToldOnceAndTheReportAloneActs) {
  go(4, 0.3);
  const auto hold = [&](double health, int times, AccountMargin model) {
    for (int n = 0; n < times; ++n) {
      report(maintenance / health, maintenance, model);
      moment(50000, seconds(1));
    }
  };
  hold(0.3, 2, AccountMargin::standard);
  EXPECT_EQ(state().state, MarginState::green);
  hold(0.3, 3, AccountMargin::portfolio);
  EXPECT_FALSE(state().usable);
  EXPECT_EQ(state().state, MarginState::amber);
  ASSERT_EQ(raised(TripCode::margin_model).size(), 1U);
  EXPECT_EQ(raised(TripCode::margin_model)[0].limit,
            static_cast<std::int64_t>(AccountMargin::standard));
  EXPECT_EQ(raised(TripCode::margin_model)[0].actual,
            static_cast<std::int64_t>(AccountMargin::portfolio));
  EXPECT_EQ(raised(TripCode::margin_model)[0].severity, Severity::critical);
  hold(0.3, 3, AccountMargin::unknown);
  EXPECT_FALSE(state().usable) << "one that does not say it takes nothing back";
  EXPECT_TRUE(placed().empty());
  hold(0.82, 1, AccountMargin::portfolio);
  EXPECT_EQ(state().state, MarginState::red);
  EXPECT_EQ(placed().size(), 1U) << "by the venue's own figure";
  hold(0.3, 1, AccountMargin::standard);
  EXPECT_TRUE(state().usable);
  hold(0.3, 1, AccountMargin::portfolio);
  EXPECT_EQ(raised(TripCode::margin_model).size(), 2U);
}

// Each look sees another market, so that no pass over ten options ends: the sum moves along its
// slope and curve, but not for ever.
TEST_F(PortfolioLadderTest, ASumOverTheOptionsThatNoPassRenewsIsUsedForTenSeconds) {
  config.margin_model = LadderMargin::standard;
  config.report_age_max = seconds(600);
  setup.engine.tick = seconds(1000);  // it wakes as well
  for (int n = 0; n < 10; ++n) list(55000 + 1000 * n, month, 0.7, -0.1);
  begin(0, 50, 1);
  ASSERT_TRUE(state().usable);
  int looks = 0;
  const auto swing = [&](Nanos how_long) {
    for (Nanos n{}; n < how_long; n = n + milliseconds(100)) {
      moment(++looks % 2 == 0 ? 50000 : 50100, milliseconds(100));
    }
  };
  swing(milliseconds(9'500));
  EXPECT_TRUE(state().usable);
  swing(milliseconds(700));
  EXPECT_FALSE(state().usable);
  EXPECT_EQ(state().state, MarginState::amber);
  for (int n = 0; n < 3; ++n) moment();
  EXPECT_TRUE(state().usable);
}

// One cause, one alarm: nobody looked for scenarios.
TEST_F(PortfolioLadderTest, WhereTheVenueAsksForStandardMarginTheScenariosAreNotMissed) {
  list(55000, month, 0.7, -6);
  begin(0, 50, 1);
  calm(50, 1);
  seen.clear();
  for (int n = 0; n < 100; ++n) {
    if (n % 20 == 0) report(50, 1, AccountMargin::standard);
    refresh();
  }
  EXPECT_FALSE(state().usable);
  EXPECT_EQ(raised(TripCode::margin_model).size(), 1U);
  EXPECT_TRUE(raised(TripCode::margin_unknown).empty());
}

}  // namespace
}  // namespace gimbal
