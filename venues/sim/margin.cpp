#include "venues/sim/margin.hpp"

#include <algorithm>

namespace gimbal::sim {

MarginRates margin_rates(std::string_view coin) noexcept {
  if (coin == "BTC") return {0.02, 0.01, 0.00005};
  if (coin == "ETH") return {0.02, 0.01, 0.000004};
  return {0.04, 0.02, 0.000005};
}

Requirement futures_margin(const Instrument& def, const MarginRates& rates, double size,
                           double mark, double index) noexcept {
  const double held = size < 0 ? -size : size;
  const bool linear = !is_inverse(def.kind);
  const double coins = linear ? held : held / mark;
  const double worth = linear ? coins * index : coins;
  const double slope = rates.per_coin * coins;
  return {(rates.initial + slope) * worth, (rates.maintenance + slope) * worth};
}

Requirement option_margin(const Instrument& def, double size, double mark, double underlying,
                          double index) noexcept {
  if (size >= 0) return {};  // the premium is paid
  const bool linear = def.kind == InstrumentKind::linear_option;
  const double m = linear ? mark / index : mark;  // in coins
  const double strike = to_double(def.strike);
  const bool call = def.option == OptionType::call;
  const double out = std::max(call ? strike - underlying : underlying - strike, 0.0);
  const double base = std::max(0.15 - out / underlying, 0.1) + m;
  Requirement r;
  if (call) {
    r = {base, 0.075 + m};
  } else {
    const double maintenance = std::max(0.075, 0.075 * m) + m;
    r = {std::max(base, maintenance), maintenance};
  }
  const double scale = -size * (linear ? index : 1.0);
  return {r.initial * scale, r.maintenance * scale};
}

double funding_rate(double mark, double index, double damper, double cap) noexcept {
  const double premium = (mark - index) / index;
  const double rate = std::max(damper, premium) + std::min(-damper, premium);
  return std::clamp(rate, -cap, cap);
}

}  // namespace gimbal::sim
