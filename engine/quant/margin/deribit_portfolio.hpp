// Deribit's portfolio margin, segregated by settlement coin: the worst of a table of price and
// volatility moves, plus shocks for the roll between expiries and for the size of the delta.
//
// Room: engine/quant, cold. Source: ops/docs/risk.md, section 3.2. Every parameter comes from the
// caller: the venue sends the live ones with its simulation reply.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "engine/quant/margin/model.hpp"

namespace gimbal::quant {

struct PortfolioMarginParameters {
  double price_range{0};    // of the standard table, 0 .. 1
  int buckets{0};           // price moves per side of it
  double volatility_up{0};  // relative change of sigma at 30 days
  double volatility_down{0};
  double volatility_up_min{0};  // sigma after the shock up is at least this
  double short_power{0};        // of (30 / days) below 30 days
  double long_power{0};         // from 30 days on
  std::vector<double> extended_moves;
  double extended_factor{0};
  double dampener_usd{0};
  double annual_move{0};  // of the roll shock, per year
  double roll_min{0};
  double delta_shock_per_coin{0};
  double delta_shock_max{0};
  double delta_shock_threshold_usd{0};
  double maintenance_factor{0};
};
// What is wrong with the parameters, empty if nothing.
[[nodiscard]] std::string fault_of(const PortfolioMarginParameters& p);

// In coins (coin settlement) or the quote currency.
struct PortfolioMarginParts {
  // Price moves from the lowest to the highest, within each volatility down, same, up:
  // (2 buckets + 1) * 3 entries.
  std::vector<double> standard;
  std::vector<double> extended;  // one for each extended move, damped
  double worst{0};               // of both, at most 0
  double roll_shock{0};
  double delta_shock{0};
  double initial{0};      // -worst + roll_shock + delta_shock
  double maintenance{0};  // maintenance_factor * initial
};
[[nodiscard]] PortfolioMarginParts portfolio_margin(const Book& book,
                                                    const PortfolioMarginParameters& p);

// Open orders and spot collateral of other coins are not part of it.
class DeribitPortfolioMargin final : public MarginModel {
 public:
  DeribitPortfolioMargin(Book book, PortfolioMarginParameters parameters)
      : book_{std::move(book)}, parameters_{std::move(parameters)} {}
  [[nodiscard]] Margin at(const Shock& shock) const override;

 private:
  Book book_;
  PortfolioMarginParameters parameters_;
};

}  // namespace gimbal::quant
