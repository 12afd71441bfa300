// What is held, as a book of scenarios that moves with the price.
#include "engine/core/math.hpp"
#include "engine/core/risk/scenario_cells.hpp"

namespace gimbal {

// With z = z0 + (1 + z0) x. Coins of an inverse future fall as 1 / (1 + x), and so do the coins
// that a relief in USD is worth; a linear one's profit grows with the price.
ScenarioBook ScenarioCells::held_book(UnderlyingId u, bool inverse,
                                      const Position& p) const noexcept {
  const Book& b = books_[place(u, inverse)];
  const Cells& future = future_[inverse ? 0 : 1];
  const Cells& relief = relief_[inverse ? 0 : 1];
  const double z = b.anchor > 0 ? p.spot / b.anchor - 1.0 : 0.0;
  const double k = 1.0 + z;
  const double held = (inverse ? 1.0 : p.spot) * p.coins;
  const double unit = inverse ? 1.0 / p.index : 1.0;
  ScenarioBook out;
  for (std::size_t n = 0; n < padded; ++n) {
    const double value = b.sums.value[n];
    const double slope = b.sums.slope[n];
    const double curve = b.sums.half_curve[n];
    const double f = held * future[n];
    const double r = unit * relief[n];
    out.loss[n] = -math::fma(z, math::fma(z, curve, slope), value) - f - r;
    out.slope[n] = -k * math::fma(2.0 * z, curve, slope) + (inverse ? f + r : -f);
    out.half_curve[n] = -k * k * curve - (inverse ? f + r : 0.0);
  }
  return out;
}

}  // namespace gimbal
