// What holds besides the latch file: the words of the shared pages as latch entries. The pages
// outlive a bot that dies before its latch is written; the file outlives the host. Either is enough
// to hold (controls, section 4). Room: ops/app (wiring). Cold.
#pragma once

#include <vector>

#include "engine/runtime/gate_page.hpp"
#include "engine/runtime/latch.hpp"

namespace gimbal {

// Every scope of the gate page that is not ACTIVE, except `armed`: what an arm command of `armed`
// must leave latched.
[[nodiscard]] std::vector<LatchEntry> held_scopes(const GatePage& gate, Scope armed);

// At boot: the stops of both pages that an earlier process left. The global HALT that every boot
// starts in is not one.
[[nodiscard]] std::vector<LatchEntry> left_in_pages(const GatePage& gate, const StopPage& stop);

}  // namespace gimbal
