// What ends an arm that waits: any count that moved, and none that stayed.
#include "ops/app/arm_counts.hpp"

#include <gtest/gtest.h>

namespace gimbal {
namespace {

constexpr ArmCounts began{3, 5, 7};

TEST(ArmCounts, NothingThatMovedIsNoObjection) {
  EXPECT_EQ(closed_since(began, began), "");
  EXPECT_EQ(closed_since({}, {}), "");
}

TEST(ArmCounts, AStopAFireOfTheGuardianAndAHaltOfTheRouterAreEachOne) {
  EXPECT_NE(closed_since(began, {4, 5, 7}).find("a stop was written"), std::string::npos);
  EXPECT_NE(closed_since(began, {3, 6, 7}).find("the guardian fired"), std::string::npos);
  EXPECT_NE(closed_since(began, {3, 5, 8}).find("a full ring"), std::string::npos);
}

// A page that was made anew counts from zero: that is a change as well.
TEST(ArmCounts, ACountThatIsSmallerHasMovedToo) {
  EXPECT_NE(closed_since(began, {0, 5, 7}), "");
  EXPECT_NE(closed_since(began, {3, 0, 7}), "");
  EXPECT_NE(closed_since(began, {3, 5, 0}), "");
}

}  // namespace
}  // namespace gimbal
