// Commands of the core on their way out: trips close the last gate and are never dropped. Commands
// of the operator on their way in: neither is a stop.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "ops/app/command_outbox.hpp"
#include "ops/app/hot_pipelined.hpp"
#include "ops/app/trip_rows.hpp"

namespace gimbal {
namespace {

struct NoDesk {
  bool full{false};
  bool execute(Command&&) noexcept { return !full; }
  void resync(InstrumentId) noexcept {}
};

struct RouterTest : testing::Test {
  std::filesystem::path dir =
      std::filesystem::path{testing::TempDir()} / ("router_" + std::to_string(::getpid()));
  TscClock clock;
  GatePage gate;
  NoDesk desk;
  QueryRing queries{16};
  AlertRing alerts{4};
  std::unique_ptr<GateCloser> closer;
  std::unique_ptr<Router<NoDesk, NoDesk>> router;

  void SetUp() override {
    std::filesystem::create_directories(dir);
    ASSERT_TRUE(gate.create((dir / "gate").string(), 1));
    closer = std::make_unique<GateCloser>(gate, clock);
    router = std::make_unique<Router<NoDesk, NoDesk>>(desk, desk, queries, *closer, alerts);
    gate.loosen(Scope{}, Mode::active);
  }
  void TearDown() override { std::filesystem::remove_all(dir); }
  static Trip trip(Mode mode, Scope scope) {
    Trip t;
    t.code = TripCode::price_drift;
    t.mode = mode;
    t.scope = scope;
    t.actual = 7;
    return t;
  }
};

TEST_F(RouterTest, ATripClosesTheLastGateOfItsScopeBeforeAnybodyIsTold) {
  const Scope scope{ScopeLevel::strategy, 1};
  router->command(Command{trip(Mode::reduce, scope)});
  EXPECT_EQ(gate.at(scope), Mode::reduce);
  EXPECT_EQ(gate.at({}), Mode::active);
  Trip got;
  ASSERT_TRUE(alerts.pop_into(got));
  EXPECT_EQ(got.code, TripCode::price_drift);
  EXPECT_EQ(got.actual, 7);
}

TEST_F(RouterTest, AnAlertLeavesTheGateAsItIs) {
  const Scope scope{ScopeLevel::instrument, 3};
  router->command(Command{trip(Mode::active, scope)});
  EXPECT_EQ(gate.at(scope), Mode::active);
  EXPECT_EQ(alerts.size(), 1U);
}

TEST_F(RouterTest, AFullRingOfTripsIsCountedAndHaltsEverything) {
  for (std::size_t i = 0; i < alerts.capacity(); ++i) {
    router->command(Command{trip(Mode::active, {})});
  }
  EXPECT_EQ(gate.at({}), Mode::active);
  EXPECT_EQ(router->alerts_lost(), 0U);
  router->command(Command{trip(Mode::active, {})});
  EXPECT_EQ(gate.at({}), Mode::halt);
  EXPECT_EQ(router->alerts_lost(), 1U);
  EXPECT_EQ(router->halts(), 1U);
}

// No trip tells of it, and the word may be HALT already: an arm in flight has the count alone.
TEST_F(RouterTest, AFullRingOfOrdersIsCountedAndHaltsEverything) {
  desk.full = true;
  router->command(Command{CancelAll{}});
  EXPECT_EQ(gate.at({}), Mode::halt);
  EXPECT_EQ(router->halts(), 1U);
  router->fault(SequencerFault{});
  EXPECT_EQ(router->halts(), 2U);
}

TEST(TripRows, EveryCodeHasARowAnOwnerAndASentence) {
  for (std::size_t i = 1; i < trip_rows.size(); ++i) {
    const TripRow& r = row_of(static_cast<TripCode>(i));
    EXPECT_EQ(r.row.size(), 4U) << r.name;
    EXPECT_TRUE(r.owner == "risk" || r.owner == "desk" || r.owner == "ops") << r.name;
    EXPECT_FALSE(r.sentence.empty()) << r.name;
  }
  EXPECT_EQ(row_of(static_cast<TripCode>(60000)).name, "none");
}

// --- the market ring under pressure

struct PressureTest : testing::Test {
  static constexpr std::size_t slots = 256;
  TscClock clock;
  TscProbe probe;
  FeedHops feed_hops;
  EventRing ring{slots};
  ResyncRing resyncs{16};
  PollerChoice choice;
  std::unique_ptr<Poller> poller;
  std::unique_ptr<FeedStage> stage;

