// R-05 in the engine: what moves the own cash, when it is compared, what a difference does.
#include "tests/support/controls_fixture.hpp"

namespace gimbal {
namespace {

struct CashTest : test::ControlsTest {
  double balance{10};

  void SetUp() override {
    setup.engine.cash_unit = 1e-8;
    armed();
    report();
    advance(seconds(3));
    report();
    ASSERT_EQ(core().counters().cash_ties, 1U);
  }
  void report(const char* of = "BTC") {
    MarginReport m;
    m.settlement = currency(of);
    m.balance = money(balance);
    send(EventKind::margin_report, m);
  }
  // The balance is told, stays, and is told again.
  void settled(const char* of = "BTC") {
    report(of);
    advance(seconds(3));
    report(of);
  }
  void trade(InstrumentId id, double size, double price, double fee, std::uint8_t flags = 0) {
    Fill f;
    f.trade = TradeId{5, ++trade_};
    f.price = usd(price);
    f.amount = amount(std::abs(size));
    f.side = size < 0 ? Side::sell : Side::buy;
    f.fee = money(fee);
    f.fee_currency = currency("BTC");
    send(EventKind::fill, f, id, event_flag::last_in_packet | flags);
  }
  [[nodiscard]] std::uint64_t alarms() const { return core().counters().cash_alarms; }

