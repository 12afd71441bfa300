// A process that dies may leave its journal cut at any byte. Here: the journal of a simulated day,
// written by the real writer, cut everywhere, read by the real reader, stepped by the real core.
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "engine/runtime/journal.hpp"
#include "tests/runtime/journal_builder.hpp"
#include "tests/simtest/run.hpp"

namespace gimbal::simtest {
namespace {

using test::TempDir;
using Segments = std::vector<std::vector<std::byte>>;
constexpr std::uint32_t epoch_of_day = 3;
constexpr std::size_t event_record = sizeof(RecordHead) + sizeof(Event);

bool long_form() { return std::getenv("GIMBAL_LONG") != nullptr; }

// Events of a seed without faults: orders, fills, books, timers, a reconciliation.
std::vector<Event> day(std::size_t events) {
  RunOptions o;
  o.seed = 5;
  o.faults.reset();
  o.until = events;
  o.keep_journal = true;
  RunResult r = run_seed(o);
  EXPECT_TRUE(r.ok()) << r.text;
  return std::move(r.journal);
}

bool write_all(JournalWriter& writer, const std::vector<Event>& events) {
  for (std::size_t at = 0; at < events.size();) {
    const std::size_t parts = events[at].part_count();
    if (at + parts > events.size()) break;
    if (!writer.append(&events[at], parts)) return false;
    at += parts;
    writer.drain();
  }
  return true;
}

struct Written {
  TempDir dir;
  std::vector<Event> events;
  Segments bytes;