  void SetUp() override {
    PollerConfig config;
    config.kind = PollerKind::epoll;
    poller = Poller::open(config, choice);
    ASSERT_NE(poller, nullptr) << choice.reason;
    stage = std::make_unique<FeedStage>(*poller, ring, resyncs, clock, probe, feed_hops, 64);
  }
  // A price of the option `id`, over the connection of `slot`.
  void tick(std::uint16_t id, std::int64_t mark, std::uint16_t slot = option_slot) {
    Ticker t;
    t.mark = Price{mark};
    const Event head =
        make_event(EventKind::ticker, VenueId{0}, InstrumentId{id}, clock.now(), {}, t);
    std::array<Event, event_parts_max> parts{};
    const std::size_t n = write_parts(head, t, parts.data());
    stage->sink(slot).events(std::span{parts.data(), n});
  }
  void level(std::uint16_t slot = option_slot) {
    Event e = make_event(EventKind::book_delta, VenueId{0}, InstrumentId{9}, clock.now(), {},
                         BookDelta{});
    stage->sink(slot).events(std::span{&e, 1});
  }
  void fill_over_half() {
    while (!ring.over_half()) level();
    (void)stage->do_work();
  }
  // Takes everything out; the tickers' instruments and marks, in order.
  std::vector<std::pair<int, std::int64_t>> drained() {
    std::vector<std::pair<int, std::int64_t>> all;
    PartsBuffer<Ticker> parts;
    Event e;
    while (ring.pop_into(e)) {
      if (e.kind() == EventKind::ticker && parts.add(e)) {
        all.emplace_back(e.instrument.value, parts.value().mark.nano);
      }
    }
    return all;
  }
};

using Marks = std::vector<std::pair<int, std::int64_t>>;

TEST_F(PressureTest, WithRoomEveryTickerGoesAtOnce) {
  (void)stage->do_work();
  tick(1, 10);
  tick(1, 11);
  EXPECT_EQ(drained(), (Marks{{1, 10}, {1, 11}}));
  EXPECT_EQ(stage->tickers_replaced(), 0U);
}

TEST_F(PressureTest, OverHalfFullOnlyTheNewestTickerOfEachInstrumentWaitsForRoom) {
  fill_over_half();
  const std::size_t before = ring.size();
  for (std::int64_t mark = 20; mark < 40; ++mark) {
    tick(2, mark);
    tick(1, mark + 100);
  }
  EXPECT_EQ(ring.size(), before);
  EXPECT_EQ(stage->tickers_replaced(), 38U);
  level();
  EXPECT_EQ(ring.size(), before + 1) << "what changes a book is never left out";
  tick(5, 7, hedge_slot);
  EXPECT_EQ(drained(), (Marks{{5, 7}})) << "nor is the hedge instrument held back";
  (void)stage->do_work();
  EXPECT_EQ(drained(), (Marks{{2, 39}, {1, 139}}));
  tick(1, 140);
  EXPECT_EQ(drained(), (Marks{{1, 140}}));
}

TEST_F(PressureTest, ANewerTickerNeverComesBeforeAnOlderOneThatStillWaits) {
  fill_over_half();
  tick(1, 1);
  tick(2, 2);
  while (ring.push(Event{})) {}
  Event e;
  while (ring.over_half()) ASSERT_TRUE(ring.pop_into(e));
  while (ring.room() >= TickerHold::parts + 1) ASSERT_TRUE(ring.push(Event{}));
  // Room for one of them: over half again by the next look, and the other one stays.
  stage->sink(option_slot).release();
  tick(2, 3);
  EXPECT_EQ(drained(), (Marks{{1, 1}}));
  (void)stage->do_work();
  EXPECT_EQ(drained(), (Marks{{2, 3}}));
}

TEST_F(PressureTest, WhatWaitsIsForgottenWhenItsFeedIsNoLongerToBeTrusted) {
  fill_over_half();
  tick(1, 1);
  tick(2, 2);
  Event lost = make_event(EventKind::feed_status, VenueId{0}, InstrumentId{1}, clock.now(), {},
                          FeedStatus{});
  stage->sink(option_slot).events(std::span{&lost, 1});
  EXPECT_EQ(drained(), Marks{});
  (void)stage->do_work();
  EXPECT_EQ(drained(), (Marks{{2, 2}})) << "the other instrument's is still news";
}

TEST_F(PressureTest, TheCoreFindsWhenATicksPacketWasReadAndNothingOfATimer) {
  probe.begin();
  probe.mark_at(ProbeHop::decrypt, 10);
  probe.mark_at(ProbeHop::parse, 20);
  tick(1, 10);
  Event e;
  ASSERT_TRUE(ring.pop_into(e));
  const auto found = feed_hops.of(e.recv);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->decrypt, 10U);
  EXPECT_EQ(found->parse, 20U);
  EXPECT_FALSE(feed_hops.of(e.recv + Nanos{1}).has_value());
  (void)drained();
  (void)stage->do_work();
  tick(1, 11);
  ASSERT_TRUE(ring.pop_into(e));
  EXPECT_FALSE(feed_hops.of(e.recv).has_value());
}

TEST(FeedHops, WhatAnotherPacketTookThePlaceOfIsNotFound) {
  FeedHops feed_hops;
  for (std::int64_t n = 1; n <= 20 * static_cast<std::int64_t>(FeedHops::slots); ++n) {
    const auto tsc = static_cast<std::uint64_t>(n);
    feed_hops.note(RecvTime{n}, {tsc, tsc + 1});
    ASSERT_EQ(feed_hops.of(RecvTime{n})->parse, tsc + 1);
  }
  std::size_t found = 0;
  for (std::int64_t n = 1; n <= 20 * static_cast<std::int64_t>(FeedHops::slots); ++n) {
    const auto times = feed_hops.of(RecvTime{n});
    if (!times) continue;
    ++found;
    ASSERT_EQ(times->decrypt, static_cast<std::uint64_t>(n));
  }
  EXPECT_LE(found, FeedHops::slots);
  EXPECT_FALSE(feed_hops.of(RecvTime{}).has_value());
}

struct OutboxTest : testing::Test {
  CommandOutbox outbox;
  std::vector<std::uint64_t> ring;
  std::size_t room = 0;

