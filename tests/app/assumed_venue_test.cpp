// The venue that a what-if replay assumes: what it takes, what it leaves, what it says.
#include "ops/app/assumed_venue.hpp"

#include "tests/support/engine_fixture.hpp"

namespace gimbal {
namespace {

struct AssumedVenueTest : EngineTest {
  std::unique_ptr<AssumedVenue> venue;

  void begin() {
    go();
    venue = std::make_unique<AssumedVenue>(core(), milliseconds(4));
    to_armed();
    seen.clear();
  }
  // What was asked for since the last call, then everything up to `d` from now.
  void pass(Nanos d) {
    for (const Command& c : seen) venue->command(c, now);
    seen.clear();
    const RecvTime until = now + d;
    while (venue->due() <= until) {
      now = venue->due();
      std::vector<Event> events;
      venue->run(events);
      for (Event& e : events) step(e);
    }
    now = until;
  }
  PlaceOrder asks(double limit, double size, TimeInForce tif, std::uint8_t flags = 0) {
    const PlaceOrder o = order(limit, size, Side::buy, tif, 0, flags);
    EXPECT_TRUE(o.order.valid());
    return o;
  }
  // The perpetual's book becomes bid = mid - 0.5, ask = mid + 0.5, told to the venue as well.
  void moves_to(double mid) {
    market(mid);
    BookDelta d;
    d.price = usd(mid + 0.5);
    d.amount = amount(100000);
    d.side = Side::sell;
    Event e = make_event(EventKind::book_delta, test::the_venue, perp, now, venue_time(), d);
    e.add_flag(event_flag::last_in_packet);
    venue->market(e);
  }
  [[nodiscard]] Qty held() const { return core().portfolio().position(perp); }
};

TEST_F(AssumedVenueTest, AnImmediateOrderTakesTheBookInsideItsLimitHalfARoundTripLater) {
  begin();
  const PlaceOrder o = asks(50010, 1000, TimeInForce::immediate_or_cancel);
  pass(milliseconds(3));
  EXPECT_EQ(held(), amount(0)) << "the answer is on its way";
  pass(milliseconds(1));
  EXPECT_EQ(held(), amount(1000));
  EXPECT_EQ(state(o), OrderState::filled);
}

TEST_F(AssumedVenueTest, WhatTheBookDoesNotShowIsNotFilled) {
  begin();
  const PlaceOrder below = asks(49999, 1000, TimeInForce::immediate_or_cancel);
  pass(milliseconds(5));
  EXPECT_EQ(held(), amount(0));
  EXPECT_EQ(state(below), OrderState::cancelled);
  level(perp, Side::sell, 50000.5, 300);
  const PlaceOrder large = asks(50000.5, 1000, TimeInForce::immediate_or_cancel);
  pass(milliseconds(5));
  EXPECT_EQ(held(), amount(300));
  EXPECT_EQ(state(large), OrderState::cancelled);
}

TEST_F(AssumedVenueTest, ARestingOrderIsFilledOnlyWhenTheMarketGoesThroughIt) {
  begin();
  const PlaceOrder o = asks(49990, 1000, TimeInForce::good_til_cancelled, order_flag::post_only);
  pass(milliseconds(5));
  ASSERT_EQ(state(o), OrderState::live);
  moves_to(49989.5);  // asked at its own price
  pass(milliseconds(5));
  EXPECT_EQ(state(o), OrderState::live);
  moves_to(49989);
  pass(milliseconds(5));
  EXPECT_EQ(state(o), OrderState::filled);
  EXPECT_EQ(held(), amount(1000));
}

TEST_F(AssumedVenueTest, ACrossingPostOnlyOrderIsRefused) {
  begin();
  const PlaceOrder o = asks(50001, 1000, TimeInForce::good_til_cancelled, order_flag::post_only);
  pass(milliseconds(5));
  EXPECT_EQ(state(o), OrderState::rejected);
  EXPECT_TRUE(venue->picture(now).empty());
}

TEST_F(AssumedVenueTest, APictureShowsWhatRestsAndAKillEndsIt) {
  begin();
  const PlaceOrder o = asks(49990, 1000, TimeInForce::good_til_cancelled, order_flag::post_only);
  pass(milliseconds(5));
  const std::vector<Event> shown = venue->picture(now);
  ASSERT_EQ(shown.size(), parts_of<OpenOrderReport>);
  reconcile(ReconcilePhase::begin);
  for (Event e : shown) step(e);
  reconcile(ReconcilePhase::complete);
  EXPECT_EQ(state(o), OrderState::live);
  operate(OperatorAction::kill);
  run(milliseconds(1));
  pass(milliseconds(5));
  EXPECT_EQ(state(o), OrderState::cancelled);
  EXPECT_TRUE(venue->picture(now).empty());
}

TEST_F(AssumedVenueTest, ALookUpSaysWhatBecameOfAnOrder) {
  begin();
  const PlaceOrder o = asks(49990, 1000, TimeInForce::good_til_cancelled, order_flag::post_only);
  seen.clear();  // it never left
  run(milliseconds(600));
  ASSERT_EQ(state(o), OrderState::unknown);
  pass(seconds(1));
  EXPECT_EQ(state(o), OrderState::rejected);
}

}  // namespace
}  // namespace gimbal
