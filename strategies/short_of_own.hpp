// How far an order that takes may reach without meeting an order of ours. Room: strategies. Hot,
// pure.
#pragma once

#include <algorithm>

#include "engine/core/strategy_view.hpp"

namespace gimbal {

// The price nearest to `limit` that meets no open order of ours on the other side of `id` (the
// gate's self_match, whatever strategy wrote it): a tick short of the nearest of them. `limit`
// itself where an order of ours stands at `best` or before it: nothing in reach is anybody else's,
// and the gate says so.
inline Price short_of_own(const StrategyView& view, InstrumentId id, Side side, Price best,
                          Price limit) noexcept {
  const TickSchedule& ticks = view.instruments()[id].ticks;
  Price reach = limit;
  for (std::size_t n = 0; n < view.open_orders(); ++n) {
    const Order& o = view.open_order(n);
    if (o.instrument != id || o.side == side || !o.open()) continue;
    const Price changed = o.new_amount.nano > 0 ? o.new_price : o.price;
    if (side == Side::buy) {
      const Price theirs = std::min(o.price, changed);
      reach = std::min(reach, ticks.snap(Price{theirs.nano - 1}, Rounding::down));
    } else {
      const Price theirs = std::max(o.price, changed);
      reach = std::max(reach, ticks.snap(Price{theirs.nano + 1}, Rounding::up));
    }
  }
  return (side == Side::buy ? reach >= best : reach <= best) ? reach : limit;
}

}  // namespace gimbal
