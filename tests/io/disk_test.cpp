// The real bot with its journal on a disk that fills up while it trades.
#include <signal.h>

#include <algorithm>

#include "tests/io/disk_rig.hpp"

namespace gimbal::test {
namespace {

class FullDisk : public DiskRig {
 protected:
  [[nodiscard]] std::string mount() { return disk_.mount(file("journal"), "40m"); }
  // An account that is not the bot's alone: each order is cancelled by itself.
  [[nodiscard]] static BotSetup by_order(const std::string& journal) {
    BotSetup setup = small_segments(journal);
    setup.own_account = false;
    setup.risk_extra = "max_open_orders = 60\n";  // one burst can cancel as many
    return setup;
  }
  // The emergency segment of the frames has the text of a cancel, and no market data behind it.
  [[nodiscard]] bool cancel_left_in_emergency() const {
    bool cancel = false;
    each_record(frame_stream, [&](const JournalRecord& record, bool emergency) {
      if (record.type != RecordType::frame || !emergency) return;
      const std::string_view text{reinterpret_cast<const char*>(record.bytes.data()),
                                  record.bytes.size()};
      cancel = cancel || (record.frame.kind == FrameKind::text_out &&
                          text.find("private/cancel") != std::string_view::npos);
      EXPECT_FALSE(cancel && record.frame.slot != 0) << text;
    });
    return cancel;
  }
  SmallDisk disk_;
};

// Where in a boot's events, from 1, the emergency segment has what stopped it, and the end of an
// order; 0: nowhere.
struct KeptPlaces {
  std::size_t halt{0};    // by the monitor
  std::size_t kill{0};    // by the operator, over stop page and socket
  std::size_t cancel{0};  // sent
  std::size_t ended{0};   // an order
  std::size_t market{0};  // records that have no business there
};

class PlacesInEmergency {
 public:
  void see(const JournalRecord& record, bool emergency) {
    if (record.type != RecordType::event) return;
    ++n_;
    if (emergency) note(record.event);
  }
  [[nodiscard]] const KeptPlaces& at() const { return at_; }

 private:
  void note(const Event& event) {
    const EventKind kind = event.kind();
    if (!essential(kind)) ++at_.market;
    if (kind == EventKind::operator_command && command_.add(event)) {
      const OperatorCommand& c = command_.value();
      const bool monitor = c.source == OperatorSource::monitor;
      if (monitor && c.mode == Mode::halt) at_.halt = n_;
      if (!monitor && c.mode == Mode::cancel && at_.kill == 0) at_.kill = n_;
    }
    if (kind == EventKind::order_sent && event.as<OrderSent>().action == OrderAction::cancel) {
      at_.cancel = n_;
    }
    if (kind == EventKind::order_done) at_.ended = n_;
  }

  KeptPlaces at_;
  PartsBuffer<OperatorCommand> command_;
  std::size_t n_{0};
};

TEST_F(FullDisk, HaltsAndStillKeepsTheHaltTheKillAndWhatBecameOfTheOrders) {
  if (const std::string why = mount(); !why.empty()) GTEST_SKIP() << why;
  ASSERT_NO_FATAL_FAILURE(start_trading(by_order("frames = \"off\"\n")));
  disk_.fill();
  expect_halt("journal: cannot ", "No space left on device");
  expect_stopped();
  EXPECT_EQ(bot_.stop(SIGTERM, disk_patience), 0) << bot_says();
  const Finished verified = verify();
  EXPECT_TRUE(holds(verified.out, "\"stream\":\"events\",\"status\":\"complete\"")) << verified.out;
  EXPECT_TRUE(holds(verified.out, "\"emergency_segments\":1")) << verified.out;
  PlacesInEmergency places;
  each_record(journal_stream, [&](const JournalRecord& r, bool e) { places.see(r, e); });
  const KeptPlaces& at = places.at();
  EXPECT_GT(at.halt, 0u);
  EXPECT_GT(at.kill, at.halt);
  EXPECT_GT(at.cancel, at.kill);
  EXPECT_GT(at.ended, at.cancel);
  // What waited in the buffer when the disk was full; what came later is counted as lost.
  EXPECT_LT(at.market, 2000u);
  EXPECT_TRUE(holds(verified.err, "records were lost")) << verified.err;
  // Exact up to the first record that was not kept: the same commands, and then it says why no
  // more.
  const Finished replayed = replay();
  EXPECT_EQ(number_in(replayed.out, "difference_at_seq"), 0) << replayed.out;
  EXPECT_GE(number_in(replayed.out, "digests_compared"), 1) << replayed.out;
  EXPECT_GE(number_in(replayed.out, "commands"), 5) << replayed.out;
  EXPECT_GE(number_in(replayed.out, "events"), static_cast<double>(at.halt) - 2000) << replayed.out;
  EXPECT_TRUE(holds(replayed.out, "they were never journalled")) << replayed.out;
  disk_.make_room();
  expect_recovery();
}

// The frames are more than the events: their segment is the first that finds no room.
TEST_F(FullDisk, HaltsWhenTheFramesCannotBeKeptAndTheRunReplaysUpToThere) {
  if (const std::string why = mount(); !why.empty()) GTEST_SKIP() << why;
  ASSERT_NO_FATAL_FAILURE(start_trading(small_segments()));
  disk_.fill();
  expect_halt("frames: cannot ", "No space left on device");
  expect_stopped();
  EXPECT_EQ(bot_.stop(SIGTERM, disk_patience), 0) << bot_says();
  const Finished verified = verify();
  for (const char* stream : {"events", "frames"}) {
    EXPECT_TRUE(
        holds(verified.out, std::string{"\"stream\":\""} + stream + "\",\"status\":\"complete\""))
        << verified.out;
  }
  EXPECT_TRUE(cancel_left_in_emergency());
  const Finished replayed = replay();
  EXPECT_TRUE(holds(replayed.out, "\"difference\":null")) << replayed.out;
  EXPECT_EQ(number_in(replayed.out, "difference_at_seq"), 0) << replayed.out;
  EXPECT_GE(number_in(replayed.out, "texts_compared"), 3) << replayed.out;
  EXPECT_TRUE(holds(text_in(replayed.out, "parted"), "frames were not kept")) << replayed.out;
  disk_.make_room();
  expect_recovery();
}

// Not kept is not unsaid: a log without the word would look as if every frame were there.
TEST_F(FullDisk, IsToldOnceWhereFramesAreKeptByBestEffort) {
  if (const std::string why = mount(); !why.empty()) GTEST_SKIP() << why;
  ASSERT_NO_FATAL_FAILURE(start_trading(small_segments("frames = \"best_effort\"\n")));
  disk_.fill();
  expect_halt("journal: cannot ", "No space left on device");  // the events, later than the frames
  EXPECT_EQ(occurrences(bot_says(), "they are kept no longer (best_effort)"), 1u) << bot_says();
  EXPECT_EQ(bot_.stop(SIGTERM, disk_patience), 0) << bot_says();
}

TEST_F(FullDisk, DoesNotLetABotStartAndSaysSo) {
  if (const std::string why = mount(); !why.empty()) GTEST_SKIP() << why;
  ASSERT_NO_FATAL_FAILURE(start_sim());
  disk_.fill();
  ASSERT_NO_FATAL_FAILURE(start_bot(small_segments(), false));
  EXPECT_EQ(bot_.wait(disk_patience), 1) << bot_says();
  EXPECT_TRUE(holds(bot_says(), "No space left on device")) << bot_says();
  disk_.make_room();
  expect_recovery();
}

}  // namespace
}  // namespace gimbal::test
