// Orders whose terms or end are in doubt, in the engine: what pictures and answers settle, and what
// they do not.
#include "tests/support/engine_fixture.hpp"

namespace gimbal {
namespace {

struct OrderDoubts : EngineTest {
  void armed() {
    go();
    to_armed();
  }
  // `told`: the venue's own time of it.
  template <class Payload>
  void told_at(EventKind kind, const Payload& payload, ExchTime told) {
    Event head = make_event(kind, test::the_venue, perp, now, told, payload);
    head.add_flag(event_flag::last_in_packet);
    Event parts[event_parts_max];
    const std::size_t n = write_parts(head, payload, parts);
    for (std::size_t i = 0; i < n; ++i) step(parts[i]);
  }
  void answer(const PlaceOrder& o, double size, ExchTime told) {
    told_at(EventKind::order_ack, OrderAck{o.order, o.price, amount(size), {}}, told);
  }
  void shown(const PlaceOrder& o, double size, ExchTime told) {
    OpenOrderReport r;
    r.order = o.order;
    r.price = o.price;
    r.amount = amount(size);
    r.side = o.side;
    told_at(EventKind::open_order_report, r, told);
  }
  PlaceOrder other;  // of nobody here; fills name the perpetual
  // A fill that no trade id tells from another: the picture has to say what it was.
  void unnumbered_fill() {
    other.instrument = perp;
    Fill f = fill_of(other, 50);
    f.trade = {};
    send(EventKind::fill, f, perp);
  }
  void begin_made_at(RecvTime made) {
    ReconcileMark m;
    m.generation = generation;
    Event e = make_event(EventKind::reconcile_mark, test::the_venue, {}, made, {}, m);
    e.queue_ns = static_cast<std::uint32_t>((now - made).count);
    e.add_flag(event_flag::last_in_packet);
    step(e);
  }
  // Of 1000, changed to 2000 without an answer, and found open.
  PlaceOrder changed_in_doubt() {
    const PlaceOrder o = resting(49000, 1000);
    EXPECT_TRUE(puppet.next->replace({o.order, usd(49001), amount(2000)}));
    mark(perp, 50000, 50000);
    EXPECT_EQ(state(o), OrderState::pending_replace);
    run(milliseconds(150));
    EXPECT_EQ(state(o), OrderState::unknown);
    lookup(o, LookupOutcome::open);
    EXPECT_EQ(buys(), amount(2000));
    return o;
  }
  [[nodiscard]] Qty buys() const { return core().orders().exposure(perp).worst_buy(); }
};

TEST_F(OrderDoubts, AnAbsurdTimeOfAnAnswerFreezesNoTerms) {
  armed();
  for (const ExchTime absurd : {ExchTime{INT64_MAX}, venue_time() + seconds(3600), ExchTime{-1}}) {
    const PlaceOrder o = resting();
    const Qty others = buys() - amount(1000);
    answer(o, 1500, absurd);
    EXPECT_EQ(buys() - others, amount(1500));
    advance(milliseconds(10));
    answer(o, 1200, venue_time());
    EXPECT_EQ(buys() - others, amount(1200));
  }
}

TEST_F(OrderDoubts, AnAbsurdTimeInAPictureFreezesNoTerms) {
  armed();
  const PlaceOrder o = resting();
  advance(milliseconds(10));
  reconcile(ReconcilePhase::begin);
  shown(o, 1500, ExchTime{INT64_MAX});
  reconcile(ReconcilePhase::complete);
  EXPECT_EQ(buys(), amount(1500));
  advance(milliseconds(10));
  answer(o, 1200, venue_time());
  EXPECT_EQ(buys(), amount(1200));
}

// The next boot takes every older fill of its first picture for one that is counted already.
TEST_F(OrderDoubts, AnAbsurdTimeOfAFillIsNotTheNewestThatTheDayHasCounted) {
  armed();
  const PlaceOrder o = resting();
  told_at(EventKind::fill, fill_of(o, 100), ExchTime{INT64_MAX});
  fill(o, 100);
  EXPECT_EQ(core().snapshot().day.booked_until, venue_time());
}

TEST_F(OrderDoubts, AnAbsenceTheVenueSaysToBeOfAFarFutureIsJudgedByTheClock) {
  armed();
  const PlaceOrder o = order();
  run(milliseconds(150));
  ASSERT_EQ(state(o), OrderState::unknown);
  OrderLookup l;
  l.order = o.order;
  l.outcome = LookupOutcome::absent;
  told_at(EventKind::order_lookup, l, ExchTime{INT64_MAX});
  EXPECT_EQ(state(o), OrderState::unknown) << "it may still arrive";
}

// An amount that is kept asks for no picture: the routine one lowers it.
TEST_F(OrderDoubts, TheRoutinePictureSettlesAnAmountThatWasKept) {
  setup.engine.reconcile_interval = milliseconds(2500);
  armed();
  const RecvTime begun = now;
  const PlaceOrder o = changed_in_doubt();
  seen.clear();
  while (count(CommandKind::reconcile) == 0 && now - begun < seconds(60)) run(milliseconds(10));
  EXPECT_LT(now - begun, seconds(3));
  reconcile(ReconcilePhase::begin);
  shown(o, 1000, venue_time());
  reconcile(ReconcilePhase::complete);
  EXPECT_EQ(buys(), amount(1000));
}

// Its mark waits in a queue while fills come: they are not in what it read.
TEST_F(OrderDoubts, APictureThatNobodyAskedForOverwritesNoFillSinceItsMarkWasMade) {
  armed();
  const RecvTime made = now;
  advance(milliseconds(5));
  other.instrument = perp;
  fill(other, 100);
  advance(milliseconds(5));
  begin_made_at(made);
  reconcile(ReconcilePhase::complete);  // read in front of the fill
  EXPECT_EQ(core().portfolio().position(perp), amount(100));
}

TEST_F(OrderDoubts, APictureThatNobodyAskedForMeetsNoWishFromBehindItsMark) {
  armed();
  const RecvTime made = now;
  advance(milliseconds(5));
  reconcile(ReconcilePhase::begin);
  reconcile(ReconcilePhase::failed);  // the next waits for 250 ms, with a reason
  seen.clear();
  begin_made_at(made);
  reconcile(ReconcilePhase::complete);
  run(milliseconds(300));
  EXPECT_EQ(count(CommandKind::reconcile), 1U);
}

// The connector came to a question just before it was given up and asked again.
TEST_F(OrderDoubts, APictureOfAQuestionThatWasGivenUpDoesNotAnswerTheNext) {
  setup.engine.reconcile_timeout = seconds(1);
  armed();
  unnumbered_fill();
  run(milliseconds(990));
  ASSERT_EQ(count(CommandKind::reconcile), 1U);
  const RecvTime made = now;
  run(milliseconds(2));
  fill(other, 100);
  run(milliseconds(20));
  ASSERT_EQ(count(CommandKind::reconcile), 2U);
  begin_made_at(made);
  position(perp, 0);
  reconcile(ReconcilePhase::complete);
  EXPECT_EQ(core().portfolio().position(perp), amount(100));
  reconcile(ReconcilePhase::begin);
  position(perp, 150);
  reconcile(ReconcilePhase::complete);
  EXPECT_EQ(core().portfolio().position(perp), amount(150));
}

TEST_F(OrderDoubts, PicturesOfTwoQuestionsThatWereGivenUpDoNotAnswerTheThird) {
  setup.engine.reconcile_timeout = seconds(1);
  armed();
  unnumbered_fill();
  run(milliseconds(500));
  const RecvTime first = now;
  run(seconds(1));
  const RecvTime second = now;
  run(milliseconds(490));
  fill(other, 100);
  run(milliseconds(50));
  ASSERT_EQ(count(CommandKind::reconcile), 3U);
  for (const RecvTime made : {first, second}) {
    begin_made_at(made);
    position(perp, 0);
    reconcile(ReconcilePhase::complete);
    EXPECT_EQ(core().portfolio().position(perp), amount(100));
    EXPECT_FALSE(core().venue_ready(test::the_venue));
  }
  reconcile(ReconcilePhase::begin);
  position(perp, 150);
  reconcile(ReconcilePhase::complete);
  EXPECT_EQ(core().portfolio().position(perp), amount(150));
}

TEST_F(OrderDoubts,
       APrivateMessageThatCannotBeReadIsAReasonForAPictureAndARefusedMassCancelIsNone) {
  armed();
  OrderReject r;
  r.reason = RejectReason::unclear;
  r.action = OrderAction::cancel;
  send(EventKind::order_reject, r);
  run(milliseconds(2));
  EXPECT_EQ(count(CommandKind::reconcile), 0U);
  r.action = OrderAction::place;
  send(EventKind::order_reject, r);
  run(milliseconds(2));
  EXPECT_EQ(count(CommandKind::reconcile), 1U);
}

// A venue that changes a member of them makes every one such: pictures back to back would hold up
// trading for good.
TEST_F(OrderDoubts, PicturesForMessagesThatCannotBeReadAreASecondApartAndTheLastIsNotForgotten) {
  armed();
  OrderReject r;
  r.reason = RejectReason::unclear;
  std::size_t answered = 0;
  const auto messages = [&](Nanos time) {
    for (const RecvTime end = now + time; now < end;) {
      send(EventKind::order_reject, r);
      run(milliseconds(10));
      if (count(CommandKind::reconcile) == answered) continue;
      reconcile(ReconcilePhase::begin);
      run(milliseconds(50));
      send(EventKind::order_reject, r);
      reconcile(ReconcilePhase::complete);
      ++answered;
    }
  };
  messages(milliseconds(10));
  EXPECT_EQ(answered, 1U) << "the first at once";
  messages(seconds(5));
  EXPECT_EQ(answered, 5U);
  EXPECT_TRUE(core().venue_ready(test::the_venue));
  run(seconds(2));
  EXPECT_EQ(count(CommandKind::reconcile), 6U) << "of the last of them";
}

TEST_F(OrderDoubts, AReasonOfAnotherKindDoesNotWaitBehindAMessageThatCannotBeRead) {
  armed();
  OrderReject r;
  r.reason = RejectReason::unclear;
  send(EventKind::order_reject, r);
  run(milliseconds(2));
  reconcile(ReconcilePhase::begin);
  send(EventKind::order_reject, r);
  reconcile(ReconcilePhase::complete);
  unnumbered_fill();
  run(milliseconds(2));
  EXPECT_EQ(count(CommandKind::reconcile), 2U);
  reconcile(ReconcilePhase::begin);
  reconcile(ReconcilePhase::complete);
  run(seconds(2));
  EXPECT_EQ(count(CommandKind::reconcile), 2U) << "it answers both";
}

TEST_F(OrderDoubts, WhatAnOrderOwesThatEndedBehindThePicturesQuestionIsNotForgiven) {
  armed();
  const PlaceOrder o = resting();
  reconcile(ReconcilePhase::begin);
  advance(milliseconds(5));
  done(o, 1000, DoneReason::filled);
  reconcile(ReconcilePhase::complete);  // its positions were read before
  EXPECT_EQ(buys(), amount(1000));
  fill(o, 1000);
  EXPECT_EQ(buys(), Qty{});
}

}  // namespace
}  // namespace gimbal
