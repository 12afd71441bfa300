// The last look at an order's numbers before they become text. Room: venues (hot). The core snaps
// and the gate approves; this proves that what is sent is an exact multiple (controls P-05).
#pragma once

#include <cstdint>

#include "engine/core/instrument.hpp"
#include "engine/core/units.hpp"

namespace gimbal::deribit {

enum class RuleBreach : std::uint8_t {
  none,
  not_open,
  price_tick,
  price_range,
  amount_lot,
  amount_min
};

// `total` is the order's whole amount (for a replacement: filled included).
[[nodiscard]] RuleBreach check_order(const Instrument& instrument, Price price, Qty total) noexcept;

}  // namespace gimbal::deribit
