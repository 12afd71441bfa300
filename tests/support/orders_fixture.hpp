// A small order table with short ways to send it events.
#pragma once

#include <gtest/gtest.h>

#include "engine/core/orders.hpp"

namespace gimbal::test {

inline constexpr InstrumentId perp{0};
inline constexpr VenueId venue{0};

inline Qty of(std::int64_t units) { return Qty{units * nano_per_unit}; }
inline Price at(std::int64_t units) { return Price{units * nano_per_unit}; }

struct Orders : testing::Test {
  OrderTable table{4};
  RecvTime now{seconds(10).count};
  std::uint32_t counter{0};

  OrderId place(std::int64_t amount = 10, Side side = Side::buy,
                TimeInForce tif = TimeInForce::good_til_cancelled) {
    NewOrder n;
    n.place.order = make_order_id(1, StrategyId{0}, ++counter);
    n.place.instrument = perp;
    n.place.venue = venue;
    n.place.side = side;
    n.place.tif = tif;
    n.place.price = at(100);
    n.place.amount = of(amount);
    n.place.valid_until = ExchTime{1000};
    n.intent = counter;
    n.reserved_usd = Money{5};
    EXPECT_NE(table.place(n, now, ExchTime{1}), nullptr);
    return n.place.order;
  }
  // `updated_ms`: the venue's time of what it says; 0: it has none.
  OrderChange ack(OrderId id, std::int64_t amount = 10, std::int64_t price = 100,
                  std::int64_t updated_ms = 0) {
    return table.on_ack(OrderAck{id, at(price), of(amount), {}}, now,
                        ExchTime{updated_ms * 1'000'000});
  }
  // Shown by a picture with terms of `updated_ms`, which was begun at `begun` of the venue.
  void pictured(OrderId id, std::int64_t amount, std::int64_t updated_ms, ExchTime begun = {},
                std::int64_t price = 100) {
    OpenOrderReport r;
    r.order = id;
    r.price = at(price);
    r.amount = of(amount);
    table.on_open_report(r, perp, UnderlyingId{0}, venue,
                         {now, begun, ExchTime{updated_ms * 1'000'000}}, now);
  }
  OrderChange fill(OrderId id, std::int64_t amount) {
    Fill f;
    f.order = id;
    f.amount = of(amount);
    return table.on_fill(f, now);
  }
  OrderChange done(OrderId id, std::int64_t filled = 0) {
    return table.on_done(OrderDone{id, of(filled), DoneReason::cancelled_by_us, {}}, now);
  }
  OrderChange reject(OrderId id, RejectReason why, OrderAction action = OrderAction::place) {
    OrderReject r;
    r.order = id;
    r.reason = why;
    r.action = action;
    return table.on_reject(r, now);
  }
  OrderChange lookup(OrderId id, LookupOutcome outcome, std::int64_t filled = 0,
                     bool proven = true) {
    OrderLookup l;
    l.order = id;
    l.outcome = outcome;
    l.filled = of(filled);
    return table.on_lookup(l, proven, now);
  }
  bool replace(OrderId id, std::int64_t amount, std::int64_t price = 101) {
    ReplaceOrder r;
    r.order = id;
    r.price = at(price);
    r.amount = of(amount);
    r.valid_until = ExchTime{1'500'000'000};
    return table.ask_replace(r, Money{5}, now, ExchTime{1});
  }
  // Of 10 at 100, changed to 25 at 101 without an answer.
  OrderId changed_in_doubt() {
    const OrderId id = place();
    ack(id, 10, 100, 1000);
    EXPECT_TRUE(replace(id, 25));
    table.on_doubt(id, OrderAction::replace, now);
    return id;
  }
  OrderState state(OrderId id) const { return table.find(id)->state; }
  Qty buys() const { return table.exposure(perp).worst_buy(); }
  void TearDown() override { EXPECT_TRUE(table.consistent()); }
};

}  // namespace gimbal::test
