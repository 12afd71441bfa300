#include "engine/core/orders.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <string_view>

#include "engine/core/trade_ledger.hpp"
#include "tests/support/orders_fixture.hpp"

namespace gimbal {
namespace {

using test::at;
using test::of;
using test::Orders;
using test::perp;
using test::venue;

// One character a cell: the next state (n live r c u F C R) when legal, '.' when ignored, '!' plus
// the state that doubt leads to when faulty (always unknown, or rejected once rejected).
TEST(OrderMachine, EveryStateAndEventHasItsAnswer) {
  constexpr std::string_view events =
      "sent ack ack_old refused_place refused_change doubt fill_part fill_last done found_open "
      "found_ended found_absent unproven ask_replace ask_cancel";
  ASSERT_EQ(std::count(events.begin(), events.end(), ' ') + 1, order_events);
  constexpr std::array<std::string_view, order_states> expected{
      "nl.R.ulFClC!...",  // pending_new
      "ll.!.ulFClC!.rc",  // live
      "rl.!lurFC.C!..c",  // pending_replace
      "c..!lucFC.C!..c",  // pending_cancel
      "ul.Rl.uFClCRu.u",  // unknown
      "......FF.......",  // filled
      "......CC.......",  // cancelled
      "......!!.......",  // rejected
  };
  const std::map<char, OrderState> states{
      {'n', OrderState::pending_new},     {'l', OrderState::live},
      {'r', OrderState::pending_replace}, {'c', OrderState::pending_cancel},
      {'u', OrderState::unknown},         {'F', OrderState::filled},
      {'C', OrderState::cancelled},       {'R', OrderState::rejected}};
  for (std::size_t s = 0; s < order_states; ++s) {
    for (std::size_t e = 0; e < order_events; ++e) {
      const auto state = static_cast<OrderState>(s);
      const Transition t = transition(state, static_cast<OrderEvent>(e));
      const char cell = expected[s][e];
      if (cell == '.') {
        EXPECT_EQ(t, (Transition{Verdict::ignored, state})) << s << ' ' << e;
      } else if (cell == '!') {
        const OrderState next = ended(state) ? state : OrderState::unknown;
        EXPECT_EQ(t, (Transition{Verdict::fault, next})) << s << ' ' << e;
      } else {
        EXPECT_EQ(t, (Transition{Verdict::legal, states.at(cell)})) << s << ' ' << e;
      }
      if (ended(state)) { EXPECT_EQ(t.next, state) << "ended states absorb"; }
    }
  }
}

TEST_F(Orders, AcknowledgedFilledAndOver) {
  const OrderId id = place();
  EXPECT_EQ(buys(), of(10));
  ack(id);
  EXPECT_EQ(state(id), OrderState::live);
  fill(id, 4);
  EXPECT_EQ(buys(), of(6));
  fill(id, 6);
  EXPECT_EQ(state(id), OrderState::filled);
  EXPECT_EQ(buys(), of(0));
  EXPECT_EQ(table.open_count(), 0U);
  EXPECT_EQ(table.reserved_usd(), Money{});
}

TEST_F(Orders, SilenceMakesAnOrderUnknownAndKeepsItsExposure) {
  const OrderId id = place();
  EXPECT_EQ(table.next_due(), now + milliseconds(100));
  now = now + milliseconds(100);
  table.on_doubt(id, OrderAction::place, now);
  EXPECT_EQ(state(id), OrderState::unknown);
  EXPECT_EQ(table.exposure(perp).unknown_buy, of(10));
  EXPECT_EQ(table.exposure(perp).live_buy, of(0));
  EXPECT_EQ(table.unknown_count(), 1U);
  EXPECT_EQ(table.reserved_usd(), Money{5});
  now = now + seconds(3600);  // time alone frees nothing
  lookup(id, LookupOutcome::unproven);
  lookup(id, LookupOutcome::absent, 0, false);
  EXPECT_EQ(state(id), OrderState::unknown);
  EXPECT_EQ(table.exposure(perp).unknown_buy, of(10));
  lookup(id, LookupOutcome::absent);
  EXPECT_EQ(state(id), OrderState::rejected);
  EXPECT_EQ(buys(), of(0));
}

TEST_F(Orders, AnUnclearAnswerIsNotARejection) {
  const OrderId id = place();
  reject(id, RejectReason::unclear);
  EXPECT_EQ(state(id), OrderState::unknown);
  EXPECT_EQ(buys(), of(10));
}

TEST_F(Orders, DefinitiveRefusalsFreeTheReservation) {
  for (const RejectReason why :
       {RejectReason::venue, RejectReason::throttled, RejectReason::last_gate,
        RejectReason::local_rate, RejectReason::expired, RejectReason::not_connected}) {
    const OrderId id = place();
    reject(id, why);
    EXPECT_EQ(state(id), OrderState::rejected);
    EXPECT_EQ(buys(), of(0));
  }
}

TEST_F(Orders, UnknownOrdersAreFreedByAcknowledgementFillEndAndLookupOnly) {
  const auto doubted = [&] {
    const OrderId id = place();
    table.on_doubt(id, OrderAction::place, now);
    return id;
  };
  OrderId id = doubted();
  ack(id);
  EXPECT_EQ(state(id), OrderState::live);
  done(id);
  id = doubted();
  fill(id, 3);
  EXPECT_EQ(state(id), OrderState::unknown);  // it arrived; what became of the rest is open
  EXPECT_EQ(buys(), of(7));
  fill(id, 7);
  EXPECT_EQ(state(id), OrderState::filled);
  id = doubted();
  lookup(id, LookupOutcome::open);
  EXPECT_EQ(state(id), OrderState::live);
  done(id);
  id = doubted();
  reject(id, RejectReason::venue);
  EXPECT_EQ(state(id), OrderState::rejected);
  EXPECT_EQ(table.counters().resolved, 4U);
}

TEST_F(Orders, AnEndWithFillsNotYetSeenKeepsThemReserved) {
  const OrderId id = place();
  table.on_doubt(id, OrderAction::place, now);
  lookup(id, LookupOutcome::filled, 10);
  EXPECT_EQ(state(id), OrderState::filled);
  EXPECT_EQ(buys(), of(10));
  EXPECT_EQ(table.owed_count(), 1U);
  EXPECT_FALSE(fill(id, 4).late);
  EXPECT_EQ(buys(), of(6));
  EXPECT_FALSE(fill(id, 6).late);
  EXPECT_EQ(buys(), of(0));
  EXPECT_EQ(table.listed(), 0U);
}

TEST_F(Orders, AReconciledPositionContainsWhatWasOwed) {
  const OrderId id = place();
  ack(id);
  done(id, 10);
  EXPECT_EQ(buys(), of(10));
  table.forgive_owed(venue, now + Nanos{1});
  EXPECT_EQ(buys(), of(0));
  EXPECT_EQ(table.listed(), 0U);
}

TEST_F(Orders, ALateFillIsAppliedAndFlaggedAndTheEndStays) {
  const OrderId id = place();
  ack(id);
  done(id, 0);
  EXPECT_EQ(state(id), OrderState::cancelled);
  const OrderChange c = fill(id, 4);
  EXPECT_TRUE(c.late);
  EXPECT_EQ(state(id), OrderState::cancelled);
  EXPECT_EQ(table.find(id)->filled, of(4));
  EXPECT_EQ(table.counters().late_fills, 1U);
  EXPECT_EQ(buys(), of(0));
}

TEST_F(Orders, FillsBeyondTheAmountAreFlagged) {
  const OrderId id = place();
  EXPECT_TRUE(fill(id, 11).overfill);
  EXPECT_EQ(state(id), OrderState::filled);
  EXPECT_EQ(table.counters().overfills, 1U);
}

TEST_F(Orders, AReplaceReservesTheLargerUntilItsOwnAnswer) {
  const OrderId id = place();
  ack(id);
  EXPECT_TRUE(replace(id, 15));
  EXPECT_EQ(buys(), of(15));
  ack(id, 10);  // an older update
  EXPECT_EQ(state(id), OrderState::pending_replace);
  ack(id, 15, 101);
  EXPECT_EQ(state(id), OrderState::live);
  EXPECT_TRUE(replace(id, 5));
  EXPECT_EQ(buys(), of(15));  // smaller frees nothing before it is confirmed
  ack(id, 5, 101);
  EXPECT_EQ(buys(), of(5));
  EXPECT_TRUE(replace(id, 20));
  reject(id, RejectReason::local_rate, OrderAction::replace);
  EXPECT_EQ(state(id), OrderState::live);
  EXPECT_EQ(buys(), of(5));
}

TEST_F(Orders, ACancelRefusedByTheVenueIsLookedUp) {
  const OrderId id = place();
  ack(id);
  EXPECT_TRUE(table.ask_cancel(id, now));
  EXPECT_EQ(state(id), OrderState::pending_cancel);
  reject(id, RejectReason::venue, OrderAction::cancel);  // filled a moment ago?
  EXPECT_EQ(state(id), OrderState::unknown);
  lookup(id, LookupOutcome::filled, 10);
  EXPECT_EQ(state(id), OrderState::filled);
  EXPECT_EQ(buys(), of(10));
}

// A venue in maintenance refuses each, and each is looked up.
TEST_F(Orders, ACancelThatIsRefusedAgainAndAgainIsSentLessOften) {
  const OrderId id = place();
  ack(id);
  Nanos waits{};
  for (int n = 0; n < 10; ++n) {
    ASSERT_TRUE(table.ask_cancel(id, now));
    reject(id, RejectReason::unclear, OrderAction::cancel);
    lookup(id, LookupOutcome::open);
    ASSERT_EQ(state(id), OrderState::live);
    const Nanos wait = table.find(id)->next_cancel - now;
    EXPECT_GE(wait, waits);
    EXPECT_EQ(table.next_due(), now + wait);
    waits = wait;
    now = now + wait;
  }
  EXPECT_EQ(waits, milliseconds(256));
}

TEST_F(Orders, ACancelInDoubtIsNotEndedByALateUpdateOfTheOrder) {
  const OrderId id = place();
  ack(id);
  table.ask_cancel(id, now);
  table.on_doubt(id, OrderAction::cancel, now);
  ack(id);
  EXPECT_EQ(state(id), OrderState::unknown);
}

TEST_F(Orders, ARefusalOfSomethingOlderDoesNotAnswerWhatIsInFlight) {
  const OrderId id = place();
  ack(id);
  EXPECT_TRUE(replace(id, 15));
  table.ask_cancel(id, now);
  EXPECT_EQ(state(id), OrderState::pending_cancel);
  reject(id, RejectReason::local_rate, OrderAction::replace);
  EXPECT_EQ(state(id), OrderState::pending_cancel);
  reject(id, RejectReason::venue, OrderAction::place);
  EXPECT_EQ(state(id), OrderState::pending_cancel);
}

TEST_F(Orders, ACancelThatWasNotSentIsTriedAgainLater) {
  const OrderId id = place();
  ack(id);
  table.ask_cancel(id, now);
  reject(id, RejectReason::local_rate, OrderAction::cancel);
  EXPECT_EQ(state(id), OrderState::live);
  EXPECT_TRUE(table.find(id)->wants_cancel);
  EXPECT_GT(table.find(id)->next_cancel, now);
}

}  // namespace
}  // namespace gimbal
