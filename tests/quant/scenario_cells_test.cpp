// The gate's scenario cells against the portfolio margin model, which prices everything anew.
#include <gtest/gtest.h>

#include <cmath>

#include "engine/core/risk/scenario_cells.hpp"
#include "engine/quant/margin/deribit_portfolio.hpp"
#include "tests/support/option_book.hpp"
#include "tests/support/random_terms.hpp"
#include "tests/support/scenario_row.hpp"

namespace gimbal {
namespace {

// Parameters of the venue for BTC, as seen in 2024.
ScenarioConfig btc_scenarios() {
  ScenarioConfig c;
  c.price_range = 0.16;
  c.volatility_up = 0.5;
  c.volatility_down = 0.25;
  c.volatility_up_min = 0.5;
  c.short_power = 0.3;
  c.long_power = 0.13;
  c.extended_factor = 1;
  c.dampener_usd = 100'000;
  return c;
}

quant::PortfolioMarginParameters parameters() {
  const ScenarioConfig c = btc_scenarios();
  quant::PortfolioMarginParameters p;
  p.price_range = c.price_range;
  p.buckets = 4;
  p.volatility_up = c.volatility_up;
  p.volatility_down = c.volatility_down;
  p.volatility_up_min = c.volatility_up_min;
  p.short_power = c.short_power;
  p.long_power = c.long_power;
  p.extended_moves = {-0.66, -0.33, 0.5, 1, 2, 3, 4, 5};
  p.extended_factor = c.extended_factor;
  p.dampener_usd = c.dampener_usd;
  p.maintenance_factor = 0.8;
  return p;
}

struct Held {
  Instrument instrument{};
  OptionMark mark{};
  double amount{0};
};

// A random account of one settlement at `spot`; options by whole lots.
struct Account {
  bool inverse{true};
  double spot{60'000};
  double coins{0};  // of the perpetual
  std::vector<Held> held;
  InstrumentTable table{64};

  Account(std::uint64_t seed, bool inverse_kind, std::size_t count) : inverse{inverse_kind} {
    test::Numbers random;
    for (std::uint64_t n = 0; n < 100 * seed; ++n) random.uniform(0, 1);
    for (std::size_t n = 0; n < count; ++n) {
      Held h;
      h.instrument = test::make(
          inverse ? InstrumentKind::inverse_option : InstrumentKind::linear_option, test::btc,
          test::start, std::round(spot * random.uniform(0.6, 1.5) / 1000) * 1000,
          random.uniform(0, 1) < 0.5 ? OptionType::call : OptionType::put);
      h.instrument.id = table.add(h.instrument);
      h.mark.years = random.uniform(3, 200) / 365;
      h.mark.sigma = random.uniform(0.3, 1.1);
      h.amount = std::round(random.uniform(-50, 50)) / 10;
      held.push_back(h);
    }
    coins = random.uniform(-5, 5);
  }
  [[nodiscard]] OptionMark mark(const Held& h, double at) const {
    OptionMark m = h.mark;
    m.usable = true;
    m.forward = m.seen = at * (1 + 0.05 * m.years);
    return m;
  }
  void price(ScenarioCells& cells, double at, RecvTime now) const {
    cells.follow(test::btc, at);
    for (const Held& h : held) {
      ASSERT_EQ(test::price_row(cells, table, h.instrument, mark(h, at), at, now),
                ScenarioCells::Taken::all);
    }
  }
  void hold(ScenarioCells& cells) const {
    for (const Held& h : held) cells.hold(h.instrument, test::qty(h.amount));
  }
  [[nodiscard]] ScenarioCells::Cells cells(const ScenarioCells& c, double at) const {
    return c.cells(test::btc, inverse, {at, at, coins, 0, 0});
  }
  [[nodiscard]] quant::PortfolioMarginParts scratch(double at) const {
    quant::Book book{inverse ? quant::Settlement::coin : quant::Settlement::quote, at, 1, {}};
    for (const Held& h : held) {
      const OptionMark m = mark(h, at);
      book.legs.push_back({quant::LegKind::option, h.instrument.option, m.forward,
                           to_double(h.instrument.strike), m.years, m.sigma, h.amount});
    }
    book.legs.push_back(
        {quant::LegKind::future, OptionType::none, at, 0, 0, 0, inverse ? coins * at : coins});
    return quant::portfolio_margin(book, parameters());
  }
};

void expect_equal(const Account& a, const ScenarioCells& c, double at, double tolerance) {
  const quant::PortfolioMarginParts parts = a.scratch(at);
  const ScenarioCells::Cells cells = a.cells(c, at);
  const double unit = a.inverse ? 1 : at;
  for (std::size_t n = 0; n < ScenarioCells::standard_count; ++n) {
    EXPECT_NEAR(cells[n], parts.standard[n], tolerance * unit) << n;
  }
  EXPECT_NEAR(c.worst_loss(cells, a.inverse, at), -parts.worst, tolerance * unit);
}

TEST(ScenarioCells, EveryCellIsThatOfThePortfolioMargin) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Account a{seed, seed % 2 == 0, 30};
    ScenarioCells c{btc_scenarios(), 64};
    a.price(c, a.spot, RecvTime{1});
    a.hold(c);
    ASSERT_TRUE(c.complete(test::btc, a.inverse, a.spot));
    expect_equal(a, c, a.spot, 1e-10);
  }
}

// Far out and damped to nothing, damped in part, or the worst of all: three sizes of a short call.
TEST(ScenarioCells, FarMovesCountByWeightAndRelief) {
  for (const double size : {0.1, 20.0, 2000.0}) {
    Account a{3, true, 1};
    a.held[0].instrument.option = OptionType::call;
    a.held[0].instrument.strike = test::price(150'000);
    a.held[0].amount = -size;
    a.coins = 0;
    ScenarioCells c{btc_scenarios(), 64};
    a.hold(c);
    a.price(c, a.spot, RecvTime{1});
    expect_equal(a, c, a.spot, 1e-9);
  }
}

TEST(ScenarioCells, BetweenPricingsTheyFollowThePriceByTheirSlopesAndCurves) {
  for (const double move : {-0.009, -0.002, 0.004, 0.009}) {
    Account a{7, true, 30};
    for (Held& h : a.held) h.mark.years = std::max(h.mark.years, 7.0 / 365);
    ScenarioCells c{btc_scenarios(), 64};
    a.price(c, a.spot, RecvTime{1});
    a.hold(c);
    const double at = a.spot * (1 + move);
    ASSERT_TRUE(c.complete(test::btc, true, at));
    // Third order: a thirtieth of a percent of a coin for each of the account's 75 coins.
    expect_equal(a, c, at, 75 * 4e4 * std::abs(move * move * move) * 1e-3);
  }
}

TEST(ScenarioCells, APriceFarFromTheAnchorIsUnknownUntilEveryHeldRowWasPricedAnew) {
  const Account a{11, true, 10};
  ScenarioCells c{btc_scenarios(), 64};
  a.price(c, a.spot, RecvTime{1});
  a.hold(c);
  const double at = a.spot * 1.011;
  EXPECT_FALSE(c.complete(test::btc, true, at));
  c.follow(test::btc, at);
  for (const Held& h : a.held) {
    EXPECT_FALSE(c.complete(test::btc, true, at));
    EXPECT_FALSE(c.fresh(h.instrument, at, RecvTime{2}));
    test::price_row(c, a.table, h.instrument, a.mark(h, at), at, RecvTime{2});
  }
  expect_equal(a, c, at, 1e-10);
}

TEST(ScenarioCells, ClosingEverythingLeavesNothing) {
  const Account a{13, true, 10};
  ScenarioCells c{btc_scenarios(), 64};
  a.hold(c);
  EXPECT_FALSE(c.complete(test::btc, true, a.spot));
  a.price(c, a.spot, RecvTime{1});
  for (const Held& h : a.held) c.hold(h.instrument, {});
  EXPECT_TRUE(c.complete(test::btc, true, a.spot));
  const ScenarioCells::Cells cells = c.cells(test::btc, true, {a.spot, a.spot, 0, 0, 0});
  for (const double v : cells) EXPECT_NEAR(v, 0, 1e-12);
}

TEST(ScenarioCells, OpenOrdersCountInTheScenariosWhereTheirFillHurts) {
  Account a{17, true, 1};
  ScenarioCells c{btc_scenarios(), 64};
  a.price(c, a.spot, RecvTime{1});
  ScenarioCells::Cells cells = c.cells(test::btc, true, {a.spot, a.spot, 0, 2, 3});
  EXPECT_NEAR(cells[0], 2 * -0.16 / 0.84, 1e-12) << "the buy";
  EXPECT_NEAR(cells[26], -3 * 0.16 / 1.16, 1e-12) << "the sell";
  const Instrument& option = a.held[0].instrument;
  ScenarioCells::Cells sold = cells;
  ScenarioCells::Cells filled = cells;
  c.add_worst(sold, option, -2, a.spot);
  c.add_option(filled, option, -2, a.spot);
  for (std::size_t n = 0; n < ScenarioCells::cell_count; ++n) {
    EXPECT_EQ(sold[n], std::min(cells[n], filled[n])) << n;
  }
}

TEST(ScenarioCells, WhatIsNoNumberIsNoLossThatPasses) {
  const ScenarioCells c{btc_scenarios(), 64};
  ScenarioCells::Cells cells{};
  cells[20] = NAN;
  EXPECT_TRUE(std::isnan(c.worst_loss(cells, true, 50'000)));
  cells[20] = -INFINITY;
  EXPECT_TRUE(std::isnan(c.worst_loss(cells, true, 50'000)));
}

}  // namespace
}  // namespace gimbal
