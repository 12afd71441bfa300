#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "engine/quant/margin/deribit_standard.hpp"
#include "tests/support/liquidation_fixture.hpp"

namespace gimbal {
namespace {

using test::ladder;
using test::LiquidationTest;
using test::money;
using test::usd;

// --- terms --------------------------------------------------------------------------------------

// The same position for the hot terms and for the cold model, which is the one the golden rows
// hold.
struct Twin {
  Instrument instrument{};
  quant::Leg leg{};
  double amount{0};
  OptionMark mark{};

  [[nodiscard]] MarginTerms terms(double index, const LiquidationConfig& rates) const {
    return is_option(instrument.kind) ? option_terms(instrument, amount, mark, index, rates)
                                      : future_terms(instrument, amount, leg.forward, index, rates);
  }
};

Twin random_twin(std::mt19937_64& rng, bool option, bool inverse) {
  std::uniform_real_distribution<double> u{0, 1};
  Twin t;
  const double forward = 50'000 * (0.9 + 0.2 * u(rng));
  t.amount = (u(rng) < 0.5 ? -1 : 1) * (0.1 + 20 * u(rng));
  t.leg.forward = forward;
  if (!option) {
    t.instrument.kind =
        inverse ? InstrumentKind::inverse_perpetual : InstrumentKind::linear_perpetual;
    if (inverse) t.amount = std::round(t.amount * forward / 10) * 10;
    t.leg.kind = quant::LegKind::future;
    t.leg.amount = t.amount;
    return t;
  }
  t.instrument.kind = inverse ? InstrumentKind::inverse_option : InstrumentKind::linear_option;
  t.instrument.option = u(rng) < 0.5 ? OptionType::call : OptionType::put;
  const double strike = forward * (u(rng) < 0.1 ? 2.5 : 0.7 + 0.6 * u(rng));
  t.leg = {quant::LegKind::option, t.instrument.option, forward, strike,
           0.02 + u(rng),          0.3 + u(rng),        t.amount};
  OptionTerms terms;
  terms.type = t.leg.type;
  terms.forward = forward;
  terms.strike = strike;
  terms.years = t.leg.years;
  terms.sigma = t.leg.sigma;
  const LinearGreeks linear = price_linear(terms);
  const InverseGreeks coin = price_inverse(terms);
  t.mark.usable = true;
  t.mark.price = inverse ? coin.value : linear.price;
  t.mark.delta_net = inverse ? coin.delta_net : linear.delta;
  t.mark.gamma = linear.gamma;
  t.mark.forward = forward;
  t.mark.sigma = terms.sigma;
  return t;
}

TEST(MarginTerms, AgreeWithTheColdModelInValueSlopeAndCurve) {
  std::mt19937_64 rng{5};
  const LiquidationConfig rates = ladder();
  const quant::StandardRates cold{0.02, 0.01, 0.00005, 0.15, 0.10, 0.075};
  double worst = 0;
  for (int n = 0; n < 2000; ++n) {
    const bool inverse = n % 2 == 0;
    const bool option = n % 4 < 2;
    const Twin t = random_twin(rng, option, inverse);
    const double index = t.leg.forward;
    const quant::Book book{
        inverse ? quant::Settlement::coin : quant::Settlement::quote, index, 1, {t.leg}};
    const quant::DeribitStandardMargin model{book, cold};
    const MarginTerms terms = t.terms(index, rates);
    const double scale = std::max(model.at({}).maintenance, 1e-3);
    worst = std::max(worst, std::abs(terms.maintenance - model.at({}).maintenance) / scale);
    ASSERT_NEAR(terms.maintenance, model.at({}).maintenance, 1e-9 * scale) << n;
    constexpr double x = 1e-3;
    for (const double move : {-x, x}) {
      const quant::Margin after = model.at({move, 0, 0});
      ASSERT_NEAR(terms.maintenance_at(move), after.maintenance, 3e-6 * scale) << n;
      if (option) continue;
      const double earned = terms.equity_at(move) - terms.equity;
      ASSERT_NEAR(earned, after.equity - 1, 1e-5 * std::abs(terms.equity_slope * x)) << n;
    }
  }
  std::printf("largest relative difference of the maintenance margin: %.2e\n", worst);
}

TEST(MarginTerms, RootsOfTheCushionAreWhereTheColdModelLiquidates) {
  const LiquidationConfig rates = ladder();
  const quant::StandardRates cold{0.02, 0.01, 0.00005, 0.15, 0.10, 0.075};
  const Instrument perp = test::perpetual_definition();
  for (const double coins : {-60.0, -20.0, 10.0, 25.0, 60.0}) {
    const double usd_amount = coins * 50'000;
    MarginTerms terms = future_terms(perp, usd_amount, 50'000, 50'000, rates);
    terms.equity = 1;
    const quant::Book book{
        quant::Settlement::coin,
        50'000,
        1,
        {{quant::LegKind::future, OptionType::none, 50'000, 0, 0, 0, usd_amount}}};
    const auto exact =
        quant::liquidation_distance(quant::DeribitStandardMargin{book, cold}, 0.5, 1);
    const CushionRoots roots = cushion_roots(terms);
    const double root = coins > 0 ? roots.below : roots.above;
    const double truth = coins > 0 ? exact.below.move : exact.above.move;
    // Second order: the error is of third order in the distance.
    EXPECT_NEAR(root, truth, 2 * std::abs(truth * truth * truth) + 1e-6) << coins;
  }
  MarginTerms gone;
  gone.equity = 0.5;
  gone.maintenance = 0.6;
  EXPECT_EQ(cushion_roots(gone).below, 0);
  MarginTerms safe;
  safe.equity = 1;
  EXPECT_TRUE(std::isnan(cushion_roots(safe).above));
}

// --- ladder -------------------------------------------------------------------------------------

TEST(Ladder, EntersEachStateAtItsThresholdExactlyInStepsOfATenthOfAPercent) {
  const LiquidationConfig c = ladder();
  for (std::int64_t permille = 0; permille <= 1100; ++permille) {
    MarginReading r;
    r.usable = true;
    r.health = permille * 1'000'000;
    const MarginState expected = permille >= 950   ? MarginState::black
                                 : permille >= 800 ? MarginState::red
                                 : permille >= 600 ? MarginState::amber
                                                   : MarginState::green;
    Ladder l;
    EXPECT_EQ(l.step(r, c, RecvTime{1}), expected) << permille;
  }
}

TEST(Ladder, TheDistanceAloneCallsForAmberAndRed) {
  LiquidationConfig c = ladder();
  c.amber_sigmas = 8;
  c.red_sigmas = 4;
  const auto at = [&](double sigmas) {
    MarginReading r;
    r.usable = true;
    r.sigmas = usd(sigmas).nano;
    return Ladder{}.step(r, c, RecvTime{1});
  };
  EXPECT_EQ(at(8.001), MarginState::green);
  EXPECT_EQ(at(7.999), MarginState::amber);
  EXPECT_EQ(at(3.999), MarginState::red);
}

TEST(Ladder, LeavesAStateOnlyWhenCalmForItsTimeAndNeverOnUnreadableData) {
  const LiquidationConfig c = ladder();
  Ladder l;
  RecvTime now{1'000'000'000};
  const auto step = [&](double health, bool usable = true) {
    MarginReading r;
    r.usable = usable;
    r.health = usd(health).nano;
    now = now + seconds(1);
    return l.step(r, c, now);
  };
  EXPECT_EQ(step(0.85), MarginState::red);
  for (int n = 0; n < 30; ++n) EXPECT_EQ(step(0.76), MarginState::red);  // not 0.05 below
  for (int n = 0; n < 9; ++n) EXPECT_EQ(step(0.70), MarginState::red);
  EXPECT_EQ(step(0.76), MarginState::red);  // the count begins anew
  for (int n = 0; n < 10; ++n) EXPECT_EQ(step(0.40), MarginState::red);
  EXPECT_EQ(step(0.40), MarginState::green);
  EXPECT_EQ(step(0.40, false), MarginState::amber);
  for (int n = 0; n < 30; ++n) EXPECT_EQ(step(0.0, false), MarginState::amber);
  for (int n = 0; n < 10; ++n) EXPECT_EQ(step(0.40), MarginState::amber);
  EXPECT_EQ(step(0.40), MarginState::green);
}

// --- the strategy in the engine -----------------------------------------------------------------

TEST_F(LiquidationTest, RefusesALadderThatIsNotInOrder) {
  Liquidation l;
  config.amber_health = 0.9;
  EXPECT_NE(l.add(config, test::the_coin, perp), "");
  config = ladder();
  config.slice_usd_max = {};
  EXPECT_NE(l.add(config, test::the_coin, perp), "");
  config = ladder();
  EXPECT_EQ(l.add(config, test::the_coin, perp), "");
  EXPECT_NE(l.add(config, test::the_coin, perp), "");  // twice
}

TEST_F(LiquidationTest, KnowsItsHealthBetweenTwoReportsFromItsOwnArithmetic) {
  go(4, 0.3);
  moment(50000);
  EXPECT_TRUE(state().usable);
  EXPECT_NEAR(state().health_own, 0.3, 1e-9);
  moment(49500);  // no report: a long of 200,000 USD lost 200,000 (1 / 49,500 - 1 / 50,000) coins
  const double coins = 200000.0 / 49500;
  const double balance = maintenance / 0.3 - (coins - 4);
  const double health = coins * (0.01 + 0.00005 * coins) / balance;
  // The reported balance and the profit are each rounded to the nearest 1e-9 coin; an error of the
  // balance is one of the health in the ratio of the two.
  constexpr double resolution = 1e-9;
  EXPECT_NEAR(state().equity, balance, resolution);
  EXPECT_NEAR(state().health_own, health, resolution * health / balance);
  EXPECT_EQ(state().state, MarginState::green);
}

TEST_F(LiquidationTest, AmberRefusesGrowthAndLetsAnExitPass) {
  go(4, 0.65);
  moment();
  ASSERT_EQ(state().state, MarginState::amber);
  ASSERT_TRUE(puppet.next->place(wish(Side::buy, 1000)));
  moment();
  EXPECT_TRUE(placed().empty());
  ASSERT_TRUE(puppet.next->place(wish(Side::sell, 1000)));
  moment();
  ASSERT_EQ(placed().size(), 1U);
  EXPECT_EQ(placed()[0].side, Side::sell);
}

TEST_F(LiquidationTest, AmberCancelsARestingOrderThatWouldGrowThePositionAndKeepsOneThatCloses) {
  go(4, 0.4);
  OrderRequest grows = wish(Side::buy, 1000);
  grows.limit = usd(49000);
  OrderRequest closes = wish(Side::sell, 1000);
  closes.limit = usd(51000);
  for (OrderRequest* r : {&grows, &closes}) {
    r->tif = TimeInForce::good_til_cancelled;
    ASSERT_TRUE(puppet.next->place(*r));
  }
  moment();
  ASSERT_EQ(placed().size(), 2U);
  for (const PlaceOrder& o : placed()) ack(o);
  report(maintenance / 0.65, maintenance);
  moment();
  std::vector<OrderId> cancelled;
  for (const Command& c : seen) {
    if (c.kind() == CommandKind::cancel) cancelled.push_back(c.cancel().order);
  }
  ASSERT_EQ(cancelled.size(), 1U);
  EXPECT_EQ(cancelled[0], placed()[0].order);
}

TEST_F(LiquidationTest, RedClosesJustEnoughReduceOnlyAndStopsAtTheTarget) {
  go(4, 0.85);
  moment();
  ASSERT_EQ(state().state, MarginState::red);
  ASSERT_EQ(placed().size(), 1U);
  const PlaceOrder o = placed()[0];
  EXPECT_EQ(o.side, Side::sell);
  EXPECT_EQ(o.order.strategy(), StrategyId{1});
  EXPECT_EQ(o.tif, TimeInForce::immediate_or_cancel);
  EXPECT_NE(o.flags & order_flag::reduce_only, 0);
  EXPECT_EQ(core().orders().find(o.order)->evidence_nano, usd(0.85).nano);
  moment();
  EXPECT_EQ(placed().size(), 1U);  // one at a time
  // Not acknowledged by now: its fate is unknown until it fills.
  EXPECT_EQ(core().orders().find(o.order)->state, OrderState::unknown);
  std::size_t filled = 0;
  for (int n = 0; n < 10; ++n) {  // the report is still the one from before all of it
    for (; filled < placed().size(); ++filled) {
      const PlaceOrder next = placed()[filled];
      ack(next);
      fill(next, to_double(next.amount));
    }
    moment();
    ASSERT_LT(placed().size(), 4U);
  }
  EXPECT_EQ(filled, placed().size());
  EXPECT_LE(state().health_own, 0.5);
  // Just enough: a lot of 10 USD is 0.0002 of 2.4 coins.
  EXPECT_GT(state().health_own, 0.5 * (1 - 0.0002));
  EXPECT_EQ(state().state, MarginState::red);  // until calm for its time
}

// At its target a long of fifty times the balance loses it with every tick: those are not traded.
TEST_F(LiquidationTest, AtItsTargetItWaitsForALossThatIsWorthAnOrder) {
  go(4, 0.85);
  std::size_t filled = 0;
  const auto settle = [&](double mid) {
    for (int n = 0; n < 6; ++n) {
      moment(mid);
      for (; filled < placed().size(); ++filled) {
        ack(placed()[filled]);
        fill(placed()[filled], to_double(placed()[filled].amount));
      }
    }
  };
  settle(50000);
  const std::size_t arrived = placed().size();
  ASSERT_LE(state().health_own, 0.5);
  report(state().equity, state().maintenance);  // the venue agrees
  for (const double mid : {49990.0, 49980.0, 49970.0, 49960.0, 49955.0, 49970.0, 49950.0}) {
    settle(mid);
    EXPECT_LT(state().health_own, 0.55) << mid;
    EXPECT_EQ(placed().size(), arrived) << mid;
  }
  EXPECT_GT(state().health_own, 0.51);
  settle(49850);
  EXPECT_GT(placed().size(), arrived);
  EXPECT_LE(placed().size(), arrived + 2);
  EXPECT_LE(state().health_own, 0.501);
}

// RED by the distance alone, whose way back begins under it: resting there would be resting in RED.
TEST_F(LiquidationTest, AtItsTargetItDoesNotWaitWhereTheDistanceIsRed) {
  config.amber_sigmas = 8;
  config.red_sigmas = 7.9;
  config.horizon = seconds(600);
  config.slice_usd_max = money(2000);
  go(4, 0.45);
  std::size_t filled = 0;
  const auto settle = [&](double mid, int moments) {
    for (int n = 0; n < moments; ++n) {
      if (n % 10 == 0) report(state().equity, state().maintenance);
      moment(mid);
      for (; filled < placed().size(); ++filled) {
        ack(placed()[filled]);
        fill(placed()[filled], to_double(placed()[filled].amount));
      }
    }
  };
  moment();
  ASSERT_EQ(state().state, MarginState::red);
  for (double seen_sigmas = 0; state().sigmas > seen_sigmas;) {
    seen_sigmas = state().sigmas;
    settle(50000, 10);
  }
  const std::size_t arrived = placed().size();
  ASSERT_GE(state().sigmas, 8);
  ASSERT_LT(state().health, 0.45);
  double mid = 50000;
  while (state().sigmas >= 7.9 && placed().size() == arrived) moment(mid -= 2);
  EXPECT_GT(mid, 49900);
  EXPECT_EQ(placed().size(), arrived + 1) << state().sigmas;
}

// The venue's figure says that it is enough while the own numbers cannot be used; they say that it
// is not, once they can.
TEST_F(LiquidationTest, AReportAloneDoesNotMakeItsTargetReached) {
  go(4, 0.85);
  moment();
  ASSERT_EQ(state().state, MarginState::red);
  ASSERT_EQ(placed().size(), 1U);
  ack(placed()[0]);
  done(placed()[0], 0);
  advance(seconds(3));
  report(maintenance / 0.53, 0.4 * maintenance / 0.53);
  ASSERT_FALSE(state().usable);
  for (int n = 0; n < 6; ++n) moment();
  ASSERT_TRUE(state().usable);
  EXPECT_NEAR(state().health, 0.53, 0.001);
  EXPECT_EQ(state().state, MarginState::red);
  EXPECT_GE(placed().size(), 2U);
}

TEST_F(LiquidationTest, ActsOnTheVenuesFigureWhenThatIsTheWorseOne) {
  go(2, 0.4);
  const double balance = maintenance / 0.4;
  report(balance, balance * 0.85);
  moment();
  EXPECT_NEAR(state().health_own, 0.4, 1e-6);
  EXPECT_NEAR(state().health, 0.85, 1e-6);
  EXPECT_EQ(state().state, MarginState::red);
  ASSERT_EQ(placed().size(), 1U);
  // By the venue's figure 0.85 - 0.5 of the balance is too much; a coin gives back its margin, less
  // half of the spread of 0.5 USD that it costs.
  const double gain = 0.01 + 2 * 0.00005 * 2 - 0.5 * 0.5 / 50000;
  EXPECT_NEAR(to_double(placed()[0].amount), balance * 0.35 / gain * 50000, 10);  // one lot
}

TEST_F(LiquidationTest, AReportFromBeforeItsOwnTradeClosesNothingMore) {
  go(2, 0.4);
  const double balance = maintenance / 0.4;
  report(balance, balance * 0.55);  // in AMBER: no order
  moment();
  EXPECT_TRUE(placed().empty());
  report(balance, balance * 0.81);
  moment();
  ASSERT_EQ(placed().size(), 1U);
  const PlaceOrder first = placed()[0];
  ASSERT_LT(to_double(first.amount), 80'000);  // of 100,000
  ack(first);
  fill(first, to_double(first.amount));
  for (int n = 0; n < 20; ++n) moment();
  EXPECT_EQ(placed().size(), 1U);  // that report has been answered
  report(balance, balance * 0.51);
  for (int n = 0; n < 2; ++n) moment();
  EXPECT_EQ(placed().size(), 2U);
}

TEST_F(LiquidationTest, ADifferenceOverOnePercentInThreeReportsRaisesAnAlarmOnce) {
  go(4, 0.3);
  const auto alarms = [&] {
    std::size_t n = 0;
    for (const Command& c : seen) {
      n += c.kind() == CommandKind::raise && c.raise().code == TripCode::margin_mismatch ? 1 : 0;
    }
    return n;
  };
  for (int n = 0; n < 3; ++n) {
    moment(50000, milliseconds(1500));
    report(maintenance / 0.3, maintenance * 1.009);
  }
  EXPECT_EQ(alarms(), 0U);
  for (int n = 0; n < 6; ++n) {
    moment(50000, milliseconds(1500));
    report(maintenance / 0.3, maintenance * 1.012);
  }
  EXPECT_EQ(alarms(), 1U);
  EXPECT_TRUE(state().mismatch);
  report(maintenance / 0.3, maintenance);
  moment();
  EXPECT_FALSE(state().mismatch);
}

TEST_F(LiquidationTest, PricesThatAreTooOldCountAsAmberAndMoveNoOrder) {
  go(4, 0.3);
  moment();
  EXPECT_EQ(state().state, MarginState::green);
  advance(milliseconds(1900));
  report(maintenance / 0.3, maintenance);
  EXPECT_EQ(state().state, MarginState::green);
  advance(milliseconds(200));  // the market stands still for 2.1 s
  report(maintenance / 0.3, maintenance);
  EXPECT_FALSE(state().usable);
  EXPECT_EQ(state().state, MarginState::amber);
  EXPECT_TRUE(placed().empty());
}

TEST_F(LiquidationTest, AStartWithoutAReportIsAmberUntilItWasCalmForItsTime) {
  Liquidation l{StrategyId{1}};
  ASSERT_EQ(l.add(config, test::the_coin, perp), "");
  start(puppet, l);
  to_armed(50000, 200000);
  EXPECT_EQ(state().state, MarginState::amber);
  for (int n = 0; n < 9; ++n) {
    report(1, 0.0408);
    moment(50000, seconds(1));
    EXPECT_EQ(state().state, MarginState::amber) << n;
  }
  report(1, 0.0408);
  moment(50000, seconds(1));
  EXPECT_EQ(state().state, MarginState::green);
}

TEST_F(LiquidationTest, AReportThatIsTooOldCountsAsAmberAndMovesNoOrder) {
  go(4, 0.3);
  moment();
  EXPECT_EQ(state().state, MarginState::green);
  for (int n = 0; n < 4; ++n) moment(50000, seconds(1));
  EXPECT_EQ(state().state, MarginState::green);
  for (int n = 0; n < 2; ++n) moment(50000, seconds(1));  // no report for six seconds
  EXPECT_FALSE(state().usable);
  EXPECT_EQ(state().state, MarginState::amber);
  EXPECT_TRUE(placed().empty());
}

TEST_F(LiquidationTest, BlackCancelsWhatRestsBeforeItsOwnOrderGoes) {
  go(4, 0.4);
  OrderRequest closes = wish(Side::sell, 1000);
  closes.limit = usd(51000);
  closes.tif = TimeInForce::good_til_cancelled;
  ASSERT_TRUE(puppet.next->place(closes));
  moment();
  ASSERT_EQ(placed().size(), 1U);
  ack(placed()[0]);
  seen.clear();
  report(maintenance / 0.97, maintenance);
  moment();
  EXPECT_EQ(state().state, MarginState::black);
  ASSERT_GE(count(CommandKind::cancel), 1U);
  std::size_t cancel_at = seen.size();
  std::size_t place_at = seen.size();
  for (std::size_t n = seen.size(); n > 0; --n) {
    if (seen[n - 1].kind() == CommandKind::cancel) cancel_at = n - 1;
    if (seen[n - 1].kind() == CommandKind::place) place_at = n - 1;
  }
  EXPECT_LT(cancel_at, place_at);
}

// Two short calls and the long perpetual that hedges them, at a health that asks for a reduction.
struct HedgedLiquidationTest : LiquidationTest {
  void go_hedged() {
    const double call = price_inverse({OptionType::call, 50000, 50000, 30.0 / 365, 0.6}).delta_net;
    Liquidation l{StrategyId{1}};
    ASSERT_EQ(l.add(config, test::the_coin, perp), "");
    start(puppet, l);
    to_armed(50000, std::round(2 * call * 5000) * 10, -2);
    ASSERT_LT(std::abs(core().view().residual(test::the_coin)->settled), 5'000'000);
    snapshot_of_option();
    const double need = 2 * option_need() + 2 * call * 0.01;
    report(need / 0.85, need);
    for (int n = 0; n < 3; ++n) moment();
    ASSERT_EQ(state().state, MarginState::red);
  }
  void snapshot_of_option() {
    send(EventKind::book_reset, BookReset{}, option, 0);
    level(option, Side::buy, 0.0495, 10, 0);
    level(option, Side::sell, 0.0505, 10);
  }
};

TEST_F(HedgedLiquidationTest, NeverTakesAwayAHedge) {
  config.band = 0;
  go_hedged();
  EXPECT_TRUE(placed().empty());  // either leg alone would bare the other
  EXPECT_TRUE(state().stuck);
}

// By standard margin the perpetual asks for margin and closing it would free some; the venue asks
// by the portfolio, where it is the hedge.
TEST_F(HedgedLiquidationTest, WhereTheVenueAsksForThePortfolioItTakesNoHedgeByStandardMargin) {
  config.hedged = true;
  go_hedged();
  const double need = 2 * option_need();
  report(need / 0.9, need, AccountMargin::portfolio);
  for (const PlaceOrder& p : placed()) done(p, 0);
  const auto residual = [&] {
    const auto nano = core().view().residual(test::the_coin)->settled;
    return std::abs(static_cast<double>(nano)) * 1e-9;
  };
  const double before = residual();
  const double hedge = to_double(core().view().position(perp));
  for (int n = 0; n < 40; ++n) {
    seen.clear();
    report(need / 0.9, need, AccountMargin::portfolio);
    moment();
    for (const PlaceOrder& p : placed()) {
      fill(p, to_double(p.amount));
      done(p, to_double(p.amount));
    }
  }
  EXPECT_EQ(state().state, MarginState::red);
  EXPECT_EQ(to_double(core().view().position(option)), -2) << "it would leave the hedge bare";
  EXPECT_LE(residual(), before + 1e-6);
  EXPECT_NEAR(to_double(core().view().position(perp)), hedge, before * 50000);
  EXPECT_TRUE(state().stuck);
}

TEST_F(HedgedLiquidationTest, ClosesTheLegThatAsksForMarginAndLeavesTheDeltaToTheHedge) {
  config.hedged = true;
  go_hedged();
  ASSERT_EQ(placed().size(), 1U);
  EXPECT_EQ(placed()[0].instrument, option);
  EXPECT_EQ(placed()[0].side, Side::buy);
}

// The hedge that would answer for the option's delta has no data: closing the option would leave
// the other leg naked. The report alone does not call for that.
TEST_F(HedgedLiquidationTest, DoesNotCloseALegWhoseHedgeCannotTrade) {
  config.hedged = true;
  config.band = 0;
  config.interval_min = milliseconds(50);
  go_hedged();
  ASSERT_EQ(placed().size(), 1U);
  done(placed()[0], 0);
  seen.clear();
  const double need = 2 * option_need();
  for (int n = 0; n < 20; ++n) {  // 2 s and more: the hedge's data is old, the option's is not
    advance(milliseconds(200));
    option_ticker(0.6, 50000, 50000);
    snapshot_of_option();
    report(need / 0.85, need);
    if (core().view().data_age(perp) > config.data_age_max) {
      EXPECT_TRUE(placed().empty()) << n;
    } else {
      for (const PlaceOrder& p : placed()) done(p, 0);
      seen.clear();
    }
  }
  ASSERT_GT(core().view().data_age(perp), config.data_age_max);
  EXPECT_EQ(state().state, MarginState::red);
}

TEST_F(LiquidationTest, DoesNothingWithoutAnEntry) {
  start(puppet, Liquidation{StrategyId{1}});
  to_armed(50000, 200000);
  moment();
  EXPECT_EQ(std::get<1>(engine->strategies()).accounts(), 0U);
  EXPECT_TRUE(placed().empty());
}

}  // namespace
}  // namespace gimbal
