#include <gtest/gtest.h>

#include <array>
#include <cstring>

#include "tests/support/engine_fixture.hpp"

namespace gimbal {
namespace {

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

TEST_F(EngineTest, ATickerThatIsOlderThanTheIndexDoesNotTurnItBack) {
  go();
  to_armed();
  const ExchTime before = venue_time();
  advance(milliseconds(100));
  IndexPrice index;
  index.underlying = test::the_coin;
  index.price = usd(51000);
  send(EventKind::index_price, index);
  Ticker late;
  late.mark = usd(0.05);
  late.index = usd(50000);
  const Event head = make_event(EventKind::ticker, test::the_venue, option, now, before, late);
  Event parts[event_parts_max];
  const std::size_t n = write_parts(head, late, parts);
  for (std::size_t i = 0; i < n; ++i) step(parts[i]);
  EXPECT_EQ(core().view().index(test::the_coin), usd(51000));
  EXPECT_EQ(core().view().mark(option), usd(0.05)) << "its own mark is the newest there is";
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

// A picture that was given up: its reports are older than what the core knows by then.
struct GivenUpPicture : EngineTest {
  OrderId old_order = make_order_id(6, StrategyId{0}, 1);

  void new_session() {
    gateway(GatewayState::down);
    ++generation;
    gateway(GatewayState::ready);
  }
  void old_reports() {
    OpenOrderReport r;
    r.order = old_order;
    r.price = usd(48000);
    r.amount = amount(100);
    send(EventKind::open_order_report, r, perp);
    position(perp, 700);
  }
  void expect_nothing_taken() {
    EXPECT_EQ(core().orders().find(old_order), nullptr);
    EXPECT_EQ(core().portfolio().position(perp), Qty{});
  }
};

TEST_F(GivenUpPicture, OneBegunBeforeTheSessionEndedShowsNothing) {
  go();
  to_armed();
  reconcile(ReconcilePhase::begin);
  new_session();
  ASSERT_EQ(count(CommandKind::reconcile), 1U);
  old_reports();
  reconcile(ReconcilePhase::begin);
  reconcile(ReconcilePhase::complete);
  EXPECT_TRUE(core().venue_ready(test::the_venue));
  expect_nothing_taken();
}

TEST_F(GivenUpPicture, OneBegunForAnEarlierSessionShowsNothing) {
  go();
  to_armed();
  gateway(GatewayState::down);
  reconcile(ReconcilePhase::begin);
  ++generation;
  gateway(GatewayState::ready);
  old_reports();
  --generation;
  reconcile(ReconcilePhase::complete);
  EXPECT_FALSE(core().venue_ready(test::the_venue));
  ++generation;
  reconcile(ReconcilePhase::begin);
  reconcile(ReconcilePhase::complete);
  EXPECT_TRUE(core().venue_ready(test::the_venue));
  expect_nothing_taken();
}

TEST_F(GivenUpPicture, OneThatHasBegunIsTakenHoweverSlowItIs) {
  go();
  to_armed();
  new_session();
  reconcile(ReconcilePhase::begin);
  run(setup.engine.reconcile_timeout + seconds(2));
  EXPECT_EQ(count(CommandKind::reconcile), 1U);
  EXPECT_FALSE(core().venue_ready(test::the_venue));
  position(perp, 700);
  reconcile(ReconcilePhase::complete);
  EXPECT_TRUE(core().venue_ready(test::the_venue));
  EXPECT_EQ(core().portfolio().position(perp), amount(700));
}

TEST_F(GivenUpPicture, OneWhoseEndDoesNotComeShowsNothingAndItsEndIsNotTheNextOnes) {
  go();
  to_armed();
  new_session();
  reconcile(ReconcilePhase::begin);
  run(seconds(120) + milliseconds(300));
  ASSERT_EQ(count(CommandKind::reconcile), 2U);
  old_reports();
  reconcile(ReconcilePhase::complete);
  EXPECT_FALSE(core().venue_ready(test::the_venue));
  reconcile(ReconcilePhase::begin);
  reconcile(ReconcilePhase::complete);
  EXPECT_TRUE(core().venue_ready(test::the_venue));
  expect_nothing_taken();
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

TEST_F(EngineTest, ALiveOrderMissingFromAPictureOfALivingSessionBecomesUnknown) {
  go();
  to_armed();
  const PlaceOrder o = resting();
  ASSERT_EQ(state(o), OrderState::live);
  advance(milliseconds(1));
  reconcile(ReconcilePhase::begin);
  reconcile(ReconcilePhase::complete);
  EXPECT_EQ(state(o), OrderState::unknown);
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

// Hundreds of operator commands stand before the change in its ring, the feed goes past them.
TEST_F(EngineTest, ABookThatCameBeforeItsInstrumentIsAskedForAgain) {
  Blocks blocks;
  setup.blocks = {&blocks, &Blocks::find};
  go();
  to_armed();
  blocks.set(test::option_definition(60000), 1);
  snapshot(InstrumentId{2}, 0.01, 0.02);
  seen.clear();
  InstrumentChange change;
  change.change = InstrumentChangeKind::adopt;
  change.generation = 1;
  change.bytes = sizeof(Instrument);
  send(EventKind::instrument_change, change, InstrumentId{2});
  ASSERT_EQ(core().instruments().size(), 3U);
  EXPECT_EQ(count(CommandKind::resync), 1U);
  blocks.set(test::option_definition(70000), 2);
  change.generation = 2;
  send(EventKind::instrument_change, change, InstrumentId{3});
  ASSERT_EQ(core().instruments().size(), 4U);
  EXPECT_EQ(count(CommandKind::resync), 1U) << "nothing of this one came yet";
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
