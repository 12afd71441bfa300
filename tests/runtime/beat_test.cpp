// Heartbeats: the writer's side on a real clock, the watcher's side on a scripted one.
#include <gtest/gtest.h>

#include "engine/runtime/beat.hpp"

namespace gimbal {
namespace {

TEST(HotBeat, BeatsOnceAMillisecondHoweverOftenTheLoopTurns) {
  const TscClock clock;
  BeatLine line;
  HotBeat beat{line, clock};
  const RecvTime begin = clock.now();
  std::uint64_t turns = 0;
  while (clock.now() - begin < milliseconds(50)) {
    beat.tick();
    ++turns;
  }
  EXPECT_GT(turns, 1000u);
  // A loaded host may take the processor away; it cannot make beats come early.
  EXPECT_LE(line.beats.load(), 51u);
  EXPECT_GE(line.beats.load(), 5u);
  EXPECT_GE(line.mono_ns.load(), begin.mono_ns);
}

TEST(HotBeat, WorksOnAClockWithoutATimeStampCounter) {
  const TscClock clock{TscClock::Source::system};
  BeatLine line;
  HotBeat beat{line, clock, microseconds(100)};
  const std::uint64_t first = line.beats.load();
  const RecvTime begin = clock.now();
  while (clock.now() - begin < milliseconds(5)) beat.tick();
  EXPECT_GT(line.beats.load(), first);
}

TEST(HotBeat, SaysWhenItsThreadEndsInOrder) {
  const TscClock clock;
  BeatLine line;
  {
    HotBeat beat{line, clock};
    EXPECT_EQ(line.state.load(), 1u);
  }
  EXPECT_EQ(line.state.load(), 0u);
}

TEST(SilenceWatch, GrowsWhileTheBeatStandsStillAndEndsWithTheNextBeat) {
  SilenceWatch watch;
  RecvTime now{1000};
  EXPECT_EQ(watch.look(7, now), Nanos{});
  for (int ms = 1; ms <= 20; ++ms) {
    now = now + milliseconds(1);
    EXPECT_EQ(watch.look(7, now), milliseconds(ms));
  }
  now = now + milliseconds(1);
  EXPECT_EQ(watch.look(8, now), Nanos{});
}

// K-04: a false fire is a counted defect. A host that was suspended suspends both sides.
TEST(SilenceWatch, ItsOwnPauseCountsFiveMillisecondsAtMost) {
  SilenceWatch watch;
  RecvTime now{1000};
  (void)watch.look(7, now);
  now = now + seconds(30);
  EXPECT_EQ(watch.look(7, now), milliseconds(5));
  now = now + milliseconds(1);
  EXPECT_EQ(watch.look(7, now), milliseconds(6));
}

TEST(SilenceWatch, AWatcherThatIsAlwaysLateStillGetsThereInTheEnd) {
  SilenceWatch watch;
  RecvTime now{1000};
  Nanos silent{};
  int looks = 0;
  for (; silent < milliseconds(20) && looks < 100; ++looks) {
    silent = watch.look(7, now);
    now = now + milliseconds(50);
  }
  EXPECT_EQ(looks, 5);
}

}  // namespace
}  // namespace gimbal
