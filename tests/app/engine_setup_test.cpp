// What a configuration tells the engine.
#include <gtest/gtest.h>

#include "ops/app/universe.hpp"

namespace gimbal {
namespace {

TEST(EngineSetupOfConfig, TheAgesOfOptionDataAreTheConfiguredOnes) {
  Config config;
  config.portfolio.volatility_age_max = seconds(7);
  config.portfolio.forward_age_max = seconds(9);
  config.surface.use = true;
  config.surface.age_max = seconds(11);
  EngineSetup setup;
  StrategySet strategies;
  (void)make_engine_setup(config, Universe{}, setup, strategies);
  EXPECT_EQ(setup.portfolio.volatility_age_max, seconds(7));
  EXPECT_EQ(setup.portfolio.forward_age_max, seconds(9));
  EXPECT_EQ(setup.portfolio.surface_age_max, seconds(11)) << "that one is of [surface]";
}

}  // namespace
}  // namespace gimbal
