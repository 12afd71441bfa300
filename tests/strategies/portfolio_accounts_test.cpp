// The ladder on portfolio margin: rows that are too old, with and without a hedger, and an account
// in USDC.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/portfolio_ladder_fixture.hpp"

namespace gimbal {
namespace {

using test::amount;
using test::cold_parameters;
using test::money;
using test::month;
using test::PortfolioLadderTest;
using test::spot;

// A row that is too old: no ticker comes any more, which the core prices after; the perpetual's
// book moves on.
TEST_F(PortfolioLadderTest, ARowThatIsTooOldIsUnknownUntilItWasPricedAnew) {
  setup.scenarios.row_age_max = seconds(1);
  setup.engine.tick = seconds(1000);  // it prices as well
  list(55000, month, 0.7, -6);
  begin(0, 50, 1);
  calm(50, 1);
  ASSERT_EQ(state().state, MarginState::green);
  int changes = 0;
  const auto alone = [&](Nanos how_long) {
    for (Nanos n{}; n < how_long; n = n + milliseconds(100)) {
      advance(milliseconds(100));
      level(perp, Side::buy, spot - 0.5, 100'000 + 10 * static_cast<double>(++changes % 5));
    }
  };
  report(50, 1);
  alone(milliseconds(700));  // a look leaves a row of 250 ms as it is
  EXPECT_TRUE(state().usable);
  EXPECT_EQ(state().model, LadderMargin::portfolio);
  alone(milliseconds(400));
  EXPECT_FALSE(state().usable);
  EXPECT_EQ(state().model, LadderMargin::standard);
  EXPECT_EQ(state().state, MarginState::amber);
  EXPECT_TRUE(placed().empty());
  refresh();
  refresh();
  EXPECT_TRUE(state().usable);
  EXPECT_EQ(state().model, LadderMargin::portfolio);
}

// A book of sold options, and the report of a venue that counts one balance or the other.
struct CountedBalance : PortfolioLadderTest {
  void TestBody() override {}
  void hold(LadderBalance balance, double options_held) {
    config.balance = balance;
    list(55000, month, 0.7, options_held);
    begin(0, 10, 0.1);
  }
  [[nodiscard]] double worth() const { return held[0] * price(0); }
  void told(double counted) {
    MarginReport m;
    m.settlement = settlement;
    m.balance = m.margin_balance = money(10);
    m.equity = money(10 + worth());
    m.maintenance_margin = money(cold_maintenance());
    m.initial_margin = money(cold_maintenance() / 0.8);
    m.available = money(counted) - m.initial_margin;
    send(EventKind::margin_report, m);
    refresh();
  }
};

TEST(LadderBalance, TheConfiguredOneCounts) {
  for (const double size : {-6.0, 6.0}) {
    CountedBalance smaller;
    CountedBalance margin;
    CountedBalance equity;
    smaller.hold(LadderBalance::smaller, size);
    margin.hold(LadderBalance::margin_balance, size);
    equity.hold(LadderBalance::equity, size);
    const double worth = equity.worth();
    ASSERT_GT(worth * size, 1e-3);
    EXPECT_NEAR(margin.state().equity, 10, 1e-6);
    EXPECT_NEAR(equity.state().equity, 10 + worth, 1e-6);
    EXPECT_NEAR(smaller.state().equity, 10 + std::min(worth, 0.0), 1e-6);
    EXPECT_NEAR(margin.state().health_own, margin.state().maintenance / 10, 1e-6);
    if (size > 0) continue;
    EXPECT_EQ(smaller.state().above, equity.state().above);
    EXPECT_GT(margin.state().above, 1.05 * equity.state().above) << "premium owed is not in it";
  }
}

TEST(LadderBalance, WithEquityTheVenuesFigureIsByItsEquity) {
  CountedBalance w;
  w.hold(LadderBalance::equity, -6);
  w.told(10 + w.worth());
  EXPECT_NEAR(w.state().health_venue, w.cold_maintenance() / (10 + w.worth()), 1e-6);
}

TEST(LadderBalance, AVenueThatCountsTheOtherOneRaisesTheAlarm) {
  for (const LadderBalance ours : {LadderBalance::margin_balance, LadderBalance::equity}) {
    for (const bool right : {true, false}) {
      CountedBalance w;
      w.hold(ours, -6);
      const bool with_options = (ours == LadderBalance::equity) == right;
      for (int n = 0; n < 4; ++n) w.told(with_options ? 10 + w.worth() : 10);
      EXPECT_EQ(w.raised(TripCode::margin_mismatch).size(), right ? 0U : 1U)
          << static_cast<int>(ours);
      EXPECT_EQ(w.state().mismatch, !right);
    }
  }
}

// The delta of what is closed is the hedge's to take: it counts in the relief, and bounds nothing.
TEST_F(PortfolioLadderTest, WithAHedgerItClosesTheOptionAndCountsWhatTheHedgeGivesBack) {
  config.hedged = true;
  config.slice_usd_max = money(200'000);
  list(50000.5, month, 0.6, -5);
  const double call = price_inverse({OptionType::call, spot, 50000.5, month, sigmas[0]}).delta_net;
  const double hedge = std::round(5 * call * spot / 10) * 10;
  begin(hedge, 100, 0.1);
  books(0.0005);
  calm(100, 0.1);
  const double need = state().maintenance;
  EXPECT_NEAR(need, cold_maintenance(), 1e-6 * need);
  const double worth = -5 * price(0);
  const double balance = need / 0.85 - worth;
  report(balance, need);
  refresh();
  ASSERT_EQ(state().state, MarginState::red);
  ASSERT_EQ(placed().size(), 1U);
  const PlaceOrder o = placed()[0];
  EXPECT_EQ(o.instrument, options[0]) << "never the hedge itself";
  EXPECT_EQ(o.side, Side::buy);
  const double bought = to_double(o.amount);
  // With the hedge's answer the account gives back more than the option alone.
  perpetual_usd = hedge - bought * call * spot;
  held[0] = -5 + bought;
  const auto margin_of = [&](double options_left, double perp_usd) {
    quant::Book book = cold(1);
    book.legs[0].amount = perp_usd;
    book.legs[1].amount = options_left;
    return quant::portfolio_margin(book, cold_parameters()).maintenance;
  };
  EXPECT_LT(margin_of(-5 + bought, perpetual_usd), need);
  EXPECT_LT(margin_of(-5 + bought, perpetual_usd), margin_of(-5 + bought, hedge));
  EXPECT_GT(bought, 0.05 / call) << "more than a band of 0.05 would let it close";
}

TEST_F(PortfolioLadderTest, WithoutAHedgerTheBandBoundsWhatItCloses) {
  list(50000.5, month, 0.6, -5);
  const double call = price_inverse({OptionType::call, spot, 50000.5, month, sigmas[0]}).delta_net;
  begin(std::round(5 * call * spot / 10) * 10, 100, 0.1);
  books(0.0005);
  calm(100, 0.1);
  const double need = state().maintenance;
  report(need / 0.85 + 5 * price(0), need);
  refresh();
  ASSERT_EQ(state().state, MarginState::red);
  for (const PlaceOrder& o : placed()) {
    if (o.instrument == options[0]) {
      EXPECT_LE(to_double(o.amount) * call, 0.05 + 0.001) << "band";
    }
  }
}

// An account in USDC: a perpetual in coins and options that are paid in the quote currency.
struct LinearLadderTest : PortfolioLadderTest {
  InstrumentId linear{};
  double coins{0};

  LinearLadderTest() {
    settlement = currency("USDC");
    Instrument i = test::perpetual_definition();
    i.kind = InstrumentKind::linear_perpetual;
    i.settlement = settlement;
    i.lot = i.amount_min = i.contract_size = amount(0.001);
    linear = table.add(i);
    setup.underlyings[0] = {linear, Numeraire::coin, settlement, test::the_venue};
  }
  void list_linear(double strike, double sigma, double signed_size) {
    Instrument i = test::option_definition(strike);
    i.kind = InstrumentKind::linear_option;
    i.settlement = settlement;
    i.ticks.base = test::usd(1);
    options.push_back(table.add(i));
    sigmas.push_back(sigma);
    held.push_back(signed_size);
  }
  [[nodiscard]] double years_of(std::size_t n) const {
    return years(table[options[n]].expiry - venue_time());
  }
  void quotes() {
    for (std::size_t n = 0; n < options.size(); ++n) {
      const Instrument& i = table[options[n]];
      Ticker t;
      t.mark = test::usd(std::round(
          price_linear({i.option, spot, to_double(i.strike), years_of(n), sigmas[n]}).price));
      t.index = t.underlying = test::usd(spot);
      t.mark_iv_nano = test::usd(sigmas[n]).nano;
      send(EventKind::ticker, t, options[n]);
    }
    mark(linear, spot, spot, 0);
    send(EventKind::book_reset, BookReset{}, linear, 0);
    level(linear, Side::buy, spot - 0.5, 1000, 0);
    level(linear, Side::sell, spot + 0.5, 1000);
  }
  void moment() {
    advance(milliseconds(60));
    quotes();
  }
  void begin_linear(double perp_coins, double balance, double need) {
    coins = perp_coins;
    Liquidation l{StrategyId{1}};
    ASSERT_EQ(l.add(config, test::the_coin, linear), "");
    start(puppet, l);
    report(balance, need);
    gateway(GatewayState::ready);
    clock();
    quotes();
    reconcile(ReconcilePhase::begin);
    position(linear, coins);
    for (std::size_t n = 0; n < options.size(); ++n) position(options[n], held[n]);
    reconcile(ReconcilePhase::complete);
    operate(OperatorAction::arm);
    ASSERT_EQ(answer(), OperatorResult::accepted);
    for (int n = 0; n < 200; ++n) {
      if (n % 20 == 0) report(balance, need);
      moment();
    }
    seen.clear();
  }
  [[nodiscard]] double cold_usdc() const {
    quant::Book book{quant::Settlement::quote, spot, 1, {}};
    book.legs.push_back({quant::LegKind::future, OptionType::none, spot, 0, 0, 0, coins});
    for (std::size_t n = 0; n < options.size(); ++n) {
      const Instrument& i = table[options[n]];
      book.legs.push_back({quant::LegKind::option, i.option, spot, to_double(i.strike), years_of(n),
                           sigmas[n], held[n]});
    }
    return quant::portfolio_margin(book, cold_parameters()).maintenance;
  }
};

TEST_F(LinearLadderTest, InTheQuoteCurrencyTheNumbersAreThoseOfTheColdModelAndRedReduces) {
  list_linear(55000, 0.7, -6);
  begin_linear(4, 10'000'000, 1000);
  ASSERT_TRUE(state().usable);
  EXPECT_EQ(state().model, LadderMargin::portfolio);
  EXPECT_EQ(state().settlement, settlement);
  EXPECT_EQ(state().state, MarginState::green);
  const double need = state().maintenance;
  EXPECT_NEAR(need, cold_usdc(), 1e-6 * need);
  const double worth = -6 * core().view().option_mark(options[0]).price;
  ASSERT_LT(worth, 0);
  EXPECT_NEAR(state().equity, 10'000'000 + worth, 1);
  const auto at = [&](double health) {
    report(need / health - worth, 1000);
    moment();
    return state().state;
  };
  EXPECT_EQ(at(0.5999), MarginState::green);
  EXPECT_EQ(at(0.6001), MarginState::amber);
  EXPECT_TRUE(placed().empty());
  EXPECT_EQ(at(0.8001), MarginState::red);
  ASSERT_EQ(placed().size(), 1U);
  EXPECT_TRUE(placed()[0].flags & order_flag::reduce_only);
  EXPECT_EQ(at(0.9501), MarginState::black);
}

}  // namespace
}  // namespace gimbal
