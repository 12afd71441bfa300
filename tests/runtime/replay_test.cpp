#include "engine/runtime/replay.hpp"

#include <gtest/gtest.h>

#include "engine/runtime/sequencer.hpp"
#include "tests/runtime/journal_builder.hpp"
#include "tests/support/load_journal.hpp"

namespace gimbal {
namespace {

using namespace gimbal::test;
using Segments = std::vector<std::vector<std::byte>>;

// A core with state: its command depends on everything that it has seen.
struct SummingCore {
  std::uint64_t sum{0};
  std::uint64_t broken_at{UINT64_MAX};  // as a changed build would behave
  void step(const Event& event, Commands& out) noexcept {
    if (event.kind() == EventKind::trade) {
      sum += static_cast<std::uint64_t>(event.as<Trade>().price.nano) + event.queue_ns;
    }
    if (event.kind() == EventKind::timer) sum ^= 0x5555;
    if (!event.last_part()) return;
    if (event.seq().value >= broken_at) ++sum;
    (void)out.push(Command{CancelOrder{OrderId{sum}, event.instrument, event.venue}});
    if (event.seq().value % 50 == 0) (void)out.push(Command{ArmTimer{1, event.now()}});
  }
  bool side_block(const SideBlockRef&, std::span<const std::byte> bytes) noexcept {
    for (const std::byte b : bytes) sum = sum * 31 + static_cast<std::uint64_t>(b);
    return true;
  }
};
struct NoSink {
  void command(Command&&) noexcept {}
  void fault(SequencerFault) noexcept { ++faults; }
  int faults{0};
};

struct Live {
  Segments segments;
  std::uint64_t digest{0};
  std::uint64_t commands{0};
  std::uint64_t last_seq{0};
};

Live run_live(const TempDir& dir, bool fused) {
  Live live;
  const TscClock clock;
  SideBlockPool pool{4, 512};
  JournalConfig config = small_journal(dir);
  config.ring_records = 8192;
  JournalWriter journal{config, {3, 0xB, 0xC}, &pool};
  if (!journal.open()) return live;
  SummingCore core;
  NoSink sink;
  Counters counters{"core"};
  SequencerConfig often;
  often.digest_every = 100;
  Sequencer<SummingCore, NoSink, JournalWriter> sequencer{often, core,     sink, journal,
                                                          clock, counters, &pool};
  EventRing ring{4096};
  (void)sequencer.add_input(ring);
  sequencer.submit(boot_event());
  const auto give = [&](Event* unit, std::size_t count) {
    if (fused) {
      sequencer.submit(unit, count);
    } else {
      (void)ring.push_unit(unit, count);
    }
  };
  for (int i = 0; i < 500; ++i) {
    Event trade = trade_event(0, i * 3);
    give(&trade, 1);
    auto unit = ticker_unit(0, i);
    give(unit.data(), unit.size());
    if (i == 250) {
      const SideBlockRef ref =
          pool.publish(SideBlockKind::config, std::vector<std::byte>(300, std::byte{9}));
      Event adopt = make_event(EventKind::config_change, VenueId{}, InstrumentId{}, clock.now(),
                               ExchTime{}, ref);
      give(&adopt, 1);
    }
    sequencer.do_work();
    journal.drain();
  }
  while (sequencer.do_work() != 0) {}
  if (!journal.close() || sink.faults != 0) return live;
  if (!test::load_journal(dir.path(), live.segments)) return live;
  live.digest = sequencer.digest().value();
  live.commands = sequencer.digest().count();
  live.last_seq = sequencer.last_seq().value;
  return live;
}

ReplayResult run_again(const Segments& segments, std::uint64_t broken_at = UINT64_MAX,
                       const ReplayOptions& options = {}) {
  SummingCore core;
  core.broken_at = broken_at;
  ReplayTarget target;
  target.step = [&](const Event& e, Commands& out) { core.step(e, out); };
  target.side_block = [&](const SideBlockRef& r, std::span<const std::byte> b) {
    core.side_block(r, b);
  };
  JournalReader reader{views(segments)};
  return replay(reader, target, options);
}

TEST(Replay, GivesTheLiveRunsDigestForDirectCallsAndForRings) {
  std::uint64_t digests = 0;
  for (const bool fused : {true, false}) {
    const TempDir dir;
    const Live live = run_live(dir, fused);
    ASSERT_FALSE(live.segments.empty());
    const ReplayResult result = run_again(live.segments);
    EXPECT_EQ(result.verdict, ReplayVerdict::same) << result.error;
    EXPECT_EQ(result.journal, JournalStatus::end);
    EXPECT_EQ(result.digest, live.digest);
    EXPECT_EQ(result.commands, live.commands);
    EXPECT_EQ(result.events, live.last_seq);
    EXPECT_GE(result.units, 1u + 2u * 500u + 1u) << "timers come on top";
    EXPECT_EQ(result.side_blocks, 1u);
    EXPECT_EQ(result.boot.epoch, 3u);
    EXPECT_GE(result.digests_compared, live.last_seq / 103);
    digests = result.digests_compared;
  }
  EXPECT_GT(digests, 10u);
}

TEST(Replay, NamesTheFirstIntervalThatDiffers) {
  const TempDir dir;
  const Live live = run_live(dir, true);
  const std::uint64_t broken_at = 458;
  const ReplayResult result = run_again(live.segments, broken_at);
  EXPECT_EQ(result.verdict, ReplayVerdict::different);
  EXPECT_LT(result.first_difference_after, broken_at);
  EXPECT_GE(result.first_difference_at, broken_at);
  EXPECT_LE(result.first_difference_at - result.first_difference_after, 103u);
  EXPECT_NE(result.expected_digest, result.found_digest);
  ReplayOptions all;
  all.stop_at_difference = false;
  const ReplayResult full = run_again(live.segments, broken_at, all);
  EXPECT_LT(result.digests_compared, full.digests_compared) << "the first run stopped there";
  EXPECT_EQ(full.first_difference_at, result.first_difference_at);
}

TEST(Replay, StopsAfterTheSequenceNumberAskedFor) {
  const TempDir dir;
  const Live live = run_live(dir, true);
  ReplayOptions options;
  options.last_seq = 249;
  const ReplayResult result = run_again(live.segments, UINT64_MAX, options);
  EXPECT_EQ(result.events, 249u);
  EXPECT_EQ(result.verdict, ReplayVerdict::same);
}

TEST(Replay, ReplaysATornJournalUpToTheTearAndSaysWhere) {
  const TempDir dir;
  Live live = run_live(dir, true);
  live.segments.resize(1);
  live.segments[0].resize(live.segments[0].size() / 2 + 5);
  const ReplayResult result = run_again(live.segments);
  EXPECT_EQ(result.journal, JournalStatus::torn);
  EXPECT_EQ(result.verdict, ReplayVerdict::same);
  EXPECT_NE(result.error.find("segment 0, offset"), std::string::npos) << result.error;
}

TEST(Replay, CallsACorruptJournalDamaged) {
  const TempDir dir;
  Live live = run_live(dir, true);
  live.segments[0][1000] ^= std::byte{4};
  const ReplayResult result = run_again(live.segments);
  EXPECT_EQ(result.verdict, ReplayVerdict::damaged);
  EXPECT_FALSE(result.error.empty());
}

TEST(Replay, AJournalWithAGapIsNotExact) {
  const TempDir dir;
  JournalConfig config = small_journal(dir);
  config.ring_records = 2;
  JournalWriter writer{config, {1, 0, 0}, nullptr};
  ASSERT_TRUE(writer.open());
  const Event boot = boot_event(1, 1);
  ASSERT_TRUE(writer.append(&boot, 1));
  std::uint64_t seq = 1;
  for (int i = 0; i < 5; ++i) {
    const Event trade = trade_event(++seq, i);
    (void)writer.append(&trade, 1);
  }
  ASSERT_GT(writer.lost_records(), 0u);
  ASSERT_TRUE(writer.close());
  Segments segments;
  ASSERT_TRUE(test::load_journal(dir.path(), segments));
  const ReplayResult result = run_again(segments);
  EXPECT_EQ(result.verdict, ReplayVerdict::damaged);
  EXPECT_NE(result.error.find("missing from sequence 3"), std::string::npos) << result.error;
}

TEST(Replay, WithoutDigestRecordsTheAnswerIsUnchecked) {
  const TempDir dir;
  const ReplayResult result = run_again(sample_journal(dir, true));
  EXPECT_EQ(result.verdict, ReplayVerdict::unchecked);
  EXPECT_EQ(result.units, 5u);
  EXPECT_EQ(result.events, 7u);
}

}  // namespace
}  // namespace gimbal
