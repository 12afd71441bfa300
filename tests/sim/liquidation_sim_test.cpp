// The ladder against an exchange that liquidates for real. `gimbal-simtest --scenario NAME` runs
// the same; the numbers are printed.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/simtest/scenarios.hpp"

namespace gimbal::simtest {
namespace {

class LiquidationSim : public testing::TestWithParam<std::size_t> {};

TEST_P(LiquidationSim, TheLadderKeepsTheBookThatTheVenueLiquidatesWithoutIt) {
  const Scenario& s = scenarios()[GetParam()];
  const ScenarioOutcome alone = s.run(false);
  const ScenarioOutcome with = s.run(true);
  std::printf("%s\n%s\n", text(s.name, "alone", alone).c_str(),
              text(s.name, "with the ladder", with).c_str());
  EXPECT_EQ(verdict(s, with, alone), "");
  // No ping-pong: the hedge follows the reductions and the drift (twice a second of a day of 86),
  // it does not trade against them. And it does follow: what is left is its band and one step.
  EXPECT_LE(with.hedges, 4 * with.orders + 2 * 86);
  EXPECT_LE(std::abs(with.residual), 0.05 + 0.02);
}

// The last day, the squeeze, is as long as the others together and takes no path of its own.
#if defined(GIMBAL_SANITIZED)
const std::size_t played = scenarios().size() - 1;
#else
const std::size_t played = scenarios().size();
#endif

INSTANTIATE_TEST_SUITE_P(Days, LiquidationSim, testing::Range<std::size_t>(0, played),
                         [](const auto& at) { return std::string{scenarios()[at.param].name}; });

}  // namespace
}  // namespace gimbal::simtest
