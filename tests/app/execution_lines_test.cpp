// The execution gap by name, as status and replay show it. Room: tests.
#include <gtest/gtest.h>

#include <array>

#include "ops/app/execution_lines.hpp"

namespace gimbal {
namespace {

GapTotals totals(std::uint64_t fills, std::int64_t shortfall_nano) {
  GapTotals t;
  t.fills = fills;
  t.shortfall_usd = Money{shortfall_nano};
  return t;
}

TEST(ExecutionLines, EveryVenueOfTheConfigHasItsLineTradedThereOrNot) {
  std::vector<VenueConfig> config(2);
  config[0].name = "deribit";
  config[1].name = "second";
  std::array<GapTotals, 3> strategies{totals(2, 7), GapTotals{}, totals(1, -3)};
  std::array<GapTotals, 4> venues{GapTotals{}, totals(3, 4), GapTotals{}, totals(1, 9)};
  const std::vector<ExecutionLine> lines = execution_lines(strategies, venues, config);
  ASSERT_EQ(lines.size(), 5U);
  EXPECT_EQ(lines[0].of, "strategy:delta_hedge");
  EXPECT_EQ(lines[0].fills, 2U);
  EXPECT_EQ(lines[1].shortfall, Money{-3});
  EXPECT_EQ(lines[2].of, "venue:deribit");
  EXPECT_EQ(lines[2].fills, 0U);
  EXPECT_EQ(lines[3].of, "venue:second");
  EXPECT_EQ(lines[3].shortfall, Money{4});
  EXPECT_EQ(lines[4].of, "venue:3") << "fills are not hidden because their venue has no name";
}

}  // namespace
}  // namespace gimbal
