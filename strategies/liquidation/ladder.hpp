// The four states of a margin account and when they change.
//
// Hot, pure: integers in, a state out. A worse state is entered at once; a better one only after
// the reading has been `leave_health` inside the threshold for `leave_after`. What cannot be read
// counts as AMBER and never as an improvement; the venue's own figure still makes it worse. A
// moment in which scenarios are priced anew counts as neither.
#pragma once

#include <cstdint>

#include "engine/core/time.hpp"
#include "strategies/liquidation/config.hpp"

namespace gimbal {

// green: nothing; amber: growth is blocked; red: positions are reduced; black: as red, resting
// orders go first and the widest collars hold.
enum class MarginState : std::uint8_t { green, amber, red, black };

struct MarginReading {
  bool usable{false};    // the own numbers; false: stale or incomplete
  bool pending{false};   // not usable for a moment: portfolio margin whose rows are priced anew
  bool reported{false};  // the venue's report is fresh
  // Maintenance over margin balance at 1e-9, the worst figure there is; INT64_MAX: no balance.
  // Not usable: the fresh report's alone, 0 without one, and no distance.
  std::int64_t health{0};
  std::int64_t sigmas{INT64_MAX};  // distance to liquidation at 1e-9; INT64_MAX: none
};

class Ladder {
 public:
  // The state that the reading alone calls for; `ease` widens every threshold by that share (health
  // by the amount, distances by the proportion).
  [[nodiscard]] static MarginState judge(const MarginReading& r, const LiquidationConfig& c,
                                         double ease) noexcept;
  // Takes a reading in; gives the state from now on.
  MarginState step(const MarginReading& r, const LiquidationConfig& c, RecvTime now) noexcept;
  [[nodiscard]] MarginState state() const noexcept { return state_; }

 private:
  MarginState state_{MarginState::green};
  MarginState calm_{MarginState::green};  // worst that was called for since `calm_since_`
  RecvTime calm_since_{};                 // zero: not calm
};

}  // namespace gimbal
