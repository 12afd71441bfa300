// Executions of a strategy that do not better its position (control P-07), per underlying:
//   a turn: a fill against the direction of the one before that does not bring the underlying's
//   delta
//           nearer to zero; there and back again is one turn
//   a miss: an immediate order that ended without a fill; forgotten with the next fill that does
// Either, `cycles_max` times within `cycles_window`, is a trip. A fill that betters the position by
// itself never counts, however the market moved meanwhile. Hot, fixed memory.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/core/ids.hpp"
#include "engine/core/risk/event_window.hpp"
#include "engine/core/risk/limits.hpp"
#include "engine/core/units.hpp"

namespace gimbal {

class ExecutionRepeats {
 public:
  static constexpr std::int64_t cycles_max = 32;

  // `betters`: the delta is strictly nearer to zero for this very fill. True: trip.
  [[nodiscard]] bool fill(StrategyId strategy, UnderlyingId u, Side side, bool betters,
                          RecvTime now, const RiskLimits& l) noexcept {
    Watch* w = watch(strategy, u);
    if (w == nullptr) return false;
    const bool turned = w->filled && w->last != side;
    w->filled = true;
    w->last = side;
    if (betters) {
      w->misses.clear();
      return false;
    }
    return turned && w->turns.note(now, l.cycles_max, l.cycles_window);
  }
  [[nodiscard]] bool miss(StrategyId strategy, UnderlyingId u, RecvTime now,
                          const RiskLimits& l) noexcept {
    Watch* w = watch(strategy, u);
    return w != nullptr && w->misses.note(now, l.cycles_max, l.cycles_window);
  }
  // A human armed.
  void forget() noexcept {
    for (auto& of_strategy : watches_) {
      for (Watch& w : of_strategy) {
        w.turns.clear();
        w.misses.clear();
      }
    }
  }

 private:
  struct Watch {
    EventWindow<cycles_max> turns{};
    EventWindow<cycles_max> misses{};
    Side last{Side::buy};
    bool filled{false};
  };
  [[nodiscard]] Watch* watch(StrategyId strategy, UnderlyingId u) noexcept {
    if (strategy.value >= strategies_max || u.value >= underlyings_max) return nullptr;
    return &watches_[strategy.value][u.value];
  }
  std::array<std::array<Watch, underlyings_max>, strategies_max> watches_{};
};

}  // namespace gimbal
