// Terms of an order: late answers, older pictures, changes in doubt.
#include <gtest/gtest.h>

#include "tests/support/orders_fixture.hpp"

namespace gimbal {
namespace {

using test::of;
using test::Orders;

// The simulator's seeds 169006 and 179296: the answer to the placing came behind the one to a
// change, and the next fill ended an order that worked on.
TEST_F(Orders, ALateAnswerToSomethingOlderChangesNoTerms) {
  const OrderId id = place();
  ack(id, 10, 100, 1000);
  ASSERT_TRUE(replace(id, 25));
  ack(id, 25, 101, 2000);
  ASSERT_EQ(state(id), OrderState::live);
  ack(id, 10, 100, 1000);
  EXPECT_EQ(buys(), of(25));
  fill(id, 20);
  EXPECT_EQ(state(id), OrderState::live);
  EXPECT_EQ(buys(), of(5));
  ack(id, 22, 101, 2000);  // of one millisecond either may be the older
  EXPECT_EQ(buys(), of(5));
  ack(id, 22, 101, 2001);
  EXPECT_EQ(buys(), of(2));
}

TEST_F(Orders, APictureOlderThanTheTermsChangesNone) {
  const OrderId id = place();
  ack(id, 10, 100, 1000);
  ASSERT_TRUE(replace(id, 25));
  ack(id, 25, 101, 2000);
  pictured(id, 10, 1000);
  EXPECT_EQ(buys(), of(25));
  fill(id, 10);
  EXPECT_EQ(state(id), OrderState::live);
  pictured(id, 25, 2000);
  EXPECT_EQ(buys(), of(15));
}

TEST_F(Orders, APictureReadBeforeAChangeInDoubtKeepsTheLargerUntilTheChangeCannotComeAnyMore) {
  const OrderId id = place();
  ack(id, 10, 100, 1000);
  ASSERT_TRUE(replace(id, 25));
  const ExchTime until = table.find(id)->valid_until;
  table.on_doubt(id, OrderAction::replace, now);
  pictured(id, 10, 1000);
  EXPECT_EQ(state(id), OrderState::live);
  EXPECT_EQ(buys(), of(25));
  ack(id, 10, 100, 1500);  // a newer word, and not of the change
  EXPECT_EQ(buys(), of(25));
  pictured(id, 10, 1500, until);
  EXPECT_EQ(buys(), of(25)) << "it may still come";
  pictured(id, 10, 1500, until + Nanos{1});
  EXPECT_EQ(buys(), of(10));
}

TEST_F(Orders, ALateAnswerBehindANewerPictureChangesNoTerms) {
  const OrderId id = changed_in_doubt();
  pictured(id, 25, 2000, {}, 101);
  EXPECT_EQ(state(id), OrderState::live);
  ack(id, 10, 100, 1000);
  EXPECT_EQ(buys(), of(25));
}

TEST_F(Orders, ALateAnswerBehindALookUpThatFoundAChangeInDoubtOpenKeepsTheLarger) {
  const OrderId id = changed_in_doubt();
  lookup(id, LookupOutcome::open);
  ack(id, 10, 100, 1000);
  EXPECT_EQ(buys(), of(25));
  ack(id, 25, 101, 2000);
  ack(id, 20, 101, 3000);
  EXPECT_EQ(buys(), of(20)) << "the change was answered";
}

TEST_F(Orders, AReplaceInDoubtKeepsTheLargerAfterItIsFoundOpen) {
  const OrderId id = place();
  ack(id);
  replace(id, 15);
  table.on_doubt(id, OrderAction::replace, now);
  ack(id, 10);  // the place's own late answer proves nothing about the replace
  EXPECT_EQ(state(id), OrderState::unknown);
  lookup(id, LookupOutcome::open);
  EXPECT_EQ(state(id), OrderState::live);
  EXPECT_EQ(buys(), of(15));
}

// The simulator's seed 1000523: two changes in doubt, both found open, then their answers.
TEST_F(Orders, AnAnswerToTheFirstOfTwoChangesInDoubtDoesNotLowerBelowTheSecond) {
  const OrderId id = place();
  ack(id, 10, 100, 1000);
  for (const std::int64_t amount : {2, 5}) {
    ASSERT_TRUE(replace(id, amount));
    table.on_doubt(id, OrderAction::replace, now);
    lookup(id, LookupOutcome::open);
    EXPECT_EQ(buys(), of(10));
  }
  ack(id, 2, 101, 2000);
  EXPECT_EQ(buys(), of(5));
  ack(id, 5, 101, 3000);
  ack(id, 4, 101, 4000);
  EXPECT_EQ(buys(), of(4)) << "the second was answered";
}

TEST_F(Orders, AnOldPictureWithTheTermsInDoubtSettlesNothing) {
  const OrderId id = place();
  ack(id, 25, 101, 1000);
  ASSERT_TRUE(replace(id, 10));
  ack(id, 10, 101, 2000);
  ASSERT_TRUE(replace(id, 25));
  table.on_doubt(id, OrderAction::replace, now);
  pictured(id, 25, 1000, {}, 101);
  EXPECT_EQ(buys(), of(25));
  pictured(id, 25, 3000, {}, 101);
  ack(id, 20, 101, 4000);
  EXPECT_EQ(buys(), of(20)) << "settled by the newer one";
}

TEST_F(Orders, ACancelRefusedBehindAChangeWithoutAnAnswerKeepsTheLarger) {
  const OrderId id = place();
  ack(id, 10, 100, 1000);
  ASSERT_TRUE(replace(id, 25));
  ASSERT_TRUE(table.ask_cancel(id, now));
  reject(id, RejectReason::local_rate, OrderAction::cancel);
  ASSERT_EQ(state(id), OrderState::live);
  ack(id, 10, 100, 1500);
  EXPECT_EQ(buys(), of(25));
  pictured(id, 10, 1500);
  EXPECT_EQ(buys(), of(25));
  ack(id, 25, 101, 2000);
  ack(id, 20, 101, 3000);
  EXPECT_EQ(buys(), of(20)) << "the change was answered";
}

}  // namespace
}  // namespace gimbal
