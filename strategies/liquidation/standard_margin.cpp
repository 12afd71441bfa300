#include "strategies/liquidation/standard_margin.hpp"

#include <algorithm>
#include <limits>

#include "engine/core/math.hpp"

namespace gimbal {

MarginTerms& MarginTerms::operator+=(const MarginTerms& o) noexcept {
  equity += o.equity;
  equity_slope += o.equity_slope;
  equity_curve += o.equity_curve;
  maintenance += o.maintenance;
  maintenance_slope += o.maintenance_slope;
  maintenance_curve += o.maintenance_curve;
  return *this;
}

MarginTerms MarginTerms::moved(double x) const noexcept {
  MarginTerms t = *this;
  t.equity = equity_at(x);
  t.equity_slope += x * equity_curve;
  t.maintenance = maintenance_at(x);
  t.maintenance_slope += x * maintenance_curve;
  return t;
}

MarginTerms future_terms(const Instrument& i, double amount, double mark, double index,
                         const LiquidationConfig& rates) noexcept {
  MarginTerms t;
  const double coins = is_inverse(i.kind) ? amount / mark : amount;
  const double size = math::abs(coins);
  const double rate = rates.future_maintenance + rates.future_per_coin * size;
  if (is_inverse(i.kind)) {
    t.equity_slope = coins;
    t.equity_curve = -2 * coins;
    t.maintenance = rate * size;
    t.maintenance_slope = -size * (rate + rates.future_per_coin * size);
    t.maintenance_curve = size * (2 * rates.future_maintenance + 6 * rates.future_per_coin * size);
    return t;
  }
  t.equity_slope = coins * mark;
  t.maintenance = rate * size * index;
  t.maintenance_slope = t.maintenance;
  return t;
}

MarginTerms option_terms(const Instrument& i, double amount, const OptionMark& mark, double index,
                         const LiquidationConfig& rates) noexcept {
  MarginTerms t;
  if (amount >= 0) return t;
  const double held = -amount;
  const bool inverse = is_inverse(i.kind);
  const double unit = inverse ? 1.0 : index;  // settlement currency per coin
  const double price = mark.price / unit;     // coins
  const double share = rates.option_maintenance;
  const bool steep = i.option == OptionType::put && price > 1;
  t.maintenance = held * unit * (share * (steep ? price : 1.0) + price);
  const double factor = held * (steep ? 1 + share : 1.0);
  const double f = mark.forward;
  t.maintenance_slope = factor * (inverse ? mark.delta_net : mark.delta_net * f);
  t.maintenance_curve =
      factor * (inverse ? f * mark.gamma - 2 * mark.delta_net : f * f * mark.gamma);
  if (!inverse) t.maintenance_slope += held * share * unit * (steep ? 0.0 : 1.0);
  return t;
}

double relief_per_unit(const Instrument& i, double amount, double mark, double index,
                       const LiquidationConfig& rates) noexcept {
  if (is_option(i.kind)) {
    if (amount >= 0) return 0;
    const double unit = is_inverse(i.kind) ? 1.0 : index;
    const double price = mark / unit;
    const bool steep = i.option == OptionType::put && price > 1;
    return unit * (rates.option_maintenance * (steep ? price : 1.0) + price);
  }
  const bool inverse = is_inverse(i.kind);
  const double size = math::abs(inverse ? amount / mark : amount);
  const double rate = rates.future_maintenance + 2 * rates.future_per_coin * size;
  return inverse ? rate / mark : rate * index;
}

CushionRoots cushion_roots(const MarginTerms& t) noexcept {
  constexpr double none = std::numeric_limits<double>::quiet_NaN();
  const double c0 = t.equity - t.maintenance;
  if (!(c0 > 0)) return {0, 0};
  const double c1 = t.equity_slope - t.maintenance_slope;
  const double c2 = 0.5 * (t.equity_curve - t.maintenance_curve);
  CushionRoots roots{none, none};
  const auto take = [&](double x) noexcept {
    if (x > -1 && x < 0 && !(roots.below > x)) roots.below = x;
    if (x > 0 && !(roots.above < x)) roots.above = x;
  };
  const double discriminant = c1 * c1 - 4 * c2 * c0;
  if (discriminant < 0) return roots;
  // Without cancellation: one root by the sum of equal signs, the other by the product of both.
  const double sum = -0.5 * (c1 + (c1 < 0 ? -1.0 : 1.0) * math::sqrt(discriminant));
  if (sum != 0) take(c0 / sum);
  if (c2 != 0) take(sum / c2);
  return roots;
}

}  // namespace gimbal
