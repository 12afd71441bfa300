// One question to every margin model: what are equity and requirements after a shock? Health and
// the distance to liquidation follow from the answers, the same way for all of them.
//
// Room: engine/quant, cold. Source: ops/docs/risk.md, section 3. Rates, tiers and ranges come from
// the caller (a parameter file or the venue): none is a constant here.
#pragma once

#include <limits>

#include "engine/quant/book.hpp"

namespace gimbal::quant {

// In the account's currency: coins, quote currency, or USD for lending.
struct Margin {
  double equity{0};
  double initial{0};      // NaN where the model has none
  double maintenance{0};  // liquidation is due when it reaches the equity

  // maintenance / equity; infinite when the equity is gone, 0 when nothing is required.
  [[nodiscard]] double health() const noexcept;
  [[nodiscard]] double cushion() const noexcept { return equity - maintenance; }
  [[nodiscard]] bool liquidatable() const noexcept { return health() >= 1.0; }
};

class MarginModel {
 public:
  MarginModel() = default;
  MarginModel(const MarginModel&) = default;
  MarginModel& operator=(const MarginModel&) = default;
  virtual ~MarginModel() = default;
  // After a common move of all prices. Finite for moves in (-1, 10].
  [[nodiscard]] virtual Margin at(const Shock& shock) const = 0;
};

// The nearest price on one side at which liquidation is due.
struct LiquidationSide {
  bool exists{false};                                       // within the moves searched
  double move{0};                                           // F_liq / F - 1
  double percent{std::numeric_limits<double>::infinity()};  // 100 |move|
  double sigmas{std::numeric_limits<double>::infinity()};   // |ln(1 + move)| / (sigma sqrt(h))
  double probability{0};  // of touching it within h: 2 N(-sigmas), no jumps, no drift
};
struct LiquidationDistance {
  LiquidationSide below, above;
  // The smaller one in sigmas.
  [[nodiscard]] const LiquidationSide& nearest() const noexcept {
    return below.sigmas <= above.sigmas ? below : above;
  }
};

inline constexpr double lowest_move = -0.999;
inline constexpr double highest_move = 9.0;

// Searches equity - maintenance = 0 from no move outwards, on a grid down to `lowest_move` and up
// to `highest_move`, then by Brent (1973) to 1e-10 of the price. An account that is liquidatable
// already has distance 0 on both sides. `sigma` per sqrt(year) and `horizon_years` scale the
// distance; where either is 0 the distance in sigmas is infinite and the probability 0.
[[nodiscard]] LiquidationDistance liquidation_distance(const MarginModel& model, double sigma,
                                                       double horizon_years);

}  // namespace gimbal::quant
