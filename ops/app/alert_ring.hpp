// From the core's thread to the cold side: every trip, in order. Never drops: a full ring closes
// the last gate to HALT (Router::raise) and is counted. Room: ops/app (wiring).
#pragma once

#include <cstddef>

#include "engine/core/trip.hpp"
#include "engine/runtime/ring.hpp"

namespace gimbal {

using AlertRing = SpscRing<Trip>;
inline constexpr std::size_t alert_ring_slots = 4096;

}  // namespace gimbal
