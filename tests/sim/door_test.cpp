// The typed door: commands in, events out, latency, losses, sessions, reconciliation.
#include <gtest/gtest.h>

#include <map>
#include <stdexcept>

#include "engine/core/payload.hpp"
#include "tests/sim/support.hpp"
#include "venues/sim/typed_door.hpp"

namespace gimbal::sim {
namespace {

struct Client {
  explicit Client(DoorConfig c = {}, SimConfig market = small_market(1))
      : venue{std::move(market)}, door{venue.exchange, table, with_account(c, venue.bob)} {
    door.connect();
    perpetual = door.id_of(venue.perpetual);
  }
  static DoorConfig with_account(DoorConfig c, AccountId a) {
    c.account = a;
    return c;
  }
  void run(Nanos d) {
    const RecvTime until = door.now() + d;
    Event e;
    while (door.next(until, e)) {
      ASSERT_LE(last, e.recv);
      last = e.recv;
      events.push_back(e);
    }
  }
  template <class Payload>
  std::vector<Payload> all(EventKind kind) const {
    std::vector<Payload> list;
    PartsBuffer<Payload> parts;
    for (const Event& e : events) {
      if (e.kind() == kind && parts.add(e)) list.push_back(parts.value());
    }
    return list;
  }
  OrderId place(Side side, std::int64_t usd, std::int64_t at, TimeInForce tif) {
    PlaceOrder p;
    p.order = make_order_id(1, StrategyId{0}, ++counter);
    p.price = price(at);
    p.amount = qty(usd);
    p.instrument = perpetual;
    p.side = side;
    p.tif = tif;
    p.valid_until = door.to_exch(door.now()) + seconds(1);
    door.send(p, door.now());
    return p.order;
  }

