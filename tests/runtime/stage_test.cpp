// Runner, idle strategies, timers and thread placement.
#include "engine/runtime/stage.hpp"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sched.h>

#include <chrono>
#include <map>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "engine/runtime/clock.hpp"
#include "engine/runtime/pin.hpp"
#include "engine/runtime/timers.hpp"

namespace gimbal {
namespace {

struct Recorder {
  std::vector<char>* log;
  char name;
  std::size_t work;
  std::size_t do_work() noexcept {
    log->push_back(name);
    return work;
  }
};

std::map<std::string, std::uint64_t> values(const Counters& counters) {
  std::map<std::string, std::uint64_t> out;
  counters.each([&](std::string_view, std::string_view name, std::uint64_t value) {
    out[std::string{name}] = value;
  });
  return out;
}

TEST(Runner, PollsTheControlStageFirstInEveryCycle) {
  std::vector<char> log;
  Recorder control{&log, 'c', 0}, market{&log, 'm', 2}, order{&log, 'o', 0};
  Counters counters{"t"};
  Runner runner{RunnerConfig{}, counters};
  EXPECT_EQ(runner.cycle(control, market, order), 2u);
  EXPECT_EQ(runner.cycle(control, market, order), 2u);
  EXPECT_EQ(std::string(log.begin(), log.end()), "cmocmo");
  EXPECT_EQ(values(counters)["cycles"], 2u);
  EXPECT_EQ(values(counters)["busy_cycles"], 2u);
}

TEST(Runner, CountsACycleOverTheThresholdAsAStall) {
  struct Slow {
    std::size_t do_work() noexcept {
      std::this_thread::sleep_for(std::chrono::milliseconds{3});
      return 0;
    }
  } slow;
  Counters counters{"t"};
  RunnerConfig config;
  config.stall_threshold = milliseconds(1);
  const TscClock clock;
  config.tsc_ghz = clock.uses_tsc() ? clock.tsc_ghz() : 1.0;
  Runner runner{config, counters};
  runner.cycle(slow);
  EXPECT_EQ(values(counters)["stalls"], 1u);
  EXPECT_GT(values(counters)["cycle_max_ns"], 500'000u);
}

TEST(Runner, RunsOneMoreCycleAfterStop) {
  std::vector<char> log;
  Recorder control{&log, 'c', 0};
  Counters counters{"t"};
  Runner runner{RunnerConfig{}, counters};
  const std::atomic<bool> stop{true};
  runner.run(stop, control);
  EXPECT_EQ(log.size(), 1u);
}

TEST(Idle, SleepsOnlyAfterTheConfiguredEmptyCycles) {
  Idle idle{IdleConfig{IdleMode::sleep, 3, milliseconds(20)}};
  const RecvTime begin = monotonic_now();
  idle.after(0);
  idle.after(0);
  idle.after(5);  // work starts the count again
  idle.after(0);
  idle.after(0);
  const RecvTime before = monotonic_now();
  idle.after(0);
  const RecvTime after = monotonic_now();
  EXPECT_LT(before - begin, milliseconds(20));
  EXPECT_GE(after - before, milliseconds(20));
}

TEST(Idle, ReadsItsModeByName) {
  IdleMode mode{};
  EXPECT_TRUE(parse_idle_mode("spin", mode));
  EXPECT_EQ(mode, IdleMode::spin);
  EXPECT_TRUE(parse_idle_mode("sleep", mode));
  EXPECT_EQ(mode, IdleMode::sleep);
  EXPECT_FALSE(parse_idle_mode("Spin", mode));
  EXPECT_FALSE(parse_idle_mode("", mode));
}

TEST(TimerQueue, FiresInOrderOfDueTimeAndTiesInOrderOfArming) {
  TimerQueue timers;
  EXPECT_TRUE(timers.arm({1, RecvTime{30}}));
  EXPECT_TRUE(timers.arm({2, RecvTime{10}}));
  EXPECT_TRUE(timers.arm({3, RecvTime{20}}));
  EXPECT_TRUE(timers.arm({4, RecvTime{10}}));
  TimerFired fired;
  EXPECT_FALSE(timers.pop_due(RecvTime{9}, fired));
  std::vector<std::uint32_t> order;
  while (timers.pop_due(RecvTime{100}, fired)) order.push_back(fired.timer);
  EXPECT_EQ(order, (std::vector<std::uint32_t>{2, 4, 3, 1}));
}

TEST(TimerQueue, ArmingAgainMovesATimerInsteadOfAddingOne) {
  TimerQueue timers;
  EXPECT_TRUE(timers.arm({1, RecvTime{10}}));
  EXPECT_TRUE(timers.arm({1, RecvTime{50}}));
  EXPECT_EQ(timers.size(), 1u);
  TimerFired fired;
  EXPECT_FALSE(timers.pop_due(RecvTime{20}, fired));
  ASSERT_TRUE(timers.pop_due(RecvTime{50}, fired));
  EXPECT_EQ(fired.due.mono_ns, 50);
}

TEST(TimerQueue, RefusesOneTooManyButStillMovesKnownOnes) {
  TimerQueue timers;
  for (std::uint32_t i = 0; i < TimerQueue::timers_max; ++i) {
    EXPECT_TRUE(timers.arm({i, RecvTime{static_cast<std::int64_t>(i)}}));
  }
  EXPECT_FALSE(timers.arm({100'000, RecvTime{1}}));
  EXPECT_TRUE(timers.arm({5, RecvTime{7}}));
}

TEST(Pin, PutsAThreadOnItsCpuAndNamesIt) {
  std::string report, name(16, '\0');
  int cpu = -1;
  std::thread thread{[&] {
    report = apply(ThreadPlan{"gimbal-core-thread", 0, Scheduling::batch, 1});
    pthread_getname_np(pthread_self(), name.data(), name.size());
    cpu = sched_getcpu();
  }};
  thread.join();
  EXPECT_EQ(cpu, 0);
  EXPECT_STREQ(name.c_str(), "gimbal-core-thr");
  EXPECT_NE(report.find("cpu 0"), std::string::npos) << report;
}

TEST(Pin, AThreadWithoutACpuStaysOffThoseOfOthers) {
  std::thread thread{[] {
    cpu_set_t before, after;
    ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
    if (CPU_COUNT(&before) < 2) GTEST_SKIP() << "one processor";
    int hot = 0;
    while (!CPU_ISSET(static_cast<std::size_t>(hot), &before)) ++hot;
    const std::string report = apply(ThreadPlan{"cold", -1, Scheduling::normal, 0, {hot}});
    EXPECT_NE(report.find("any cpu but"), std::string::npos) << report;
    ASSERT_EQ(sched_getaffinity(0, sizeof after, &after), 0);
    EXPECT_FALSE(CPU_ISSET(static_cast<std::size_t>(hot), &after));
    EXPECT_EQ(CPU_COUNT(&after), CPU_COUNT(&before) - 1);
    std::vector<int> every(CPU_SETSIZE);
    std::iota(every.begin(), every.end(), 0);
    EXPECT_NE(keep_thread_off(every).error().find("no other is left"), std::string::npos);
    ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
    EXPECT_TRUE(CPU_EQUAL(&before, &after)) << "a refusal changes nothing";
  }};
  thread.join();
}

TEST(Pin, SaysWhyACpuOrASchedulerWasRefused) {
  EXPECT_NE(pin_thread(-1).error().find("no such cpu -1"), std::string::npos);
  EXPECT_FALSE(pin_thread(1000));
  std::thread thread{[] { EXPECT_FALSE(schedule_thread(Scheduling::fifo, 12345)); }};
  thread.join();
}

TEST(Pin, PrefaultKeepsTheBuffersContents) {
  std::vector<unsigned char> buffer(10'000, 0xAB);
  prefault(buffer.data(), buffer.size());
  EXPECT_EQ(buffer, std::vector<unsigned char>(10'000, 0xAB));
  prefault_stack(64 * 1024);
}

}  // namespace
}  // namespace gimbal
