// K-04: when the guardian fires, and when it must not.
#include "ops/guardian/bot_watch.hpp"

#include <gtest/gtest.h>

#include "tests/runtime/temp_dir.hpp"

namespace gimbal::guardian {
namespace {

using test::TempDir;

struct BotWatchTest : testing::Test {
  TempDir dir;
  GatePage gate;
  StopPage stop;
  RecvTime now{seconds(100).count};
  WatchLimits limits{milliseconds(20), milliseconds(200), milliseconds(100), seconds(2)};
  std::unique_ptr<BotWatch> watch;
  BeatLine* line{nullptr};
  bool hot_beats{true};
  bool cold_beats{true};
  bool exited{false};

  void SetUp() override {
    ASSERT_TRUE(gate.create(dir.file("gate"), 7));
    ASSERT_TRUE(stop.create(dir.file("stop")));
    watch = std::make_unique<BotWatch>(gate, stop, limits);
    line = gate.register_hot(4242);
    ASSERT_NE(line, nullptr);
    line->state.store(1);
    state(BotState::running);
    EXPECT_EQ(run(milliseconds(300)).cause, FireCause::none);
  }
  void state(BotState s) {
    gate.layout().bot.state.store(static_cast<std::uint32_t>(s), std::memory_order_release);
  }
  // The first alarm within `d`, in steps of a millisecond; elapsed() says when it came.
  Alarm run(Nanos d, Nanos step = milliseconds(1)) {
    const RecvTime begin = now;
    while (now - begin < d) {
      now = now + step;
      if (hot_beats) line->beats.fetch_add(1);
      if (cold_beats) gate.layout().bot.beats.fetch_add(1);
      const Alarm alarm = watch->look(now, exited);
      elapsed = now - begin;
      if (alarm.cause != FireCause::none) return alarm;
    }
    return {};
  }
  Nanos elapsed{};
};

TEST_F(BotWatchTest, K04ADeadProcessFiresAtOnceAndOnce) {
  exited = true;
  EXPECT_EQ(run(milliseconds(1)).cause, FireCause::death);
  EXPECT_EQ(run(seconds(1)).cause, FireCause::none);
  EXPECT_FALSE(watch->watching());
}

TEST_F(BotWatchTest, K04ABotThatLeftInOrderDoesNotFire) {
  for (const BotState s : {BotState::stopped, BotState::absent}) {
    state(s);
    exited = true;
    hot_beats = cold_beats = false;
    EXPECT_EQ(run(seconds(5)).cause, FireCause::none);
    EXPECT_FALSE(watch->watching());
  }
}

TEST_F(BotWatchTest, K04ASilentHotThreadFiresAfterTheMissNotBefore) {
  hot_beats = false;
  EXPECT_EQ(run(limits.miss).cause, FireCause::none);
  const Alarm alarm = run(milliseconds(2));
  EXPECT_EQ(alarm.cause, FireCause::hang);
  EXPECT_EQ(alarm.thread, 4242u);
  EXPECT_LE(elapsed, milliseconds(1));
}

TEST_F(BotWatchTest, K04ASilentColdThreadFiresAfterItsOwnMiss) {
  cold_beats = false;
  EXPECT_EQ(run(limits.cold_miss).cause, FireCause::none);
  EXPECT_EQ(run(milliseconds(2)).cause, FireCause::cold_hang);
}

TEST_F(BotWatchTest, K04AThreadThatEndedInOrderIsNotHanging) {
  line->state.store(0);
  hot_beats = false;
  EXPECT_EQ(run(seconds(2)).cause, FireCause::none);
}

// The whole host stood still: nobody is to blame.
TEST_F(BotWatchTest, K04TimeInWhichTheWatcherDidNotRunIsNoHang) {
  hot_beats = cold_beats = false;
  now = now + seconds(30);
  EXPECT_EQ(run(milliseconds(5)).cause, FireCause::none);
  hot_beats = cold_beats = true;
  EXPECT_EQ(run(seconds(1)).cause, FireCause::none);
}

TEST_F(BotWatchTest, K04AFireIsNotRepeatedUntilTheBotBeatsAgainAndThatIsCountedAsFalse) {
  hot_beats = false;
  ASSERT_EQ(run(milliseconds(50)).cause, FireCause::hang);
  EXPECT_EQ(run(seconds(3)).cause, FireCause::none);
  EXPECT_EQ(watch->false_fires(), 0u);
  hot_beats = true;
  EXPECT_EQ(run(milliseconds(10)).cause, FireCause::none);
  EXPECT_EQ(watch->false_fires(), 1u);
  hot_beats = false;
  EXPECT_EQ(run(milliseconds(50)).cause, FireCause::hang) << "a second hang is told again";
}

TEST_F(BotWatchTest, K04ABotThatDiesAfterItHungIsStillTold) {
  hot_beats = false;
  ASSERT_EQ(run(milliseconds(50)).cause, FireCause::hang);
  exited = true;
  EXPECT_EQ(run(milliseconds(1)).cause, FireCause::death);
}

TEST_F(BotWatchTest, K04AStopThatTheBotDoesNotCarryOutFiresAfterTheWait) {
  for (const Mode mode : {Mode::cancel, Mode::lock}) {
    watch = std::make_unique<BotWatch>(gate, stop, limits);
    const Scope scope{ScopeLevel::instrument, static_cast<std::uint16_t>(mode)};
    stop.request(scope, mode, now, 0, 0);
    EXPECT_EQ(run(limits.stop_wait).cause, FireCause::none);
    const Alarm alarm = run(milliseconds(3));
    EXPECT_EQ(alarm.cause, FireCause::stop_page);
    EXPECT_EQ(alarm.scope, scope);
    stop.clear(scope);
  }
}

TEST_F(BotWatchTest, K04AHaltOnTheStopPageIsNoReasonToCancel) {
  stop.request({}, Mode::halt, now, 0, 0);
  EXPECT_EQ(run(seconds(5)).cause, FireCause::none);
  EXPECT_FALSE(watch->wants_count());
}

TEST_F(BotWatchTest, K04AStopThatWasCarriedOutIsCountedAfterTheConfirmTime) {
  const Scope scope{ScopeLevel::underlying, 3};
  stop.request(scope, Mode::cancel, now, 0, 0);
  EXPECT_EQ(run(milliseconds(50)).cause, FireCause::none);
  gate.tighten(scope, Mode::cancel);
  EXPECT_EQ(run(limits.stop_confirm).cause, FireCause::none);
  EXPECT_FALSE(watch->wants_count());
  EXPECT_EQ(run(milliseconds(3)).cause, FireCause::none);
  ASSERT_TRUE(watch->wants_count());
  EXPECT_EQ(*watch->wants_count(), scope);
  watch->counted(scope, true);
  EXPECT_EQ(run(seconds(5)).cause, FireCause::none);
  EXPECT_FALSE(watch->wants_count());
}

TEST_F(BotWatchTest, K04OrdersThatAreStillOpenAfterTheConfirmTimeFire) {
  stop.request({}, Mode::cancel, now, 0, 0);
  gate.tighten({}, Mode::cancel);
  ASSERT_EQ(run(seconds(3)).cause, FireCause::none);
  ASSERT_TRUE(watch->wants_count());
  watch->counted({}, false);
  EXPECT_EQ(run(milliseconds(2)).cause, FireCause::stop_page);
  EXPECT_EQ(run(seconds(5)).cause, FireCause::none);
}

}  // namespace
}  // namespace gimbal::guardian
