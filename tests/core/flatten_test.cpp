// FLATTEN in the core: what is closed, how much, at what price, and everything that ends it.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/engine_fixture.hpp"

namespace gimbal {
namespace {

struct FlattenTest : EngineTest {
  void TestBody() override {}  // also made by hand, for a second world
  void to_held(double perp_held, double option_held = 0) {
    go();
    to_armed(50000, perp_held, option_held);
  }
  void flatten(Scope scope = {}, std::uint8_t flags = 0, double max_loss = 1e6,
               OperatorSource source = OperatorSource::human,
               std::uint64_t hash = test::the_config_hash) {
    OperatorCommand c;
    c.command_id = seq + 1;
    c.config_hash = hash;
    c.scope = scope;
    c.action = OperatorAction::flatten;
    c.flags = flags;
    c.max_loss = money(max_loss);
    c.source = source;
    send(EventKind::operator_command, c);
  }
  // The venue's picture that the job waits for; with fresh prices, as time went on.
  void picture(double perp_held, double option_held = 0) {
    for (int i = 0; i < 50 && count(CommandKind::reconcile) == 0; ++i) run(milliseconds(2));
    ASSERT_GE(count(CommandKind::reconcile), 1U) << "no picture was asked for";
    seen.clear();
    reconcile(ReconcilePhase::begin);
    position(perp, perp_held);
    position(option, option_held);
    reconcile(ReconcilePhase::complete);
    run(milliseconds(60));
  }
  void fresh() {
    mark(perp, 50000, 50000);
    option_ticker(0.6, 50000, 50000);
  }
  void start_job(double perp_held, double option_held = 0, std::uint8_t flags = 0,
                 double max_loss = 1e6) {
    operate(OperatorAction::kill);
    seen.clear();
    flatten({}, flags, max_loss);
    ASSERT_EQ(answer(), OperatorResult::accepted);
    picture(perp_held, option_held);
  }
  void take(const PlaceOrder& o, double size) {
    fill(o, size);
    if (amount(size) < o.amount) done(o, size, DoneReason::ioc_remainder);
  }
  FlattenStatus job() const { return engine->snapshot().flatten; }
  FlattenWhy why(InstrumentId id) const {
    const FlattenStatus s = job();
    for (std::size_t i = 0; i < s.items_shown; ++i) {
      if (s.item[i].instrument == id) return s.item[i].why;
    }
    return FlattenWhy::none;
  }
};

TEST_F(FlattenTest, ClosesAPositionThenProvesItAtTheVenueAndStaysInCancel) {
  to_held(10000);
  start_job(10000);
  ASSERT_EQ(placed().size(), 1U);
  const PlaceOrder o = placed()[0];
  EXPECT_EQ(o.side, Side::sell);
  EXPECT_EQ(o.amount, amount(10000));
  EXPECT_EQ(o.price, usd(49999.5));
  EXPECT_EQ(o.tif, TimeInForce::immediate_or_cancel);
  EXPECT_EQ(o.flags, order_flag::reduce_only | order_flag::flattens | order_flag::reduces);
  EXPECT_EQ(o.order.strategy(), operator_strategy);
  EXPECT_EQ(job().phase, FlattenPhase::closing);
  take(o, 10000);
  seen.clear();
  run(milliseconds(200));
  EXPECT_EQ(job().phase, FlattenPhase::verifying);
  picture(0);
  EXPECT_EQ(job().phase, FlattenPhase::ended);
  EXPECT_EQ(job().end, FlattenEnd::flat);
  EXPECT_NE(job().verified.mono_ns, 0);
  EXPECT_EQ(job().held, 0U);
  EXPECT_NEAR(to_double(job().cost), 10000 * 0.5 / 50000, 1e-3);
  EXPECT_EQ(engine->snapshot().global, Mode::cancel);
  seen.clear();
  run(seconds(2));
  EXPECT_TRUE(placed().empty());
}

TEST_F(FlattenTest, BuysAShortPositionBackInSlicesThatTheBookHolds) {
  to_held(-10000);
  level(perp, Side::sell, 50000.5, 4000);
  start_job(-10000);
  double left = 10000;
  for (const double expected : {4000.0, 4000.0, 2000.0}) {
    ASSERT_EQ(placed().size(), 1U) << left;
    EXPECT_EQ(placed()[0].side, Side::buy);
    EXPECT_EQ(placed()[0].amount, amount(expected));
    const PlaceOrder o = placed()[0];
    seen.clear();
    take(o, expected);
    left -= expected;
    run(milliseconds(120));
  }
  EXPECT_EQ(core().portfolio().position(perp).nano, 0);
  picture(0);
  EXPECT_EQ(job().end, FlattenEnd::flat);
  EXPECT_EQ(job().orders, 3U);
}

TEST_F(FlattenTest, NeverTwoSlicesInFlightAndTheRestOfAPartFillGoesNext) {
  to_held(10000);
  start_job(10000);
  ASSERT_EQ(placed().size(), 1U);
  const PlaceOrder first = placed()[0];
  seen.clear();
  ack(first);
  run(milliseconds(90));
  fresh();
  EXPECT_TRUE(placed().empty()) << "the first may still fill";
  take(first, 3000);
  run(milliseconds(120));
  ASSERT_EQ(placed().size(), 1U);
  EXPECT_EQ(placed()[0].amount, amount(7000));
}

TEST_F(FlattenTest, AnOrderIsSplitByTheLimitsOfOneOrder) {
  setup.limits.max_order_lots = 300;
  to_held(10000);
  start_job(10000);
  ASSERT_EQ(placed().size(), 1U);
  EXPECT_EQ(placed()[0].amount, amount(3000));
}

// Two coins long against four short calls, one coin allowed: the hedge of what stays goes half way.
TEST_F(FlattenTest, ASliceIsCutToWhatTheDeltaLimitLeavesAndTheRestIsNamed) {
  setup.limits.max_delta_usd = money(50000);
  to_held(100000, -4);
  level(perp, Side::buy, 49999.5, 200000);
  const auto delta = [&] {
    return static_cast<double>(core().residual(test::the_coin)->settled) * 1e-9;
  };
  ASSERT_LT(std::abs(delta()), 0.3);
  start_job(100000, -4);
  ASSERT_EQ(placed().size(), 1U);
  const PlaceOrder o = placed()[0];
  EXPECT_EQ(o.side, Side::sell);
  EXPECT_LT(o.amount, amount(100000));
  const double after = delta() - to_double(o.amount) / 50000;
  EXPECT_GE(after, -1);
  EXPECT_LT(after - 10.0 / 50000, -1) << "not one lot more";
  take(o, to_double(o.amount));
  fresh();
  seen.clear();
  run(milliseconds(200));
  EXPECT_TRUE(placed().empty());
  EXPECT_EQ(why(perp), FlattenWhy::refused);
}

TEST_F(FlattenTest, OptionsStayUnlessAskedForAndAreNamed) {
  to_held(0, 2);
  start_job(0, 2);
  EXPECT_TRUE(placed().empty());
  picture(0, 2);
  EXPECT_EQ(job().end, FlattenEnd::flat) << "of what was selected";
  EXPECT_EQ(why(option), FlattenWhy::not_selected);
  EXPECT_EQ(job().held, 1U);
}

TEST_F(FlattenTest, OptionsAreClosedAfterTheFutures) {
  to_held(1000, 2);
  snapshot(option, 0.0499, 0.0501, 50);
  option_ticker(0.6, 50000, 50000);
  start_job(1000, 2, flatten_flag::options);
  ASSERT_EQ(placed().size(), 1U);
  EXPECT_EQ(placed()[0].instrument, perp);
  const PlaceOrder o = placed()[0];
  seen.clear();
  take(o, 1000);
  run(milliseconds(120));
  ASSERT_EQ(placed().size(), 1U);
  EXPECT_EQ(placed()[0].instrument, option);
  EXPECT_EQ(placed()[0].side, Side::sell);
  EXPECT_EQ(placed()[0].amount, amount(2));
  EXPECT_EQ(placed()[0].price, usd(0.0499));
}

TEST_F(FlattenTest, AnOptionWithoutABookIsLeftAndSaidSo) {
  to_held(0, 2);
  start_job(0, 2, flatten_flag::options);
  for (int i = 0; i < 12; ++i) {
    run(seconds(1));
    fresh();
  }
  EXPECT_TRUE(placed().empty());
  EXPECT_EQ(why(option), FlattenWhy::no_book);
  picture(0, 2);
  EXPECT_EQ(job().end, FlattenEnd::left_over);
}

TEST_F(FlattenTest, ABidOutsideOfTheCollarIsNotTaken) {
  to_held(10000);
  level(perp, Side::buy, 49000, 100000, 0);
  level(perp, Side::buy, 49999.5, 0);
  fresh();
  start_job(10000);
  EXPECT_TRUE(placed().empty());
  EXPECT_EQ(why(perp), FlattenWhy::no_bid);
}

TEST_F(FlattenTest, WhatAnUnknownOrderMayHaveClosedAlreadyIsHeldBackUntilItIsResolved) {
  to_held(10000);
  const PlaceOrder doubt = resting(51000, 4000, Side::sell);
  operate(OperatorAction::kill);
  run(milliseconds(20));
  ASSERT_EQ(state(doubt), OrderState::unknown);
  seen.clear();
  flatten();
  ASSERT_EQ(answer(), OperatorResult::accepted);
  picture(10000);
  ASSERT_EQ(placed().size(), 1U);
  EXPECT_EQ(placed()[0].amount, amount(6000));
  const PlaceOrder o = placed()[0];
  seen.clear();
  take(o, 6000);
  run(milliseconds(300));
  fresh();
  EXPECT_TRUE(placed().empty());
  EXPECT_EQ(why(perp), FlattenWhy::unknown_order);
  EXPECT_EQ(job().unknown, 1U);
  lookup(doubt, LookupOutcome::cancelled);
  run(milliseconds(60));
  ASSERT_EQ(placed().size(), 1U);
  EXPECT_EQ(placed()[0].amount, amount(4000));
}

TEST_F(FlattenTest, NothingIsSentWhereTheSignOfThePositionIsInDoubtAndItEndsUnproven) {
  to_held(10000);
  const PlaceOrder doubt = resting(51000, 12000, Side::sell);
  operate(OperatorAction::kill);
  run(milliseconds(20));
  ASSERT_EQ(state(doubt), OrderState::unknown);
  seen.clear();
  flatten();
  picture(10000);
  for (int i = 0; i < 11; ++i) {
    run(seconds(1));
    fresh();
  }
  EXPECT_TRUE(placed().empty());
  picture(10000);
  EXPECT_EQ(job().end, FlattenEnd::unknown_orders);
}

TEST_F(FlattenTest, NoSliceBeforeTheVenuesPositionsAreIn) {
  to_held(10000);
  operate(OperatorAction::kill);
  seen.clear();
  flatten();
  run(seconds(1));
  EXPECT_TRUE(placed().empty());
  EXPECT_EQ(job().phase, FlattenPhase::settling);
  run(seconds(15));
  EXPECT_EQ(job().end, FlattenEnd::no_picture);
  EXPECT_TRUE(placed().empty());
}

TEST_F(FlattenTest, WhatTheVenueStillShowsIsClosedAgain) {
  to_held(10000);
  start_job(10000);
  const PlaceOrder o = placed().at(0);
  seen.clear();
  take(o, 10000);
  run(milliseconds(200));
  picture(2000);  // the venue knows better
  ASSERT_EQ(placed().size(), 1U);
  EXPECT_EQ(placed()[0].amount, amount(2000));
}

TEST_F(FlattenTest, TheLossLimitStopsItBeforeTheSliceThatCouldBreakIt) {
  to_held(10000);
  start_job(10000, 0, 0, 0.05);  // the spread alone is 0.10 USD
  EXPECT_TRUE(placed().empty());
  picture(10000);
  EXPECT_EQ(job().end, FlattenEnd::max_loss);
}

TEST_F(FlattenTest, HedgeOnlyTradesTheHedgeAndLeavesTheOptions) {
  to_held(0, 2);
  start_job(0, 2, flatten_flag::hedge_only);
  ASSERT_EQ(placed().size(), 1U);
  const PlaceOrder o = placed()[0];
  EXPECT_EQ(o.instrument, perp);
  EXPECT_EQ(o.side, Side::sell) << "long calls are long delta";
  EXPECT_EQ(o.flags & order_flag::reduce_only, 0);
  const double delta = *core().coins_of(option, amount(2));
  EXPECT_NEAR(to_double(o.amount), delta * 50000, 10.0);
  seen.clear();
  take(o, to_double(o.amount));
  run(milliseconds(200));
  picture(-to_double(o.amount), 2);
  EXPECT_EQ(job().end, FlattenEnd::flat);
}

// --- refusals -----------------------------------------------------------------------------------

TEST_F(FlattenTest, IsRefusedUnlessItsScopeIsInCancelAndNoWiderOneIsStopped) {
  to_held(10000);
  flatten();
  EXPECT_EQ(answer(), OperatorResult::refused_not_cancelled) << "ACTIVE";
  for (const Mode mode : {Mode::reduce, Mode::halt}) {
    operate(OperatorAction::kill, mode);
    flatten();
    EXPECT_EQ(answer(), OperatorResult::refused_not_cancelled) << static_cast<int>(mode);
  }
  const Scope coin{ScopeLevel::underlying, 0};
  operate(OperatorAction::kill, Mode::cancel, coin);
  flatten(coin);
  EXPECT_EQ(answer(), OperatorResult::refused_scope_stopped) << "global HALT";
  operate(OperatorAction::kill, Mode::lock);
  flatten();
  EXPECT_EQ(answer(), OperatorResult::refused_not_cancelled) << "LOCK";
  EXPECT_TRUE(placed().empty());
}

TEST_F(FlattenTest, IsRefusedToMachinesOtherConfigsStrategiesAndASecondJob) {
  to_held(10000);
  operate(OperatorAction::kill);
  for (const OperatorSource source : {OperatorSource::guardian, OperatorSource::monitor,
                                      OperatorSource::signal, OperatorSource::sentinel}) {
    flatten({}, 0, 1e6, source);
    EXPECT_EQ(answer(), OperatorResult::refused_source);
  }
  flatten({}, 0, 1e6, OperatorSource::human, 1);
  EXPECT_EQ(answer(), OperatorResult::refused_config_hash);
  operate(OperatorAction::kill, Mode::cancel, {ScopeLevel::strategy, 0});
  flatten({ScopeLevel::strategy, 0});
  EXPECT_EQ(answer(), OperatorResult::refused_scope);
  flatten({}, 0, -1);
  EXPECT_EQ(answer(), OperatorResult::refused_scope);
  flatten();
  ASSERT_EQ(answer(), OperatorResult::accepted);
  flatten();
  EXPECT_EQ(answer(), OperatorResult::refused_flatten_running);
  operate(OperatorAction::arm);
  EXPECT_EQ(answer(), OperatorResult::refused_flatten_running);
  gateway(GatewayState::down);
  operate(OperatorAction::kill);
  flatten();
  EXPECT_EQ(answer(), OperatorResult::refused_gateway);
}

// --- what ends it -------------------------------------------------------------------------------

TEST_F(FlattenTest, AKillOfItsScopeOrAWiderOneEndsItAndOneElsewhereDoesNot) {
  for (const Mode mode : {Mode::halt, Mode::cancel, Mode::lock}) {
    FlattenTest t;
    t.to_held(10000);
    t.start_job(10000);
    t.operate(OperatorAction::kill, mode, {ScopeLevel::instrument, t.option.value});
    EXPECT_TRUE(t.job().running());
    t.operate(OperatorAction::kill, Mode::reduce);
    EXPECT_TRUE(t.job().running()) << "REDUCE blocks no exit";
    const PlaceOrder o = t.placed().at(0);
    t.operate(OperatorAction::kill, mode);
    EXPECT_EQ(t.job().end, FlattenEnd::by_operator);
    t.done(o, 0, DoneReason::ioc_remainder);
    t.seen.clear();
    t.run(seconds(1));
    EXPECT_TRUE(t.placed().empty());
  }
}

TEST_F(FlattenTest, TheOperatorEndsItAndTheScopeStaysInCancel) {
  to_held(10000);
  start_job(10000);
  operate(OperatorAction::stop_flatten);
  EXPECT_EQ(answer(), OperatorResult::accepted);
  EXPECT_EQ(job().end, FlattenEnd::by_operator);
  EXPECT_EQ(engine->snapshot().global, Mode::cancel);
  operate(OperatorAction::stop_flatten);
  EXPECT_EQ(answer(), OperatorResult::unchanged);
}

// A cancel that is lost, or that the venue refuses, is found out by the look-up; one that did not
// leave is sent again.
TEST_F(FlattenTest, AfterItsEndASliceThatRestsIsCancelledUntilItIsGone) {
  to_held(10000);
  start_job(10000);
  ASSERT_EQ(placed().size(), 1U);
  const PlaceOrder slice = placed()[0];
  ack(slice);
  seen.clear();
  operate(OperatorAction::stop_flatten);
  run(milliseconds(5));
  ASSERT_EQ(count(CommandKind::cancel), 1U);
  for (std::size_t sent = 2; sent <= 4; ++sent) {
    run(seconds(1));
    EXPECT_EQ(count(CommandKind::cancel), sent - 1);
    EXPECT_EQ(state(slice), OrderState::unknown) << "no answer";
    EXPECT_GE(count(CommandKind::query_order), 1U);
    lookup(slice, LookupOutcome::open);
    run(milliseconds(20));
    EXPECT_EQ(count(CommandKind::cancel), sent);
  }
  OrderReject refused;
  refused.order = slice.order;
  refused.action = OrderAction::cancel;
  refused.reason = RejectReason::venue;
  send(EventKind::order_reject, refused, perp);
  EXPECT_EQ(state(slice), OrderState::unknown);
  lookup(slice, LookupOutcome::open);
  run(milliseconds(20));
  EXPECT_EQ(count(CommandKind::cancel), 5U);
  refused.reason = RejectReason::local_rate;
  send(EventKind::order_reject, refused, perp);
  EXPECT_EQ(state(slice), OrderState::live);
  run(milliseconds(20));
  EXPECT_EQ(count(CommandKind::cancel), 6U);
  done(slice, 0);
  run(seconds(2));
  EXPECT_EQ(count(CommandKind::cancel), 6U);
}

TEST_F(FlattenTest, ARowOfRefusalsAtTheLastGateEndsItAndOneDoesNot) {
  to_held(10000);
  start_job(10000);
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(placed().size(), 1U) << i;
    ASSERT_TRUE(job().running()) << i;
    OrderReject r;
    r.order = placed()[0].order;
    r.reason = RejectReason::last_gate;
    seen.clear();
    send(EventKind::order_reject, r, perp);
    run(milliseconds(120));
    fresh();
    run(milliseconds(2));
  }
  EXPECT_EQ(job().end, FlattenEnd::gate_closed);
}

TEST_F(FlattenTest, ThreeRejectionsByTheVenueSetAnInstrumentAside) {
  to_held(10000);
  start_job(10000);
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(placed().size(), 1U) << i;
    OrderReject r;
    r.order = placed()[0].order;
    r.reason = RejectReason::venue;
    r.venue_code = 10009;
    seen.clear();
    send(EventKind::order_reject, r, perp);
    run(milliseconds(120));
    fresh();
    run(milliseconds(2));
  }
  EXPECT_TRUE(placed().empty());
  EXPECT_EQ(why(perp), FlattenWhy::rejected);
}

