// Hop marks. Engine calls `probe.mark(Hop)`; production passes a probe that reads the TSC into a
// record the core cannot read back, replay and tests pass the null one.
#pragma once

#include <cstdint>

namespace gimbal {

enum class Hop : std::uint8_t {
  step_begin,     // the event entered Engine::step
  state_updated,  // books, portfolio and orders have taken it in
  strategy_done,  // every strategy has answered; those behind the orders mark anew if they ask
  step_end,       // commands are complete, so far
};
inline constexpr std::uint8_t hops = 4;

struct NullProbe {
  void mark(Hop) noexcept {}
};

}  // namespace gimbal
