// The processor's time stamp counter. By the compilers' builtins: <x86intrin.h> brings 60,000 lines
// of vector intrinsics into every file of the hot path. Room: engine/runtime.
#pragma once

#include <cstdint>

namespace gimbal {

// Cycles since the processor's reset; not serialising, as the stamps want it.
[[nodiscard]] inline std::uint64_t read_tsc() noexcept { return __builtin_ia32_rdtsc(); }

inline void spin_pause() noexcept { __builtin_ia32_pause(); }

}  // namespace gimbal
