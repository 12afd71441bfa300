// Instruments that change while the bot trades on them: listed, redefined, settled; really, at the
// exchange. The journal of each run replays to the same commands.
#include <signal.h>

#include "tests/io/rig.hpp"

namespace gimbal::test {
namespace {

struct Listing : Rig {
  static constexpr Patience patience{40000 * patience_factor};

  // Value of a counter of the status report.
  double counter(const std::string& name) {
    const std::string shown = status();
    const std::size_t at = shown.find("\"name\":\"" + name + '"');
    return at == std::string::npos ? -1 : number_in(shown.substr(at), "value", -1);
  }
  void expect_same_replay() {
    const Finished again = replay();
    EXPECT_EQ(again.code, 0) << again.out << again.err;
    EXPECT_TRUE(holds(again.out, "\"verdict\":\"same\"")) << again.out;
  }
  void stop_all() {
    EXPECT_EQ(bot_.stop(SIGTERM, Patience{20000 * patience_factor}), 0) << bot_says();
    const std::string closing = stop_sim();
    EXPECT_EQ(number_in(closing, "orders_resting"), 0) << closing;
    EXPECT_EQ(number_in(closing, "rate_limit_errors"), 0) << closing;
  }
};

TEST_F(Listing, ANewExpiryIsSubscribedAndItsBooksBecomeValid) {
  ASSERT_NO_FATAL_FAILURE(start_sim({"--list-in", "12"}));
  ASSERT_NO_FATAL_FAILURE(start_bot());
  const double before = counter("instruments");
  ASSERT_GT(before, 50);
  ASSERT_NO_FATAL_FAILURE(arm_or_fail());
  ASSERT_TRUE(eventually(patience, [&] { return counter("instruments_listed") >= 20; }))
      << status() << bot_says();
  const double listed = counter("instruments_listed");
  EXPECT_EQ(counter("instruments"), before + listed);
  EXPECT_TRUE(eventually(patience, [&] {
    return number_in(status(), "instruments_valid") >= before + listed;
  })) << status();
  EXPECT_TRUE(holds(status(), "\"mode\":\"active\"")) << status();
  stop_all();
  EXPECT_EQ(number_in(read_text(file("report.json")), "hot_allocations_armed", -1), 0)
      << "subscribing allocates nothing";
  expect_same_replay();
}

TEST_F(Listing, ABudgetThatIsFullLeavesNewOptionsOut) {
  ASSERT_NO_FATAL_FAILURE(start_sim({"--list-in", "12"}));
  BotSetup setup;
  setup.underlying_extra = "option_instruments_max = 30\n";
  ASSERT_NO_FATAL_FAILURE(start_bot(setup));
  ASSERT_TRUE(eventually(patience, [&] { return counter("instruments_over_budget") >= 20; }))
      << status() << bot_says();
  EXPECT_EQ(counter("instruments_listed"), 0) << bot_says();
  stop_all();
}

TEST_F(Listing, ACoarserTickIsFoundAndTradingGoesOnUnderIt) {
  BotSetup setup;
  setup.topology = "pipelined";
  setup.venue_extra = "instrument_refresh = \"2s\"\n";
  ASSERT_NO_FATAL_FAILURE(start_sim({"--retick-in", "12"}));
  ASSERT_NO_FATAL_FAILURE(start_bot(setup));
  ASSERT_NO_FATAL_FAILURE(arm_or_fail());
  ASSERT_TRUE(eventually(patience, [&] { return counter("instruments_redefined") >= 1; }))
      << status() << bot_says();
  EXPECT_TRUE(holds(bot_says(), "BTC-PERPETUAL: new terms, tick 2.5")) << bot_says();
  const double filled = number_in(status(), "orders_filled", 0);
  EXPECT_TRUE(wait_for_orders(filled + 3, patience)) << status();
  EXPECT_TRUE(holds(ctl({"status", "--json"}).out, "\"mode\":\"active\""));
  stop_all();
  // What the throttle and the last gate of this process refused never reached the venue.
  const std::string report = read_text(file("report.json"));
  const double by_venue = number_in(report, "orders_rejected", 1e9) -
                          number_in(report, "last_gate", 0) -
                          number_in(report, "local_refusals", 0);
  EXPECT_LE(by_venue, 3) << "an order off the grid closes the instrument: " << report;
  expect_same_replay();
}

TEST_F(Listing, ASettledExpiryEndsItsPositionsAtBothEndsAndTheHedgeFollows) {
  ASSERT_NO_FATAL_FAILURE(start_sim({"--settle-in", "12"}));
  ASSERT_NO_FATAL_FAILURE(start_bot());
  ASSERT_NO_FATAL_FAILURE(arm_or_fail());
  ASSERT_GE(bot_positions().size(), 10u);
  ASSERT_TRUE(eventually(patience, [&] { return counter("instruments_settled") >= 20; }))
      << status() << bot_says();
  EXPECT_TRUE(eventually(patience, [&] {
    const auto ours = bot_positions();
    for (const auto& [name, amount] : ours) {
      if (name != "BTC-PERPETUAL") return false;
    }
    return ours == exchange_positions();
  })) << status();
  EXPECT_TRUE(eventually(patience, [&] { return holds(status(), "\"inside_band\":true"); }))
      << "the options' delta is gone: the hedge is taken off";
  EXPECT_TRUE(holds(ctl({"alerts", "--json"}).out + status() + bot_says(), "settle"));
  EXPECT_EQ(counter("drift_alarms"), 0);
  stop_all();
  expect_same_replay();
}

}  // namespace
}  // namespace gimbal::test
