// The gate's checks one by one: what an explanation shows must be what the gate decides.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>

#include "engine/core/risk/gate.hpp"
#include "tests/support/gate_fixture.hpp"

namespace gimbal {
namespace {

struct Verdicts : test::Gate {
  std::array<CheckVerdict, pure_checks_max> all{};
  std::size_t count{0};
  void look() {
    const JudgedOrder judged{o, c};
    count = pure_verdicts(judged.facts(), judged.context, limits, all);
  }
  Refusal of(std::string_view name) {
    for (std::size_t i = 0; i < count; ++i) {
      if (all[i].check == name) return all[i].answer.reason;
    }
    ADD_FAILURE() << "no check of this name: " << name;
    return Refusal::none;
  }
};

TEST_F(Verdicts, NameEveryCheckByItsTypeAndPassWhatTheGatePasses) {
  look();
  ASSERT_GE(count, 11U);
  EXPECT_EQ(all[0].check, "Permission");
  for (std::size_t i = 0; i < count; ++i) {
    EXPECT_EQ(all[i].answer.reason, Refusal::none) << all[i].check;
    EXPECT_EQ(all[i].check.find_first_of(" :;[]"), std::string_view::npos) << all[i].check;
  }
  EXPECT_EQ(reason(), Refusal::none);
}

TEST_F(Verdicts, ShowEveryRefusalWhereTheGateStopsAtTheFirst) {
  limits.max_order_lots = 5;
  limits.max_position_lots = 7;
  look();
  EXPECT_EQ(of("OrderSize"), Refusal::order_lots);
  EXPECT_EQ(of("PositionLimit"), Refusal::position_limit);
  EXPECT_EQ(of("PriceCollar"), Refusal::none);
  EXPECT_EQ(reason(), Refusal::order_lots);
}

TEST_F(Verdicts, WriteNoMoreThanThereIsRoomFor) {
  const JudgedOrder judged{o, c};
  std::array<CheckVerdict, 2> two{};
  EXPECT_EQ(pure_verdicts(judged.facts(), judged.context, limits, two), 2U);
  EXPECT_FALSE(two[1].check.empty());
}

}  // namespace
}  // namespace gimbal
