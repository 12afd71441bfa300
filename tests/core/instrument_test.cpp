#include "engine/core/instrument.hpp"

#include <gtest/gtest.h>

namespace gimbal {
namespace {

constexpr std::int64_t nano(double v) {
  return static_cast<std::int64_t>(v * 1e9 + (v < 0 ? -0.5 : 0.5));
}
constexpr Price price(double v) { return Price{nano(v)}; }

TickSchedule btc_option_ticks() {
  TickSchedule t;
  t.base = price(0.0001);
  t.steps[0] = {price(0.005), price(0.0005)};
  t.count = 1;
  return t;
}

Instrument perpetual() {
  Instrument i;
  i.kind = InstrumentKind::inverse_perpetual;
  i.underlying = UnderlyingId{0};
  i.ticks.base = price(0.5);
  i.lot = Qty{nano(10)};
  i.settlement = currency("BTC");
  return i;
}

TEST(TickSchedule, BoundaryOfAStepStillUsesTheBaseTick) {
  const TickSchedule t = btc_option_ticks();
  EXPECT_EQ(t.tick_at(price(0.005)), price(0.0001));
  EXPECT_EQ(t.tick_at(price(0.0051)), price(0.0005));
}

TEST(TickSchedule, SnappingUpAcrossAStepLandsOnTheCoarserGrid) {
  const TickSchedule t = btc_option_ticks();
  const Price p = t.snap(price(0.00501), Rounding::up);
  EXPECT_EQ(p, price(0.0055));
  EXPECT_TRUE(t.on_tick(p));
}

TEST(TickSchedule, EverySnappedPriceIsOnTheSchedule) {
  const TickSchedule t = btc_option_ticks();
  std::uint64_t x = 42;
  for (int i = 0; i < 200000; ++i) {
    x = x * 6364136223846793005ULL + 1442695040888963407ULL;
    const Price p{static_cast<std::int64_t>(x % 20'000'000) + 1};
    for (const Rounding r : {Rounding::down, Rounding::up, Rounding::nearest}) {
      const Price snapped = t.snap(p, r);
      ASSERT_TRUE(t.on_tick(snapped)) << p.nano;
      if (r == Rounding::down) { ASSERT_LE(snapped, p); }
      if (r == Rounding::up) { ASSERT_GE(snapped, p); }
    }
  }
}

TEST(Instrument, InversePerpetualIsWorthItsAmountInUsd) {
  Money usd;
  ASSERT_TRUE(perpetual().notional_usd(price(60000), Qty{nano(-1000)}, price(60000), usd));
  EXPECT_EQ(usd.nano, nano(1000));
}

TEST(Instrument, InverseOptionNotionalIsPremiumTimesIndex) {
  Instrument i = perpetual();
  i.kind = InstrumentKind::inverse_option;
  Money usd;
  ASSERT_TRUE(i.notional_usd(price(0.05), Qty{nano(2)}, price(60000), usd));
  EXPECT_EQ(usd.nano, nano(6000));
  ASSERT_TRUE(i.exposure_usd(price(0.05), Qty{nano(2)}, price(60000), usd));
  EXPECT_EQ(usd.nano, nano(120000));
}

TEST(Instrument, ProfitOfAnInverseLongIsConcaveInPrice) {
  Money coins;
  ASSERT_TRUE(perpetual().profit(price(50000), price(100000), Qty{nano(100000)}, coins));
  EXPECT_EQ(coins.nano, nano(1.0));
  ASSERT_TRUE(perpetual().profit(price(50000), price(25000), Qty{nano(100000)}, coins));
  EXPECT_EQ(coins.nano, nano(-2.0));
  EXPECT_FALSE(perpetual().profit(price(0), price(25000), Qty{nano(100000)}, coins));
}

TEST(Instrument, NotionalThatDoesNotFitIsRefusedNotWrapped) {
  Instrument i = perpetual();
  i.kind = InstrumentKind::linear_perpetual;
  Money usd;
  EXPECT_FALSE(i.notional_usd(Price{INT64_MAX}, Qty{INT64_MAX}, price(1), usd));
}

TEST(InstrumentTable, SameUnderlyingAndExpiryShareABucket) {
  InstrumentTable table{16};
  Instrument option = perpetual();
  option.kind = InstrumentKind::linear_option;
  option.option = OptionType::call;
  option.strike = price(50000);
  option.expiry = from_unix_ms(1'800'000'000'000);
  const InstrumentId a = table.add(option);
  option.strike = price(60000);
  const InstrumentId b = table.add(option);
  const InstrumentId p = table.add(perpetual());
  EXPECT_EQ(table[a].expiry_id, table[b].expiry_id);
  EXPECT_NE(table[a].expiry_id, table[p].expiry_id);
}

TEST(InstrumentTable, RefusesDefinitionsThatCannotBeTradedExactly) {
  InstrumentTable table{16};
  Instrument i = perpetual();
  i.ticks.base = Price{0};
  EXPECT_FALSE(table.add(i).valid());
  i = perpetual();
  i.lot = Qty{0};
  EXPECT_FALSE(table.add(i).valid());
  i = perpetual();
  i.option = OptionType::call;
  EXPECT_FALSE(table.add(i).valid());
  EXPECT_EQ(table.size(), 0u);
}

TEST(InstrumentTable, RedefineKeepsIdentityAndRefusesAnotherOne) {
  InstrumentTable table{16};
  Instrument i = perpetual();
  i.id = table.add(i);
  i.ticks.base = price(1.0);
  EXPECT_TRUE(table.redefine(i));
  EXPECT_EQ(table[i.id].ticks.base, price(1.0));
  i.settlement = currency("ETH");
  EXPECT_FALSE(table.redefine(i));
  EXPECT_EQ(table[i.id].settlement, currency("BTC"));
}

}  // namespace
}  // namespace gimbal