  Venue venue;
  InstrumentTable table;
  TypedDoor door;
  InstrumentId perpetual{};
  std::vector<Event> events;
  RecvTime last{};
  std::uint32_t counter{0};
};

constexpr auto ioc = TimeInForce::immediate_or_cancel;
constexpr auto gtc = TimeInForce::good_til_cancelled;

TEST(Door, ConnectingGivesClockSessionSnapshotsAndTickers) {
  Client c;
  c.run(milliseconds(2));
  const auto sessions = c.all<GatewayStatus>(EventKind::gateway_status);
  ASSERT_EQ(sessions.size(), 1u);
  EXPECT_EQ(sessions[0].state, GatewayState::ready);
  EXPECT_EQ(sessions[0].cancel_on_disconnect, 1);
  EXPECT_EQ(c.all<VenueClock>(EventKind::venue_clock).size(), 1u);
  EXPECT_GE(c.all<Ticker>(EventKind::ticker).size(), c.table.size());
  EXPECT_EQ(c.all<MarginReport>(EventKind::margin_report).size(), 3u);
  EXPECT_EQ(c.table.size(), c.venue.exchange.instruments().size());
}

TEST(Door, DeltasRebuildTheExchangesBook) {
  Client c;
  c.run(seconds(5));
  std::map<std::int64_t, std::int64_t> book[2];
  bool fresh = false;
  ExchTime seen{};
  for (const Event& e : c.events) {
    if (e.instrument != c.perpetual) continue;
    if (e.kind() == EventKind::book_reset) {
      book[0].clear();
      book[1].clear();
      fresh = true;
    }
    if (e.kind() != EventKind::book_delta) continue;
    ASSERT_TRUE(fresh);
    seen = e.exch;
    const auto d = e.as<BookDelta>();
    auto& side = book[static_cast<std::size_t>(d.side)];
    if (d.amount.nano == 0) {
      side.erase(d.price.nano);
    } else {
      side[d.price.nano] = d.amount.nano;
    }
    if (e.has(event_flag::last_in_packet) && !book[0].empty() && !book[1].empty()) {
      ASSERT_LT(book[0].rbegin()->first, book[1].begin()->first);
    }
  }
  EXPECT_GT(seen.unix_ns, 0);
  EXPECT_GT(book[0].size(), 10u);
}

TEST(Door, AnImmediateOrderIsSentFilledAcknowledgedAndDone) {
  Client c;
  c.run(milliseconds(50));
  c.events.clear();
  const RecvTime sent_at = c.door.now();
  const OrderId id = c.place(Side::buy, 1'000, 101'000, ioc);
  c.run(milliseconds(5));
  const auto sent = c.all<OrderSent>(EventKind::order_sent);
  const auto fills = c.all<Fill>(EventKind::fill);
  const auto acks = c.all<OrderAck>(EventKind::order_ack);
  const auto dones = c.all<OrderDone>(EventKind::order_done);
  ASSERT_EQ(sent.size(), 1u);
  ASSERT_FALSE(fills.empty());
  ASSERT_EQ(acks.size(), 1u);
  ASSERT_EQ(dones.size(), 1u);
  EXPECT_EQ(fills[0].order, id);
  EXPECT_EQ(acks[0].order, id);
  EXPECT_EQ(acks[0].filled, qty(1'000));
  EXPECT_EQ(dones[0].reason, DoneReason::filled);
  EXPECT_EQ(fills.back().order_open, 0);
  EXPECT_GT(fills[0].fee.nano, 0);
  for (const Event& e : c.events) {
    if (e.kind() != EventKind::fill) continue;
    EXPECT_EQ((e.recv - sent_at).count, microseconds(600).count);
  }
  EXPECT_EQ(c.venue.exchange.position(c.venue.bob, c.venue.perpetual).size, qty(1'000));
}

TEST(Door, ReplaceAndCancelActOnTheOrderByItsLabel) {
  Client c;
  c.run(milliseconds(50));
  const OrderId id = c.place(Side::buy, 1'000, 99'000, gtc);
  c.run(milliseconds(2));
  ReplaceOrder r;
  r.order = id;
  r.price = price(99'100);
  r.amount = qty(2'000);
  r.instrument = c.perpetual;
  c.door.send(r, c.door.now());
  c.run(milliseconds(2));
  const auto acks = c.all<OrderAck>(EventKind::order_ack);
  ASSERT_EQ(acks.size(), 2u);
  EXPECT_EQ(acks[1].price, price(99'100));
  EXPECT_EQ(acks[1].amount, qty(2'000));
  c.door.send(Command{CancelOrder{id, c.perpetual, VenueId{}}}, c.door.now());
  c.run(milliseconds(2));
  const auto dones = c.all<OrderDone>(EventKind::order_done);
  ASSERT_EQ(dones.size(), 1u);
  EXPECT_EQ(dones[0].reason, DoneReason::cancelled_by_us);
  c.door.send(Command{CancelOrder{id, c.perpetual, VenueId{}}}, c.door.now());
  c.run(milliseconds(2));
  const auto rejects = c.all<OrderReject>(EventKind::order_reject);
  ASSERT_EQ(rejects.size(), 1u);
  EXPECT_EQ(rejects[0].action, OrderAction::cancel);
  EXPECT_EQ(rejects[0].venue_code, code::not_open_order);
}

TEST(Door, CancelAllClearsAScope) {
  Client c;
  c.run(milliseconds(50));
  for (int n = 0; n < 5; ++n) c.place(Side::buy, 1'000, 99'000 - n, gtc);
  c.run(milliseconds(2));
  EXPECT_EQ(c.venue.exchange.open_orders(c.venue.bob).size(), 5u);
  c.door.send(Command{CancelAll{Scope{}, VenueId{}}}, c.door.now());
  c.run(milliseconds(2));
  EXPECT_TRUE(c.venue.exchange.open_orders(c.venue.bob).empty());
  EXPECT_EQ(c.all<OrderDone>(EventKind::order_done).size(), 5u);
}

TEST(Door, ALostAnswerIsFoundByLookUpAndALostFillByReconciliation) {
  DoorConfig d;
  d.faults.ack_lost = 1;
  d.faults.fill_lost = 1;
  Client c{d};
  c.run(milliseconds(50));
  const OrderId id = c.place(Side::buy, 1'000, 101'000, ioc);
  c.run(milliseconds(5));
  EXPECT_TRUE(c.all<OrderAck>(EventKind::order_ack).empty());
  EXPECT_TRUE(c.all<OrderDone>(EventKind::order_done).empty());
  EXPECT_TRUE(c.all<Fill>(EventKind::fill).empty());
  QueryOrder q;
  q.order = id;
  q.instrument = c.perpetual;
  c.door.send(Command{q}, c.door.now());
  Reconcile r;
  r.generation = 1;
  c.door.send(Command{r}, c.door.now());
  c.run(milliseconds(5));
  const auto lookups = c.all<OrderLookup>(EventKind::order_lookup);
  ASSERT_EQ(lookups.size(), 1u);
  EXPECT_EQ(lookups[0].outcome, LookupOutcome::filled);
  EXPECT_EQ(lookups[0].filled, qty(1'000));
  const auto fills = c.all<Fill>(EventKind::fill);
  ASSERT_FALSE(fills.empty());
  EXPECT_EQ(fills[0].order, id);
  const auto marks = c.all<ReconcileMark>(EventKind::reconcile_mark);
  ASSERT_EQ(marks.size(), 2u);
  EXPECT_EQ(marks[1].phase, ReconcilePhase::complete);
  EXPECT_EQ(marks[1].trades, fills.size());
  EXPECT_EQ(marks[1].positions, 1u);
  r.last_trade = fills.back().trade;
  c.door.send(Command{r}, c.door.now());
  c.run(milliseconds(5));
  EXPECT_EQ(c.all<ReconcileMark>(EventKind::reconcile_mark).back().trades, 0u);
}

TEST(Door, AnOrderThatNeverArrivedIsAbsentOnlyAfterValidUntil) {
  Client c;
  c.run(milliseconds(50));
  QueryOrder q;
  q.order = make_order_id(1, StrategyId{0}, 777);
  q.instrument = c.perpetual;
  q.valid_until = c.door.to_exch(c.door.now()) + milliseconds(100);
  c.door.send(Command{q}, c.door.now());
  c.run(milliseconds(200));
  c.door.send(Command{q}, c.door.now());
  c.run(milliseconds(5));
  const auto found = c.all<OrderLookup>(EventKind::order_lookup);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].outcome, LookupOutcome::unproven);
  EXPECT_EQ(found[1].outcome, LookupOutcome::absent);
}

TEST(Door, AGapSilencesTheBookUntilResync) {
  DoorConfig d;
  d.faults.gap = 0.2;
  Client c{d};
  c.run(seconds(2));
  ASSERT_GT(c.door.counters().gaps, 0u);
  const auto broken = [&] {
    bool invalid = false;
    for (const Event& e : c.events) {
      if (e.instrument != c.perpetual) continue;
      if (e.kind() == EventKind::feed_status) {
        invalid = e.as<FeedStatus>().state == FeedState::invalid;
      } else if (e.kind() == EventKind::book_delta) {
        EXPECT_FALSE(invalid);
      }
    }
    return invalid;
  };
  ASSERT_TRUE(broken());
  c.events.clear();
  c.door.send(Command{Resync{c.perpetual, VenueId{}}}, c.door.now());
  c.run(milliseconds(1));
  bool resynced = false;
  for (const Event& e : c.events) {
    resynced = resynced || (e.kind() == EventKind::feed_status && e.instrument == c.perpetual &&
                            e.as<FeedStatus>().reason == FeedReason::resynced);
  }
  EXPECT_TRUE(resynced);
}

TEST(Door, RunningDryEndsTheSessionCancelsAndComesBack) {
  SimConfig market = small_market(1);
  market.enforce_rates = true;
  Client c{DoorConfig{}, market};
  c.run(milliseconds(50));
  for (int n = 0; n < 21; ++n) c.place(Side::buy, 10, 99'000, gtc);
  c.run(milliseconds(5));
  const auto rejects = c.all<OrderReject>(EventKind::order_reject);
  ASSERT_EQ(rejects.size(), 1u);
  EXPECT_EQ(rejects[0].reason, RejectReason::throttled);
  EXPECT_TRUE(c.venue.exchange.open_orders(c.venue.bob).empty());
  c.run(seconds(2));
  const auto sessions = c.all<GatewayStatus>(EventKind::gateway_status);
  ASSERT_EQ(sessions.size(), 3u);
  EXPECT_EQ(sessions[1].state, GatewayState::down);
  EXPECT_EQ(sessions[1].venue_code, code::too_many_requests);
  EXPECT_EQ(sessions[2].state, GatewayState::ready);
  EXPECT_EQ(sessions[2].generation, 2u);
}

TEST(Door, TimersFireAtTheirTime) {
  Client c;
  c.run(milliseconds(50));
  const RecvTime due = c.door.now() + microseconds(1'234);
  c.door.send(Command{ArmTimer{9, due}}, c.door.now());
  c.run(milliseconds(5));
  const auto fired = c.all<TimerFired>(EventKind::timer);
  ASSERT_EQ(fired.size(), 1u);
  EXPECT_EQ(fired[0].timer, 9u);
  for (const Event& e : c.events) {
    if (e.kind() == EventKind::timer) { EXPECT_EQ(e.recv, due); }
  }
}

std::uint64_t digest(std::uint64_t seed) {
  DoorConfig d;
  d.faults.seed = seed;
  d.faults.gap = d.faults.ack_lost = d.faults.fill_lost = 0.1;
  d.faults.jitter = microseconds(300);
  Client c{d, small_market(seed)};
  std::uint64_t state = 0;
  for (int n = 0; n < 20; ++n) {
    c.place(n % 2 == 0 ? Side::buy : Side::sell, 1'000, n % 2 == 0 ? 101'000 : 99'000, ioc);
    c.run(milliseconds(50));
  }
  for (const Event& e : c.events) {
    const auto* words = reinterpret_cast<const unsigned char*>(&e);
    for (std::size_t i = 0; i < sizeof e; ++i) state = (state ^ words[i]) * 0x100000001b3ULL;
  }
  return state;
}

TEST(Door, SameSeedsGiveTheSameEventsToTheByte) {
  EXPECT_EQ(digest(5), digest(5));
  EXPECT_NE(digest(5), digest(6));
}

TEST(Door, UnknownAccountIsRefused) {
  Venue v;
  InstrumentTable table;
  DoorConfig d;
  d.account = 77;
  EXPECT_THROW((TypedDoor{v.exchange, table, d}), std::invalid_argument);
}

}  // namespace
}  // namespace gimbal::sim
