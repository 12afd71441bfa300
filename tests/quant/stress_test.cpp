// Risk simulation: random numbers, measures, grid, Monte Carlo.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "engine/quant/margin/deribit_standard.hpp"
#include "engine/quant/stress/grid.hpp"
#include "engine/quant/stress/measures.hpp"
#include "engine/quant/stress/monte_carlo.hpp"
#include "engine/quant/stress/philox.hpp"
#include "engine/quant/stress/pool.hpp"

namespace gimbal::quant {
namespace {

// Known answers of the authors' distribution (Random123).
TEST(Philox, GivesTheKnownAnswers) {
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}),
            (PhiloxCounter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (PhiloxCounter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(PathDraws, NormalsHaveTheMomentsOfANormal) {
  std::vector<double> z;
  for (std::uint64_t path = 0; path < 50000; ++path) {
    PathDraws draws{7, path, false};
    for (int i = 0; i < 4; ++i) z.push_back(draws.normal());
  }
  const Moments m = moments(z);
  const double n = static_cast<double>(z.size());
  EXPECT_NEAR(m.mean, 0, 4 / std::sqrt(n));
  EXPECT_NEAR(m.deviation, 1, 4 / std::sqrt(2 * n));
  EXPECT_NEAR(m.skew, 0, 4 * std::sqrt(6 / n));
  EXPECT_NEAR(m.excess_kurtosis, 0, 4 * std::sqrt(24 / n));
}

TEST(PathDraws, AMirroredPathHasTheOppositeNormals) {
  PathDraws a{7, 3, false};
  PathDraws b{7, 3, true};
  for (int i = 0; i < 100; ++i) EXPECT_NEAR(a.normal(), -b.normal(), 1e-12);
}

TEST(PathDraws, SeedAndPathBothMatter) {
  EXPECT_NE(PathDraws(7, 3, false).uniform(), PathDraws(7, 4, false).uniform());
  EXPECT_NE(PathDraws(7, 3, false).uniform(), PathDraws(8, 3, false).uniform());
  EXPECT_NE(PathDraws(7, 3, false).uniform(), PathDraws(7 + (1ull << 32), 3, false).uniform());
}

TEST(PathDraws, PoissonHasItsMeanAndVariance) {
  std::vector<double> k;
  for (std::uint64_t path = 0; path < 100000; ++path) {
    k.push_back(PathDraws(1, path, false).poisson(1.7));
  }
  const Moments m = moments(k);
  EXPECT_NEAR(m.mean, 1.7, 4 * std::sqrt(1.7 / 1e5));
  EXPECT_NEAR(m.deviation * m.deviation, 1.7, 0.04);
}

std::vector<double> sorted_normals(std::size_t count) {
  std::vector<double> z(count);
  for (std::size_t i = 0; i < count; ++i) z[i] = PathDraws(11, i, false).normal();
  std::sort(z.begin(), z.end());
  return z;
}

TEST(TailRisk, OfNormalProfitsIsWhatTheTheorySays) {
  const auto z = sorted_normals(400000);
  const TailRisk var99 = tail_risk(z, 0.99);
  const TailRisk es975 = tail_risk(z, 0.975);
  EXPECT_NEAR(var99.var, 2.32635, 4 * var99.var_error);
  EXPECT_NEAR(es975.es, 2.33780, 4 * es975.es_error);
  // sqrt(a (1 - a) / n) / n(z): the stated error is the theoretical one.
  const double density = std::exp(-0.5 * 2.32635 * 2.32635) / std::sqrt(2 * M_PI);
  EXPECT_NEAR(var99.var_error / (std::sqrt(0.99 * 0.01 / 400000) / density), 1, 0.15);
}

TEST(TailRisk, StandardErrorsCoverRepeatedSamples) {
  int var_within = 0;
  int es_within = 0;
  for (std::uint64_t round = 0; round < 200; ++round) {
    std::vector<double> z(4000);
    for (std::size_t i = 0; i < z.size(); ++i) z[i] = PathDraws(100 + round, i, false).normal();
    std::sort(z.begin(), z.end());
    const TailRisk r = tail_risk(z, 0.975);
    var_within += std::abs(r.var - 1.95996) < 2 * r.var_error ? 1 : 0;
    es_within += std::abs(r.es - 2.33780) < 2 * r.es_error ? 1 : 0;
  }
  EXPECT_GT(var_within, 176);  // 190 of 200 are expected
  EXPECT_GT(es_within, 176);
}

TEST(TailRisk, OfAHandfulIsTheWorstOfThem) {
  const std::vector<double> p{-5, -3, -1, 2, 4};
  const TailRisk r = tail_risk(p, 0.99);
  EXPECT_EQ(r.var, 5);
  EXPECT_EQ(r.es, 5);
  EXPECT_EQ(tail_risk(p, 0.6).var, 3);
  EXPECT_EQ(tail_risk(p, 0.6).es, 4);
}

TEST(DeltaGamma, MomentsOfASquareAreThoseOfChiSquared) {
  // x^2/2 with variance s2: mean s2/2, variance s2^2/2, skew sqrt(8), excess kurtosis 12.
  const Moments m = delta_gamma_moments(std::vector<double>{0}, std::vector<double>{1},
                                        std::vector<double>{0.04});
  EXPECT_NEAR(m.mean, 0.02, 1e-15);
  EXPECT_NEAR(m.deviation, 0.04 / std::sqrt(2.0), 1e-15);
  EXPECT_NEAR(m.skew, std::sqrt(8.0), 1e-12);
  EXPECT_NEAR(m.excess_kurtosis, 12, 1e-12);
}

TEST(DeltaGamma, MomentsAgreeWithASample) {
  const std::vector<double> d{3, -1};
  const std::vector<double> g{-8, 5};
  const std::vector<double> cov{0.04, 0.02, 0.02, 0.09};
  std::vector<double> sample;
  for (std::uint64_t i = 0; i < 400000; ++i) {
    PathDraws draws{5, i, false};
    const double a = draws.normal();
    const double b = draws.normal();
    const double x = 0.2 * a;
    const double y = 0.1 * a + std::sqrt(0.09 - 0.01) * b;
    sample.push_back(d[0] * x + d[1] * y + 0.5 * (g[0] * x * x + g[1] * y * y));
  }
  const Moments want = moments(sample);
  const Moments m = delta_gamma_moments(d, g, cov);
  EXPECT_NEAR(m.mean, want.mean, 0.005);
  EXPECT_NEAR(m.deviation / want.deviation, 1, 0.01);
  EXPECT_NEAR(m.skew, want.skew, 0.03);
  EXPECT_NEAR(m.excess_kurtosis, want.excess_kurtosis, 0.15);
}

// --- portfolios
// -----------------------------------------------------------------------------------

Leg option(OptionType type, double strike, double amount) {
  return {LegKind::option, type, 50000, strike, 30.0 / 365, 0.6, amount};
}
Leg future(double amount) { return {LegKind::future, OptionType::none, 50000, 0, 0, 0, amount}; }

Portfolio one_account(Settlement s, double equity, std::vector<Leg> legs) {
  Portfolio p;
  p.underlyings = {{"BTC", 50000, 0.6}};
  Account a;
  a.name = "main";
  a.book = {s, 50000, equity, std::move(legs)};
  a.has_equity = true;
  a.margin = [](const Book& book) -> std::unique_ptr<MarginModel> {
    return std::make_unique<DeribitStandardMargin>(
        book, StandardRates{0.02, 0.01, 5e-5, 0.15, 0.10, 0.075});
  };
  p.accounts.push_back(std::move(a));
  return p;
}

Dynamics quiet(std::size_t n) {
  Dynamics d;
  d.common.resize(n);
  d.own.resize(n);
  for (std::size_t i = 0; i < n * n; ++i) d.correlation.push_back(i % (n + 1) == 0 ? 1.0 : 0.0);
  d.jump_correlation = d.correlation;
  return d;
}

Portfolio short_strangle() {
  return one_account(
      Settlement::coin, 2,
      {option(OptionType::call, 60000, -5), option(OptionType::put, 42000, -5), future(20000)});
}

TEST(Portfolio, TheDollarNumeraireCountsTheCollateral) {
  Portfolio p = one_account(Settlement::coin, 2, {future(-100000)});
  // Two coins short against two coins of equity: worth the same in USD wherever the price goes.
  EXPECT_NEAR(Repricer{p}.profit(0, {0.3, 0, 0}), 0, 1e-9);
  p.numeraire = Numeraire::coin;
  EXPECT_NEAR(Repricer{p}.profit(0, {0.3, 0, 0}), -100000 * (1 / 50000.0 - 1 / 65000.0) * 65000,
              1e-9);
}

TEST(Grid, TheMiddleNodeIsTodayAndHealthWorsensOutwards) {
  const Portfolio p = short_strangle();
  const Repricer repricer{p};
  const auto nodes = scenario_grid(repricer, 1);
  ASSERT_EQ(nodes.size(), 126u);
  const Node& now = nodes[21 + 10];  // vol unchanged, no move, no time
  EXPECT_EQ(now.profit, 0);
  EXPECT_NEAR(now.health, account_states(p, 0.001).at(0).margin.health(), 1e-12);
  EXPECT_GT(nodes[21].health, now.health);
  EXPECT_GT(nodes[42 + 10].health, now.health);  // vol up
  EXPECT_LT(nodes[42 + 10].profit, 0);
  EXPECT_GT(nodes[63 + 21 + 10].profit, 0);  // a day of decay
}

TEST(Grid, IsTheSameBitsForAnyNumberOfThreads) {
  const Portfolio p = short_strangle();
  const Repricer repricer{p};
  const auto one = scenario_grid(repricer, 1);
  const auto four = scenario_grid(repricer, 4);
  for (std::size_t i = 0; i < one.size(); ++i) {
    EXPECT_EQ(one[i].profit, four[i].profit);
    EXPECT_EQ(one[i].health, four[i].health);
  }
}

TEST(MonteCarlo, IsTheSameBitsForAnyNumberOfThreads) {
  const Portfolio p = short_strangle();
  const Repricer repricer{p};
  Dynamics d = quiet(1);
  d.common_per_year = 50;
  d.common[0] = {0, -0.05, 0.05};
  d.vol_jump = 0.3;
  SimulationRequest request;
  request.paths = 10000;
  const Simulation one = simulate(repricer, d, request);
  for (const std::size_t threads : {2u, 3u, 8u}) {
    request.threads = threads;
    const Simulation other = simulate(repricer, d, request);
    EXPECT_EQ(one.profits, other.profits) << threads;
    EXPECT_EQ(one.breach_share, other.breach_share);
    EXPECT_EQ(one.tail[1].var, other.tail[1].var);
  }
  request.seed = 2;
  EXPECT_NE(one.profits, simulate(repricer, d, request).profits);
}

TEST(MonteCarlo, ALinearBookHasTheVarAndEsOfANormal) {
  Portfolio p = one_account(Settlement::quote, 1e6, {future(10)});
  p.underlyings[0].sigma = 0.02;  // a day's deviation is 0.1 %: the log hardly bends
  const Repricer repricer{p};
  SimulationRequest request;
  request.paths = 200000;
  const Simulation s = simulate(repricer, quiet(1), request);
  const double deviation = 10 * 50000 * 0.02 / std::sqrt(365.0);
  EXPECT_NEAR(s.tail[1].var, 2.32635 * deviation, 4 * s.tail[1].var_error);
  EXPECT_NEAR(s.tail[0].es, 2.33780 * deviation, 4 * s.tail[0].es_error);
  EXPECT_NEAR(s.delta_gamma_var99 / s.tail[1].var, 1, 0.02);
}

TEST(MonteCarlo, AgreesWithCornishFisherForSmallMoves) {
  Portfolio p = short_strangle();
  p.underlyings[0].sigma = 0.3;
  const Repricer repricer{p};
  SimulationRequest request;
  request.paths = 200000;
  request.years = 1.0 / 8760;
  const Simulation s = simulate(repricer, quiet(1), request);
  EXPECT_NEAR(s.delta_gamma_var99, s.tail[1].var, 3 * s.tail[1].var_error);
  EXPECT_NEAR(s.delta_gamma.mean, s.moments.mean,
              3 * s.moments.deviation / std::sqrt(static_cast<double>(request.paths)));
  EXPECT_NEAR(s.delta_gamma.deviation / s.moments.deviation, 1, 0.01);
}

TEST(MonteCarlo, CorrelationMakesAHedgeAndIndependenceDoesNot) {
  Portfolio p = one_account(Settlement::quote, 0, {future(10)});
  p.underlyings.push_back({"ETH", 50000, 0.6});
  p.accounts.push_back(p.accounts[0]);
  p.accounts[1].underlying = 1;
  p.accounts[1].book.legs = {future(-10)};
  const Repricer repricer{p};
  SimulationRequest request;
  request.paths = 20000;
  Dynamics d = quiet(2);
  const double apart = simulate(repricer, d, request).moments.deviation;
  d.correlation = {1, 1, 1, 1};
  EXPECT_LT(simulate(repricer, d, request).moments.deviation, 1e-9 * apart);
  d.correlation = {1, -1, -1, 1};
  EXPECT_NEAR(simulate(repricer, d, request).moments.deviation / apart, std::sqrt(2.0), 0.05);
}

TEST(MonteCarlo, JumpsFattenTheTailAsMertonSays) {
  const Portfolio p = one_account(Settlement::quote, 1e6, {future(1)});
  const Repricer repricer{p};
  Dynamics d = quiet(1);
  d.common_per_year = 100;
  d.common[0] = {0, -0.1, 0.02};
  d.own[0] = {50, 0.05, 0.01};
  SimulationRequest request;
  request.paths = 200000;
  const Simulation s = simulate(repricer, d, request);
  // E[S'/S] = exp(h (l0 k0 + l1 k1)) with k = exp(mean + deviation^2/2) - 1.
  const double k0 = std::exp(-0.1 + 0.0002) - 1;
  const double k1 = std::exp(0.05 + 0.00005) - 1;
  const double mean = 50000 * (std::exp((100 * k0 + 50 * k1) / 365) - 1);
  EXPECT_NEAR(s.moments.mean, mean, 4 * s.moments.deviation / std::sqrt(200000.0));
  EXPECT_LT(s.moments.skew, -0.5);
}

TEST(MonteCarlo, BreachShareCountsPathsBeyondTheLiquidationPrice) {
  const Portfolio p = one_account(Settlement::quote, 3000, {future(1)});
  const Repricer repricer{p};
  SimulationRequest request;
  request.paths = 100000;
  const Simulation s = simulate(repricer, quiet(1), request);
  const auto state = account_states(p, 1.0 / 365).at(0);
  ASSERT_TRUE(state.distance.below.exists);
  const double z = -state.distance.below.sigmas + 0.5 * 0.6 / std::sqrt(365.0);
  const double expected = 0.5 * std::erfc(-z / std::sqrt(2.0));
  ASSERT_GT(expected, 0.01);
  EXPECT_NEAR(s.breach_share.at(0), expected, 4 * std::sqrt(expected / 1e5));
}

TEST(Dynamics, WrongOnesAreNamed) {
  EXPECT_EQ(fault_of(quiet(2), 2), "");
  EXPECT_NE(fault_of(quiet(2), 3), "");
  Dynamics d = quiet(2);
  d.correlation = {1, 0.5, 0.4, 1};
  EXPECT_NE(fault_of(d, 2), "");
  d = quiet(3);
  d.correlation = {1, 0.9, -0.9, 0.9, 1, 0.9, -0.9, 0.9, 1};
  EXPECT_NE(fault_of(d, 3).find("semidefinite"), std::string::npos);
  d = quiet(1);
  d.own[0].per_year = -1;
  EXPECT_NE(fault_of(d, 1), "");
  d = quiet(1);
  d.vol_jump = -1;
  EXPECT_NE(fault_of(d, 1), "");
}

TEST(RunBlocks, DoesEachBlockOnceAndReportsTheEnd) {
  std::vector<int> seen(1000, 0);
  std::size_t last = 0;
  run_blocks(
      seen.size(), 4, [&](std::size_t i) { ++seen[i]; }, [&](std::size_t done) { last = done; });
  EXPECT_TRUE(std::all_of(seen.begin(), seen.end(), [](int v) { return v == 1; }));
  EXPECT_EQ(last, 1000u);
  run_blocks(0, 4, [&](std::size_t) { FAIL(); }, {});
}

}  // namespace
}  // namespace gimbal::quant
