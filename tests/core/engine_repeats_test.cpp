// Repeated executions, throttles and the order-to-trade ratio: what is counted over time.
#include "tests/support/controls_fixture.hpp"
#include "tests/support/gate_fixture.hpp"

namespace gimbal {
namespace {

using test::Gate;

using RepeatsTest = test::ControlsTest;

// --- P-07
// -----------------------------------------------------------------------------------------

TEST_F(RepeatsTest, APingPongStopsAtItsTwentiethTurn) {
  armed();
  int turns = -1;  // the first buy turns nothing
  for (int n = 0; n < 60; ++n) {
    const bool buy = n % 2 == 0;
    const PlaceOrder o = order(buy ? 50010 : 49990, 1000, buy ? Side::buy : Side::sell);
    if (!o.order.valid()) {
      EXPECT_EQ(last_refusal(), Refusal::reduce_rule);
      EXPECT_TRUE(buy) << "the way back is an exit";
      break;
    }
    turns += buy ? 1 : 0;
    EXPECT_LE(turns, 20);
    finish(o, 1000);
    advance(milliseconds(100));
    fresh();
  }
  EXPECT_EQ(turns, 20);
  const Trip t = only(TripCode::cycles_repeated);
  EXPECT_EQ(t.limit, 20);
  EXPECT_EQ(t.mode, Mode::reduce);
}

TEST_F(RepeatsTest, TwentyImmediateOrdersWithoutAFillTripAndAFillThatHelpsForgetsThem) {
  armed(1000);
  const auto miss = [&] {
    const PlaceOrder o = order(49990, 100, Side::sell);
    ASSERT_TRUE(o.order.valid()) << static_cast<int>(last_refusal());
    done(o, 0, DoneReason::ioc_remainder);
    advance(milliseconds(100));
    fresh();
  };
  for (int n = 0; n < 19; ++n) miss();
  EXPECT_TRUE(raised().empty());
  finish(order(49990, 100, Side::sell), 100);
  for (int n = 0; n < 19; ++n) miss();
  EXPECT_TRUE(raised().empty());
  miss();
  EXPECT_EQ(count_of(TripCode::cycles_repeated), 1U);
}

TEST_F(RepeatsTest, TurnsThatEachBetterThePositionAreNoRepeats) {
  armed();
  for (int n = 0; n < 100;
       ++n) {  // the venue's hand moves the position, the strategy brings it back
    const bool buy = n % 2 == 0;
    venue_fill(buy ? -1000 : 1000);
    finish(order(buy ? 50010 : 49990, 1000, buy ? Side::buy : Side::sell), 1000);
    advance(milliseconds(100));
    fresh();
  }
  EXPECT_TRUE(raised().empty());
}

// --- T-01 to T-04
// -----------------------------------------------------------------------------------

TEST_F(Gate, TwiceTheRateForAMinuteNeverPassesTheBucketOfAVenue) {
  limits.order_rate_per_s = 14;
  limits.order_burst = 70;
  limits.cancel_reserve = 20;
  RiskGate gate{limits};
  const RecvTime start = c.now;
  std::int64_t sent = 0;
  while (c.now < start + seconds(60)) {
    c.now = c.now + Nanos{seconds(1).count / 28};
    ++c.intent;
    const bool room = gate.room(c.now, test::the_venue) > 0;
    const bool passed = gate.approve(o, c).index() == 0;
    EXPECT_EQ(room, passed);
    sent += passed ? 1 : 0;
    EXPECT_LE(sent, 50 + (c.now - start).count * 14 / seconds(1).count);
  }
  EXPECT_GE(sent, 50 + 14 * 60 - 1);
  EXPECT_GT(gate.refused(Refusal::order_rate), 700U);
  EXPECT_EQ(gate.room(c.now, VenueId{1}), 50) << "another venue has a bucket of its own";
}

TEST_F(RepeatsTest, CancelsGoAtOnceWithAnEmptyBucketAndThatIsTold) {
  setup.limits.order_rate_per_s = 1;
  setup.limits.order_burst = 10;
  setup.limits.cancel_reserve = 3;
  setup.own_account[0] = false;
  setup.limits.max_open_orders = 10;
  armed();
  std::vector<PlaceOrder> all;
  for (int n = 0; n < 7; ++n) all.push_back(resting(49000 + n, 10));
  EXPECT_FALSE(order(48000, 10).order.valid());
  EXPECT_EQ(last_refusal(), Refusal::order_rate);
  operate(OperatorAction::kill);
  EXPECT_EQ(count(CommandKind::cancel), 7U) << "three from the reserve, the others all the same";
  EXPECT_EQ(count_of(TripCode::cancel_reserve), 1U);
}

TEST_F(RepeatsTest, CancelsWithoutAnAnswerAreRepeatedFourTimesToldAndLookedUp) {
  setup.own_account[0] = false;
  setup.limits.order_burst = 200;
  setup.limits.cancel_reserve = 50;
  setup.limits.order_rate_per_s = 14;
  setup.limits.max_open_orders = 100;
  armed();
  std::vector<PlaceOrder> all;
  for (int n = 0; n < 20; ++n) all.push_back(resting(49000 + n, 10));
  seen.clear();
  operate(OperatorAction::kill);
  run(seconds(10));
  EXPECT_LE(count(CommandKind::cancel), 4U * all.size());
  EXPECT_GE(count(CommandKind::cancel), 4U * all.size() - all.size());
  EXPECT_EQ(count_of(TripCode::retry_storm), 1U);
  EXPECT_EQ(first(TripCode::retry_storm).actual, 20);
  EXPECT_EQ(count(CommandKind::place), 0U) << "nothing is ever sent again";
  for (const PlaceOrder& o : all) EXPECT_EQ(state(o), OrderState::unknown);
  EXPECT_LE(count(CommandKind::cancel), static_cast<std::size_t>(14 * 10 + 200));
}

TEST_F(RepeatsTest, ManyLossesOfTheSessionPauseItsVenue) {
  armed();
  for (int n = 1; n <= 20; ++n) {
    gateway(GatewayState::down);
    EXPECT_EQ(count_of(TripCode::reconnect_storm), n == 20 ? 1U : 0U) << n;
    ++generation;
    gateway(GatewayState::ready);
    advance(seconds(3));
    fresh();
  }
  const Trip t = first(TripCode::reconnect_storm);
  EXPECT_EQ(t.limit, 20);
  EXPECT_EQ(t.scope, (Scope{ScopeLevel::venue, 0}));
}

// --- T-05
// -----------------------------------------------------------------------------------------

TEST_F(RepeatsTest, TheRatioOfADayIsTheVenuesFormula) {
  OrderToTrade counts;
  const auto group = OrderToTrade::Group::futures;
  for (int n = 0; n < 17'000; ++n) counts.change(test::the_coin, group);
  counts.maker(test::the_coin, group, amount(2.5).nano);
  EXPECT_EQ(counts.used_permille(test::the_coin, group, 10'000), 680);  // 6,800 a coin
  EXPECT_EQ(counts.used_permille(test::the_coin, group, 0), 0);
  EXPECT_EQ(counts.used_permille(test::the_coin, OrderToTrade::Group::options, 10'000), 0);
  for (int n = 0; n < 24; ++n) counts.change(test::the_coin, group);
  EXPECT_EQ(counts.used_permille(test::the_coin, group, 10'000), 680);
  counts.change(test::the_coin, group);
  EXPECT_EQ(counts.used_permille(test::the_coin, group, 10'000), 681);
  counts.begin_day();
  for (int n = 0; n < 10; ++n) counts.change(test::the_coin, group);
  EXPECT_EQ(counts.used_permille(test::the_coin, group, 10), 1000) << "no volume counts as a coin";
}

TEST_F(RepeatsTest, TheRatioWarnsAtSevenTenthsAndReducesTheStrategyAtNine) {
  setup.underlyings[0].order_to_trade_max = 100;
  setup.limits.cycles_window = {};
  armed();
  for (int n = 1; n <= 45; ++n) {  // an insert and a cancel each
    EXPECT_EQ(mode(strategy_scope()), Mode::active) << n;
    const PlaceOrder o = order(50010, 10);
    ASSERT_TRUE(o.order.valid()) << n << " " << static_cast<int>(last_refusal());
    done(o, 0, DoneReason::ioc_remainder);
    EXPECT_EQ(count_of(TripCode::order_to_trade_high), n >= 35 ? 1U : 0U) << n;
    advance(milliseconds(100));
    fresh();
  }
  EXPECT_EQ(count_of(TripCode::order_to_trade_limit), 1U);
  EXPECT_EQ(first(TripCode::order_to_trade_limit).actual, 900);
  EXPECT_EQ(first(TripCode::order_to_trade_limit).evidence, 90);
  EXPECT_EQ(mode(strategy_scope()), Mode::reduce);
}

TEST_F(RepeatsTest, AFullyFilledImmediateOrderIsOneChangeAndOnlyMakerVolumeCounts) {
  setup.underlyings[0].order_to_trade_max = 100;
  armed();
  finish(order(50010, 1000), 1000);
  const auto* count_now = core().order_to_trade().at(test::the_coin, OrderToTrade::Group::futures);
  EXPECT_EQ(count_now->changes, 1U);
  EXPECT_EQ(count_now->maker_nano, 0);
  const PlaceOrder o = resting(49900, 1000);
  Fill f = fill_of(o, 1000);
  f.liquidity = Liquidity::maker;
  f.price = usd(50000);
  send(EventKind::fill, f, perp);
  EXPECT_EQ(count_now->changes, 2U);
  EXPECT_EQ(count_now->maker_nano, amount(0.02).nano);
}

}  // namespace
}  // namespace gimbal
