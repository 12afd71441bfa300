// The SHA-256 chain over the journal's blocks, its reserve for a full disk, older versions of the
// format, and the files around it.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "engine/runtime/clock.hpp"
#include "engine/runtime/crc32c.hpp"
#include "engine/runtime/journal.hpp"
#include "engine/runtime/journal_files.hpp"
#include "tests/runtime/journal_builder.hpp"
#include "tests/support/load_journal.hpp"

namespace gimbal {
namespace {

using namespace gimbal::test;
using Segments = std::vector<std::vector<std::byte>>;

JournalConfig large_journal(const TempDir& dir) {
  JournalConfig config = small_journal(dir);
  config.ring_records = 8192;
  config.segment_bytes = 256 * 1024;
  return config;
}

// `trades` trades behind the Boot event.
bool write_trades(JournalWriter& writer, std::uint64_t trades, std::uint64_t from = 2) {
  for (std::uint64_t seq = from; seq < from + trades; ++seq) {
    const Event trade = trade_event(seq, static_cast<std::int64_t>(seq));
    if (!writer.append(&trade, 1)) return false;
    if (seq % 512 == 0) writer.drain();
  }
  writer.drain();
  return true;
}

Segments sealed_journal(const TempDir& dir, std::uint64_t trades) {
  JournalWriter writer{large_journal(dir), {3, 0, 0}, nullptr};
  const Event boot = boot_event();
  if (!writer.open() || !writer.append(&boot, 1)) return {};
  if (!write_trades(writer, trades) || !writer.close()) return {};
  Segments segments;
  if (!test::load_journal(dir.path(), segments)) return {};
  return segments;
}

TEST(JournalSeal, EveryBlockIsSealedAndTheChainRunsThroughTheSegments) {
  const TempDir dir;
  JournalWriter writer{large_journal(dir), {3, 0, 0}, nullptr};
  ASSERT_TRUE(writer.open());
  const Event boot = boot_event();
  ASSERT_TRUE(writer.append(&boot, 1));
  ASSERT_TRUE(write_trades(writer, 10'000));
  ASSERT_TRUE(writer.close());
  Segments segments;
  ASSERT_TRUE(test::load_journal(dir.path(), segments));
  ASSERT_GE(segments.size(), 3u);
  JournalReader reader{views(segments)};
  JournalRecord record;
  std::uint64_t events = 0;
  JournalStatus status;
  while ((status = reader.next(record)) == JournalStatus::record) ++events;
  EXPECT_EQ(status, JournalStatus::end) << reader.error();
  EXPECT_EQ(events, 10'001u);
  EXPECT_GE(reader.blocks(), 10'000u * 80 / seal_bytes);
  EXPECT_EQ(reader.chain(), writer.chain());
  EXPECT_NE(reader.chain(), Sha256Digest{});
}

// Gives the changed record and everything that depends on it correct checksums again; only the
// chain remembers.
void reseal_record(std::vector<std::byte>& segment, std::size_t record) {
  SegmentHeader header;
  std::memcpy(static_cast<void*>(&header), segment.data(), sizeof header);
  RecordHead head;
  std::memcpy(static_cast<void*>(&head), segment.data() + record, sizeof head);
  head.crc = crc32c(segment.data() + record + 4, sizeof head - 4 + padded(head.bytes), header.crc);
  std::memcpy(segment.data() + record, &head.crc, sizeof head.crc);
}

TEST(JournalSeal, ARecordChangedTogetherWithItsChecksumIsFoundByTheNextSeal) {
  const TempDir dir;
  Segments segments = sealed_journal(dir, 3000);
  const std::size_t record = sizeof(SegmentHeader) + 100 * (sizeof(RecordHead) + sizeof(Event));
  segments[0][record + sizeof(RecordHead) + 32] ^= std::byte{1};  // the price of a trade
  reseal_record(segments[0], record);
  const Reading reading = read_all(segments);
  EXPECT_EQ(reading.status, JournalStatus::corrupt);
  EXPECT_EQ(reading.error, "seal differs: a record of block 0 was changed");
}

TEST(JournalSeal, EveryFlippedBitOfTheLastFourKibibytesIsFound) {
  const TempDir dir;
  const Segments whole = sealed_journal(dir, 80);
  ASSERT_EQ(read_all(whole).status, JournalStatus::end);
  const std::size_t bytes = whole.back().size();
  ASSERT_GT(bytes, 4096u);
  std::size_t found = 0;
  for (std::size_t bit = (bytes - 4096) * 8; bit < bytes * 8; ++bit) {
    Segments segments = whole;
    segments.back()[bit / 8] ^= static_cast<std::byte>(1 << (bit % 8));
    const JournalStatus status = read_all(segments).status;
    if (status == JournalStatus::torn || status == JournalStatus::corrupt) ++found;
  }
  EXPECT_EQ(found, 4096u * 8);
}

// A limit on the size of files stands for a full disk: writes past it fail.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    old_handler_ = std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old_);
    const rlimit limit{bytes, old_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &old_);
    std::signal(SIGXFSZ, old_handler_);
  }

 private:
  rlimit old_{};
  void (*old_handler_)(int){nullptr};
};

Event fill_event(std::uint64_t seq) {
  OrderDone done;
  Event e =
      make_event(EventKind::order_done, VenueId{}, InstrumentId{2}, RecvTime{5}, ExchTime{6}, done);
  e.set_seq(Seq{seq});
  return e;
}

TEST(JournalReserve, ADiskThatIsFullInTheMiddleOfASegmentLosesNothingThatWasTaken) {
  const TempDir dir;
  JournalConfig config = large_journal(dir);
  config.segment_bytes = 1 << 20;
  config.reserve_bytes = 96 * 1024;
  JournalWriter writer{config, {3, 0, 0}, nullptr};
  ASSERT_TRUE(writer.open());
  const Event boot = boot_event();
  ASSERT_TRUE(writer.append(&boot, 1));
  std::uint64_t seq = 1;
  {
    const FileSizeLimit full{100 * 1024};
    while (!writer.degraded()) {
      ASSERT_LT(seq, 5000u);
      const Event trade = trade_event(++seq, 1);
      ASSERT_TRUE(writer.append(&trade, 1));
      if (seq % 100 == 0) writer.drain();
    }
    EXPECT_FALSE(writer.failed()) << writer.error();
    EXPECT_NE(writer.error().find("cannot write"), std::string::npos) << writer.error();
    const Event market = trade_event(++seq, 1);
    EXPECT_FALSE(writer.append(&market, 1)) << "market data has no place in the reserve";
    const Event fill = fill_event(++seq);
    EXPECT_TRUE(writer.append(&fill, 1));
    ASSERT_TRUE(writer.close()) << writer.error();
  }
  Segments segments;
  ASSERT_TRUE(test::load_journal(dir.path(), segments));
  ASSERT_EQ(segments.size(), 2u);
  const Reading reading = read_all(segments);
  EXPECT_EQ(reading.status, JournalStatus::end) << reading.error;
  // Boot, every trade taken, the gap of one, the fill.
  ASSERT_EQ(reading.records.size(), seq);
  EXPECT_EQ(reading.records[reading.records.size() - 2].type, RecordType::gap);
  EXPECT_EQ(reading.records.back().event.kind(), EventKind::order_done);
  EXPECT_EQ(reading.records.back().event.seq().value, seq);
}

TEST(JournalReserve, ASegmentThatCannotBeCreatedIsReplacedByTheReserve) {
  const TempDir dir;
  JournalConfig config = large_journal(dir);
  config.segment_bytes = 64 * 1024;
  config.reserve_bytes = 60 * 1024;
  JournalWriter writer{config, {3, 0, 0}, nullptr};
  ASSERT_TRUE(writer.open());
  const Event boot = boot_event();
  ASSERT_TRUE(writer.append(&boot, 1));
  // The name of segment 1 is taken: creating it fails.
  std::ofstream{dir.path() + "/journal-00000003-000001.gj"} << "not ours";
  ASSERT_TRUE(write_trades(writer, 820));
  EXPECT_TRUE(writer.degraded());
  EXPECT_NE(writer.error().find("000001.gj"), std::string::npos) << writer.error();
  const Event fill = fill_event(822);
  EXPECT_TRUE(writer.append(&fill, 1));
  ASSERT_TRUE(writer.close()) << writer.error();
}

TEST(JournalReserve, WithoutAReserveAFullDiskFailsTheJournal) {
  const TempDir dir;
  JournalConfig config = large_journal(dir);
  config.reserve_bytes = 0;
  config.segment_bytes = 64 * 1024;
  JournalWriter writer{config, {3, 0, 0}, nullptr};
  ASSERT_TRUE(writer.open());
  const Event boot = boot_event();
  ASSERT_TRUE(writer.append(&boot, 1));
  std::ofstream{dir.path() + "/journal-00000003-000001.gj"} << "not ours";
  (void)write_trades(writer, 820);
  EXPECT_TRUE(writer.failed());
  EXPECT_FALSE(writer.close());
}

TEST(JournalReserve, MarketDataLeavesRoomInTheRingForPrivateEvents) {
  const TempDir dir;
  JournalConfig config = small_journal(dir);
  config.ring_records = 1024;
  JournalWriter writer{config, {3, 0, 0}, nullptr};
  ASSERT_TRUE(writer.open());
  const Event boot = boot_event();
  ASSERT_TRUE(writer.append(&boot, 1));
  std::uint64_t seq = 1;
  for (;;) {
    const Event trade = trade_event(seq + 1, 1);
    if (!writer.append(&trade, 1)) break;
    ++seq;
  }
  EXPECT_EQ(seq, 1024u - 1024 / 16);
  ++seq;                                               // the lost one
  for (std::uint64_t i = 0; i < 1024 / 16 - 1; ++i) {  // one slot takes the gap record
    const Event fill = fill_event(++seq);
    ASSERT_TRUE(writer.append(&fill, 1)) << i;
  }
  ASSERT_TRUE(writer.close());
  Segments segments;
  ASSERT_TRUE(test::load_journal(dir.path(), segments));
  EXPECT_EQ(read_all(segments).status, JournalStatus::end);
}

// --- files --------------------------------------------------------------------------------------

TEST(JournalFiles, APackedSegmentReadsLikeThePlainOne) {
  const TempDir dir;
  const Segments plain = sealed_journal(dir, 5000);
  const auto files = list_segments(dir.path(), journal_stream);
  ASSERT_GE(files.size(), 2u);
  for (const auto& file : files) ASSERT_TRUE(pack_segment(file.path));
  Segments packed;
  ASSERT_TRUE(test::load_journal(dir.path(), packed));
  EXPECT_EQ(packed, plain);
  EXPECT_EQ(read_all(packed).status, JournalStatus::end);
  for (const auto& file : list_segments(dir.path(), journal_stream)) EXPECT_TRUE(file.packed);
}

TEST(JournalFiles, DamagedPackingIsRefusedWithTheFilesName) {
  const TempDir dir;
  (void)sealed_journal(dir, 2000);
  const std::string path = list_segments(dir.path(), journal_stream).front().path;
  ASSERT_TRUE(pack_segment(path));
  const std::string packed = path + ".zst";
  std::filesystem::resize_file(packed, std::filesystem::file_size(packed) / 2);
  Segments segments;
  const Outcome refused = test::load_journal(dir.path(), segments);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().find(".zst"), std::string::npos) << refused.error();
  std::ofstream{packed, std::ios::binary} << "no zstd at all";
  EXPECT_FALSE(test::load_journal(dir.path(), segments));
}

TEST(JournalFiles, RetentionDeletesWholeBootsOldestFirstAndNeverTheRunningOne) {
  const TempDir dir;
  for (const std::uint32_t epoch : {1u, 2u, 3u}) {
    JournalWriter writer{large_journal(dir), {epoch, 0, 0}, nullptr};
    ASSERT_TRUE(writer.open());
    const Event boot = boot_event(1, epoch);
    ASSERT_TRUE(writer.append(&boot, 1));
    ASSERT_TRUE(write_trades(writer, 5000));
    ASSERT_TRUE(writer.close());
  }
  RetentionConfig config;
  config.pack = false;
  config.keep_bytes = 1;
  const std::int64_t now = wall_now().unix_ns;
  const RetentionResult result = tidy_segments(dir.path(), 3, config, now);
  EXPECT_TRUE(result.problems.empty());
  EXPECT_GE(result.deleted, 4u);
  for (const auto& file : list_segments(dir.path(), journal_stream)) EXPECT_EQ(file.epoch, 3u);
  EXPECT_FALSE(list_segments(dir.path(), journal_stream).empty());
}

TEST(JournalFiles, RetentionByAgeKeepsWhatIsYoung) {
  const TempDir dir;
  (void)sealed_journal(dir, 2000);
  RetentionConfig config;
  config.pack = false;
  config.keep = seconds(3600);
  const std::int64_t now = wall_now().unix_ns;
  EXPECT_EQ(tidy_segments(dir.path(), 9, config, now).deleted, 0u);
  EXPECT_GT(tidy_segments(dir.path(), 9, config, now + 2 * seconds(3600).count).deleted, 0u);
}

TEST(JournalFiles, PackingTakesClosedSegmentsOnly) {
  const TempDir dir;
  JournalWriter writer{large_journal(dir), {3, 0, 0}, nullptr};
  ASSERT_TRUE(writer.open());
  const Event boot = boot_event();
  ASSERT_TRUE(writer.append(&boot, 1));
  ASSERT_TRUE(write_trades(writer, 8000));  // segments 0, 1 and an open one
  const std::size_t segments = list_segments(dir.path(), journal_stream).size();
  ASSERT_GE(segments, 2u);
  std::uint32_t packed = 0;
  for (std::size_t i = 0; i < segments + 2; ++i) {
    packed += tidy_segments(dir.path(), 3, RetentionConfig{}, wall_now().unix_ns).packed;
  }
  EXPECT_EQ(packed, segments - 1);
  // The next one is there, the one at hand is not ended yet.
  const SegmentFile open = list_segments(dir.path(), journal_stream).back();
  std::string next = open.path;
  next.replace(next.rfind('-') + 1, 6, "000099");
  std::ofstream{next} << std::string(4096, '\0');
  ASSERT_EQ(list_segments(dir.path(), journal_stream).size(), segments + 1);
  EXPECT_EQ(tidy_segments(dir.path(), 3, RetentionConfig{}, wall_now().unix_ns).packed, 0u);
  std::filesystem::remove(next);
  ASSERT_TRUE(write_trades(writer, 10, 8002));
  ASSERT_TRUE(writer.close());
  Segments all;
  ASSERT_TRUE(test::load_journal(dir.path(), all));
  EXPECT_EQ(read_all(all).status, JournalStatus::end);
}

// --- versions -----------------------------------------------------------------------------------

// A version 1 segment: 80 bytes of header, no seals.
std::vector<std::byte> version_one(const std::vector<Event>& events) {
  std::vector<std::byte> out(header_bytes_v1);
  SegmentHeader header;
  header.version = 1;
  header.epoch = 3;
  header.header_bytes = header_bytes_v1;
  header.first_seq = 1;
  std::memcpy(out.data(), &header, 68);
  const std::uint32_t salt = crc32c(out.data(), header_bytes_v1 - 4);
  std::memcpy(out.data() + header_bytes_v1 - 4, &salt, 4);
  std::uint32_t ordinal = 0;
  const auto put = [&](RecordType type, const void* body, std::size_t bytes) {
    RecordHead head;
    head.type = type;
    head.bytes = static_cast<std::uint32_t>(bytes);
    head.ordinal = ++ordinal;
    std::vector<std::byte> record(sizeof head + padded(bytes));
    std::memcpy(record.data(), &head, sizeof head);
    std::memcpy(record.data() + sizeof head, body, bytes);
    head.crc = crc32c(record.data() + 4, record.size() - 4, salt);
    std::memcpy(record.data(), &head.crc, 4);
    out.insert(out.end(), record.begin(), record.end());
  };
  for (const Event& e : events) put(RecordType::event, &e, sizeof e);
  const EndRecord end{events.size() + 1, EndReason::closed, 0};
  put(RecordType::end, &end, sizeof end);
  return out;
}

TEST(JournalVersions, AVersionOneJournalIsStillRead) {
  const Segments segments{version_one({boot_event(), trade_event(2, 7)})};
  const Reading reading = read_all(segments);
  EXPECT_EQ(reading.status, JournalStatus::end) << reading.error;
  ASSERT_EQ(reading.records.size(), 2u);
  EXPECT_EQ(reading.records[1].event.as<Trade>().price.nano, 7);
}

TEST(JournalVersions, ANewerVersionIsRefusedByName) {
  const TempDir dir;
  Segments segments = sample_journal(dir, true);
  const std::uint32_t newer = journal_version + 1;
  std::memcpy(segments[0].data() + 8, &newer, sizeof newer);
  EXPECT_EQ(read_all(segments).error, "unknown journal format version");
}

TEST(JournalFiles, ABootNeverTakesTheNumberOfOneInTheDirectory) {
  const TempDir dir;
  EXPECT_EQ(epoch_after(dir.path()), 1u);
  EXPECT_EQ(epoch_after(dir.file("missing")), 1u);
  for (const char* name : {"journal-00000007-000000.gj", "journal-0000000b-000002.gj.zst",
                           "frames-0000000c-000000.gf", "journal-ffffffff-000000.gj", "notes"}) {
    std::ofstream{dir.file(name)} << "x";
  }
  EXPECT_EQ(epoch_after(dir.path()), 13u) << "names above every valid epoch are left out";
}

}  // namespace
}  // namespace gimbal
