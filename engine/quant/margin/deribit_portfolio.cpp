#include "engine/quant/margin/deribit_portfolio.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "engine/core/math.hpp"

namespace gimbal::quant {

namespace {

enum class VolMove { down, same, up };

double shocked_sigma(const Leg& leg, VolMove v, const PortfolioMarginParameters& p) noexcept {
  if (v == VolMove::same) return leg.sigma;
  const double days = std::max(leg.years * 365.0, 1.0);
  const double power = days < 30.0 ? p.short_power : p.long_power;
  const double scale = math::exp(power * math::log(30.0 / days));
  if (v == VolMove::up) {
    return std::max(leg.sigma * (1.0 + scale * p.volatility_up), p.volatility_up_min);
  }
  return std::max(leg.sigma * (1.0 - scale * p.volatility_down), 0.0);
}

double scenario(const Book& book, double move, VolMove v, const PortfolioMarginParameters& p) {
  double sum = 0;
  for (const Leg& leg : book.legs) {
    Leg after = leg;
    after.forward *= 1.0 + move;
    if (leg.kind == LegKind::option) after.sigma = shocked_sigma(leg, v, p);
    sum += profit(leg, after, book.settlement);
  }
  return sum;
}

// What counts of a far move: scaled down by its size and dampened by a fixed amount of USD.
double far_scenario(const Book& book, double move, const PortfolioMarginParameters& p) {
  const double edge = 1.0 + (move > 0 ? p.price_range : -p.price_range);
  const double coin = book.settlement == Settlement::coin ? 1.0 : 0.0;
  // The last ratio turns coins at the far price into coins at the edge of the standard table.
  const double profit = scenario(book, move, VolMove::up, p) * p.extended_factor *
                        (p.price_range / math::abs(move)) * (coin > 0 ? (1.0 + move) / edge : 1.0);
  const double relief = (math::abs(move) / p.price_range - 1.0) * p.dampener_usd /
                        (coin > 0 ? edge * book.index : 1.0);
  const double size = std::max(math::abs(profit) - relief, 0.0);
  return profit < 0 ? -size : size;
}

double roll_shock(const Book& book, const PortfolioMarginParameters& p) {
  std::map<long long, double> delta_of;  // by expiry in seconds; 0 is the perpetual's
  for (const Leg& leg : book.legs) {
    delta_of[std::llround(leg.years * 31'536'000.0)] += greeks(leg, book.settlement).delta;
  }
  double sum = 0;
  for (const auto& [seconds, delta] : delta_of) {
    const double years = static_cast<double>(seconds) / 31'536'000.0;
    sum += math::abs(delta) * std::max(math::exp(p.annual_move * years) - 1.0, p.roll_min);
  }
  return sum;
}

// Long options only offset: they cannot turn the sign.
double delta_shock(const Book& book, const PortfolioMarginParameters& p) {
  double held = 0;  // futures and short options
  double bought = 0;
  for (const Leg& leg : book.legs) {
    const bool long_option = leg.kind == LegKind::option && leg.amount > 0;
    (long_option ? bought : held) += greeks(leg, book.settlement).delta;
  }
  const double delta =
      math::abs(std::clamp(held + bought, std::min(held, 0.0), std::max(held, 0.0)));
  const double excess =
      std::max(delta * book.index - p.delta_shock_threshold_usd, 0.0) / book.index;
  return delta * std::min(p.delta_shock_per_coin * excess, p.delta_shock_max);
}

}  // namespace

std::string fault_of(const PortfolioMarginParameters& p) {
  if (!(p.price_range > 0 && p.price_range < 1)) return "price_range must be between 0 and 1";
  if (p.buckets < 1 || p.buckets > 100) return "price buckets per side must be 1 to 100";
  for (const double m : p.extended_moves) {
    if (!(m > -1 && m <= 100) || m == 0) return "an extended move must be in (-1, 100] and not 0";
  }
  if (!(p.maintenance_factor > 0 && p.maintenance_factor <= 1)) {
    return "mm_factor must be above 0 and at most 1";
  }
  for (const double v : {p.volatility_up, p.volatility_down, p.volatility_up_min, p.short_power,
                         p.long_power, p.extended_factor, p.dampener_usd, p.annual_move, p.roll_min,
                         p.delta_shock_per_coin, p.delta_shock_max, p.delta_shock_threshold_usd}) {
    if (!(v >= 0 && math::finite(v))) return "no parameter may be below 0 or not finite";
  }
  return {};
}

PortfolioMarginParts portfolio_margin(const Book& book, const PortfolioMarginParameters& p) {
  PortfolioMarginParts parts;
  for (int j = -p.buckets; j <= p.buckets; ++j) {
    const double move = static_cast<double>(j) / p.buckets * p.price_range;
    for (const VolMove v : {VolMove::down, VolMove::same, VolMove::up}) {
      parts.standard.push_back(scenario(book, move, v, p));
    }
  }
  for (const double move : p.extended_moves) parts.extended.push_back(far_scenario(book, move, p));
  for (const double v : parts.standard) parts.worst = std::min(parts.worst, v);
  for (const double v : parts.extended) parts.worst = std::min(parts.worst, v);
  const double coins = book.settlement == Settlement::coin ? 1.0 : book.index;
  parts.roll_shock = roll_shock(book, p) * coins;
  parts.delta_shock = delta_shock(book, p) * coins;
  parts.initial = -parts.worst + parts.roll_shock + parts.delta_shock;
  parts.maintenance = p.maintenance_factor * parts.initial;
  return parts;
}

Margin DeribitPortfolioMargin::at(const Shock& shock) const {
  const Book book = shifted(book_, shock);
  const PortfolioMarginParts parts = portfolio_margin(book, parameters_);
  return {book.equity, parts.initial, parts.maintenance};
}

}  // namespace gimbal::quant
