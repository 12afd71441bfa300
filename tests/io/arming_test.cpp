// What comes between the question to arm and the gate's opening: it holds, and the core knows.
#include <sys/resource.h>

#include <csignal>

#include "engine/runtime/gate_page.hpp"
#include "tests/io/held_thread.hpp"
#include "tests/io/rig.hpp"

namespace gimbal::test {
namespace {

constexpr Patience arming_patience{20000 * patience_factor};

class Arming : public Rig {
 protected:
  static void rest(int milliseconds) {
    const timespec t{milliseconds / 1000, milliseconds % 1000 * 1'000'000};
    ::nanosleep(&t, nullptr);
  }
  // An arm that the core has heard of, and that waits for a picture which does not come: the thread
  // that fetches it is held.
  void begin(const std::string& order_ttl = "500ms") {
    ASSERT_NO_FATAL_FAILURE(start_sim());
    BotSetup setup;
    setup.engine_extra = "reconcile_age_max = \"100ms\"\n";
    setup.order_ttl = order_ttl;
    ASSERT_NO_FATAL_FAILURE(start_bot(setup));
    rest(700);
  }
  void ask(const std::string& scope = "global") {
    arming_ = Child{{GIMBALCTL_PROGRAM, "--runtime-dir", file("run"), "arm", "--yes", "--reason",
                     "test", "--config-hash", config_hash(), "--scope", scope},
                    file("arm.out"),
                    file("arm.err")};
    rest(400);
    ASSERT_TRUE(arming_.running()) << "it was to wait: " << said();
  }
  [[nodiscard]] std::string said() {
    return read_text(file("arm.out")) + read_text(file("arm.err"));
  }
  // Refused for `why`; and no strategy works against the closed gate.
  void expect_refused(const std::string& why) {
    EXPECT_EQ(arming_.wait(arming_patience), 3) << said();
    EXPECT_TRUE(holds(said(), why)) << said();
    rest(500);
    const std::string after = status();
    EXPECT_TRUE(holds(after, "\"armed\":false")) << after;
    EXPECT_EQ(number_in(after, "orders_sent"), 0) << after;
    EXPECT_TRUE(holds(after, R"({"name":"last_gate","value":0})"))
        << "the core took itself for armed: " << after;
  }
  Child arming_;
};

TEST_F(Arming, TheSentinelFileEndsAnArmThatWaitsForItsTime) {
  ASSERT_NO_FATAL_FAILURE(begin("4s"));
  ASSERT_NO_FATAL_FAILURE(ask());
  write_text(file("run/halt"), "");
  expect_refused("sentinel file");
  ::unlink(file("run/halt").c_str());
  ASSERT_NO_FATAL_FAILURE(arm_or_fail());
  EXPECT_EQ(bot_.stop(SIGTERM, arming_patience), 0) << bot_says();
}

TEST_F(Arming, TheSentinelFileEndsAnArmThatTheCoreHasHeardOf) {
  ASSERT_NO_FATAL_FAILURE(begin());
  {
    HeldThread queries{bot_.pid(), "gimbal-query"};
    ASSERT_TRUE(queries.held());
    ASSERT_NO_FATAL_FAILURE(ask());
    write_text(file("run/halt"), "");
    EXPECT_EQ(arming_.wait(Patience{1500}), 3) << "it went on waiting: " << said();
  }
  expect_refused("sentinel file");
  ::unlink(file("run/halt").c_str());
  ASSERT_NO_FATAL_FAILURE(arm_or_fail());
  EXPECT_EQ(bot_.stop(SIGTERM, arming_patience), 0) << bot_says();
}

TEST_F(Arming, AStopOfAnotherScopeLeavesTheCoreAsStoppedAsTheGate) {
  ASSERT_NO_FATAL_FAILURE(begin());
  StopPage page;
  ASSERT_TRUE(page.open(file("run/stop"), true));
  const Scope other{ScopeLevel::instrument, 7};
  {
    // The command waits in its ring: the core accepts it with its next step, behind the stop.
    HeldThread hot{bot_.pid(), "gimbal-hot"};
    ASSERT_TRUE(hot.held());
    ASSERT_NO_FATAL_FAILURE(ask());
    ASSERT_TRUE(page.request(other, Mode::halt, RecvTime{1}, 0, 0));
    rest(50);
  }
  expect_refused("a stop was written");
  EXPECT_EQ(page.at(other), Mode::halt);
  ASSERT_NO_FATAL_FAILURE(arm_or_fail());
  EXPECT_TRUE(wait_for_orders(1)) << status();
  EXPECT_EQ(bot_.stop(SIGTERM, arming_patience), 0) << bot_says();
}

// An arm of everything would be withdrawn by the CANCEL that follows a fire. One of an instrument
// is not: the count alone ends it.
TEST_F(Arming, AGuardianThatFiresMeanwhileEndsAnArmOfOneInstrument) {
  ASSERT_NO_FATAL_FAILURE(begin());
  ASSERT_NO_FATAL_FAILURE(arm_or_fail());
  const std::string scope = "instrument:BTC-PERPETUAL";
  const Finished stopped =
      ctl({"kill", "--json", "--reason", "test", "--wait", "10s", "--scope", scope});
  ASSERT_EQ(stopped.code, 0) << stopped.out << stopped.err;
  GatePage page;
  ASSERT_TRUE(page.open(file("run/gate"), true));
  {
    HeldThread queries{bot_.pid(), "gimbal-query"};
    ASSERT_TRUE(queries.held());
    rest(200);  // the picture is too old to arm on
    ASSERT_NO_FATAL_FAILURE(ask(scope));
    page.layout().fire.fires.fetch_add(1);
    EXPECT_EQ(arming_.wait(Patience{1500}), 3) << "it went on waiting: " << said();
  }
  EXPECT_TRUE(holds(said(), "the guardian fired while the arm waited")) << said();
  EXPECT_TRUE(holds(status(), "\"armed\":false")) << status();
  EXPECT_EQ(bot_.stop(SIGTERM, arming_patience), 0) << bot_says();
}

// The disk takes nothing for a moment. What the journal lost then is lost, so that nothing may be
// armed before a restart, and least of all by the arm that waited meanwhile.
TEST_F(Arming, AJournalThatFailsMeanwhileEndsAnArmThatTheCoreHasHeardOf) {
  (void)std::signal(SIGXFSZ, SIG_IGN);  // inherited: a write fails then
  const auto begun = [this] { ASSERT_NO_FATAL_FAILURE(begin()); };
  begun();
  (void)std::signal(SIGXFSZ, SIG_DFL);
  ASSERT_FALSE(HasFatalFailure());
  rlimit usual{};
  ASSERT_EQ(::prlimit(bot_.pid(), RLIMIT_FSIZE, nullptr, &usual), 0);
  {
    HeldThread queries{bot_.pid(), "gimbal-query"};
    ASSERT_TRUE(queries.held());
    ASSERT_NO_FATAL_FAILURE(ask());
    const rlimit nothing{0, usual.rlim_max};
    ASSERT_EQ(::prlimit(bot_.pid(), RLIMIT_FSIZE, &nothing, nullptr), 0);
    rest(600);
    ASSERT_EQ(::prlimit(bot_.pid(), RLIMIT_FSIZE, &usual, nullptr), 0);
  }
  expect_refused("the journal cannot be kept");
  const Finished again = arm();
  EXPECT_EQ(again.code, 3) << again.out << again.err;
  bot_.signal(SIGKILL);
  (void)bot_.wait(arming_patience);
}

}  // namespace
}  // namespace gimbal::test
