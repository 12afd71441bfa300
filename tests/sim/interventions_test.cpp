// What the venue does to an account against its will.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/sim/support.hpp"

namespace gimbal::sim {
namespace {

void expect_balanced(const SimExchange& x) {
  const Ledger l = x.ledger(btc);
  EXPECT_TRUE(l.deposits == l.accounts + l.fees + l.insurance + l.rounding);
}

TEST(Interventions, ADeleveragingClosesWholeLotsAtTheMarkAsALiquidationOrderWithoutALabel) {
  Venue v;
  v.sell(v.alice, 1'000, 100'000);
  v.buy(v.bob, 1'000, 100'000);
  NewOrder closing = v.order(Side::sell, 1'000, 110'000);
  closing.reduce_only = true;
  const OrderResult rest = v.exchange.submit(v.bob, 0, closing, v.out);
  ASSERT_TRUE(rest.ok());
  v.out.fills.clear();
  EXPECT_EQ(v.exchange.deleverage(v.bob, v.perpetual, Qty{qty(615).nano + 1}, v.out), qty(610));
  EXPECT_EQ(v.exchange.held(v.bob, v.perpetual), qty(390));
  EXPECT_EQ(v.exchange.held(v.alice, v.perpetual), qty(-1'000)) << "nobody's who is asked";
  ASSERT_EQ(v.out.fills.size(), 1U);
  const UserTrade& t = v.out.fills[0];
  EXPECT_EQ(t.account, v.bob);
  EXPECT_EQ(t.side, Side::sell);
  EXPECT_EQ(t.trade.liquidation, LiquidationSide::both);
  EXPECT_EQ(t.label, "");
  const OrderInfo& o = *v.exchange.order(t.order);
  EXPECT_TRUE(o.liquidation);
  EXPECT_EQ(o.state, OrderState::filled);
  EXPECT_LT(std::abs(to_double(t.trade.price) - to_double(v.exchange.mark_price(v.perpetual))), 1);
  EXPECT_EQ(v.info(rest).amount, qty(390)) << "a reduce-only order never exceeds the position";
  expect_balanced(v.exchange);
}

TEST(Interventions, ADeleveragingOfNothingDoesNothing) {
  Venue v;
  EXPECT_EQ(v.exchange.deleverage(v.bob, v.perpetual, qty(100), v.out), Qty{});
  v.sell(v.alice, 100, 100'000);
  v.buy(v.bob, 100, 100'000);
  EXPECT_EQ(v.exchange.deleverage(v.bob, v.perpetual, qty(9), v.out), Qty{}) << "below a lot";
  EXPECT_EQ(v.exchange.deleverage(v.bob, v.perpetual, qty(5'000), v.out), qty(100));
  EXPECT_EQ(v.exchange.held(v.bob, v.perpetual), Qty{});
}

TEST(Interventions, ADeleveragingOfAnOptionThatIsWorthLessThanATickIsAtOneTick) {
  SimConfig c = small_market(3);
  c.products[0].strikes = 30;
  Venue v{c};
  v.run(seconds(1));
  int cheap = 0;
  const auto all = v.exchange.instruments();
  for (InstrumentIndex i = 0; i < all.size(); ++i) {
    const Price tick = all[i].def.ticks.base;
    if (!is_option(all[i].def.kind) || all[i].def.settlement != btc ||
        v.exchange.mark_price(i) >= tick) {
      continue;
    }
    ++cheap;
    v.exchange.endow(v.bob, std::vector<InitialPosition>{{i, qty(-2)}});
    v.out.fills.clear();
    ASSERT_EQ(v.exchange.deleverage(v.bob, i, qty(1), v.out), qty(1));
    ASSERT_EQ(v.out.fills.size(), 1U);
    EXPECT_EQ(v.out.fills[0].trade.price, tick) << all[i].name;
  }
  EXPECT_GT(cheap, 0);
  expect_balanced(v.exchange);
}

TEST(Interventions, AVoidedTradeLeavesPositionCashAndFeesOfBothSidesAsIfItHadNotBeen) {
  Venue v;
  v.sell(v.alice, 1'000, 100'000);
  v.buy(v.bob, 1'000, 100'000);
  const Summary bob = v.exchange.summary(v.bob, btc);
  const Summary alice = v.exchange.summary(v.alice, btc);
  v.buy(v.alice, 400, 99'000);
  const OrderResult sold = v.sell(v.bob, 400, 99'000);
  const std::size_t last = v.exchange.user_trade_count() - 1;
  ASSERT_TRUE(v.exchange.void_trade(last, v.out));
  EXPECT_FALSE(v.exchange.void_trade(last, v.out)) << "once";
  EXPECT_FALSE(v.exchange.void_trade(last - 1, v.out)) << "the other side's row";
  EXPECT_EQ(v.exchange.held(v.bob, v.perpetual), qty(1'000));
  EXPECT_EQ(v.exchange.held(v.alice, v.perpetual), qty(-1'000));
  EXPECT_EQ(v.exchange.summary(v.bob, btc).balance, bob.balance);
  EXPECT_EQ(v.exchange.summary(v.bob, btc).fees, bob.fees);
  EXPECT_NEAR(to_double(v.exchange.summary(v.bob, btc).equity), to_double(bob.equity), 1e-8);
  EXPECT_NEAR(to_double(v.exchange.summary(v.alice, btc).equity), to_double(alice.equity), 1e-8);
  EXPECT_EQ(v.exchange.user_trades(v.bob, 0).size(), 1U) << "no list shows it";
  EXPECT_EQ(v.info(sold).state, OrderState::filled);
  expect_balanced(v.exchange);
}

TEST(Interventions, ATradeWithTheHouseIsVoidedOnBothSides) {
  Venue v{small_market(3)};
  v.run(seconds(5));
  const Price bought = v.side(Side::sell).at(0).price;
  NewOrder o = v.order(Side::buy, 10, 0);
  o.price = bought;
  ASSERT_TRUE(v.exchange.submit(v.bob, 0, o, v.out).ok());
  ASSERT_EQ(v.exchange.held(v.bob, v.perpetual), qty(10));
  ASSERT_TRUE(v.exchange.void_trade(v.exchange.user_trade_count() - 1, v.out));
  EXPECT_EQ(v.exchange.held(v.bob, v.perpetual), Qty{});
  EXPECT_EQ(v.exchange.summary(v.bob, btc).balance, coins(10));
  expect_balanced(v.exchange);
}

TEST(Interventions, OrdersOffANewLotLeaveAndSmallerOnesAreRefused) {
  Venue v;
  const OrderResult odd = v.buy(v.bob, 30, 99'000);
  const OrderResult even = v.buy(v.bob, 40, 99'000);
  const TickSchedule ticks = v.exchange.instruments()[v.perpetual].def.ticks;
  v.exchange.set_terms(v.perpetual, ticks, qty(20), v.out);
  EXPECT_EQ(v.info(odd).state, OrderState::cancelled);
  EXPECT_EQ(v.info(even).state, OrderState::open);
  EXPECT_EQ(v.buy(v.bob, 30, 99'000).error, code::invalid_amount);
  EXPECT_EQ(v.buy(v.bob, 10, 99'000).error, code::qty_too_low);
  EXPECT_TRUE(v.buy(v.bob, 60, 99'000).ok());
}

}  // namespace
}  // namespace gimbal::sim
