// A venue that misbehaves: the bot stays up, finds out what is true, and ends with nothing resting
// and the exchange's positions.
#include <signal.h>

#include "tests/io/rig.hpp"

namespace gimbal::test {
namespace {

struct Trouble {
  const char* name;
  std::vector<std::string> knobs;
  double orders;        // hedges that must get through in spite of it
  const char* counter;  // of the status report: must be seen; empty: none
  bool counts{true};    // the exchange counts each fault; a plain delay is not counted
};

// Named in failures by gtest.
void PrintTo(const Trouble& t, std::ostream* out) { *out << t.name; }

class Faults : public Rig, public ::testing::WithParamInterface<Trouble> {};

TEST_P(Faults, TheBotSurvivesAndEndsWithTheExchangesTruth) {
  const Trouble& trouble = GetParam();
  ASSERT_NO_FATAL_FAILURE(start_sim(trouble.knobs));
  ASSERT_NO_FATAL_FAILURE(start_bot());
  ASSERT_NO_FATAL_FAILURE(arm_or_fail());
  EXPECT_TRUE(wait_for_orders(trouble.orders)) << status();
  const std::string counter = trouble.counter;
  if (!counter.empty()) {
    EXPECT_TRUE(eventually(Patience{15000 * patience_factor},
                           [&] { return number_in(status(), counter) > 0; }))
        << counter << ' ' << status();
  }
  Finished killed;
  EXPECT_TRUE(eventually(Patience{15000 * patience_factor},
                         [&] {
                           killed = kill();
                           return killed.code == 0;
                         }))
      << killed.out << killed.err;
  // Unknown orders are looked up, lost fills are found by the next reconciliation.
  EXPECT_TRUE(eventually(Patience{15000 * patience_factor},
                         [&] {
                           return number_in(status(), "orders_unknown") == 0 &&
                                  bot_positions() == exchange_positions();
                         }))
      << ctl({"positions", "--json"}).out << exchange("private/get_positions?currency=BTC");
  EXPECT_EQ(bot_.stop(SIGTERM, Patience{20000 * patience_factor}), 0) << bot_says();
  const std::string closing = stop_sim();
  EXPECT_EQ(number_in(closing, "orders_resting"), 0) << closing;
  if (trouble.counts) { EXPECT_GT(number_in(closing, "frames_faulted"), 0) << "no fault fired"; }
  const Finished again = replay();
  EXPECT_EQ(text_in(again.out, "verdict"), "same") << again.out << again.err;
}

// Under ThreadSanitizer those that end connections: the others are data to the same threads.
std::vector<Trouble> troubles() {
  std::vector<Trouble> all{{"malformed", {"--malformed", "0.003"}, 10, "malformed"},
                           {"disconnects", {"--disconnect", "0.001"}, 10, ""}};
#if !defined(__SANITIZE_THREAD__)
  all.insert(all.end(), {{"gaps", {"--gap", "0.01"}, 10, "gaps"},
                         {"drops", {"--drop", "0.003"}, 10, ""},
                         {"duplicates", {"--duplicate", "0.02"}, 10, ""},
                         {"reordered", {"--reorder", "0.005"}, 10, ""},
                         {"delays", {"--delay", "20000"}, 10, "", false},
                         {"lost_acknowledgements", {"--ack-lost", "0.2"}, 10, ""},
                         {"lost_fills", {"--fill-lost", "0.2"}, 10, ""},
                         {"throttling", {"--throttle", "0.1"}, 10, ""}});
#endif
  return all;
}
INSTANTIATE_TEST_SUITE_P(Venue, Faults, ::testing::ValuesIn(troubles()),
                         [](const auto& made) { return std::string{made.param.name}; });

}  // namespace
}  // namespace gimbal::test
