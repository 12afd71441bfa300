// Room venues/sim, pure. A small Black-76, written apart from engine/core/pricing on purpose: the
// venue and the bot check each other. r = 0; T in years of 365 days.
#pragma once

#include "venues/sim/records.hpp"

namespace gimbal::sim {

struct BlackInput {
  bool call{true};
  double forward{0};
  double strike{0};
  double years{0};
  double vol{0};  // fraction
};

double black_value(const BlackInput& in) noexcept;  // undiscounted, in quote currency
// The volatility whose value is `value`; 0 at or below intrinsic, 5 (500 %) at most.
double black_implied_vol(BlackInput in, double value) noexcept;
// Greeks as the venue publishes them, not yet rounded. `worth` is mark x forward (inverse) or the
// mark (linear): theta never exceeds it.
Greeks black_greeks(const BlackInput& in, double worth) noexcept;
Greeks rounded(const Greeks& g) noexcept;  // 5 decimals each

}  // namespace gimbal::sim
