// The exchange plays recorded frames in place of its own market; the bot marks and hedges on them.
#include <signal.h>

#include "tests/io/rig.hpp"
#include "tests/support/shared_data.hpp"

namespace gimbal::test {
namespace {

using Recorded = Rig;

TEST_F(Recorded, TheBotHedgesAShortGammaBookOnRecordedFrames) {
  const std::string recording = shared_path("data/deribit/cryptofeed_2021_ws_raw.jsonl");
  if (!present(recording)) GTEST_SKIP() << "no recording at " << recording;
  ASSERT_NO_FATAL_FAILURE(start_sim({"--demo-book", "--seed", "7", "--replay", recording}, false));
  ASSERT_NO_FATAL_FAILURE(start_bot());
  ASSERT_NO_FATAL_FAILURE(arm_or_fail());
  EXPECT_TRUE(wait_for_orders(1)) << status();
  EXPECT_TRUE(eventually(Patience{10000 * patience_factor}, [&] {
    return holds(status(), "\"inside_band\":true");
  })) << status();
  const std::string shown = status();
  EXPECT_LT(number_in(shown, "gamma", 0), 0) << "the options are not marked: " << shown;
  EXPECT_EQ(number_in(shown, "malformed"), 0) << shown;
  EXPECT_EQ(ctl({"kill", "--json", "--reason", "test", "--wait", "10s"}).code, 0);
  EXPECT_EQ(bot_.stop(SIGTERM, Patience{20000 * patience_factor}), 0) << bot_says();
  const std::string closing = stop_sim();
  EXPECT_GE(number_in(closing, "fills"), 1) << closing;
  EXPECT_EQ(number_in(closing, "orders_resting"), 0) << closing;
  EXPECT_EQ(number_in(closing, "rate_limit_errors"), 0) << closing;
  EXPECT_EQ(text_in(replay().out, "verdict"), "same");
}

TEST_F(Recorded, AnExchangeThatCannotSayThatItIsReadyEndsAndSaysWhy) {
  Child sim{{GIMBAL_SIM_PROGRAM, "--port", "0", "--tls-dir", file("tls"), "--ready-file",
             file("nowhere/ready")},
            file("sim.out"),
            file("sim.err")};
  EXPECT_EQ(sim.wait(Patience{20000 * patience_factor}), 1);
  EXPECT_TRUE(holds(read_text(file("sim.err")), "nowhere/ready")) << read_text(file("sim.err"));
}

}  // namespace
}  // namespace gimbal::test
