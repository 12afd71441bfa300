// Where the threads of a bot run. Room: ops/app (wiring). Cold.
#pragma once

#include "engine/runtime/pin.hpp"
#include "ops/app/config.hpp"

namespace gimbal {

// A cold thread, the main one included: it drains the journal a thousand times a second, and left
// free the scheduler puts it where a hot thread spins as readily as elsewhere. Without a core of
// its own it may go anywhere but there. The main thread takes its place after the hot ones have
// started, which would inherit it.
[[nodiscard]] inline ThreadPlan cold_plan(const char* name, const RuntimeConfig& r) {
  ThreadPlan plan{name, r.cold_core, Scheduling::batch, 0, {}};
  for (const int core : {r.io_core, r.core_core, r.order_core}) {
    if (core >= 0) plan.avoid.push_back(core);
  }
  return plan;
}

}  // namespace gimbal
