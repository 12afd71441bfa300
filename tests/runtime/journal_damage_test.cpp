// Cuts, flips and forgeries: what was read before the damage is sound, the damage is reported, and
// nothing crashes.
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "engine/runtime/crc32c.hpp"
#include "engine/runtime/journal.hpp"
#include "tests/runtime/journal_builder.hpp"
#include "tests/support/load_journal.hpp"

namespace gimbal {
namespace {

using namespace gimbal::test;
using Segments = std::vector<std::vector<std::byte>>;

constexpr std::size_t event_record = sizeof(RecordHead) + sizeof(Event);

// What was delivered must be a prefix of the sound journal, in whole units.
void expect_prefix(const Reading& reading, const Reading& sound, std::size_t where) {
  ASSERT_LE(reading.records.size(), sound.records.size()) << where;
  for (std::size_t i = 0; i < reading.records.size(); ++i) {
    ASSERT_EQ(std::memcmp(&reading.records[i].event, &sound.records[i].event, sizeof(Event)), 0)
        << where;
  }
  if (!reading.records.empty()) { ASSERT_FALSE(reading.records.back().more) << where; }
}

TEST(JournalDamage, ACutAtEveryByteIsATornTailWithWholeUnitsBeforeIt) {
  const TempDir dir;
  const Segments whole = sample_journal(dir, true);
  const Reading sound = read_all(whole);
  for (std::size_t cut = 0; cut < whole[0].size(); ++cut) {
    Segments segments = whole;
    segments[0].resize(cut);
    const Reading reading = read_all(segments);
    expect_prefix(reading, sound, cut);
    if (cut < sizeof(SegmentHeader)) {
      ASSERT_EQ(reading.status, JournalStatus::corrupt) << cut;
    } else {
      ASSERT_TRUE(reading.status == JournalStatus::torn ||
                  reading.status == JournalStatus::open_end)
          << cut << " " << reading.error;
    }
  }
}

TEST(JournalDamage, ATornUnitIsDroppedAsAWholeAndItsOffsetReported) {
  const TempDir dir;
  Segments segments = sample_journal(dir, false);
  const std::size_t unit = sizeof(SegmentHeader) + 3 * event_record;
  std::fill(segments[0].begin() + static_cast<std::ptrdiff_t>(unit + 2 * event_record + 8),
            segments[0].end(), std::byte{0});
  const Reading reading = read_all(segments);
  EXPECT_EQ(reading.status, JournalStatus::torn);
  EXPECT_EQ(reading.records.size(), 3u);
  EXPECT_EQ(reading.offset, unit);
}

TEST(JournalDamage, DamageWithSoundRecordsBehindItIsCorruption) {
  const TempDir dir;
  Segments segments = sample_journal(dir, true);
  const std::size_t second = sizeof(SegmentHeader) + event_record;
  segments[0][second + 40] ^= std::byte{1};
  const Reading reading = read_all(segments);
  EXPECT_EQ(reading.status, JournalStatus::corrupt);
  EXPECT_EQ(reading.offset, second);
  EXPECT_EQ(reading.error, "record checksum differs");
  EXPECT_EQ(reading.records.size(), 1u);
}

TEST(JournalDamage, EveryFlippedBitIsFound) {
  const TempDir dir;
  const Segments whole = sample_journal(dir, true);
  const Reading sound = read_all(whole);
  for (std::size_t bit = 0; bit < whole[0].size() * 8; ++bit) {
    Segments segments = whole;
    segments[0][bit / 8] ^= static_cast<std::byte>(1 << (bit % 8));
    const Reading reading = read_all(segments);
    ASSERT_TRUE(reading.status == JournalStatus::torn || reading.status == JournalStatus::corrupt)
        << "bit " << bit << " of byte " << bit / 8;
    expect_prefix(reading, sound, bit);
  }
}

TEST(JournalDamage, AFlippedBitInThePreallocatedTailIsFound) {
  const TempDir dir;
  Segments segments = sample_journal(dir, false);
  segments[0].back() ^= std::byte{1};
  const JournalStatus status = read_all(segments).status;
  EXPECT_TRUE(status == JournalStatus::torn || status == JournalStatus::corrupt);
}

TEST(JournalDamage, ARecordMovedRepeatedOrRemovedIsFound) {
  const TempDir dir;
  const Segments whole = sample_journal(dir, true);
  const auto first = whole[0].begin() + sizeof(SegmentHeader) + event_record;
  const auto second = first + event_record;
  Segments swapped = whole;
  std::copy(second, second + event_record,
            swapped[0].begin() + sizeof(SegmentHeader) + event_record);
  EXPECT_NE(read_all(swapped).status, JournalStatus::end);
  Segments removed = whole;
  const auto at = removed[0].begin() + sizeof(SegmentHeader) + event_record;
  removed[0].erase(at, at + event_record);
  EXPECT_EQ(read_all(removed).status, JournalStatus::corrupt);
  EXPECT_EQ(read_all(removed).error, "record is not in its place");
}

Segments rotated_journal(const TempDir& dir, std::uint32_t epoch) {
  JournalConfig config = small_journal(dir);
  config.segment_bytes = 4096;
  JournalWriter writer{config, {epoch, 0, 0}, nullptr};
  if (!writer.open()) return {};
  const Event boot = boot_event(1, epoch);
  if (!writer.append(&boot, 1)) return {};
  for (std::uint64_t seq = 2; seq < 200; ++seq) {
    const Event trade = trade_event(seq, static_cast<std::int64_t>(seq));
    if (!writer.append(&trade, 1)) return {};
  }
  if (!writer.close()) return {};
  Segments segments;
  if (!test::load_journal(dir.path(), segments, epoch)) return {};
  return segments;
}

TEST(JournalDamage, AMissingSwappedOrForeignSegmentIsCorruption) {
  const TempDir dir, other;
  const Segments whole = rotated_journal(dir, 3);
  const Segments foreign = rotated_journal(other, 4);
  ASSERT_GE(whole.size(), 4u);
  Segments segments = whole;
  segments.pop_back();
  EXPECT_EQ(read_all(segments).status, JournalStatus::corrupt);
  EXPECT_EQ(read_all(segments).error, "the next segment is missing");
  segments = whole;
  segments.erase(segments.begin());
  EXPECT_EQ(read_all(segments).status, JournalStatus::corrupt);
  segments = whole;
  std::swap(segments[1], segments[2]);
  EXPECT_EQ(read_all(segments).status, JournalStatus::corrupt);
  segments = whole;
  segments[1] = foreign[1];
  EXPECT_EQ(read_all(segments).status, JournalStatus::corrupt);
  segments = whole;
  segments[1].resize(segments[1].size() - 32);  // its end record
  EXPECT_EQ(read_all(segments).status, JournalStatus::corrupt);
  segments = whole;
  segments.push_back(whole[0]);
  EXPECT_EQ(read_all(segments).status, JournalStatus::corrupt);
}

// Puts correct checksums on a changed record: only the meaning is wrong.
void reseal(std::vector<std::byte>& segment, std::size_t record) {
  SegmentHeader header;
  std::memcpy(static_cast<void*>(&header), segment.data(), sizeof header);
  RecordHead head;
  std::memcpy(static_cast<void*>(&head), segment.data() + record, sizeof head);
  head.crc = crc32c(segment.data() + record + 4, sizeof head - 4 + padded(head.bytes), header.crc);
  std::memcpy(segment.data() + record, &head.crc, sizeof head.crc);
}

TEST(JournalDamage, AForgedEventWithAGoodChecksumIsStillChecked) {
  const TempDir dir;
  const Segments whole = sample_journal(dir, true);
  const std::size_t record = sizeof(SegmentHeader) + event_record;
  const auto forged = [&](auto change) {
    Segments segments = whole;
    Event event;
    std::memcpy(static_cast<void*>(&event), segments[0].data() + record + sizeof(RecordHead),
                sizeof event);
    change(event);
    std::memcpy(segments[0].data() + record + sizeof(RecordHead), &event, sizeof event);
    reseal(segments[0], record);
    return read_all(segments);
  };
  EXPECT_EQ(forged([](Event&) {}).status, JournalStatus::end);
  EXPECT_EQ(forged([](Event& e) { e.set_seq(Seq{9}); }).error, "sequence number out of order");
  EXPECT_EQ(forged([](Event& e) { e.set_kind(static_cast<EventKind>(200)); }).error,
            "event of an unknown kind");
  EXPECT_EQ(forged([](Event& e) { e.part = 0x21; }).error, "parts of a unit are out of order");
  EXPECT_EQ(forged([](Event& e) { e.part = 0; }).error, "parts of a unit are out of order");
  EXPECT_EQ(forged([](Event& e) { e.part = 0xFF; }).error, "parts of a unit are out of order");
}

TEST(JournalDamage, AFirstEventThatIsNotBootIsCorruption) {
  const TempDir dir;
  Segments segments = sample_journal(dir, true);
  const std::size_t record = sizeof(SegmentHeader);
  Event event = trade_event(1, 1);
  std::memcpy(segments[0].data() + record + sizeof(RecordHead), &event, sizeof event);
  reseal(segments[0], record);
  EXPECT_EQ(read_all(segments).status, JournalStatus::corrupt);
  EXPECT_EQ(read_all(segments).error, "first record is not Boot");
}

TEST(JournalDamage, RandomBytesNeverReadAsAJournal) {
  std::mt19937 random{5};
  for (int i = 0; i < 200; ++i) {
    Segments segments(1 + random() % 3);
    for (auto& s : segments) {
      s.resize(random() % 2000);
      for (auto& b : s) b = static_cast<std::byte>(random());
    }
    const Reading reading = read_all(segments);
    EXPECT_EQ(reading.records.size(), 0u);
    EXPECT_EQ(reading.status, JournalStatus::corrupt);
  }
  EXPECT_EQ(read_all({}).status, JournalStatus::corrupt);
}

}  // namespace
}  // namespace gimbal
