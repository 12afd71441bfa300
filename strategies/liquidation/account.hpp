// What one margin account is worth and needs, from our own arithmetic, at every look.
//
// Hot. The venue's report is the anchor of the margin balance: from there on every held future adds
// what its mark moved. Futures are computed whole at each look; options in slices of
// `rows_per_look`, so that a look costs the same with ten options or a thousand. Between two whole
// passes the options' sum moves along its slope and curve. All memory is in the object.
#pragma once

#include <array>
#include <cstddef>

#include "engine/core/strategy_view.hpp"
#include "strategies/liquidation/portfolio_margin.hpp"
#include "strategies/liquidation/standard_margin.hpp"

namespace gimbal {

struct MarginPicture {
  bool known{false};      // a report and a whole pass are in
  bool complete{false};   // and every position had its prices
  MarginTerms terms{};    // at `price`, by standard margin
  double price{0};        // of the hedge instrument: its mark
  double mid{0};          // its mid; 0 when its book is not to be used
  double volatility{0};   // of held options, mean by size; 0 when none is held
  RecvTime options_at{};  // when the pass over the options began
};

class MarginAccount {
 public:
  static constexpr std::size_t futures_max = 64;
  static constexpr std::size_t shorts_kept = 8;
  static constexpr std::size_t rows_per_look = 8;

  // `hedge` names venue and settlement, and its price is the one that moves.
  void look(const StrategyView& view, InstrumentId hedge, const LiquidationConfig& rates) noexcept;
  [[nodiscard]] const MarginPicture& picture() const noexcept { return picture_; }
  // By the account's own model, after a move x of the price; by standard margin while the scenarios
  // of an account on portfolio margin are not known.
  [[nodiscard]] double maintenance_at(double x) const noexcept {
    return portfolio_.known() ? portfolio_.maintenance_at(x) : picture_.terms.maintenance_at(x);
  }
  [[nodiscard]] double equity_at(double x) const noexcept {
    return portfolio_.known() ? portfolio_.equity_at(picture_.terms, x)
                              : picture_.terms.equity_at(x);
  }
  [[nodiscard]] CushionRoots roots() const noexcept {
    return portfolio_.known() ? portfolio_.roots(picture_.terms) : cushion_roots(picture_.terms);
  }
  // Not known: always so on standard margin.
  [[nodiscard]] const PortfolioMargin& portfolio() const noexcept { return portfolio_; }
  // Futures held now or earlier, and the short options that ask for the most margin, as of the last
  // pass.
  [[nodiscard]] std::size_t futures() const noexcept { return futures_count_; }
  [[nodiscard]] InstrumentId future(std::size_t n) const noexcept { return futures_[n].id; }
  [[nodiscard]] std::size_t shorts() const noexcept { return shorts_count_; }
  [[nodiscard]] InstrumentId short_option(std::size_t n) const noexcept { return shorts_[n].id; }
  // Grows by one with every margin report that was taken as the anchor.
  [[nodiscard]] std::uint64_t reports() const noexcept { return reports_; }
  // Own maintenance margin at the marks of the newest report; NaN: a position had no price then, or
  // its scenarios were not known.
  [[nodiscard]] double maintenance_at_report() const noexcept { return at_report_; }
  // The balance that counts, then; NaN likewise.
  [[nodiscard]] double balance_at_report() const noexcept { return balance_at_report_; }

 private:
  struct Future {
    InstrumentId id{};
    Price from{};  // mark up to which its profit is in `earned_`
    Qty amount{};
  };
  struct Short {
    InstrumentId id{};
    double maintenance{0};
  };
  struct Pass {  // over the options
    MarginTerms terms{};
    double price{0};
    double volatility{0};  // sum of |coins| * sigma
    double weight{0};      // sum of |coins|
    RecvTime at{};
    std::size_t next{0};
    std::size_t held{0};
    std::size_t shorts{0};
    bool complete{true};    // false: an option without a price, or a future without room
    bool one_coin{true};    // false: something that the scenarios of the hedge's coin leave out
    ExpiryDeltas deltas{};  // of options; futures have their places
    MarginTerms options{};  // worth of options and its moves, as equity
    std::array<Short, shorts_kept> kept{};
  };

  void anchor(const StrategyView& view) noexcept;
  void begin_pass(const StrategyView& view, double price) noexcept;
  void take_rows(const StrategyView& view, InstrumentId hedge, double price,
                 const LiquidationConfig& rates) noexcept;
  void take_option(const StrategyView& view, InstrumentId id,
                   const LiquidationConfig& rates) noexcept;
  void keep_short(InstrumentId id, double maintenance) noexcept;
  // For portfolio margin: what the standard model does not ask for.
  void take_position(const StrategyView& view, InstrumentId id, InstrumentId hedge) noexcept;
  void look_at_scenarios(const StrategyView& view, InstrumentId hedge) noexcept;
  void note_future(const StrategyView& view, InstrumentId id) noexcept;
  void add_futures(const StrategyView& view, const LiquidationConfig& rates,
                   MarginPicture& p) noexcept;
  [[nodiscard]] bool of_account(const Instrument& i) const noexcept {
    return i.venue == venue_ && i.settlement == settlement_;
  }

  VenueId venue_{0xFF};
  Currency settlement_{};
  RecvTime anchored_at_{};
  Money anchored_balance_{};
  Money anchored_maintenance_{};
  double balance_{0};  // margin balance of the anchor
  double earned_{0};   // by futures since then
  std::uint64_t reports_{0};
  double at_report_{0};
  double balance_at_report_{0};
  bool passed_{false};
  bool reported_{false};  // a report came: `at_report_` is to be taken at the end of this look
  std::size_t futures_count_{0};
  std::size_t shorts_count_{0};
  std::array<Future, futures_max> futures_{};
  std::array<Short, shorts_kept> shorts_{};
  Pass pass_{};
  Pass done_{};  // the last whole pass
  MarginPicture picture_{};
  PortfolioMargin portfolio_{};
};

}  // namespace gimbal
