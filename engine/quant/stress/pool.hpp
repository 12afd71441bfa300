// Splits work into fixed blocks over threads. Who does which block changes nothing in the result as
// long as a block writes its own places only. Room: engine/quant, cold; owns threads.
#pragma once

#include <cstddef>
#include <functional>

namespace gimbal::quant {

// Calls work(block) once for each block below `blocks`, from `threads` threads (at least 1; the
// caller is one of them). `progress(done)` is called on the caller's thread only, now and then and
// at the end.
void run_blocks(std::size_t blocks, std::size_t threads,
                const std::function<void(std::size_t)>& work,
                const std::function<void(std::size_t)>& progress);

// Cores this process may use, at least 1.
[[nodiscard]] std::size_t core_count() noexcept;

}  // namespace gimbal::quant
