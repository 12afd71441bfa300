// Order semantics of the exchange, on a book that only users fill.
#include <gtest/gtest.h>

#include "tests/sim/support.hpp"

namespace gimbal::sim {
namespace {

TEST(Orders, TakerGetsTheBestPriceThenTheEarliestOrder) {
  Venue v;
  const AccountId carol = v.add("carol", 10);
  const auto late = v.sell(carol, 100, 100'001);
  const auto first = v.sell(v.alice, 100, 100'000);
  const auto second = v.sell(carol, 100, 100'000);
  const auto r = v.buy(v.bob, 250, 100'001);
  ASSERT_TRUE(r.ok());
  ASSERT_EQ(r.trades.size(), 3u);
  EXPECT_EQ(v.info(first).state, OrderState::filled);
  EXPECT_EQ(v.info(second).state, OrderState::filled);
  EXPECT_EQ(v.info(late).filled, qty(50));
  EXPECT_EQ(v.info(r).state, OrderState::filled);
  EXPECT_EQ(v.out.trades[0].price, price(100'000));
  EXPECT_EQ(v.out.trades[2].price, price(100'001));
  EXPECT_EQ(v.out.trades[2].seq, v.out.trades[1].seq + 1);
}

TEST(Orders, ImmediateOrCancelDropsItsRemainder) {
  Venue v;
  v.sell(v.alice, 100, 100'000);
  NewOrder o = v.order(Side::buy, 300, 100'000);
  o.tif = TimeInForce::immediate_or_cancel;
  const auto r = v.exchange.submit(v.bob, 0, o, v.out);
  ASSERT_TRUE(r.ok());
  EXPECT_EQ(v.info(r).state, OrderState::cancelled);
  EXPECT_EQ(v.info(r).filled, qty(100));
  EXPECT_TRUE(v.side(Side::buy).empty());
}

TEST(Orders, FillOrKillFillsWhollyOrNotAtAll) {
  Venue v;
  v.sell(v.alice, 100, 100'000);
  NewOrder o = v.order(Side::buy, 110, 100'000);
  o.tif = TimeInForce::fill_or_kill;
  const auto killed = v.exchange.submit(v.bob, 0, o, v.out);
  EXPECT_EQ(v.info(killed).state, OrderState::cancelled);
  EXPECT_EQ(v.info(killed).filled, qty(0));
  o.amount = qty(100);
  const auto filled = v.exchange.submit(v.bob, 0, o, v.out);
  EXPECT_EQ(v.info(filled).state, OrderState::filled);
}

TEST(Orders, PostOnlyIsMovedInsideTheSpreadOrRefused) {
  Venue v;
  v.sell(v.alice, 100, 100'000);
  NewOrder o = v.order(Side::buy, 100, 100'100);
  o.post_only = true;
  const auto moved = v.exchange.submit(v.bob, 0, o, v.out);
  ASSERT_TRUE(moved.ok());
  EXPECT_EQ(v.info(moved).price.nano, price(100'000).nano - nano_per_unit / 2);
  EXPECT_EQ(v.info(moved).filled, qty(0));
  o.reject_post_only = true;
  EXPECT_EQ(v.exchange.submit(v.bob, 0, o, v.out).error, code::post_only_reject);
}

TEST(Orders, MarketOrderIsBoundedByThePriceBand) {
  Venue v;
  v.sell(v.alice, 100, 100'000);
  v.sell(v.alice, 100, 104'000);  // beyond 1.5 % of the mark
  NewOrder o = v.order(Side::buy, 200, 0);
  o.type = OrderType::market;
  const auto r = v.exchange.submit(v.bob, 0, o, v.out);
  ASSERT_TRUE(r.ok());
  EXPECT_EQ(v.info(r).filled, qty(100));
  EXPECT_EQ(v.info(r).state, OrderState::cancelled);
}

TEST(Orders, ReduceOnlyIsClippedToThePositionAndRefusedWithoutOne) {
  Venue v;
  v.sell(v.alice, 100, 100'000);
  v.buy(v.bob, 100, 100'000);
  NewOrder o = v.order(Side::sell, 500, 100'000);
  o.reduce_only = true;
  const auto r = v.exchange.submit(v.bob, 0, o, v.out);
  ASSERT_TRUE(r.ok());
  EXPECT_EQ(v.info(r).amount, qty(100));
  o.side = Side::buy;
  EXPECT_EQ(v.exchange.submit(v.bob, 0, o, v.out).error, code::other_reject);
}

TEST(Orders, RestingReduceOnlyGoesWhenThePositionDoes) {
  Venue v;
  v.sell(v.alice, 100, 100'000);
  v.buy(v.bob, 100, 100'000);
  NewOrder o = v.order(Side::sell, 100, 100'500);
  o.reduce_only = true;
  const auto resting = v.exchange.submit(v.bob, 0, o, v.out);
  v.buy(v.alice, 100, 99'900);
  v.sell(v.bob, 60, 99'900);
  EXPECT_EQ(v.info(resting).amount, qty(40));
  v.sell(v.bob, 40, 99'900);
  EXPECT_EQ(v.info(resting).state, OrderState::cancelled);
  EXPECT_EQ(v.exchange.position(v.bob, v.perpetual).size, qty(0));
}

TEST(Orders, EditKeepsItsPlaceOnlyWithTheSamePriceAndNoMoreAmount) {
  Venue v;
  const auto a = v.sell(v.alice, 100, 100'000);
  const auto b = v.sell(v.bob, 100, 100'000);
  const AccountId carol = v.add("carol", 10);
  EditOrder smaller;
  smaller.order = a.order;
  smaller.amount = qty(50);
  smaller.price = price(100'000);
  ASSERT_TRUE(v.exchange.edit(v.alice, smaller, v.out).ok());
  v.buy(carol, 10, 100'000);
  EXPECT_EQ(v.info(a).filled, qty(10));
  EditOrder bigger = smaller;
  bigger.amount = qty(200);
  ASSERT_TRUE(v.exchange.edit(v.alice, bigger, v.out).ok());
  v.buy(carol, 100, 100'000);
  EXPECT_EQ(v.info(a).filled, qty(10));
  EXPECT_EQ(v.info(b).state, OrderState::filled);
  EXPECT_TRUE(v.info(a).replaced);
  EXPECT_EQ(v.side(Side::sell)[0].amount, qty(190));
}

TEST(Orders, EditThatCrossesTrades) {
  Venue v;
  v.sell(v.alice, 100, 100'000);
  const auto b = v.buy(v.bob, 100, 99'000);
  EditOrder e;
  e.order = b.order;
  e.amount = qty(100);
  e.price = price(100'000);
  const auto r = v.exchange.edit(v.bob, e, v.out);
  ASSERT_TRUE(r.ok());
  EXPECT_EQ(r.trades.size(), 1u);
  EXPECT_EQ(v.info(b).state, OrderState::filled);
}

TEST(Orders, EditToRejectPostOnlyThatCrossesCancelsTheOrder) {
  Venue v;
  v.sell(v.alice, 100, 100'000);
  const auto b = v.buy(v.bob, 100, 99'000);
  EditOrder e;
  e.order = b.order;
  e.amount = qty(100);
  e.price = price(100'000);
  e.post_only = e.reject_post_only = true;
  EXPECT_EQ(v.exchange.edit(v.bob, e, v.out).error, code::post_only_reject);
  EXPECT_EQ(v.info(b).state, OrderState::cancelled);
  EXPECT_EQ(v.info(b).cancel_reason, CancelReason::edit_post_only_reject);
}

TEST(Orders, EditAndCancelOfForeignOrClosedOrdersAreRefused) {
  Venue v;
  const auto a = v.sell(v.alice, 100, 100'000);
  EditOrder e;
  e.order = a.order;
  e.amount = qty(100);
  e.price = price(100'000);
  EXPECT_EQ(v.exchange.edit(v.bob, e, v.out).error, code::order_not_found);
  EXPECT_EQ(v.exchange.cancel(v.bob, a.order, v.out).error, code::order_not_found);
  EXPECT_EQ(v.exchange.cancel(v.alice, 999, v.out).error, code::order_not_found);
  ASSERT_TRUE(v.exchange.cancel(v.alice, a.order, v.out).ok());
  EXPECT_EQ(v.exchange.cancel(v.alice, a.order, v.out).error, code::not_open_order);
  EXPECT_EQ(v.exchange.edit(v.alice, e, v.out).error, code::not_open_order);
}

TEST(Orders, SelfTradeIsPreventedInBothModes) {
  Venue reject;
  reject.sell(reject.alice, 100, 100'000);
  EXPECT_EQ(reject.buy(reject.alice, 100, 100'000).error, code::order_overlap);
  SimConfig c = empty_market();
  c.self_trade = SelfTrade::cancel_maker;
  Venue cancel{c};
  const auto own = cancel.sell(cancel.alice, 100, 100'000);
  cancel.sell(cancel.bob, 100, 100'000);
  const auto r = cancel.buy(cancel.alice, 100, 100'000);
  EXPECT_EQ(cancel.info(own).state, OrderState::cancelled);
  EXPECT_EQ(cancel.info(own).cancel_reason, CancelReason::self_trade);
  EXPECT_EQ(cancel.info(r).state, OrderState::filled);
}

TEST(Orders, BadPricesAndAmountsAreRefusedWithTheVenuesCodes) {
  Venue v;
  NewOrder o = v.order(Side::buy, 100, 100'000);
  o.price.nano += 1;
  EXPECT_EQ(v.exchange.submit(v.bob, 0, o, v.out).error, code::price_wrong_tick);
  EXPECT_EQ(v.buy(v.bob, 5, 100'000).error, code::qty_too_low);
  EXPECT_EQ(v.buy(v.bob, 15, 100'000).error, code::invalid_amount);
  EXPECT_EQ(v.buy(v.bob, -10, 100'000).error, code::qty_too_low);
  EXPECT_EQ(v.buy(v.bob, 10, 0).error, code::invalid_price);
  o = v.order(Side::buy, 100, 100'000);
  o.instrument = 99'999;
  EXPECT_EQ(v.exchange.submit(v.bob, 0, o, v.out).error, code::invalid_instrument);
  const auto far = v.buy(v.bob, 10, 200'000);
  EXPECT_EQ(far.error, code::price_too_high);
  EXPECT_GT(far.limit.nano, price(100'000).nano);
  const auto clamped = v.buy(v.bob, 10, 103'000);
  ASSERT_TRUE(clamped.ok());
  EXPECT_LT(v.info(clamped).price, price(102'000));
}

TEST(Orders, ArrivalAfterValidUntilTimesOut) {
  Venue v;
  v.run(seconds(1));
  NewOrder o = v.order(Side::buy, 100, 99'000);
  o.valid_until = v.exchange.now();
  EXPECT_TRUE(v.exchange.submit(v.bob, 0, o, v.out).ok());
  o.valid_until = v.exchange.now() - Nanos{1};
  EXPECT_EQ(v.exchange.submit(v.bob, 0, o, v.out).error, code::timed_out);
}

TEST(Orders, NoDelayBeyondTheTimeToLiveIsEverAccepted) {
  Venue v;
  v.run(seconds(1));
  for (std::int64_t ms = 0; ms <= 5000; ms += 10) {
    NewOrder o = v.order(Side::buy, 10, 99'000);
    o.valid_until = v.exchange.now() + milliseconds(500);
    v.run(milliseconds(ms));
    const auto answer = v.exchange.submit(v.bob, 0, o, v.out);
    EXPECT_EQ(answer.ok(), ms <= 500) << ms;
    if (!answer.ok()) { EXPECT_EQ(answer.error, code::timed_out) << ms; }
  }
}

TEST(Orders, OrdersBeyondTheFundsAreRefused) {
  Venue v;  // 10 BTC, 2 % and more: 400 BTC of position need over 8 BTC and 2 % of slope
  EXPECT_EQ(v.buy(v.bob, 40'000'000, 99'000).error, code::not_enough_funds);
  EXPECT_TRUE(v.buy(v.bob, 1'000'000, 99'000).ok());
}

TEST(Orders, TheTwentyFirstRequestOfABurstRunsDry) {
  SimConfig c = empty_market();
  c.enforce_rates = true;
  Venue v{c};
  for (int n = 1; n <= 20; ++n) ASSERT_TRUE(v.buy(v.bob, 10, 99'000).ok()) << n;
  const auto dry = v.buy(v.bob, 10, 99'000);
  EXPECT_EQ(dry.error, code::too_many_requests);
  EXPECT_TRUE(dry.terminate_session);
  v.run(milliseconds(200));  // 5 a second: one credit is back
  EXPECT_TRUE(v.buy(v.bob, 10, 99'000).ok());
  EXPECT_EQ(v.buy(v.bob, 10, 99'000).error, code::too_many_requests);
  EXPECT_EQ(v.exchange.cancel_all(v.bob, {}, v.out).cancelled.size(), 21u);  // a pool of its own
}

TEST(Orders, CancelAllFilters) {
  Venue v;
  const InstrumentIndex option = v.exchange.find("BTC-25SEP26-100000-C");
  ASSERT_NE(option, no_instrument);
  const auto place = [&](InstrumentIndex i, std::string_view label, std::int64_t nano) {
    NewOrder o = v.order(Side::buy, 10, 99'000);
    o.instrument = i;
    o.label = label;
    if (i == option) {
      o.amount = qty(1);
      o.price = Price{nano};
    }
    const auto r = v.exchange.submit(v.bob, 0, o, v.out);
    EXPECT_TRUE(r.ok()) << r.error;
  };
  const auto fill = [&] {
    place(v.perpetual, "a", 0);
    place(v.perpetual, "b", 0);
    place(option, "a", 10'000'000);
  };
  const auto count = [&](const CancelAllFilter& f) {
    fill();
    const std::size_t n = v.exchange.cancel_all(v.bob, f, v.out).cancelled.size();
    static_cast<void>(v.exchange.cancel_all(v.bob, {}, v.out));
    return n;
  };
  EXPECT_EQ(count({}), 3u);
  CancelAllFilter f;
  f.label = "a";
  EXPECT_EQ(count(f), 2u);
  f = {};
  f.instrument = option;
  EXPECT_EQ(count(f), 1u);
  f = {};
  f.futures = false;
  EXPECT_EQ(count(f), 1u);
  f = {};
  f.settlement = currency("USDC");
  EXPECT_EQ(count(f), 0u);
  EXPECT_TRUE(v.exchange.open_orders(v.bob).empty());
}

TEST(Orders, CancelOnDisconnectFollowsConnectionAndScope) {
  Venue v;
  const auto place = [&](ConnectionId c) {
    return v.exchange.submit(v.bob, c, v.order(Side::buy, 10, 99'000), v.out).order;
  };
  const auto open = [&](OrderNo n) { return v.exchange.order(n)->state == OrderState::open; };
  const auto connect = [&] {
    const ConnectionId c = v.exchange.open_connection();
    EXPECT_TRUE(v.exchange.bind(c, v.bob));
    return c;
  };
  const ConnectionId off = connect();
  const ConnectionId on = connect();
  const ConnectionId logout = connect();
  ASSERT_EQ(v.exchange.set_cod(on, CodScope::connection, true), code::ok);
  ASSERT_EQ(v.exchange.set_cod(logout, CodScope::connection, true), code::ok);
  const OrderNo a = place(off);
  const OrderNo b = place(on);
  const OrderNo c = place(logout);
  v.exchange.close_connection(off, false, v.out);
  v.exchange.close_connection(on, false, v.out);
  v.exchange.close_connection(logout, true, v.out);
  EXPECT_TRUE(open(a));
  EXPECT_FALSE(open(b));
  EXPECT_EQ(v.exchange.order(b)->cancel_reason, CancelReason::cancel_on_disconnect);
  EXPECT_TRUE(open(c));
  const ConnectionId setter = connect();
  EXPECT_FALSE(v.exchange.cod_enabled(setter));
  ASSERT_EQ(v.exchange.set_cod(setter, CodScope::account, true), code::ok);
  const ConnectionId later = connect();
  EXPECT_TRUE(v.exchange.cod_enabled(later));
  const OrderNo d = place(later);
  v.exchange.close_connection(later, false, v.out);
  EXPECT_FALSE(open(d));
  EXPECT_EQ(v.exchange.set_cod(later, CodScope::connection, true), code::unauthorized);
}

TEST(Orders, MaintenanceRefusesEveryOrderCall) {
  Venue v;
  const auto a = v.buy(v.bob, 10, 99'000);
  v.exchange.set_maintenance(true, v.out);
  EXPECT_EQ(v.buy(v.bob, 10, 99'000).error, code::system_maintenance);
  EXPECT_EQ(v.exchange.cancel(v.bob, a.order, v.out).error, code::system_maintenance);
  v.exchange.set_maintenance(false, v.out);
  EXPECT_TRUE(v.exchange.cancel(v.bob, a.order, v.out).ok());
}

TEST(Orders, LabelsFindTheirOrders) {
  Venue v;
  NewOrder o = v.order(Side::buy, 10, 99'000);
  o.label = "twice";
  const auto a = v.exchange.submit(v.bob, 0, o, v.out);
  const auto b = v.exchange.submit(v.bob, 0, o, v.out);
  EXPECT_EQ(v.exchange.orders_by_label(v.bob, "twice"), (std::vector<OrderNo>{a.order, b.order}));
  EXPECT_TRUE(v.exchange.orders_by_label(v.alice, "twice").empty());
}

}  // namespace
}  // namespace gimbal::sim
