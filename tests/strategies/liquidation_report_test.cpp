// The ladder by the venue's report alone, while the own numbers cannot be used; its alerts; and the
// futures that an account remembers.
#include <gtest/gtest.h>

#include "tests/support/liquidation_fixture.hpp"

namespace gimbal {
namespace {

using test::amount;
using test::ladder;
using test::LiquidationTest;
using test::money;
using test::the_coin;
using test::usd;

TEST(LadderByReport, GetsWorseByTheVenuesFigureAndNeverBetterOnUnreadableData) {
  const LiquidationConfig c = ladder();
  Ladder l;
  RecvTime now{1'000'000'000};
  const auto step = [&](double health) {
    MarginReading r;
    r.reported = true;
    r.health = usd(health).nano;
    now = now + seconds(1);
    return l.step(r, c, now);
  };
  EXPECT_EQ(step(0.1), MarginState::amber);
  EXPECT_EQ(step(0.799), MarginState::amber);
  EXPECT_EQ(step(0.8), MarginState::red);
  for (int n = 0; n < 30; ++n) EXPECT_EQ(step(0.1), MarginState::red);
  EXPECT_EQ(step(0.95), MarginState::black);
  for (int n = 0; n < 30; ++n) EXPECT_EQ(step(0.1), MarginState::black);
}

// A short call without a price, the perpetual of its coin, and one of another coin in the account.
struct BlindTest : LiquidationTest {
  InstrumentId blind{};
  InstrumentId other{};
  static constexpr UnderlyingId second{1};

  BlindTest() {
    blind = table.add(test::option_definition(60000));
    Instrument i = test::perpetual_definition();
    i.kind = InstrumentKind::linear_perpetual;
    i.underlying = second;
    i.ticks.base = usd(0.05);
    i.lot = i.amount_min = i.contract_size = amount(0.001);
    other = table.add(i);
    setup.underlyings[1] = {other, Numeraire::coin, currency("BTC"), test::the_venue};
  }
  void go_blind(bool hedge_marked = true, double reported_before = 0) {
    Liquidation l{StrategyId{1}};
    ASSERT_EQ(l.add(config, the_coin, perp), "");
    start(puppet, l);
    gateway(GatewayState::ready);
    clock();
    if (reported_before > 0) report(100, reported_before);
    advance(seconds(6));
    send(EventKind::book_reset, BookReset{}, other, 0);
    level(other, Side::buy, 2999.95, 1000, 0);
    level(other, Side::sell, 3000.05, 1000);
    snapshot(perp, 49999.5, 50000.5);
    if (hedge_marked) mark(perp, 50000, 50000);
    option_ticker(0.6, 50000, 50000);
    beat();
    reconcile(ReconcilePhase::begin);
    position(perp, 100000);
    position(blind, hedge_marked ? -1 : 0);
    position(other, 10);
    reconcile(ReconcilePhase::complete);
    operate(OperatorAction::arm);
    ASSERT_EQ(answer(), OperatorResult::accepted);
    seen.clear();
  }
  void beat() { mark(other, 3000, 3000); }
  void moments(int n, Nanos d = milliseconds(60)) {
    for (; n > 0; --n) {
      advance(d);
      beat();
    }
  }
};

TEST_F(BlindTest, AFreshReportAloneCancelsAlertsAndReducesWhatHasPrices) {
  go_blind();
  OrderRequest rests = wish(Side::sell, 1000);
  rests.limit = usd(3100);
  rests.instrument = other;
  rests.amount = amount(0.5);
  rests.tif = TimeInForce::good_til_cancelled;
  ASSERT_TRUE(puppet.next->place(rests));
  beat();
  ASSERT_EQ(placed().size(), 1U);
  const PlaceOrder resting = placed()[0];
  ack(resting);
  EXPECT_EQ(state().state, MarginState::amber);
  EXPECT_FALSE(state().usable);
  EXPECT_TRUE(raised(TripCode::margin_ratio).empty());
  seen.clear();
  report(100, 97);
  EXPECT_EQ(state().state, MarginState::black);
  ASSERT_EQ(raised(TripCode::margin_ratio).size(), 1U);
  EXPECT_EQ(raised(TripCode::margin_ratio)[0].severity, Severity::critical);
  EXPECT_EQ(raised(TripCode::margin_ratio)[0].actual, usd(0.97).nano);
  ASSERT_EQ(count(CommandKind::cancel), 1U);
  done(resting, 0);
  moments(3);
  ASSERT_EQ(placed().size(), 1U);
  EXPECT_EQ(placed()[0].instrument, other);
  EXPECT_EQ(placed()[0].side, Side::sell);
  EXPECT_NE(placed()[0].flags & order_flag::reduce_only, 0);
  EXPECT_EQ(raised(TripCode::margin_ratio).size(), 1U);
  EXPECT_FALSE(state().stuck);
}

TEST_F(BlindTest, OneReportIsAnsweredOnceAndAnOldOneNotAtAll) {
  go_blind();
  report(100, 81);
  moments(1);
  ASSERT_EQ(state().state, MarginState::red);
  ASSERT_EQ(placed().size(), 1U);
  const PlaceOrder first = placed()[0];
  ASSERT_LT(first.amount, amount(10));
  ack(first);
  fill(first, to_double(first.amount));
  moments(20);
  EXPECT_EQ(placed().size(), 1U);
  report(100, 51);
  moments(20);
  ASSERT_EQ(placed().size(), 2U);
  done(placed()[1], 0);
  moments(2, seconds(6));  // the report asks for more, and is too old to be followed
  const std::size_t before = placed().size();
  moments(20);
  EXPECT_EQ(placed().size(), before);
  EXPECT_EQ(state().state, MarginState::red);
}

TEST_F(BlindTest, AHedgeInstrumentWithoutAMarkDoesNotHideWhatElseIsHeld) {
  go_blind(false);
  report(100, 85);
  moments(3);
  EXPECT_EQ(state().state, MarginState::red);
  ASSERT_EQ(placed().size(), 1U);
  EXPECT_EQ(placed()[0].instrument, other);
}

TEST_F(BlindTest, AnOldReportOfABadHealthIsAmberAndMovesNoOrder) {
  go_blind(true, 97);
  moments(3);
  EXPECT_EQ(state().state, MarginState::amber);
  EXPECT_TRUE(raised(TripCode::margin_ratio).empty());
  EXPECT_TRUE(placed().empty());
  report(100, 97);
  EXPECT_EQ(state().state, MarginState::black);
}

// --- alerts -------------------------------------------------------------------------------------

TEST_F(LiquidationTest, AnAmberOfItsStartStillTellsTheRealOne) {
  Liquidation l{StrategyId{1}};
  ASSERT_EQ(l.add(config, the_coin, perp), "");
  start(puppet, l);
  to_armed(50000, 200000);
  EXPECT_EQ(state().state, MarginState::amber);
  const double need = 4 * (0.01 + 0.00005 * 4);
  report(need / 0.3, need);
  moment();
  EXPECT_TRUE(state().usable);
  EXPECT_EQ(state().state, MarginState::amber);  // not calm for long enough
  EXPECT_TRUE(raised(TripCode::margin_ratio).empty());
  for (int n = 0; n < 3; ++n) {
    report(need / 0.65, need);
    moment();
  }
  EXPECT_EQ(state().state, MarginState::amber);
  ASSERT_EQ(raised(TripCode::margin_ratio).size(), 1U);
  EXPECT_EQ(raised(TripCode::margin_ratio)[0].severity, Severity::warning);
  EXPECT_EQ(state().alarms, 1U);
}

TEST_F(LiquidationTest, EachEntryTellsOnceAndAWayBackTellsNothing) {
  go(4, 0.3);
  const auto hold = [&](double health, int times) {
    for (int n = 0; n < times; ++n) {
      report(maintenance / health, maintenance);
      moment(50000, seconds(1));
    }
  };
  hold(0.65, 2);
  EXPECT_EQ(raised(TripCode::margin_ratio).size(), 1U);
  hold(0.3, 12);
  EXPECT_EQ(state().state, MarginState::green);
  EXPECT_EQ(raised(TripCode::margin_ratio).size(), 1U);
  hold(0.65, 2);
  EXPECT_EQ(raised(TripCode::margin_ratio).size(), 2U);
  hold(0.3, 12);
  advance(seconds(3));
  report(maintenance / 0.3, maintenance);  // the market stands still
  EXPECT_EQ(state().state, MarginState::amber);
  EXPECT_EQ(raised(TripCode::margin_ratio).size(), 2U);
  hold(0.65, 2);
  EXPECT_EQ(raised(TripCode::margin_ratio).size(), 3U);
}

// --- futures of an account ----------------------------------------------------------------------

struct ManyFuturesTest : LiquidationTest {
  static constexpr std::size_t rolls = MarginAccount::futures_max + 8;
  std::vector<InstrumentId> rolled;

  ManyFuturesTest() {
    table = InstrumentTable{2 * rolls};
    perp = table.add(test::perpetual_definition());
    option = table.add(test::option_definition());
    for (std::size_t n = 0; n < rolls; ++n)
      rolled.push_back(table.add(test::perpetual_definition()));
  }
  void hold(std::span<const InstrumentId> ids) {
    reconcile(ReconcilePhase::begin);
    for (const InstrumentId id : ids) position(id, 1000);
    reconcile(ReconcilePhase::complete);
  }
};

TEST_F(ManyFuturesTest, APlaceOfAClosedFutureIsUsedAgain) {
  start(puppet, Liquidation{StrategyId{1}});
  gateway(GatewayState::ready);
  clock();
  snapshot(perp, 49999.5, 50000.5);
  mark(perp, 50000, 50000);
  for (const InstrumentId id : rolled) mark(id, 50000, 50000);
  report(1, 0.0002);
  MarginAccount account;
  for (std::size_t n = 0; n < rolls; ++n) {
    hold({&rolled[n], 1});
    account.look(core().view(), perp, config);
    account.look(core().view(), perp, config);
    ASSERT_TRUE(account.picture().known);
    ASSERT_TRUE(account.picture().complete) << n;
    ASSERT_NEAR(account.picture().terms.maintenance, 0.02 * 0.01, 1e-6) << n;
  }
  EXPECT_EQ(account.futures(), MarginAccount::futures_max);
  hold(rolled);  // more at once than there is room for
  for (int n = 0; n < 4; ++n) account.look(core().view(), perp, config);
  EXPECT_FALSE(account.picture().complete);
  hold({rolled.data(), 3});
  for (int n = 0; n < 4; ++n) account.look(core().view(), perp, config);
  EXPECT_TRUE(account.picture().complete);
  EXPECT_NEAR(account.picture().terms.maintenance, 3 * 0.02 * 0.01, 1e-6);
}

}  // namespace
}  // namespace gimbal
