// Data quality in the real bot: silence behind heartbeats, what the report says, and cash that does
// not add up.
#include <signal.h>

#include "tests/io/rig.hpp"

namespace gimbal::test {
namespace {

struct Quality : Rig {
  static constexpr Patience patience{30000 * patience_factor};
  double counter(const std::string& name) {
    const std::string shown = status();
    const std::size_t at = shown.find("\"name\":\"" + name + '"');
    return at == std::string::npos ? -1 : number_in(shown.substr(at), "value", -1);
  }
};

TEST_F(Quality, AFeedThatOnlyAnswersHeartbeatsIsMadeAgainAndTold) {
  BotSetup setup;
  setup.venue_extra = "data_silence_max = \"2s\"\n";
  ASSERT_NO_FATAL_FAILURE(start_sim({"--silent-in", "12"}));
  ASSERT_NO_FATAL_FAILURE(start_bot(setup));
  ASSERT_NO_FATAL_FAILURE(arm_or_fail());
  ASSERT_TRUE(wait_for_orders(1)) << status();
  ASSERT_TRUE(eventually(patience, [&] { return counter("silent_feeds") >= 2; }))
      << status() << bot_says();
  EXPECT_TRUE(holds(bot_says(), "Q-01 feed_stale")) << bot_says();
  EXPECT_GE(counter("stale_data"), 1) << "the core saw it before the connection was given up";
  const double filled = number_in(status(), "orders_filled", 0);
  EXPECT_TRUE(wait_for_orders(filled + 2, patience))
      << "new connections, new snapshots, new hedges";
  EXPECT_EQ(bot_.stop(SIGTERM, Patience{20000 * patience_factor}), 0) << bot_says();
  EXPECT_EQ(number_in(stop_sim(), "orders_resting"), 0);
  const Finished again = replay();
  EXPECT_TRUE(holds(again.out, "\"verdict\":\"same\"")) << again.out << again.err;
}

// R-05 through the wire: the exchange takes more than its fills say.
TEST_F(Quality, AFeeThatTheExchangeBooksOtherwiseThanItSaysIsToldAndHoldsTheDay) {
  ASSERT_NO_FATAL_FAILURE(start_sim({"--misbooked-fee", "0.000001"}));
  ASSERT_NO_FATAL_FAILURE(start_bot({}));
  ASSERT_NO_FATAL_FAILURE(arm_or_fail());
  ASSERT_TRUE(eventually(patience, [&] { return counter("cash_alarms") >= 1; }))
      << status() << bot_says();
  EXPECT_GT(counter("cash_ties"), 0);
  EXPECT_TRUE(eventually(patience, [&] {
    return holds(bot_says(), "R-05 tie_out") && holds(bot_says(), "BTC: own cash ");
  })) << bot_says();
  EXPECT_TRUE(holds(status(), "\"held\":true")) << status();
  EXPECT_EQ(bot_.stop(SIGTERM, Patience{20000 * patience_factor}), 0) << bot_says();
  const Finished again = replay();
  EXPECT_TRUE(holds(again.out, "\"verdict\":\"same\"")) << again.out << again.err;
}

}  // namespace
}  // namespace gimbal::test
