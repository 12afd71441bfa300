// K-03 in the core: a latched CANCEL or LOCK is carried on by the next boot. The latch comes as an
// operator command of the cold side before anything is connected; what a later picture shows in
// that scope is cancelled.
#include <gtest/gtest.h>

#include "tests/support/engine_fixture.hpp"

namespace gimbal {
namespace {

constexpr OrderId left_over = make_order_id(6, StrategyId{0}, 41);  // of the boot before

struct LatchedRestart : EngineTest {
  void latched(Mode mode, Scope scope) {
    operate(OperatorAction::kill, mode, scope, OperatorSource::monitor);
    run(milliseconds(20));  // long before the session is up
    seen.clear();
  }
  void shown(OrderId id) {
    OpenOrderReport r;
    r.order = id;
    r.price = usd(49000);
    r.amount = amount(1000);
    r.venue_ref = 99;
    send(EventKind::open_order_report, r, perp);
  }
  // The session comes up and its picture shows one resting order.
  void connect(OrderId id) {
    gateway(GatewayState::ready);
    clock();
    snapshot(perp, 49999.5, 50000.5);
    mark(perp, 50000, 50000);
    picture(id);
  }
  void picture(OrderId id) {
    reconcile(ReconcilePhase::begin);
    shown(id);
    reconcile(ReconcilePhase::complete);
    run(milliseconds(3));
  }
  [[nodiscard]] std::size_t cancels() const {
    return count(CommandKind::cancel) + count(CommandKind::cancel_all);
  }
};

const Scope covering[] = {{ScopeLevel::global, 0},     {ScopeLevel::venue, 0},
                          {ScopeLevel::account, 0},    {ScopeLevel::strategy, 0},
                          {ScopeLevel::underlying, 0}, {ScopeLevel::instrument, 0}};

TEST_F(LatchedRestart, K03CancelAndLockAtEveryScopeCancelWhatIsAdoptedAndConfirmIt) {
  for (const bool own : {true, false}) {
    for (const Mode mode : {Mode::cancel, Mode::lock}) {
      for (const Scope scope : covering) {
        SCOPED_TRACE(testing::Message() << own << ' ' << static_cast<int>(mode) << ' '
                                        << static_cast<int>(scope.level));
        setup.own_account[0] = own;
        go();
        latched(mode, scope);
        EXPECT_EQ(engine->snapshot().cancel_jobs, 0);
        connect(left_over);
        EXPECT_GE(cancels(), 1U);
        EXPECT_EQ(count(CommandKind::cancel_all) > 0, own && scope.level != ScopeLevel::strategy);
        EXPECT_EQ(engine->snapshot().cancel_jobs, 1);
        operate(OperatorAction::arm, Mode::active, scope);
        EXPECT_NE(answer(), OperatorResult::accepted) << "armed over an unconfirmed kill";
        OrderDone d;
        d.order = left_over;
        d.reason = DoneReason::cancelled_by_us;
        send(EventKind::order_done, d, perp);
        run(milliseconds(20));
        EXPECT_EQ(engine->snapshot().cancel_jobs, 0);
        EXPECT_EQ(engine->snapshot().open_orders, 0U);
      }
    }
  }
}

TEST_F(LatchedRestart, K03HaltLeavesWhatIsAdoptedResting) {
  for (const Scope scope : covering) {
    go();
    latched(Mode::halt, scope);
    connect(left_over);
    run(milliseconds(200));
    EXPECT_EQ(cancels(), 0U) << static_cast<int>(scope.level);
    EXPECT_EQ(engine->snapshot().open_orders, 1U);
  }
}

TEST_F(LatchedRestart, K03AScopeThatDoesNotCoverTheOrderLeavesItAlone) {
  for (const Scope other : {Scope{ScopeLevel::instrument, 1}, Scope{ScopeLevel::underlying, 1},
                            Scope{ScopeLevel::strategy, 1}, Scope{ScopeLevel::venue, 1}}) {
    go();
    latched(Mode::cancel, other);
    connect(left_over);
    EXPECT_EQ(cancels(), 0U) << static_cast<int>(other.level);
  }
}

// A kill that was confirmed is not forgotten either: a later picture may still show an order.
TEST_F(LatchedRestart, K03AnOrderThatALaterPictureShowsIsCancelledToo) {
  go();
  to_armed();
  operate(OperatorAction::kill, Mode::cancel);
  run(milliseconds(20));
  ASSERT_EQ(engine->snapshot().cancel_jobs, 0);
  seen.clear();
  picture(left_over);
  EXPECT_GE(count(CommandKind::cancel_all), 1U);
}

TEST_F(LatchedRestart, R04AForeignOrderIsCancelledOnlyInAnAccountOfOursUnderCancel) {
  for (const bool own : {true, false}) {
    for (const Mode mode : {Mode::halt, Mode::cancel}) {
      setup.own_account[0] = own;
      go();
      latched(mode, Scope{});
      connect(OrderId{});
      EXPECT_EQ(cancels() > 0, own && mode == Mode::cancel) << own << static_cast<int>(mode);
    }
  }
}

}  // namespace
}  // namespace gimbal
