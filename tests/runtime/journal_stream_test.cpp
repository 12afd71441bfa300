// A journal read from its files a window at a time is what it is in memory, damaged or not, and
// takes no more memory for being long.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>

#include "engine/runtime/crc32c.hpp"
#include "engine/runtime/journal.hpp"
#include "engine/runtime/journal_files.hpp"
#include "engine/runtime/journal_segments.hpp"
#include "tests/runtime/journal_builder.hpp"
#include "tests/support/load_journal.hpp"

namespace gimbal {
namespace {

using namespace gimbal::test;
using Segments = std::vector<std::vector<std::byte>>;

// Everything that a reader says of a journal.
struct Told {
  JournalStatus status{JournalStatus::record};
  std::uint64_t records{0};
  std::uint32_t contents{0};
  std::uint64_t blocks{0};
  std::uint64_t bytes{0};
  Sha256Digest chain{};
  std::string place{};
  bool operator==(const Told&) const = default;
};

Told told_by(JournalReader& reader) {
  Told told;
  JournalRecord record;
  while ((told.status = reader.next(record)) == JournalStatus::record) {
    ++told.records;
    if (record.type != RecordType::event) continue;
    told.contents = crc32c(&record.event, sizeof record.event, told.contents);
  }
  told.blocks = reader.blocks();
  told.chain = reader.chain();
  told.bytes = reader.bytes();
  told.place = reader.place_of_error();
  return told;
}

Told from_memory(const TempDir& dir) {
  Segments segments;
  if (!test::load_segments(dir.path(), journal_stream, 0, segments)) return {};
  JournalReader reader{views(segments)};
  return told_by(reader);
}

Told from_files(const TempDir& dir) {
  JournalSegments segments;
  if (!JournalSegments::find(dir.path(), journal_stream, 0, segments)) return {};
  JournalReader reader{segments};
  return told_by(reader);
}

// Tickers of three parts, so that a unit lies across the end of a window here and there.
void write_long(const TempDir& dir, std::uint64_t units, std::uint64_t segment_bytes) {
  JournalConfig config = small_journal(dir);
  config.ring_records = 8192;
  config.segment_bytes = segment_bytes;
  config.reserve_bytes = 0;
  config.sync_interval = seconds(3600);
  JournalWriter writer{config, {3, 0, 0}, nullptr};
  ASSERT_TRUE(writer.open());
  const Event boot = boot_event();
  ASSERT_TRUE(writer.append(&boot, 1));
  std::uint64_t seq = 2;
  for (std::uint64_t i = 0; i < units; ++i, seq += 3) {
    const auto unit = ticker_unit(seq, static_cast<std::int64_t>(i));
    ASSERT_TRUE(writer.append(unit.data(), unit.size()));
    if (i % 512 == 0) writer.drain();
  }
  ASSERT_TRUE(writer.close());
}

std::string first_file(const TempDir& dir) {
  return list_segments(dir.path(), journal_stream).front().path;
}

std::vector<char> read_bytes(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

void write_bytes(const std::string& path, const std::vector<char>& bytes) {
  std::ofstream{path, std::ios::binary}.write(bytes.data(),
                                              static_cast<std::streamsize>(bytes.size()));
}

TEST(JournalStream, SeveralSegmentsReadFromTheirFilesLikeInMemoryPlainAndPacked) {
  const TempDir dir;
  ASSERT_NO_FATAL_FAILURE(write_long(dir, 12'000, 1u << 20));
  const Told plain = from_memory(dir);
  ASSERT_EQ(plain.status, JournalStatus::end);
  ASSERT_EQ(plain.records, 36'001u);
  ASSERT_GE(list_segments(dir.path(), journal_stream).size(), 3u);
  EXPECT_EQ(from_files(dir), plain);
  for (const auto& file : list_segments(dir.path(), journal_stream)) {
    ASSERT_TRUE(pack_segment(file.path));
  }
  EXPECT_EQ(from_files(dir), plain);
}

TEST(JournalStream, DamageAnywhereIsJudgedFromFilesAsInMemory) {
  const TempDir dir;
  ASSERT_NO_FATAL_FAILURE(write_long(dir, 5'000, 16u << 20));
  const std::string path = first_file(dir);
  const std::vector<char> whole = read_bytes(path);
  ASSERT_GT(whole.size(), 4 * SegmentWindow::chunk_bytes);
  std::mt19937 random{7};
  std::vector<std::size_t> places;
  for (std::size_t at = 1; at < whole.size() / SegmentWindow::chunk_bytes; ++at) {
    const std::size_t edge = at * SegmentWindow::chunk_bytes;
    places.insert(places.end(), {edge - 4097, edge - 4096, edge - 80, edge - 1, edge, edge + 3});
  }
  for (int i = 0; i < 20; ++i) places.push_back(random() % whole.size());
  for (const std::size_t at : places) {
    std::vector<char> changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 8);
    write_bytes(path, changed);
    const Told flipped = from_memory(dir);
    EXPECT_EQ(from_files(dir), flipped) << "flipped at " << at;
    changed = whole;
    changed.resize(at);
    write_bytes(path, changed);
    EXPECT_EQ(from_files(dir), from_memory(dir)) << "cut at " << at;
    changed.resize(whole.size() + 3 * SegmentWindow::chunk_bytes, '\0');
    write_bytes(path, changed);
    const Told zeros = from_memory(dir);
    EXPECT_EQ(from_files(dir), zeros) << "zeros from " << at;
    EXPECT_NE(zeros.status, JournalStatus::end);
  }
}

TEST(JournalStream, DamageInAPackedSegmentIsFoundWhereItIs) {
  const TempDir dir;
  ASSERT_NO_FATAL_FAILURE(write_long(dir, 5'000, 16u << 20));
  const std::string path = first_file(dir);
  std::vector<char> bytes = read_bytes(path);
  bytes[bytes.size() / 2] ^= 1;
  write_bytes(path, bytes);
  const Told plain = from_memory(dir);
  ASSERT_EQ(plain.status, JournalStatus::corrupt);
  ASSERT_TRUE(pack_segment(path));
  EXPECT_EQ(from_files(dir), plain);
  // The packing itself.
  const std::string packed = path + ".zst";
  std::filesystem::resize_file(packed, std::filesystem::file_size(packed) / 3);
  const Told cut = from_files(dir);
  EXPECT_EQ(cut.status, JournalStatus::corrupt);
  EXPECT_GT(cut.records, 0u) << "what was unpacked before is sound";
  EXPECT_NE(cut.place.find("cannot unpack " + packed), std::string::npos) << cut.place;
  std::ofstream{packed, std::ios::binary} << "no zstd at all";
  EXPECT_NE(from_files(dir).place.find("not a packed segment"), std::string::npos);
  std::filesystem::remove(packed);
  std::filesystem::create_directory(path);
  EXPECT_NE(from_files(dir).place.find("not a file"), std::string::npos);
}

TEST(JournalStream, ASegmentThatIsPackedWhileItsJournalIsReadIsStillRead) {
  const TempDir dir;
  ASSERT_NO_FATAL_FAILURE(write_long(dir, 12'000, 1u << 20));
  const Told plain = from_files(dir);
  JournalSegments segments;
  ASSERT_TRUE(JournalSegments::find(dir.path(), journal_stream, 0, segments));
  JournalReader reader{segments};
  JournalRecord record;
  ASSERT_EQ(reader.next(record), JournalStatus::record);
  for (const auto& file : list_segments(dir.path(), journal_stream)) {
    ASSERT_TRUE(pack_segment(file.path));
  }
  EXPECT_EQ(told_by(reader).records, plain.records - 1);
  EXPECT_EQ(reader.chain(), plain.chain);
}

// Two trades change places with their checksums right: only the chain knows.
TEST(JournalStream, TheChainIsCheckedByAnotherThreadOverTheSameBytes) {
  const TempDir dir;
  ASSERT_NO_FATAL_FAILURE(write_long(dir, 5'000, 16u << 20));
  const auto damage = [&dir] {
    JournalSegments segments;
    ChainHasher hasher;
    EXPECT_TRUE(JournalSegments::find(dir.path(), journal_stream, 0, segments));
    JournalReader reader{segments};
    reader.chain_by(hasher);
    EXPECT_EQ(told_by(reader).status, JournalStatus::end);
    hasher.finish();
    return hasher.damage();
  };
  EXPECT_EQ(damage(), "");
  const std::string path = first_file(dir);
  std::vector<char> bytes = read_bytes(path);
  constexpr std::size_t record_bytes = sizeof(RecordHead) + sizeof(Event);
  SegmentHeader header;
  std::memcpy(static_cast<void*>(&header), bytes.data(), sizeof header);
  char* const body = bytes.data() + sizeof header + 7 * record_bytes + sizeof(RecordHead);
  body[sizeof(Event) - 1] ^= 1;  // of the payload
  char* const record = body - sizeof(RecordHead);
  const std::uint32_t crc = crc32c(record + 4, record_bytes - 4, header.crc);
  std::memcpy(record, &crc, sizeof crc);
  write_bytes(path, bytes);
  EXPECT_EQ(from_files(dir).status, JournalStatus::corrupt);
  EXPECT_EQ(damage(), from_files(dir).place);
}

#if !defined(GIMBAL_SANITIZED)  // its allocator keeps what was freed
std::int64_t peak_kib() {
  std::ifstream in{"/proc/self/status"};
  std::string word;
  std::int64_t kib = 0;
  while (in >> word) {
    if (word == "VmHWM:") in >> kib;
  }
  return kib;
}

TEST(JournalStream, AJournalOf40MiBTakesLessThan12MoreToReadAndToPack) {
  const TempDir dir;
  ASSERT_NO_FATAL_FAILURE(write_long(dir, 180'000, 256u << 20));
  for (const bool packed : {false, true}) {
    SCOPED_TRACE(packed ? "packed" : "plain");
    JournalSegments segments;
    ASSERT_TRUE(JournalSegments::find(dir.path(), journal_stream, 0, segments));
    if (!(std::ofstream{"/proc/self/clear_refs"} << 5).flush()) GTEST_SKIP() << "no peak to reset";
    const std::int64_t before = peak_kib();
    ChainHasher hasher;
    JournalReader reader{segments};
    reader.chain_by(hasher);
    const Told told = told_by(reader);
    hasher.finish();
    EXPECT_EQ(told.status, JournalStatus::end) << told.place;
    EXPECT_GT(told.bytes, 40u << 20);
    EXPECT_EQ(hasher.damage(), "");
    EXPECT_LT(peak_kib() - before, 12 << 10);
    if (packed) continue;
    ASSERT_TRUE((std::ofstream{"/proc/self/clear_refs"} << 5).flush());
    const std::int64_t before_packing = peak_kib();
    ASSERT_TRUE(pack_segment(first_file(dir)));
    EXPECT_LT(peak_kib() - before_packing, 12 << 10);
  }
}
#endif

}  // namespace
}  // namespace gimbal
