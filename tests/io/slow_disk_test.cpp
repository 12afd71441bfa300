// The real bot with its journal on a disk that is slow, stands still, fails or lies.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "engine/runtime/gate_page.hpp"
#include "tests/io/disk_rig.hpp"
#include "tests/io/held_thread.hpp"

namespace gimbal::test {
namespace {

class SlowDisk : public DiskRig {
 protected:
  void SetUp() override {
    ASSERT_TRUE(shim_.open(file("disk")));
    prefix_ = shim_.prefix(GIMBAL_DISK_SHIM);
  }
  [[nodiscard]] DiskControl& disk() const { return shim_.control(); }
  // Stepped by the newest boot's core since it was armed.
  [[nodiscard]] int halts_of_the_monitor() const {
    int halts = 0;
    PartsBuffer<OperatorCommand> command;
    each_record(journal_stream, [&](const JournalRecord& record, bool) {
      if (record.type != RecordType::event) return;
      if (record.event.kind() != EventKind::operator_command || !command.add(record.event)) return;
      const OperatorCommand& c = command.value();
      if (c.action == OperatorAction::arm) halts = 0;
      if (c.source == OperatorSource::monitor && c.mode == Mode::halt) ++halts;
    });
    return halts;
  }

 private:
  ShimmedDisk shim_;
};

TEST_F(SlowDisk, AKillIsConfirmedInTimeAndNoEventIsLost) {
  ASSERT_NO_FATAL_FAILURE(start_trading(small_segments()));
  disk().write_ms = 20;
  disk().sync_ms = 100;
  const double orders = number_in(status(), "orders_filled");
  ASSERT_TRUE(wait_for_orders(orders + 2)) << status();
  expect_kill_in_time("a slow");
  ASSERT_NO_FATAL_FAILURE(arm_or_fail());
  expect_kill_in_time("a slow");
  EXPECT_EQ(resting(), 0u);
  EXPECT_TRUE(holds(status(), R"("name":"journal_lost","value":0)")) << status();
  EXPECT_EQ(bot_.stop(SIGTERM, disk_patience), 0) << bot_says();
  std::printf("%llu writes, %llu syncs\n", static_cast<unsigned long long>(disk().writes.load()),
              static_cast<unsigned long long>(disk().syncs.load()));
  expect_whole();
  disk().write_ms = disk().sync_ms = 0;
  expect_recovery();
}

// No shim: a real device that takes about what comes, and is behind for seconds at times.
class ThrottledDevice : public DiskRig {
 protected:
  ThrottledDisk disk_;
};

TEST_F(ThrottledDevice, AKillIsConfirmedInTimeAndNoEventIsLost) {
  if (const std::string why = disk_.mount(file("journal"), file("image")); !why.empty()) {
    GTEST_SKIP() << why;
  }
  prefix_ = disk_.prefix();
  ASSERT_NO_FATAL_FAILURE(start_trading(small_segments()));
  disk_.limit(600'000);
  const double orders = number_in(status(), "orders_filled");
  ASSERT_TRUE(wait_for_orders(orders + 3)) << status();
  expect_kill_in_time("a throttled");
  EXPECT_EQ(resting(), 0u);
  EXPECT_EQ(bot_.stop(SIGTERM, disk_patience), 0) << bot_says();
  expect_whole();
  disk_.limit(0);
  expect_recovery();
}

// A disk that stands still: the hot thread itself closes the gate when the ring is full.
TEST_F(SlowDisk, AFullRingHaltsForGoodAndTheGapIsTold) {
  ASSERT_NO_FATAL_FAILURE(start_trading(small_segments(), {"--step", "1"}));
  GatePage gate;
  ASSERT_TRUE(gate.open(file("run/gate"), false));
  disk().write_ms = 600'000;
  ASSERT_TRUE(eventually(disk_patience * 3, [&] { return gate.at(Scope{}) >= Mode::halt; }));
  disk().write_ms = 0;
  const std::string told = "journal: the ring was full";
  EXPECT_TRUE(eventually(disk_patience, [&] { return holds(status(), told); })) << status();
  EXPECT_TRUE(holds(ctl({"status"}).out, told)) << ctl({"status"}).out;
  expect_stopped();
  EXPECT_EQ(bot_.stop(SIGTERM, disk_patience), 0) << bot_says();
  const Finished verified = verify();
  EXPECT_EQ(verified.code, 1) << verified.out;
  EXPECT_TRUE(holds(verified.out, "\"stream\":\"events\",\"status\":\"complete\"")) << verified.out;
  EXPECT_TRUE(holds(verified.err, "records were lost")) << verified.err;
  EXPECT_EQ(number_in(replay().out, "difference_at_seq"), 0);
  EXPECT_EQ(halts_of_the_monitor(), 1) << "the core heard of it, once";
  expect_recovery();
}

// What the arm's refusal stops is its own scope: that core and latch hold everything is not its
// work.
TEST_F(SlowDisk, AFullRingIsToldToTheCoreWhileAnArmOfOneInstrumentWaits) {
  const std::string scope = "instrument:BTC-PERPETUAL";
  BotSetup setup = small_segments();
  setup.engine_extra = "reconcile_age_max = \"100ms\"\n";
  ASSERT_NO_FATAL_FAILURE(start_trading(setup, {"--step", "1"}));
  const Finished stopped =
      ctl({"kill", "--json", "--reason", "test", "--wait", "10s", "--scope", scope});
  ASSERT_EQ(stopped.code, 0) << stopped.out << stopped.err;
  GatePage gate;
  ASSERT_TRUE(gate.open(file("run/gate"), false));
  {
    HeldThread queries{bot_.pid(), "gimbal-query"};  // no picture young enough to arm on
    ASSERT_TRUE(queries.held());
    const timespec older{0, 200'000'000};
    ::nanosleep(&older, nullptr);
    Child arming{{GIMBALCTL_PROGRAM, "--runtime-dir", file("run"), "arm", "--yes", "--reason",
                  "test", "--config-hash", config_hash(), "--scope", scope},
                 file("arm.out"),
                 file("arm.err")};
    const timespec heard{0, 400'000'000};
    ::nanosleep(&heard, nullptr);
    ASSERT_TRUE(arming.running()) << read_text(file("arm.err"));
    disk().write_ms = 600'000;
    ASSERT_TRUE(eventually(disk_patience * 3, [&] { return gate.at(Scope{}) >= Mode::halt; }));
    disk().write_ms = 0;
    EXPECT_NE(arming.wait(disk_patience), 0) << read_text(file("arm.out"));
  }
  EXPECT_TRUE(eventually(disk_patience, [&] { return holds(status(), "\"armed\":false"); }));
  EXPECT_EQ(bot_.stop(SIGTERM, disk_patience), 0) << bot_says();
  EXPECT_EQ(halts_of_the_monitor(), 1) << "the core heard of it, once";
}

struct Failure {
  const char* name;
  bool write;  // else the sync
  int error;
  const char* told;
};
void PrintTo(const Failure& f, std::ostream* out) { *out << f.name; }

class FailingDisk : public SlowDisk, public ::testing::WithParamInterface<Failure> {};

TEST_P(FailingDisk, HaltsWithTheReasonAndTheNextBootHasTheVenuesTruth) {
  const Failure& failure = GetParam();
  ASSERT_NO_FATAL_FAILURE(start_trading(small_segments()));
  (failure.write ? disk().write_error : disk().sync_error) = failure.error;
  expect_halt(": cannot ", failure.told);
  expect_stopped();
  disk().write_error = disk().sync_error = 0;
  (void)bot_.stop(SIGTERM, disk_patience);
  const Finished verified = verify();
  EXPECT_FALSE(holds(verified.out, "\"corrupt\"")) << verified.out;
  expect_recovery();
}
INSTANTIATE_TEST_SUITE_P(Calls, FailingDisk,
                         ::testing::Values(Failure{"Write", true, EIO, "Input/output error"},
                                           Failure{"Sync", false, EIO, "Input/output error"}),
                         [](const auto& made) { return std::string{made.param.name}; });

class LyingDisk : public SlowDisk {
 protected:
  // What a power cut leaves of bytes that were never synced: the zeros of the file's blocks.
  void lose_unsafe_bytes() {
    const std::uint32_t files = disk().files.load();
    ASSERT_GE(files, 2u);
    for (std::uint32_t i = 0; i < files; ++i) {
      const UnsafeBytes& u = disk().unsafe[i];
      const int fd = ::open((file("journal/") + u.name).c_str(), O_WRONLY | O_CLOEXEC);
      ASSERT_GE(fd, 0) << u.name;
      const std::vector<char> zeros(u.to - u.from, '\0');
      ASSERT_EQ(::pwrite(fd, zeros.data(), zeros.size(), static_cast<off_t>(u.from)),
                static_cast<ssize_t>(zeros.size()));
      ::close(fd);
      std::printf("%s: %zu bytes gone\n", u.name, zeros.size());
    }
  }
};

// The bot's snapshot of its orders is on a sound disk and knows more than what is left of the
// journal.
TEST_F(LyingDisk, WhatItOnlyPromisedIsGoneAfterADeathAndTheNextBootHasTheVenuesTruth) {
  ASSERT_NO_FATAL_FAILURE(start_trading(small_segments()));
  disk().lies = 1;
  const double orders = number_in(status(), "orders_filled");
  ASSERT_TRUE(wait_for_orders(orders + 3)) << status();
  const timespec snapshots{1, 200'000'000};
  ::nanosleep(&snapshots, nullptr);
  bot_.signal(SIGKILL);
  ASSERT_EQ(bot_.wait(disk_patience), 128 + SIGKILL);
  disk().lies = 0;
  ASSERT_NO_FATAL_FAILURE(lose_unsafe_bytes());
  const Finished verified = verify();
  EXPECT_FALSE(holds(verified.out, "\"corrupt\"")) << verified.out << verified.err;
  ASSERT_NO_FATAL_FAILURE(expect_recovery());
  EXPECT_TRUE(holds(bot_says(), "orders: 1 of boot 2 may still live: 1 in its snapshot"));
}

}  // namespace
}  // namespace gimbal::test
