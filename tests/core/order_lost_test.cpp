// Orders in doubt that may have ended unseen: which refusals settle them, and which do not.
#include <gtest/gtest.h>

#include "engine/core/orders.hpp"
#include "tests/support/orders_fixture.hpp"

namespace gimbal {
namespace {

using test::Orders;

// The session ends, or a picture lacks the order, with a change on its way, behind its time or not.
TEST_F(Orders, ARefusedChangeLeavesAnOrderInDoubtThatIsMissing) {
  for (const bool in_time : {true, false}) {
    for (const OrderAction action : {OrderAction::replace, OrderAction::cancel}) {
      for (const bool session : {true, false}) {
        const OrderId id = place();
        ack(id);
        ASSERT_TRUE(action == OrderAction::replace ? replace(id, 12) : table.ask_cancel(id, now));
        if (!in_time) table.on_doubt(id, action, now);
        if (!in_time && !session) {
          table.note_missing(id, now);
        } else {
          table.on_lost(id, now);
        }
        for (const RejectReason why : {RejectReason::not_connected, RejectReason::expired}) {
          reject(id, why, action);
          EXPECT_EQ(state(id), OrderState::unknown) << "it may have ended with the session";
        }
        lookup(id, LookupOutcome::open);
        ASSERT_TRUE(replace(id, 11));
        reject(id, RejectReason::unclear, OrderAction::replace);
        EXPECT_EQ(state(id), OrderState::unknown);
        reject(id, RejectReason::expired, OrderAction::replace);
        EXPECT_EQ(state(id), OrderState::live) << "that it was missing once is over";
      }
    }
  }
}

TEST_F(Orders, ARefusedPlacingEndsAlsoBehindALostSession) {
  const OrderId id = place();
  table.on_lost(id, now);
  table.note_missing(id, now);
  reject(id, RejectReason::not_connected);
  EXPECT_EQ(state(id), OrderState::rejected);
}

// A kill asks again in each round.
TEST_F(Orders, ASecondCancelThatWasNotSentLeavesTheFirstInDoubt) {
  const OrderId id = place();
  ack(id);
  ASSERT_TRUE(table.ask_cancel(id, now));
  table.on_doubt(id, OrderAction::cancel, now);
  for (const RejectReason why :
       {RejectReason::local_rate, RejectReason::last_gate, RejectReason::not_connected}) {
    ASSERT_TRUE(table.ask_cancel(id, now));
    reject(id, why, OrderAction::cancel);
    EXPECT_EQ(state(id), OrderState::unknown) << "the first may have worked";
  }
  lookup(id, LookupOutcome::open);
  EXPECT_EQ(state(id), OrderState::live);
  EXPECT_GT(table.find(id)->next_cancel, now + milliseconds(1)) << "held back three times";
}

}  // namespace
}  // namespace gimbal
