// What holds besides the latch file: the words of the shared pages as latch entries. The pages
// outlive a bot that dies before its latch is written; the file outlives the host. Either is enough
// to hold (controls, section 4). Room: ops/app (wiring). Cold.
#pragma once

#include <vector>

#include "engine/core/payload.hpp"
#include "engine/runtime/gate_page.hpp"
#include "engine/runtime/latch.hpp"
#include "ops/app/scope_names.hpp"

namespace gimbal {

// Every scope of the gate page that is not ACTIVE, except `armed`: what an arm command of `armed`
// must leave latched.
[[nodiscard]] std::vector<LatchEntry> held_scopes(const GatePage& gate, Scope armed);

// At boot: the stops of both pages that an earlier process left, named as its names file says. The
// global HALT that every boot starts in is not one.
[[nodiscard]] std::vector<LatchEntry> left_in_pages(const GatePage& gate, const StopPage& stop,
                                                    const std::vector<ScopeName>& names = {});

// Entries without a name get the one that `names` has for their number. What stays without one and
// is less than the account cannot be found again: it is taken out, a global HALT whose reason says
// what it was comes in, and it is given back.
std::vector<LatchEntry> name_entries(std::vector<LatchEntry>& entries,
                                     const std::vector<ScopeName>& names);

// The kill that makes the core hold what the latch says. It has no number: nobody waits for it.
[[nodiscard]] OperatorCommand carried_on(const LatchEntry& entry) noexcept;

// At boot, once the names of this run are known: each entry moves to the number that its scope has
// now. Words of the pages under an earlier number are cleared, then every entry holds in the gate.
// Nothing sends yet.
void move_to_names(std::vector<LatchEntry>& entries, const std::vector<ScopeName>& names,
                   GatePage& gate, StopPage& stop);

}  // namespace gimbal
