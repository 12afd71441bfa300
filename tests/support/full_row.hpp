// The naive twin of the scenario pricer: one option, every scenario priced by itself, slope and
// curve from the Greeks of the full kernel, moved from the price now to the anchor by evaluating
// the polynomial at three points.
#pragma once

#include <array>

#include "engine/core/math.hpp"
#include "engine/core/pricing.hpp"
#include "engine/core/risk/scenario_rows.hpp"

namespace gimbal::test {

struct FullRow {
  struct Term {
    double value{0}, slope{0}, half_curve{0};
  };

  const ScenarioTable& table;
  const ScenarioQuestion& q;
  std::size_t option;

  // Worth of the option with the price moved by `move` and this volatility, in a relative move.
  [[nodiscard]] Term worth(double move, double sigma) const {
    const double forward = q.forward * (1 + move * q.share);
    const OptionType type = q.sign[option] > 0 ? OptionType::call : OptionType::put;
    const OptionTerms t{type, forward, q.strike[option], q.years, sigma, 0, 1};
    const LinearGreeks g = price_linear(t);
    if (!q.inverse) {
      return {g.price, g.delta * forward * q.share,
              0.5 * g.gamma * forward * forward * q.share * q.share};
    }
    // Expired, 1 - K/F or nothing: the Greeks leave out how that bends.
    if (q.years <= 0) {
      const double share = q.share * q.sign[option] * q.strike[option] / forward;
      const double value = q.sign[option] * (1 - q.strike[option] / forward);
      return value > 0 ? Term{value, share, -share * q.share} : Term{};
    }
    const InverseGreeks i = price_inverse(t);
    return {i.value, i.dv_df * forward * q.share,
            0.5 * i.d2v_df2 * forward * forward * q.share * q.share};
  }
  [[nodiscard]] Term row(std::size_t n) const {
    const ScenarioTable::Scenario& s = table[n];
    const double sigma = q.sigma[option];
    const Term still = worth(0, sigma);
    const Term moved =
        worth(s.move, table.shocked(sigma, table.shock_scale(q.years), s.volatility));
    double weight = s.weight;
    if (q.inverse && ScenarioTable::far(n)) weight *= (1 + s.move) / table.edge(n);
    const Term t{weight * (moved.value - still.value), weight * (moved.slope - still.slope),
                 weight * (moved.half_curve - still.half_curve)};
    // p(z) is t at the move that z means from the price now.
    const auto at = [&](double z) {
      const double r = q.anchor * (1 + z) / q.spot - 1;
      return t.value + r * (t.slope + r * t.half_curve);
    };
    constexpr double h = 0.25;
    return {at(0), (at(h) - at(-h)) / (2 * h), (at(h) - 2 * at(0) + at(-h)) / (2 * h * h)};
  }
};

}  // namespace gimbal::test
