// The bot's life as an operator sees it: HALT, arm, hedge, kill, latch, signals.
#include <signal.h>
#include <unistd.h>

#include "tests/io/held_thread.hpp"
#include "tests/io/rig.hpp"

namespace gimbal::test {
namespace {

using Lifecycle = Rig;
constexpr Patience stop_patience{20000 * patience_factor};

TEST_F(Lifecycle, ABotThatIsNotArmedSendsNoOrder) {
  ASSERT_NO_FATAL_FAILURE(start_sim());
  ASSERT_NO_FATAL_FAILURE(start_bot());
  EXPECT_TRUE(holds(status(), "\"armed\":false")) << status();
  const timespec watch{2, 0};
  ::nanosleep(&watch, nullptr);
  const std::string shown = status();
  EXPECT_TRUE(holds(shown, "\"mode\":\"halt\"")) << shown;
  EXPECT_GT(number_in(shown, "frames"), 50) << "the feed is not running";
  EXPECT_EQ(number_in(shown, "orders_sent"), 0);
  EXPECT_EQ(bot_.stop(SIGTERM, stop_patience), 0) << bot_says();
  EXPECT_EQ(number_in(stop_sim(), "orders"), 0);
}

TEST_F(Lifecycle, RehearsalsOfABotThatIsNotArmedReachTheExchangeNever) {
  ASSERT_NO_FATAL_FAILURE(start_sim());
  ASSERT_NO_FATAL_FAILURE(start_bot());
  const auto rehearsals = [this] { return number_in(status(), "name\":\"rehearsals\",\"value"); };
  EXPECT_TRUE(eventually(stop_patience, [&] { return rehearsals() > 2000; })) << status();
  EXPECT_TRUE(holds(status(), R"("name":"rehearsing","value":1)")) << status();
  EXPECT_EQ(number_in(status(), "orders_sent"), 0);
  EXPECT_EQ(bot_.stop(SIGTERM, stop_patience), 0) << bot_says();
  const std::string closing = stop_sim();
  EXPECT_EQ(number_in(closing, "orders"), 0) << closing;
  EXPECT_EQ(number_in(closing, "fills"), 0) << closing;
}

TEST_F(Lifecycle, ArmingWithAnotherConfigsHashIsRefused) {
  ASSERT_NO_FATAL_FAILURE(start_sim());
  ASSERT_NO_FATAL_FAILURE(start_bot());
  const Finished wrong = ctl({"arm", "--yes", "--reason", "test", "--config-hash",
                              "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"});
  EXPECT_EQ(wrong.code, 3) << wrong.out << wrong.err;
  EXPECT_TRUE(holds(wrong.err, "hash")) << wrong.err;
  EXPECT_TRUE(holds(status(), "\"armed\":false"));
}

BotSetup with_ladder(const std::string& model) {
  BotSetup s;
  s.tables_extra =
      "\n[[strategy.liquidation]]\nunderlying = \"BTC\"\nfuture_maintenance = 0.01\n"
      "future_per_coin = 0.00005\noption_maintenance = 0.075\nslice_usd_max = \"100000\"\n"
      "report_age_max = \"65s\"\nhedged = true\nmargin_model = \"" +
      model +
      "\"\n[scenarios]\nprice_range = 0.16\nvolatility_up = 0.5\nvolatility_down = 0.25\n"
      "volatility_up_min = 0.5\nshort_power = 0.3\nlong_power = 0.13\nextended_factor = 1.0\n"
      "dampener_usd = 100000.0\nreport_age_max = \"65s\"\nannual_move = 0.075\nroll_min = 0.01\n"
      "delta_shock_per_coin = 0.00005\ndelta_shock_max = 0.1\n"
      "delta_shock_threshold_usd = 20000000.0\nmaintenance_factor = 0.8\n";
  return s;
}

TEST_F(Lifecycle, ALadderOnAnotherMarginModelThanTheVenuesIsNotArmedAndOneOnItsOwnReplays) {
  ASSERT_NO_FATAL_FAILURE(start_sim({"--portfolio-margin"}));
  ASSERT_NO_FATAL_FAILURE(start_bot(with_ladder("standard")));
  const Finished refused = arm();
  EXPECT_EQ(refused.code, 3) << refused.out << refused.err;
  EXPECT_TRUE(holds(refused.err, "margin model")) << refused.out << refused.err;
  EXPECT_EQ(bot_.stop(SIGTERM, stop_patience), 0) << bot_says();
  ASSERT_NO_FATAL_FAILURE(start_bot(with_ladder("portfolio")));
  ASSERT_NO_FATAL_FAILURE(arm_or_fail());
  EXPECT_TRUE(eventually(stop_patience, [&] {
    return holds(status(), R"("model":"portfolio")") && holds(status(), R"("state":"green")");
  })) << status();
  ASSERT_TRUE(wait_for_orders(3)) << status();
  EXPECT_TRUE(holds(status(), R"("mismatch":false)")) << status();
  EXPECT_EQ(kill().code, 0);
  EXPECT_EQ(bot_.stop(SIGTERM, stop_patience), 0) << bot_says();
  const Finished again = replay();
  EXPECT_EQ(text_in(again.out, "verdict"), "same") << again.out << again.err;
}

TEST_F(Lifecycle, AnArmedBotHedgesIntoItsBandAndAKillLeavesNothingAndStaysLatched) {
  ASSERT_NO_FATAL_FAILURE(start_sim());
  ASSERT_NO_FATAL_FAILURE(start_bot());
  ASSERT_NO_FATAL_FAILURE(arm_or_fail());
  ASSERT_TRUE(wait_for_orders(5)) << status();
  EXPECT_TRUE(eventually(stop_patience, [&] { return holds(status(), "\"inside_band\":true"); }))
      << status();
  const Finished killed = kill();
  EXPECT_EQ(killed.code, 0) << killed.out << killed.err;
  EXPECT_TRUE(holds(killed.out, "\"confirmed\":true")) << killed.out;
  EXPECT_TRUE(holds(status(), "\"armed\":false"));
  const double sent = number_in(status(), "orders_sent");
  EXPECT_EQ(bot_.stop(SIGTERM, stop_patience), 0) << bot_says();

  // The latch outlives the process: a new one starts closed and says why.
  ASSERT_NO_FATAL_FAILURE(start_bot());
  EXPECT_TRUE(holds(bot_says(), "latched")) << bot_says();
  EXPECT_FALSE(holds(status(), "\"mode\":\"active\"")) << status();
  EXPECT_EQ(number_in(status(), "orders_sent"), 0);
  ASSERT_NO_FATAL_FAILURE(arm_or_fail());
  EXPECT_TRUE(holds(status(), "\"mode\":\"active\"")) << status();
  ASSERT_TRUE(wait_for_orders(1)) << status();
  EXPECT_EQ(kill().code, 0);
  const std::string report = status();
  EXPECT_EQ(bot_.stop(SIGTERM, stop_patience), 0) << bot_says();
  const std::string closing = stop_sim();
  EXPECT_EQ(number_in(closing, "orders_resting"), 0) << closing;
  EXPECT_EQ(number_in(closing, "rate_limit_errors"), 0) << closing;
  EXPECT_EQ(number_in(closing, "orders"), sent + number_in(report, "orders_sent")) << closing;
  EXPECT_GE(number_in(closing, "fills"), 6) << closing;
}

TEST_F(Lifecycle, SigtermWhileTradingCancelsAndLeavesNothing) {
  ASSERT_NO_FATAL_FAILURE(start_sim());
  ASSERT_NO_FATAL_FAILURE(start_bot());
  ASSERT_NO_FATAL_FAILURE(arm_or_fail());
  ASSERT_TRUE(wait_for_orders(3)) << status();
  EXPECT_EQ(bot_.stop(SIGTERM, stop_patience), 0) << bot_says();
  EXPECT_TRUE(holds(bot_says(), "no order rests")) << bot_says();
  const std::string closing = stop_sim();
  EXPECT_EQ(number_in(closing, "orders_resting"), 0) << closing;
  EXPECT_EQ(number_in(closing, "rate_limit_errors"), 0) << closing;
}

TEST_F(Lifecycle, TheSentinelFileHaltsWithoutTheSocketAndHoldsWhileItExists) {
  ASSERT_NO_FATAL_FAILURE(start_sim());
  ASSERT_NO_FATAL_FAILURE(start_bot());
  ASSERT_NO_FATAL_FAILURE(arm_or_fail());
  ASSERT_TRUE(wait_for_orders(2)) << status();
  write_text(file("run/halt"), "");
  ASSERT_TRUE(eventually(stop_patience, [&] { return holds(status(), "\"mode\":\"halt\""); }));
  const double sent = number_in(status(), "orders_sent");
  const Finished refused = arm();
  EXPECT_EQ(refused.code, 3) << refused.out << refused.err;
  EXPECT_TRUE(holds(refused.err, "sentinel")) << refused.err;
  const timespec watch{1, 0};
  ::nanosleep(&watch, nullptr);
  EXPECT_EQ(number_in(status(), "orders_sent"), sent);
  ASSERT_EQ(::unlink(file("run/halt").c_str()), 0);
  EXPECT_TRUE(holds(status(), "\"mode\":\"halt\"")) << "removing it loosens nothing";
  ASSERT_NO_FATAL_FAILURE(arm_or_fail());
  EXPECT_EQ(kill().code, 0);
}

// The hot thread alone is held, as by a debugger or a hard fault in it: the process still answers.
TEST_F(Lifecycle, AKillClosesTheGateWhileTheCoreThreadIsStopped) {
  ASSERT_NO_FATAL_FAILURE(start_sim());
  ASSERT_NO_FATAL_FAILURE(start_bot());
  ASSERT_NO_FATAL_FAILURE(arm_or_fail());
  ASSERT_TRUE(wait_for_orders(2)) << status();
  HeldThread core{bot_.pid(), "gimbal-hot"};
  ASSERT_TRUE(core.held());
  const Finished killed = ctl({"kill", "--json", "--reason", "test", "--wait", "500ms"});
  EXPECT_EQ(killed.code, 5) << "closed, not confirmed: " << killed.out << killed.err;
  EXPECT_TRUE(holds(killed.out, "\"t_gate_closed_mono_ns\"")) << killed.out;
  EXPECT_LT(number_in(killed.out, "gate_closed_ns"), 1e8) << killed.out;
  const auto trades = [&] {
    return occurrences(exchange("private/get_user_trades_by_currency?currency=BTC&count=1000"),
                       "\"trade_id\"");
  };
  const std::size_t before = trades();
  const timespec drift{1, 0};
  ::nanosleep(&drift, nullptr);  // prices move: it has something to hedge when it goes on
  core.release();
  ASSERT_TRUE(eventually(stop_patience, [&] { return kill().code == 0; })) << status();
  EXPECT_EQ(trades(), before);
  EXPECT_EQ(bot_.stop(SIGTERM, stop_patience), 0) << bot_says();
  EXPECT_EQ(number_in(stop_sim(), "orders_resting"), 0);
}

// D-07: without the venue's word there is no exit 0.
TEST_F(Lifecycle, D07SigtermWhileTheVenueIsSilentIsNotConfirmed) {
  ASSERT_NO_FATAL_FAILURE(start_sim());
  ASSERT_NO_FATAL_FAILURE(start_bot());
  sim_.signal(SIGSTOP);
  EXPECT_EQ(bot_.stop(SIGTERM, stop_patience * 2), 5) << bot_says();
  EXPECT_TRUE(holds(bot_says(), "NOT confirmed")) << bot_says();
  sim_.signal(SIGCONT);
}

TEST_F(Lifecycle, AStoppedProcessIsKilledByThePageAndSendsNothingWhenItGoesOn) {
  ASSERT_NO_FATAL_FAILURE(start_sim());
  ASSERT_NO_FATAL_FAILURE(start_bot());
  ASSERT_NO_FATAL_FAILURE(arm_or_fail());
  ASSERT_TRUE(wait_for_orders(3)) << status();
  bot_.signal(SIGSTOP);
  const Finished killed = ctl({"kill", "--json", "--reason", "test", "--wait", "300ms"});
  EXPECT_EQ(killed.code, 4) << killed.out << killed.err;
  EXPECT_TRUE(holds(killed.out, "\"stop_page_written\":true")) << killed.out;
  const auto orders = [&] {
    return occurrences(exchange("private/get_user_trades_by_currency?currency=BTC&count=1000"),
                       "\"trade_id\"");
  };
  const std::size_t before = orders();
  ASSERT_GE(before, 3u);
  const timespec drift{1, 0};
  ::nanosleep(&drift, nullptr);  // prices move: the bot has something to hedge when it wakes up
  bot_.signal(SIGCONT);
  ASSERT_TRUE(eventually(stop_patience, [&] { return holds(status(), "\"armed\":false"); }));
  ::nanosleep(&drift, nullptr);
  EXPECT_EQ(orders(), before);
  EXPECT_EQ(bot_.stop(SIGTERM, stop_patience), 0) << bot_says();
  EXPECT_EQ(number_in(stop_sim(), "orders_resting"), 0);
}

}  // namespace
}  // namespace gimbal::test
