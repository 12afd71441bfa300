// Every system call and every allocation of the journal's writer fails once, at each of its places,
// and for good: the writer says so, and what it had taken is there.
#include <gtest/gtest.h>

#include <cerrno>
#include <cstdio>
#include <map>
#include <memory>
#include <new>
#include <ostream>
#include <set>

#include "engine/runtime/journal.hpp"
#include "engine/runtime/journal_files.hpp"
#include "engine/runtime/journal_tail.hpp"
#include "tests/runtime/failing_calls.hpp"
#include "tests/runtime/journal_builder.hpp"
#include "tests/support/load_journal.hpp"

namespace gimbal {
namespace {

using namespace gimbal::test;

constexpr std::uint64_t last_seq = 420;
constexpr std::uint64_t places_max = 5000;

Event private_event(std::uint64_t seq) {
  Event e = make_event(EventKind::order_done, VenueId{}, InstrumentId{2}, RecvTime{5}, ExchTime{6},
                       OrderDone{});
  e.set_seq(Seq{seq});
  return e;
}

// What one run of the writer came to.
struct Told {
  bool opened{false};
  bool halts{false};  // what the bot asks before it trades on
  bool closed{false};
  bool failed{false};
  std::string error{};
  std::uint64_t durable{0};
  std::set<std::uint64_t> taken{};                 // sequence numbers that append() accepted
  std::map<std::uint64_t, JournalPlace> places{};  // behind those that were drained last
};

// Several segments, so that a rotation is among the calls. A private event is every seventh.
void write_run(JournalWriter& writer, Told& told) {
  const Event boot = boot_event();
  if (writer.append(&boot, 1)) told.taken.insert(1);
  for (std::uint64_t seq = 2; seq <= last_seq; ++seq) {
    const Event e = seq % 7 == 0 ? private_event(seq) : trade_event(seq, 10);
    if (writer.append(&e, 1)) told.taken.insert(seq);
    if (seq % 30 != 0) continue;
    writer.drain();
    if (told.taken.empty()) continue;
    const std::uint64_t last = *told.taken.rbegin();
    told.places[last] = writer.place_behind(Seq{last});
  }
}

JournalConfig short_segments(const TempDir& dir) {
  JournalConfig config = small_journal(dir);
  config.segment_bytes = 16 * 1024;
  config.reserve_bytes = 128 * 1024;
  return config;
}

Told run_writer(const TempDir& dir) {
  Told told;
  JournalWriter writer{short_segments(dir), {3, 0xB, 0xC}, nullptr};
  const Outcome opened = writer.open();
  told.opened = static_cast<bool>(opened);
  told.error = opened.error();
  if (!opened) return told;
  write_run(writer, told);
  told.durable = writer.durable().value;
  told.halts = writer.failed() || writer.degraded();
  const Outcome closed = writer.close();
  told.closed = static_cast<bool>(closed);
  told.failed = writer.failed();
  told.error = closed ? writer.error() : closed.error();
  return told;
}

Reading read_back(const TempDir& dir) {
  std::vector<std::vector<std::byte>> segments;
  if (!test::load_journal(dir.path(), segments)) return {};
  return read_all(segments);
}

std::set<std::uint64_t> numbers(const Reading& reading) {
  std::set<std::uint64_t> found;
  for (const JournalRecord& r : reading.records) {
    if (r.type == RecordType::event) found.insert(r.event.seq().value);
  }
  return found;
}

struct Fault {
  Failing call;
  int error;
  bool for_good;
  const char* name;
};
std::ostream& operator<<(std::ostream& out, const Fault& f) { return out << f.name; }

class JournalFails : public ::testing::TestWithParam<Fault> {};

// Wherever a snapshot was made, its place is where the journal goes on: nothing has to be looked
// for.
void check_tails(const TempDir& dir, const Told& told, const std::set<std::uint64_t>& found) {
  TailLimits limits;
  limits.time_max = seconds(60);
  for (const auto& [seq, at] : told.places) {
    if (!at.known()) continue;
    std::set<std::uint64_t> behind;
    TailTold tell;
    tell.event = [&](const Event& e) { behind.insert(e.seq().value); };
    const TailResult r = read_tail(dir.path(), 3, {Seq{seq}, at}, limits, tell);
    EXPECT_EQ(r.searched, 0U) << "behind " << seq;
    EXPECT_EQ(behind, std::set<std::uint64_t>(found.upper_bound(seq), found.end())) << r.why;
  }
}

// False: the place is behind the last call.
bool check_place(const Fault& fault, std::uint64_t place) {
  const TempDir dir;
  Told told;
  bool fired = false;
  {
    const FailingCall failing{fault.call, fault.error, place, fault.for_good};
    told = run_writer(dir);
    fired = FailingCall::fired();
  }
  const Reading back = read_back(dir);
  const std::set<std::uint64_t> found = numbers(back);
  EXPECT_NE(back.status, JournalStatus::corrupt) << back.error;
  check_tails(dir, told, found);
  if (!fired) {
    EXPECT_TRUE(told.opened && told.closed && !told.halts) << told.error;
    EXPECT_GE(told.places.size(), 14U);
    EXPECT_EQ(found.size(), last_seq);
    return false;
  }
  EXPECT_FALSE(told.opened && told.closed && !told.halts) << "the failure was not noticed";
  EXPECT_FALSE(told.error.empty());
  if (!told.opened) {
    EXPECT_TRUE(found.empty());
    return true;
  }
  // What was said to be on the disk is there; unless the stream failed for good, all that was
  // taken.
  for (const std::uint64_t seq : told.taken) {
    if (told.failed && seq > told.durable) break;
    if (!found.contains(seq)) ADD_FAILURE() << "event " << seq << " was taken and is gone";
  }
  return !::testing::Test::HasFailure();
}

TEST_P(JournalFails, AtEveryPlaceItSaysSoAndLosesNothingItTook) {
  std::uint64_t place = 1;
  while (place < places_max && check_place(GetParam(), place)) ++place;
  EXPECT_GT(place, 1u) << "it never fired";
  RecordProperty("places", static_cast<int>(place - 1));
}

INSTANTIATE_TEST_SUITE_P(
    Calls, JournalFails,
    ::testing::Values(Fault{Failing::open, EMFILE, false, "OpenOnce"},
                      Fault{Failing::open, EMFILE, true, "OpenForGood"},
                      Fault{Failing::pwrite, ENOSPC, false, "WriteOnce"},
                      Fault{Failing::pwrite, EIO, true, "WriteForGood"},
                      Fault{Failing::fallocate, ENOSPC, false, "PreallocateOnce"},
                      Fault{Failing::fallocate, ENOSPC, true, "PreallocateForGood"},
                      Fault{Failing::fdatasync, EIO, false, "SyncOnce"},
                      Fault{Failing::fdatasync, EIO, true, "SyncForGood"},
                      Fault{Failing::fsync, EIO, false, "SyncOfTheFolderOnce"},
                      Fault{Failing::fsync, EIO, true, "SyncOfTheFolderForGood"},
                      Fault{Failing::ftruncate, EIO, false, "CutOnce"},
                      Fault{Failing::ftruncate, EIO, true, "CutForGood"}),
    [](const auto& fault) { return std::string{fault.param.name}; });

TEST(JournalFailures, AWriteThatTakesHalfOrIsInterruptedIsGoneOnWith) {
  for (const Failing call : {Failing::short_pwrite, Failing::interrupted_pwrite}) {
    bool fired = true;
    std::uint64_t place = 1;
    for (; fired; ++place) {
      const TempDir dir;
      {
        const FailingCall failing{call, EINTR, place, false};
        const Told told = run_writer(dir);
        fired = FailingCall::fired();
        ASSERT_TRUE(told.opened && told.closed && !told.halts) << told.error;
      }
      const Reading back = read_back(dir);
      ASSERT_EQ(back.status, JournalStatus::end) << back.error;
      ASSERT_EQ(numbers(back).size(), last_seq);
    }
    EXPECT_GT(place, 10u);
  }
}

// The reserve itself cannot be renamed, and the disk is full: given up, with everything that was
// said to be on the disk.
TEST(JournalFailures, AReserveThatCannotBeRenamedFailsTheJournalAloud) {
  const TempDir dir;
  JournalWriter writer{short_segments(dir), {3, 0, 0}, nullptr};
  ASSERT_TRUE(writer.open());
  Told told;
  write_run(writer, told);
  const std::uint64_t durable = writer.durable().value;
  ASSERT_EQ(durable, last_seq);
  const Event more = private_event(last_seq + 1);
  ASSERT_TRUE(writer.append(&more, 1));
  std::remove(dir.file("journal.reserve").c_str());
  {
    const FailingCall failing{Failing::pwrite, ENOSPC, 1, false};
    writer.drain();
    EXPECT_TRUE(FailingCall::fired());
  }
  EXPECT_TRUE(writer.failed());
  EXPECT_NE(writer.error().find("; then cannot rename"), std::string::npos) << writer.error();
  EXPECT_FALSE(writer.append(&more, 1));
  const Reading back = read_back(dir);
  EXPECT_NE(back.status, JournalStatus::corrupt) << back.error;
  EXPECT_EQ(numbers(back).size(), last_seq);
}

// An allocation that fails ends the process by an exception; what is on the disk then reads as the
// journal of a process that died.
TEST(JournalFailures, AnAllocationThatFailsAtAnyPlaceLeavesAJournalThatReads) {
  std::uint64_t place = 1;
  for (bool fired = true; fired; ++place) {
    ASSERT_LT(place, places_max);
    const TempDir dir;
    const JournalConfig config = short_segments(dir);
    bool thrown = false;
    std::uint64_t durable = 0;
    std::unique_ptr<JournalWriter> writer;
    Told told;
    for (std::uint64_t seq = 1; seq <= last_seq; ++seq) told.taken.insert(seq);  // no more nodes
    {
      const FailingCall failing{Failing::allocation, 0, place, false};
      try {
        writer = std::make_unique<JournalWriter>(config, JournalIdentity{3, 0, 0}, nullptr);
        if (writer->open()) {
          write_run(*writer, told);
          (void)writer->close();
        }
      } catch (const std::bad_alloc&) { thrown = true; }
      fired = FailingCall::fired();
    }
    EXPECT_EQ(thrown, fired);
    if (writer != nullptr) durable = writer->durable().value;
    writer.reset();
    const Reading back = read_back(dir);
    ASSERT_NE(back.status, JournalStatus::corrupt) << place << ": " << back.error;
    ASSERT_GE(numbers(back).size(), durable) << place;
  }
  EXPECT_GT(place, 10u);
}

}  // namespace
}  // namespace gimbal
