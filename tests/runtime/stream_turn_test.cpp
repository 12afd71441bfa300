// A turn at both streams on a disk that is slower than what comes.
#include "engine/runtime/stream_turn.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/runtime/journal_files.hpp"
#include "tests/runtime/failing_calls.hpp"
#include "tests/runtime/journal_builder.hpp"

namespace gimbal {
namespace {

using namespace gimbal::test;

constexpr std::uint64_t all_events = 40'000;
constexpr std::uint64_t segment_bytes = 8u << 20;
constexpr Nanos turn = milliseconds(20);

// Each record that is taken brings a new one, with its frame: what waits never gets less. The hot
// thread's part is played on the cold one, between two records.
class EndlessFlow {
 public:
  explicit EndlessFlow(const std::string& directory)
      : journal_{config_in(directory), {3, 0, 0}, nullptr},
        frames_{SegmentConfig{directory, segment_bytes, 0}, {3, 0, 0}, milliseconds(100)} {
    frames_.add(tape_);
    journal_.observe([this](const Event&) { bring(); });
  }
  // With a backlog to begin with.
  [[nodiscard]] bool open() {
    if (!journal_.open() || !frames_.open()) return false;
    for (int i = 0; i < 2000; ++i) bring();
    return true;
  }
  void take_turn() { write_turn(journal_, &frames_, turn); }
  [[nodiscard]] bool close() { return journal_.close() && frames_.close(); }
  [[nodiscard]] std::uint64_t brought() const { return seq_; }
  [[nodiscard]] const JournalWriter& journal() const { return journal_; }
  [[nodiscard]] std::uint64_t refused() const { return refused_ + tape_.lost(); }

 private:
  static JournalConfig config_in(const std::string& directory) {
    JournalConfig config;
    config.directory = directory;
    config.segment_bytes = segment_bytes;
    config.reserve_bytes = 0;
    return config;
  }
  void bring() {
    if (seq_ == all_events) return;
    ++seq_;
    const Event e = seq_ == 1 ? boot_event() : trade_event(seq_, 10);
    if (!journal_.append(&e, 1)) ++refused_;
    FrameRecord frame;
    frame.kind = FrameKind::text_in;
    frame.seq = seq_;
    (void)tape_.put(frame, "x");  // frames that are smaller than their events
  }

