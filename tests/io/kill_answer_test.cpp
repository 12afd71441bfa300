// Each operator's kill is answered by its own proof, whatever else stops the bot meanwhile.
#include <signal.h>

#include "tests/io/rig.hpp"

namespace gimbal::test {
namespace {

constexpr Patience answer_patience{20000 * patience_factor};

class KillAnswer : public Rig {
 protected:
  // An exchange that stands still: nothing about its orders can be proven.
  void start_silent_venue() {
    ASSERT_NO_FATAL_FAILURE(start_sim());
    ASSERT_NO_FATAL_FAILURE(start_bot());
    ASSERT_NO_FATAL_FAILURE(arm_or_fail());
    sim_.signal(SIGSTOP);
  }
  [[nodiscard]] Child operator_kills(const std::string& scope, const std::string& name) {
    return Child{{GIMBALCTL_PROGRAM, "--runtime-dir", file("run"), "kill", "--json", "--reason",
                  name, "--wait", "2s", "--scope", scope},
                 file(name + ".out"),
                 file(name + ".err")};
  }
  [[nodiscard]] bool stopped(const std::string& scope) {
    return eventually(answer_patience, [&] { return holds(status(), scope); });
  }
};

TEST_F(KillAnswer, IsNotTakenFromAHaltThatCameMeanwhile) {
  ASSERT_NO_FATAL_FAILURE(start_silent_venue());
  Child kill = operator_kills("instrument:BTC-PERPETUAL", "one");
  ASSERT_TRUE(stopped("instrument:BTC-PERPETUAL"));
  write_text(file("run/halt"), "");
  EXPECT_EQ(kill.wait(answer_patience), 5);
  const std::string out = read_text(file("one.out"));
  EXPECT_TRUE(holds(bot_says(), "sentinel: ")) << bot_says();
  EXPECT_EQ(text_in(out, "scope"), "instrument:BTC-PERPETUAL") << out;
  EXPECT_EQ(text_in(out, "mode"), "cancel") << out;
  EXPECT_TRUE(holds(out, "\"confirmed\":false")) << out;
  sim_.signal(SIGCONT);
  EXPECT_EQ(bot_.stop(SIGTERM, answer_patience), 0) << bot_says();
}

TEST_F(KillAnswer, IsGivenToBothOfTwoWhoKillAtOnce) {
  ASSERT_NO_FATAL_FAILURE(start_silent_venue());
  Child first = operator_kills("instrument:BTC-PERPETUAL", "one");
  ASSERT_TRUE(stopped("instrument:BTC-PERPETUAL"));
  Child second = operator_kills("underlying:BTC", "two");
  ASSERT_TRUE(stopped("underlying:BTC"));
  sim_.signal(SIGCONT);
  EXPECT_EQ(first.wait(answer_patience), 0) << read_text(file("one.out"));
  EXPECT_EQ(second.wait(answer_patience), 0) << read_text(file("two.out"));
  EXPECT_EQ(text_in(read_text(file("one.out")), "reason"), "one");
  EXPECT_EQ(text_in(read_text(file("two.out")), "reason"), "two");
  EXPECT_EQ(bot_.stop(SIGTERM, answer_patience), 0) << bot_says();
}

}  // namespace
}  // namespace gimbal::test
