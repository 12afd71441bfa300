#include "engine/core/orders.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <random>
#include <set>
#include <string_view>

#include "engine/core/trade_ledger.hpp"

namespace gimbal {
namespace {

constexpr InstrumentId perp{0};
constexpr VenueId venue{0};

Qty of(std::int64_t units) { return Qty{units * nano_per_unit}; }
Price at(std::int64_t units) { return Price{units * nano_per_unit}; }

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
  OrderChange ack(OrderId id, std::int64_t amount = 10, std::int64_t price = 100) {
    return table.on_ack(OrderAck{id, at(price), of(amount), {}}, now);
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
    return table.ask_replace(r, Money{5}, now, ExchTime{1});
  }
  OrderState state(OrderId id) const { return table.find(id)->state; }
  Qty buys() const { return table.exposure(perp).worst_buy(); }
  void TearDown() override { EXPECT_TRUE(table.consistent()); }
};

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
  table.forgive_owed(venue);
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

TEST_F(Orders, ACancelThatWasNotSentIsTriedAgainLater) {
  const OrderId id = place();
  ack(id);
  table.ask_cancel(id, now);
  reject(id, RejectReason::local_rate, OrderAction::cancel);
  EXPECT_EQ(state(id), OrderState::live);
  EXPECT_TRUE(table.find(id)->wants_cancel);
  EXPECT_GT(table.find(id)->next_cancel, now);
}

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
  const Order* adopted = table.on_open_report(r, perp, UnderlyingId{0}, venue, now, now);
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
  table.on_open_report(r, perp, UnderlyingId{0}, venue, now, now);
  EXPECT_EQ(state(id), OrderState::cancelled);  // the picture was begun before the end
  now = now + seconds(1);
  table.on_open_report(r, perp, UnderlyingId{0}, venue, now, now);
  EXPECT_EQ(state(id), OrderState::live);  // it really rests
  EXPECT_EQ(table.counters().revived, 1U);
  EXPECT_EQ(buys(), of(10));
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
        reject(id, static_cast<RejectReason>(r % 7 + 1), static_cast<OrderAction>(n % 3));
        break;
      case 4: table.on_doubt(id, OrderAction::cancel, now); break;
      case 5: lookup(id, static_cast<LookupOutcome>(n % 6), n, r % 2 == 0); break;
      case 6: replace(id, n + 1); break;
      case 7: table.ask_cancel(id, now); break;
      case 8: table.on_sent(OrderSent{id, OrderAction::place, {}}, now); break;
      case 9: table.forgive_owed(venue); break;
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
        table.forgive_owed(venue);
        ids.clear();
      }
    }
  }
}

// --- small world: six messages in every order, one dropped, one repeated ------------------------

// Venue truth: order of 10, trades of 3 and 4, then cancelled.
struct SmallWorld {
  OrderTable table{1};
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
