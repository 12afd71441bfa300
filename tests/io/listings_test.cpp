// Instruments that change while the bot trades on them: listed, redefined, settled; really, at the
// exchange. The journal of each run replays to the same commands.
#include <signal.h>

#include <cstdlib>
#include <iterator>
#include <map>
#include <set>
#include <string>

#include "engine/runtime/gate_page.hpp"
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
  std::set<std::string> options_at_venue() {
    const std::string list = exchange("public/get_instruments?currency=BTC&kind=option");
    const std::string key = "\"instrument_name\":\"";
    std::set<std::string> names;
    for (std::size_t at = list.find(key); at != std::string::npos; at = list.find(key, at + 1)) {
      const std::size_t from = at + key.size();
      names.insert(list.substr(from, list.find('"', from) - from));
    }
    return names;
  }
  // The option in the middle of what is listed now and was not before: the index of another run at
  // that time lists a strike more or less at either end, depending on the host's speed.
  std::string middle_of_new(const std::set<std::string>& before) {
    std::map<double, std::string> by_strike;
    for (const std::string& n : options_at_venue()) {
      const std::size_t strike = n.rfind('-', n.size() - 3) + 1;
      if (before.count(n) == 0) by_strike[std::strtod(n.c_str() + strike, nullptr)] = n;
    }
    if (by_strike.empty()) return {};
    auto middle = by_strike.begin();
    std::advance(middle, by_strike.size() / 2);
    return middle->second;
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

// The message of the listing goes to connections that do not carry it any more. The list would be
// read again after a minute.
TEST_F(Listing, WhatIsListedWhileTheFeedsAreCutOffIsFoundWhenTheySubscribeAgain) {
  ASSERT_NO_FATAL_FAILURE(start_sim({"--silent-in", "8", "--list-in", "9"}));
  ASSERT_NO_FATAL_FAILURE(start_bot());
  EXPECT_TRUE(eventually(patience, [&] { return counter("instruments_listed") >= 20; }))
      << status() << bot_says();
  EXPECT_GE(counter("silent_feeds"), 1) << status();
  stop_all();
}

// Stopped by name, not listed when the bot starts again: held from the moment that it is listed.
TEST_F(Listing, K03AHeldInstrumentThatIsListedLaterIsHeldBeforeItsFirstOrder) {
  ASSERT_NO_FATAL_FAILURE(start_sim({"--list-in", "12"}));
  ASSERT_NO_FATAL_FAILURE(start_bot());
  const std::set<std::string> before = options_at_venue();
  ASSERT_TRUE(eventually(patience, [&] { return counter("instruments_listed") >= 20; }))
      << status() << bot_says();
  const std::string name = middle_of_new(before);
  ASSERT_FALSE(name.empty());
  const Finished held = ctl({"kill", "--json", "--reason", "held", "--mode", "halt", "--scope",
                             "instrument:" + name, "--wait", "10s"});
  ASSERT_EQ(held.code, 0) << name << held.out << held.err;
  stop_all();

  ASSERT_NO_FATAL_FAILURE(start_sim({"--list-in", "12"}));
  ASSERT_NO_FATAL_FAILURE(start_bot());
  EXPECT_TRUE(holds(bot_says(), "latched: " + name + " is not listed now")) << bot_says();
  GatePage gate;
  ASSERT_TRUE(gate.open(file("run/gate"), false));
  const auto held_instruments = [&] {
    std::size_t n = 0;
    gate.each_tightened([&](Scope s, Mode m) {
      if (s.level == ScopeLevel::instrument && m == Mode::halt) ++n;
    });
    return n;
  };
  EXPECT_EQ(held_instruments(), 0u);
  ASSERT_TRUE(eventually(patience, [&] {
    return holds(bot_says(), "latched: " + name + " is listed again and held: held");
  })) << bot_says();
  EXPECT_EQ(held_instruments(), 1u) << "at the last gate";
  stop_all();
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