  std::uint64_t seq_{0};
  std::uint64_t refused_{0};
  FrameTape tape_{std::size_t{32} << 20};
  JournalWriter journal_;
  FrameRecorder frames_;
};

// What the files of a stream hold at this moment.
std::vector<std::uint64_t> on_disk(const TempDir& dir, const StreamName& stream) {
  std::vector<std::vector<std::byte>> segments;
  std::vector<std::uint64_t> found;
  if (!load_segments(dir.path(), stream, 0, segments)) return found;
  JournalReader reader{views(segments), stream};
  JournalRecord record;
  while (reader.next(record) == JournalStatus::record) {
    if (record.type == RecordType::event) found.push_back(record.event.seq().value);
    if (record.type == RecordType::frame) found.push_back(record.frame.seq);
    EXPECT_NE(record.type, RecordType::gap);
  }
  return found;
}

std::vector<std::uint64_t> up_to(std::uint64_t last) {
  std::vector<std::uint64_t> numbers;
  for (std::uint64_t n = 1; n <= last; ++n) numbers.push_back(n);
  return numbers;
}

TEST(StreamTurn, EndsWhileRecordsComeAsFastAsASlowDiskTakesThem) {
  const TempDir dir;
  EndlessFlow flow{dir.path()};
  ASSERT_TRUE(flow.open());
  const FailingCall slow{Failing::slow_pwrite, 0, 1, true};
  const std::uint64_t before = flow.journal().backlog();
  flow.take_turn();
  EXPECT_GE(flow.journal().backlog(), before);
  EXPECT_GT(flow.journal().written().value, 0U);
  // A write of 64 KiB takes 4 ms: some five of them, of some 600 records each.
  EXPECT_LT(flow.journal().written().value, all_events / 4);
  EXPECT_LT(flow.brought(), all_events / 4);
}

TEST(StreamTurn, LosesNothingAndNoFrameComesBeforeItsEvent) {
  const TempDir dir;
  EndlessFlow flow{dir.path()};
  ASSERT_TRUE(flow.open());
  int turns = 0;
  {
    const FailingCall slow{Failing::slow_pwrite, 0, 1, true};
    while (flow.journal().backlog() > 0) {
      flow.take_turn();
      if (++turns > 4) continue;
      const std::vector<std::uint64_t> events = on_disk(dir, journal_stream);
      const std::vector<std::uint64_t> frames = on_disk(dir, frame_stream);
      ASSERT_FALSE(events.empty());
      ASSERT_FALSE(frames.empty());
      EXPECT_EQ(events.back(), flow.journal().written().value);
      EXPECT_LE(frames.back(), events.back());
    }
  }
  EXPECT_GT(turns, 4);
  ASSERT_TRUE(flow.close());
  EXPECT_EQ(flow.refused(), 0U);
  EXPECT_EQ(on_disk(dir, journal_stream), up_to(all_events));
  EXPECT_EQ(on_disk(dir, frame_stream), up_to(all_events));
}

// One thread's tape is never empty: the other's is written all the same.
TEST(StreamTurn, ABusyTapeDoesNotKeepTheOtherWaiting) {
  const TempDir dir;
  FrameTape busy{1u << 20}, rare{1u << 16};
  FrameRecorder recorder{SegmentConfig{dir.path(), 1u << 20, 0}, {3, 0, 0}, milliseconds(100)};
  recorder.add(busy);
  recorder.add(rare);
  ASSERT_TRUE(recorder.open());
  const FrameRecord frame{1, 0, 1, FrameKind::text_in, 0, 0};
  const FrameRecord awaited{1, 77, 1, FrameKind::text_in, 0, 0};
  ASSERT_TRUE(rare.put(awaited, "x"));
  for (int i = 0; i < 3; ++i) {
    for (int k = 0; k < 200; ++k) { ASSERT_TRUE(busy.put(frame, std::string(1000, 'x'))); }
    (void)recorder.drain(100'000);
  }
  const std::vector<std::uint64_t> frames = on_disk(dir, frame_stream);
  EXPECT_NE(std::find(frames.begin(), frames.end(), 77U), frames.end());
}

// A sync that takes longer than the interval is not followed by the next one at once.
TEST(StreamTurn, ASlowSyncLeavesTheThreadItsTime) {
  const TempDir dir;
  JournalConfig config = small_journal(dir);
  config.sync_interval = milliseconds(200);
  JournalWriter journal{config, {3, 0, 0}, nullptr};
  FrameTape tape{4096};
  FrameRecorder frames{SegmentConfig{dir.path(), segment_bytes, 0}, {3, 0, 0}, Nanos{0}};
  frames.add(tape);
  ASSERT_TRUE(journal.open() && frames.open());
  std::uint64_t seq = 1;
  const Event boot = boot_event();
  ASSERT_TRUE(journal.append(&boot, 1));
  const FailingCall slow{Failing::slow_fdatasync, 0, 1, true};
  while (journal.durable().value == 0) write_turn(journal, &frames, turn);
  for (int i = 0; i < 3; ++i) {
    const Event more = trade_event(++seq, 10);
    ASSERT_TRUE(journal.append(&more, 1));
    write_turn(journal, &frames, turn);
    EXPECT_EQ(journal.written().value, seq);
    EXPECT_EQ(journal.durable().value, 1U) << "synced again at once";
  }
}

// A journal that gave up is not waited for.
TEST(StreamTurn, AJournalThatFailedHoldsNoFrameBack) {
  const TempDir dir;
  EndlessFlow flow{dir.path()};
  ASSERT_TRUE(flow.open());
  {
    const FailingCall failing{Failing::pwrite, EIO, 1, false};
    flow.take_turn();
    EXPECT_TRUE(FailingCall::fired());
  }
  EXPECT_TRUE(flow.journal().failed());
  flow.take_turn();
  EXPECT_GT(on_disk(dir, frame_stream).size(), 1000U);
}

}  // namespace
}  // namespace gimbal
