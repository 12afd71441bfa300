#include "venues/sim/portfolio_margin.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace gimbal::sim {
namespace {

double moved_vol(const PortfolioLeg& leg, int direction, const PortfolioRules& rules) {
  if (direction == 0) return leg.black.vol;
  const double days = std::max(leg.years * 365.0, 1.0);
  const double scale = std::pow(30.0 / days, days < 30.0 ? rules.short_power : rules.long_power);
  if (direction > 0) {
    return std::max(leg.black.vol * (1 + scale * rules.volatility_up), rules.volatility_up_min);
  }
  return std::max(leg.black.vol * (1 - scale * rules.volatility_down), 0.0);
}

double earned(const PortfolioLeg& leg, double move, int direction, const PortfolioRules& rules) {
  const double now = leg.black.forward;
  const double then = now * (1 + move);
  if (!leg.option) return leg.amount * (1 / now - 1 / then);
  BlackInput after = leg.black;
  after.forward = then;
  after.vol = moved_vol(leg, direction, rules);
  return leg.amount * (black_value(after) / then - black_value(leg.black) / now);
}

double earned(std::span<const PortfolioLeg> legs, double move, int direction,
              const PortfolioRules& rules) {
  double sum = 0;
  for (const PortfolioLeg& leg : legs) sum += earned(leg, move, direction, rules);
  return sum;
}

double worst_loss(std::span<const PortfolioLeg> legs, const PortfolioRules& rules, double index) {
  double worst = 0;
  for (int step = -4; step <= 4; ++step) {
    for (int direction = -1; direction <= 1; ++direction) {
      worst = std::max(worst, -earned(legs, rules.price_range * step / 4, direction, rules));
    }
  }
  for (const double move : {-0.66, -0.33, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0}) {
    const double ranges = std::abs(move) / rules.price_range;
    const double edge = 1 + (move > 0 ? rules.price_range : -rules.price_range);
    const double loss =
        -earned(legs, move, 1, rules) * rules.extended_factor / ranges * (1 + move) / edge;
    worst = std::max(worst, loss - (ranges - 1) * rules.dampener_usd / (edge * index));
  }
  return worst;
}

}  // namespace

Requirement portfolio_margin(std::span<const PortfolioLeg> legs, const PortfolioRules& rules,
                             double index) {
  struct Expiry {
    double delta{0};
    double years{0};
  };
  std::map<std::int64_t, Expiry> expiries;
  double sold = 0;  // futures and short options
  double bought = 0;
  for (const PortfolioLeg& leg : legs) {
    Expiry& e = expiries[leg.expiry];
    e.delta += leg.delta;
    e.years = leg.expiry == 0 ? 0 : leg.years;
    (leg.option && leg.amount > 0 ? bought : sold) += leg.delta;
  }
  double initial = worst_loss(legs, rules, index);
  for (const auto& [at, e] : expiries) {
    initial +=
        std::abs(e.delta) * std::max(std::exp(rules.annual_move * e.years) - 1, rules.roll_min);
  }
  const double size = std::abs(std::clamp(sold + bought, std::min(sold, 0.0), std::max(sold, 0.0)));
  const double excess = std::max(size * index - rules.delta_shock_threshold_usd, 0.0) / index;
  initial += size * std::min(rules.delta_shock_per_coin * excess, rules.delta_shock_max);
  return {initial, rules.maintenance_factor * initial};
}

}  // namespace gimbal::sim