  explicit Written(std::size_t count) : events{day(count)} {
    JournalConfig config = test::small_journal(dir);
    config.segment_bytes = 16u << 20;
    config.sync_interval = seconds(1000);
    JournalWriter writer{config, {epoch_of_day, 0xB, 0xC}, nullptr};
    EXPECT_TRUE(writer.open());
    EXPECT_TRUE(write_all(writer, events));
    EXPECT_TRUE(writer.close());
    EXPECT_TRUE(JournalReader::load(dir.path(), bytes));
    EXPECT_EQ(bytes.size(), 1U);
  }
};

struct Recovered {
  std::size_t events{0};
  JournalStatus status{JournalStatus::record};
  std::vector<std::uint64_t> offsets;  // of the event records
};

// Reads `bytes` and compares every event with the one that was written.
Recovered recover(std::span<const std::byte> bytes, const std::vector<Event>& events) {
  JournalReader reader{std::vector<std::span<const std::byte>>{bytes}};
  Recovered r;
  JournalRecord record;
  while ((r.status = reader.next(record)) == JournalStatus::record) {
    if (record.type != RecordType::event) continue;
    if (r.events >= events.size() ||
        std::memcmp(&record.event, &events[r.events], sizeof(Event)) != 0) {
      r.status = JournalStatus::corrupt;
      return r;
    }
    r.offsets.push_back(record.offset);
    ++r.events;
  }
  return r;
}

// Whole units that end at or before `cut`.
std::size_t whole_events(const Written& w, const std::vector<std::uint64_t>& offsets,
                         std::uint64_t cut) {
  std::size_t whole = 0;
  for (std::size_t at = 0; at < offsets.size();) {
    const std::size_t parts = w.events[at].part_count();
    if (at + parts > offsets.size() || offsets[at + parts - 1] + event_record > cut) break;
    at += parts;
    whole = at;
  }
  return whole;
}

void cut_everywhere(const Written& w, std::uint64_t step) {
  const std::span<const std::byte> all{w.bytes[0]};
  const Recovered sound = recover(all, w.events);
  ASSERT_EQ(sound.status, JournalStatus::end);
  for (std::uint64_t cut = sizeof(SegmentHeader); cut < all.size(); cut += step) {
    const Recovered r = recover(all.subspan(0, cut), w.events);
    ASSERT_TRUE(r.status == JournalStatus::torn || r.status == JournalStatus::open_end) << cut;
    ASSERT_EQ(r.events, whole_events(w, sound.offsets, cut)) << cut;
  }
}

TEST(CrashPoints, AJournalCutAtAnyByteGivesBackEveryWholeEventBeforeTheCut) {
  cut_everywhere(Written{long_form() ? 10'000U : 600U}, 1);
}

TEST(CrashPoints, AJournalOfThousandsOfEventsIsRecoveredAtEveryRecordBoundary) {
  const Written w{4000};
  const std::span<const std::byte> all{w.bytes[0]};
  const Recovered sound = recover(all, w.events);
  ASSERT_EQ(sound.status, JournalStatus::end);
  ASSERT_GE(sound.events, 3990U);
  for (const std::uint64_t offset : sound.offsets) {
    for (const std::uint64_t cut : {offset - 1, offset, offset + 1}) {
      if (cut < sizeof(SegmentHeader)) continue;
      const Recovered r = recover(all.subspan(0, cut), w.events);
      ASSERT_TRUE(r.status == JournalStatus::torn || r.status == JournalStatus::open_end) << cut;
      ASSERT_EQ(r.events, whole_events(w, sound.offsets, cut)) << cut;
    }
  }
}

TEST(CrashPoints, EveryFlippedBitOfTheLast4KiBIsFound) {
  const Written w{600};
  std::vector<std::byte> bytes = w.bytes[0];
  const std::size_t first = bytes.size() - 4096;
  for (std::size_t bit = first * 8; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] ^= static_cast<std::byte>(1 << (bit % 8));
    const Recovered r = recover(bytes, w.events);
    ASSERT_TRUE(r.status == JournalStatus::torn || r.status == JournalStatus::corrupt) << bit;
    bytes[bit / 8] ^= static_cast<std::byte>(1 << (bit % 8));
  }
}

// The next boot of a bot that died: its journal goes beside the cut one, and both are read.
TEST(CrashPoints, TheNextBootWritesBesideACutJournal) {
  const Written w{400};
  const Recovered sound = recover(w.bytes[0], w.events);
  for (std::size_t n = 0; n < sound.offsets.size(); n += 23) {
    const TempDir dir;
    const std::uint64_t cut = sound.offsets[n] + n % event_record;
    for (const auto& entry : std::filesystem::directory_iterator{w.dir.path()}) {
      if (entry.file_size() != w.bytes[0].size()) continue;  // not the segment
      const std::string name = entry.path().filename().string();
      std::filesystem::copy_file(entry.path(), dir.file(name));
      std::filesystem::resize_file(dir.file(name), cut);
    }
    JournalConfig config = test::small_journal(dir);
    JournalWriter writer{config, {epoch_of_day + 1, 0xB, 0xC}, nullptr};
    ASSERT_TRUE(writer.open()) << n;
    const std::vector<Event> first(w.events.begin(), w.events.begin() + 100);
    ASSERT_TRUE(write_all(writer, first)) << n;
    ASSERT_TRUE(writer.close()) << n;
    Segments before;
    Segments after;
    ASSERT_TRUE(JournalReader::load(dir.path(), before, epoch_of_day)) << n;
    ASSERT_TRUE(JournalReader::load(dir.path(), after)) << n;
    EXPECT_EQ(recover(before[0], w.events).events, whole_events(w, sound.offsets, cut)) << n;
    EXPECT_EQ(recover(after[0], w.events).status, JournalStatus::end) << n;
  }
}

// I10: what a journal prefix gives is what the core was at that event; twice gives it twice.
TEST(CrashPoints, EveryPrefixStepsToTheStateThatTheCoreHad) {
  const Written w{3000};
  const std::vector<std::uint64_t> live = command_digests(w.events);
  const std::span<const std::byte> all{w.bytes[0]};
  const Recovered sound = recover(all, w.events);
  for (std::size_t n = 100; n < sound.offsets.size(); n += 331) {
    std::vector<Event> prefix;
    const auto cut = all.subspan(0, sound.offsets[n] + event_record / 2);
    JournalReader reader{std::vector<std::span<const std::byte>>{cut}};
    JournalRecord record;
    while (reader.next(record) == JournalStatus::record) {
      if (record.type == RecordType::event) prefix.push_back(record.event);
    }
    ASSERT_FALSE(prefix.empty());
    const std::vector<std::uint64_t> again = command_digests(prefix);
    EXPECT_EQ(again, command_digests(prefix));
    EXPECT_EQ(again.back(), live[again.size() - 1]) << n;
  }
}

}  // namespace
}  // namespace gimbal::simtest
