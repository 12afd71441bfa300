// gimbal-guardian beside the real bot: it cancels when the bot dies, hangs or does not obey, and
// does nothing otherwise.
#include <signal.h>
#include <time.h>

#include <algorithm>
#include <cstdlib>

#include "tests/io/guardian_rig.hpp"

namespace gimbal::test {
namespace {

TEST_F(Guarded, K04TheBotRefusesToArmUntilTheGuardianCouldCancel) {
  ASSERT_NO_FATAL_FAILURE(start_sim(keys()));
  ASSERT_NO_FATAL_FAILURE(start_bot(setup()));
  const Finished refused = arm();
  EXPECT_EQ(refused.code, 3) << refused.out << refused.err;
  EXPECT_TRUE(holds(refused.err, "no live guardian")) << refused.err;
  ASSERT_NO_FATAL_FAILURE(start_guardian());
  ASSERT_NO_FATAL_FAILURE(arm_or_fail());
  EXPECT_TRUE(holds(status(), "\"guardian\":\"live\"")) << status();
  ASSERT_TRUE(wait_for_orders(3)) << status();
  EXPECT_EQ(bot_.stop(SIGTERM, end_patience), 0) << bot_says();
  const timespec watch{1, 0};
  ::nanosleep(&watch, nullptr);
  EXPECT_EQ(occurrences(guardian_says(), "\"event\":\"fire\""), 0u) << guardian_says();
  EXPECT_EQ(guardian_.stop(SIGTERM, end_patience), 0) << guardian_says();
  EXPECT_EQ(number_in(stop_sim(), "orders_resting"), 0);
}

TEST_F(Guarded, K04AWrongKeyIsToldAndTheGuardianIsNotLive) {
  ASSERT_NO_FATAL_FAILURE(start_sim(keys()));
  write_text(file("secret/guardian"), "client_id=guard\nclient_secret=wrong\n");
  ASSERT_NO_FATAL_FAILURE(start_bot(setup()));
  ASSERT_NO_FATAL_FAILURE(start_guardian(false));
  EXPECT_TRUE(eventually(end_patience, [&] { return holds(guardian_says(), "login refused"); }))
      << guardian_says();
  EXPECT_EQ(arm().code, 3);
  const Finished check = run_program({GIMBAL_GUARDIAN, "check", "--json", "-c", file("bot.toml")},
                                     dir_.path(), end_patience);
  EXPECT_EQ(check.code, 1) << check.out << check.err;
  EXPECT_TRUE(holds(check.out, "\"ready\":false")) << check.out;
}

TEST_F(Guarded, K04TheTradingKeyOrNoKeyIsRefusedBeforeAnythingRuns) {
  ASSERT_NO_FATAL_FAILURE(start_sim(keys()));
  BotSetup same = setup();
  same.venue_extra = "guardian_credential = \"" + file("secret/credential") + "\"\n";
  write_config(same);
  EXPECT_EQ(run_program({GIMBAL_GUARDIAN, "-c", file("bot.toml")}, dir_.path(), end_patience).code,
            2);
  BotSetup none = setup();
  none.venue_extra.clear();
  write_config(none);
  const Finished no_key =
      run_program({GIMBAL_GUARDIAN, "-c", file("bot.toml")}, dir_.path(), end_patience);
  EXPECT_EQ(no_key.code, 1);
  EXPECT_TRUE(holds(no_key.err, "guardian_credential")) << no_key.err;
  write_config(setup());
  ::chmod(file("secret/guardian").c_str(), 0644);
  const Finished open_file =
      run_program({GIMBAL_GUARDIAN, "-c", file("bot.toml")}, dir_.path(), end_patience);
  EXPECT_EQ(open_file.code, 1);
  EXPECT_TRUE(holds(open_file.err, "0600")) << open_file.err;
}

// A key that works, of somebody else's account: its mass cancel would hit a stranger.
TEST_F(Guarded, K04AKeyOfAnotherAccountIsRefusedAndCancelsNothing) {
  write_text(file("accounts"), "stranger a-strangers-secret BTC=1\n");
  write_text(file("secret/guardian"), "client_id=stranger\nclient_secret=a-strangers-secret\n");
  ASSERT_NO_FATAL_FAILURE(start_sim({"--accounts", file("accounts")}));
  ASSERT_NO_FATAL_FAILURE(start_bot(setup()));
  ASSERT_NO_FATAL_FAILURE(leave_order(true));
  const auto start = [&] {
    return run_program({GIMBAL_GUARDIAN, "-c", file("bot.toml")}, dir_.path(), end_patience);
  };
  const Finished beside = start();
  EXPECT_EQ(beside.code, 3) << beside.out << beside.err;
  EXPECT_TRUE(holds(beside.err, "belongs to account")) << beside.err;
  EXPECT_EQ(arm().code, 3) << "no live guardian";
  const Finished check = run_program({GIMBAL_GUARDIAN, "check", "--json", "-c", file("bot.toml")},
                                     dir_.path(), end_patience);
  EXPECT_EQ(check.code, 1) << check.out << check.err;
  EXPECT_TRUE(holds(check.out, "belongs to account")) << check.out;
  // Beside a dead bot it would fire: the gate is closed, but it sends nothing.
  bot_.signal(SIGKILL);
  ASSERT_EQ(bot_.wait(end_patience), 128 + SIGKILL);
  const Finished dead = start();
  EXPECT_EQ(dead.code, 3) << dead.out << dead.err;
  EXPECT_FALSE(holds(dead.out, "\"final\":true")) << dead.out;
  EXPECT_EQ(resting(), 1u);
}

TEST_F(Guarded, K04CheckSaysWhatItWouldDoAndFiresNothing) {
  ASSERT_NO_FATAL_FAILURE(start_sim(keys()));
  write_config(setup());
  ASSERT_NO_FATAL_FAILURE(leave_order(false));
  const Finished check = run_program({GIMBAL_GUARDIAN, "check", "--json", "-c", file("bot.toml")},
                                     dir_.path(), end_patience);
  EXPECT_EQ(check.code, 0) << check.out << check.err;
  EXPECT_TRUE(holds(check.out, "\"ready\":true")) << check.out;
  EXPECT_EQ(number_in(check.out, "open_orders"), 1);
  EXPECT_EQ(resting(), 1u);
  EXPECT_EQ(run_program({GIMBAL_GUARDIAN, "--help"}, dir_.path(), end_patience).code, 0);
  EXPECT_EQ(run_program({GIMBAL_GUARDIAN}, dir_.path(), end_patience).code, 2);
}

// In an account of ours everything goes; in a shared one only what carries our label.
TEST_F(Guarded, K04ADeadBotsOrdersAreCancelledAndTheProofSaysSo) {
  for (const bool own : {true, false}) {
    SCOPED_TRACE(own ? "own account" : "shared account");
    ASSERT_NO_FATAL_FAILURE(start_sim(keys()));
    ASSERT_NO_FATAL_FAILURE(start_bot(setup(own)));
    ASSERT_NO_FATAL_FAILURE(start_guardian());
    ASSERT_NO_FATAL_FAILURE(leave_order(true));
    ASSERT_NO_FATAL_FAILURE(leave_order(false));
    bot_.signal(SIGKILL);
    ASSERT_EQ(bot_.wait(end_patience), 128 + SIGKILL);
    ASSERT_TRUE(eventually(end_patience, [&] { return finals() >= 1; })) << guardian_says();
    EXPECT_EQ(resting(), own ? 0u : 1u);
    const std::string proof = last_proof();
    EXPECT_TRUE(holds(proof, "\"cause\":\"death\"")) << proof;
    EXPECT_TRUE(holds(proof, "\"final\":true")) << proof;
    EXPECT_EQ(number_in(proof, "still_open"), 0) << proof;
    EXPECT_TRUE(holds(proof, "(durable)")) << proof;
    EXPECT_TRUE(holds(read_text(file("state/guardian-proofs")), "\"final\":true"));
    // The next boot comes up stopped, and says who did it.
    ASSERT_NO_FATAL_FAILURE(start_bot(setup(own)));
    EXPECT_TRUE(holds(bot_says(), "guardian fired: death")) << bot_says();
    EXPECT_TRUE(holds(status(), "\"mode\":\"cancel\"")) << status();
    EXPECT_EQ(bot_.stop(SIGTERM, end_patience), 0) << bot_says();
    EXPECT_EQ(guardian_.stop(SIGTERM, end_patience), 0);
    (void)stop_sim();
    fresh_directories();
  }
}

TEST_F(Guarded, K04AHangingBotIsCancelledAndSendsNothingWhenItGoesOn) {
  ASSERT_NO_FATAL_FAILURE(start_sim(keys()));
  ASSERT_NO_FATAL_FAILURE(start_bot(setup()));
  ASSERT_NO_FATAL_FAILURE(start_guardian());
  ASSERT_NO_FATAL_FAILURE(arm_or_fail());
  ASSERT_TRUE(wait_for_orders(3)) << status();
  ASSERT_NO_FATAL_FAILURE(leave_order(true));
  bot_.signal(SIGSTOP);
  ASSERT_TRUE(eventually(end_patience, [&] { return finals() >= 1; })) << guardian_says();
  EXPECT_EQ(resting(), 0u);
  EXPECT_TRUE(holds(last_proof(), "\"cause\":\"hang\"")) << last_proof();
  const auto trades = [&] {
    return occurrences(exchange("private/get_user_trades_by_currency?currency=BTC&count=1000"),
                       "\"trade_id\"");
  };
  const std::size_t before = trades();
  const timespec drift{1, 0};
  ::nanosleep(&drift, nullptr);
  bot_.signal(SIGCONT);
  ASSERT_TRUE(eventually(end_patience, [&] { return holds(status(), "\"armed\":false"); }));
  ::nanosleep(&drift, nullptr);
  EXPECT_EQ(trades(), before);
  EXPECT_TRUE(eventually(end_patience, [&] { return holds(bot_says(), "it fired (hang)"); }));
  EXPECT_TRUE(eventually(end_patience, [&] { return holds(guardian_says(), "false_fire"); }))
      << "the bot beat again by itself: that is counted";
  EXPECT_EQ(bot_.stop(SIGTERM, end_patience), 0) << bot_says();
  EXPECT_EQ(number_in(stop_sim(), "orders_resting"), 0);
}

// gimbalctl writes the stop page; the bot is stopped and cannot obey.
TEST_F(Guarded, K04AStopPageThatTheBotDoesNotObeyIsCarriedOut) {
  ASSERT_NO_FATAL_FAILURE(start_sim(keys()));
  BotSetup slow = setup();
  slow.tables_extra = "\n[guardian]\nmiss = \"8s\"\ncold_miss = \"8s\"\nrealtime = false\n";
  ASSERT_NO_FATAL_FAILURE(start_bot(slow));
  ASSERT_NO_FATAL_FAILURE(start_guardian());
  ASSERT_NO_FATAL_FAILURE(leave_order(true));
  bot_.signal(SIGSTOP);
  EXPECT_EQ(ctl({"kill", "--json", "--reason", "test", "--wait", "100ms"}).code, 4);
  ASSERT_TRUE(eventually(end_patience, [&] { return finals() >= 1; })) << guardian_says();
  EXPECT_TRUE(holds(last_proof(), "\"cause\":\"stop_page\"")) << last_proof();
  EXPECT_EQ(resting(), 0u);
  bot_.signal(SIGCONT);
}

// The guardian itself goes: the bot falls back to REDUCE, and a new one takes over.
TEST_F(Guarded, K04ALostGuardianMeansReduce) {
  ASSERT_NO_FATAL_FAILURE(start_sim(keys()));
  ASSERT_NO_FATAL_FAILURE(start_bot(setup()));
  ASSERT_NO_FATAL_FAILURE(start_guardian());
  ASSERT_NO_FATAL_FAILURE(arm_or_fail());
  guardian_.signal(SIGKILL);
  EXPECT_TRUE(eventually(end_patience, [&] { return holds(status(), "\"mode\":\"reduce\""); }))
      << status();
  (void)guardian_.wait(end_patience);
  ASSERT_NO_FATAL_FAILURE(start_guardian());
  ASSERT_NO_FATAL_FAILURE(arm_or_fail());
  EXPECT_EQ(bot_.stop(SIGTERM, end_patience), 0) << bot_says();
}

// Both die; the next guardian finds a dead bot that nobody has cancelled for.
TEST_F(Guarded, K04AGuardianThatStartsBesideADeadBotCancelsOnce) {
  ASSERT_NO_FATAL_FAILURE(start_sim(keys()));
  ASSERT_NO_FATAL_FAILURE(start_bot(setup()));
  bot_.signal(SIGKILL);
  ASSERT_EQ(bot_.wait(end_patience), 128 + SIGKILL);
  ASSERT_NO_FATAL_FAILURE(leave_order(true));
  ASSERT_NO_FATAL_FAILURE(start_guardian());
  ASSERT_TRUE(eventually(end_patience, [&] { return finals() >= 1; })) << guardian_says();
  EXPECT_EQ(resting(), 0u);
  EXPECT_EQ(guardian_.stop(SIGTERM, end_patience), 0);
  ASSERT_NO_FATAL_FAILURE(start_guardian());
  const timespec watch{1, 0};
  ::nanosleep(&watch, nullptr);
  EXPECT_EQ(proofs(), 0u) << "settled already: " << guardian_says();
}

}  // namespace
}  // namespace gimbal::test
