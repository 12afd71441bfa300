// M-02 in the core: the pause that the alert book asks for blocks growth, is no mode, and ends only
// when the book says so.
#include "tests/support/engine_fixture.hpp"

namespace gimbal {
namespace {

struct MonitorPause : EngineTest {
  void pause(OperatorAction action, Scope scope = {}) {
    operate(action, Mode::active, scope, OperatorSource::monitor);
  }
};

TEST_F(MonitorPause, BlocksGrowthEverywhereAndTheEndOfItAllowsItAgain) {
  go();
  to_armed();
  pause(OperatorAction::pause);
  EXPECT_EQ(answer(), OperatorResult::accepted);
  EXPECT_TRUE(engine->snapshot().monitor_pause);
  EXPECT_TRUE(core().growth_blocked(perp));
  EXPECT_TRUE(core().growth_blocked(option));
  order();
  EXPECT_EQ(last_refusal(), Refusal::paused);
  pause(OperatorAction::resume);
  EXPECT_EQ(answer(), OperatorResult::accepted);
  EXPECT_FALSE(engine->snapshot().monitor_pause);
  EXPECT_FALSE(core().growth_blocked(perp));
}

TEST_F(MonitorPause, LetsAnOrderThroughThatReduces) {
  go();
  to_armed(50000, 5000);
  pause(OperatorAction::pause);
  const PlaceOrder shrinks = resting(51000, 1000, Side::sell);
  EXPECT_EQ(state(shrinks), OrderState::live);
}

TEST_F(MonitorPause, IsNoModeAndNeverLoosensOne) {
  go();
  to_armed();
  operate(OperatorAction::kill, Mode::cancel);
  pause(OperatorAction::pause);
  pause(OperatorAction::resume);
  EXPECT_EQ(core().gate().modes().at(Scope{}), Mode::cancel);
}

TEST_F(MonitorPause, OutlastsTimeAndArming) {
  go();
  to_armed();
  pause(OperatorAction::pause);
  run(seconds(10));
  EXPECT_TRUE(core().growth_blocked(perp));
  operate(OperatorAction::arm, Mode::active);
  EXPECT_TRUE(core().growth_blocked(perp));
}

TEST_F(MonitorPause, SaysWhenNothingChangedAndTakesTheGlobalScopeOnly) {
  go();
  to_armed();
  pause(OperatorAction::pause, {ScopeLevel::instrument, perp.value});
  EXPECT_EQ(answer(), OperatorResult::refused_scope);
  EXPECT_FALSE(engine->snapshot().monitor_pause);
  pause(OperatorAction::pause);
  pause(OperatorAction::pause);
  EXPECT_EQ(answer(), OperatorResult::unchanged);
}

}  // namespace
}  // namespace gimbal
