// Commands of the core on their way out: trips close the last gate and are never dropped.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "ops/app/hot.hpp"
#include "ops/app/trip_rows.hpp"

namespace gimbal {
namespace {

struct NoDesk {
  bool execute(Command&&) noexcept { return true; }
  void resync(InstrumentId) noexcept {}
};

struct RouterTest : testing::Test {
  std::filesystem::path dir =
      std::filesystem::path{testing::TempDir()} / ("router_" + std::to_string(::getpid()));
  TscClock clock;
  GatePage gate;
  NoDesk desk;
  QueryRing queries{16};
  AlertRing alerts{4};
  std::unique_ptr<GateCloser> closer;
  std::unique_ptr<Router<NoDesk, NoDesk>> router;

  void SetUp() override {
    std::filesystem::create_directories(dir);
    ASSERT_TRUE(gate.create((dir / "gate").string(), 1));
    closer = std::make_unique<GateCloser>(gate, clock);
    router = std::make_unique<Router<NoDesk, NoDesk>>(desk, desk, queries, *closer, alerts);
    gate.loosen(Scope{}, Mode::active);
  }
  void TearDown() override { std::filesystem::remove_all(dir); }
  static Trip trip(Mode mode, Scope scope) {
    Trip t;
    t.code = TripCode::price_drift;
    t.mode = mode;
    t.scope = scope;
    t.actual = 7;
    return t;
  }
};

TEST_F(RouterTest, ATripClosesTheLastGateOfItsScopeBeforeAnybodyIsTold) {
  const Scope scope{ScopeLevel::strategy, 1};
  router->command(Command{trip(Mode::reduce, scope)});
  EXPECT_EQ(gate.at(scope), Mode::reduce);
  EXPECT_EQ(gate.at({}), Mode::active);
  Trip got;
  ASSERT_TRUE(alerts.pop_into(got));
  EXPECT_EQ(got.code, TripCode::price_drift);
  EXPECT_EQ(got.actual, 7);
}

TEST_F(RouterTest, AnAlertLeavesTheGateAsItIs) {
  const Scope scope{ScopeLevel::instrument, 3};
  router->command(Command{trip(Mode::active, scope)});
  EXPECT_EQ(gate.at(scope), Mode::active);
  EXPECT_EQ(alerts.size(), 1U);
}

TEST_F(RouterTest, AFullRingOfTripsIsCountedAndHaltsEverything) {
  for (std::size_t i = 0; i < alerts.capacity(); ++i) {
    router->command(Command{trip(Mode::active, {})});
  }
  EXPECT_EQ(gate.at({}), Mode::active);
  EXPECT_EQ(router->alerts_lost(), 0U);
  router->command(Command{trip(Mode::active, {})});
  EXPECT_EQ(gate.at({}), Mode::halt);
  EXPECT_EQ(router->alerts_lost(), 1U);
}

TEST(TripRows, EveryCodeHasARowAnOwnerAndASentence) {
  for (std::size_t i = 1; i < trip_rows.size(); ++i) {
    const TripRow& r = row_of(static_cast<TripCode>(i));
    EXPECT_EQ(r.row.size(), 4U) << r.name;
    EXPECT_TRUE(r.owner == "risk" || r.owner == "desk" || r.owner == "ops") << r.name;
    EXPECT_FALSE(r.sentence.empty()) << r.name;
  }
  EXPECT_EQ(row_of(static_cast<TripCode>(60000)).name, "none");
}

}  // namespace
}  // namespace gimbal
