// The short form of the simulation tester, and proof that it can fail: every invariant is tripped
// by a bug planted for it.
#include <gtest/gtest.h>

#include <cstdlib>
#include <ostream>

#include "tests/simtest/run.hpp"

namespace gimbal::simtest {

inline void PrintTo(const PlantRow& row, std::ostream* out) { *out << row.name; }

namespace {

// How many seeds: GIMBAL_SEEDS, 40 unless told.
std::uint64_t seeds() {
  const char* text = std::getenv("GIMBAL_SEEDS");
  return text == nullptr ? 40 : std::strtoull(text, nullptr, 10);
}

RunOptions options(std::uint64_t seed, std::string_view faults) {
  RunOptions o;
  o.seed = seed;
  std::string error;
  EXPECT_TRUE(parse_faults(faults, o.faults, error)) << error;
  return o;
}

TEST(Simtest, HoldsItsInvariantsUnderEverySwarmOfFaults) {
  std::uint64_t orders = 0;
  std::uint64_t fills = 0;
  for (std::uint64_t seed = 1; seed <= seeds(); ++seed) {
    const RunOptions o = options(seed, "all");
    const RunResult r = run_seed(o);
    ASSERT_TRUE(r.ok()) << r.invariant << ": " << r.text << "\n" << command_line(o);
    orders += r.orders;
    fills += r.fills;
  }
  EXPECT_GT(orders, 10 * seeds());  // it trades, or nothing was tested
  EXPECT_GT(fills, seeds());
}

TEST(Simtest, EveryFaultAloneFiresAndIsSurvived) {
  for (const FaultRow& row : fault_rows()) {
    bool fired = false;
    for (std::uint64_t seed = 1; seed <= 12 && !fired; ++seed) {
      const RunOptions o = options(seed, row.name);
      const RunResult r = run_seed(o);
      ASSERT_TRUE(r.ok()) << r.invariant << ": " << r.text << "\n" << command_line(o);
      fired = r.fired.test(static_cast<std::size_t>(row.fault));
    }
    EXPECT_TRUE(fired) << row.name << " never happened";
  }
}

TEST(Simtest, TheSameSeedGivesTheSameTrace) {
  for (const std::uint64_t seed : {3, 4, 5}) {
    const RunResult r = run_twice(options(seed, "all"));
    EXPECT_TRUE(r.ok()) << r.invariant << ": " << r.text;
  }
  EXPECT_NE(run_seed(options(3, "all")).trace, run_seed(options(4, "all")).trace);
}

TEST(Simtest, JumpsOfTheWallClockChangeNoCommand) {  // I14
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    const RunResult steady = run_seed(options(seed, "none"));
    const RunResult jumping = run_seed(options(seed, "wall_clock_step"));
    EXPECT_TRUE(jumping.ok()) << jumping.invariant << ": " << jumping.text;
    EXPECT_EQ(steady.commands, jumping.commands) << seed;
  }
}

TEST(Simtest, AFailureShrinksToOneLineThatReproducesIt) {
  RunOptions o = options(2, "all");
  o.plant = Plant::end_early;
  const RunResult r = run_seed(o);
  ASSERT_EQ(r.invariant, "I6") << r.text;
  RunOptions small = shrink(o, r.invariant);
  small.until = run_seed(small).events;
  EXPECT_LE(small.faults.count(), 1U) << text_of(small.faults);
  EXPECT_EQ(run_seed(small).invariant, "I6");
  small.until -= 1;
  EXPECT_TRUE(run_seed(small).ok());
  EXPECT_EQ(command_line(small).rfind("gimbal-simtest --seed 2 --faults ", 0), 0U);
}

TEST(Simtest, FaultNamesAreReadBackAndUnknownOnesRefused) {
  FaultSet set;
  std::string error;
  ASSERT_TRUE(parse_faults("ack_lost,restart", set, error));
  EXPECT_EQ(set.count(), 2U);
  EXPECT_EQ(text_of(set), "ack_lost,restart");
  EXPECT_FALSE(parse_faults("ack_lost,meteor", set, error));
  EXPECT_EQ(error, "meteor");
  for (const FaultRow& row : fault_rows()) {
    ASSERT_TRUE(parse_faults(row.name, set, error)) << row.name;
    EXPECT_TRUE(set.test(static_cast<std::size_t>(row.fault))) << row.name;
  }
}

class Planted : public testing::TestWithParam<PlantRow> {};

// What a plant needs to show itself.
std::string_view faults_for(Plant plant) {
  switch (plant) {
    case Plant::hide_gap: return "sequence_gap,session_cut";
    case Plant::leak_after_kill: return "killed";
    case Plant::deaf_queries: return "submit_lost,ack_lost";
    default: return "none";
  }
}

TEST_P(Planted, BugIsCaughtByItsInvariant) {
  const PlantRow row = GetParam();
  std::string seen;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    RunOptions o = options(seed, faults_for(row.plant));
    o.plant = row.plant;
    const RunResult r = row.plant == Plant::ignore_seed ? run_twice(o) : run_seed(o);
    if (r.ok()) continue;
    EXPECT_EQ(r.invariant, row.invariant) << r.text;
    seen = r.invariant;
    break;
  }
  EXPECT_EQ(seen, row.invariant) << "no seed tripped it";
}

INSTANTIATE_TEST_SUITE_P(Simtest, Planted,
                         testing::ValuesIn(plant_rows.begin() + 1, plant_rows.end()),
                         [](const auto& info) { return std::string{info.param.name}; });

}  // namespace
}  // namespace gimbal::simtest
