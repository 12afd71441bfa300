#include <gtest/gtest.h>

#include <array>
#include <cstring>

#include "tests/support/engine_world.hpp"

namespace gimbal {
namespace {

using test::amount;
using test::money;
using test::Puppet;
using test::usd;

struct EngineTest : testing::Test, test::World<Puppet> {
  Puppet puppet;
  bool started{false};
  void go() {
    start(puppet);
    started = true;
  }
  PlaceOrder order(double limit = 50010, double size = 1000, Side side = Side::buy,
                   TimeInForce tif = TimeInForce::immediate_or_cancel, std::uint64_t intent = 0,
                   std::uint8_t flags = 0) {
    static std::uint64_t fresh = 1000;
    OrderRequest r;
    r.instrument = perp;
    r.strategy = StrategyId{0};
    r.side = side;
    r.tif = tif;
    r.flags = flags;
    r.limit = usd(limit);
    r.amount = amount(size);
    r.intent = intent != 0 ? intent : ++fresh;
    EXPECT_TRUE(puppet.next->place(r));
    const std::size_t before = placed().size();
    mark(perp, 50000, 50000);
    return placed().size() > before ? placed().back() : PlaceOrder{};
  }
  PlaceOrder resting(double limit = 49000, double size = 1000, Side side = Side::buy) {
    const PlaceOrder o =
        order(limit, size, side, TimeInForce::good_til_cancelled, 0, order_flag::post_only);
    EXPECT_TRUE(o.order.valid()) << "refused: " << static_cast<int>(last_refusal());
    ack(o);
    return o;
  }
  OrderState state(const PlaceOrder& o) const {
    const Order* found = core().orders().find(o.order);
    EXPECT_NE(found, nullptr) << "refused: " << static_cast<int>(last_refusal());
    return found == nullptr ? OrderState::rejected : found->state;
  }
  Refusal last_refusal() const { return core().view().last_refusal(StrategyId{0}).reason; }
  void TearDown() override { EXPECT_TRUE(!started || core().orders().consistent()); }
};

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

// --- market data -------------------------------------------------------------------------------

TEST_F(EngineTest, NoPriceIsReadableFromAGappedBookUntilItsSnapshotIsComplete) {
  go();
  to_armed();
  FeedStatus lost;
  lost.reason = FeedReason::sequence_gap;
  send(EventKind::feed_status, lost, perp);
  EXPECT_FALSE(core().view().quote(perp));
  level(perp, Side::buy, 49999, 5);
  EXPECT_FALSE(core().view().quote(perp));
  send(EventKind::book_reset, BookReset{}, perp, 0);
  level(perp, Side::buy, 49999, 5, 0);
  EXPECT_FALSE(core().view().quote(perp));
  level(perp, Side::sell, 50001, 5);
  EXPECT_TRUE(core().view().quote(perp));
  EXPECT_TRUE(core().growth_blocked(perp)) << "three seconds of validity end the pause";
  run(milliseconds(3100));
  EXPECT_FALSE(core().growth_blocked(perp));
}

TEST_F(EngineTest, ALostSessionInvalidatesEveryBookOfItsVenue) {
  go();
  to_armed();
  snapshot(option, 0.04, 0.06);
  send(EventKind::feed_status, FeedStatus{});
  EXPECT_FALSE(core().view().quote(perp));
  EXPECT_FALSE(core().view().quote(option));
}

TEST_F(EngineTest, ACrossedBookIsInvalidAndResyncedOnce) {
  go();
  to_armed();
  level(perp, Side::buy, 50002, 1);
  EXPECT_FALSE(core().view().quote(perp));
  EXPECT_EQ(count(CommandKind::resync), 1U);
  level(perp, Side::buy, 50003, 1);
  EXPECT_EQ(count(CommandKind::resync), 1U);
}

TEST_F(EngineTest, MoreLossesThanAllowedInAnHourLatchReduce) {
  go();
  to_armed();
  for (int i = 0; i < 5; ++i) {
    send(EventKind::feed_status, FeedStatus{}, perp);
    snapshot(perp, 49999.5, 50000.5);
  }
  EXPECT_EQ(core().gate().modes().at({ScopeLevel::instrument, perp.value}), Mode::active);
  send(EventKind::feed_status, FeedStatus{}, perp);
  EXPECT_EQ(core().gate().modes().at({ScopeLevel::instrument, perp.value}), Mode::reduce);
}

TEST_F(EngineTest, ThePerpetualsMidMovesTheDeltaOfTheOptions) {
  go();
  to_armed(50000, 0, -10);
  const double before = core().portfolio().risk(test::the_coin).delta_net.value;
  market(51000);
  EXPECT_LT(core().portfolio().risk(test::the_coin).delta_net.value, before - 0.1);
}

TEST_F(EngineTest, StrategiesWakeAtTheEndOfAPacketOnly) {
  go();
  to_armed();
  const int before = *puppet.wakes;
  level(perp, Side::buy, 49998, 5, 0);
  level(perp, Side::buy, 49997, 5, 0);
  EXPECT_EQ(*puppet.wakes, before);
  level(perp, Side::buy, 49996, 5);
  EXPECT_EQ(*puppet.wakes, before + 1);
}

// --- reconciliation ----------------------------------------------------------------------------

TEST_F(EngineTest, NothingIsSentBeforeThePictureIsComplete) {
  go();
  to_armed();
  gateway(GatewayState::down);
  ++generation;
  gateway(GatewayState::ready);
  EXPECT_EQ(count(CommandKind::reconcile), 1U);
  order();
  EXPECT_EQ(last_refusal(), Refusal::not_reconciled);
  reconcile(ReconcilePhase::begin);
  position(perp, 700);
  reconcile(ReconcilePhase::complete);
  EXPECT_EQ(core().portfolio().position(perp), amount(700));
  EXPECT_NE(order().order, OrderId{});
}

TEST_F(EngineTest, APictureOfAnotherConnectionIsIgnored) {
  go();
  to_armed();
  gateway(GatewayState::down);
  ++generation;
  gateway(GatewayState::ready);
  --generation;
  reconcile(ReconcilePhase::begin);
  reconcile(ReconcilePhase::complete);
  EXPECT_FALSE(core().venue_ready(test::the_venue));
}

TEST_F(EngineTest, AFillDuringThePictureMakesItBeTakenAgain) {
  go();
  to_armed();
  const PlaceOrder o = resting();
  gateway(GatewayState::down);
  ++generation;
  gateway(GatewayState::ready);
  reconcile(ReconcilePhase::begin);
  position(perp, 0);
  fill(o, 500);
  reconcile(ReconcilePhase::complete);
  EXPECT_EQ(core().portfolio().position(perp), amount(500)) << "the fill is newer than the picture";
  EXPECT_FALSE(core().venue_ready(test::the_venue));
  run(milliseconds(60));
  EXPECT_EQ(count(CommandKind::reconcile), 2U);
  position(perp, 500);
  reconcile(ReconcilePhase::complete);
  EXPECT_TRUE(core().venue_ready(test::the_venue));
}

TEST_F(EngineTest, AnOrderMissingFromThePictureIsLookedUpAndOneInItIsAdopted) {
  go();
  to_armed();
  const PlaceOrder o = resting();
  advance(milliseconds(1));
  gateway(GatewayState::down);
  ++generation;
  gateway(GatewayState::ready);
  seen.clear();
  reconcile(ReconcilePhase::begin);
  OpenOrderReport r;
  r.order = make_order_id(6, StrategyId{0}, 1);
  r.price = usd(48000);
  r.amount = amount(100);
  send(EventKind::open_order_report, r, perp);
  r.order = {};
  send(EventKind::open_order_report, r, perp);
  reconcile(ReconcilePhase::complete);
  run(milliseconds(260));
  EXPECT_EQ(state(o), OrderState::unknown);
  EXPECT_GE(count(CommandKind::query_order), 1U);
  EXPECT_EQ(core().orders().find(make_order_id(6, StrategyId{0}, 1))->state, OrderState::live);
  EXPECT_EQ(engine->snapshot().venues[0].foreign_orders, 1U);
}

TEST_F(EngineTest, APositionUnlikeTheVenuesForTwoSecondsReducesAndIsCorrected) {
  go();
  to_armed();
  position(perp, 900);
  EXPECT_TRUE(core().growth_blocked(perp));
  run(milliseconds(2200));
  EXPECT_EQ(core().gate().modes().at({ScopeLevel::instrument, perp.value}), Mode::reduce);
  ASSERT_EQ(count(CommandKind::reconcile), 1U);
  position(perp, 900);
  reconcile(ReconcilePhase::complete);
  EXPECT_EQ(core().portfolio().position(perp), amount(900));
  EXPECT_FALSE(core().growth_blocked(perp));
}

TEST_F(EngineTest, ReconcilingTwiceChangesNothing) {
  go();
  to_armed(50000, 1200, -3);
  const auto corrected = core().counters().positions_corrected;
  reconcile(ReconcilePhase::begin);
  position(perp, 1200);
  position(option, -3);
  reconcile(ReconcilePhase::complete);
  EXPECT_EQ(core().counters().positions_corrected, corrected);
  EXPECT_EQ(core().portfolio().position(option), amount(-3));
}

TEST_F(EngineTest, AVenueDeltaUnlikeOursThreeTimesIsAnAlarm) {
  go();
  to_armed(50000, 5000);
  MarginReport m;
  m.settlement = currency("BTC");
  m.delta_total_nano = amount(0.1).nano;
  for (int i = 0; i < 5; ++i) send(EventKind::margin_report, m);
  EXPECT_EQ(core().counters().delta_alarms, 0U);
  m.delta_total_nano = amount(0.3).nano;
  send(EventKind::margin_report, m);
  send(EventKind::margin_report, m);
  EXPECT_EQ(core().counters().delta_alarms, 0U);
  send(EventKind::margin_report, m);
  EXPECT_EQ(core().counters().delta_alarms, 1U);
}

// --- changes while running ---------------------------------------------------------------------

struct Blocks {
  std::array<std::byte, 1024> bytes{};
  std::size_t size{0};
  std::uint32_t generation{0};
  template <class T>
  void set(const T& value, std::uint32_t g) {
    std::memcpy(bytes.data(), &value, sizeof(T));
    size = sizeof(T);
    generation = g;
  }
  static std::span<const std::byte> find(const void* store, std::uint16_t slot,
                                         std::uint32_t generation) noexcept {
    const auto* b = static_cast<const Blocks*>(store);
    if (slot != 0 || generation != b->generation) return {};
    return {b->bytes.data(), b->size};
  }
};

TEST_F(EngineTest, AnInstrumentIsClosedFromItsInvalidationUntilItsNewDefinition) {
  Blocks blocks;
  setup.blocks = {&blocks, &Blocks::find};
  go();
  to_armed();
  InstrumentChange change;
  send(EventKind::instrument_change, change, perp);
  order();
  EXPECT_EQ(last_refusal(), Refusal::instrument_closed);
  Instrument fresh = test::perpetual_definition();
  fresh.ticks.base = usd(2.5);
  blocks.set(fresh, 3);
  change.change = InstrumentChangeKind::adopt;
  change.generation = 3;
  change.bytes = sizeof(Instrument);
  send(EventKind::instrument_change, change, perp);
  snapshot(perp, 49997.5, 50002.5);
  EXPECT_EQ(order(50010.2).price, usd(50012.5));
}

TEST_F(EngineTest, ANewListingGetsTheNextIdAndItsBook) {
  Blocks blocks;
  setup.blocks = {&blocks, &Blocks::find};
  go();
  to_armed();
  blocks.set(test::option_definition(60000), 1);
  InstrumentChange change;
  change.change = InstrumentChangeKind::adopt;
  change.generation = 1;
  change.bytes = sizeof(Instrument);
  send(EventKind::instrument_change, change, InstrumentId{7});
  EXPECT_EQ(core().instruments().size(), 2U) << "an id out of order is refused";
  send(EventKind::instrument_change, change, InstrumentId{2});
  ASSERT_EQ(core().instruments().size(), 3U);
  snapshot(InstrumentId{2}, 0.01, 0.02);
  EXPECT_TRUE(core().view().quote(InstrumentId{2}));
}

TEST_F(EngineTest, SettlementEndsThePositionAndItsDelta) {
  go();
  to_armed(50000, 0, -10);
  InstrumentChange change;
  change.change = InstrumentChangeKind::settle;
  change.delivery = usd(52000);
  send(EventKind::instrument_change, change, option);
  EXPECT_EQ(core().portfolio().position(option), Qty{});
  EXPECT_EQ(core().view().residual(test::the_coin)->settled, 0);
}

TEST_F(EngineTest, LimitsTightenWhileTradingAndLoosenInHaltOnly) {
  Blocks blocks;
  setup.blocks = {&blocks, &Blocks::find};
  go();
  to_armed();
  RiskLimits l = setup.limits;
  SideBlockRef ref;
  ref.kind = SideBlockKind::config;
  ref.generation = 1;
  l.max_order_usd = money(500);
  blocks.set(l, 1);
  send(EventKind::config_change, ref);
  order();
  EXPECT_EQ(last_refusal(), Refusal::order_usd);
  blocks.set(setup.limits, 2);
  ref.generation = 2;
  send(EventKind::config_change, ref);
  EXPECT_EQ(core().gate().limits().max_order_usd, money(500));
  operate(OperatorAction::pause);
  send(EventKind::config_change, ref);
  EXPECT_EQ(core().gate().limits().max_order_usd, setup.limits.max_order_usd);
}

TEST_F(EngineTest, AHoleInTheSequenceAborts) {
  go();
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        seq += 5;
        snapshot(perp, 1, 2);
      },
      "in_sequence");
}

}  // namespace
}  // namespace gimbal
