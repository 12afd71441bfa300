// What a bot refuses to start with: a certificate it cannot trust, a secret that others can read, a
// state directory that is in use.
#include <sys/stat.h>

#include "tests/io/rig.hpp"

namespace gimbal::test {
namespace {

using Trust = Rig;
constexpr Patience end_patience{15000 * patience_factor};

TEST_F(Trust, ACertificateOfAnUnknownAuthorityEndsTheStartAfterOneTry) {
  ASSERT_NO_FATAL_FAILURE(start_sim());
  // Another exchange's authority: real, but not the one that signed this server.
  ::mkdir(file("other").c_str(), 0700);
  const Finished other = run_program({GIMBAL_SIM_PROGRAM, "--port", "0", "--tls-dir", file("other"),
                                      "--duration", "0.2", "--json"},
                                     dir_.path(), end_patience);
  ASSERT_EQ(other.code, 0) << other.err;
  BotSetup setup;
  setup.ca_file = file("other/ca.pem");
  start_bot(setup, false);
  EXPECT_EQ(bot_.wait(end_patience), 1) << bot_says();
  EXPECT_TRUE(holds(bot_says(), "certificate")) << bot_says();
  const std::string closing = stop_sim();
  EXPECT_LE(number_in(closing, "connections"), 2) << "it kept trying: " << closing;
  EXPECT_EQ(number_in(closing, "orders"), 0);
}

TEST_F(Trust, ASecretThatOthersCanReadIsRefused) {
  ASSERT_NO_FATAL_FAILURE(start_sim());
  ::chmod(file("secret/credential").c_str(), 0644);
  start_bot({}, false);
  EXPECT_EQ(bot_.wait(end_patience), 1) << bot_says();
  EXPECT_TRUE(holds(bot_says(), "credential")) << bot_says();
  EXPECT_FALSE(holds(bot_says(), "a-secret-of-the-demo")) << "the secret is in the log";
}

TEST_F(Trust, AMissingSecretIsRefused) {
  ASSERT_NO_FATAL_FAILURE(start_sim());
  BotSetup setup;
  setup.credential = file("secret/nothing-here");
  start_bot(setup, false);
  EXPECT_EQ(bot_.wait(end_patience), 1) << bot_says();
  EXPECT_TRUE(holds(bot_says(), "nothing-here")) << bot_says();
}

TEST_F(Trust, ASecondInstanceOnTheSameStateIsRefusedAndTheFirstGoesOn) {
  ASSERT_NO_FATAL_FAILURE(start_sim());
  ASSERT_NO_FATAL_FAILURE(start_bot());
  const Finished second =
      run_program({GIMBAL_PROGRAM, "run", "-c", file("bot.toml")}, dir_.path(), end_patience);
  EXPECT_EQ(second.code, 1) << second.err;
  EXPECT_TRUE(holds(second.err, "lock")) << second.err;
  EXPECT_TRUE(bot_.running());
  EXPECT_TRUE(holds(status(), "\"reconciled\":true")) << status();
}

}  // namespace
}  // namespace gimbal::test
