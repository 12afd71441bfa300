// The end of a journal, from one event on.
#include "engine/runtime/journal_tail.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>

#include "engine/runtime/journal.hpp"
#include "engine/runtime/journal_files.hpp"
#include "tests/runtime/temp_dir.hpp"

namespace gimbal {
namespace {

constexpr std::uint32_t boot_told = 7;

// Boot and fills of three records each.
std::vector<Event> many_events(std::uint64_t fills) {
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
  for (std::uint64_t n = 1; n <= fills; ++n) {
    Fill f;
    f.trade = TradeId{1, n};
    add(EventKind::fill, f);
  }
  return events;
}

struct Written {
  test::TempDir dir;
  std::vector<Event> events;
  std::map<std::uint64_t, JournalPlace> places;  // by the event that was drained last

  explicit Written(std::uint64_t segment_bytes, std::uint64_t fills = 400) {
    write(segment_bytes, many_events(fills), 65536);
  }
  Written(std::vector<Event> of, std::size_t ring, std::size_t undrained = 0) {
    write(1 << 20, std::move(of), ring, undrained);
  }
  // The first `undrained` events wait in the ring together, as far as it has room.
  void write(std::uint64_t segment_bytes, std::vector<Event> of, std::size_t ring,
             std::size_t undrained = 0) {
    events = std::move(of);
    JournalConfig config;
    config.directory = dir.path();
    config.segment_bytes = segment_bytes;
    config.reserve_bytes = 64 * 1024;
    config.sync_interval = seconds(1000);
    config.ring_records = ring;
    JournalWriter writer{config, {boot_told, 1, 1}, nullptr};
    EXPECT_TRUE(writer.open());
    for (std::size_t n = 0; n < events.size(); n += events[n].part_count()) {
      if (n == undrained) writer.drain();
      const bool kept = writer.append(&events[n], events[n].part_count());
      EXPECT_TRUE(kept || n < undrained);
      if (n < undrained) continue;
      writer.drain();
      const Seq last{events[n].seq().value + events[n].part_count() - 1};
      places[last.value] = writer.place_behind(last);
    }
    EXPECT_TRUE(writer.close());
    places[events.size()] = writer.place_behind(Seq{events.size()});
  }
  [[nodiscard]] TailPlace place(std::uint64_t after) const {
    return {Seq{after}, places.at(after)};
  }
  // Of the fill that ends nearest to `event`.
  [[nodiscard]] std::uint64_t near(std::uint64_t event) const { return 1 + (event - 1) / 3 * 3; }
  [[nodiscard]] TailResult read(const TailPlace& from, std::vector<Event>& told,
                                const TailLimits& limits) const {
    told.clear();
    TailTold tell;
    tell.event = [&](const Event& e) { told.push_back(e); };
    return read_tail(dir.path(), boot_told, from, limits, tell);
  }
  // Without a place, and with all the time it takes.
  [[nodiscard]] TailResult read(std::uint64_t after, std::vector<Event>& told) const {
    return read({Seq{after}, {}}, told, patient());
  }
  [[nodiscard]] static TailLimits patient() {
    TailLimits limits;
    limits.time_max = limits.search_max = seconds(60);
    return limits;
  }
  [[nodiscard]] bool told_behind(std::uint64_t after, const std::vector<Event>& told) const {
    if (told.size() != events.size() - after) return false;
    return told.empty() ||
           std::memcmp(told.data(), events.data() + after, told.size() * sizeof(Event)) == 0;
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
  TailLimits limits = Written::patient();
  limits.bytes_max = 100 * 80;
  const TailResult r = w.read({}, told, limits);
  EXPECT_FALSE(r.whole);
  EXPECT_NE(r.why.find("longer than is read"), std::string::npos) << r.why;
  EXPECT_LE(told.size(), 101U);
  EXPECT_GT(told.size(), 90U);
}

TEST(JournalTail, AMissingJournalSaysSoAndTellsNothing) {
  test::TempDir dir;
  std::vector<Event> told;
  TailTold tell;
  tell.event = [&](const Event& e) { told.push_back(e); };
  const TailResult r = read_tail(dir.path(), boot_told, {}, TailLimits{}, tell);
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

TEST(JournalTail, APlaceIsGoneToWithoutReadingWhatIsBeforeIt) {
  const Written w{32 * 1024};
  ASSERT_GT(list_segments(w.dir.path(), journal_stream).size(), 2U);
  std::vector<Event> told;
  for (const auto& [after, at] : w.places) {
    ASSERT_TRUE(at.known());
    const TailResult r = w.read(w.place(after), told, TailLimits{});
    ASSERT_TRUE(r.whole) << after << ": " << r.why;
    ASSERT_TRUE(w.told_behind(after, told)) << after;
    ASSERT_EQ(r.searched, 0U) << after;
  }
}

// The limits as they are: what is before the place costs the tail nothing of them.
TEST(JournalTail, APlaceLateInALargeSegmentIsReadWithinTheLimitsOfAStart) {
  const Written w{32U << 20, 30'000};
  ASSERT_EQ(list_segments(w.dir.path(), journal_stream).size(), 1U);
  const std::uint64_t after = w.near(w.events.size() - 30);
  std::vector<Event> told;
  TailLimits limits;
  limits.bytes_max = 64U << 10;
  limits.search_max = Nanos{-1};
  const TailResult r = w.read(w.place(after), told, limits);
  EXPECT_TRUE(r.whole) << r.why;
  EXPECT_TRUE(w.told_behind(after, told));
  EXPECT_EQ(r.searched, 0U);
}

// Of a snapshot that does not say where it is: 7 MB are walked over, and then both limits begin.
// The clock is looked at each 64 KiB, so that a tail of 30 events never runs into it.
TEST(JournalTail, WhatIsBeforeThePlaceCountsForNoLimitOfTheTail) {
  const Written w{32U << 20, 30'000};
  const std::uint64_t after = w.near(w.events.size() - 30);
  std::vector<Event> told;
  TailLimits limits = Written::patient();
  limits.bytes_max = 64U << 10;
  limits.time_max = Nanos{-1};
  const TailResult r = w.read({Seq{after}, {}}, told, limits);
  EXPECT_TRUE(r.whole) << r.why;
  EXPECT_TRUE(w.told_behind(after, told));
  EXPECT_GT(r.searched, 6U << 20);
}

TEST(JournalTail, ItsTimeEndsItBehindThePlaceAndTheSearchsTimeEndsTheSearch) {
  const Written w{32U << 20, 10'000};
  std::vector<Event> told;
  TailLimits limits = Written::patient();
  limits.time_max = Nanos{-1};
  const TailResult read = w.read(w.place(w.near(100)), told, limits);
  EXPECT_NE(read.why.find("reading it took too long"), std::string::npos) << read.why;
  EXPECT_GT(told.size(), 500U);
  EXPECT_LT(told.size(), 1000U);
  limits = Written::patient();
  limits.search_max = Nanos{-1};
  const TailResult search = w.read({Seq{w.near(20'000)}, {}}, told, limits);
  EXPECT_NE(search.why.find("finding the snapshot's place"), std::string::npos) << search.why;
  EXPECT_TRUE(told.empty());
  EXPECT_LT(search.searched, 128U << 10);
}

TEST(JournalTail, APlaceIsLookedForFromTheNewestSegmentBack) {
  const Written w{16 * 1024, 1500};
  const auto segments = list_segments(w.dir.path(), journal_stream);
  ASSERT_GT(segments.size(), 15U);
  // None of the older ones is looked at.
  for (std::size_t n = 0; n + 3 < segments.size(); ++n) {
    std::ofstream{segments[n].path, std::ios::binary} << "damaged";
  }
  const std::uint64_t after = w.near(w.events.size() - 30);
  std::vector<Event> told;
  const TailResult r = w.read(after, told);
  EXPECT_TRUE(r.whole) << r.why;
  EXPECT_TRUE(w.told_behind(after, told));
  EXPECT_LE(r.searched, 32U << 10);
}

TEST(JournalTail, ADamagedSegmentBehindThePlaceEndsItThere) {
  const Written w{16 * 1024};
  const auto segments = list_segments(w.dir.path(), journal_stream);
  ASSERT_GT(segments.size(), 3U);
  std::ofstream{segments[1].path, std::ios::binary} << "damaged";
  std::vector<Event> told;
  const TailResult r = w.read(10, told);
  EXPECT_FALSE(r.whole);
  ASSERT_FALSE(told.empty()) << r.why;
  EXPECT_LT(told.size(), 16U * 1024 / sizeof(Event));
}

TEST(JournalTail, APlaceThatIsNoneIsLookedForInstead) {
  const Written w{32 * 1024};
  std::vector<Event> told;
  const std::uint64_t after = w.near(600), other = w.near(300);
  const JournalPlace right = w.places.at(after);
  const JournalPlace wrong[] = {
      {right.segment, right.offset + 16},    // inside of a record
      {right.segment, right.offset + 8},     // between two words
      {right.segment, 1U << 20},             // behind the segment
      {right.segment + 1, right.offset},     // of another segment
      {right.segment + 1000, right.offset},  // of none
      {right.segment, right.offset + 80},    // a later event's
      w.places.at(other),                    // an earlier event's
      {0, 16},                               // in the header
  };
  for (const JournalPlace& at : wrong) {
    const TailResult r = w.read({Seq{after}, at}, told, Written::patient());
    EXPECT_TRUE(r.whole) << at.segment << "/" << at.offset << ": " << r.why;
    EXPECT_TRUE(w.told_behind(after, told)) << at.segment << "/" << at.offset;
  }
}

TEST(JournalTail, APackedSegmentIsUnpackedToThePlaceWithinTheSearchsTime) {
  const Written w{32U << 20, 20'000};
  const auto segments = list_segments(w.dir.path(), journal_stream);
  ASSERT_TRUE(pack_segment(segments.at(0).path));
  const std::uint64_t after = w.near(w.events.size() - 30);
  std::vector<Event> told;
  TailLimits limits;
  limits.search_max = seconds(60);
  const TailResult found = w.read(w.place(after), told, limits);
  EXPECT_TRUE(found.whole) << found.why;
  EXPECT_TRUE(w.told_behind(after, told));
  EXPECT_GT(found.searched, 3U << 20);
  limits.search_max = Nanos{-1};
  const TailResult late = w.read(w.place(after), told, limits);
  EXPECT_FALSE(late.whole);
  EXPECT_TRUE(told.empty());
}

// Created in a rotation and never begun: 256 MiB of zeros, of which the header's bytes are enough.
TEST(JournalTail, OfASegmentThatWasNeverBegunOnlyTheHeaderIsLookedAt) {
  const Written w{1 << 20};
  const std::string next = w.dir.path() + "/" + segment_name(journal_stream, boot_told, 1);
  std::ofstream{next, std::ios::binary} << "";
  std::filesystem::resize_file(next, 256U << 20);
  {
    std::fstream at{next, std::ios::binary | std::ios::in | std::ios::out};
    at.seekp(1 << 20);
    at << "whatever stood there";
  }
  std::vector<Event> told;
  for (const std::uint64_t after :
       {std::uint64_t{0}, w.near(600), std::uint64_t{w.events.size()}}) {
    const TailResult r = w.read(after, told);
    EXPECT_TRUE(r.whole) << after << ": " << r.why;
    EXPECT_TRUE(w.told_behind(after, told));
  }
}

// Damage to an event's number makes it look like one that is known already.
class LastEventDamaged : public ::testing::Test {
 protected:
  static constexpr std::size_t record = sizeof(RecordHead) + sizeof(Event);

  LastEventDamaged() {
    std::ifstream in{path_, std::ios::binary};
    whole_.assign(std::istreambuf_iterator<char>{in}, {});
  }
  void expect_told(const std::string& bytes, std::size_t where) {
    std::ofstream{path_, std::ios::binary} << bytes;
    std::vector<Event> told;
    for (const TailPlace& from : {TailPlace{Seq{all_ - 1}, {}}, TailPlace{Seq{all_ - 3}, {}},
                                  w_.place(all_ - 3), TailPlace{Seq{10}, {}}}) {
      const TailResult r = w_.read(from, told, Written::patient());
      ASSERT_FALSE(r.whole) << where << " behind " << from.after.value;
      ASSERT_EQ(told.size(), all_ - 1 - from.after.value) << where;
    }
  }

  const Written w_{1 << 20, 30};
  const std::uint64_t all_{w_.events.size()};
  const std::size_t last_{sizeof(SegmentHeader) + (w_.events.size() - 1) * record};
  const std::string path_{list_segments(w_.dir.path(), journal_stream).at(0).path};
  std::string whole_;
};

TEST_F(LastEventDamaged, AnyFlippedBitIsTold) {
  for (std::size_t bit = 0; bit < record * 8; ++bit) {
    std::string flipped = whole_;
    flipped[last_ + bit / 8] = static_cast<char>(flipped[last_ + bit / 8] ^ (1 << bit % 8));
    expect_told(flipped, bit);
  }
}

TEST_F(LastEventDamaged, AWriteThatStoppedInsideOfItIsTold) {
  for (std::size_t cut = sizeof(RecordHead::crc) + 1; cut < record - sizeof(Event::payload);
       ++cut) {
    std::string torn = whole_.substr(0, last_ + cut);
    torn.resize(whole_.size());
    expect_told(torn, cut);
  }
}

TEST(JournalTail, AJournalThatEndsBeforeThePlaceSaysSo) {
  const Written w{1 << 20, 30};
  const std::string path = list_segments(w.dir.path(), journal_stream).at(0).path;
  const std::uint64_t after = w.near(60);
  constexpr std::size_t record = sizeof(RecordHead) + sizeof(Event);
  std::vector<Event> told;
  for (const std::uint64_t left : {after, after - 1, std::uint64_t{10}, std::uint64_t{0}}) {
    std::filesystem::resize_file(path, sizeof(SegmentHeader) + left * record);
    for (const TailPlace& from : {w.place(after), TailPlace{Seq{after}, {}}}) {
      const TailResult r = w.read(from, told, Written::patient());
      EXPECT_EQ(r.whole, left == after) << left;
      EXPECT_EQ(r.why, left == after ? "" : "it ends before the snapshot") << left;
      EXPECT_TRUE(told.empty());
    }
  }
}

TEST(JournalTail, EventsThatAreMissingWithoutAGapRecordEndIt) {
  std::vector<Event> events = many_events(400);
  events.erase(events.begin() + 301, events.begin() + 304);  // one fill
  const Written w{events, 65536};
  std::vector<Event> told;
  const TailResult r = w.read(10, told);
  EXPECT_NE(r.why.find("events are missing"), std::string::npos) << r.why;
  EXPECT_EQ(told.size(), 301U - 10U);
}

TEST(JournalTail, EventsThatTheRingHadNoRoomForAreCountedAndThoseBehindThemTold) {
  const std::vector<Event> events = many_events(400);
  const Written w{events, 64, 301};
  std::vector<Event> told;
  const TailResult r = w.read(10, told);
  EXPECT_TRUE(r.whole) << r.why;
  EXPECT_GT(r.gaps, 200U);
  EXPECT_EQ(told.size() + r.gaps, events.size() - 10);
  EXPECT_EQ(r.last, events.back().seq());
  const TailResult behind = w.read(w.place(w.near(600)), told, TailLimits{});
  EXPECT_EQ(behind.gaps, 0U);
  EXPECT_TRUE(w.told_behind(w.near(600), told));
}

}  // namespace
}  // namespace gimbal
