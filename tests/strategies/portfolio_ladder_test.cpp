// The ladder on portfolio margin: its numbers against the cold model, its states, what it does
// while the scenarios are not known, and what it closes against the optimum of the off-line plan.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "engine/quant/margin/deleverage.hpp"
#include "tests/support/portfolio_ladder_fixture.hpp"

namespace gimbal {
namespace {

using test::amount;
using test::cold_parameters;
using test::money;
using test::month;
using test::PortfolioLadderTest;
using test::spot;

TEST_F(PortfolioLadderTest, HealthAndDistanceAreThoseOfTheColdModel) {
  list(55000, month, 0.7, -6);
  list(45000, month, 0.8, -4);
  list(60000, 3 * month, 0.6, 5);
  list(40000, 3 * month, 0.75, -3);
  begin(600'000, 9, 1);
  const double exact = cold_maintenance();
  ASSERT_TRUE(state().usable);
  EXPECT_EQ(state().model, LadderMargin::portfolio);
  EXPECT_NEAR(state().maintenance, exact, 1e-6 * exact);
  double worth = 0;
  for (std::size_t n = 0; n < options.size(); ++n) worth += held[n] * price(n);
  ASSERT_LT(worth, 0);
  EXPECT_NEAR(state().equity, 9 + worth, 1e-6) << "what short options are worth is owed";
  EXPECT_NEAR(state().health_own, exact / (9 + worth), 2e-5);
  const auto distance = quant::liquidation_distance(
      quant::DeribitPortfolioMargin{cold(9 + worth), cold_parameters()}, 0.6, 1);
  ASSERT_TRUE(std::isfinite(distance.below.move) && std::isfinite(state().below));
  EXPECT_NEAR(state().below, distance.below.move, 0.1 * std::abs(distance.below.move));
}

TEST_F(PortfolioLadderTest, AHedgedBookIsHeldAgainstItsWorstScenarioAndNotAgainstItsLegs) {
  list(50000.5, month, 0.6, -5);
  list(51000, month, 0.6, 5);
  begin(0, 2, 0.1);
  EXPECT_LT(state().maintenance, 0.1);
  EXPECT_GT(5 * 0.075, 3 * state().maintenance);  // by standard margin
  calm(2, 0.1);
  EXPECT_EQ(state().state, MarginState::green);
}

TEST_F(PortfolioLadderTest, EachStateBeginsAtItsShareOfTheOwnRequirement) {
  begin(500'000, 100, 0.1);
  const double need = state().maintenance;
  EXPECT_NEAR(need, cold_maintenance(), 1e-9);
  const auto at = [&](double health) {
    report(need / health, 0.1);
    refresh();
    return state().state;
  };
  calm(100, 0.1);
  EXPECT_EQ(at(0.5999), MarginState::green);
  EXPECT_EQ(at(0.6001), MarginState::amber);
  EXPECT_EQ(at(0.7999), MarginState::amber);
  EXPECT_TRUE(placed().empty());
  EXPECT_EQ(at(0.8001), MarginState::red);
  ASSERT_EQ(placed().size(), 1U);
  EXPECT_EQ(placed()[0].side, Side::sell);
  EXPECT_TRUE(placed()[0].flags & order_flag::reduce_only);
  EXPECT_EQ(at(0.9501), MarginState::black);
}

// Each per cent has every row priced anew.
TEST_F(PortfolioLadderTest, ADriftOfThreePerCentIsNoReasonForAmberAndAJumpIs) {
  list(55000, month, 0.7, -6);
  list(45000, month, 0.7, -6);
  begin(0, 50, 1);
  calm(50, 1);
  ASSERT_EQ(state().state, MarginState::green);
  std::size_t pending = 0;
  double mid = spot;
  for (int n = 0; n < 300; ++n) {
    mid *= 1.0001;
    advance(milliseconds(60));
    if (n % 20 == 0) report(50, 1);
    market(mid);
    mark(perp, mid, mid);
    pending += state().usable ? 0 : 1;
    ASSERT_EQ(state().state, MarginState::green) << n;
    if (n % 5 == 0) tickers(mid);
  }
  EXPECT_GT(pending, 2U) << "nothing was priced anew";
  EXPECT_LT(pending, 60U);
  EXPECT_TRUE(raised(TripCode::margin_unknown).empty());
  advance(milliseconds(60));
  market(mid * 1.012);
  mark(perp, mid * 1.012, mid * 1.012);
  EXPECT_EQ(state().state, MarginState::amber);
}

TEST_F(PortfolioLadderTest, TheVenuesFigureActsWhereItIsTheWorseOneAndADifferenceAlarms) {
  list(55000, month, 0.7, -6);
  begin(0, 10, 0.1);
  const double own = state().maintenance;
  for (int n = 0; n < 4; ++n) {
    report(10, own * 1.005);
    refresh();
  }
  EXPECT_TRUE(raised(TripCode::margin_mismatch).empty());
  for (int n = 0; n < 4; ++n) {
    report(10, 8.5);
    refresh();
  }
  EXPECT_EQ(raised(TripCode::margin_mismatch).size(), 1U);
  EXPECT_EQ(state().state, MarginState::red);
}

// A future of another coin in the account: its scenarios are not those of the hedge's coin.
struct OtherCoinTest : PortfolioLadderTest {
  InstrumentId other{};
  OtherCoinTest() {
    Instrument i = test::perpetual_definition();
    i.kind = InstrumentKind::linear_perpetual;
    i.underlying = UnderlyingId{1};
    i.lot = i.amount_min = i.contract_size = amount(0.001);
    other = table.add(i);
    setup.underlyings[1] = {other, Numeraire::coin, currency("BTC"), test::the_venue};
  }
  void hold_other(double coins) {
    mark(other, 3000, 3000);
    reconcile(ReconcilePhase::begin);
    position(options[0], held[0]);
    position(other, coins);
    reconcile(ReconcilePhase::complete);
  }
  void moments(int n, double balance, double need) {
    for (; n > 0; --n) {
      if (n % 20 == 0) report(balance, need);
      mark(other, 3000, 3000);
      refresh();
    }
  }
};

TEST_F(OtherCoinTest, WithoutItsScenariosItIsAmberTellsOnceAndMovesByTheReportAlone) {
  list(55000, month, 0.7, -6);
  begin(0, 50, 1);
  calm(50, 1);
  ASSERT_EQ(state().state, MarginState::green);
  hold_other(0.001);
  moments(2, 50, 1);
  EXPECT_EQ(state().state, MarginState::amber) << "what it holds is no matter of a moment";
  moments(58, 50, 1);
  EXPECT_FALSE(state().usable);
  EXPECT_EQ(state().model, LadderMargin::standard);
  EXPECT_EQ(state().state, MarginState::amber);
  ASSERT_EQ(raised(TripCode::margin_unknown).size(), 1U);
  EXPECT_GT(raised(TripCode::margin_unknown)[0].actual, seconds(2).count);
  EXPECT_TRUE(placed().empty());
  EXPECT_TRUE(puppet.next->place(wish(Side::sell, 1000)));
  moments(1, 50, 1);
  EXPECT_TRUE(placed().empty()) << "growth is held back";
  books(0.001);
  report(50, 43);
  moments(1, 50, 43);
  EXPECT_EQ(state().state, MarginState::red) << "the venue's own figure";
  EXPECT_EQ(placed().size(), 1U);
  hold_other(0);
  moments(3, 50, 43);
  EXPECT_EQ(state().model, LadderMargin::portfolio);
  EXPECT_TRUE(state().usable);
}

// Every order fills whole at the best; the market stands still.
struct FillingLadder : PortfolioLadderTest {
  static constexpr double half_spread = 0.002;
  double cost{0};

  void TestBody() override {}
  void run_to_target(double balance) {
    for (int idle = 0; idle < 40;) {
      seen.clear();
      report(balance, cold_maintenance());
      refresh();
      ++idle;
      if (placed().empty()) continue;
      idle = 0;
      PlaceOrder o = placed()[0];
      const double traded = to_double(o.amount);
      const auto book = core().view().book(o.instrument);
      o.price = (o.side == Side::buy ? book->best_ask() : book->best_bid())->price;
      if (o.instrument == perp) {
        perpetual_usd += o.side == Side::buy ? traded : -traded;
        cost += traded * 0.5 / (spot * spot);
        balance -= traded * 0.5 / (spot * spot);
      } else {
        cost += traded * (to_double(o.price) - core().view().option_mark(o.instrument).price);
        balance -= traded * to_double(o.price);
      }
      fill(o, traded);
      done(o, traded);
    }
  }
  // The cheapest reduction of the present book to the target.
  [[nodiscard]] quant::Deleverage optimum(double equity) const {
    quant::DeleverageAsk ask;
    ask.target_health = config.target_health;
    ask.unit_cost.push_back(0.5 / (spot * spot));
    for (std::size_t n = 0; n < options.size(); ++n) {
      ask.unit_cost.push_back(round_tick(price(n) + half_spread) - price(n));
    }
    return quant::deleverage(cold(equity), cold_parameters(), ask);
  }
  [[nodiscard]] double lots() const { return static_cast<double>(options.size()); }
  [[nodiscard]] double worth() const {
    double sum = 0;
    for (std::size_t n = 0; n < options.size(); ++n) {
      sum += to_double(core().view().position(options[n])) * price(n);
    }
    return sum;
  }
};

void fill_book(FillingLadder& w, std::mt19937_64& rng) {
  std::uniform_real_distribution<double> u{0, 1};
  w.config.band = 1e6;  // the margin alone decides
  w.config.slice_usd_max = money(10'000);
  w.config.interval_min = {};
  const int count = 1 + static_cast<int>(rng() % 3);
  for (int n = 0; n < count; ++n) {
    const double strike = 1000 * std::round(spot * (0.85 + 0.3 * u(rng)) / 1000);
    w.list(strike, month * (1 + 2 * u(rng)), 0.5 + 0.4 * u(rng),
           -0.1 * std::round(10 + 40 * u(rng)));
  }
}

TEST(PortfolioReduction, CostsAtMostFivePercentMoreThanTheOptimumOfTheOfflinePlan) {
  std::mt19937_64 rng{11};
  double worst = 0;
  int books = 0;
  for (int n = 0; n < 24; ++n) {
    FillingLadder w;
    fill_book(w, rng);
    w.begin(10 * std::round((std::uniform_real_distribution<double>{-1, 1}(rng)) * 10'000), 1000,
            0.1);
    w.books(FillingLadder::half_spread);
    const double need = w.cold_maintenance();
    const double equity = need / 0.85;
    const quant::Deleverage best = w.optimum(equity);
    ASSERT_EQ(best.result, quant::DeleverageResult::reached) << n;
    w.run_to_target(equity - w.worth());
    const double health = w.state().health;
    EXPECT_LT(health, w.config.target_health + w.config.leave_health) << n;
    // The last step takes whole lots, and a slice is what one step may take.
    const double slice = to_double(w.config.slice_usd_max) / spot;
    const double rounding = FillingLadder::half_spread * std::max(slice, 0.1 * w.lots());
    EXPECT_LE(w.cost, 1.05 * best.cost + rounding) << n << ", health " << health;
    worst = std::max(worst, w.cost / best.cost);
    ++books;
  }
  std::printf("%d books, cost over the optimum's at most %.3f\n", books, worst);
}

// Puts and calls at the money, the perpetual against their delta: with the default band every leg
// alone is refused, or frees nothing.
struct NeutralShorts : FillingLadder {
  void hold(double usd) {
    config.interval_min = {};
    list(50001, month, 0.7, -2);
    list(49999, month, 0.7, -2);
    begin(usd, 1000, 0.1);
    books(half_spread);
  }
  [[nodiscard]] double residual() const {
    return static_cast<double>(core().residual(test::the_coin)->settled) * 1e-9;
  }
};

TEST(PortfolioReduction, ANeutralBookOfShortOptionsIsReducedToItsTargetWithTheDefaultBand) {
  for (const double usd : {-7990.0, -9000.0, -6500.0}) {
    NeutralShorts w;
    w.hold(usd);
    const double before = std::abs(w.residual());
    w.run_to_target(w.cold_maintenance() / 0.9 - w.worth());
    EXPECT_LT(w.state().health, w.config.target_health + w.config.leave_health) << usd;
    EXPECT_FALSE(w.state().stuck);
    EXPECT_LE(std::abs(w.residual()), std::max(w.config.band, before) + 0.01) << usd;
  }
}

// Own health and the venue's before and after each order: one leg of a pair, or a slice alone.
struct WatchedShorts : NeutralShorts {
  double balance{0};
  double highest{0};  // the venue's
  int untold{0};
  int told{0};

  [[nodiscard]] double owed() const {
    return config.balance == LadderBalance::smaller ? std::min(worth(), 0.0) : 0;
  }
  [[nodiscard]] double own() const { return cold_maintenance() / (balance + owed()); }
  [[nodiscard]] double venue() const { return cold_maintenance() / balance; }
  void run(double health) {
    balance = cold_maintenance() / health - owed();
    for (int idle = 0; idle < 40; ++idle) {
      const std::uint64_t before = state().raised;
      seen.clear();
      report(balance, cold_maintenance());
      refresh();
      if (placed().empty()) continue;
      idle = 0;
      const double own_before = own();
      const double venue_before = venue();
      PlaceOrder o = placed()[0];
      const double traded = to_double(o.amount);
      const auto book = core().view().book(o.instrument);
      o.price = (o.side == Side::buy ? book->best_ask() : book->best_bid())->price;
      if (o.instrument == perp) {
        perpetual_usd += o.side == Side::buy ? traded : -traded;
        balance -= traded * 0.5 / (spot * spot);
      } else {
        balance -= traded * to_double(o.price);
      }
      fill(o, traded);
      done(o, traded);
      // Singles are held to the target and to the venue's figure.
      const bool rose = venue() > venue_before * (1 + 1e-6) || own() > own_before * (1 + 1e-6);
      const bool said = state().raised != before;
      untold += rose && !said ? 1 : 0;
      told += said ? 1 : 0;
      highest = std::max(highest, venue());
    }
  }
};

TEST(PortfolioReduction, NoSingleLegMakesTheWorstFigureWorseUnlessNoneCouldHelpIt) {
  for (const LadderBalance balance : {LadderBalance::smaller, LadderBalance::margin_balance}) {
    for (const double usd : {-7990.0, -9000.0, -6500.0}) {
      WatchedShorts w;
      w.config.balance = balance;
      w.hold(usd);
      w.run(0.9);
      std::printf("%.0f: %llu orders, %d told, %d not, venue at most %.4f, at the end %.4f\n", usd,
                  static_cast<unsigned long long>(w.state().orders), w.told, w.untold, w.highest,
                  w.state().health);
      EXPECT_EQ(w.untold, 0) << usd;
      EXPECT_LE(w.told, static_cast<int>(w.state().orders) / 2) << usd;
    }
  }
}

// The option alone frees more than the perpetual, but its premium takes more from the venue's
// balance than that: with the venue's figure in view the perpetual goes first.
TEST(PortfolioReduction, TheFirstLegIsTheOneThatTheHealthsBearAndIsSizedInItsOwnUnits) {
  NeutralShorts w;
  constexpr double dear = 2.5;
  w.config.band = 0.001;  // no leg alone
  const double call = price_inverse({OptionType::call, spot, 50001, month, dear}).delta_net;
  const double put = price_inverse({OptionType::put, spot, 49999, month, dear}).delta_net;
  w.list(50001, month, dear, -2);
  w.list(49999, month, dear, -2);
  w.begin(std::round(2 * (call + put) * spot / 10) * 10, 1000, 0.1);
  w.books(FillingLadder::half_spread);
  MarginAccount account;
  for (int n = 0; n < 4; ++n) account.look(w.core().view(), w.perp, w.config);
  ASSERT_TRUE(account.portfolio().known());
  w.config.target_health = 0.95;
  PlanAsk ask;
  ask.hedge = w.perp;
  ask.config = &w.config;
  ask.missing = 1;
  ask.strategy = StrategyId{1};
  const Reduction free = best_reduction(account, w.core().view(), ask);
  ask.venue_health = w.config.target_health;
  ask.own_health = 1;
  const Reduction held = best_reduction(account, w.core().view(), ask);
  EXPECT_NE(free.instrument, w.perp);
  EXPECT_EQ(held.instrument, w.perp);
  EXPECT_GT(held.relief, 0);
  EXPECT_LT(held.relief, account.maintenance_at(0));
}

TEST(PortfolioReduction, WithoutAPerpetualACallAndAPutGoTogether) {
  NeutralShorts w;
  w.hold(0);
  const double before = std::abs(w.residual());
  w.run_to_target(w.cold_maintenance() / 0.9 - w.worth());
  EXPECT_LT(w.state().health, w.config.target_health + w.config.leave_health);
  EXPECT_LE(std::abs(w.residual()), std::max(w.config.band, before) + 0.01);
}

// Dear options: what one costs takes more from the venue's margin balance than it gives back.
TEST(PortfolioReduction, ABuyBackThatWouldMakeTheVenuesOwnFigureWorseIsNotMade) {
  FillingLadder w;
  w.config.band = 1e6;
  w.list(50001, month, 2.5, -2);
  w.begin(0, 1000, 0.1);
  w.books(FillingLadder::half_spread);
  const double health = 0.85;
  w.run_to_target(w.cold_maintenance() / health);
  EXPECT_EQ(w.state().state, MarginState::black) << "with the options' worth there is no balance";
  EXPECT_LE(w.state().health_venue, health + 0.01);
}

TEST(PortfolioReduction, TheSameEventsGiveTheSameCommands) {
  std::uint64_t first = 0;
  for (int n = 0; n < 2; ++n) {
    std::mt19937_64 rng{5};
    FillingLadder w;
    fill_book(w, rng);
    w.begin(200'000, 1000, 0.1);
    w.books(FillingLadder::half_spread);
    w.run_to_target(w.cold_maintenance() / 0.9 - w.worth());
    EXPECT_GT(w.cost, 0);
    if (n == 0) first = w.digest.value();
    EXPECT_EQ(w.digest.value(), first);
  }
}

}  // namespace
}  // namespace gimbal
