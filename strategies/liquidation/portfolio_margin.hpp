// Deribit's portfolio margin of one account, at every look: the worst scenario of what is held
// ([scenarios], kept by the core), and the shocks for the roll between expiries and for the size of
// the delta, which come from the account's own pass over its positions.
//
// Hot, pure over StrategyView. The same formulas as engine/quant/margin/deribit_portfolio (the
// tests hold one against the other). Source: ops/docs/risk.md, sections 3.2 and 6.1. Every
// parameter comes from [scenarios].
#pragma once

#include <array>
#include <cstddef>

#include "engine/core/strategy_view.hpp"
#include "strategies/liquidation/standard_margin.hpp"

namespace gimbal {

// Delta of what is held by expiry, coins, and what a roll of it costs.
class ExpiryDeltas {
 public:
  static constexpr std::size_t expiries_max = 32;

  // Makes a place for the instrument's expiry. False: no room, or no clock yet.
  [[nodiscard]] bool open(const StrategyView& view, InstrumentId id) noexcept;
  // False when the expiry has no place. A bought option only offsets the delta shock.
  [[nodiscard]] bool add(const Instrument& i, double coins, bool bought_option) noexcept;
  // Roll and delta shock in coins.
  [[nodiscard]] double shocks(const ScenarioConfig& c, double index) const noexcept;

 private:
  [[nodiscard]] std::size_t find(ExchTime expiry) const noexcept;

  std::size_t count_{0};
  double sold_{0};  // futures and short options
  double bought_{0};
  std::array<ExchTime, expiries_max> expiry_{};
  std::array<double, expiries_max> rate_{};
  std::array<double, expiries_max> delta_{};
};

class PortfolioMargin {
 public:
  void forget() noexcept { known_ = awaited_ = false; }
  void count(LadderBalance balance) noexcept { balance_ = balance; }
  // `deltas` of everything held, `options`: their worth and how it moves (equity terms alone).
  void look(const StrategyView& view, InstrumentId hedge, const ExpiryDeltas& deltas,
            const MarginTerms& options) noexcept;
  [[nodiscard]] bool known() const noexcept { return known_; }
  // Not known for a moment: the price moved and the core prices its scenarios anew.
  [[nodiscard]] bool awaited() const noexcept { return awaited_; }

  // Settlement currency, after a move x. `futures`: the balance and what futures add to it.
  [[nodiscard]] double maintenance_at(double x) const noexcept {
    return factor_ * (book_.worst(x) + shocks_);
  }
  // The balance that counts, by the configured choice.
  [[nodiscard]] double equity_at(const MarginTerms& futures, double x) const noexcept {
    const double worth = options_.equity_at(x);
    const bool counts =
        balance_ == LadderBalance::equity || (balance_ == LadderBalance::smaller && worth < 0);
    return futures.equity_at(x) + (counts ? worth : 0);
  }
  // The options' worth is in it now: what is paid for one bought back comes back as less owed.
  [[nodiscard]] bool counts_options() const noexcept {
    return known_ && (balance_ == LadderBalance::equity ||
                      (balance_ == LadderBalance::smaller && options_.equity < 0));
  }
  [[nodiscard]] CushionRoots roots(const MarginTerms& futures) const noexcept;

  // Maintenance margin that a trade gives back, with a change of the hedge by `hedge_amount`;
  // negative when it asks for more. 0: not known.
  [[nodiscard]] double relief(const StrategyView& view, InstrumentId id, Qty signed_amount,
                              InstrumentId hedge, Qty hedge_amount) const noexcept;

 private:
  [[nodiscard]] static bool add_delta(const StrategyView& view, InstrumentId id, Qty amount,
                                      ExpiryDeltas& deltas) noexcept;

  bool known_{false};
  bool awaited_{false};
  LadderBalance balance_{LadderBalance::smaller};
  double factor_{0};
  double shocks_{0};  // settlement currency
  double index_{0};
  double unit_{1};  // settlement currency of a coin
  ScenarioBook book_{};
  ExpiryDeltas deltas_{};
  MarginTerms options_{};
};

}  // namespace gimbal
