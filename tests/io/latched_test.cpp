// A bot that dies in mid-kill: the next one carries the kill on and cancels what was left resting.
// A bot that dies with a day's losses: the next one goes on counting from there.
#include <signal.h>
#include <sys/stat.h>

#include <fstream>

#include "engine/runtime/day_file.hpp"
#include "engine/runtime/gate_page.hpp"
#include "engine/runtime/latch.hpp"
#include "tests/io/rig.hpp"

namespace gimbal::test {
namespace {

constexpr const char* perpetual = "instrument:BTC-PERPETUAL";
constexpr Patience end_patience{20000 * patience_factor};

class Latched : public Rig, public ::testing::WithParamInterface<bool> {
 protected:
  // An order with a label of ours that rests on a connection of its own, so that no
  // cancel-on-disconnect of the bot's session ends it.
  void leave_order() {
    const std::string answer = exchange(
        "private/buy?instrument_name=BTC-PERPETUAL&amount=100&type=limit&price=50000"
        "&label=gdemo-0000010000000009-00000000");
    ASSERT_TRUE(holds(answer, "\"order_state\":\"open\"")) << answer;
  }
  [[nodiscard]] std::size_t resting() {
    const std::string answer = exchange("private/get_open_orders_by_currency?currency=BTC");
    EXPECT_FALSE(answer.empty());
    return answer.empty() ? 99 : occurrences(answer, "\"order_id\"");
  }
  void die() {
    bot_.signal(SIGKILL);
    ASSERT_EQ(bot_.wait(end_patience), 128 + SIGKILL);
  }
  [[nodiscard]] Finished arm_scope(const std::string& scope) {
    return ctl({"arm", "--yes", "--reason", "t", "--config-hash", config_hash(), "--scope", scope});
  }
  [[nodiscard]] static BotSetup setup() {
    BotSetup s;
    s.own_account = GetParam();
    s.risk_extra = "max_open_orders = 60\n";  // one burst can cancel as many
    return s;
  }
};

// The stop page has the kill; the bot never saw it.
TEST_P(Latched, ABotThatDiesBeforeItSawTheKillIsCarriedOnByTheNext) {
  ASSERT_NO_FATAL_FAILURE(start_sim());
  ASSERT_NO_FATAL_FAILURE(start_bot(setup()));
  bot_.signal(SIGSTOP);
  EXPECT_EQ(ctl({"kill", "--json", "--reason", "test", "--wait", "100ms"}).code, 4);
  ASSERT_NO_FATAL_FAILURE(die());
  ASSERT_NO_FATAL_FAILURE(leave_order());
  ASSERT_EQ(resting(), 1u);
  ASSERT_NO_FATAL_FAILURE(start_bot(setup()));
  EXPECT_TRUE(eventually(end_patience, [&] { return resting() == 0; })) << bot_says();
  EXPECT_TRUE(holds(status(), "\"mode\":\"cancel\"")) << status();
  EXPECT_EQ(bot_.stop(SIGTERM, end_patience), 0) << bot_says();
  EXPECT_EQ(number_in(stop_sim(), "orders_resting"), 0);
}

// gimbalctl writes the stop page before it asks: the bot may have carried the stop out by then.
TEST_P(Latched, AKillThatTheStopPageBroughtFirstKeepsTheWordsOfTheOneWhoAsked) {
  ASSERT_NO_FATAL_FAILURE(start_sim());
  ASSERT_NO_FATAL_FAILURE(start_bot(setup()));
  StopPage page;
  ASSERT_TRUE(page.open(file("run/stop"), true));
  ASSERT_TRUE(page.request(Scope{}, Mode::cancel, RecvTime{1}, 0, 0));
  const LatchFile latch{file("state/latch")};
  ASSERT_TRUE(eventually(end_patience, [&] {
    const LatchState state = latch.load();
    return !state.entries.empty() && state.entries[0].reason == "stop page";
  })) << bot_says();
  EXPECT_EQ(ctl({"kill", "--json", "--reason", "by hand", "--wait", "10s"}).code, 0);
  const LatchState state = latch.load();
  ASSERT_EQ(state.entries.size(), 1u);
  EXPECT_EQ(state.entries[0].mode, Mode::cancel);
  EXPECT_EQ(state.entries[0].reason, "by hand");
  EXPECT_EQ(bot_.stop(SIGTERM, end_patience), 0) << bot_says();
}

// The latch has the kill; its cancels never reached the venue.
TEST_P(Latched, ALatchedCancelCancelsWhatTheNextBotAdopts) {
  ASSERT_NO_FATAL_FAILURE(start_sim());
  ASSERT_NO_FATAL_FAILURE(start_bot(setup()));
  EXPECT_EQ(kill().code, 0);
  ASSERT_NO_FATAL_FAILURE(die());
  // Only the latch file is left, as after a reboot of the host.
  ::unlink(file("run/gate").c_str());
  ::unlink(file("run/stop").c_str());
  ASSERT_NO_FATAL_FAILURE(leave_order());
  ASSERT_NO_FATAL_FAILURE(start_bot(setup()));
  EXPECT_TRUE(eventually(end_patience, [&] { return resting() == 0; })) << bot_says();
  EXPECT_EQ(bot_.stop(SIGTERM, end_patience), 0) << bot_says();
  EXPECT_EQ(number_in(stop_sim(), "orders_resting"), 0);
}

// HALT is no CANCEL: what rests stays, and so it does after the latch was lost.
TEST_P(Latched, AHaltLeavesRestingOrdersAloneAcrossARestart) {
  ASSERT_NO_FATAL_FAILURE(start_sim());
  ASSERT_NO_FATAL_FAILURE(start_bot(setup()));
  ASSERT_NO_FATAL_FAILURE(die());
  ASSERT_NO_FATAL_FAILURE(leave_order());
  ASSERT_NO_FATAL_FAILURE(start_bot(setup()));
  ASSERT_TRUE(eventually(end_patience, [&] { return number_in(status(), "orders_open", 0) == 1; }))
      << status();
  const timespec watch{1, 0};
  ::nanosleep(&watch, nullptr);
  EXPECT_EQ(resting(), 1u);
  EXPECT_EQ(bot_.stop(SIGTERM, end_patience), 0) << bot_says();
  EXPECT_EQ(number_in(stop_sim(), "orders_resting"), 0) << "SIGTERM cancels what was adopted";
}

// The latch is damaged while the bot is down: arming one scope frees that one scope.
TEST_P(Latched, ADamagedLatchCannotBeArmedAroundNorDropsAnotherScope) {
  ASSERT_NO_FATAL_FAILURE(start_sim());
  ASSERT_NO_FATAL_FAILURE(start_bot(setup()));
  EXPECT_EQ(ctl({"kill", "--json", "--reason", "test", "--wait", "10s", "--scope", perpetual}).code,
            0);
  ASSERT_NO_FATAL_FAILURE(die());
  std::ofstream{file("state/latch"), std::ios::binary} << "garbage";
  ASSERT_NO_FATAL_FAILURE(start_bot(setup()));
  // A narrow scope first: the HALT of the lost latch stays.
  EXPECT_EQ(arm_scope("underlying:BTC").code, 0);
  EXPECT_TRUE(holds(status(), "\"armed\":false")) << status();
  ASSERT_NO_FATAL_FAILURE(arm_or_fail());
  const timespec watch{1, 0};
  ::nanosleep(&watch, nullptr);
  EXPECT_EQ(number_in(status(), "orders_sent"), 0) << "the perpetual is still under CANCEL";
  ASSERT_NO_FATAL_FAILURE(die());
  ::unlink(file("run/gate").c_str());
  ASSERT_NO_FATAL_FAILURE(start_bot(setup()));
  ASSERT_NO_FATAL_FAILURE(arm_or_fail());
  ::nanosleep(&watch, nullptr);
  EXPECT_EQ(number_in(status(), "orders_sent"), 0) << "arming dropped the perpetual's CANCEL";
  ASSERT_EQ(arm_scope(perpetual).code, 0);
  EXPECT_TRUE(wait_for_orders(1)) << status();
  EXPECT_EQ(bot_.stop(SIGTERM, end_patience), 0) << bot_says();
}

class OneInstance : public Rig {
 protected:
  // An arm that waits for order_ttl to pass.
  void begin_arm(Child& arming) {
    ASSERT_NO_FATAL_FAILURE(start_sim());
    BotSetup setup;
    setup.order_ttl = "4s";
    ASSERT_NO_FATAL_FAILURE(start_bot(setup));
    arming = Child{{GIMBALCTL_PROGRAM, "--runtime-dir", file("run"), "arm", "--yes", "--reason",
                    "test", "--config-hash", config_hash()},
                   file("arm.out"),
                   file("arm.err")};
    const timespec a_while{0, 500'000'000};
    ::nanosleep(&a_while, nullptr);
    ASSERT_TRUE(arming.running()) << "it was to wait: " << read_text(file("arm.out"));
  }
};

// Another bot on the account, started elsewhere: no lock file keeps it out.
TEST_F(OneInstance, AnOrderOfAnotherBotHaltsThisOneUntilItIsAcknowledged) {
  ASSERT_NO_FATAL_FAILURE(start_sim());
  ASSERT_NO_FATAL_FAILURE(start_bot());
  ASSERT_NO_FATAL_FAILURE(arm_or_fail());
  const auto resting = [&] {
    return occurrences(exchange("private/get_open_orders_by_currency?currency=BTC"),
                       "gdemo-0000630000000001-00000000");
  };
  const std::string answer = exchange(
      "private/buy?instrument_name=BTC-PERPETUAL&amount=100&type=limit&price=50000"
      "&label=gdemo-0000630000000001-00000000");
  ASSERT_TRUE(holds(answer, "\"order_state\":\"open\"")) << answer;
  ASSERT_TRUE(eventually(end_patience, [&] { return holds(status(), "\"armed\":false"); }))
      << status();
  const std::string halted = status();
  EXPECT_TRUE(holds(halted, "\"code\":\"other_instance\"")) << halted;
  EXPECT_TRUE(holds(read_text(file("state/latch")), "other_instance"));
  const Finished refused = arm();
  EXPECT_EQ(refused.code, 3) << refused.out << refused.err;
  EXPECT_TRUE(holds(refused.out + refused.err, "boot epoch 99")) << refused.out << refused.err;
  EXPECT_EQ(number_in(status(), "orders_sent"), number_in(halted, "orders_sent"));
  EXPECT_EQ(resting(), 1u) << "it is not ours to cancel";
  const std::size_t at = halted.rfind("\"id\":", halted.find("\"code\":\"other_instance\""));
  ASSERT_NE(at, std::string::npos) << halted;
  const auto number = static_cast<std::uint64_t>(number_in(halted.substr(at), "id"));
  EXPECT_EQ(ctl({"ack", std::to_string(number), "--reason", "stopped it"}).code, 0);
  ASSERT_NO_FATAL_FAILURE(arm_or_fail());
  EXPECT_EQ(resting(), 1u);
  EXPECT_EQ(bot_.stop(SIGTERM, end_patience), 0) << bot_says();
}

// What the boot before wrote as it died is not seen yet.
TEST_F(OneInstance, ArmingWaitsUntilAnOrderOfTheBootBeforeCanNoLongerArrive) {
  ASSERT_NO_FATAL_FAILURE(start_sim());
  BotSetup setup;
  setup.order_ttl = "2500ms";
  const auto began = std::chrono::steady_clock::now();
  ASSERT_NO_FATAL_FAILURE(start_bot(setup));
  const Finished armed = arm();
  EXPECT_EQ(armed.code, 0) << armed.out << armed.err;
  EXPECT_GE(std::chrono::steady_clock::now() - began, Patience{2500});
  EXPECT_EQ(bot_.stop(SIGTERM, end_patience), 0) << bot_says();
}

TEST_F(OneInstance, AKillEndsAnArmThatStillWaits) {
  Child arming;
  ASSERT_NO_FATAL_FAILURE(begin_arm(arming));
  EXPECT_EQ(kill().code, 0);
  EXPECT_EQ(arming.wait(end_patience), 3) << read_text(file("arm.err"));
  const timespec past_ttl{5, 0};
  ::nanosleep(&past_ttl, nullptr);
  const std::string after = status();
  EXPECT_TRUE(holds(after, "\"armed\":false")) << after;
  EXPECT_TRUE(holds(after, "\"mode\":\"cancel\"")) << after;
  EXPECT_EQ(number_in(after, "orders_sent"), 0);
  EXPECT_EQ(bot_.stop(SIGTERM, end_patience), 0) << bot_says();
}

// The gate is in HALT anyway, so that nothing but the page shows that somebody wants it to stay.
TEST_F(OneInstance, AStopOnThePageWhileAnArmWaitsIsNotWipedOutByIt) {
  Child arming;
  ASSERT_NO_FATAL_FAILURE(begin_arm(arming));
  StopPage page;
  ASSERT_TRUE(page.open(file("run/stop"), true));
  ASSERT_TRUE(page.request(Scope{}, Mode::halt, RecvTime{1}, 0, 0));
  EXPECT_EQ(arming.wait(end_patience), 3) << read_text(file("arm.out"));
  EXPECT_TRUE(holds(read_text(file("arm.err")) + read_text(file("arm.out")), "a stop was written"));
  EXPECT_EQ(page.at(Scope{}), Mode::halt);
  const std::string after = status();
  EXPECT_TRUE(holds(after, "\"armed\":false")) << after;
  EXPECT_EQ(number_in(after, "orders_sent"), 0);
  ASSERT_NO_FATAL_FAILURE(arm_or_fail());  // a newer arm opens it
  EXPECT_EQ(bot_.stop(SIGTERM, end_patience), 0) << bot_says();
}

INSTANTIATE_TEST_SUITE_P(Account, Latched, ::testing::Values(true, false),
                         [](const auto& own) { return own.param ? "Own" : "Shared"; });

// --- the day's losses

class DayCarried : public Rig {
 protected:
  // A still market and a bot that holds nothing.
  void begin() {
    ASSERT_NO_FATAL_FAILURE(start_sim({"--seed", "7", "--walk-speed", "0.001"}, false));
  }
  [[nodiscard]] static BotSetup setup() {
    BotSetup s;
    s.band = "1.0";  // the hedge leaves it alone
    s.max_day_loss = "30";
    return s;
  }
  // There and back by another hand: the fees of 40,000 USD and the spread.
  void lose() {
    for (const char* side : {"buy", "sell"}) {
      const std::string answer =
          exchange(std::string{"private/"} + side +
                   "?instrument_name=BTC-PERPETUAL&amount=20000&type=market");
      ASSERT_TRUE(holds(answer, "\"order_state\":\"filled\"")) << answer;
    }
  }
  [[nodiscard]] double day_profit() { return number_in(status(), "day_profit_usd", 0); }
  [[nodiscard]] double kept() { return to_double(load_day(file("state/day")).record.profit()); }
};

TEST_F(DayCarried, ABotThatLostMostOfItsDayAndDiesTripsAtTheSumInItsNextLife) {
  ASSERT_NO_FATAL_FAILURE(begin());
  ASSERT_NO_FATAL_FAILURE(start_bot(setup()));
  ASSERT_NO_FATAL_FAILURE(arm_or_fail());
  ASSERT_NO_FATAL_FAILURE(lose());
  ASSERT_TRUE(eventually(end_patience, [&] { return day_profit() < -18; })) << status();
  ASSERT_TRUE(eventually(end_patience, [&] { return kept() < -18; })) << bot_says();
  const double lost = kept();
  ASSERT_GT(lost, -29);
  EXPECT_TRUE(holds(status(), "\"mode\":\"active\"")) << status();
  bot_.signal(SIGKILL);
  ASSERT_EQ(bot_.wait(end_patience), 128 + SIGKILL);

  ASSERT_NO_FATAL_FAILURE(start_bot(setup()));
  EXPECT_TRUE(holds(bot_says(), "day: carried from boot 1: profit -")) << bot_says();
  ASSERT_NO_FATAL_FAILURE(arm_or_fail());
  const std::string armed = status();
  EXPECT_TRUE(holds(armed, "\"mode\":\"active\"")) << armed;
  EXPECT_EQ(text_in(armed, "carry"), "counted") << armed;
  EXPECT_NEAR(number_in(armed, "carried_usd"), lost, 0.01) << armed;
  // The fills that the picture told again are not counted twice.
  EXPECT_NEAR(number_in(armed, "day_profit_usd"), lost, 0.5) << armed;
  EXPECT_TRUE(holds(ctl({"status"}).out, "from boot 1 (counted;")) << ctl({"status"}).out;
  ASSERT_NO_FATAL_FAILURE(lose());
  EXPECT_TRUE(eventually(end_patience, [&] { return holds(status(), "\"mode\":\"reduce\""); }))
      << status();
  EXPECT_TRUE(holds(status(), "global_loss")) << status();
  EXPECT_LT(day_profit(), -30);
  EXPECT_GT(day_profit() - lost, -29) << "this life alone would not have tripped";
  // An arm does not get past it, and neither does a third life.
  (void)arm();
  EXPECT_TRUE(eventually(end_patience, [&] { return holds(status(), "\"mode\":\"reduce\""); }))
      << status();
  ASSERT_EQ(bot_.stop(SIGTERM, end_patience), 0) << bot_says();
  EXPECT_LT(kept(), -30);
  const Finished replayed = replay();
  EXPECT_EQ(replayed.code, 0) << replayed.out << replayed.err;
  EXPECT_EQ(text_in(replayed.out, "verdict"), "same") << replayed.out;
  const std::string dump =
      run_program({program(), "journal", "dump", file("journal")}, dir_.path(), end_patience).out;
  EXPECT_TRUE(holds(dump, "\"event\":\"day_carry\"")) << dump.substr(0, 2000);
}

TEST_F(DayCarried, DamagedFiguresHoldTheBotInHaltUntilTheFileIsRemoved) {
  ASSERT_NO_FATAL_FAILURE(begin());
  ::mkdir(file("state").c_str(), 0700);
  write_text(file("state/day"), "not the figures of a day");
  ASSERT_NO_FATAL_FAILURE(start_bot(setup()));
  EXPECT_TRUE(holds(bot_says(), file("state/day") + ": its checksum differs")) << bot_says();
  const Finished refused = arm();
  EXPECT_EQ(refused.code, 3) << refused.out << refused.err;
  EXPECT_TRUE(holds(refused.out + refused.err, file("state/day"))) << refused.out << refused.err;
  EXPECT_TRUE(holds(status(), "\"mode\":\"halt\"")) << status();
  EXPECT_TRUE(holds(ctl({"status"}).out, "day  nothing can be armed: ")) << ctl({"status"}).out;
  EXPECT_EQ(read_text(file("state/day")), "not the figures of a day") << "it was overwritten";
  ::unlink(file("state/day").c_str());
  ASSERT_NO_FATAL_FAILURE(arm_or_fail());
  EXPECT_EQ(bot_.stop(SIGTERM, end_patience), 0) << bot_says();
  EXPECT_EQ(load_day(file("state/day")).kind, DayFileKind::sound);
}

}  // namespace
}  // namespace gimbal::test
