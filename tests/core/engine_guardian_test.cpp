// K-04 in the core: no arm without a live guardian, REDUCE when it stays away.
#include <gtest/gtest.h>

#include "tests/support/engine_fixture.hpp"

namespace gimbal {
namespace {

struct GuardedEngine : EngineTest {
  GuardedEngine() {
    setup.guardian_required = true;
    setup.guardian_loss = seconds(2);
  }
  void guardian(bool live, std::uint64_t fires = 0) {
    GuardianStatus s;
    s.live = live ? 1 : 0;
    s.fires = fires;
    send(EventKind::guardian_status, s);
  }
  std::vector<Trip> raised() const {
    std::vector<Trip> all;
    for (const Command& c : seen) {
      if (c.kind() == CommandKind::raise) all.push_back(c.raise());
    }
    return all;
  }
  void to_guarded() {
    go();
    guardian(true);
    to_armed();
    seen.clear();
  }
};

TEST_F(GuardedEngine, K04RefusesToArmWithoutALiveGuardian) {
  go();
  gateway(GatewayState::ready);
  clock();
  reconcile(ReconcilePhase::begin);
  reconcile(ReconcilePhase::complete);
  operate(OperatorAction::arm);
  EXPECT_EQ(answer(), OperatorResult::refused_guardian);
  guardian(true);
  guardian(false);
  operate(OperatorAction::arm);
  EXPECT_EQ(answer(), OperatorResult::refused_guardian);
  EXPECT_EQ(engine->snapshot().global, Mode::halt);
  EXPECT_FALSE(engine->snapshot().guardian_live);
  guardian(true);
  operate(OperatorAction::arm);
  EXPECT_EQ(answer(), OperatorResult::accepted);
  EXPECT_TRUE(engine->snapshot().guardian_live);
}

TEST_F(GuardedEngine, K04AWaivedGuardianIsNotAskedFor) {
  setup.guardian_required = false;
  go();
  to_armed();
  guardian(true);
  guardian(false);
  run(seconds(5));
  EXPECT_EQ(engine->snapshot().global, Mode::active);
}

TEST_F(GuardedEngine, K04ALostGuardianMeansReduceAfterTwoSecondsNotBefore) {
  to_guarded();
  guardian(false);
  run(milliseconds(1999));
  EXPECT_EQ(engine->snapshot().global, Mode::active);
  ASSERT_EQ(raised().size(), 1U) << "the loss itself is an alert";
  EXPECT_EQ(raised().back().mode, Mode::active);
  run(milliseconds(2));
  EXPECT_EQ(engine->snapshot().global, Mode::reduce);
  ASSERT_EQ(raised().size(), 2U);
  EXPECT_EQ(raised().back().code, TripCode::guardian_lost);
  EXPECT_EQ(raised().back().severity, Severity::critical);
  EXPECT_EQ(raised().back().limit, seconds(2).count);
  EXPECT_GE(raised().back().actual, seconds(2).count);
  guardian(true);
  run(seconds(1));
  EXPECT_EQ(engine->snapshot().global, Mode::reduce) << "nothing loosens by itself";
}

TEST_F(GuardedEngine, K04AGuardianThatComesBackInTimeChangesNothing) {
  to_guarded();
  for (int i = 0; i < 3; ++i) {
    guardian(false);
    run(milliseconds(1900));
    guardian(true);
    run(milliseconds(200));
  }
  EXPECT_EQ(engine->snapshot().global, Mode::active);
}

TEST_F(GuardedEngine, K04LosingItNeverLoosensAKill) {
  to_guarded();
  operate(OperatorAction::kill);
  guardian(false);
  run(seconds(3));
  EXPECT_EQ(engine->snapshot().global, Mode::cancel);
}

TEST_F(GuardedEngine, K04WithoutItARestingOrderThatGrowsIsCancelledAndAReducingOneStays) {
  go();
  guardian(true);
  to_armed(50000, 5000);
  const PlaceOrder grows = resting(49000, 1000, Side::buy);
  const PlaceOrder reduces = resting(51000, 1000, Side::sell);
  guardian(false);
  seen.clear();
  run(milliseconds(2100));
  EXPECT_EQ(count(CommandKind::cancel), 1U);
  EXPECT_EQ(state(grows), OrderState::pending_cancel);
  EXPECT_EQ(state(reduces), OrderState::live);
}

}  // namespace
}  // namespace gimbal
