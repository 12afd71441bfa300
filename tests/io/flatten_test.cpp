// FLATTEN through gimbalctl over the real programs: a short-gamma book with its hedge is closed, or
// what is left is named; and everything that must refuse or end it.
#include <signal.h>

#include "tests/io/rig.hpp"

namespace gimbal::test {
namespace {

constexpr Patience stop_patience{20000 * patience_factor};
constexpr Patience flatten_patience{150000 * patience_factor};

class Flatten : public Rig {
 protected:
  void start_hedged() {
    ASSERT_NO_FATAL_FAILURE(start_sim());
    ASSERT_NO_FATAL_FAILURE(start_bot());
    ASSERT_NO_FATAL_FAILURE(arm_or_fail());
    ASSERT_TRUE(wait_for_orders(3)) << status();
  }
  Finished flatten(std::vector<std::string> more) {
    std::vector<std::string> argv{"flatten", "--json", "--yes",      "--reason", "test",
                                  "--wait",  "120s",   "--max-loss", "500000"};
    argv.insert(argv.end(), more.begin(), more.end());
    return ctl(argv, flatten_patience);
  }
  // The lines of the answer: plan, first proof, last proof.
  static std::string last_line(const std::string& out) {
    const std::size_t end = out.find_last_not_of('\n');
    const std::size_t begin = out.rfind('\n', end);
    return out.substr(begin == std::string::npos ? 0 : begin + 1);
  }
};

TEST_F(Flatten, ClosesTheBookAndItsHedgeOrNamesWhatIsLeftAndReplaysTheSame) {
  ASSERT_NO_FATAL_FAILURE(start_hedged());
  ASSERT_GT(exchange_positions().size(), 5u);
  const Finished ran = flatten({"--options"});
  const std::string end = last_line(ran.out);
  ASSERT_TRUE(ran.code == 0 || ran.code == 5) << ran.out << ran.err;
  EXPECT_EQ(occurrences(ran.out, "\n"), 3u) << "plan, first proof, last proof: " << ran.out;
  EXPECT_TRUE(holds(end, "\"done\":true")) << end;
  EXPECT_TRUE(holds(end, "\"verified\":true")) << end;
  EXPECT_TRUE(holds(end, "\"resolved\":true")) << end;
  const auto left = exchange_positions();
  EXPECT_EQ(left.count("BTC-PERPETUAL"), 0u) << "the future has a book: it must be closed";
  EXPECT_EQ(ran.code == 0, left.empty()) << end;
  for (const auto& [name, amount] : left) {
    EXPECT_TRUE(holds(end, "\"instrument\":\"" + name + "\"")) << name << ' ' << amount << end;
  }
  EXPECT_GE(number_in(end, "orders"), 1) << end;
  const std::string shown = status();
  EXPECT_TRUE(holds(shown, "\"mode\":\"cancel\"")) << shown;
  EXPECT_TRUE(holds(shown, "\"phase\":\"ended\"")) << shown;
  const double sent = number_in(shown, "orders_sent");
  const timespec watch{1, 0};
  ::nanosleep(&watch, nullptr);
  EXPECT_EQ(number_in(status(), "orders_sent"), sent);
  EXPECT_EQ(bot_.stop(SIGTERM, stop_patience), 0) << bot_says();
  const std::string closing = stop_sim();
  EXPECT_EQ(number_in(closing, "orders_resting"), 0) << closing;
  EXPECT_EQ(number_in(closing, "rate_limit_errors"), 0) << closing;
  const Finished again = replay();
  EXPECT_EQ(text_in(again.out, "verdict"), "same") << again.out << again.err;
}

TEST_F(Flatten, OneInstrumentIsClosedWhileTheRestIsNotStopped) {
  ASSERT_NO_FATAL_FAILURE(start_hedged());
  const Finished ran = flatten({"instrument:BTC-PERPETUAL"});
  EXPECT_EQ(ran.code, 0) << ran.out << ran.err;
  const auto left = exchange_positions();
  EXPECT_EQ(left.count("BTC-PERPETUAL"), 0u);
  EXPECT_GT(left.size(), 5u) << "the options stay";
  const std::string shown = status();
  EXPECT_TRUE(holds(shown, "\"mode\":\"active\"")) << shown;
  EXPECT_TRUE(holds(shown, "instrument:BTC-PERPETUAL")) << shown;
}

TEST_F(Flatten, WithoutAnAnswerOrUnderALockNothingIsChanged) {
  ASSERT_NO_FATAL_FAILURE(start_hedged());
  const Finished unasked =
      ctl({"flatten", "--json", "--reason", "test", "--max-loss", "1000"}, stop_patience);
  EXPECT_EQ(unasked.code, 2) << unasked.out << unasked.err;
  EXPECT_TRUE(holds(unasked.out, "\"plan\":true")) << unasked.out;
  EXPECT_TRUE(holds(status(), "\"mode\":\"active\"")) << status();
  EXPECT_EQ(ctl({"flatten", "--yes", "--reason", "test"}).code, 2) << "no loss limit";
  const Finished strategy = flatten({"strategy:delta_hedge"});
  EXPECT_EQ(strategy.code, 3) << strategy.out << strategy.err;
  EXPECT_TRUE(holds(status(), "\"mode\":\"active\"")) << status();
  ASSERT_EQ(ctl({"kill", "--mode", "lock", "--reason", "test", "--wait", "10s"}).code, 0);
  const double sent = number_in(status(), "orders_sent");
  const Finished locked = flatten({});
  EXPECT_EQ(locked.code, 3) << locked.out << locked.err;
  EXPECT_TRUE(holds(locked.out, "LOCKED")) << locked.out;
  EXPECT_EQ(number_in(status(), "orders_sent"), sent);
}

TEST_F(Flatten, AKillEndsItAndNothingIsSentAfterwards) {
  ASSERT_NO_FATAL_FAILURE(start_hedged());
  Child job{{GIMBALCTL_PATH, "--runtime-dir", file("run"), "flatten", "--json", "--yes",
             "--options", "--reason", "test", "--wait", "120s", "--max-loss", "500000"},
            file("flatten.out"),
            file("flatten.err")};
  ASSERT_TRUE(eventually(stop_patience, [&] {
    return holds(status(), "\"phase\":\"closing\"") || !job.running();
  })) << status();
  const Finished killed = kill();
  ASSERT_EQ(killed.code, 0) << killed.out << killed.err << status();
  const double sent = number_in(status(), "orders_sent");
  EXPECT_EQ(job.wait(stop_patience), 5) << read_text(file("flatten.out"));
  EXPECT_TRUE(holds(read_text(file("flatten.out")), "by_operator"))
      << read_text(file("flatten.out"));
  const timespec watch{1, 0};
  ::nanosleep(&watch, nullptr);
  EXPECT_EQ(number_in(status(), "orders_sent"), sent);
  EXPECT_EQ(bot_.stop(SIGTERM, stop_patience), 0) << bot_says();
  EXPECT_EQ(number_in(stop_sim(), "orders_resting"), 0);
}

}  // namespace
}  // namespace gimbal::test
