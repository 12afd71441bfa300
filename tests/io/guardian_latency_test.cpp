// K-04, times: how long after the bot is killed or stopped the guardian's first cancel is with the
// kernel. 20 runs each; GIMBAL_GUARDIAN_RUNS asks for more, GIMBAL_GUARDIAN_MISS (in ms) for
// another miss: the default is wide, because a busy host may not run a thread of the bot for a
// while.
#include <signal.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "tests/io/guardian_rig.hpp"

namespace gimbal::test {
namespace {

std::int64_t mono_ns() {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * std::int64_t{1'000'000'000} + t.tv_nsec;
}

std::string setting(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : otherwise;
}

// How late this machine wakes a thread that wants to run, worst of a second: what a busy host adds
// to any figure here.
double lateness_ms() {
  double worst = 0;
  for (int i = 0; i < 500; ++i) {
    const std::int64_t before = mono_ns();
    const timespec nap{0, 1'000'000};
    ::nanosleep(&nap, nullptr);
    worst = std::max(worst, static_cast<double>(mono_ns() - before) * 1e-6 - 1);
  }
  return worst;
}

struct Times {
  std::vector<double> ms;
  [[nodiscard]] double at(double share) {
    std::sort(ms.begin(), ms.end());
    const auto n = static_cast<double>(ms.size());
    return ms[std::min(ms.size() - 1, static_cast<std::size_t>(share * n))];
  }
};

class GuardianLatency : public Guarded {
 protected:
  GuardianLatency() : allowance_{4 * lateness_ms() * patience_factor} {
    miss_ = setting("GIMBAL_GUARDIAN_MISS", "1000ms");
  }

  [[nodiscard]] static int runs() { return std::stoi(setting("GIMBAL_GUARDIAN_RUNS", "20")); }
  // One fire: its signal is sent, its final proof awaited. False when it did not come.
  bool fire(int signal, const char* cause) {
    const std::size_t before = finals();
    const std::int64_t sent = mono_ns();
    bot_.signal(signal);
    if (!eventually(end_patience, [&] { return finals() > before; })) return false;
    const std::string proof = last_proof();
    EXPECT_TRUE(holds(proof, std::string{"\"cause\":\""} + cause + "\"")) << proof;
    EXPECT_EQ(number_in(proof, "still_open"), 0) << proof;
    const double ns = number_in(proof, "first_cancel_mono_ns") - static_cast<double>(sent);
    EXPECT_GT(ns, 0) << proof;
    times_.ms.push_back(ns * 1e-6);
    after_detection_.ms.push_back(number_in(proof, "first_cancel_ns") * 1e-6);
    return true;
  }
  void report(const char* what) {
    std::printf("%s, %zu runs: first cancel after p50 %.2f ms p99 %.2f ms max %.2f ms", what,
                times_.ms.size(), times_.at(0.5), times_.at(0.99), times_.at(1));
    std::printf(" (after detection p50 %.3f ms max %.3f ms; this host is late by %.2f ms)\n",
                after_detection_.at(0.5), after_detection_.at(1), allowance_ / 4);
  }
  [[nodiscard]] std::size_t fired() const {
    return occurrences(guardian_says(), "\"event\":\"fire\"");
  }

  double allowance_;
  Times times_;
  Times after_detection_;
};

TEST_F(GuardianLatency, K04CancelsSoonAfterTheBotIsKilled) {
  ASSERT_NO_FATAL_FAILURE(start_sim(keys()));
  ASSERT_NO_FATAL_FAILURE(start_bot(setup()));
  ASSERT_NO_FATAL_FAILURE(start_guardian());
  for (int i = 0; i < runs(); ++i) {
    if (i > 0) { ASSERT_NO_FATAL_FAILURE(start_bot(setup())); }
    ASSERT_TRUE(fire(SIGKILL, "death")) << guardian_says();
    (void)bot_.wait(end_patience);
    // Each boot preallocates half a gigabyte: a thousand would fill the disk.
    std::filesystem::remove_all(file("journal"));
  }
  report("SIGKILL");
  EXPECT_LE(times_.at(0.5), 25 + allowance_) << "row: p99 25 ms";
  EXPECT_LE(times_.at(1), 100 + allowance_) << "row: max 100 ms";
  EXPECT_EQ(fired(), static_cast<std::size_t>(runs())) << "a false fire";
}

TEST_F(GuardianLatency, K04CancelsSoonAfterTheBotIsStopped) {
  const double miss_ms = std::stod(miss_);
  ASSERT_NO_FATAL_FAILURE(start_sim(keys()));
  ASSERT_NO_FATAL_FAILURE(start_bot(setup()));
  ASSERT_NO_FATAL_FAILURE(start_guardian());
  for (int i = 0; i < runs(); ++i) {
    ASSERT_NO_FATAL_FAILURE(arm_or_fail());
    ASSERT_TRUE(fire(SIGSTOP, "hang")) << guardian_says();
    bot_.signal(SIGCONT);
    ASSERT_TRUE(eventually(end_patience, [&] { return holds(status(), "\"armed\":false"); }));
  }
  report(("SIGSTOP, miss " + miss_).c_str());
  EXPECT_LE(times_.at(0.5), miss_ms + 10 + allowance_) << "row: p99 miss + 10 ms";
  EXPECT_LE(times_.at(1), miss_ms + 80 + allowance_) << "row: max miss + 80 ms";
  EXPECT_EQ(fired(), static_cast<std::size_t>(runs())) << "a false fire";
}

}  // namespace
}  // namespace gimbal::test
