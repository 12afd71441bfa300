// The end of a journal, from one event on.
#include "engine/runtime/journal_tail.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "engine/runtime/journal.hpp"
#include "engine/runtime/journal_files.hpp"
#include "tests/runtime/temp_dir.hpp"

namespace gimbal {
namespace {

constexpr std::uint32_t boot_told = 7;

// Boot and fills of three records each.
std::vector<Event> many_events() {
  std::vector<Event> events;
  std::uint64_t seq = 0;
  const auto add = [&](EventKind kind, const auto& payload) {
    std::array<Event, event_parts_max> unit;
    const std::size_t parts =
        write_parts(make_event(kind, VenueId{0}, InstrumentId{3}, RecvTime{1000}, {}, payload),
                    payload, unit.data());
    for (std::size_t i = 0; i < parts; ++i) {
      unit[i].set_seq({++seq});
      events.push_back(unit[i]);
    }
  };
  Boot b;
  b.epoch = boot_told;
  add(EventKind::boot, b);
  for (std::uint64_t n = 1; n <= 400; ++n) {
    Fill f;
    f.trade = TradeId{1, n};
    add(EventKind::fill, f);
  }
  return events;
}

struct Written {
  test::TempDir dir;
  std::vector<Event> events;

  explicit Written(std::uint64_t segment_bytes) {
    events = many_events();
    JournalConfig config;
    config.directory = dir.path();
    config.segment_bytes = segment_bytes;
    config.reserve_bytes = 64 * 1024;
    config.sync_interval = seconds(1000);
    JournalWriter writer{config, {boot_told, 1, 1}, nullptr};
    EXPECT_TRUE(writer.open());
    for (std::size_t n = 0; n < events.size(); n += events[n].part_count()) {
      EXPECT_TRUE(writer.append(&events[n], events[n].part_count()));
      writer.drain();
    }
    EXPECT_TRUE(writer.close());
  }
  TailResult read(std::uint64_t after, std::vector<Event>& told, TailLimits limits = {}) const {
    told.clear();
    limits.time_max = seconds(60);
    return read_tail(dir.path(), boot_told, Seq{after}, limits,
                     [&](const Event& e) { told.push_back(e); });
  }
};

TEST(JournalTail, TellsEveryEventBehindThePlaceOverSegments) {
  const Written w{32 * 1024};
  ASSERT_GT(list_segments(w.dir.path(), journal_stream).size(), 2U);
  std::vector<Event> told;
  for (std::size_t after = 0; after <= w.events.size(); after += 37) {
    const TailResult r = w.read(after, told);
    EXPECT_TRUE(r.whole) << r.why;
    ASSERT_EQ(told.size(), w.events.size() - after);
    EXPECT_EQ(std::memcmp(told.data(), w.events.data() + after, told.size() * sizeof(Event)), 0);
  }
}

TEST(JournalTail, AJournalCutAnywhereTellsWhatIsSoundBeforeIt) {
  const Written w{1 << 20};
  const std::string path = list_segments(w.dir.path(), journal_stream).at(0).path;
  std::string bytes;
  {
    std::ifstream in{path, std::ios::binary};
    bytes.assign(std::istreambuf_iterator<char>{in}, {});
  }
  std::vector<Event> told;
  std::size_t before = 0;
  for (std::size_t cut = 0; cut < bytes.size(); cut += 211) {
    std::string torn = bytes.substr(0, cut);
    if (cut % 2 == 0) torn.resize(bytes.size(), '\x5a');
    std::ofstream{path, std::ios::binary} << torn;
    (void)w.read(10, told);
    ASSERT_LE(told.size(), w.events.size() - 10);
    ASSERT_GE(told.size(), before) << cut;
    before = told.size();
    if (told.empty()) continue;
    ASSERT_EQ(std::memcmp(told.data(), w.events.data() + 10, told.size() * sizeof(Event)), 0);
  }
  EXPECT_GT(before, w.events.size() / 2);
}

TEST(JournalTail, ItsLimitsEndItAndItSaysSo) {
  const Written w{1 << 20};
  std::vector<Event> told;
  TailLimits limits;
  limits.bytes_max = 100 * 80;
  const TailResult r = w.read(0, told, limits);
  EXPECT_FALSE(r.whole);
  EXPECT_NE(r.why.find("longer than is read"), std::string::npos) << r.why;
  EXPECT_LE(told.size(), 101U);
  EXPECT_GT(told.size(), 90U);
}

TEST(JournalTail, AMissingJournalSaysSoAndTellsNothing) {
  test::TempDir dir;
  std::vector<Event> told;
  const TailResult r = read_tail(dir.path(), boot_told, Seq{0}, TailLimits{},
                                 [&](const Event& e) { told.push_back(e); });
  EXPECT_FALSE(r.whole);
  EXPECT_FALSE(r.why.empty());
  EXPECT_TRUE(told.empty());
}

TEST(JournalTail, AMissingSegmentEndsItBeforeTheGap) {
  const Written w{32 * 1024};
  const auto segments = list_segments(w.dir.path(), journal_stream);
  std::filesystem::remove(segments.at(1).path);
  std::vector<Event> told;
  const TailResult r = w.read(0, told);
  EXPECT_FALSE(r.whole);
  ASSERT_FALSE(told.empty());
  EXPECT_LT(told.size(), w.events.size());
  EXPECT_EQ(std::memcmp(told.data(), w.events.data(), told.size() * sizeof(Event)), 0);
}

}  // namespace
}  // namespace gimbal
