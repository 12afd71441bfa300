// Orders that must end, reconciliation, random events and the small world; the trade ledger.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <random>
#include <set>

#include "engine/core/orders.hpp"
#include "engine/core/trade_ledger.hpp"
#include "tests/support/orders_fixture.hpp"

namespace gimbal {
namespace {

using test::at;
using test::of;
using test::Orders;
using test::perp;
using test::venue;

TEST_F(Orders, ImmediateOrdersMustEnd) {
  const OrderId id = place(10, Side::sell, TimeInForce::immediate_or_cancel);
  ack(id);
  EXPECT_EQ(state(id), OrderState::live);
  EXPECT_EQ(table.next_due(), now + milliseconds(100));
}

TEST_F(Orders, ReconciliationAdoptsKeepsAndRevives) {
  OpenOrderReport r;
  r.order = make_order_id(0x123, StrategyId{1}, 9);
  r.price = at(90);
  r.amount = of(8);
  r.filled = of(3);
  r.side = Side::sell;
  const Order* adopted = table.on_open_report(r, perp, UnderlyingId{0}, venue, {now}, now);
  ASSERT_NE(adopted, nullptr);
  EXPECT_TRUE(adopted->adopted);
  EXPECT_EQ(table.exposure(perp).worst_sell(), of(5));

  const OrderId id = place();
  ack(id);
  done(id);
  r = {};
  r.order = id;
  r.amount = of(10);
  r.price = at(100);
  table.on_open_report(r, perp, UnderlyingId{0}, venue, {now}, now);
  EXPECT_EQ(state(id), OrderState::cancelled);  // the picture was begun before the end
  now = now + seconds(1);
  table.on_open_report(r, perp, UnderlyingId{0}, venue, {now}, now);
  EXPECT_EQ(state(id), OrderState::live);  // it really rests
  EXPECT_EQ(table.counters().revived, 1U);
  EXPECT_EQ(buys(), of(10));
}

// Nothing of it may be lost, or of the order that we know.
TEST_F(Orders, ASecondOrderUnderALabelCountsUntilAPictureLacksIt) {
  const auto shown = [&](std::uint64_t venue_ref, std::int64_t amount) {
    OpenOrderReport r;
    r.order = make_order_id(0x123, StrategyId{1}, 9);
    r.price = at(90);
    r.amount = of(amount);
    r.filled = of(3);
    r.venue_ref = venue_ref;
    return r;
  };
  table.on_open_report(shown(5, 8), perp, UnderlyingId{0}, venue, {now}, now);
  EXPECT_FALSE(table.is_twin(shown(5, 8), perp));
  ASSERT_TRUE(table.is_twin(shown(6, 10), perp));
  const auto picture = [&](std::int64_t first, std::int64_t second) {
    table.begin_twins(perp);
    if (first > 0) table.add_twin(shown(6, first), perp);
    if (second > 0) table.add_twin(shown(7, second), perp);
    EXPECT_TRUE(table.consistent());
  };
  picture(10, 23);
  EXPECT_EQ(buys(), of(5 + 7 + 20));
  table.end_twins(perp);
  EXPECT_EQ(buys(), of(5 + 7 + 20));
  picture(10, 0);  // not complete: the other may still come
  EXPECT_EQ(buys(), of(5 + 7 + 20));
  table.end_twins(perp);
  EXPECT_EQ(buys(), of(5 + 7));
  picture(0, 0);
  table.end_twins(perp);
  EXPECT_EQ(buys(), of(5));
  EXPECT_TRUE(table.consistent());
}

TEST_F(Orders, ATableHoldsItsCapacityAndRecyclesTheOldestEnds) {
  std::vector<OrderId> ids;
  for (std::size_t i = 0; i < open_orders_max; ++i) ids.push_back(place(1));
  NewOrder extra;
  extra.place.order = make_order_id(1, StrategyId{0}, 999999);
  extra.place.instrument = perp;
  extra.place.amount = of(1);
  EXPECT_EQ(table.place(extra, now, {}), nullptr);
  for (const OrderId id : ids) reject(id, RejectReason::venue);
  for (int i = 0; i < 5000; ++i) reject(place(1), RejectReason::venue);
  EXPECT_EQ(table.find(ids[0]), nullptr);
  EXPECT_EQ(table.open_count(), 0U);
}

TEST_F(Orders, RandomEventsNeverBreakTheSums) {
  std::mt19937_64 random{99};
  std::vector<OrderId> ids;
  for (int i = 0; i < 200'000; ++i) {
    const std::uint64_t r = random();
    now = now + microseconds(100);
    if (ids.size() < 40 || r % 37 == 0) {
      ids.push_back(
          place(static_cast<std::int64_t>(r % 20 + 1), r % 2 == 0 ? Side::buy : Side::sell,
                r % 3 == 0 ? TimeInForce::immediate_or_cancel : TimeInForce::good_til_cancelled));
    }
    const std::size_t pick = (r >> 8) % ids.size();
    const OrderId id = ids[pick];
    const OrderState before = state(id);
    const auto n = static_cast<std::int64_t>((r >> 20) % 22);
    switch ((r >> 32) % 12) {
      case 0: ack(id, n + 1); break;
      case 1: fill(id, n % 5 + 1); break;
      case 2: done(id, n); break;
      case 3:
        reject(id, static_cast<RejectReason>(r % 9 + 1), static_cast<OrderAction>(n % 3));
        break;
      case 4: table.on_doubt(id, OrderAction::cancel, now); break;
      case 5: lookup(id, static_cast<LookupOutcome>(n % 6), n, r % 2 == 0); break;
      case 6: replace(id, n + 1); break;
      case 7: table.ask_cancel(id, now); break;
      case 8: table.on_sent(OrderSent{id, OrderAction::place, {}}, now); break;
      case 9: table.forgive_owed(venue, now + Nanos{1}); break;
      default: table.want_cancel(id); break;
    }
    if (ended(before)) {
      ASSERT_EQ(state(id), before) << "an end is final";
      if (table.find(id)->owed.nano == 0) {
        ids[pick] = ids.back();
        ids.pop_back();
      }
    }
    if (i % 500 == 0) {
      ASSERT_TRUE(table.consistent()) << i;
      if (ids.size() > 600) {
        for (const OrderId each : ids) {
          table.on_doubt(each, OrderAction::place, now);
          lookup(each, LookupOutcome::cancelled);
        }
        table.forgive_owed(venue, now + Nanos{1});
        ids.clear();
      }
    }
  }
}

// --- small world: six messages in every order, one dropped, one repeated ------------------------

// Venue truth: order of 10, trades of 3 and 4, then cancelled.
struct SmallWorld {
  OrderTable table{1, OrderConfig{}, 8};
  TradeLedger trades{16};
  OrderId id = make_order_id(1, StrategyId{0}, 1);
  RecvTime now{1};
  std::int64_t position{0};
  std::set<std::uint64_t> distinct;
  bool was_ended{false};

