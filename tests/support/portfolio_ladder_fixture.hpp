// A ladder on portfolio margin in the scripted world, and the same account for the cold model.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/quant/margin/deribit_portfolio.hpp"
#include "tests/support/liquidation_fixture.hpp"
#include "tests/support/portfolio_parameters.hpp"
#include "tests/support/scenario_answers.hpp"

namespace gimbal::test {

inline constexpr double month = 30.0 / 365;
inline constexpr double spot = 50000;

inline quant::PortfolioMarginParameters cold_parameters() {
  quant::PortfolioMarginParameters p = btc_parameters();
  p.delta_shock_threshold_usd = 500'000;
  return p;
}

struct PortfolioLadderTest : LiquidationTest {
  ScenarioAnswers answers{*this};
  std::vector<InstrumentId> options{};
  std::vector<double> sigmas{};
  std::vector<double> held{};
  double perpetual_usd{0};

  PortfolioLadderTest() {
    config.margin_model = LadderMargin::portfolio;
    setup.limits.option_collar_bps = 10'000;
    setup.engine.option_books = 16;
    setup.scenarios = {0.16,       0.5,         0.25,  0.5,  0.3,  0.13, 1,       100'000,
                       seconds(5), seconds(60), 0.075, 0.01, 5e-5, 0.1,  500'000, 0.8};
  }
  // Before `begin`: a call (a put below the price) of that strike and life.
  void list(double strike, double years_left, double sigma, double signed_size) {
    Instrument i = option_definition(strike);
    if (strike < spot) i.option = OptionType::put;
    i.expiry = venue_time() + Nanos{static_cast<std::int64_t>(years_left * 365 * 86400e9)};
    options.push_back(table.add(i));
    sigmas.push_back(sigma);
    held.push_back(signed_size);
  }
  void tickers(double forward = spot) {
    for (std::size_t n = 0; n < options.size(); ++n) {
      const Instrument& i = table[options[n]];
      const double life = years(i.expiry - venue_time());
      Ticker t;
      t.mark = usd(round_tick(
          price_inverse({i.option, forward, to_double(i.strike), life, sigmas[n]}).value));
      t.index = t.underlying = usd(forward);
      t.mark_iv_nano = usd(sigmas[n]).nano;
      send(EventKind::ticker, t, options[n]);
    }
  }
  [[nodiscard]] double price(std::size_t n) const {
    return core().view().option_mark(options[n]).price;
  }
  void books(double half_spread) {
    for (std::size_t n = 0; n < options.size(); ++n) {
      const double p = price(n);
      send(EventKind::book_reset, BookReset{}, options[n], 0);
      level(options[n], Side::buy, std::max(round_tick(p - half_spread), 0.0001), 1000, 0);
      level(options[n], Side::sell, round_tick(p + half_spread), 1000);
    }
  }
  static double round_tick(double p) { return std::round(p * 10000) / 10000; }
  void begin(double perp_usd, double balance, double need) {
    perpetual_usd = perp_usd;
    Liquidation l{StrategyId{1}};
    ASSERT_EQ(l.add(config, the_coin, perp), "");
    start(puppet, l);
    report(balance, need);
    gateway(GatewayState::ready);
    clock();
    snapshot(perp, spot - 0.5, spot + 0.5);
    mark(perp, spot, spot);
    option_ticker(0.6, spot, spot);
    tickers();
    reconcile(ReconcilePhase::begin);
    position(perp, perp_usd);
    for (std::size_t n = 0; n < options.size(); ++n) position(options[n], held[n]);
    reconcile(ReconcilePhase::complete);
    operate(OperatorAction::arm);
    ASSERT_EQ(answer(), OperatorResult::accepted);
    for (int n = 0; n < 3; ++n) refresh();
    seen.clear();
  }
  void refresh(double mid = spot) {
    advance(milliseconds(60));
    tickers(mid);
    market(mid);
  }
  void calm(double balance, double need) {
    for (int n = 0; n < 200; ++n) {
      if (n % 20 == 0) report(balance, need);
      refresh();
    }
  }
  // What the cold model says of the same positions.
  [[nodiscard]] quant::Book cold(double balance) const {
    quant::Book book{quant::Settlement::coin, spot, balance, {}};
    book.legs.push_back({quant::LegKind::future, OptionType::none, spot, 0, 0, 0, perpetual_usd});
    for (std::size_t n = 0; n < options.size(); ++n) {
      const Instrument& i = table[options[n]];
      book.legs.push_back({quant::LegKind::option, i.option, spot, to_double(i.strike),
                           years(i.expiry - venue_time()), sigmas[n],
                           to_double(core().view().position(options[n]))});
    }
    return book;
  }
  [[nodiscard]] double cold_maintenance() const {
    return quant::portfolio_margin(cold(1), cold_parameters()).maintenance;
  }
};

}  // namespace gimbal::test
