#include "engine/runtime/sequencer.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <thread>
#include <vector>

#include "engine/runtime/journal.hpp"
#include "tests/runtime/journal_builder.hpp"

namespace gimbal {
namespace {

using namespace gimbal::test;

struct ManualClock {
  std::int64_t ns{1000};
  [[nodiscard]] RecvTime now() const noexcept { return RecvTime{ns}; }
};

// Journals into a list, so that the order "journal, then step" can be seen.
struct ListJournal {
  std::vector<std::string>* log;
  bool full{false};
  std::vector<DigestRecord> digests{};
  bool append(const Event* unit, std::size_t count) noexcept {
    if (full) return false;
    log->push_back("journal " + std::to_string(unit[0].seq().value) + "x" + std::to_string(count));
    return true;
  }
  bool append_side_block(const SideBlockRef& ref) noexcept {
    log->push_back("block " + std::to_string(ref.slot));
    return !full;
  }
  bool append_digest(const DigestRecord& digest) noexcept {
    digests.push_back(digest);
    return true;
  }
};

struct LogCore {
  std::vector<std::string>* log;
  std::vector<Event> seen{};
  std::vector<ArmTimer> arm{};
  std::size_t block_bytes{0};
  void step(const Event& event, Commands& out) noexcept {
    log->push_back("step " + std::to_string(event.seq().value) + "." +
                   std::to_string(event.part_index()));
    seen.push_back(event);
    for (const ArmTimer& t : arm) (void)out.push(Command{t});
    arm.clear();
    if (event.kind() == EventKind::trade) {
      (void)out.push(
          Command{CancelOrder{OrderId{event.seq().value}, event.instrument, event.venue}});
    }
  }
  bool side_block(const SideBlockRef&, std::span<const std::byte> bytes) noexcept {
    log->push_back("show");
    block_bytes = bytes.size();
    return true;
  }
};

struct LogSink {
  std::vector<Command> commands{};
  std::vector<SequencerFault> faults{};
  void command(Command&& c) noexcept { commands.push_back(std::move(c)); }
  void fault(SequencerFault f) noexcept { faults.push_back(f); }
};

class SequencerTest : public testing::Test {
 protected:
  using Seqr = Sequencer<LogCore, LogSink, ListJournal, ManualClock>;
  std::map<std::string, std::uint64_t> counts() const {
    std::map<std::string, std::uint64_t> out;
    counters.each([&](std::string_view, std::string_view name, std::uint64_t value) {
      out[std::string{name}] = value;
    });
    return out;
  }
  std::vector<std::string> log;
  ManualClock clock;
  ListJournal journal{&log};
  LogCore core{&log};
  LogSink sink;
  Counters counters{"core"};
  SideBlockPool pool{2, 256};
  SequencerConfig config{};
  Seqr sequencer{config, core, sink, journal, clock, counters, &pool};
};

TEST_F(SequencerTest, JournalsEachUnitBeforeItIsStepped) {
  sequencer.submit(boot_event());
  auto unit = ticker_unit(0, 5);
  sequencer.submit(unit.data(), unit.size());
  EXPECT_EQ(log, (std::vector<std::string>{"journal 1x1", "step 1.1", "journal 2x3", "step 2.1",
                                           "step 3.2", "step 4.3"}));
  EXPECT_EQ(sequencer.last_seq().value, 4u);
}

TEST_F(SequencerTest, NumbersThePartsInARowAndGivesThemOneQueueTime) {
  clock.ns = 350;
  auto unit = ticker_unit(0, 5);  // received at 100
  sequencer.submit(unit.data(), unit.size());
  ASSERT_EQ(core.seen.size(), 3u);
  for (const Event& e : core.seen) {
    EXPECT_EQ(e.seq().value, e.part_index());
    EXPECT_EQ(e.queue_ns, 250u);
    EXPECT_EQ(e.now().mono_ns, 350);
  }
}

TEST_F(SequencerTest, QueueTimeSaturatesAtBothEnds) {
  clock.ns = 50;  // before the receive time, by a kernel stamp's rounding
  sequencer.submit(trade_event(0, 1));
  EXPECT_EQ(core.seen.back().queue_ns, 0u);
  clock.ns = 100 + 5'000'000'000;
  sequencer.submit(trade_event(0, 1));
  EXPECT_EQ(core.seen.back().queue_ns, UINT32_MAX);
}

TEST_F(SequencerTest, PollsThePriorityRingFirstAndTheOthersInTurn) {
  EventRing control{16}, a{64}, b{64};
  sequencer.set_priority(control);
  ASSERT_TRUE(sequencer.add_input(a));
  ASSERT_TRUE(sequencer.add_input(b));
  const auto from = [](std::uint8_t venue) {
    Event e = trade_event(0, 1);
    e.venue = VenueId{venue};
    return e;
  };
  ASSERT_TRUE(a.push(from(1)));
  ASSERT_TRUE(b.push(from(2)));
  ASSERT_TRUE(control.push(from(9)));
  EXPECT_EQ(sequencer.do_work(), 3u);
  ASSERT_TRUE(a.push(from(1)));
  ASSERT_TRUE(b.push(from(2)));
  EXPECT_EQ(sequencer.do_work(), 2u);
  std::vector<int> venues;
  for (const Event& e : core.seen) venues.push_back(e.venue.value);
  EXPECT_EQ(venues, (std::vector<int>{9, 1, 2, 2, 1}));
  EXPECT_EQ(sequencer.do_work(), 0u);
}

TEST_F(SequencerTest, AFullRingIsDrainedInBoundedPortionsWithoutCuttingUnits) {
  EventRing ring{1024};
  ASSERT_TRUE(sequencer.add_input(ring));
  for (int i = 0; i < 100; ++i) {
    auto unit = ticker_unit(0, i);
    ASSERT_TRUE(ring.push_unit(unit.data(), unit.size()));
  }
  const std::size_t taken = sequencer.do_work();
  EXPECT_GE(taken, config.drain_max);
  EXPECT_LT(taken, config.drain_max + event_parts_max);
  EXPECT_EQ(taken % 3, 0u);
  while (sequencer.do_work() != 0) {}
  EXPECT_EQ(core.seen.size(), 300u);
  EXPECT_TRUE(sink.faults.empty());
}

TEST_F(SequencerTest, DropsAndCountsWarmTrafficBeforeItGetsANumber) {
  Event warm = trade_event(0, 1);
  warm.add_flag(event_flag::warm);
  sequencer.submit(warm);
  sequencer.submit(trade_event(0, 2));
  EXPECT_EQ(counts()["warm_dropped"], 1u);
  ASSERT_EQ(core.seen.size(), 1u);
  EXPECT_EQ(core.seen[0].seq().value, 1u);
}

TEST_F(SequencerTest, ARecordOutOfItsUnitIsDroppedReportedAndDoesNotStopTheRest) {
  EventRing ring{64};
  ASSERT_TRUE(sequencer.add_input(ring));
  auto unit = ticker_unit(0, 5);
  ASSERT_TRUE(ring.push(unit[1]));
  ASSERT_TRUE(ring.push(trade_event(0, 1)));
  sequencer.do_work();
  EXPECT_EQ(counts()["broken_units"], 1u);
  EXPECT_EQ(sink.faults, (std::vector<SequencerFault>{SequencerFault::broken_unit}));
  EXPECT_EQ(core.seen.size(), 1u);
  Event bad = trade_event(0, 1);
  bad.part = 0;
  sequencer.submit(bad);
  EXPECT_EQ(counts()["broken_units"], 2u);
  EXPECT_EQ(sink.faults.size(), 1u) << "each kind of fault is told once";
}

TEST_F(SequencerTest, AFullJournalIsToldAndTheEventIsStillStepped) {
  journal.full = true;
  sequencer.submit(trade_event(0, 1));
  EXPECT_EQ(sink.faults, (std::vector<SequencerFault>{SequencerFault::journal}));
  EXPECT_EQ(core.seen.size(), 1u);
  EXPECT_EQ(counts()["journal_lost"], 1u);
}

TEST_F(SequencerTest, FiresATimerWhenItIsDueAsANumberedEvent) {
  core.arm = {ArmTimer{7, RecvTime{5000}}};
  sequencer.submit(boot_event());
  EXPECT_EQ(sequencer.do_work(), 0u);
  clock.ns = 5000;
  EXPECT_EQ(sequencer.do_work(), 1u);
  ASSERT_EQ(core.seen.size(), 2u);
  EXPECT_EQ(core.seen[1].kind(), EventKind::timer);
  EXPECT_EQ(core.seen[1].as<TimerFired>().timer, 7u);
  EXPECT_EQ(core.seen[1].as<TimerFired>().due.mono_ns, 5000);
  EXPECT_EQ(core.seen[1].seq().value, 2u);
  EXPECT_TRUE(sink.commands.empty()) << "timers stay in the sequencer";
  EXPECT_EQ(sequencer.do_work(), 0u);
}

TEST_F(SequencerTest, JournalsASideBlockBeforeTheEventAndShowsItBeforeTheStep) {
  const std::vector<std::byte> content(100, std::byte{5});
  const SideBlockRef ref = pool.publish(SideBlockKind::config, content);
  sequencer.submit(
      make_event(EventKind::config_change, VenueId{}, InstrumentId{}, RecvTime{}, ExchTime{}, ref));
  EXPECT_EQ(log, (std::vector<std::string>{"block 0", "journal 1x1", "show", "step 1.1"}));
  EXPECT_EQ(core.block_bytes, 100u);
  EXPECT_EQ(pool.in_use(), 1u) << "the journal's hold is left";
  pool.release(ref);
  EXPECT_EQ(pool.in_use(), 0u);
}

TEST_F(SequencerTest, AnEventWhoseBlockIsGoneIsRefused) {
  SideBlockRef ref = pool.publish(SideBlockKind::config, std::vector<std::byte>(8));
  ref.crc32c ^= 1;
  sequencer.submit(
      make_event(EventKind::config_change, VenueId{}, InstrumentId{}, RecvTime{}, ExchTime{}, ref));
  EXPECT_TRUE(core.seen.empty());
  EXPECT_EQ(sink.faults, (std::vector<SequencerFault>{SequencerFault::side_block}));
  EXPECT_EQ(sequencer.last_seq().value, 0u);
}

TEST_F(SequencerTest, WritesADigestRecordEverySoManyEvents) {
  SequencerConfig often;
  often.digest_every = 4;
  Seqr seqr{often, core, sink, journal, clock, counters, nullptr};
  for (int i = 0; i < 9; ++i) seqr.submit(trade_event(0, i));
  ASSERT_EQ(journal.digests.size(), 2u);
  EXPECT_EQ(journal.digests[0].seq, 4u);
  EXPECT_EQ(journal.digests[0].commands, 4u);
  EXPECT_EQ(journal.digests[1].commands, 8u);
  EXPECT_NE(journal.digests[0].digest, journal.digests[1].digest);
  EXPECT_EQ(sink.commands.size(), 9u);
}

// Fused (direct calls) and pipelined (two rings, two feeding threads) run the same units; each
// journal, stepped again, gives its own digest.
TEST_F(SequencerTest, MergesRingsOfOtherThreadsKeepingEachRingsOrder) {
  EventRing a{128}, b{128};
  ASSERT_TRUE(sequencer.add_input(a));
  ASSERT_TRUE(sequencer.add_input(b));
  constexpr int units = 3000;
  const auto feed = [](EventRing& ring, std::uint8_t venue) {
    for (int i = 0; i < units; ++i) {
      auto unit = ticker_unit(0, i);
      for (Event& e : unit) e.venue = VenueId{venue};
      while (!ring.push_unit(unit.data(), unit.size())) std::this_thread::yield();
    }
  };
  std::thread first{[&] { feed(a, 1); }}, second{[&] { feed(b, 2); }};
  while (core.seen.size() < 2u * 3u * units) {
    if (sequencer.do_work() == 0) std::this_thread::yield();
  }
  first.join();
  second.join();
  EXPECT_TRUE(sink.faults.empty());
  std::array<std::int64_t, 3> next{};
  PartsBuffer<Ticker> ticker;
  std::uint64_t wrong = 0;
  for (const Event& e : core.seen) {
    if (!ticker.add(e)) continue;
    if (ticker.value().mark.nano != next[e.venue.value]++) ++wrong;
  }
  EXPECT_EQ(wrong, 0u);
  EXPECT_EQ(sequencer.last_seq().value, 2u * 3u * units);
}

}  // namespace
}  // namespace gimbal