  SmallWorld() {
    NewOrder n;
    n.place.order = id;
    n.place.instrument = perp;
    n.place.price = at(100);
    n.place.amount = of(10);
    n.intent = 1;
    EXPECT_NE(table.place(n, now, ExchTime{1}), nullptr);
  }
  void trade(std::uint64_t number, std::int64_t amount) {
    distinct.insert(number);
    if (!trades.remember(venue, TradeId{0, number})) return;
    position += amount;
    Fill f;
    f.order = id;
    f.amount = of(amount);
    table.on_fill(f, now);
  }
  void deliver(int message) {
    switch (message) {
      case 0: table.on_ack(OrderAck{id, at(100), of(10), {}}, now); break;  // submit ack
      case 1:
        table.on_ack(OrderAck{id, at(100), of(10), of(3)}, now);
        break;  // reply, one trade in it
      case 2: table.on_ack(OrderAck{id, at(100), of(10), of(7)}, now); break;  // order update
      case 3: trade(1, 3); break;
      case 4: trade(2, 4); break;
      default: table.on_done(OrderDone{id, of(7), DoneReason::cancelled_by_us, {}}, now); break;
    }
  }
  void check() {
    const Order& o = *table.find(id);
    std::int64_t expected = 0;
    for (const std::uint64_t n : distinct) expected += n == 1 ? 3 : 4;
    ASSERT_EQ(o.filled, of(expected));  // I1, I2
    ASSERT_EQ(position, expected);
    ASSERT_LE(o.filled, o.amount);
    ASSERT_GE(o.filled + o.open_amount(), of(7));  // I4: the venue can still make it 7
    ASSERT_LE(table.open_count(), 1U);             // I5
    ASSERT_TRUE(!was_ended || ended(o.state));     // I6
    was_ended = ended(o.state);
    ASSERT_TRUE(table.consistent());
  }
};

TEST(OrderSmallWorld, HoldsItsInvariantsInAll25920Histories) {
  std::array<int, 6> order{};
  std::iota(order.begin(), order.end(), 0);
  int cases = 0;
  do {
    for (int dropped = 0; dropped < 6; ++dropped) {
      for (int repeated = 0; repeated < 6; ++repeated) {
        ++cases;
        SmallWorld w;
        for (const int message : order) {
          if (message == dropped) continue;
          w.deliver(message);
          ASSERT_NO_FATAL_FAILURE(w.check()) << cases;
        }
        if (repeated != dropped) w.deliver(repeated);
        ASSERT_NO_FATAL_FAILURE(w.check()) << cases;
        // The venue is asked for the rest: doubt, lookup, and the trades once more.
        w.table.on_doubt(w.id, OrderAction::cancel, w.now);
        OrderLookup l;
        l.order = w.id;
        l.outcome = LookupOutcome::cancelled;
        l.filled = of(7);
        w.table.on_lookup(l, true, w.now);
        w.trade(1, 3);
        w.trade(2, 4);
        ASSERT_NO_FATAL_FAILURE(w.check()) << cases;
        ASSERT_EQ(w.position, 7);
        ASSERT_TRUE(ended(w.table.find(w.id)->state));
        ASSERT_EQ(w.table.exposure(perp).worst_buy(), of(0));
        ASSERT_EQ(w.table.listed(), 0U);
      }
    }
  } while (std::next_permutation(order.begin(), order.end()));
  EXPECT_EQ(cases, 25920);
}

TEST(TradeLedger, BooksEachTradeOnceAndForgetsTheOldest) {
  TradeLedger ledger{1000};
  std::mt19937_64 random{7};
  std::vector<TradeId> ids;
  for (int i = 0; i < 100'000; ++i) {
    ids.push_back(TradeId{random() % 4, random()});
    ASSERT_TRUE(ledger.remember(venue, ids.back()));
    const std::size_t back = random() % std::min<std::size_t>(ids.size(), 1000);
    ASSERT_FALSE(ledger.remember(venue, ids[ids.size() - 1 - back]));
    if (ids.size() > 1000) { ASSERT_FALSE(ledger.knows(venue, ids[ids.size() - 1001])); }
  }
  EXPECT_TRUE(ledger.remember(VenueId{1}, ids.back()));  // ids are the venue's own
  EXPECT_EQ(ledger.size(), 1000U);
}

}  // namespace
}  // namespace gimbal
