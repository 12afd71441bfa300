// Margin models by themselves: worked examples of the venues, closed forms against the search for
// the root, and what the formulas promise.
#include <gtest/gtest.h>

#include <cmath>

#include "engine/quant/margin/deribit_portfolio.hpp"
#include "engine/quant/margin/deribit_standard.hpp"
#include "engine/quant/margin/lending.hpp"
#include "engine/quant/margin/tiered.hpp"
#include "tests/support/random_terms.hpp"

namespace gimbal::quant {
namespace {

Leg option(OptionType type, double forward, double strike, double years, double sigma,
           double amount) {
  return {LegKind::option, type, forward, strike, years, sigma, amount};
}
Leg future(double mark, double amount, double years = 0) {
  return {LegKind::future, OptionType::none, mark, 0, years, 0, amount};
}

constexpr double inf = std::numeric_limits<double>::infinity();

// The venue's parameters for ETH, as its simulation reply gave them in 2026.
PortfolioMarginParameters eth_parameters() {
  PortfolioMarginParameters p;
  p.price_range = 0.18;
  p.buckets = 4;
  p.volatility_up = 0.4;
  p.volatility_down = 0.25;
  p.volatility_up_min = 0.5;
  p.short_power = 0.3;
  p.long_power = 0.13;
  p.extended_moves = {-0.66, -0.33, 0.5, 1, 2, 3, 4, 5};
  p.extended_factor = 1;
  p.dampener_usd = 200000;
  p.annual_move = 0.05;
  p.roll_min = 0.005;
  p.delta_shock_per_coin = 4e-6;
  p.delta_shock_max = 0.1;
  p.delta_shock_threshold_usd = 2e7;
  p.maintenance_factor = 0.8;
  return p;
}

// A live response of the venue: short 0.999487053 ETH of the perpetual at index 1949.34.
TEST(PortfolioMargin, AgreesWithTheVenueOnAShortPerpetual) {
  const double index = 1949.34;
  const Book book{Settlement::coin, index, 1, {future(index, -0.999487053 * index)}};
  const PortfolioMarginParts m = portfolio_margin(book, eth_parameters());
  ASSERT_EQ(m.standard.size(), 27u);
  for (int vol = 0; vol < 3; ++vol) {
    EXPECT_NEAR(m.standard[static_cast<std::size_t>(vol)], 0.219399597, 1e-9);
    EXPECT_NEAR(m.standard[24 + static_cast<std::size_t>(vol)], -0.152464127, 1e-9);
  }
  for (const double v : m.extended) EXPECT_EQ(v, 0);
  EXPECT_NEAR(m.roll_shock, 0.004997435, 1e-9);
  EXPECT_EQ(m.delta_shock, 0);
  EXPECT_NEAR(m.initial, 0.157461562, 1e-9);
  EXPECT_NEAR(m.maintenance, 0.125969250, 1e-9);
}

TEST(PortfolioMargin, ABoughtOptionCannotTurnTheDeltaShockIntoRelief) {
  PortfolioMarginParameters p = eth_parameters();
  p.delta_shock_threshold_usd = 0;
  p.delta_shock_per_coin = 1e-3;
  const Leg call = option(OptionType::call, 2000, 2000, 0.1, 0.6, 100);
  const Book hedged{Settlement::coin, 2000, 0, {call, future(2000, -10 * 2000)}};
  EXPECT_EQ(portfolio_margin(hedged, p).delta_shock, 0);  // 50 bought against 10 sold
  const Book bought{Settlement::coin, 2000, 0, {call}};
  EXPECT_EQ(portfolio_margin(bought, p).delta_shock, 0);
  Leg sold = call;
  sold.amount = -100;
  EXPECT_GT(portfolio_margin({Settlement::coin, 2000, 0, {sold}}, p).delta_shock, 1);
}

TEST(PortfolioMargin, WrongParametersAreNamed) {
  EXPECT_EQ(fault_of(eth_parameters()), "");
  PortfolioMarginParameters p = eth_parameters();
  p.price_range = 1;
  EXPECT_NE(fault_of(p), "");
  p = eth_parameters();
  p.extended_moves.push_back(-1);
  EXPECT_NE(fault_of(p), "");
  p = eth_parameters();
  p.maintenance_factor = 0;
  EXPECT_NE(fault_of(p), "");
  p = eth_parameters();
  p.roll_min = NAN;
  EXPECT_NE(fault_of(p), "");
}

constexpr StandardRates btc_rates{0.02, 0.01, 5e-5, 0.15, 0.10, 0.075};

// The venue's own example: 25 BTC linear at 100,000.
TEST(StandardMargin, AgreesWithTheVenueOnALinearPerpetual) {
  const Book book{Settlement::quote, 100000, 100000, {future(100000, 25)}};
  const Margin m = DeribitStandardMargin{book, btc_rates}.at({});
  EXPECT_NEAR(m.initial, 53125, 1e-9);
  EXPECT_NEAR(m.maintenance, 28125, 1e-9);
}

TEST(StandardMargin, ShortOptionsFollowTheirFormulaAndBoughtOnesNeedNothing) {
  const auto at = [](Leg leg) {
    return DeribitStandardMargin{{Settlement::coin, 50000, 1, {leg}}, btc_rates}.at({});
  };
  const Leg call = option(OptionType::call, 50000, 54000, 0.1, 0.6, -2);
  const double mark = unit_value(call, Settlement::coin);
  EXPECT_NEAR(at(call).initial, 2 * (0.10 + mark), 1e-12);  // 0.15 - 0.08 is below the floor
  EXPECT_NEAR(at(call).maintenance, 2 * (0.075 + mark), 1e-12);
  const Leg near_call = option(OptionType::call, 50000, 51000, 0.1, 0.6, -1);
  EXPECT_NEAR(at(near_call).initial, 0.13 + unit_value(near_call, Settlement::coin), 1e-12);
  // A put so deep that its mark is above one coin: 0.075 of the mark, not of the coin.
  const Leg deep_put = option(OptionType::put, 50000, 200000, 0.1, 0.6, -1);
  const double deep = unit_value(deep_put, Settlement::coin);
  ASSERT_GT(deep, 2);
  EXPECT_NEAR(at(deep_put).maintenance, 1.075 * deep, 1e-12);
  EXPECT_NEAR(at(deep_put).initial, 1.075 * deep, 1e-12);
  Leg bought = call;
  bought.amount = 5;
  EXPECT_EQ(at(bought).initial, 0);
  EXPECT_EQ(at(bought).maintenance, 0);
}

TEST(StandardMargin, RequirementsAddWithoutNetting) {
  const Book both{Settlement::coin, 50000, 1, {future(50000, 1e6), future(50500, -1e6, 0.25)}};
  const Book first{Settlement::coin, 50000, 1, {both.legs[0]}};
  const Book second{Settlement::coin, 50000, 1, {both.legs[1]}};
  const auto mm = [](const Book& b) {
    return DeribitStandardMargin{b, btc_rates}.at({}).maintenance;
  };
  EXPECT_NEAR(mm(both), mm(first) + mm(second), 1e-15);
}

TierTable tiers() {
  TierTable t{{0, 1e5, 0.004, 0}, {1e5, 1e6, 0.01, 0}, {1e6, inf, 0.05, 0}};
  fill_deductions(t);
  return t;
}

TEST(TieredMargin, MaintenanceIsContinuousAcrossTiers) {
  const TierTable t = tiers();
  EXPECT_EQ(fault_of(t), "");
  for (const double edge : {1e5, 1e6}) {
    EXPECT_NEAR(tiered_maintenance(t, edge * (1 - 1e-12)), tiered_maintenance(t, edge), 1e-6);
  }
  EXPECT_NEAR(tiered_maintenance(t, 3e5), 400 + 2e5 * 0.01, 1e-9);
}

TEST(TieredMargin, WrongTablesAreNamed) {
  EXPECT_NE(fault_of(TierTable{}), "");
  const auto broken = [](std::size_t i, double Tier::*field, double v) {
    TierTable t = tiers();
    t[i].*field = v;
    return fault_of(t);
  };
  EXPECT_NE(broken(0, &Tier::lower, 1), "");
  EXPECT_NE(broken(1, &Tier::lower, 2e5), "");
  EXPECT_NE(broken(1, &Tier::rate, 0.003), "");
  EXPECT_NE(broken(2, &Tier::rate, 1), "");
  EXPECT_NE(broken(2, &Tier::deduction, 1), "");
  EXPECT_NE(broken(2, &Tier::upper, 1e5), "");
}

// The closed form and the search know nothing of each other.
TEST(TieredMargin, TheClosedFormIsTheNearestRoot) {
  test::Numbers n;
  int found = 0;
  for (int i = 0; i < 2000; ++i) {
    TieredPosition p;
    p.settlement = Settlement::quote;
    p.side = n.uniform(0, 1) < 0.5 ? -1 : 1;
    p.mark = n.uniform(100, 60000);
    p.entry = p.mark * n.uniform(0.8, 1.2);
    p.size = std::exp(n.uniform(6, 16)) / p.mark;
    p.wallet = p.size * p.mark * n.uniform(0.02, 0.6);
    const TieredMargin m{p, tiers()};
    if (m.at({}).liquidatable()) continue;
    const LiquidationDistance d = liquidation_distance(m, 0.6, 1.0 / 8760);
    const LiquidationSide& side = p.side > 0 ? d.below : d.above;
    const LiquidationSide& other = p.side > 0 ? d.above : d.below;
    EXPECT_FALSE(other.exists) << i;
    const double price = m.liquidation_price();
    if (!side.exists) {
      EXPECT_TRUE(std::isnan(price) || price < p.mark * (1 + lowest_move) ||
                  price > p.mark * (1 + highest_move));
      continue;
    }
    ++found;
    EXPECT_NEAR(p.mark * (1 + side.move) / price, 1, 1e-9) << i;
    EXPECT_NEAR(side.sigmas, std::abs(std::log(price / p.mark)) / (0.6 * std::sqrt(1.0 / 8760)),
                1e-6);
  }
  EXPECT_GT(found, 1000);
}

TEST(TieredMargin, AFullyCollateralisedInverseShortHasNoPrice) {
  TieredPosition p;
  p.settlement = Settlement::coin;
  p.side = -1;
  p.size = 50000;  // USD, entered at 50,000: one coin short
  p.mark = p.entry = 50000;
  p.wallet = 1.1;
  const TieredMargin m{p, {{0, inf, 0.01, 0}}};
  EXPECT_TRUE(std::isnan(m.liquidation_price()));
  const LiquidationDistance d = liquidation_distance(m, 0.5, 0.001);
  EXPECT_FALSE(d.above.exists);
  EXPECT_FALSE(d.below.exists);
  EXPECT_EQ(d.nearest().percent, inf);
}

TEST(Margin, HealthIsInfiniteWithoutEquityAndZeroWithoutRequirement) {
  EXPECT_EQ((Margin{-1, 0, 5}.health()), inf);
  EXPECT_EQ((Margin{0, 0, 5}.health()), inf);
  EXPECT_EQ((Margin{-1, 0, 0}.health()), inf);
  EXPECT_EQ((Margin{0, 0, 0}.health()), 0);
  EXPECT_EQ((Margin{10, 0, 5}.health()), 0.5);
  EXPECT_TRUE((Margin{5, 0, 5}.liquidatable()));
}

TEST(LiquidationDistance, AnAccountThatIsLiquidatableHasNoDistance) {
  const LendingMargin m{{{100, 1, 0.5}}, {{1, 60}}};
  const LiquidationDistance d = liquidation_distance(m, 0.5, 0.01);
  EXPECT_TRUE(d.below.exists);
  EXPECT_EQ(d.below.percent, 0);
  EXPECT_EQ(d.below.sigmas, 0);
  EXPECT_EQ(d.below.probability, 1);
}

TEST(LiquidationDistance, AShortStrangleHasOneOnEachSide) {
  const Book book{Settlement::coin,
                  50000,
                  0.6,
                  {option(OptionType::call, 50000, 60000, 0.08, 0.6, -3),
                   option(OptionType::put, 50000, 42000, 0.08, 0.6, -3)}};
  const DeribitStandardMargin m{book, btc_rates};
  const LiquidationDistance d = liquidation_distance(m, 0.6, 1.0 / 365);
  ASSERT_TRUE(d.below.exists);
  ASSERT_TRUE(d.above.exists);
  for (const LiquidationSide& s : {d.below, d.above}) {
    EXPECT_NEAR(m.at({s.move, 0, 0}).cushion(), 0, 1e-8);
    EXPECT_NEAR(s.probability, std::erfc(s.sigmas / std::sqrt(2.0)), 1e-12);
  }
  EXPECT_LT(d.below.move, 0);
  EXPECT_GT(d.above.move, 0);
}

TEST(LendingMargin, HealthFactorAndPriceOfTheFirstAsset) {
  const LendingMargin m{{{2000, 10, 0.8}, {1, 1000, 0.9}}, {{1, 10000}}};
  EXPECT_DOUBLE_EQ(m.health_factor(), 16900.0 / 10000.0);
  EXPECT_DOUBLE_EQ(m.liquidation_price(), 9100.0 / 8.0);
  EXPECT_DOUBLE_EQ(m.at({}).health(), 10000.0 / 16900.0);
  const LiquidationDistance d = liquidation_distance(m, 0, 0);
  ASSERT_TRUE(d.below.exists);
  EXPECT_NEAR(2000 * (1 + d.below.move), 9100.0 / 8.0, 1e-5);
  EXPECT_EQ(d.below.sigmas, inf);
  EXPECT_EQ((LendingMargin{{{2000, 10, 0.8}}, {}}.health_factor()), inf);
}

TEST(Book, ProfitOfAnInverseFutureIsExactInCoins) {
  const Book book{Settlement::coin, 50000, 1, {future(50000, -100000)}};
  EXPECT_NEAR(profit(book, {0.25, 0, 0}), -100000 * (1.0 / 50000 - 1.0 / 62500), 1e-15);
  const Book after = shifted(book, {0.25, 0, 0});
  EXPECT_NEAR(after.equity, 1 - 0.4, 1e-15);
  EXPECT_EQ(after.index, 62500);
}

TEST(Book, DeltaIsTheSlopeOfTheProfit) {
  for (const Settlement s : {Settlement::coin, Settlement::quote}) {
    const double one = s == Settlement::coin ? 50000 : 1;
    const Book book{s,
                    50000,
                    1,
                    {option(OptionType::call, 50100, 55000, 0.1, 0.6, 3),
                     option(OptionType::put, 50000, 70000, 0.3, 0.8, -1), future(50050, -2 * one)}};
    const double h = 1e-5;
    const double slope = (profit(book, {h, 0, 0}) - profit(book, {-h, 0, 0})) / (2 * h);
    // A common relative move: each leg's delta in coins (coin) or in quote (times its forward).
    double expected = 0;
    for (const Leg& leg : book.legs) {
      expected += greeks(leg, s).delta * (s == Settlement::coin ? 1 : leg.forward);
    }
    EXPECT_NEAR(slope / expected, 1, 1e-7);
    const double vega = (profit(book, {0, h, 0}) - profit(book, {0, -h, 0})) / (2 * h);
    double by_sigma = 0;
    for (const Leg& leg : book.legs) by_sigma += greeks(leg, s).vega * leg.sigma;
    EXPECT_NEAR(vega / by_sigma, 1, 1e-6);
  }
}

TEST(Book, AnOptionPastItsExpiryIsWorthItsIntrinsicValue) {
  const Leg call = option(OptionType::call, 50000, 40000, 0.001, 0.6, 1);
  const Leg after = shifted(call, {0, 0, 0.01});
  EXPECT_DOUBLE_EQ(unit_value(after, Settlement::coin), 0.2);
}

}  // namespace
}  // namespace gimbal::quant
