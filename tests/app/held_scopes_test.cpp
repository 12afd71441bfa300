// What an arm command of one scope must leave latched, and what a boot takes over from the pages.
#include "ops/app/held_scopes.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "tests/runtime/temp_dir.hpp"

namespace gimbal {
namespace {

using test::TempDir;

const std::vector<Scope> one_of_each{{ScopeLevel::global, 0},      {ScopeLevel::venue, 0},
                                     {ScopeLevel::account, 15},    {ScopeLevel::strategy, 1},
                                     {ScopeLevel::underlying, 31}, {ScopeLevel::instrument, 16383}};

struct HeldScopes : testing::Test {
  TempDir dir;
  LatchFile latch{dir.file("latch")};
  GatePage gate;
  StopPage stop;

  void SetUp() override {
    ASSERT_TRUE(gate.create(dir.file("gate"), 1));
    ASSERT_TRUE(stop.create(dir.file("stop")));
  }
  void spoil(const std::string& how) {
    std::filesystem::remove(latch.path());
    if (how == "damaged") std::ofstream{latch.path(), std::ios::binary} << "garbage";
  }
  [[nodiscard]] Mode latched(Scope scope) const {
    const LatchState state = latch.load();
    EXPECT_TRUE(state.trusted);
    const auto at = std::find_if(state.entries.begin(), state.entries.end(),
                                 [&](const LatchEntry& e) { return e.scope == scope; });
    return at == state.entries.end() ? Mode::active : at->mode;
  }
};

TEST_F(HeldScopes, K03ArmingOneScopeWithALostLatchKeepsEveryOther) {
  for (const char* how : {"missing", "damaged"}) {
    for (const Scope armed : one_of_each) {
      for (const Scope s : one_of_each) gate.loosen(s, Mode::active);
      gate.tighten({}, Mode::halt);
      for (const Scope s : one_of_each) gate.tighten(s, Mode::cancel);
      spoil(how);
      ASSERT_TRUE(latch.release(armed, held_scopes(gate, armed)));
      for (const Scope s : one_of_each) {
        EXPECT_EQ(latched(s), s == armed ? Mode::active : Mode::cancel)
            << how << static_cast<int>(armed.level) << static_cast<int>(s.level);
      }
    }
  }
}

TEST_F(HeldScopes, K03ANarrowArmCannotGetAroundTheHaltOfALostLatch) {
  for (const char* how : {"missing", "damaged"}) {
    for (const Scope armed : one_of_each) {
      spoil(how);
      ASSERT_TRUE(latch.release(armed, {}));  // even with nothing known but the file
      EXPECT_EQ(latched(Scope{}), armed == Scope{} ? Mode::active : Mode::halt) << how;
    }
  }
}

TEST_F(HeldScopes, K03TheStricterOfFileAndPageStays) {
  const Scope venue{ScopeLevel::venue, 0};
  const Scope coin{ScopeLevel::underlying, 2};
  LatchEntry e;
  e.scope = venue;
  e.mode = Mode::lock;
  ASSERT_TRUE(latch.store({e}));
  gate.tighten(venue, Mode::reduce);
  gate.tighten(coin, Mode::reduce);
  ASSERT_TRUE(latch.release(Scope{}, held_scopes(gate, Scope{})));
  EXPECT_EQ(latched(venue), Mode::lock);
  EXPECT_EQ(latched(coin), Mode::reduce);
  EXPECT_EQ(latched(Scope{}), Mode::active);
}

TEST_F(HeldScopes, K03ABootTakesOverWhatThePagesHoldButNotTheHaltOfTheBootItself) {
  EXPECT_TRUE(left_in_pages(gate, stop).empty());
  gate.tighten({ScopeLevel::venue, 0}, Mode::reduce);
  gate.tighten({ScopeLevel::strategy, 3}, Mode::cancel);
  stop.request({ScopeLevel::strategy, 3}, Mode::halt, RecvTime{1}, 0, 0);
  stop.request({ScopeLevel::instrument, 9}, Mode::lock, RecvTime{1}, 0, 0);
  const std::vector<LatchEntry> left = left_in_pages(gate, stop);
  const auto mode = [&](Scope s) {
    const auto at =
        std::find_if(left.begin(), left.end(), [&](const LatchEntry& e) { return e.scope == s; });
    return at == left.end() ? Mode::active : at->mode;
  };
  EXPECT_EQ(left.size(), 3u);
  EXPECT_EQ(mode({ScopeLevel::venue, 0}), Mode::reduce);
  EXPECT_EQ(mode({ScopeLevel::strategy, 3}), Mode::cancel);
  EXPECT_EQ(mode({ScopeLevel::instrument, 9}), Mode::lock);
  gate.tighten({}, Mode::cancel);
  EXPECT_EQ(left_in_pages(gate, stop).front().mode, Mode::cancel);
  EXPECT_EQ(left_in_pages(gate, stop).front().scope, Scope{});
}

}  // namespace
}  // namespace gimbal
