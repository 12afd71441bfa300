// The fault schedule: pure, seeded, with the rates it was asked for.
#include "venues/sim/faults.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace gimbal::sim {
namespace {

TEST(Faults, DecisionsDependOnSeedStreamAndOrdinalOnly) {
  FaultConfig c;
  c.drop = c.gap = c.duplicate = 0.1;
  c.jitter = microseconds(100);
  const FaultSchedule a{c};
  const FaultSchedule b{c};
  c.seed = 2;
  const FaultSchedule other{c};
  int differ = 0;
  for (std::uint64_t n = 5'000; n-- > 0;) {
    ASSERT_EQ(a.frame(FrameKind::book, 1, n), b.frame(FrameKind::book, 1, n));
    ASSERT_EQ(a.latency(1, n), b.latency(1, n));
    differ += a.frame(FrameKind::book, 1, n) != other.frame(FrameKind::book, 1, n) ? 1 : 0;
  }
  EXPECT_GT(differ, 500);
}

TEST(Faults, RatesAreThoseAskedFor) {
  FaultConfig c;
  c.drop = 0.05;
  c.gap = 0.02;
  const FaultSchedule s{c};
  int drops = 0;
  int gaps = 0;
  for (std::uint64_t n = 0; n < 100'000; ++n) {
    const FrameFault f = s.frame(FrameKind::book, 3, n);
    drops += f == FrameFault::drop ? 1 : 0;
    gaps += f == FrameFault::gap ? 1 : 0;
    ASSERT_NE(s.frame(FrameKind::reply, 3, n), FrameFault::gap);
  }
  EXPECT_NEAR(drops, 5'000, 300);
  EXPECT_NEAR(gaps, 1'900, 200);
}

TEST(Faults, OneProbabilityDoesNotMoveAnothersDecisions) {
  FaultConfig c;
  c.drop = 0.1;
  const FaultSchedule plain{c};
  c.fill_lost = 0.5;
  c.jitter = microseconds(10);
  const FaultSchedule more{c};
  for (std::uint64_t n = 0; n < 5'000; ++n) {
    ASSERT_EQ(plain.frame(FrameKind::market, 0, n), more.frame(FrameKind::market, 0, n));
  }
}

TEST(Faults, NoFaultsWithoutProbabilities) {
  const FaultSchedule s{FaultConfig{}};
  for (std::uint64_t n = 0; n < 1'000; ++n) {
    ASSERT_EQ(s.frame(FrameKind::book, 0, n), FrameFault::none);
    ASSERT_EQ(s.request(0, n), RequestFault::none);
    ASSERT_FALSE(s.fill_lost(0, n));
    ASSERT_EQ(s.latency(0, n), Nanos{0});
  }
}

TEST(Faults, DamageLiesInsideTheFrame) {
  const FaultSchedule s{FaultConfig{}};
  for (std::uint64_t n = 0; n < 1'000; ++n) ASSERT_LT(s.damage_at(0, n, 17), 17u);
  EXPECT_EQ(s.damage_at(0, 1, 0), 0u);
}

TEST(Faults, AProbabilityOutsideItsRangeIsRefused) {
  FaultConfig c;
  c.ack_lost = 1.5;
  EXPECT_THROW(FaultSchedule{c}, std::invalid_argument);
  c.ack_lost = 0;
  c.jitter = Nanos{-1};
  EXPECT_THROW(FaultSchedule{c}, std::invalid_argument);
}

}  // namespace
}  // namespace gimbal::sim
