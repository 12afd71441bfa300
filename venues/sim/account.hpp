// Room venues/sim, pure. What an account holds, and the arithmetic of fills, settlement and fees.
//
// Everything is integer. A position carries its cost: the sum of signed_value(trade amount, price)
// over what is still open. Buyer's and seller's values of a trade are exact opposites, so over all
// accounts the sum of balance + realised - cost changes only by fees and by named residues.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/core/instrument.hpp"
#include "venues/sim/records.hpp"

namespace gimbal::sim {

// Worth of signed `size` at `price` in the settlement currency, nano: inverse futures -size / price
// (so that profit is value now - cost), everything else size x price. Odd in `size`, nearest.
i128 signed_value(const Instrument& def, std::int64_t size, std::int64_t price) noexcept;

struct Holding {
  std::int64_t size{0};       // signed nano amount
  i128 cost{0};               // re-based to the mark at each settlement
  i128 entry{0};              // as cost, never re-based: gives the average price
  i128 realized{0};           // this session; futures: part of session_rpl, options: a statistic
  i128 funding{0};            // this session, received; included in realized
  i128 funding_mark{0};       // the perpetual's funding sum at the last booking
  std::int64_t open_buys{0};  // resting user orders
  std::int64_t open_sells{0};
  std::uint32_t reduce_only_orders{0};

  // Books a trade of signed `amount`; returns what it realises (already added to `realized`).
  i128 apply(const Instrument& def, std::int64_t amount, std::int64_t price) noexcept;
  [[nodiscard]] Price average(const Instrument& def) const noexcept;
  [[nodiscard]] bool idle() const noexcept {
    return size == 0 && open_buys == 0 && open_sells == 0 && realized == 0;
  }
};

struct Cash {
  i128 balance{0};
  i128 session_rpl{0};  // futures results and booked funding since the last settlement
  i128 fees{0};         // paid since start
};

// Fee of a fill, nano of the settlement currency, rounded to nearest; options are capped at 12.5 %
// of the price. `index` in USD per coin.
i128 fee_of(const Instrument& def, Liquidity side, std::int64_t amount, std::int64_t price,
            std::int64_t index) noexcept;
// Delivery fee of an option worth `payoff` a coin (0.015 %, same cap).
i128 delivery_fee_of(const Instrument& def, std::int64_t amount, std::int64_t payoff,
                     std::int64_t index) noexcept;

Money to_money(i128 nano) noexcept;  // saturates

}  // namespace gimbal::sim
