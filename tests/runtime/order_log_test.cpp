// The orders of a boot that may still live, from its journal.
#include "engine/runtime/order_log.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstring>

namespace gimbal {
namespace {

constexpr std::uint32_t this_boot = 7;
constexpr InstrumentId perpetual{3};
constexpr OrderId first = make_order_id(this_boot, StrategyId{1}, 1);
constexpr OrderId older = make_order_id(6, StrategyId{1}, 9);

constexpr Qty lots(std::int64_t n) { return Qty{n * 1'000'000'000}; }
constexpr Price at(std::int64_t n) { return Price{n * 1'000'000'000}; }

// Events as a journal has them.
struct Script {
  std::vector<Event> events;
  std::uint64_t seq{0};

  template <class Payload>
  void add(EventKind kind, const Payload& payload, ExchTime exch = {}, std::uint8_t flags = 0) {
    Event head = make_event(kind, VenueId{0}, perpetual, RecvTime{1000}, exch, payload);
    head.add_flag(flags);
    std::array<Event, event_parts_max> unit;
    const std::size_t parts = write_parts(head, payload, unit.data());
    for (std::size_t i = 0; i < parts; ++i) {
      unit[i].set_seq({++seq});
      events.push_back(unit[i]);
    }
  }
  void boot(std::uint32_t epoch = this_boot) {
    Boot b;
    b.epoch = epoch;
    b.config_hash = 0x51'0000'0000ULL;
    add(EventKind::boot, b);
  }
  void sent(OrderAction action, Price price, Qty amount, ExchTime until = ExchTime{500}) {
    OrderSent s;
    s.order = first;
    s.action = action;
    s.side = Side::sell;
    s.price = price;
    s.amount = amount;
    add(EventKind::order_sent, s, until);
  }
  void ack(Price price, Qty amount, ExchTime updated = {}) {
    OrderAck a;
    a.order = first;
    a.price = price;
    a.amount = amount;
    add(EventKind::order_ack, a, updated);
  }
  void fill(std::uint64_t trade, Qty amount, OrderId order = first, std::uint8_t flags = 0) {
    Fill f;
    f.order = order;
    f.trade = TradeId{1, trade};
    f.price = at(50);
    f.amount = amount;
    add(EventKind::fill, f, {}, flags);
  }
  void reject(OrderAction action, RejectReason reason) {
    OrderReject r;
    r.order = first;
    r.action = action;
    r.reason = reason;
    add(EventKind::order_reject, r);
  }
  void done() {
    OrderDone d;
    d.order = first;
    add(EventKind::order_done, d);
  }
  void mark(ReconcilePhase phase) {
    ReconcileMark m;
    m.phase = phase;
    add(EventKind::reconcile_mark, m);
  }
  void look_up(LookupOutcome outcome, ExchTime when) {
    OrderLookup l;
    l.order = first;
    l.outcome = outcome;
    add(EventKind::order_lookup, l, when);
  }
  void report(OrderId order, Qty amount, Qty filled, Side side = Side::sell,
              ExchTime updated = {}) {
    OpenOrderReport r;
    r.order = order;
    r.price = at(50);
    r.amount = amount;
    r.filled = filled;
    r.side = side;
    r.venue_ref = 77;
    add(EventKind::open_order_report, r, updated);
  }
};

OrderLog folded(const Script& s) {
  OrderLog log;
  for (const Event& e : s.events) log.take(e);
  return log;
}

const OrderCarry& only(const OrderLog& log) {
  EXPECT_EQ(log.orders().size(), 1U);
  static const OrderCarry none{};
  return log.orders().empty() ? none : log.orders().begin()->second.terms;
}

Script resting() {
  Script s;
  s.boot();
  s.sent(OrderAction::place, at(50), lots(10));
  s.ack(at(50), lots(10));
  return s;
}

TEST(OrderLog, AnOrderThatWasSentIsKeptWithItsTermsUntilItsEnd) {
  Script s;
  s.boot();
  s.sent(OrderAction::place, at(50), lots(10));
  const OrderCarry t = only(folded(s));
  EXPECT_EQ(t.order, first);
  EXPECT_EQ(t.side, Side::sell);
  EXPECT_EQ(t.price, at(50));
  EXPECT_EQ(t.amount, lots(10));
  EXPECT_EQ(t.valid_until, ExchTime{500});
  EXPECT_EQ(t.label_hash, 0x51U);
  EXPECT_EQ(t.confirmed, 0);
  s.done();
  EXPECT_TRUE(folded(s).orders().empty());
}

TEST(OrderLog, OnlyADefinitiveRefusalEndsIt) {
  for (const RejectReason reason :
       {RejectReason::venue, RejectReason::throttled, RejectReason::wrong_terms,
        RejectReason::wrong_amount, RejectReason::expired}) {
    Script s;
    s.boot();
    s.sent(OrderAction::place, at(50), lots(10));
    s.reject(OrderAction::place, RejectReason::unclear);
    EXPECT_EQ(folded(s).orders().size(), 1U);
    s.reject(OrderAction::cancel, reason);
    EXPECT_EQ(folded(s).orders().size(), 1U);
    s.reject(OrderAction::place, reason);
    EXPECT_TRUE(folded(s).orders().empty());
  }
}

TEST(OrderLog, AReplaceWithoutAnAnswerKeepsBothAmounts) {
  Script s = resting();
  s.sent(OrderAction::replace, at(51), lots(20), ExchTime{900});
  OrderCarry t = only(folded(s));
  EXPECT_EQ(t.amount, lots(10));
  EXPECT_EQ(t.new_amount, lots(20));
  EXPECT_EQ(t.valid_until, ExchTime{900});
  s.ack(at(50), lots(10));  // of the order before the change
  EXPECT_EQ(only(folded(s)).new_amount, lots(20));
  s.ack(at(51), lots(20));
  t = only(folded(s));
  EXPECT_EQ(t.amount, lots(20));
  EXPECT_EQ(t.price, at(51));
  EXPECT_EQ(t.new_amount, Qty{});
}

TEST(OrderLog, AFillCountsOnceByItsTradeAndWhatIsFilledWholeEndsWithThePictureBehindIt) {
  Script s = resting();
  s.fill(1, lots(3));
  s.fill(1, lots(3));
  s.fill(2, lots(4));
  EXPECT_EQ(only(folded(s)).filled, lots(7));
  s.fill(0, lots(3));
  s.fill(3, lots(3));
  EXPECT_EQ(only(folded(s)).filled, lots(10)) << "a change may be on its way";
  s.mark(ReconcilePhase::begin);
  EXPECT_TRUE(folded(s).orders().empty());
}

TEST(OrderLog, ALateAnswerToSomethingOlderChangesNoTerms) {
  Script s = resting();
  s.sent(OrderAction::replace, at(51), lots(25));
  s.ack(at(51), lots(25), ExchTime{2000});
  s.ack(at(50), lots(10), ExchTime{1000});
  EXPECT_EQ(only(folded(s)).amount, lots(25));
  EXPECT_EQ(only(folded(s)).price, at(51));
  s.ack(at(50), lots(10), ExchTime{2000});
  EXPECT_EQ(only(folded(s)).amount, lots(25)) << "of one millisecond either may be the older";
  s.ack(at(51), lots(22), ExchTime{2001});
  EXPECT_EQ(only(folded(s)).amount, lots(22));
}

// The venue's clock is told, so that a time can be far ahead of its receipt.
TEST(OrderLog, AnAbsurdTimeOfAnAnswerFreezesNoTerms) {
  const ExchTime hour = ExchTime{1000} + seconds(3600);
  for (const ExchTime absurd : {hour + seconds(6), ExchTime{INT64_MAX}}) {
    Script s = resting();
    VenueClock clock;
    clock.offset_ns = seconds(3600).count;
    s.add(EventKind::venue_clock, clock);
    s.ack(at(50), lots(25), absurd);
    EXPECT_EQ(only(folded(s)).amount, lots(25));
    s.ack(at(50), lots(22), hour);
    EXPECT_EQ(only(folded(s)).amount, lots(22));
    s.report(first, lots(30), Qty{}, Side::sell, absurd);
    EXPECT_EQ(only(folded(s)).amount, lots(30)) << "it may be the newer";
  }
}

TEST(OrderLog, AWordWithoutATimeLowersNoTermsThatHaveOne) {
  Script s = resting();
  s.ack(at(50), lots(25), ExchTime{2000});
  for (const ExchTime none : {ExchTime{}, ExchTime{-7}}) {
    s.ack(at(50), lots(10), none);
    EXPECT_EQ(only(folded(s)).amount, lots(25));
  }
  s.ack(at(50), lots(27));
  EXPECT_EQ(only(folded(s)).amount, lots(27));
}

// An earlier boot's offset is of another clock: behind it absence would be proven too early.
TEST(OrderLog, ABootForgetsTheVenuesClock) {
  Script s;
  s.boot(this_boot - 1);
  VenueClock clock;
  clock.offset_ns = 1'000'000;
  s.add(EventKind::venue_clock, clock);
  s.boot();
  s.sent(OrderAction::place, at(50), lots(10), ExchTime{500'000});
  s.look_up(LookupOutcome::absent, ExchTime{});
  EXPECT_EQ(folded(s).orders().size(), 1U);
}

TEST(OrderLog, AbsenceAtATimeThatTheVenueSaysIsJudgedByThatTime) {
  Script s;
  s.boot();
  VenueClock clock;
  clock.offset_ns = 1'000'000;
  s.add(EventKind::venue_clock, clock);
  s.sent(OrderAction::place, at(50), lots(10), ExchTime{500'000});
  s.look_up(LookupOutcome::absent, ExchTime{499'999});
  EXPECT_EQ(folded(s).orders().size(), 1U) << "told before it could arrive no more";
  s.look_up(LookupOutcome::absent, ExchTime{INT64_MAX});
  EXPECT_TRUE(folded(s).orders().empty()) << "not believed: by the clock at its receipt";
}

TEST(OrderLog, WhenItsTermsAreFromIsKnownBehindASnapshotToo) {
  Script s = resting();
  s.sent(OrderAction::replace, at(51), lots(25));
  s.ack(at(51), lots(25), ExchTime{2000});
  const OrderLog before = folded(s);
  OrderLog log;
  log.restore({before.orders().begin()->second}, before.seq(), before.epoch(), before.tag());
  Script tail;
  tail.ack(at(50), lots(10), ExchTime{1000});
  for (const Event& e : tail.events) log.take(e);
  EXPECT_EQ(only(log).amount, lots(25));
}

TEST(OrderLog, ARefusedLaterChangeKeepsTheEarlierWithoutAnAnswer) {
  Script s = resting();
  s.sent(OrderAction::replace, at(51), lots(25));
  s.sent(OrderAction::replace, at(51), lots(12));
  s.reject(OrderAction::replace, RejectReason::local_rate);
  EXPECT_EQ(only(folded(s)).new_amount, lots(25));
  Script alone = resting();
  alone.sent(OrderAction::replace, at(51), lots(25));
  alone.reject(OrderAction::replace, RejectReason::local_rate);
  EXPECT_EQ(only(folded(alone)).new_amount, Qty{});
}

TEST(OrderLog, APictureThatShowsALargerAmountRaisesIt) {
  Script s = resting();
  s.report(first, lots(30), Qty{});
  EXPECT_EQ(only(folded(s)).amount, lots(30));
  s.report(first, lots(10), Qty{});
  EXPECT_EQ(only(folded(s)).amount, lots(30)) << "nor is it lowered";
}

// Each picture tells the last trades again, in front of what rests.
TEST(OrderLog, WhatAPictureBringsBackCountsNoFillTwice) {
  Script s;
  s.boot();
  s.mark(ReconcilePhase::begin);
  s.report(first, lots(20), lots(10));
  s.mark(ReconcilePhase::complete);
  EXPECT_EQ(only(folded(s)).filled, Qty{}) << "held at its worst";
  s.mark(ReconcilePhase::begin);
  s.fill(1, lots(10), first, event_flag::historical);
  EXPECT_EQ(only(folded(s)).filled, lots(10));
  s.report(first, lots(20), lots(10));
  s.mark(ReconcilePhase::begin);
  s.fill(1, lots(10), first, event_flag::historical);
  EXPECT_EQ(only(folded(s)).filled, lots(10));
}

TEST(OrderLog, APictureOfBeforeAChangeLeavesACarriedOrdersTerms) {
  Script s;
  s.boot();
  s.report(older, lots(25), lots(1), Side::sell, ExchTime{2000});
  s.report(older, lots(10), lots(2), Side::sell, ExchTime{1000});
  EXPECT_EQ(only(folded(s)).amount, lots(25));
  EXPECT_EQ(only(folded(s)).filled, lots(2));
}

// The simulator's seed 11231: decided in the packet before the fill, journalled behind it.
TEST(OrderLog, AnOrderThatWasFilledWholeStaysWhereAChangeOfItHasLeft) {
  Script s = resting();
  s.fill(1, lots(10));
  s.sent(OrderAction::replace, at(49), lots(25));
  EXPECT_EQ(only(folded(s)).new_amount, lots(25));
  EXPECT_EQ(only(folded(s)).filled, lots(10));
  s.mark(ReconcilePhase::begin);
  EXPECT_EQ(only(folded(s)).new_amount, lots(25)) << "15 may rest";
}

TEST(OrderLog, AChangeBringsBackWhatAPictureHadEndedByItsFillsAndNothingThatTheVenueEnded) {
  Script filled = resting();
  filled.fill(1, lots(10));
  filled.mark(ReconcilePhase::begin);
  filled.sent(OrderAction::replace, at(49), lots(25));
  EXPECT_EQ(only(folded(filled)).amount, lots(25));
  EXPECT_EQ(only(folded(filled)).confirmed, 1);
  EXPECT_EQ(only(folded(filled)).sent, ExchTime{}) << "when it was placed is not known";
  Script done = resting();
  done.done();
  done.sent(OrderAction::replace, at(49), lots(25));
  EXPECT_TRUE(folded(done).orders().empty());
  Script later = resting();
  later.done();
  later.mark(ReconcilePhase::begin);
  later.sent(OrderAction::replace, at(49), lots(25));
  EXPECT_TRUE(folded(later).orders().empty()) << "a picture began before the change was told";
}

TEST(OrderLog, MoreTradesThanAreKeptCountNoMore) {
  Script s;
  s.boot();
  s.sent(OrderAction::place, at(50), lots(1000));
  for (std::uint64_t n = 1; n <= kept_trades_max + 1; ++n) s.fill(n, lots(1));
  EXPECT_EQ(only(folded(s)).filled, lots(static_cast<std::int64_t>(kept_trades_max)));
}

TEST(OrderLog, OrdersBeyondItsRoomAreLeftOutAndCounted) {
  Script s;
  s.boot();
  for (std::uint32_t n = 0; n <= kept_orders_max; ++n) {
    s.report(make_order_id(6, StrategyId{0}, n + 1), lots(1), Qty{});
  }
  const OrderLog log = folded(s);
  EXPECT_EQ(log.orders().size(), kept_orders_max);
  EXPECT_EQ(log.left_out(), 1U);
}

TEST(OrderLog, ARefusalOfAnOrderThatTheVenueHasShownDoesNotEndIt) {
  Script s = resting();
  s.reject(OrderAction::place, RejectReason::venue);
  EXPECT_EQ(folded(s).orders().size(), 1U);
  s.done();
  EXPECT_TRUE(folded(s).orders().empty());
}

// A picture is told at its end: what it read before the order's end comes behind it.
TEST(OrderLog, APictureThatIsOlderThanAnOrdersEndDoesNotBringItBack) {
  Script s = resting();
  s.mark(ReconcilePhase::begin);
  s.done();
  s.report(first, lots(10), Qty{});
  s.mark(ReconcilePhase::complete);
  EXPECT_TRUE(folded(s).orders().empty());
  s.mark(ReconcilePhase::begin);
  s.report(first, lots(10), Qty{});
  EXPECT_EQ(folded(s).orders().size(), 1U) << "a younger picture shows that it rests all the same";
}

TEST(OrderLog, ALookUpThatFindsItOpenHasShownIt) {
  Script s;
  s.boot();
  s.sent(OrderAction::place, at(50), lots(10));
  s.look_up(LookupOutcome::open, ExchTime{600});
  s.reject(OrderAction::place, RejectReason::venue);
  EXPECT_EQ(only(folded(s)).confirmed, 1);
}

TEST(OrderLog, AbsenceOfAnOrderThatTheVenueHasShownIsForTheNextBootToAskAbout) {
  Script s = resting();
  s.look_up(LookupOutcome::absent, ExchTime{501});
  EXPECT_EQ(folded(s).orders().size(), 1U);
  s.look_up(LookupOutcome::cancelled, ExchTime{502});
  EXPECT_TRUE(folded(s).orders().empty());

  Script t;
  t.boot();
  t.report(older, lots(10), Qty{});
  OrderLookup l;
  l.order = older;
  l.outcome = LookupOutcome::absent;
  t.add(EventKind::order_lookup, l, ExchTime{501});
  EXPECT_TRUE(folded(t).orders().empty()) << "of an older boot, it was in doubt from the start";
}

TEST(OrderLog, AbsenceEndsItOnlyBehindItsValidity) {
  Script s;
  s.boot();
  s.sent(OrderAction::place, at(50), lots(10));
  s.look_up(LookupOutcome::absent, ExchTime{500});
  s.look_up(LookupOutcome::unproven, ExchTime{900});
  EXPECT_EQ(folded(s).orders().size(), 1U);
  s.look_up(LookupOutcome::absent, ExchTime{501});
  EXPECT_TRUE(folded(s).orders().empty());
}

TEST(OrderLog, WhatIsFilledOfAnOlderOrderTheVenueSaysAndNoTradeAddsToIt) {
  Script s;
  s.boot();
  s.report(older, lots(10), lots(2));
  s.fill(5, lots(4), older, event_flag::historical);
  s.fill(6, lots(4), older);
  EXPECT_EQ(only(folded(s)).filled, lots(2));
  s.report(older, lots(10), lots(6));
  EXPECT_EQ(only(folded(s)).filled, lots(6));
}

TEST(OrderLog, OrdersOfAnotherInstanceAndTwinsAreNotTaken) {
  Script s = resting();
  s.report(make_order_id(8, StrategyId{1}, 1), lots(1), Qty{});
  s.report(first, lots(99), lots(98), Side::buy);
  const OrderCarry t = only(folded(s));
  EXPECT_EQ(t.side, Side::sell);
  EXPECT_EQ(t.amount, lots(10));
  EXPECT_EQ(t.venue_ref, 0U);
}

TEST(OrderLog, FromASnapshotAtAnyEventItGivesTheSameState) {
  Script s = resting();
  s.fill(1, lots(3));
  s.sent(OrderAction::replace, at(51), lots(20));
  s.fill(1, lots(3));
  s.fill(2, lots(1));
  const OrderCarry whole = only(folded(s));
  for (std::size_t cut = 1; cut < s.events.size(); ++cut) {
    if (!s.events[cut - 1].last_part()) continue;
    OrderLog before, log;
    for (std::size_t n = 0; n < cut; ++n) before.take(s.events[n]);
    std::vector<KeptOrder> kept;
    for (const auto& [id, o] : before.orders()) kept.push_back(o);
    log.restore(kept, before.seq(), before.epoch(), before.tag());
    for (std::size_t n = cut; n < s.events.size(); ++n) log.take(s.events[n]);
    const OrderCarry t = only(log);
    EXPECT_EQ(std::memcmp(&t, &whole, sizeof t), 0) << cut;
  }
}

}  // namespace
}  // namespace gimbal
