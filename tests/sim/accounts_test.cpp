// Money: identities, conservation, funding, margin, liquidation, settlement.
#include <gtest/gtest.h>

#include "tests/sim/support.hpp"
#include "venues/sim/account.hpp"
#include "venues/sim/margin.hpp"
#include "venues/sim/numeric.hpp"

namespace gimbal::sim {
namespace {

void expect_identities(const SimExchange& x, AccountId account) {
  for (const Currency c : x.currencies()) {
    const Summary s = x.summary(account, c);
    EXPECT_EQ(s.margin_balance, s.balance + s.futures_session_upl + s.session_rpl);
    EXPECT_EQ(s.equity, s.margin_balance + s.options_value);
    EXPECT_EQ(s.available_funds, s.margin_balance - s.initial_margin);
  }
}

void expect_conserved(const SimExchange& x) {
  for (const Currency c : x.currencies()) {
    const Ledger l = x.ledger(c);
    EXPECT_TRUE(l.deposits == l.accounts + l.fees + l.insurance + l.rounding) << c.text();
    EXPECT_LT(to_double(to_money(l.rounding < 0 ? -l.rounding : l.rounding)), 1e-4) << c.text();
  }
}

TEST(Accounts, InverseProfitAndTakerFeeAreExact) {
  Venue v;
  v.sell(v.alice, 100'000, 100'000);
  v.buy(v.bob, 100'000, 100'000);
  v.buy(v.alice, 100'000, 99'000);
  v.sell(v.bob, 100'000, 99'000);
  const Summary s = v.exchange.summary(v.bob, btc);
  EXPECT_EQ(s.session_rpl.nano, 1'000'000'000 - 1'010'101'010);  // 1 - 100000/99000 coins
  EXPECT_EQ(s.fees.nano, 500'000 + 505'051);                     // 0.05 % of each notional
  EXPECT_EQ(s.balance.nano, 10 * nano_per_unit - 1'005'051);
  EXPECT_EQ(v.exchange.summary(v.alice, btc).session_rpl.nano, -s.session_rpl.nano);
  EXPECT_EQ(v.exchange.summary(v.alice, btc).fees.nano, 0);
  EXPECT_EQ(v.out.fills.back().profit.nano, s.session_rpl.nano);
}

TEST(Accounts, FlippingAPositionRealisesTheClosedPartOnly) {
  Venue v;
  v.sell(v.alice, 1'000, 100'000);
  v.buy(v.bob, 1'000, 100'000);
  v.buy(v.alice, 3'000, 101'000);
  v.sell(v.bob, 3'000, 101'000);
  const Position p = v.exchange.position(v.bob, v.perpetual);
  EXPECT_EQ(p.size, qty(-2'000));
  EXPECT_NEAR(to_double(p.average), 101'000, 0.01);
  EXPECT_NEAR(to_double(p.realized), 1'000.0 / 100'000 - 1'000.0 / 101'000, 2e-9);
}

TEST(Accounts, OptionPremiumMovesTheBalanceAndSitsInOptionsValue) {
  Venue v;
  const InstrumentIndex option = v.exchange.find("BTC-25SEP26-100000-C");
  NewOrder o = v.order(Side::sell, 2, 0);
  o.instrument = option;
  o.price = Price{25'000'000};
  ASSERT_TRUE(v.exchange.submit(v.alice, 0, o, v.out).ok());
  o.side = Side::buy;
  ASSERT_TRUE(v.exchange.submit(v.bob, 0, o, v.out).ok());
  const Summary s = v.exchange.summary(v.bob, btc);
  EXPECT_EQ(s.balance.nano, 10 * nano_per_unit - 50'000'000 - 600'000);
  EXPECT_EQ(s.session_rpl.nano, 0);
  EXPECT_EQ(s.options_value.nano, 2 * v.exchange.mark_price(option).nano);
  EXPECT_EQ(s.maintenance_margin.nano, 0);
  EXPECT_GT(v.exchange.summary(v.alice, btc).maintenance_margin.nano, 150'000'000);
  expect_identities(v.exchange, v.bob);
}

TEST(Accounts, IdentitiesAndLedgerHoldThroughAHundredThousandTrades) {
  Venue v;
  const InstrumentIndex option = v.exchange.find("BTC-25SEP26-100000-C");
  const InstrumentIndex future = v.exchange.find("BTC-25SEP26");
  ASSERT_NE(future, no_instrument);
  for (const AccountId a : {v.alice, v.bob}) v.exchange.deposit(a, btc, coins(1'000'000));
  Rng rng{7};
  std::size_t trades = 0;
  Observer quiet;
  for (int n = 0; trades < 100'000; ++n) {
    const std::uint64_t pick = rng.below(3);
    NewOrder o;
    o.instrument = pick == 0 ? v.perpetual : pick == 1 ? future : option;
    const std::int64_t jitter = static_cast<std::int64_t>(rng.below(41)) - 20;
    if (pick == 2) {
      o.amount = Qty{static_cast<std::int64_t>(1 + rng.below(50)) * 100'000'000};
      o.price = Price{22'000'000 + 500'000 * jitter};
    } else {
      o.amount = qty(static_cast<std::int64_t>(1 + rng.below(500)) * 10);
      o.price = price(100'000 + 10 * jitter);
    }
    const bool swap = rng.below(2) == 0;
    o.side = rng.below(2) == 0 ? Side::buy : Side::sell;
    const AccountId maker = swap ? v.alice : v.bob;
    ASSERT_TRUE(v.exchange.submit(maker, 0, o, quiet).ok());
    o.side = opposite(o.side);
    const auto r = v.exchange.submit(swap ? v.bob : v.alice, 0, o, quiet);
    ASSERT_TRUE(r.ok()) << r.error;
    trades += r.trades.size();
    if (n % 5'000 == 0) {
      v.exchange.advance(v.exchange.now() + milliseconds(50), quiet);
      expect_identities(v.exchange, v.alice);
      expect_conserved(v.exchange);
    }
  }
  expect_identities(v.exchange, v.alice);
  expect_identities(v.exchange, v.bob);
  expect_conserved(v.exchange);
  const Ledger l = v.exchange.ledger(btc);
  EXPECT_TRUE(l.fees > 0);
  EXPECT_TRUE(l.deposits == static_cast<i128>(2'000'020) * nano_per_unit);
}

TEST(Accounts, LedgerIsConservedThroughTheWholeMarketAndASettlement) {
  SimConfig c = small_market(3);
  c.start = ExchTime{1'790'063'990'000'000'000};  // 2026-09-22 07:59:50 UTC
  c.step = milliseconds(20);
  c.walk_speed = 200;
  c.maker.taker_per_s = 200;
  Venue v{c};
  v.buy(v.bob, 50'000, 101'000);
  v.run(seconds(15));
  ASSERT_FALSE(v.out.trades.empty());
  EXPECT_TRUE(v.exchange.position(v.bob, v.perpetual).settlement.nano > 0);
  expect_identities(v.exchange, v.bob);
  expect_identities(v.exchange, 0);
  expect_conserved(v.exchange);
}

TEST(Funding, RateFollowsThePublishedFormula) {
  EXPECT_NEAR(funding_rate(83'212.14, 83'251.03, 0.00025, 0.005), -2.1714e-4, 5e-9);
  EXPECT_EQ(funding_rate(100'010, 100'000, 0.00025, 0.005), 0);
  EXPECT_NEAR(funding_rate(100'050, 100'000, 0.00025, 0.005), 2.5e-4, 1e-12);
  EXPECT_EQ(funding_rate(110'000, 100'000, 0.00025, 0.005), 0.005);
}

TEST(Funding, LongsPayShortsWhatTheRateSays) {
  SimConfig c = empty_market();
  c.funding_damper = 0;  // the rate is the premium itself, never zero for long
  Venue v{c};
  const InitialPosition longs[]{{v.perpetual, qty(1'000'000), price(100'000)}};
  const InitialPosition shorts[]{{v.perpetual, qty(-1'000'000), price(100'000)}};
  v.exchange.endow(v.alice, longs);
  v.exchange.endow(v.bob, shorts);
  double expected = 0;
  double paid = 0;
  for (int n = 0; n < 12'000; ++n) {
    const double rate = v.exchange.ticker(v.perpetual).current_funding;
    v.run(c.step);
    const double share = 0.005 / (8 * 3600);
    expected -= rate * 1'000'000 / to_double(v.exchange.index_price(0)) * share;
    paid += rate < 0 ? -rate * share : rate * share;
  }
  ASSERT_GT(paid, 1e-8);
  const Position p = v.exchange.position(v.alice, v.perpetual);
  EXPECT_NEAR(to_double(p.funding), expected, 2e-9);
  EXPECT_EQ(v.exchange.position(v.bob, v.perpetual).funding.nano, -p.funding.nano);
  expect_conserved(v.exchange);
}

TEST(Margin, FollowsTheStandardModelsNumbers) {
  Instrument linear;
  linear.kind = InstrumentKind::linear_perpetual;
  const Requirement r = futures_margin(linear, margin_rates("BTC"), 25, 100'000, 100'000);
  EXPECT_NEAR(r.initial, 53'125, 1e-6);
  EXPECT_NEAR(r.maintenance, 28'125, 1e-6);
  Instrument put;
  put.kind = InstrumentKind::inverse_option;
  put.option = OptionType::put;
  put.strike = price(90'000);
  const Requirement p = option_margin(put, -2, 0.02, 100'000, 100'000);
  EXPECT_NEAR(p.initial, 2 * (0.1 + 0.02), 1e-12);
  EXPECT_NEAR(p.maintenance, 2 * (0.075 + 0.02), 1e-12);
  EXPECT_EQ(option_margin(put, 2, 0.02, 100'000, 100'000).initial, 0);
}

TEST(Liquidation, ShortBelowMaintenanceIsReducedThroughTheBookUntilHealthy) {
  SimConfig c = small_market(5);
  c.liquidation_slice = 0.02;
  Venue v{c};
  const AccountId carol = v.add("carol", 1);
  const InitialPosition held[]{{v.perpetual, qty(-4'000'000), Price{absent_nano}}};
  v.exchange.endow(carol, held);  // 40 BTC short on 1 BTC
  v.exchange.shock("BTC", 0.015, v.out);
  v.run(milliseconds(200));
  EXPECT_TRUE(v.exchange.under_liquidation(carol));
  EXPECT_EQ(v.exchange.submit(carol, 0, v.order(Side::sell, 10, 101'600), v.out).error,
            code::account_locked);
  v.run(seconds(20));
  EXPECT_FALSE(v.exchange.under_liquidation(carol));
  EXPECT_FALSE(v.exchange.bankrupt(carol));
  const Summary s = v.exchange.summary(carol, btc);
  EXPECT_GE(s.margin_balance, s.maintenance_margin);
  const Qty left = v.exchange.position(carol, v.perpetual).size;
  EXPECT_GT(left, qty(-4'000'000));
  EXPECT_LE(left, qty(0));
  ASSERT_FALSE(v.exchange.user_trades(carol, 0).empty());
  for (const std::size_t row : v.exchange.user_trades(carol, 0)) {
    EXPECT_EQ(v.exchange.user_trade(row).trade.liquidation, LiquidationSide::taker);
    EXPECT_TRUE(v.exchange.order(v.exchange.user_trade(row).order)->liquidation);
  }
  expect_identities(v.exchange, carol);
  expect_conserved(v.exchange);
}

TEST(Liquidation, CancelsTheAccountsOrdersFirst) {
  Venue v{small_market(6)};
  const AccountId carol = v.add("carol", 1);
  const auto r = v.buy(carol, 10, 99'000);
  ASSERT_TRUE(r.ok());
  const InitialPosition held[]{{v.perpetual, qty(-4'000'000), Price{absent_nano}}};
  v.exchange.endow(carol, held);
  v.exchange.shock("BTC", 0.015, v.out);
  v.run(milliseconds(200));
  EXPECT_EQ(v.info(r).state, OrderState::cancelled);
  EXPECT_EQ(v.info(r).cancel_reason, CancelReason::autoliquidation);
}

TEST(Liquidation, ALossBeyondTheBalanceIsPaidByTheInsuranceFund) {
  Venue v{small_market(5)};
  const AccountId carol = v.add("carol", 1);
  const InitialPosition held[]{{v.perpetual, qty(-4'000'000), Price{absent_nano}}};
  v.exchange.endow(carol, held);
  v.exchange.shock("BTC", 0.06, v.out);  // 40 BTC short: over 2 BTC lost on 1 BTC
  v.run(seconds(60));
  EXPECT_TRUE(v.exchange.bankrupt(carol));
  EXPECT_EQ(v.exchange.position(carol, v.perpetual).size, qty(0));
  EXPECT_EQ(v.exchange.summary(carol, btc).equity.nano, 0);
  EXPECT_TRUE(v.exchange.ledger(btc).insurance < 0);
  expect_conserved(v.exchange);
}

TEST(Liquidation, AHealthyAccountIsLeftAlone) {
  Venue v{small_market(5)};
  const InitialPosition held[]{{v.perpetual, qty(-1'000'000), Price{absent_nano}}};
  v.exchange.endow(v.bob, held);
  v.exchange.shock("BTC", 0.03, v.out);
  v.run(seconds(5));
  EXPECT_TRUE(v.out.liquidations.empty());
  EXPECT_EQ(v.exchange.position(v.bob, v.perpetual).size, qty(-1'000'000));
  EXPECT_EQ(v.exchange.held(v.bob, v.perpetual), qty(-1'000'000));
  EXPECT_EQ(v.exchange.held(v.bob, no_instrument), qty(0));
}

}  // namespace
}  // namespace gimbal::sim
