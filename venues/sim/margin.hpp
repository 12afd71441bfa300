// Room venues/sim, pure. Standard margin per position and the funding rate, as Deribit publishes
// them.
#pragma once

#include <string_view>

#include "engine/core/instrument.hpp"

namespace gimbal::sim {

struct MarginRates {
  double initial{0.02};  // of the position's value, at size zero
  double maintenance{0.01};
  double per_coin{0.00005};  // added to both for each coin of size
};
// BTC 0.005 % a coin, ETH 0.0004 %; other coins 4 % + 0.0005 %, 2 %.
MarginRates margin_rates(std::string_view coin) noexcept;

// What a position needs, in its settlement currency.
struct Requirement {
  double initial{0};
  double maintenance{0};
};
// `size` signed; mark in the quote; index in USD per coin; underlying is the option's forward.
Requirement futures_margin(const Instrument& def, const MarginRates& rates, double size,
                           double mark, double index) noexcept;
Requirement option_margin(const Instrument& def, double size, double mark, double underlying,
                          double index) noexcept;

// max(damper, premium) + min(-damper, premium) with premium = (mark - index) / index, capped;
// a fraction per 8 h.
double funding_rate(double mark, double index, double damper, double cap) noexcept;

}  // namespace gimbal::sim
