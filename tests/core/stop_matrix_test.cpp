// Every mode at every scope: what new orders, amendments, cancels and resting orders may do there
// (controls, section 4), and that a stop elsewhere changes nothing.
#include <gtest/gtest.h>

#include <array>
#include <memory>

#include "tests/support/engine_fixture.hpp"

namespace gimbal {
namespace {

const std::array<Scope, 6> scopes{Scope{},
                                  Scope{ScopeLevel::venue, 0},
                                  Scope{ScopeLevel::account, 0},
                                  Scope{ScopeLevel::strategy, 0},
                                  Scope{ScopeLevel::underlying, 0},
                                  Scope{ScopeLevel::instrument, 0}};
// The same levels beside the order's own.
const std::array<Scope, 5> elsewhere{
    Scope{ScopeLevel::venue, 1}, Scope{ScopeLevel::account, 1}, Scope{ScopeLevel::strategy, 1},
    Scope{ScopeLevel::underlying, 1}, Scope{ScopeLevel::instrument, 1}};

// A long position of 10,000 with a selling order of 1,000 at rest.
struct StopMatrix : EngineTest {
  void TestBody() override {}
  PlaceOrder rest;
  StopMatrix() {
    go();
    to_armed(50000, 10000);
    rest = resting(51000, 1000, Side::sell);
    seen.clear();
  }
  std::size_t place(Side side, double size) {
    seen.clear();
    order(side == Side::buy ? 50010 : 49990, size, side);
    return count(CommandKind::place);
  }
  std::size_t amend(double size) {
    seen.clear();
    ReplaceRequest r;
    r.order = rest.order;
    r.limit = usd(51000);
    r.amount = amount(size);
    EXPECT_TRUE(puppet.next->replace(r));
    mark(perp, 50000, 50000);
    return count(CommandKind::replace);
  }
};

TEST(StopMatrixTest, EachModeAllowsExactlyItsRowAtEveryScope) {
  for (const Scope scope : scopes) {
    for (const Mode mode : {Mode::active, Mode::reduce, Mode::halt, Mode::cancel, Mode::lock}) {
      const auto named = testing::Message() << "level " << static_cast<int>(scope.level) << " mode "
                                            << static_cast<int>(mode);
      SCOPED_TRACE(named);
      const auto made = [&] {
        auto w = std::make_unique<StopMatrix>();
        if (mode != Mode::active) w->operate(OperatorAction::kill, mode, scope);
        return w;
      };
      EXPECT_EQ(made()->place(Side::buy, 1000), mode == Mode::active ? 1U : 0U) << "growing";
      EXPECT_EQ(made()->place(Side::sell, 1000), mode <= Mode::reduce ? 1U : 0U) << "shrinking";
      EXPECT_EQ(made()->amend(500), mode <= Mode::reduce ? 1U : 0U) << "smaller";
      EXPECT_EQ(made()->amend(2000), mode == Mode::active ? 1U : 0U) << "larger";
      auto w = made();
      const bool cancelled = w->state(w->rest) == OrderState::pending_cancel;
      EXPECT_EQ(cancelled, mode >= Mode::cancel) << "the order at rest";
      if (cancelled) continue;
      w->seen.clear();
      EXPECT_TRUE(w->puppet.next->cancel({w->rest.order}));
      w->mark(w->perp, 50000, 50000);
      // In a global HALT no strategy is woken: the cancel is the operator's then.
      const bool asleep = scope.level == ScopeLevel::global && mode == Mode::halt;
      EXPECT_EQ(w->count(CommandKind::cancel), asleep ? 0U : 1U) << "cancelling it";
    }
  }
}

TEST(StopMatrixTest, AStopElsewhereChangesNothingHere) {
  for (const Scope scope : elsewhere) {
    for (const Mode mode : {Mode::reduce, Mode::halt, Mode::cancel, Mode::lock}) {
      SCOPED_TRACE(static_cast<int>(scope.level));
      StopMatrix w;
      w.operate(OperatorAction::kill, mode, scope);
      EXPECT_EQ(w.place(Side::buy, 1000), 1U);
      EXPECT_EQ(w.state(w.rest), OrderState::live);
    }
  }
}

TEST(StopMatrixTest, ArmingReleasesItsScopeAloneAndAKillTwiceSendsNoSecondCancel) {
  for (const Scope scope : scopes) {
    SCOPED_TRACE(static_cast<int>(scope.level));
    StopMatrix w;
    w.operate(OperatorAction::kill, Mode::cancel, scope);
    const std::size_t cancels = w.count(CommandKind::cancel) + w.count(CommandKind::cancel_all);
    EXPECT_EQ(cancels, 1U);
    w.done(w.rest, 0);
    w.run(milliseconds(1));
    w.seen.clear();
    w.operate(OperatorAction::kill, Mode::cancel, scope);
    EXPECT_EQ(w.answer(), OperatorResult::unchanged);
    w.run(milliseconds(50));
    EXPECT_EQ(w.count(CommandKind::cancel) + w.count(CommandKind::cancel_all), 0U);
    // A second scope stays stopped whatever is armed beside it.
    const Scope other = scope.level == ScopeLevel::instrument ? Scope{ScopeLevel::underlying, 0}
                                                              : Scope{ScopeLevel::instrument, 0};
    w.operate(OperatorAction::kill, Mode::halt, other);
    w.operate(OperatorAction::arm, Mode::active, scope);
    EXPECT_EQ(w.answer(), OperatorResult::accepted);
    EXPECT_EQ(w.place(Side::buy, 1000), 0U);
    w.operate(OperatorAction::arm, Mode::active, other);
    EXPECT_EQ(w.place(Side::buy, 1000), 1U);
  }
}

}  // namespace
}  // namespace gimbal
