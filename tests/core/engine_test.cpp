#include <gtest/gtest.h>

#include <array>
#include <cstring>

#include "tests/support/engine_fixture.hpp"

namespace gimbal {
namespace {

// --- boot, arm, kill ---------------------------------------------------------------------------

TEST_F(EngineTest, BootsInHaltAndWakesNobody) {
  go();
  snapshot(perp, 49999.5, 50000.5);
  EXPECT_EQ(*puppet.wakes, 0);
  EXPECT_EQ(engine->snapshot().global, Mode::halt);
  EXPECT_EQ(count(CommandKind::place), 0U);
}

TEST_F(EngineTest, ArmNeedsEveryConditionAndNamesTheMissingOne) {
  go();
  operate(OperatorAction::arm);
  EXPECT_EQ(answer(), OperatorResult::refused_gateway);
  gateway(GatewayState::ready, false);
  operate(OperatorAction::arm);
  EXPECT_EQ(answer(), OperatorResult::refused_cancel_on_disconnect);
  gateway(GatewayState::ready);
  operate(OperatorAction::arm);
  EXPECT_EQ(answer(), OperatorResult::refused_clock);
  clock();
  operate(OperatorAction::arm, Mode::cancel, {}, OperatorSource::human, 1);
  EXPECT_EQ(answer(), OperatorResult::refused_config_hash);
  for (const OperatorSource source : {OperatorSource::guardian, OperatorSource::monitor,
                                      OperatorSource::signal, OperatorSource::sentinel}) {
    operate(OperatorAction::arm, Mode::cancel, {}, source);
    EXPECT_EQ(answer(), OperatorResult::refused_source);
  }
  operate(OperatorAction::arm);
  EXPECT_EQ(answer(), OperatorResult::waiting);
  EXPECT_EQ(engine->snapshot().global, Mode::halt);
  reconcile(ReconcilePhase::begin);
  reconcile(ReconcilePhase::complete);
  EXPECT_EQ(answer(), OperatorResult::accepted);
  EXPECT_EQ(engine->snapshot().global, Mode::active);
}

TEST_F(EngineTest, AnArmThatWaitsIsRefusedWhenNoPictureComes) {
  go();
  gateway(GatewayState::ready);
  clock();
  operate(OperatorAction::arm);
  run(milliseconds(3100));
  EXPECT_EQ(answer(), OperatorResult::refused_not_reconciled);
  EXPECT_EQ(engine->snapshot().global, Mode::halt);
}

// A boot carries a latched kill on without a number: nobody of this run waits for it.
TEST_F(EngineTest, ALatchedKillThatIsCarriedOnAnswersNobody) {
  go();
  OperatorCommand latched;
  latched.action = OperatorAction::kill;
  latched.mode = Mode::cancel;
  latched.source = OperatorSource::monitor;
  send(EventKind::operator_command, latched);
  EXPECT_EQ(core().gate().modes().at(Scope{}), Mode::cancel);
  EXPECT_EQ(engine->snapshot().answer_to(OperatorAction::kill).command_id, 0U);
  operate(OperatorAction::kill, Mode::cancel, {}, OperatorSource::monitor);
  EXPECT_NE(engine->snapshot().answer_to(OperatorAction::kill).command_id, 0U) << "of this run";
}

TEST_F(EngineTest, AnOldPictureIsTakenAgainBeforeArming) {
  go();
  to_armed();
  operate(OperatorAction::pause);
  run(seconds(6));
  seen.clear();
  operate(OperatorAction::arm);
  EXPECT_EQ(answer(), OperatorResult::waiting);
  EXPECT_EQ(count(CommandKind::reconcile), 1U);
  reconcile(ReconcilePhase::complete);
  EXPECT_EQ(answer(), OperatorResult::accepted);
}

// Ours by its label, resting, and in no table: only a picture brings it under the limits and the
// kill.
TEST_F(EngineTest, AnOrderOfOursThatNobodyKnowsMakesItTakeAPicture) {
  go();
  to_armed();
  seen.clear();
  PlaceOrder stranger;
  stranger.order = make_order_id(5, StrategyId{0}, 1);  // of an earlier boot
  stranger.instrument = perp;
  stranger.price = usd(49000);
  stranger.amount = amount(100);
  ack(stranger);
  run(milliseconds(200));
  EXPECT_EQ(count(CommandKind::reconcile), 1U);
  stranger.order = OrderId{};  // a human's
  reconcile(ReconcilePhase::begin);
  reconcile(ReconcilePhase::complete);
  seen.clear();
  ack(stranger);
  run(milliseconds(200));
  EXPECT_EQ(count(CommandKind::reconcile), 0U);
}

// The venue's list cannot be read (more orders than a reply is read with): what we know to rest
// stays, and a kill asks the venue to cancel everything, without any list, until ours are gone.
TEST_F(EngineTest, AKillNeedsNoPictureAndNothingIsGoneForWantOfOne) {
  go();
  to_armed();
  const PlaceOrder known = resting(49000, 1000, Side::buy);
  for (int n = 0; n < 3; ++n) {
    reconcile(ReconcilePhase::begin);
    reconcile(ReconcilePhase::failed);
    run(milliseconds(300));
  }
  EXPECT_EQ(state(known), OrderState::live);
  seen.clear();
  operate(OperatorAction::kill, Mode::cancel);
  EXPECT_EQ(count(CommandKind::cancel_all), 1U);
  EXPECT_EQ(state(known), OrderState::pending_cancel) << "not gone before the venue says so";
  const bool all = std::any_of(seen.begin(), seen.end(), [](const Command& c) {
    return c.kind() == CommandKind::cancel_all && c.cancel_all().scope == Scope{};
  });
  EXPECT_TRUE(all);
}

// A fill of another hand whose message was lost leaves no trace in the private stream.
TEST_F(EngineTest, ARoutinePictureFindsAPositionThatNoMessageTold) {
  setup.engine.reconcile_interval = milliseconds(2500);
  go();
  to_armed();
  seen.clear();
  run(milliseconds(2400));
  EXPECT_EQ(count(CommandKind::reconcile), 0U);
  run(milliseconds(300));
  ASSERT_EQ(count(CommandKind::reconcile), 1U);
  EXPECT_TRUE(core().venue_ready(test::the_venue)) << "it trades on meanwhile";
  reconcile(ReconcilePhase::begin);
  position(perp, -1430);
  reconcile(ReconcilePhase::complete);
  EXPECT_EQ(core().portfolio().position(perp), test::amount(-1430));
  EXPECT_TRUE(core().venue_ready(test::the_venue));
}

struct RoutinePicture : EngineTest {
  void armed_until_one_is_due() {
    setup.engine.reconcile_interval = milliseconds(2500);
    go();
    to_armed();
    run(milliseconds(2700));
  }
  // Of ours or not: it moves the position while a picture is taken.
  [[nodiscard]] PlaceOrder bought() const {
    PlaceOrder other;
    other.instrument = perp;
    other.side = Side::buy;
    return other;
  }
};

TEST_F(RoutinePicture, AFillDuringOneStopsNothing) {
  armed_until_one_is_due();
  reconcile(ReconcilePhase::begin);
  const PlaceOrder other = bought();
  fill(other, 100);
  reconcile(ReconcilePhase::complete);  // does not show the fill yet
  EXPECT_TRUE(core().venue_ready(test::the_venue));
  EXPECT_EQ(core().portfolio().position(perp), test::amount(100));
}

// Who hedges on every tick fills during each picture that is taken.
TEST_F(RoutinePicture, FillsDuringTheNextOnesStopNothingEither) {
  armed_until_one_is_due();
  const PlaceOrder other = bought();
  for (int n = 1; n <= 5; ++n) {
    reconcile(ReconcilePhase::begin);
    fill(other, 100);
    reconcile(ReconcilePhase::complete);
    EXPECT_TRUE(core().venue_ready(test::the_venue)) << "picture " << n;
    seen.clear();
    run(milliseconds(100));
    ASSERT_EQ(count(CommandKind::reconcile), 1U) << "it is taken again, picture " << n;
  }
  reconcile(ReconcilePhase::begin);
  position(perp, 500);
  reconcile(ReconcilePhase::complete);
  seen.clear();
  run(milliseconds(2400));
  EXPECT_EQ(count(CommandKind::reconcile), 0U) << "settled: the next is due after its interval";
}

TEST_F(RoutinePicture, TwentyThatFailInARowStopUntilOneSettles) {
  armed_until_one_is_due();
  for (int n = 1; n <= 20; ++n) {
    EXPECT_TRUE(core().venue_ready(test::the_venue)) << "picture " << n;
    reconcile(ReconcilePhase::begin);
    reconcile(ReconcilePhase::failed);
    run(milliseconds(300));
  }
  EXPECT_FALSE(core().venue_ready(test::the_venue));
  reconcile(ReconcilePhase::begin);
  reconcile(ReconcilePhase::complete);
  EXPECT_TRUE(core().venue_ready(test::the_venue));
}

// Their number alone is no bound: each of these takes a reconcile_timeout.
TEST_F(RoutinePicture, OnesWithoutAnAnswerStopAfterFifteenSecondsUntilOneSettles) {
  setup.engine.reconcile_timeout = seconds(4);
  armed_until_one_is_due();
  const RecvTime asked = now;  // a little later than that
  seen.clear();
  while (core().venue_ready(test::the_venue) && now - asked < seconds(60)) run(milliseconds(100));
  EXPECT_GT(now - asked, milliseconds(14'500));
  EXPECT_LT(now - asked, milliseconds(15'500));
  EXPECT_GE(count(CommandKind::reconcile), 3U) << "it is asked again after each time-out";
  run(seconds(4));
  reconcile(ReconcilePhase::begin);
  reconcile(ReconcilePhase::complete);
  EXPECT_TRUE(core().venue_ready(test::the_venue));
  run(milliseconds(2000));
  EXPECT_TRUE(core().venue_ready(test::the_venue)) << "a settled one starts the time anew";
}

TEST_F(RoutinePicture, OneThatIsNeverAnsweredStopsWhateverItsTimeout) {
  setup.engine.reconcile_timeout = seconds(600);
  armed_until_one_is_due();
  run(milliseconds(14'000));
  EXPECT_TRUE(core().venue_ready(test::the_venue));
  run(milliseconds(2'000));
  EXPECT_FALSE(core().venue_ready(test::the_venue));
}

// A fill without an id: what the venue holds is not known, so one failure is enough.
TEST_F(RoutinePicture, OneWithAReasonStopsWithItsFirstFailure) {
  go();
  to_armed();
  const PlaceOrder other = bought();
  Fill unnumbered = fill_of(other, 100);
  unnumbered.trade = {};
  send(EventKind::fill, unnumbered, perp);
  run(milliseconds(100));
  reconcile(ReconcilePhase::begin);
  EXPECT_TRUE(core().venue_ready(test::the_venue));
  reconcile(ReconcilePhase::failed);
  EXPECT_FALSE(core().venue_ready(test::the_venue));
}

// It asks about what came after the picture had begun.
TEST_F(RoutinePicture, AWishForOneWhileAnotherIsTakenIsNotMetByIt) {
  go();
  to_armed();
  reconcile(ReconcilePhase::begin);
  const PlaceOrder other = bought();
  Fill unnumbered = fill_of(other, 100);
  unnumbered.trade = {};
  send(EventKind::fill, unnumbered, perp);
  seen.clear();
  reconcile(ReconcilePhase::complete);
  run(milliseconds(100));
  EXPECT_GE(count(CommandKind::reconcile), 1U);
}

TEST_F(RoutinePicture, TwentyOvertakenInARowStopUntilOneSettles) {
  armed_until_one_is_due();
  const PlaceOrder other = bought();
  for (int n = 1; n <= 20; ++n) {
    EXPECT_TRUE(core().venue_ready(test::the_venue)) << "picture " << n;
    reconcile(ReconcilePhase::begin);
    fill(other, 100);
    reconcile(ReconcilePhase::complete);
    run(milliseconds(100));
  }
  EXPECT_FALSE(core().venue_ready(test::the_venue));
  reconcile(ReconcilePhase::begin);
  position(perp, 2000);
  reconcile(ReconcilePhase::complete);
  EXPECT_TRUE(core().venue_ready(test::the_venue));
}

TEST_F(EngineTest, WithoutAnOwnAccountMoreOrdersThanOneBurstCancelsIsRefused) {
  setup.own_account[0] = false;
  setup.limits.order_burst = 20;
  setup.limits.max_open_orders = 21;
  go();
  gateway(GatewayState::ready);
  clock();
  operate(OperatorAction::arm);
  EXPECT_EQ(answer(), OperatorResult::refused_open_orders);
}

TEST_F(EngineTest, AnAccountOnAnotherMarginModelThanTheConfiguredIsNotArmed) {
  setup.underlyings[0].margin = AccountMargin::standard;
  go();
  gateway(GatewayState::ready);
  clock();
  const auto armed_under = [&](AccountMargin told) {
    MarginReport m;
    m.settlement = setup.underlyings[0].settlement;
    const auto flags = static_cast<std::uint8_t>(event_flag::last_in_packet | flag_of(told));
    send(EventKind::margin_report, m, {}, flags);
    reconcile(ReconcilePhase::begin);
    reconcile(ReconcilePhase::complete);
    operate(OperatorAction::arm);
    return answer();
  };
  EXPECT_EQ(armed_under(AccountMargin::portfolio), OperatorResult::refused_margin_model);
  EXPECT_EQ(armed_under(AccountMargin::unknown), OperatorResult::refused_margin_model)
      << "one report that does not say it takes nothing back";
  EXPECT_EQ(armed_under(AccountMargin::standard), OperatorResult::accepted);
}

TEST_F(EngineTest, EveryScopeAndModeStopsNewOrdersThere) {
  const std::array<Scope, 6> scopes{Scope{},
                                    Scope{ScopeLevel::venue, 0},
                                    Scope{ScopeLevel::account, 0},
                                    Scope{ScopeLevel::strategy, 0},
                                    Scope{ScopeLevel::underlying, 0},
                                    Scope{ScopeLevel::instrument, 0}};
  for (const Scope scope : scopes) {
    for (const Mode mode : {Mode::reduce, Mode::halt, Mode::cancel, Mode::lock}) {
      test::World<Puppet> w;
      Puppet p;
      w.start(p);
      w.to_armed();
      w.operate(OperatorAction::kill, mode, scope);
      EXPECT_EQ(w.answer(), OperatorResult::accepted);
      EXPECT_EQ(w.core().gate().modes().at(scope), mode);
      OrderRequest r;
      r.instrument = w.perp;
      r.strategy = StrategyId{0};
      r.limit = usd(50010);
      r.amount = amount(1000);
      static_cast<void>(p.next->place(r));
      w.mark(w.perp, 50000, 50000);
      EXPECT_EQ(w.count(CommandKind::place), 0U);
      w.operate(OperatorAction::kill, mode, scope);
      EXPECT_EQ(w.answer(), OperatorResult::unchanged);
      w.operate(OperatorAction::kill, Mode::active, scope);
      EXPECT_EQ(w.core().gate().modes().at(scope), mode) << "a lower mode never replaces a higher";
    }
  }
}

TEST_F(EngineTest, KillCancelsInTheSameStepAndLatchesUntilNothingIsOpen) {
  go();
  to_armed();
  const PlaceOrder o = resting();
  seen.clear();
  operate(OperatorAction::kill);
  EXPECT_EQ(count(CommandKind::cancel_all), 1U);
  EXPECT_EQ(state(o), OrderState::pending_cancel);
  operate(OperatorAction::arm);
  EXPECT_EQ(answer(), OperatorResult::refused_cancel_running);
  run(milliseconds(20));
  EXPECT_EQ(count(CommandKind::cancel_all), 4U) << "1, 2, 4 ms between four rounds";
  EXPECT_EQ(state(o), OrderState::unknown);
  EXPECT_GE(count(CommandKind::query_order), 1U);
  lookup(o, LookupOutcome::cancelled);
  EXPECT_EQ(engine->snapshot().cancel_jobs, 0);
  EXPECT_GT(traced(TraceId::cancel_confirmed), 0U);
  EXPECT_EQ(engine->snapshot().global, Mode::cancel);
}

TEST_F(EngineTest, AnOrderFoundOpenAfterTheKillIsCancelledAgain) {
  go();
  to_armed();
  const PlaceOrder o = resting();
  operate(OperatorAction::kill);
  run(milliseconds(20));
  ASSERT_EQ(state(o), OrderState::unknown);
  seen.clear();
  lookup(o, LookupOutcome::open);
  run(milliseconds(300));
  EXPECT_GE(count(CommandKind::cancel) + count(CommandKind::cancel_all), 1U);
  done(o, 0);
  EXPECT_EQ(engine->snapshot().cancel_jobs, 0);
}

TEST_F(EngineTest, WithoutAnOwnAccountOnlyOurOrdersAreCancelledByTheirIds) {
  setup.own_account[0] = false;
  setup.limits.max_open_orders = 100;
  go();
  to_armed();
  const PlaceOrder a = resting(49000);
  const PlaceOrder b = resting(48000);
  seen.clear();
  operate(OperatorAction::kill);
  EXPECT_EQ(count(CommandKind::cancel_all), 0U);
  EXPECT_EQ(count(CommandKind::cancel), 2U);
  done(a, 0);
  done(b, 0);
  EXPECT_EQ(engine->snapshot().cancel_jobs, 0);
}

TEST_F(EngineTest, AStrategyScopeIsCancelledOrderByOrder) {
  go();
  to_armed();
  resting();
  seen.clear();
  operate(OperatorAction::kill, Mode::cancel, {ScopeLevel::strategy, 0});
  EXPECT_EQ(count(CommandKind::cancel_all), 0U);
  EXPECT_EQ(count(CommandKind::cancel), 1U);
}

TEST_F(EngineTest, AnOrderNotYetAcknowledgedAtTheKillGoesWithItsAcknowledgement) {
  setup.own_account[0] = false;
  setup.limits.max_open_orders = 100;
  go();
  to_armed();
  const PlaceOrder o = order(49000, 1000, Side::buy, TimeInForce::good_til_cancelled);
  operate(OperatorAction::kill);
  seen.clear();
  ack(o);
  EXPECT_EQ(count(CommandKind::cancel), 1U);
}

TEST_F(EngineTest, HundredsOfOrdersAreAllCancelledThroughSixteenCommandsAStep) {
  setup.own_account[0] = false;
  setup.limits.max_open_orders = 400;
  go();
  to_armed();
  std::vector<PlaceOrder> all;
  for (int i = 0; i < 200; ++i) all.push_back(resting(40000 - i * 10, 10));
  seen.clear();
  operate(OperatorAction::kill);
  run(milliseconds(30));
  std::size_t asked = 0;
  for (const PlaceOrder& o : all) asked += core().orders().find(o.order)->wants_cancel ? 1 : 0;
  EXPECT_EQ(asked, 200U);
  EXPECT_GE(count(CommandKind::cancel), 200U);
}

TEST_F(EngineTest, ReduceCancelsWhatGrowsAndKeepsWhatShrinks) {
  go();
  to_armed(50000, 5000);
  const PlaceOrder grows = resting(49000, 1000, Side::buy);
  const PlaceOrder shrinks = resting(51000, 1000, Side::sell);
  seen.clear();
  operate(OperatorAction::kill, Mode::reduce);
  EXPECT_EQ(state(grows), OrderState::pending_cancel);
  EXPECT_EQ(state(shrinks), OrderState::live);
}

TEST_F(EngineTest, TighteningVoidsApprovalsByEpoch) {
  go();
  to_armed();
  const std::uint64_t before = core().gate().epoch();
  operate(OperatorAction::kill, Mode::halt, {ScopeLevel::instrument, 1});
  EXPECT_EQ(core().gate().epoch(), before + 1);
}

// An arm voids what was approved before it, and says from where on: its answer is the bound of the
// last gate.
TEST_F(EngineTest, AnArmVoidsTheApprovalsBeforeItAndNamesTheEpoch) {
  go();
  to_armed();
  const std::uint64_t approved = core().gate().epoch();
  operate(OperatorAction::kill, Mode::halt);
  operate(OperatorAction::arm);
  const OperatorAnswer armed = core().last_operator();
  ASSERT_EQ(armed.result, OperatorResult::accepted);
  EXPECT_EQ(armed.gate_epoch, core().gate().epoch());
  EXPECT_GT(armed.gate_epoch, approved);
  operate(OperatorAction::arm);
  EXPECT_EQ(core().last_operator().gate_epoch, armed.gate_epoch + 1)
      << "also where the last gate alone was closed";
}

// --- orders ------------------------------------------------------------------------------------

TEST_F(EngineTest, SnapsPriceAndAmountBeforeTheGate) {
  go();
  to_armed();
  const PlaceOrder o = order(50010.2, 1009);
  EXPECT_EQ(o.price, usd(50010.5));
  EXPECT_EQ(o.amount, amount(1000));
  EXPECT_EQ(o.valid_until, venue_time() + milliseconds(500));
  EXPECT_EQ(o.order.epoch(), 7U);
}

TEST_F(EngineTest, ALostAcknowledgementBecomesUnknownIsAskedForAndKeepsItsReservation) {
  go();
  to_armed();
  const PlaceOrder o = order();
  seen.clear();
  run(milliseconds(99));
  EXPECT_EQ(state(o), OrderState::pending_new);
  run(milliseconds(1));
  EXPECT_EQ(state(o), OrderState::unknown);
  run(milliseconds(1001));
  EXPECT_EQ(count(CommandKind::query_order), 5U);
  EXPECT_EQ(core().orders().exposure(perp).unknown_buy, amount(1000));
  lookup(o, LookupOutcome::unproven);
  EXPECT_EQ(state(o), OrderState::unknown);
  fill(o, 400);
  EXPECT_EQ(core().portfolio().position(perp), amount(400));
  EXPECT_EQ(core().orders().exposure(perp).unknown_buy, amount(600));
  lookup(o, LookupOutcome::cancelled, 400);
  EXPECT_EQ(state(o), OrderState::cancelled);
  EXPECT_EQ(core().orders().exposure(perp).worst_buy(), Qty{});
}

TEST_F(EngineTest, AbsenceBeforeTheArrivalBoundProvesNothing) {
  go();
  to_armed();
  const PlaceOrder o = order();
  run(milliseconds(110));
  lookup(o, LookupOutcome::absent);  // asked 110 ms after; the order may arrive for 500
  EXPECT_EQ(state(o), OrderState::unknown);
  run(milliseconds(400));
  lookup(o, LookupOutcome::absent);
  EXPECT_EQ(state(o), OrderState::rejected);
}

TEST_F(EngineTest, AnOrderUnknownForTwoSecondsBlocksGrowth) {
  go();
  to_armed();
  const PlaceOrder o = order();
  run(milliseconds(2000));
  EXPECT_FALSE(core().growth_blocked(perp));
  run(milliseconds(200));
  EXPECT_TRUE(core().growth_blocked(perp));
  order();
  EXPECT_EQ(last_refusal(), Refusal::paused);
  lookup(o, LookupOutcome::absent);
  EXPECT_FALSE(core().growth_blocked(perp));
}

TEST_F(EngineTest, LosingTheSessionPutsWhatWasOpenInDoubt) {
  go();
  to_armed();
  const PlaceOrder a = order();
  const PlaceOrder b = resting();
  gateway(GatewayState::down);
  EXPECT_EQ(state(a), OrderState::unknown);
  EXPECT_EQ(state(b), OrderState::unknown);
  order();
  EXPECT_EQ(last_refusal(), Refusal::gateway_down);
}

TEST_F(EngineTest, AFillIsBookedOnceHoweverOftenItArrives) {
  go();
  to_armed();
  const PlaceOrder o = order();
  const Fill f = fill_of(o, 300);
  for (int i = 0; i < 10; ++i) send(EventKind::fill, f, perp);
  EXPECT_EQ(core().portfolio().position(perp), amount(300));
  EXPECT_EQ(core().counters().duplicate_fills, 9U);
}

TEST_F(EngineTest, AFillForAnOrderThatIsNotOursStillMovesThePosition) {
  go();
  to_armed();
  Fill f;
  f.trade = TradeId{9, 9};
  f.price = usd(50000);
  f.amount = amount(500);
  f.side = Side::sell;
  f.kind = FillKind::liquidation;
  send(EventKind::fill, f, perp);
  EXPECT_EQ(core().portfolio().position(perp), amount(-500));
  EXPECT_EQ(core().gate().modes().at({ScopeLevel::instrument, perp.value}), Mode::reduce);
}

TEST_F(EngineTest, AFillWithoutIdIsNotGuessedButReconciled) {
  go();
  to_armed();
  Fill f;
  f.amount = amount(500);
  send(EventKind::fill, f, perp);
  EXPECT_EQ(core().portfolio().position(perp), Qty{});
  EXPECT_EQ(count(CommandKind::reconcile), 1U);
}

TEST_F(EngineTest, OneIntentHasOneOpenOrder) {
  go();
  to_armed();
  order(50010, 1000, Side::buy, TimeInForce::immediate_or_cancel, 5);
  order(50011, 2000, Side::buy, TimeInForce::immediate_or_cancel, 5);
  EXPECT_EQ(last_refusal(), Refusal::intent_open);
  EXPECT_EQ(placed().size(), 1U);
}

TEST_F(EngineTest, NeverMeetsItsOwnOrder) {
  go();
  to_armed();
  resting(50100, 1000, Side::sell);
  order(50100, 1000, Side::buy);
  EXPECT_EQ(last_refusal(), Refusal::self_match);
  EXPECT_NE(order(50099.5, 1000, Side::buy).order, OrderId{});
}

}  // namespace
}  // namespace gimbal
