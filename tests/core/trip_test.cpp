// Trips: what a control does besides refusing, told with its numbers and proven by replay.
#include "tests/support/engine_fixture.hpp"

namespace gimbal {
namespace {

struct Trips : EngineTest {
  std::vector<Trip> raised() const {
    std::vector<Trip> all;
    for (const Command& c : seen) {
      if (c.kind() == CommandKind::raise) all.push_back(c.raise());
    }
    return all;
  }
  // The venue reports a position unlike ours for longer than drift_wait.
  void drift(double held = 500) {
    position(perp, held);
    run(seconds(2) + milliseconds(5));
  }
  void liquidation(double size, FillKind kind = FillKind::liquidation) {
    Fill f;
    f.trade = TradeId{9, ++trade};
    f.price = usd(50000);
    f.amount = amount(size);
    f.side = Side::sell;
    f.kind = kind;
    send(EventKind::fill, f, perp);
  }
};

TEST_F(Trips, ATripTightensItsScopeAndIsRaisedWithItsNumbers) {
  go();
  to_armed();
  drift(500);
  const std::vector<Trip> all = raised();
  ASSERT_EQ(all.size(), 1U);
  const Trip& t = all[0];
  EXPECT_EQ(t.code, TripCode::position_drift);
  EXPECT_EQ(t.severity, Severity::critical);
  EXPECT_TRUE(t.latched);
  EXPECT_EQ(t.mode, Mode::reduce);
  EXPECT_EQ(t.scope, (Scope{ScopeLevel::instrument, perp.value}));
  EXPECT_EQ(t.limit, 0);
  EXPECT_EQ(t.actual, amount(500).nano);
  EXPECT_GT(t.evidence, seconds(2).count);
  EXPECT_GT(t.seq, 0U);
  EXPECT_LE(t.at, now);
  EXPECT_EQ(core().gate().modes().at(t.scope), Mode::reduce);
  EXPECT_EQ(core().counters().trips, 1U);
}

TEST_F(Trips, TheDigestOfTheCommandsContainsEveryNumberOfATrip) {
  Trip t;
  t.code = TripCode::position_drift;
  const auto digest_of = [](const Trip& trip) {
    CommandDigest d;
    d.add(Command{trip});
    return d.value();
  };
  const std::uint64_t plain = digest_of(t);
  std::vector<Trip> changed(10, t);
  changed[0].code = TripCode::price_drift;
  changed[1].severity = Severity::critical;
  changed[2].latched = true;
  changed[3].cancels = true;
  changed[4].mode = Mode::reduce;
  changed[5].scope = {ScopeLevel::venue, 0};
  changed[6].instrument = InstrumentId{3};
  changed[7].limit = 1;
  changed[8].actual = 1;
  changed[9].evidence = 1;
  for (const Trip& c : changed) EXPECT_NE(digest_of(c), plain);
  EXPECT_EQ(digest_of(t), plain);
}

TEST_F(Trips, TheSameTripIsToldOnceASecondAndATighteningAlways) {
  go();
  to_armed();
  liquidation(10);
  liquidation(10);
  EXPECT_EQ(raised().size(), 1U);
  EXPECT_EQ(core().counters().trips_repeated, 1U);
  EXPECT_EQ(core().portfolio().position(perp), amount(-20));
  operate(OperatorAction::arm, Mode::active, {ScopeLevel::instrument, perp.value});
  run(milliseconds(5));
  reconcile(ReconcilePhase::begin);
  position(perp, -20);
  position(option, 0);
  reconcile(ReconcilePhase::complete);
  seen.clear();
  operate(OperatorAction::arm, Mode::active, {ScopeLevel::instrument, perp.value});
  ASSERT_EQ(answer(), OperatorResult::accepted);
  liquidation(10);
  EXPECT_EQ(raised().size(), 1U);
  run(milliseconds(1500));
  liquidation(10);
  EXPECT_EQ(raised().size(), 2U);
}

TEST_F(Trips, ALiquidationAndADeleveragingAreToldAndLatchReduce) {
  go();
  to_armed();
  liquidation(10, FillKind::adl);
  ASSERT_EQ(raised().size(), 1U);
  EXPECT_EQ(raised()[0].code, TripCode::venue_adl);
  EXPECT_EQ(raised()[0].actual, amount(-10).nano);
  EXPECT_EQ(core().gate().modes().at({ScopeLevel::instrument, perp.value}), Mode::reduce);
  liquidation(10, FillKind::normal);
  ASSERT_EQ(raised().size(), 2U);
  EXPECT_EQ(raised()[1].code, TripCode::foreign_fill);
  EXPECT_EQ(raised()[1].mode, Mode::active);
}

// The arm waits for a picture that is fresh; what latches meanwhile is news to whoever armed.
TEST_F(Trips, AnArmThatWaitsDoesNotOpenWhatLatchesMeanwhile) {
  go();
  to_armed();
  const Scope hedge{ScopeLevel::instrument, perp.value};
  operate(OperatorAction::pause, Mode::halt, hedge);
  run(seconds(6));
  operate(OperatorAction::arm, Mode::active, hedge);
  ASSERT_EQ(answer(), OperatorResult::waiting);
  liquidation(10);
  EXPECT_EQ(engine->snapshot().answer_to(OperatorAction::arm).result,
            OperatorResult::refused_tripped);
  reconcile(ReconcilePhase::complete);
  EXPECT_NE(core().gate().modes().at(hedge), Mode::active);
}

TEST_F(Trips, TooManyPausesOfAnInstrumentLatchReduceOnIt) {
  go();
  to_armed();
  FeedStatus lost;
  lost.state = FeedState::invalid;
  lost.reason = FeedReason::sequence_gap;
  for (std::uint32_t n = 1; n <= setup.engine.pauses_per_hour_max; ++n) {
    send(EventKind::feed_status, lost, perp);
    EXPECT_TRUE(raised().empty()) << n;
    snapshot(perp, 49999.5, 50000.5);
    advance(seconds(10));
  }
  send(EventKind::feed_status, lost, perp);
  ASSERT_EQ(raised().size(), 1U);
  EXPECT_EQ(raised()[0].code, TripCode::input_pauses);
  EXPECT_EQ(raised()[0].limit, 5);
  EXPECT_EQ(raised()[0].actual, 6);
  EXPECT_TRUE(raised()[0].latched);
}

TEST_F(Trips, MoreTripsThanCanBeToldCloseEverything) {
  table = InstrumentTable{256};
  perp = table.add(test::perpetual_definition());
  option = table.add(test::option_definition());
  std::vector<InstrumentId> many;
  for (int i = 0; i < 90; ++i) many.push_back(table.add(test::option_definition(60000 + 100 * i)));
  go();
  to_armed();
  for (const InstrumentId id : many) position(id, 1);
  run(seconds(2) + milliseconds(20));
  EXPECT_EQ(core().gate().modes().at({}), Mode::halt);
  EXPECT_GT(core().counters().trips_lost, 0U);
  bool told = false;
  for (const Trip& t : raised()) told = told || t.code == TripCode::trips_lost;
  EXPECT_TRUE(told);
  EXPECT_EQ(raised().size(), TripQueue::kept_max);
}

TEST(PauseMask, BlocksItsScopeUntilItsTimeAndCountsWithinTheHour) {
  PauseMask mask{4};
  const RecvTime start{seconds(10).count};
  const Scope venue{ScopeLevel::venue, 2};
  mask.extend(venue, start + seconds(3));
  EXPECT_TRUE(mask.blocks(OrderScopes{{2}, {0}, {0}, {1}}, start));
  EXPECT_FALSE(mask.blocks(OrderScopes{{1}, {0}, {0}, {1}}, start));
  EXPECT_FALSE(mask.blocks(venue, start + seconds(3)));
  EXPECT_EQ(mask.count(venue, start), 1U);
  EXPECT_EQ(mask.count(venue, start + seconds(3600)), 2U);
  EXPECT_EQ(mask.count(venue, start + seconds(3601)), 1U);
  mask.extend({ScopeLevel::instrument, 9}, start + seconds(3));  // not in the table: nothing
  EXPECT_FALSE(mask.blocks({ScopeLevel::instrument, 9}, start));
}

// --- one instance an account (R-04, F50); this boot is epoch 7
// -----------------------------------------------------------------------------------------

struct OneInstance : Trips {
  static OrderId of(std::uint32_t epoch, std::uint32_t counter) {
    return make_order_id(epoch, StrategyId{0}, counter);
  }
  void acked(OrderId id) {
    OrderAck a;
    a.order = id;
    a.price = usd(49000);
    a.amount = amount(100);
    send(EventKind::order_ack, a, perp);
  }
  void ended(OrderId id) {
    OrderDone d;
    d.order = id;
    send(EventKind::order_done, d, perp);
  }
  void traded(OrderId id, bool in_a_picture, ExchTime at) {
    Fill f;
    f.order = id;
    f.trade = TradeId{8, ++trade};
    f.price = usd(50000);
    f.amount = amount(10);
    Event head = make_event(EventKind::fill, test::the_venue, perp, now, at, f);
    head.add_flag(event_flag::last_in_packet);
    if (in_a_picture) head.add_flag(event_flag::historical);
    Event parts[event_parts_max];
    const std::size_t n = write_parts(head, f, parts);
    for (std::size_t i = 0; i < n; ++i) step(parts[i]);
  }
  void shown(OrderId id, ExchTime created) {
    reconcile(ReconcilePhase::begin);
    OpenOrderReport r;
    r.order = id;
    r.price = usd(49000);
    r.amount = amount(100);
    r.venue_ref = 77;
    r.created = created;
    send(EventKind::open_order_report, r, perp);
    reconcile(ReconcilePhase::complete);
  }
  [[nodiscard]] std::size_t found() const {
    std::size_t n = 0;
    for (const Trip& t : raised()) n += t.code == TripCode::other_instance ? 1 : 0;
    return n;
  }
  [[nodiscard]] Mode mode() const { return core().gate().modes().at(Scope{}); }
  // Halted, and neither adopted nor cancelled.
  void expect_read_only(OrderId theirs) {
    EXPECT_EQ(found(), 1U);
    EXPECT_EQ(mode(), Mode::halt);
    EXPECT_EQ(core().other_instance(), theirs);
    EXPECT_EQ(core().orders().find(theirs), nullptr);
    run(milliseconds(300));
    EXPECT_EQ(count(CommandKind::cancel) + count(CommandKind::cancel_all), 0U);
    EXPECT_FALSE(order(50010, 1000).order.valid());
  }
};

TEST_F(OneInstance, AnOrderOfANewerBootHaltsWithItsNumbersAndIsLeftAlone) {
  go();
  to_armed();
  const PlaceOrder ours = resting();
  seen.clear();
  acked(of(9, 3));
  ASSERT_EQ(found(), 1U);
  const Trip t = raised().front();
  EXPECT_EQ(t.severity, Severity::critical);
  EXPECT_TRUE(t.latched);
  EXPECT_EQ(t.scope, Scope{});
  EXPECT_EQ(t.limit, 7);
  EXPECT_EQ(t.actual, 9);
  EXPECT_EQ(t.evidence, static_cast<std::int64_t>(of(9, 3).value));
  expect_read_only(of(9, 3));
  EXPECT_EQ(state(ours), OrderState::live) << "HALT leaves our own orders";
}

TEST_F(OneInstance, EndsFillsAndPicturesOfANewerBootAreSeenToo) {
  const auto starts = [&] {
    go();
    ++generation;
    to_armed();
  };
  starts();
  ended(of(9, 1));
  expect_read_only(of(9, 1));
  starts();
  traded(of(9, 1), false, venue_time());
  expect_read_only(of(9, 1));
  starts();
  shown(of(9, 1), venue_time());
  expect_read_only(of(9, 1));
  EXPECT_EQ(engine->snapshot().venues[0].foreign_orders, 1U);
}

// Two instances with one epoch give out one number twice: the labels tell nothing, the ids do.
TEST_F(OneInstance, ASecondOrderUnderALabelOfOursHaltsAndIsCounted) {
  go();
  to_armed();
  const PlaceOrder ours = resting();
  acked(ours.order);
  const auto picture = [&](std::initializer_list<std::uint64_t> ids) {
    reconcile(ReconcilePhase::begin);
    for (const std::uint64_t id : ids) {
      OpenOrderReport r;
      r.order = ours.order;
      r.price = ours.price;
      r.amount = ours.amount;
      r.venue_ref = id;
      send(EventKind::open_order_report, r, perp);
    }
    reconcile(ReconcilePhase::complete);
  };
  seen.clear();
  picture({77});
  EXPECT_EQ(found(), 0U);
  const Qty before = core().orders().exposure(perp).worst_buy();
  picture({77, 78, 79});
  EXPECT_EQ(found(), 1U);
  EXPECT_EQ(mode(), Mode::halt);
  EXPECT_EQ(core().other_instance(), ours.order);
  EXPECT_EQ(state(ours), OrderState::live);
  EXPECT_EQ(engine->snapshot().venues[0].foreign_orders, 2U);
  EXPECT_EQ(core().orders().exposure(perp).worst_buy(), before + ours.amount + ours.amount);
  EXPECT_TRUE(core().orders().consistent());
  // Acknowledged it stays; another one halts again, whatever its number.
  acknowledge(TripCode::other_instance);
  seen.clear();
  picture({77, 78, 79});
  EXPECT_EQ(found(), 0U);
  picture({77, 78, 79, 80});
  EXPECT_EQ(found(), 1U);
  picture({77, 78, 79});
  // Ours has ended: what rests under its label is what a kill must reach.
  ended(ours.order);
  run(milliseconds(10));
  picture({78});
  EXPECT_EQ(state(ours), OrderState::live);
  EXPECT_EQ(core().orders().exposure(perp).worst_buy(), before);
  EXPECT_TRUE(core().orders().consistent());
}

// Before a picture or an answer has told the venue's id of ours, its side and instrument tell.
TEST_F(OneInstance, AnotherSideUnderALabelOfOursIsNotOursAndCountsInEveryOutcome) {
  go();
  to_armed();
  const PlaceOrder ours = resting();
  ASSERT_EQ(core().orders().find(ours.order)->side, Side::buy);
  const auto before = core().residual(test::the_coin);
  ASSERT_TRUE(before);
  seen.clear();
  reconcile(ReconcilePhase::begin);
  OpenOrderReport r;
  r.order = ours.order;
  r.price = usd(52000);
  r.amount = amount(50'000);
  r.side = Side::sell;
  r.venue_ref = 77;
  send(EventKind::open_order_report, r, perp);
  EXPECT_EQ(found(), 1U);
  EXPECT_EQ(mode(), Mode::halt);
  EXPECT_EQ(core().orders().exposure(perp).worst_sell(), amount(50'000));
  EXPECT_EQ(core().orders().exposure(perp).worst_buy(), ours.amount);
  const auto after = core().residual(test::the_coin);
  ASSERT_TRUE(after);
  EXPECT_NEAR(static_cast<double>(before->worst.low - after->worst.low) * 1e-9, 1.0, 0.02);
  EXPECT_EQ(after->worst.high, before->worst.high);
  EXPECT_EQ(before->unknown.low - after->unknown.low, before->worst.low - after->worst.low);
  EXPECT_EQ(after->unknown_orders, before->unknown_orders + 1);
  EXPECT_TRUE(core().orders().consistent());
}

TEST_F(OneInstance, ANumberOfOursThatWeNeverGaveOutIsAnothers) {
  go();
  to_armed();
  const PlaceOrder ours = resting();
  acked(ours.order);
  EXPECT_EQ(found(), 0U);
  seen.clear();
  acked(of(7, ours.order.counter() + 1));
  expect_read_only(of(7, ours.order.counter() + 1));
}

TEST_F(OneInstance, WhatAnEarlierBootLeftIsOurs) {
  go();
  to_armed();
  acked(of(6, 5));
  traded(of(6, 6), false, venue_time());
  ended(of(6, 7));
  shown(of(6, 8), venue_time() - seconds(3600));
  EXPECT_EQ(found(), 0U);
  EXPECT_EQ(mode(), Mode::active);
  ASSERT_NE(core().orders().find(of(6, 8)), nullptr);
  EXPECT_TRUE(core().orders().find(of(6, 8))->adopted);
}

TEST_F(OneInstance, AnOlderBootThatStillMakesOrdersIsAnother) {
  go();
  to_armed();
  run(seconds(1));
  shown(of(6, 1), venue_time());
  EXPECT_EQ(found(), 0U) << "it may have been on its way when we started";
  advance(seconds(62));
  shown(of(6, 2), venue_time());
  EXPECT_EQ(found(), 1U);
  EXPECT_EQ(mode(), Mode::halt);
  EXPECT_EQ(core().orders().find(of(6, 2)), nullptr);
}

// Its immediate orders never rest: their fills are all that is seen of it.
TEST_F(OneInstance, AFillOfAnOlderBootLongAfterOurStartIsAnothers) {
  go();
  to_armed();
  advance(seconds(62));
  traded(of(6, 9), false, venue_time());
  EXPECT_EQ(found(), 1U);
  EXPECT_EQ(mode(), Mode::halt);
}

TEST_F(OneInstance, AnOrderRightAfterTheAcknowledgementIsToldAgain) {
  go();
  to_armed();
  acked(of(9, 3));
  acknowledge(TripCode::other_instance);
  acked(of(9, 4));
  EXPECT_EQ(found(), 2U) << "there must be something to acknowledge";
  acked(of(9, 5));
  EXPECT_EQ(found(), 2U);
}

TEST_F(OneInstance, ATradeFromBeforeOurStartIsNoReasonToStop) {
  go();
  to_armed();
  traded(of(9, 1), true, venue_time() - seconds(600));
  EXPECT_EQ(found(), 0U);
  EXPECT_EQ(mode(), Mode::active);
  run(seconds(1));
  traded(of(9, 2), true, venue_time());
  EXPECT_EQ(found(), 1U) << "a picture shows that it trades while we run";
}

TEST_F(OneInstance, ArmingWaitsForTheAcknowledgementAndTheNextOrderStopsAgain) {
  go();
  to_armed();
  acked(of(9, 3));
  operate(OperatorAction::arm);
  EXPECT_EQ(answer(), OperatorResult::refused_other_instance);
  EXPECT_EQ(engine->last_operator().detail, 9U);
  acknowledge(TripCode::foreign_order);
  operate(OperatorAction::arm);
  EXPECT_EQ(answer(), OperatorResult::refused_other_instance) << "another alert's acknowledgement";
  acknowledge(TripCode::other_instance);
  operate(OperatorAction::arm);
  ASSERT_EQ(answer(), OperatorResult::accepted);
  run(seconds(2));
  seen.clear();
  acked(of(9, 3));
  shown(of(9, 2), venue_time());
  EXPECT_EQ(found(), 0U) << "known and acknowledged";
  EXPECT_EQ(core().orders().find(of(9, 2)), nullptr) << "and still not ours";
  EXPECT_TRUE(order(50010, 1000).order.valid());
  acked(of(9, 4));
  EXPECT_EQ(found(), 1U);
  EXPECT_EQ(mode(), Mode::halt);
}

// Each picture shows all of them again.
TEST(OtherInstances, AcknowledgedTwinsStayAcknowledgedAsManyAsAreKept) {
  OtherInstances others;
  const auto picture = [&](std::size_t twins) {
    std::size_t news = 0;
    for (std::size_t n = 1; n <= twins; ++n) {
      const auto number = static_cast<std::uint32_t>(n);
      news += others.note_twin(make_order_id(7, StrategyId{0}, number), 1000 + n) ? 1 : 0;
    }
    return news;
  };
  EXPECT_EQ(picture(OtherInstances::twins_max), OtherInstances::twins_max);
  others.acknowledge();
  EXPECT_EQ(picture(OtherInstances::twins_max), 0U);
  EXPECT_FALSE(others.unacknowledged().valid());
  EXPECT_EQ(picture(OtherInstances::twins_max + 1), 1U);
}

}  // namespace
}  // namespace gimbal
