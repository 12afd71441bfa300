// What the controls do besides refusing: confirmations, trips, scopes, and that exits and hedges
// pass them all.
#include "tests/support/controls_fixture.hpp"

namespace gimbal {
namespace {

using test::ControlsTest;

// --- P-01
// -----------------------------------------------------------------------------------------

TEST_F(ControlsTest, ThreeCollarRefusalsWithinTenSecondsReduceTheInstrument) {
  armed();
  const PlaceOrder rests = resting(49800);
  order(50500);
  advance(seconds(5));
  fresh();
  order(50500);
  EXPECT_TRUE(raised().empty());
  EXPECT_EQ(mode(instrument_scope()), Mode::active);
  advance(seconds(5));
  fresh();
  order(50500);
  const Trip t = only(TripCode::collar_repeated);
  EXPECT_EQ(t.limit, 3);
  EXPECT_EQ(t.evidence, seconds(10).count);
  EXPECT_EQ(t.mode, Mode::reduce);
  EXPECT_TRUE(t.latched);
  EXPECT_EQ(mode(instrument_scope()), Mode::reduce);
  run(milliseconds(1));
  EXPECT_EQ(state(rests), OrderState::pending_cancel);
}

TEST_F(ControlsTest, CollarRefusalsSpreadBeyondTheWindowTripNothing) {
  armed();
  for (int n = 0; n < 8; ++n) {
    order(50500);
    EXPECT_EQ(last_refusal(), Refusal::price_collar);
    advance(seconds(5) + Nanos{1});
    fresh();
  }
  EXPECT_TRUE(raised().empty());
}

// --- P-02
// -----------------------------------------------------------------------------------------

TEST_F(ControlsTest, ADriftOfOwnPricesReducesTheStrategyAndKeepsItsExits) {
  setup.limits.collar_bps = 1000;
  armed();
  finish(order(50000, 1000), 1000);
  order(50500.5, 1000);
  const Trip t = only(TripCode::price_drift);
  EXPECT_EQ(t.limit, 100);
  EXPECT_EQ(t.actual, 101);
  EXPECT_EQ(t.evidence, usd(50500.5).nano);
  EXPECT_EQ(mode(strategy_scope()), Mode::reduce);
  EXPECT_FALSE(order(50000, 1000).order.valid()) << "growth";
  EXPECT_EQ(last_refusal(), Refusal::reduce_rule);
  EXPECT_TRUE(order(49990, 1000, Side::sell).order.valid()) << "the exit";
}

// --- P-05
// -----------------------------------------------------------------------------------------

TEST_F(ControlsTest, ARedefinedInstrumentGrowsAgainOnlyAfterItWasQuotedAnew) {
  test::InstrumentBlocks blocks;
  setup.blocks = blocks.blocks();
  armed();
  Instrument coarse = table[perp];
  coarse.ticks.base = usd(1);
  blocks.set(coarse, 1);
  adopt(perp, 1);
  const Trip t = only(TripCode::instrument_redefined);
  EXPECT_EQ(t.limit, 1);
  EXPECT_TRUE(core().growth_blocked(perp));
  option_ticker(0.6, 50000, 50000);
  EXPECT_TRUE(core().growth_blocked(perp)) << "another one was quoted";
  mark(perp, 50000, 50000);
  EXPECT_FALSE(core().growth_blocked(perp));
  adopt(perp, 1);
  EXPECT_FALSE(core().growth_blocked(perp)) << "the same definition again";
}

// --- P-06
// -----------------------------------------------------------------------------------------

TEST_F(ControlsTest, ADuplicateIsRefusedAndTold) {
  armed();
  const PlaceOrder first = order(50010, 1000, Side::buy, TimeInForce::immediate_or_cancel, 77);
  done(first, 0, DoneReason::ioc_remainder);
  EXPECT_FALSE(order(50010, 1000, Side::buy, TimeInForce::immediate_or_cancel, 77).order.valid());
  EXPECT_EQ(only(TripCode::duplicate_order).evidence, 77);
}

// --- P-08
// -----------------------------------------------------------------------------------------

TEST_F(ControlsTest, APositionOverItsLimitByTheVenuesHandReducesTheInstrument) {
  setup.limits.max_position_lots = 100;  // 1,000 USD
  armed();
  venue_fill(1000);
  EXPECT_EQ(mode(instrument_scope()), Mode::active);
  venue_fill(10);
  const Trip t = only(TripCode::position_over_limit);
  EXPECT_EQ(t.limit, 100);
  EXPECT_EQ(t.actual, 101);
  EXPECT_EQ(mode(instrument_scope()), Mode::reduce);
  EXPECT_FALSE(order(50010, 10).order.valid());
  EXPECT_TRUE(order(49990, 1010, Side::sell).order.valid());
}

// --- P-09
// -----------------------------------------------------------------------------------------

TEST_F(ControlsTest, ABookOverItsDeltaReducesTheUnderlyingAndKeepsTheHedge) {
  setup.limits.max_delta_usd = money(5000);
  armed();
  venue_fill(5000);
  run(milliseconds(150));
  EXPECT_EQ(mode(book_scope()), Mode::active) << "at the limit";
  venue_fill(10);
  run(milliseconds(150));
  const Trip t = only(TripCode::greeks_over_limit);
  EXPECT_EQ(t.limit, money(5000).nano);
  EXPECT_GT(t.actual, t.limit);
  EXPECT_EQ(t.evidence, static_cast<std::int64_t>(GreekKind::delta));
  EXPECT_EQ(mode(book_scope()), Mode::reduce);
  fresh();
  EXPECT_TRUE(order(49990, 2000, Side::sell).order.valid());
}

TEST_F(ControlsTest, GammaVegaAndGrossDeltaOfTheBookTripAtTheirLimits) {
  for (const GreekKind kind : {GreekKind::gamma, GreekKind::vega, GreekKind::gross_delta}) {
    SCOPED_TRACE(static_cast<int>(kind));
    setup.limits = test::wide_limits();
    Money RiskLimits::*const limit = kind == GreekKind::gamma  ? &RiskLimits::max_gamma_usd
                                     : kind == GreekKind::vega ? &RiskLimits::max_vega_usd
                                                               : &RiskLimits::max_gross_delta_usd;
    const double value = value_of_ten_options(kind);
    setup.limits.*limit = money(value + 1);
    restart(0, -10);
    run(milliseconds(150));
    EXPECT_TRUE(raised().empty());
    setup.limits.*limit = money(value - 1);
    restart(0, -10);
    run(milliseconds(150));
    EXPECT_EQ(only(TripCode::greeks_over_limit).evidence, static_cast<std::int64_t>(kind));
  }
}

TEST_F(ControlsTest, GammaOfOpenOptionOrdersCountsAgainstTheNextOne) {
  armed();
  const double gamma = value_of_ten_options(GreekKind::gamma) / 10;
  setup.limits.max_gamma_usd = money(gamma * 2.5);
  restart(0, 0);
  option_order(1);
  EXPECT_EQ(last_refusal(), Refusal::none);
  option_order(1);
  EXPECT_EQ(last_refusal(), Refusal::none);
  option_order(1);
  EXPECT_EQ(last_refusal(), Refusal::gamma_limit);
}

// --- P-10
// -----------------------------------------------------------------------------------------

TEST_F(ControlsTest, TheValueLimitPausesTheVenueAndTheSixthPauseOfAnHourReducesIt) {
  setup.limits.max_venue_open_usd = money(1500);
  armed();
  ASSERT_TRUE(resting(49000, 1000).order.valid());
  for (int n = 1; n <= 6; ++n) {
    order(50010, 1000);
    EXPECT_EQ(core().gate().refused(Refusal::venue_open_usd), static_cast<std::uint64_t>(n));
    EXPECT_TRUE(core().growth_blocked(option)) << "another instrument of the venue";
    EXPECT_EQ(mode({ScopeLevel::venue, 0}), n <= 5 ? Mode::active : Mode::reduce);
    advance(seconds(61));
    fresh();
  }
  EXPECT_EQ(count_of(TripCode::venue_value), 6U);
  EXPECT_EQ(count_of(TripCode::input_pauses), 1U);
  EXPECT_EQ(count_of(TripCode::strategy_denials), 0U) << "one a minute is not a storm";
}

// --- P-18, P-20
// -----------------------------------------------------------------------------------

TEST_F(ControlsTest, AnImpossibleVolatilityIsNotTakenAndStopsThatOptionOnly) {
  armed(0, -10);
  const double before = core().view().option_mark(option).sigma;
  option_ticker(7, 50000, 50000);
  const Trip t = only(TripCode::greeks_insane);
  EXPECT_EQ(t.actual, usd(7).nano);
  EXPECT_EQ(t.evidence, static_cast<std::int64_t>(GreekKind::volatility));
  EXPECT_EQ(core().view().option_mark(option).sigma, before);
  option_order(1);
  EXPECT_EQ(last_refusal(), Refusal::option_insane);
  EXPECT_TRUE(order(50010, 1000).order.valid()) << "the hedge goes on";
  option_ticker(0.6, 50000, 50000);
  option_order(1);
  EXPECT_EQ(last_refusal(), Refusal::none);
}

TEST_F(ControlsTest, AnOptionNearItsExpiryIsRefusedToldAndPaused) {
  setup.limits.expiry_window = seconds(31 * 86400);
  armed();
  option_order(1);
  EXPECT_EQ(last_refusal(), Refusal::expiry_window);
  EXPECT_EQ(only(TripCode::expiry_window).severity, Severity::info);
  EXPECT_TRUE(core().growth_blocked(option));
  EXPECT_FALSE(core().growth_blocked(perp));
}

// --- S-01
// -----------------------------------------------------------------------------------------

TEST_F(ControlsTest, TheFifthRefusalWithinASecondReducesTheStrategyNotTheFourth) {
  setup.limits.max_order_lots = 10;
  armed();
  const PlaceOrder rests = resting(49000, 100);
  for (int n = 1; n <= 4; ++n) {
    order(50010, 1000);
    advance(milliseconds(250));
    fresh();
  }
  EXPECT_TRUE(raised().empty());
  order(50010, 1000);
  const Trip t = only(TripCode::strategy_denials);
  EXPECT_EQ(t.limit, 5);
  EXPECT_EQ(t.evidence, seconds(1).count);
  EXPECT_TRUE(t.latched);
  EXPECT_EQ(mode(strategy_scope()), Mode::reduce);
  run(milliseconds(1));
  EXPECT_EQ(state(rests), OrderState::pending_cancel);
}

// What REDUCE alone would leave resting: an order that reduces.
TEST_F(ControlsTest, ATripCancelsTheOffendersReducingOrdersToo) {
  setup.limits.max_order_lots = 10;
  go();
  to_armed(50000, 1000);
  const PlaceOrder exit = order(50500, 100, Side::sell, TimeInForce::good_til_cancelled, 0,
                                order_flag::post_only | order_flag::reduce_only);
  ASSERT_TRUE(exit.order.valid());
  ack(exit);
  for (int n = 1; n <= 5; ++n) order(50010, 1000);
  ASSERT_EQ(mode(strategy_scope()), Mode::reduce);
  run(milliseconds(1));
  EXPECT_EQ(state(exit), OrderState::pending_cancel);
}

TEST_F(ControlsTest, TheTwentiethRefusalWithinAMinuteReducesTheStrategy) {
  setup.limits.max_order_lots = 10;
  armed();
  for (int n = 1; n <= 20; ++n) {
    EXPECT_EQ(mode(strategy_scope()), Mode::active) << n;
    order(50010, 1000);
    advance(seconds(3));
    fresh();
  }
  EXPECT_EQ(only(TripCode::strategy_denials).evidence, seconds(60).count);
  EXPECT_EQ(mode(strategy_scope()), Mode::reduce);
}

TEST_F(ControlsTest, RefusalsThatTheMarketOrTheModeCausesAreNotTheStrategysFault) {
  armed();
  FeedStatus lost;
  lost.reason = FeedReason::sequence_gap;
  send(EventKind::feed_status, lost, perp);
  for (int n = 0; n < 30; ++n) order(50010, 1000);
  EXPECT_EQ(core().gate().refused(Refusal::paused), 30U);
  EXPECT_TRUE(raised().empty());
}

// --- arming
// -----------------------------------------------------------------------------------------

TEST_F(ControlsTest, NothingIsArmedWhileAnOrderOfOursIsInDoubt) {
  armed();
  const PlaceOrder doubt = order();
  run(milliseconds(110));
  ASSERT_EQ(state(doubt), OrderState::unknown);
  operate(OperatorAction::kill, Mode::halt);
  ASSERT_EQ(engine->snapshot().cancel_jobs, 0);
  operate(OperatorAction::arm);
  EXPECT_EQ(answer(), OperatorResult::refused_unknown_orders);
  EXPECT_EQ(mode({}), Mode::halt);
  lookup(doubt, LookupOutcome::cancelled);
  operate(OperatorAction::arm);
  EXPECT_NE(answer(), OperatorResult::refused_unknown_orders);
}

}  // namespace
}  // namespace gimbal
