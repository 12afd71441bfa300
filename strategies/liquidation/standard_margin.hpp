// Deribit's standard margin of one position, and how it moves with the price: requirement and
// equity as polynomials of second order in a relative move x of the underlying.
//
// Hot, pure. The same formulas as engine/quant/margin/deribit_standard (the tests hold one against
// the other); here because a strategy may look at the core only and must know at every tick.
// Source: ops/docs/risk.md, section 3.1. Rates come from the config.
#pragma once

#include "engine/core/instrument.hpp"
#include "engine/core/portfolio.hpp"
#include "strategies/liquidation/config.hpp"

namespace gimbal {

// In the settlement currency: coins (inverse) or quote currency (linear).
struct MarginTerms {
  double equity{0};  // slope and curve only have meaning for a single position
  double equity_slope{0};
  double equity_curve{0};
  double maintenance{0};
  double maintenance_slope{0};  // d/dx at x = 0, the price moving to F (1 + x)
  double maintenance_curve{0};  // second derivative

  MarginTerms& operator+=(const MarginTerms& o) noexcept;
  [[nodiscard]] double equity_at(double x) const noexcept {
    return equity + x * (equity_slope + 0.5 * x * equity_curve);
  }
  [[nodiscard]] double maintenance_at(double x) const noexcept {
    const double m = maintenance + x * (maintenance_slope + 0.5 * x * maintenance_curve);
    return m > 0 ? m : 0;
  }
  // The same polynomial around x.
  [[nodiscard]] MarginTerms moved(double x) const noexcept;
};

// A future or perpetual of signed `amount` (USD for inverse, coins for linear). Prices positive.
[[nodiscard]] MarginTerms future_terms(const Instrument& i, double amount, double mark,
                                       double index, const LiquidationConfig& rates) noexcept;
// An option of signed `amount` coins; nothing for a bought one. The margin balance leaves options
// out (the premium is cash), so they have no equity here. `mark` usable, `index` positive.
[[nodiscard]] MarginTerms option_terms(const Instrument& i, double amount, const OptionMark& mark,
                                       double index, const LiquidationConfig& rates) noexcept;

// Maintenance margin that closing one unit of amount gives back, at the present size; positive.
[[nodiscard]] double relief_per_unit(const Instrument& i, double amount, double mark, double index,
                                     const LiquidationConfig& rates) noexcept;

// Nearest moves at which the cushion (equity less maintenance) is zero: above -1 and below 0, and
// above 0; NaN where there is none. Both 0 when the cushion is gone already.
struct CushionRoots {
  double below{0};
  double above{0};
};
[[nodiscard]] CushionRoots cushion_roots(const MarginTerms& terms) noexcept;

}  // namespace gimbal
