// What a replay's reading thread hands to the decoders, against the reader itself. Room: tests.
#include "ops/app/frames_ahead.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <random>

#include "engine/runtime/crc32c.hpp"
#include "engine/runtime/journal_files.hpp"
#include "feeds/frame.hpp"
#include "tests/runtime/temp_dir.hpp"

namespace gimbal {
namespace {

using test::TempDir;

// Everything that comes of a stream of frames.
struct Heard {
  JournalStatus status{JournalStatus::record};
  std::uint64_t frames{0};
  std::uint64_t lost{0};
  std::uint32_t contents{0};
  std::uint64_t bytes{0};
  std::string place{};
  bool operator==(const Heard&) const = default;
};

template <class Reader>
Heard heard_from(Reader& reader) {
  Heard heard;
  JournalRecord record;
  while ((heard.status = reader.next(record)) == JournalStatus::record) {
    if (record.type == RecordType::gap) heard.lost += record.gap.records;
    if (record.type != RecordType::frame) continue;
    ++heard.frames;
    heard.contents = crc32c(&record.frame, sizeof record.frame, heard.contents);
    heard.contents = crc32c(record.bytes.data(), record.bytes.size(), heard.contents);
  }
  EXPECT_EQ(reader.next(record), heard.status) << "it stays so";
  heard.bytes = reader.bytes();
  heard.place = reader.place_of_error();
  return heard;
}

JournalSegments segments_of(const TempDir& dir) {
  JournalSegments segments;
  EXPECT_TRUE(JournalSegments::find(dir.path(), frame_stream, 0, segments));
  return segments;
}

Heard read_here(const TempDir& dir) {
  JournalReader reader{segments_of(dir), frame_stream};
  return heard_from(reader);
}

Heard read_ahead(const TempDir& dir) {
  FramesAhead reader{segments_of(dir)};
  ChainHasher chain;
  reader.chain_by(chain);
  const Heard heard = heard_from(reader);
  chain.finish();
  EXPECT_EQ(chain.damage(), "");
  return heard;
}

// Texts of none to 1,500 bytes, with one that no batch has room for and a gap among them.
void write_frames(const TempDir& dir, int count, std::uint64_t segment_bytes) {
  SegmentWriter out{SegmentConfig{dir.path(), segment_bytes, 0}, frame_stream, {3, 0, 0}};
  ASSERT_TRUE(out.open());
  std::mt19937 random{11};
  for (int i = 0; i < count; ++i) {
    FrameRecord frame;
    frame.recv_mono_ns = i;
    frame.slot = 1;
    const std::size_t bytes = i == count / 2 ? 600'000 : random() % 1500;
    const std::string text(bytes, static_cast<char>('a' + i % 26));
    out.put(RecordType::frame, 0, &frame, sizeof frame, text.data(), text.size());
    const GapRecord gap{0, 3};
    if (i == count / 3) out.put(RecordType::gap, 0, &gap, sizeof gap);
  }
  ASSERT_TRUE(out.close());
}

TEST(FramesAhead, GivesWhatTheReaderGivesOverSegmentsPlainAndPacked) {
  const TempDir dir;
  ASSERT_NO_FATAL_FAILURE(write_frames(dir, 9000, 2u << 20));
  const auto files = list_segments(dir.path(), frame_stream);
  ASSERT_GE(files.size(), 3u);
  const Heard plain = read_here(dir);
  ASSERT_EQ(plain.status, JournalStatus::end) << plain.place;
  EXPECT_EQ(plain.frames, 9000u);
  EXPECT_EQ(plain.lost, 3u);
  EXPECT_EQ(read_ahead(dir), plain);
  for (std::size_t i = 0; i + 1 < files.size(); ++i) ASSERT_TRUE(pack_segment(files[i].path));
  EXPECT_EQ(read_ahead(dir), plain);
}

TEST(FramesAhead, DamageComesBehindTheSameRecordInTheSameWords) {
  const TempDir dir;
  ASSERT_NO_FATAL_FAILURE(write_frames(dir, 3000, 16u << 20));
  const std::string path = list_segments(dir.path(), frame_stream).front().path;
  std::ifstream in{path, std::ios::binary};
  const std::string whole{std::istreambuf_iterator<char>{in}, {}};
  std::mt19937 random{7};
  for (int i = 0; i < 40; ++i) {
    const std::size_t at = random() % whole.size();
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 8);
    if (i % 2 == 1) changed.resize(at);
    std::ofstream{path, std::ios::binary} << changed;
    const Heard here = read_here(dir);
    ASSERT_NE(here.status, JournalStatus::end);
    EXPECT_EQ(read_ahead(dir), here) << (i % 2 == 1 ? "cut at " : "flipped at ") << at;
  }
}

TEST(FramesAhead, BehindEachTextThereIsRoomForAParserToReadOn) {
  const TempDir dir;
  ASSERT_NO_FATAL_FAILURE(write_frames(dir, 2000, 16u << 20));
  FramesAhead reader{segments_of(dir)};
  JournalRecord record;
  unsigned read = 0;
  while (reader.next(record) == JournalStatus::record) {
    if (record.type != RecordType::frame) continue;
    for (std::size_t i = 0; i < frame_padding; ++i) {
      read += static_cast<unsigned>(record.bytes.data()[record.bytes.size() + i]);
    }
  }
  EXPECT_GT(read, 0u);
}

TEST(FramesAhead, AReaderThatIsGivenUpEndsItsThread) {
  const TempDir dir;
  ASSERT_NO_FATAL_FAILURE(write_frames(dir, 9000, 16u << 20));
  { const FramesAhead never_begun{segments_of(dir)}; }
  FramesAhead reader{segments_of(dir)};
  JournalRecord record;
  ASSERT_EQ(reader.next(record), JournalStatus::record);
  EXPECT_EQ(record.frame.recv_mono_ns, 0);
}

}  // namespace
}  // namespace gimbal
