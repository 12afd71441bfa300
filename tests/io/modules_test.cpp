// The example risk modules, C and Python, beside the real bot: death, hang, return, replay.
#include <signal.h>

#include "tests/io/rig.hpp"

namespace gimbal::test {
namespace {

struct Modules : Rig {
  static constexpr Patience patience{20000 * patience_factor};
  static constexpr const char* tables =
      "\n[[module]]\nname = \"cap\"\nttl = \"2s\"\nrequired = true\n"
      "\n[[module]]\nname = \"spread\"\nttl = \"2s\"\nrequired = false\n";
  Child cap_;
  Child spread_;

  void start_cap() {
    cap_ =
        Child{{GIMBAL_EXAMPLE_MODULE, file("run/module-cap"), "BTC-PERPETUAL", "900000000", "1000"},
              file("cap.out"),
              file("cap.err")};
  }
  void start_spread() {
    spread_ = Child{{"/usr/bin/python3", GIMBAL_SOURCE_DIR "/ops/module/example_module.py",
                     file("run/module-spread"), "BTC-PERPETUAL", "1000", "1000"},
                    file("spread.out"),
                    file("spread.err")};
  }
  [[nodiscard]] std::string of(const std::string& module, const std::string& shown) const {
    const std::size_t at = shown.find("\"module\":\"" + module + '"');
    return at == std::string::npos ? std::string{} : shown.substr(at, shown.find('}', at) - at);
  }
  [[nodiscard]] bool becomes(const std::string& module, const std::string& state) {
    return eventually(patience, [&] { return text_in(of(module, status()), "state") == state; });
  }
  [[nodiscard]] double late_refusals() {
    const std::string shown = status();
    const std::size_t at = shown.find("\"reason\":\"module_late\"");
    return at == std::string::npos ? 0 : number_in(shown.substr(at), "count", 0);
  }
};

TEST_F(Modules, KilledOrHungTheyDenyGrowthAndAReplayAgrees) {
  BotSetup setup;
  setup.tables_extra = tables;
  setup.risk_extra = "hedge_in_reduce = false\n";  // so that most hedges count as growth
  ASSERT_NO_FATAL_FAILURE(start_sim());
  ASSERT_NO_FATAL_FAILURE(start_bot(setup));
  const std::string before = status();
  EXPECT_EQ(text_in(of("cap", before), "state"), "absent") << before;
  EXPECT_TRUE(holds(of("cap", before), "\"denies\":true"));
  EXPECT_TRUE(holds(of("spread", before), "\"denies\":false"));
  start_cap();
  start_spread();
  ASSERT_TRUE(becomes("cap", "live")) << status() << read_text(file("cap.err"));
  ASSERT_TRUE(becomes("spread", "live")) << status() << read_text(file("spread.err"));
  ASSERT_NO_FATAL_FAILURE(arm_or_fail());
  ASSERT_TRUE(wait_for_orders(2)) << status() << bot_says();
  EXPECT_TRUE(holds(ctl({"status"}).out, "module cap live"));

  const auto killed = std::chrono::steady_clock::now();
  EXPECT_EQ(cap_.stop(SIGKILL, patience), 128 + SIGKILL);
  ASSERT_TRUE(becomes("cap", "dead")) << status();
  EXPECT_LT(std::chrono::steady_clock::now() - killed, std::chrono::seconds{2 * patience_factor})
      << "within the time to live";
  EXPECT_TRUE(holds(of("cap", status()), "\"denies\":true"));
  EXPECT_TRUE(eventually(patience, [&] { return late_refusals() > 0; })) << status();
  EXPECT_TRUE(holds(bot_says(), "module_lost")) << bot_says();

  start_cap();
  ASSERT_TRUE(becomes("cap", "live")) << status();
  const double filled = number_in(status(), "orders_filled", 0);
  EXPECT_TRUE(wait_for_orders(filled + 2)) << "nothing was latched: " << status();

  spread_.signal(SIGSTOP);
  EXPECT_TRUE(becomes("spread", "late")) << status();
  EXPECT_TRUE(holds(of("spread", status()), "\"denies\":true"));
  spread_.signal(SIGCONT);
  EXPECT_TRUE(becomes("spread", "live")) << status();

  EXPECT_EQ(spread_.stop(SIGTERM, patience), 0) << read_text(file("spread.err"));
  EXPECT_EQ(cap_.stop(SIGTERM, patience), 0) << read_text(file("cap.err"));
  EXPECT_EQ(bot_.stop(SIGTERM, patience), 0) << bot_says();
  EXPECT_EQ(number_in(stop_sim(), "orders_resting"), 0);
  const Finished again = replay();
  EXPECT_EQ(text_in(again.out, "verdict"), "same") << again.out << again.err;
}

}  // namespace
}  // namespace gimbal::test
