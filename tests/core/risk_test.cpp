#include <gtest/gtest.h>

#include "engine/core/risk/gate.hpp"
#include "engine/core/risk/reduce_rule.hpp"
#include "tests/support/engine_world.hpp"
#include "tests/support/gate_fixture.hpp"

namespace gimbal {
namespace {

using test::amount;
using test::Gate;
using test::money;
using test::usd;

TEST_F(Gate, LetsAnOrderPassThatEveryControlLetsThrough) { EXPECT_EQ(reason(), Refusal::none); }

TEST_F(Gate, NeedsPermissionBeforeAnythingElse) {
  for (const Mode mode : {Mode::halt, Mode::cancel, Mode::lock}) {
    c.mode = mode;
    EXPECT_EQ(reason(), Refusal::halted);
  }
  c.mode = Mode::active;
  c.gateway_ready = false;
  EXPECT_EQ(reason(), Refusal::gateway_down);
  c.gateway_ready = true;
  c.reconciled = false;
  EXPECT_EQ(reason(), Refusal::not_reconciled);
  c.reconciled = true;
  c.venue_now = {};
  EXPECT_EQ(reason(), Refusal::clock_unknown);
}

TEST_F(Gate, RefusesWhatTheVenueWouldRefuse) {
  o.price = Price{usd(50000).nano + 1};
  EXPECT_EQ(reason(), Refusal::off_tick);
  o.price = usd(50000);
  o.amount = amount(15);
  EXPECT_EQ(reason(), Refusal::off_lot);
  o.amount = {};
  EXPECT_EQ(reason(), Refusal::malformed);
  o.amount = amount(10);
  o.price = usd(-1);
  EXPECT_EQ(reason(), Refusal::malformed);
  o.price = usd(50000);
  o.tif = TimeInForce::fill_or_kill;
  EXPECT_EQ(reason(), Refusal::market_order);
  o.tif = TimeInForce::immediate_or_cancel;
  c.strategy = StrategyId{};
  EXPECT_EQ(reason(), Refusal::no_owner);
  c.strategy = StrategyId{0};
  perp.state = InstrumentState::invalid;
  EXPECT_EQ(reason(), Refusal::instrument_closed);
}

TEST_F(Gate, OrderValueIsExactAtItsLimitForFutures) {
  limits.max_order_usd = money(1000);
  o.amount = amount(990);
  EXPECT_EQ(reason(), Refusal::none);
  o.amount = amount(1000);
  EXPECT_EQ(reason(), Refusal::none);
  o.amount = amount(1010);
  EXPECT_EQ(ask(), (Refused{Refusal::order_usd, money(1000).nano, money(1010).nano}));
}

TEST_F(Gate, OrderValueOfAnOptionCountsItsUnderlying) {
  c.instrument = &option;
  o.instrument = option.id;
  c.mark = o.price = usd(0.05);
  o.amount = amount(0.2);
  limits.max_order_usd = money(10000);
  EXPECT_EQ(reason(), Refusal::none);
  limits.max_order_usd = Money{money(10000).nano - 1};
  EXPECT_EQ(reason(), Refusal::order_usd);
  limits.max_order_usd = money(10001);
  EXPECT_EQ(reason(), Refusal::none);
}

TEST_F(Gate, OrderLotsAreExactAtTheirLimitAndSurviveTheLargestNumber) {
  limits.max_order_lots = 100;
  o.amount = amount(990);
  EXPECT_EQ(reason(), Refusal::none);
  o.amount = amount(1000);
  EXPECT_EQ(reason(), Refusal::none);
  o.amount = amount(1010);
  EXPECT_EQ(ask(), (Refused{Refusal::order_lots, 100, 101}));
  o.amount = Qty{INT64_MAX - INT64_MAX % perp.lot.nano};
  EXPECT_EQ(reason(), Refusal::order_lots);
  limits.max_order_lots = INT64_MAX;
  EXPECT_EQ(reason(), Refusal::order_usd);
}

TEST_F(Gate, OverflowOfAnOptionsValueIsARefusal) {
  c.instrument = &option;
  o.instrument = option.id;
  c.mark = o.price = usd(0.05);
  o.amount = Qty{INT64_MAX - INT64_MAX % option.lot.nano};
  limits.max_order_lots = INT64_MAX;
  EXPECT_EQ(reason(), Refusal::overflow);
}

TEST_F(Gate, OpenValueCountsWhatIsOpenEverywhereAndAtTheVenue) {
  limits.max_open_usd = money(5000);
  c.open_usd = money(4000);
  EXPECT_EQ(reason(), Refusal::none);
  c.open_usd = Money{money(4000).nano + 1};
  EXPECT_EQ(reason(), Refusal::open_usd);
  c.open_usd = Money{INT64_MAX};
  EXPECT_EQ(reason(), Refusal::open_usd);
  c.open_usd = {};
  limits.max_venue_open_usd = money(2000);
  c.venue_open_usd = money(1000);
  EXPECT_EQ(reason(), Refusal::none);
  c.venue_open_usd = Money{money(1000).nano + 1};
  EXPECT_EQ(reason(), Refusal::venue_open_usd);
}

TEST_F(Gate, TheCollarIsExactOnBothSidesForFutures) {
  limits.collar_bps = 50;  // 250 at 50,000
  for (const auto& [side, price, expected] : {std::tuple{Side::buy, 50249.5, Refusal::none},
                                              {Side::buy, 50250.0, Refusal::none},
                                              {Side::buy, 50250.5, Refusal::price_collar},
                                              {Side::sell, 49750.5, Refusal::none},
                                              {Side::sell, 49750.0, Refusal::none},
                                              {Side::sell, 49749.5, Refusal::price_collar},
                                              {Side::buy, 100.0, Refusal::none},
                                              {Side::sell, 90000.0, Refusal::none}}) {
    o.side = side;
    o.price = usd(price);
    EXPECT_EQ(reason(), expected) << price;
  }
}

TEST_F(Gate, TheCollarOfAnOptionIsTheWiderOfTicksAndShare) {
  c.instrument = &option;
  o.instrument = option.id;
  o.amount = amount(1);
  c.mark = usd(0.0010);  // ten ticks are wider than a quarter of it
  o.price = usd(0.0020);
  EXPECT_EQ(reason(), Refusal::none);
  o.price = usd(0.0021);
  EXPECT_EQ(reason(), Refusal::price_collar);
  c.mark = usd(0.1);  // a quarter of it is wider
  o.price = usd(0.125);
  EXPECT_EQ(reason(), Refusal::none);
  o.price = usd(0.1251);
  EXPECT_EQ(reason(), Refusal::price_collar);
}

TEST_F(Gate, TenThousandPricesAroundTheCollarAreAllJudgedRight) {
  for (std::int64_t i = -5000; i < 5000; ++i) {
    o.price = Price{usd(50250).nano + i * perp.ticks.base.nano};
    EXPECT_EQ(reason() == Refusal::price_collar, i > 0) << i;
  }
}

}  // namespace
}  // namespace gimbal
