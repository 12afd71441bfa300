// The one way past a CANCEL: what the pass of a FLATTEN lets through, and everything that ends it.
#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "engine/runtime/gate_page.hpp"
#include "tests/runtime/temp_dir.hpp"

namespace gimbal {
namespace {

const OrderScopes order_scopes{VenueId{1}, StrategyId{15}, UnderlyingId{3}, InstrumentId{4}};
const std::vector<Scope> covering{{ScopeLevel::global, 0},     {ScopeLevel::venue, 1},
                                  {ScopeLevel::account, 1},    {ScopeLevel::strategy, 15},
                                  {ScopeLevel::underlying, 3}, {ScopeLevel::instrument, 4}};

class FlattenPassTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(gate.create(dir.file("gate"), 1));
    ASSERT_TRUE(stop.create(dir.file("stop")));
    gate.loosen({}, Mode::active);
    sender.emplace(gate, stop, gate.register_sender());
  }
  // Whether a slice of the job, and whether any other order, passes.
  bool slice() { return sent(true); }
  bool other() { return sent(false); }
  bool sent(bool flattens) {
    if (!sender->enter(order_scopes, OrderId{1}, 1, true, flattens)) return false;
    sender->leave();
    return true;
  }
  void grant(Scope s) {
    gate.loosen(s, Mode::cancel);
    gate.grant_pass(s, stop.requests());
  }
  void clean(Scope s) {
    gate.revoke_pass();
    gate.loosen(s, Mode::active);
  }
  test::TempDir dir;
  GatePage gate;
  StopPage stop;
  TscClock clock;
  std::optional<SenderGate> sender;
};

TEST_F(FlattenPassTest, LetsOnlySlicesThroughTheCancelOfItsOwnScope) {
  for (const Scope s : covering) {
    gate.loosen(s, Mode::cancel);
    EXPECT_FALSE(slice()) << "without a pass";
    gate.grant_pass(s, stop.requests());
    EXPECT_TRUE(slice()) << static_cast<int>(s.level);
    EXPECT_FALSE(other()) << static_cast<int>(s.level);
    clean(s);
  }
}

TEST_F(FlattenPassTest, IsWorthNothingUnderAnyOtherModeOfItsScope) {
  for (const Scope s : covering) {
    for (const Mode m : {Mode::halt, Mode::lock}) {
      gate.loosen(s, m);
      gate.grant_pass(s, stop.requests());
      EXPECT_FALSE(slice()) << static_cast<int>(s.level) << ' ' << static_cast<int>(m);
      clean(s);
    }
  }
}

TEST_F(FlattenPassTest, EveryOtherScopeStillStopsIt) {
  for (const Scope own : covering) {
    for (const Scope second : covering) {
      if (own == second) continue;
      for (const Mode m : {Mode::halt, Mode::cancel, Mode::lock}) {
        grant(own);
        gate.loosen(second, m);
        EXPECT_FALSE(slice()) << static_cast<int>(own.level) << ' '
                              << static_cast<int>(second.level);
        gate.loosen(second, Mode::reduce);
        EXPECT_TRUE(slice()) << "a REDUCE lets a closing order through";
        gate.loosen(second, Mode::active);
        clean(own);
      }
    }
  }
}

TEST_F(FlattenPassTest, AnOrderOutsideOfItsScopeDoesNotPass) {
  grant({ScopeLevel::instrument, 5});
  gate.loosen({ScopeLevel::instrument, 4}, Mode::cancel);
  EXPECT_FALSE(slice());
}

TEST_F(FlattenPassTest, EverySecondStopOnTheStopPageEndsIt) {
  ASSERT_TRUE(stop.request({}, Mode::cancel, clock.now(), 0, 0));
  grant({});
  EXPECT_TRUE(slice()) << "the stop that was there before is the CANCEL it works under";
  ASSERT_TRUE(stop.request({}, Mode::cancel, clock.now(), 0, 0));
  EXPECT_FALSE(slice()) << "the same stop again changes no word and still counts";
  gate.grant_pass({}, stop.requests());
  EXPECT_TRUE(slice());
  ASSERT_TRUE(stop.request({ScopeLevel::venue, 9}, Mode::halt, clock.now(), 0, 0));
  EXPECT_FALSE(slice()) << "any stop of anybody";
  gate.grant_pass({}, stop.requests());
  ASSERT_TRUE(stop.request({}, Mode::lock, clock.now(), 0, 0));
  gate.grant_pass({}, stop.requests());
  EXPECT_FALSE(slice()) << "LOCK on the page";
}

TEST_F(FlattenPassTest, ClosingItsScopeOrAWiderOneRevokesIt) {
  GateCloser closer{gate, clock};
  const Scope own{ScopeLevel::underlying, 3};
  for (const Scope s : covering) {
    for (const Mode m : {Mode::halt, Mode::cancel}) {
      grant(own);
      (void)closer.close(s, m);
      EXPECT_EQ(gate.has_pass(), s.level > own.level) << static_cast<int>(s.level);
      EXPECT_FALSE(slice()) << "a narrower stop is obeyed as a mode";
      gate.loosen(s, Mode::active);
      clean(own);
    }
  }
  grant(own);
  (void)closer.close({}, Mode::reduce);
  EXPECT_TRUE(gate.has_pass() && slice()) << "a trip never blocks an exit";
}

TEST_F(FlattenPassTest, ARestartRevokesIt) {
  grant({});
  GatePage again;
  ASSERT_TRUE(again.create(dir.file("gate"), 2));
  EXPECT_FALSE(again.has_pass());
  EXPECT_FALSE(slice());
}

}  // namespace
}  // namespace gimbal
