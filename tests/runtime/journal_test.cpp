#include "engine/runtime/journal.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <thread>

#include "tests/runtime/journal_builder.hpp"
#include "tests/support/load_journal.hpp"

namespace gimbal {
namespace {

using namespace gimbal::test;

TEST(Journal, GivesBackEveryEventInOrder) {
  const TempDir dir;
  const Reading reading = read_all(sample_journal(dir, true));
  EXPECT_EQ(reading.status, JournalStatus::end) << reading.error;
  ASSERT_EQ(reading.records.size(), 7u);
  EXPECT_EQ(reading.records[0].event.kind(), EventKind::boot);
  EXPECT_EQ(reading.records[0].event.as<Boot>().epoch, 3u);
  EXPECT_EQ(reading.records[2].event.as<Trade>().price.nano, 11);
  PartsBuffer<Ticker> ticker;
  EXPECT_FALSE(ticker.add(reading.records[3].event));
  EXPECT_FALSE(ticker.add(reading.records[4].event));
  EXPECT_TRUE(ticker.add(reading.records[5].event));
  EXPECT_EQ(ticker.value().mark.nano, 12);
  EXPECT_TRUE(reading.records[3].more);
  EXPECT_FALSE(reading.records[5].more);
  const Event last = trade_event(7, 13);
  EXPECT_EQ(std::memcmp(&reading.records[6].event, &last, sizeof last), 0);
}

TEST(Journal, WithoutACleanStopEndsOpenWithEverythingWritten) {
  const TempDir dir;
  const Reading reading = read_all(sample_journal(dir, false));
  EXPECT_EQ(reading.status, JournalStatus::open_end);
  EXPECT_EQ(reading.records.size(), 7u);
}

TEST(Journal, RefusesAFirstEventThatIsNotBoot) {
  const TempDir dir;
  JournalWriter writer{small_journal(dir), {1, 0, 0}, nullptr};
  ASSERT_TRUE(writer.open());
  const Event trade = trade_event(1, 1);
  EXPECT_FALSE(writer.append(&trade, 1));
  const Event boot = boot_event(2, 1);
  EXPECT_TRUE(writer.append(&boot, 1) || writer.lost_records() > 0);
}

TEST(Journal, NeverOverwritesAnExistingSegment) {
  const TempDir dir;
  JournalWriter first{small_journal(dir), {9, 0, 0}, nullptr};
  JournalWriter second{small_journal(dir), {9, 0, 0}, nullptr};
  ASSERT_TRUE(first.open());
  const Outcome refused = second.open();
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().find("journal-00000009-000000.gj"), std::string::npos);
}

TEST(Journal, RotatesBySizeAndReadsAcrossSegments) {
  const TempDir dir;
  JournalConfig config = small_journal(dir);
  config.segment_bytes = 4096;
  JournalWriter writer{config, {3, 0, 0}, nullptr};
  ASSERT_TRUE(writer.open());
  const Event boot = boot_event();
  ASSERT_TRUE(writer.append(&boot, 1));
  std::uint64_t seq = 1;
  for (int i = 0; i < 100; ++i) {
    const Event trade = trade_event(++seq, i);
    ASSERT_TRUE(writer.append(&trade, 1));
    const auto unit = ticker_unit(seq + 1, i);
    seq += unit.size();
    ASSERT_TRUE(writer.append(unit.data(), unit.size()));
    if (i % 7 == 0) writer.drain();
  }
  ASSERT_TRUE(writer.close());
  std::vector<std::vector<std::byte>> segments;
  ASSERT_TRUE(test::load_journal(dir.path(), segments));
  EXPECT_GT(segments.size(), 5u);
  const Reading reading = read_all(segments);
  EXPECT_EQ(reading.status, JournalStatus::end) << reading.error;
  EXPECT_EQ(reading.records.size(), 1u + 400u);
  EXPECT_EQ(writer.durable().value, seq);
}

TEST(Journal, WritesASideBlockBeforeItsEventAndLetsTheSlotGo) {
  const TempDir dir;
  SideBlockPool pool{2, 5000};
  JournalWriter writer{small_journal(dir), {3, 0, 0}, &pool};
  ASSERT_TRUE(writer.open());
  const Event boot = boot_event();
  ASSERT_TRUE(writer.append(&boot, 1));
  std::vector<std::byte> content(4321);
  for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<std::byte>(i * 7);
  const SideBlockRef ref = pool.publish(SideBlockKind::config, content, 1);
  ASSERT_TRUE(writer.append_side_block(ref));
  Event adopt =
      make_event(EventKind::config_change, VenueId{}, InstrumentId{}, RecvTime{}, ExchTime{}, ref);
  adopt.set_seq(Seq{2});
  ASSERT_TRUE(writer.append(&adopt, 1));
  ASSERT_TRUE(writer.close());
  EXPECT_EQ(pool.in_use(), 0u);
  std::vector<std::vector<std::byte>> segments;
  ASSERT_TRUE(test::load_journal(dir.path(), segments));
  JournalReader reader{views(segments)};
  JournalRecord record;
  ASSERT_EQ(reader.next(record), JournalStatus::record);
  ASSERT_EQ(reader.next(record), JournalStatus::record);
  ASSERT_EQ(record.type, RecordType::side_block);
  EXPECT_EQ(record.block.crc32c, ref.crc32c);
  EXPECT_TRUE(std::equal(record.bytes.begin(), record.bytes.end(), content.begin(), content.end()));
  ASSERT_EQ(reader.next(record), JournalStatus::record);
  EXPECT_EQ(record.event.kind(), EventKind::config_change);
  EXPECT_EQ(reader.next(record), JournalStatus::end);
}

TEST(Journal, ABlockThatIsGoneFailsTheJournalWithAReason) {
  const TempDir dir;
  SideBlockPool pool{1, 64};
  JournalWriter writer{small_journal(dir), {3, 0, 0}, &pool};
  ASSERT_TRUE(writer.open());
  const Event boot = boot_event();
  ASSERT_TRUE(writer.append(&boot, 1));
  SideBlockRef ref;
  ref.kind = SideBlockKind::config;
  ASSERT_TRUE(writer.append_side_block(ref));
  writer.drain();
  EXPECT_TRUE(writer.failed());
  EXPECT_NE(writer.error().find("slot 0"), std::string::npos);
  const Event trade = trade_event(2, 1);
  EXPECT_FALSE(writer.append(&trade, 1));
}

TEST(Journal, WhatDidNotFitIsRecordedAsAGap) {
  const TempDir dir;
  JournalConfig config = small_journal(dir);
  config.ring_records = 4;
  JournalWriter writer{config, {3, 0, 0}, nullptr};
  ASSERT_TRUE(writer.open());
  const Event boot = boot_event();
  ASSERT_TRUE(writer.append(&boot, 1));
  std::uint64_t seq = 1;
  int refused = 0;
  for (int i = 0; i < 6; ++i) {
    const Event trade = trade_event(++seq, i);
    if (!writer.append(&trade, 1)) ++refused;
  }
  EXPECT_EQ(refused, 3);
  EXPECT_EQ(writer.lost_records(), 3u);
  writer.drain();
  const Event after = trade_event(++seq, 99);
  EXPECT_TRUE(writer.append(&after, 1));
  ASSERT_TRUE(writer.close());
  std::vector<std::vector<std::byte>> segments;
  ASSERT_TRUE(test::load_journal(dir.path(), segments));
  const Reading reading = read_all(segments);
  EXPECT_EQ(reading.status, JournalStatus::end) << reading.error;
  ASSERT_EQ(reading.records.size(), 6u);
  EXPECT_EQ(reading.records[4].type, RecordType::gap);
  EXPECT_EQ(reading.records[4].gap.first_seq, 5u);
  EXPECT_EQ(reading.records[4].gap.records, 3u);
  EXPECT_EQ(reading.records[5].event.seq().value, 8u);
}

TEST(Journal, ADigestBehindALossComesBehindItsGap) {
  const TempDir dir;
  JournalConfig config = small_journal(dir);
  config.ring_records = 4;
  JournalWriter writer{config, {3, 0, 0}, nullptr};
  ASSERT_TRUE(writer.open());
  const Event boot = boot_event();
  ASSERT_TRUE(writer.append(&boot, 1));
  std::uint64_t seq = 1;
  for (int i = 0; i < 6; ++i) {
    const Event trade = trade_event(++seq, i);
    (void)writer.append(&trade, 1);
  }
  EXPECT_FALSE(writer.append_digest({seq, 0xD, 1, 0})) << "nor is there room for it";
  writer.drain();
  EXPECT_TRUE(writer.append_digest({seq, 0xD, 1, 0}));
  ASSERT_TRUE(writer.close());
  std::vector<std::vector<std::byte>> segments;
  ASSERT_TRUE(test::load_journal(dir.path(), segments));
  const Reading reading = read_all(segments);
  EXPECT_EQ(reading.status, JournalStatus::end) << reading.error;
  ASSERT_EQ(reading.records.size(), 6u);
  EXPECT_EQ(reading.records[4].type, RecordType::gap);
  EXPECT_EQ(reading.records[4].gap.records, 3u);
  EXPECT_EQ(reading.records[5].type, RecordType::digest);
}

TEST(Journal, HotAndColdThreadsShareTheWriterCleanly) {
  const TempDir dir;
  JournalConfig config = small_journal(dir);
  config.sync_interval = milliseconds(5);
  config.segment_bytes = 256 * 1024;
  JournalWriter writer{config, {3, 0, 0}, nullptr};
  ASSERT_TRUE(writer.open());
  std::atomic<bool> stop{false};
  std::thread cold{[&] {
    while (!stop.load()) {
      if (writer.drain() == 0) std::this_thread::yield();
    }
  }};
  const Event boot = boot_event();
  ASSERT_TRUE(writer.append(&boot, 1));
  std::uint64_t seq = 1;
  for (int i = 0; i < 10'000; ++i) {
    const auto unit = ticker_unit(seq + 1, i);
    seq += unit.size();
    while (writer.backlog() > 900) std::this_thread::yield();
    ASSERT_TRUE(writer.append(unit.data(), unit.size()));
  }
  stop = true;
  cold.join();
  ASSERT_TRUE(writer.close());
  EXPECT_EQ(writer.lost_records(), 0u);
  std::vector<std::vector<std::byte>> segments;
  ASSERT_TRUE(test::load_journal(dir.path(), segments));
  const Reading reading = read_all(segments);
  EXPECT_EQ(reading.status, JournalStatus::end) << reading.error;
  EXPECT_EQ(reading.records.size(), 30'001u);
}

TEST(Journal, LoadsTheNewestEpochOfADirectoryOrTheOneAskedFor) {
  const TempDir dir;
  for (const std::uint32_t epoch : {2u, 11u, 7u}) {
    JournalWriter writer{small_journal(dir), {epoch, 0, 0}, nullptr};
    ASSERT_TRUE(writer.open());
    const Event boot = boot_event(1, epoch);
    ASSERT_TRUE(writer.append(&boot, 1));
    ASSERT_TRUE(writer.close());
  }
  std::vector<std::vector<std::byte>> segments;
  ASSERT_TRUE(test::load_journal(dir.path(), segments));
  EXPECT_EQ(read_all(segments).records.at(0).event.as<Boot>().epoch, 11u);
  ASSERT_TRUE(test::load_journal(dir.path(), segments, 7));
  EXPECT_EQ(read_all(segments).records.at(0).event.as<Boot>().epoch, 7u);
  ASSERT_TRUE(test::load_journal(dir.file("journal-00000002-000000.gj"), segments));
  EXPECT_EQ(read_all(segments).records.at(0).event.as<Boot>().epoch, 2u);
  EXPECT_FALSE(test::load_journal(dir.path(), segments, 99));
  EXPECT_FALSE(test::load_journal(dir.file("missing"), segments));
}

}  // namespace
}  // namespace gimbal