 private:
  std::uint64_t trade_{0};
};

TEST_F(CashTest, AFutureMovesItsFeeAndAnOptionItsPremiumToo) {
  trade(perp, 1000, 50000, 0.00001);
  balance -= 0.00001;
  settled();
  trade(option, -0.7, 0.1537, 0.0002);
  balance += 0.7 * 0.1537 - 0.0002;
  settled();
  trade(perp, -1000, 60000, -0.00000021);  // a rebate; the profit stays in the session
  balance += 0.00000021;
  settled();
  EXPECT_EQ(alarms(), 0U);
  EXPECT_EQ(core().counters().cash_ties, 7U);
  EXPECT_EQ(count_of(TripCode::tie_out), 0U);
}

TEST_F(CashTest, AFeeTwoUnitsHigherThanToldIsToldWithItsEvidence) {
  trade(perp, 1000, 50000, 0.00001);
  balance -= 0.00001 + 1e-8;
  settled();
  EXPECT_EQ(alarms(), 0U);
  trade(perp, 1000, 50000, 0.00001);
  balance -= 0.00001 + 2e-8;
  settled();
  EXPECT_EQ(alarms(), 1U);
  const Trip t = first(TripCode::tie_out);
  EXPECT_EQ(t.severity, Severity::warning) << "a critical one pauses growth unless acknowledged";
  EXPECT_EQ(t.scope, (Scope{ScopeLevel::account, 0}));
  EXPECT_EQ(t.mode, Mode::active) << "nothing is stopped but the day";
  EXPECT_EQ(t.actual, money(balance).nano);
  EXPECT_EQ(t.limit, t.actual + 20);
  EXPECT_EQ(t.evidence,
            (std::int64_t{'B'} << 56) | (std::int64_t{'T'} << 48) | (std::int64_t{'C'} << 40) | 1);
  settled();
  EXPECT_EQ(alarms(), 1U) << "told once";
}

TEST_F(CashTest, AnotherCurrencyHasItsOwnCashAndItsFees) {
  balance = 300;
  report("USDC");
  advance(seconds(3));
  report("USDC");
  Fill f;
  f.trade = TradeId{6, 1};
  f.price = usd(50000);
  f.amount = amount(1000);
  f.fee = money(0.5);
  f.fee_currency = currency("USDC");
  send(EventKind::fill, f, perp);
  balance = 299.5;
  settled("USDC");
  balance = 10;
  settled("BTC");
  EXPECT_EQ(alarms(), 0U);
}

TEST_F(CashTest, CashThatNobodyTradedIsTold) {
  balance += 0.5;  // a transfer
  settled();
  EXPECT_EQ(alarms(), 1U);
}

// A picture with what was traded since the one before.
TEST_F(CashTest, AFillWhoseMessageWasLostIsExplainedByThePicture) {
  setup.engine.reconcile_interval = milliseconds(2500);
  restart(0, 0);
  report();
  const auto picture = [&](double held, bool trades) {
    reconcile(ReconcilePhase::begin);
    if (trades) trade(perp, 1000, 50000, 0.00001, event_flag::historical);
    position(perp, held);
    report();
    reconcile(ReconcilePhase::complete);
  };
  advance(seconds(3));
  report();  // a picture is due and asked for
  picture(0, false);
  for (const bool told : {true, false}) {
    balance -= 0.00001;
    report();
    advance(seconds(2) + milliseconds(400));
    report();
    EXPECT_EQ(alarms(), 0U) << "no picture since";
    advance(milliseconds(200));
    report();
    picture(1000, told);
    report();
    EXPECT_EQ(alarms(), told ? 0U : 1U);
  }
}

TEST_F(CashTest, WhatTheSettlementBooksIsComparedWithNothing) {
  // The world begins at 08:16:40 of the venue's clock.
  advance(seconds(86400 - 1100));
  balance += 0.25;
  settled();  // 07:58
  EXPECT_EQ(alarms(), 1U);
  advance(seconds(200));
  balance += 0.25;
  settled();  // 08:01
  advance(seconds(600));
  settled();
  balance += 0.25;
  settled();
  EXPECT_EQ(alarms(), 2U);
  advance(seconds(86400));
  balance += 0.25;
  settled();  // the settlement ran while nobody told a balance
  EXPECT_EQ(alarms(), 2U);
}

TEST_F(CashTest, WhatALiquidationCostsIsComparedWithNothing) {
  Fill f;
  f.trade = TradeId{7, 1};
  f.price = usd(50000);
  f.amount = amount(1000);
  f.kind = FillKind::liquidation;
  send(EventKind::fill, f, perp);
  balance -= 0.3;
  settled();
  EXPECT_EQ(alarms(), 0U);
}

// Traded by hand where we do not look: the option outside of the range, the other coin.
TEST_F(CashTest, AFillOutsideOfTheTableIsComparedWithNothingInItsCurrency) {
  Fill f;
  f.trade = TradeId{8, 1};
  f.price = usd(0.1);
  f.amount = amount(1);
  f.fee = money(0.0003);
  f.fee_currency = currency("ETH");
  const auto told = [&](std::uint8_t flags = 0) {
    send(EventKind::fill, f, InstrumentId{}, event_flag::last_in_packet | flags);
  };
  told();
  balance += 1e-4;  // of nothing that we know
  settled();
  EXPECT_EQ(alarms(), 1U) << "the fee was of another currency";
  settled();
  f.trade = TradeId{8, 2};
  f.fee_currency = currency("BTC");
  told();
  balance -= 0.1;
  settled();
  settled();
  EXPECT_EQ(alarms(), 1U);
  told(event_flag::historical);  // a picture tells it again
  balance -= 0.1;
  settled();
  EXPECT_EQ(alarms(), 2U) << "told twice explains nothing";
  settled();
  f.trade = TradeId{8, 3};
  f.fee_currency = {};
  told();
  balance -= 0.1;
  settled();
  EXPECT_EQ(alarms(), 2U) << "of which currency it does not say";
}

TEST_F(CashTest, TheDayDoesNotRollUntilTheDifferenceIsAcknowledged) {
  hold(100000);
  fresh();
  tick(49000);
  const Money lost = core().snapshot().day_profit_usd;
  ASSERT_LT(lost, Money{});
  balance += 1;
  settled();
  ASSERT_EQ(alarms(), 1U);
  EXPECT_TRUE(core().snapshot().day.held);
  const ExchTime began = core().snapshot().day.began;
  advance(seconds(86400));
  market(49000);
  EXPECT_EQ(core().snapshot().day_profit_usd, lost) << "yesterday's loss still counts";
  EXPECT_EQ(core().snapshot().day.began, began + trading_day) << "for a boot of this day";
  acknowledge(TripCode::foreign_fill);
  market(49000);
  EXPECT_EQ(core().snapshot().day_profit_usd, lost);
  acknowledge(TripCode::tie_out);
  EXPECT_EQ(core().snapshot().day_profit_usd, Money{});
  EXPECT_FALSE(core().snapshot().day.held);
}

TEST_F(CashTest, WithoutAUnitNothingIsCompared) {
  setup.engine.cash_unit = 0;
  restart(0, 0);
  for (int n = 0; n < 4; ++n) {
    balance += 1;
    settled();
  }
  EXPECT_EQ(alarms(), 0U);
}

}  // namespace
}  // namespace gimbal
