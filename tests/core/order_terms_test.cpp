// Terms of an order: late answers, older pictures, changes in doubt.
#include <gtest/gtest.h>

#include "tests/support/orders_fixture.hpp"

namespace gimbal {
namespace {

using test::of;
using test::Orders;
using test::venue;

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

// The first change may still come about: another session, or a queue at the venue, holds it.
TEST_F(Orders, AnAnswerToTheSecondChangeKeepsTheFirstInDoubtUntilThatCannotComeAnyMore) {
  for (const std::int64_t answered_ms : {1500, 1501}) {
    const OrderId id = changed_in_doubt();
    lookup(id, LookupOutcome::open);
    ASSERT_TRUE(replace(id, 12, 102));
    const Qty others = buys() - of(25);
    ack(id, 12, 102, answered_ms);  // the first is valid until 1500
    EXPECT_EQ(state(id), OrderState::live);
    EXPECT_EQ(buys() - others, answered_ms > 1500 ? of(12) : of(25));
    pictured(id, 12, answered_ms, ExchTime{1'500'000'001}, 102);
    EXPECT_EQ(buys() - others, of(12)) << "the picture was begun behind it";
  }
}

TEST_F(Orders, AnAnswerWithoutATimeToTheSecondChangeKeepsTheFirstInDoubt) {
  const OrderId id = changed_in_doubt();
  lookup(id, LookupOutcome::open);
  ASSERT_TRUE(replace(id, 12, 102));
  ack(id, 12, 102);
  EXPECT_EQ(buys(), of(25));
}

// Its answer bears no number: it may have been to the first, and the second works.
TEST_F(Orders, ARefusalBehindTwoChangesWithoutAnAnswerFreesNeither) {
  const OrderId id = place();
  ack(id, 10, 100, 1000);
  ASSERT_TRUE(replace(id, 12));
  table.on_doubt(id, OrderAction::replace, now);
  lookup(id, LookupOutcome::open);
  ASSERT_TRUE(replace(id, 30, 102));
  reject(id, RejectReason::throttled, OrderAction::replace);
  EXPECT_EQ(state(id), OrderState::live);
  EXPECT_EQ(buys(), of(30));
  ack(id, 12, 101, 1400);
  EXPECT_EQ(buys(), of(30));
  pictured(id, 12, 1400, ExchTime{1'500'000'001}, 101);
  EXPECT_EQ(buys(), of(12));
}

TEST_F(Orders, ARefusedChangeAloneIsGone) {
  const OrderId id = place();
  ack(id, 10, 100, 1000);
  ASSERT_TRUE(replace(id, 30));
  reject(id, RejectReason::throttled, OrderAction::replace);
  EXPECT_EQ(buys(), of(10));
}

TEST_F(Orders, ALateRefusalOfAPlacingThatTheVenueHasShownEndsNothing) {
  const OrderId id = place(10, Side::buy, TimeInForce::immediate_or_cancel);
  ack(id);
  table.on_doubt(id, OrderAction::place, now);  // it has not ended as it should
  reject(id, RejectReason::venue);
  EXPECT_EQ(state(id), OrderState::unknown);
  EXPECT_EQ(buys(), of(10));
  lookup(id, LookupOutcome::cancelled);
  EXPECT_EQ(buys(), of(0));
}

// A kill cancels what is in doubt as well; a session that is down refuses that.
TEST_F(Orders, ARefusedCancelLeavesAnOrderInDoubtThatIsMissing) {
  const OrderId id = place();
  ack(id);
  table.on_lost(id, now);
  ASSERT_TRUE(table.ask_cancel(id, now));
  for (const RejectReason why : {RejectReason::not_connected, RejectReason::throttled}) {
    reject(id, why, OrderAction::cancel);
    EXPECT_EQ(state(id), OrderState::unknown) << "it may have ended with the session";
  }
  lookup(id, LookupOutcome::open);
  EXPECT_EQ(state(id), OrderState::live);
}

TEST_F(Orders, ARefusedCancelThatHadNoAnswerInTimeLeavesTheOrderAsItWas) {
  const OrderId id = place();
  ack(id);
  ASSERT_TRUE(table.ask_cancel(id, now));
  table.on_doubt(id, OrderAction::cancel, now);
  reject(id, RejectReason::throttled, OrderAction::cancel);
  EXPECT_EQ(state(id), OrderState::live);
}

TEST_F(Orders, AWordWithoutATimeLowersNothingUntilAPicture) {
  const OrderId id = place();
  ack(id, 25, 100, 1000);
  ack(id, 10, 100);
  EXPECT_EQ(buys(), of(25));
  pictured(id, 10, 0, ExchTime{1'000'000'000});
  EXPECT_EQ(buys(), of(25)) << "begun when the venue said 25";
  pictured(id, 10, 0, ExchTime{1'000'000'001});
  EXPECT_EQ(buys(), of(10));
}

TEST_F(Orders, WhatEndedAfterThePictureWasAskedForStillOwes) {
  const OrderId id = place();
  ack(id);
  const RecvTime begun = now;
  now = now + milliseconds(1);
  done(id, 10);
  table.forgive_owed(venue, begun);
  EXPECT_EQ(buys(), of(10)) << "the positions may be of before its end";
  table.forgive_owed(venue, now + milliseconds(1));
  EXPECT_EQ(buys(), of(0));
}

TEST(BelievedTime, IsNotFarAheadOfItsReceiptAndNotBeforeTheEpoch) {
  const ExchTime received{seconds(1'000'000).count};
  EXPECT_EQ(believed_time(received - seconds(900), received), received - seconds(900));
  EXPECT_EQ(believed_time(received + terms_ahead_max, received), received + terms_ahead_max);
  EXPECT_EQ(believed_time(received + terms_ahead_max + Nanos{1}, received), ExchTime{});
  EXPECT_EQ(believed_time(ExchTime{INT64_MAX}, received), ExchTime{});
  EXPECT_EQ(believed_time(ExchTime{}, received), ExchTime{});
  EXPECT_EQ(believed_time(ExchTime{-5}, received), ExchTime{});
  EXPECT_EQ(believed_time(ExchTime{7}, ExchTime{}), ExchTime{7})
      << "the venue's clock is not known";
}

}  // namespace
}  // namespace gimbal
