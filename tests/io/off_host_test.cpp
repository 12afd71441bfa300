// K-05: a guardian on another host. The bot's host is unplugged; the other one cancels.
// GIMBAL_UNPLUGS asks for more than three rounds.
#include <time.h>

#include <cstdio>
#include <cstdlib>

#include "tests/io/guardian_rig.hpp"
#include "tests/io/two_hosts.hpp"

namespace gimbal::test {
namespace {

class OffHost : public Guarded {
 protected:
  void SetUp() override {
    if (const std::string why = hosts_.open(); !why.empty()) GTEST_SKIP() << why;
    write_text(file("secret/off-host"), "client_id=far\nclient_secret=a-third-secret\n");
    write_text(file("secret/key"), "key=" + std::string(64, 'a') + "\n");
    write_text(file("accounts"), "far a-third-secret @demo\n");
  }
  [[nodiscard]] BotSetup far_setup() const {
    BotSetup s;
    s.venue_extra = "off_host_credential = \"" + file("secret/off-host") + "\"\n";
    s.tables_extra = "\n[guardian]\nrealtime = false\noff_host = \"10.77.0.1:47001\"\n" +
                     std::string{"off_host_listen = \"10.77.0.1:47001\"\noff_host_key = \""} +
                     file("secret/key") + "\"\n";
    return s;
  }
  void start_watcher() {
    guardian_ = Child{{GIMBAL_GUARDIAN, "-c", file("bot.toml"), "--watch"},
                      file("guardian.out"),
                      file("guardian.err")};
    ASSERT_TRUE(eventually(end_patience, [&] {
      return !guardian_.running() || holds(guardian_says(), "it could cancel now");
    })) << guardian_says();
    ASSERT_TRUE(guardian_.running()) << guardian_says();
  }
  void start_both() {
    ASSERT_NO_FATAL_FAILURE(start_sim({"--accounts", file("accounts")}));
    ASSERT_TRUE(hosts_.lend_port(port_));
    prefix_ = hosts_.on_b();
    ASSERT_NO_FATAL_FAILURE(start_bot(far_setup()));
    ASSERT_NO_FATAL_FAILURE(start_watcher());
    ASSERT_TRUE(
        eventually(end_patience, [&] { return holds(bot_says(), "off-host guardian: live"); }))
        << bot_says() << guardian_says();
  }
  TwoHosts hosts_;
};

double now_s() {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

TEST_F(OffHost, K05AnUnpluggedHostsOrdersAreCancelledWithinThreeSeconds) {
  const char* asked = std::getenv("GIMBAL_UNPLUGS");
  const int rounds = asked != nullptr && *asked != '\0' ? std::stoi(asked) : 3;
  ASSERT_NO_FATAL_FAILURE(start_both());
  ASSERT_NO_FATAL_FAILURE(arm_or_fail());
  double worst = 0;
  for (int i = 0; i < rounds; ++i) {
    // Not under our label: the bot would take it for another instance's, and halt.
    ASSERT_NO_FATAL_FAILURE(leave_order(false));
    const std::size_t before = finals();
    const double pulled = now_s();
    ASSERT_TRUE(hosts_.pull());
    ASSERT_TRUE(eventually(end_patience, [&] { return finals() > before; })) << guardian_says();
    const std::string proof = last_proof();
    EXPECT_TRUE(holds(proof, "\"cause\":\"silence\"")) << proof;
    EXPECT_TRUE(holds(proof, "\"final\":true")) << proof;
    const double after = number_in(proof, "first_cancel_mono_ns") * 1e-9 - pulled;
    EXPECT_LE(after, 3.0 * patience_factor) << proof;
    worst = std::max(worst, after);
    EXPECT_EQ(resting(), 0u);
    ASSERT_TRUE(hosts_.plug());
    const std::string fired = "off-host guardian: it fired";
    const auto rounds_so_far = static_cast<std::size_t>(i) + 1;
    ASSERT_TRUE(eventually(end_patience, [&] {
      return occurrences(bot_says(), fired) == rounds_so_far;
    })) << bot_says();
    EXPECT_TRUE(eventually(end_patience, [&] { return holds(status(), "\"armed\":false"); }));
  }
  std::printf("%d unplugs: first cancel after %.3f s at most\n", rounds, worst);
  EXPECT_EQ(occurrences(guardian_says(), "\"event\":\"fire\""), static_cast<std::size_t>(rounds));
}

// Its key works, at somebody else's account: the bot's heartbeats say whose orders it watches.
TEST_F(OffHost, K05AKeyOfAnotherAccountIsRefusedAndCancelsNothing) {
  write_text(file("accounts"), "far a-third-secret BTC=1\n");
  ASSERT_NO_FATAL_FAILURE(start_sim({"--accounts", file("accounts")}));
  ASSERT_TRUE(hosts_.lend_port(port_));
  prefix_ = hosts_.on_b();
  ASSERT_NO_FATAL_FAILURE(start_bot(far_setup()));
  ASSERT_NO_FATAL_FAILURE(leave_order(false));
  const Finished watcher =
      run_program({GIMBAL_GUARDIAN, "-c", file("bot.toml"), "--watch"}, dir_.path(), end_patience);
  EXPECT_EQ(watcher.code, 3) << watcher.out << watcher.err;
  EXPECT_TRUE(holds(watcher.err, "belongs to account")) << watcher.err;
  EXPECT_EQ(occurrences(watcher.out, "\"event\":\"fire\""), 0u) << watcher.out;
  EXPECT_EQ(resting(), 1u);
}

TEST_F(OffHost, K05ABotThatLeavesInOrderIsNotCancelledFor) {
  ASSERT_NO_FATAL_FAILURE(start_both());
  EXPECT_EQ(bot_.stop(SIGTERM, end_patience), 0) << bot_says();
  ASSERT_NO_FATAL_FAILURE(leave_order(false));
  const timespec watch{4, 0};
  ::nanosleep(&watch, nullptr);
  EXPECT_EQ(occurrences(guardian_says(), "\"event\":\"fire\""), 0u) << guardian_says();
  EXPECT_EQ(resting(), 1u);
  EXPECT_EQ(guardian_.stop(SIGTERM, end_patience), 0);
}

}  // namespace
}  // namespace gimbal::test
