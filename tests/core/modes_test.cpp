// The core's copy of the scope words.
#include "engine/core/modes.hpp"

#include <gtest/gtest.h>

namespace gimbal {
namespace {

ModeTable all_active() {
  ModeTable table;
  EXPECT_TRUE(table.loosen(Scope{}, Mode::active));
  return table;
}

OrderScopes known() { return {VenueId{1}, StrategyId{2}, UnderlyingId{3}, InstrumentId{4}}; }

TEST(ModeTable, BootsInHaltAndIsActiveOnlyWhenTold) {
  EXPECT_EQ(ModeTable{}.effective(known()), Mode::halt);
  EXPECT_EQ(all_active().effective(known()), Mode::active);
}

// An id beyond a level's last one is met here before anywhere else: it must never mean "allowed".
TEST(ModeTable, AScopeOutsideOfTheTableIsLocked) {
  const ModeTable table = all_active();
  OrderScopes o = known();
  o.venue = VenueId{venues_max};
  EXPECT_EQ(table.effective(o), Mode::lock);
  o = known();
  o.strategy = StrategyId{strategies_max};
  EXPECT_EQ(table.effective(o), Mode::lock);
  o = known();
  o.underlying = UnderlyingId{underlyings_max};
  EXPECT_EQ(table.effective(o), Mode::lock);
  o = known();
  o.instrument = InstrumentId{instruments_max};
  EXPECT_EQ(table.effective(o), Mode::lock);
  for (const ScopeLevel level : {ScopeLevel::venue, ScopeLevel::account, ScopeLevel::strategy,
                                 ScopeLevel::underlying, ScopeLevel::instrument}) {
    const auto last = static_cast<std::uint16_t>(scope_count(level) - 1);
    EXPECT_EQ(table.at(Scope{level, last}), Mode::active);
    EXPECT_EQ(table.at(Scope{level, static_cast<std::uint16_t>(last + 1)}), Mode::lock);
  }
}

TEST(ModeTable, AScopeOutsideOfTheTableTakesNoMode) {
  ModeTable table = all_active();
  const Scope beyond{ScopeLevel::instrument, instruments_max};
  EXPECT_FALSE(table.tighten(beyond, Mode::cancel));
  EXPECT_FALSE(table.loosen(beyond, Mode::active));
  EXPECT_EQ(table.at(beyond), Mode::lock);
}

}  // namespace
}  // namespace gimbal