  auto push() {
    return [this](const OperatorCommand& c) {
      if (room == 0) return false;
      --room;
      ring.push_back(c.command_id);
      return true;
    };
  }
  CommandFate send(OperatorAction action, std::uint64_t id) {
    OperatorCommand c;
    c.action = action;
    c.command_id = id;
    return outbox.send(c, push());
  }
};

TEST_F(OutboxTest, AKillWaitsForRoomAndNothingOvertakesIt) {
  EXPECT_EQ(send(OperatorAction::kill, 1), CommandFate::waits);
  EXPECT_EQ(send(OperatorAction::ack, 2), CommandFate::waits);
  room = 1;
  EXPECT_EQ(send(OperatorAction::stop_flatten, 3), CommandFate::waits);
  EXPECT_EQ(ring, (std::vector<std::uint64_t>{1}));
  room = 8;
  outbox.flush(push());
  EXPECT_EQ(ring, (std::vector<std::uint64_t>{1, 2, 3}));
  EXPECT_EQ(send(OperatorAction::kill, 4), CommandFate::sent);
  EXPECT_EQ(outbox.waiting(), 0U);
}

TEST_F(OutboxTest, WhatWouldOpenSomethingIsDroppedRatherThanLate) {
  EXPECT_EQ(send(OperatorAction::arm, 1), CommandFate::dropped);
  EXPECT_EQ(send(OperatorAction::flatten, 2), CommandFate::dropped);
  ASSERT_EQ(send(OperatorAction::kill, 3), CommandFate::waits);
  room = 1;
  EXPECT_EQ(send(OperatorAction::arm, 4), CommandFate::dropped)
      << "the kill took the last room before it";
  EXPECT_EQ(ring, (std::vector<std::uint64_t>{3}));
}

TEST_F(OutboxTest, HasALimit) {
  for (std::uint64_t id = 0; id < CommandOutbox::waiting_max; ++id) {
    ASSERT_EQ(send(OperatorAction::kill, id), CommandFate::waits);
  }
  EXPECT_EQ(send(OperatorAction::kill, 0), CommandFate::dropped);
}

}  // namespace
}  // namespace gimbal