TEST_F(FlattenTest, ALostBookPausesItAndANarrowerStopIsObeyed) {
  to_held(10000);
  FeedStatus lost;
  lost.state = FeedState::invalid;
  lost.reason = FeedReason::sequence_gap;
  send(EventKind::feed_status, lost, perp);
  start_job(10000);
  EXPECT_TRUE(placed().empty());
  EXPECT_EQ(why(perp), FlattenWhy::paused);

  FlattenTest narrow;
  narrow.to_held(10000);
  narrow.operate(OperatorAction::kill, Mode::halt, {ScopeLevel::instrument, narrow.perp.value});
  narrow.start_job(10000);
  EXPECT_TRUE(narrow.placed().empty());
  EXPECT_EQ(narrow.why(narrow.perp), FlattenWhy::scope_stopped);
}

// One of the boot before, in doubt, and one that rests: the second is still to be cancelled.
TEST_F(FlattenTest, AnOrderInDoubtDoesNotStandForOneThatRests) {
  go();
  OrderCarry c;
  c.order = make_order_id(6, StrategyId{0}, 41);
  c.price = usd(49000);
  c.amount = amount(1000);
  c.valid_until = ExchTime{1};
  c.sent = ExchTime{1};
  c.tif = static_cast<std::uint8_t>(TimeInForce::good_til_cancelled);
  send(EventKind::order_carry, c, perp);
  gateway(GatewayState::ready);
  clock();
  snapshot(perp, 49999.5, 50000.5);
  fresh();
  reconcile(ReconcilePhase::begin);
  OpenOrderReport r;
  r.order = make_order_id(6, StrategyId{0}, 42);
  r.price = usd(49000);
  r.amount = amount(1000);
  r.venue_ref = 99;
  send(EventKind::open_order_report, r, perp);
  position(perp, 10000);
  reconcile(ReconcilePhase::complete);
  operate(OperatorAction::kill);
  flatten();
  ASSERT_EQ(answer(), OperatorResult::accepted);
  run(milliseconds(2));
  ASSERT_EQ(core().orders().find(r.order)->state, OrderState::pending_cancel);
  EXPECT_EQ(job().phase, FlattenPhase::cancelling);
  OrderDone d;
  d.order = r.order;
  d.reason = DoneReason::cancelled_by_us;
  send(EventKind::order_done, d, perp);
  run(milliseconds(300));
  EXPECT_EQ(job().phase, FlattenPhase::settling) << "what is in doubt does not hold it";
}

TEST_F(FlattenTest, ANarrowScopeIsClosedWhileTheRestKeepsTrading) {
  to_held(10000, 2);
  const Scope one{ScopeLevel::instrument, perp.value};
  operate(OperatorAction::kill, Mode::cancel, one);
  seen.clear();
  flatten(one);
  ASSERT_EQ(answer(), OperatorResult::accepted);
  picture(10000, 2);
  ASSERT_EQ(placed().size(), 1U);
  EXPECT_EQ(placed()[0].instrument, perp);
  EXPECT_EQ(engine->snapshot().global, Mode::active);
}

// The same events give the same commands, slices included.
TEST_F(FlattenTest, TheSameEventsGiveTheSameDigest) {
  std::uint64_t first = 0;
  for (int i = 0; i < 2; ++i) {
    FlattenTest t;
    t.to_held(10000, 2);
    t.start_job(10000, 2, flatten_flag::options);
    const PlaceOrder o = t.placed().at(0);
    t.take(o, 4000);
    t.run(milliseconds(300));
    if (i == 0) first = t.digest.value();
    EXPECT_EQ(t.digest.value(), first);
  }
}

}  // namespace
}  // namespace gimbal
