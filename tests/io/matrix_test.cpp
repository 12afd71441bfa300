// Every topology with every way of waiting: trades, stops cleanly, and leaves a journal whose
// replay gives the same commands.
#include <signal.h>

#include "tests/io/rig.hpp"

namespace gimbal::test {
namespace {

struct Arrangement {
  const char* topology;
  const char* poller;
};

// Named in failures by gtest.
void PrintTo(const Arrangement& a, std::ostream* out) { *out << a.topology << '_' << a.poller; }

class Matrix : public Rig, public ::testing::WithParamInterface<Arrangement> {};

TEST_P(Matrix, HedgesStopsCleanlyAndReplaysToTheSameCommands) {
  BotSetup setup;
  setup.topology = GetParam().topology;
  setup.poller = GetParam().poller;
  ASSERT_NO_FATAL_FAILURE(start_sim());
  start_bot(setup, false);
  const bool ready = eventually(Patience{20000 * patience_factor}, [&] {
    return !bot_.running() || holds(status(), "\"reconciled\":true");
  });
  if (!bot_.running() && holds(bot_says(), "gimbal run: poller: io_uring")) {
    GTEST_SKIP() << "io_uring is refused here: " << bot_says();
  }
  ASSERT_TRUE(ready && bot_.running()) << bot_says();
  const std::string shown = status();
  EXPECT_TRUE(holds(shown, "\"topology\":\"" + setup.topology + "\"")) << shown;
  ASSERT_NO_FATAL_FAILURE(arm_or_fail());
  ASSERT_TRUE(wait_for_orders(5)) << status();
  // An order that no tick caused is in no histogram: there may be fewer than orders at first.
  for (const char* hop : {"tick_to_order", "decrypt", "parse", "step", "state", "strategy",
                          "commands", "encode", "send"}) {
    const bool measured = eventually(Patience{20000 * patience_factor}, [&] {
      const std::string shown_now = status();
      const std::size_t at = shown_now.find("\"hop\":\"" + std::string{hop} + '"');
      return at != std::string::npos && number_in(shown_now.substr(at), "count", 0) >= 5;
    });
    EXPECT_TRUE(measured) << hop << ": " << status();
  }
  EXPECT_EQ(kill().code, 0);
  EXPECT_EQ(bot_.stop(SIGTERM, Patience{20000 * patience_factor}), 0) << bot_says();

  const std::string closing = stop_sim();
  EXPECT_EQ(number_in(closing, "orders_resting"), 0) << closing;
  EXPECT_EQ(number_in(closing, "rate_limit_errors"), 0) << closing;
  const Finished again = replay();
  EXPECT_EQ(again.code, 0) << again.out << again.err;
  EXPECT_EQ(text_in(again.out, "verdict"), "same") << again.out;
  EXPECT_GT(number_in(again.out, "digests_compared"), 0) << again.out;
  EXPECT_GE(number_in(again.out, "commands"), 5) << again.out;
}

INSTANTIATE_TEST_SUITE_P(
    Arrangements, Matrix,
    ::testing::Values(Arrangement{"fused", "io_uring"}, Arrangement{"fused", "epoll"},
                      Arrangement{"fused", "spin"}, Arrangement{"pipelined", "io_uring"},
                      Arrangement{"pipelined", "epoll"}, Arrangement{"pipelined", "spin"}),
    [](const auto& made) { return std::string{made.param.topology} + "_" + made.param.poller; });

}  // namespace
}  // namespace gimbal::test
