// Proof that hot threads do not allocate. Linking the object library gimbal_alloc_guard into an
// executable interposes the malloc family and mmap; a thread that called arm_alloc_guard() has
// every call counted from then on. Under a sanitizer, which owns malloc itself, nothing is
// interposed: alloc_guard_active() is false and every count stays zero.
#pragma once

#include <cstdint>

namespace gimbal {

struct AllocCounts {
  std::uint64_t allocations{0};  // malloc, calloc, realloc, posix_memalign, aligned_alloc, memalign
  std::uint64_t frees{0};
  std::uint64_t maps{0};  // mmap, munmap
};

// True when this binary's malloc is the counting one.
[[nodiscard]] bool alloc_guard_active() noexcept;
// Starts (or restarts at zero) and stops counting for the calling thread.
void arm_alloc_guard() noexcept;
void disarm_alloc_guard() noexcept;
// Of the calling thread since it armed.
[[nodiscard]] AllocCounts thread_alloc_counts() noexcept;
// Sum over all threads that ever armed; readable from anywhere.
[[nodiscard]] AllocCounts total_alloc_counts() noexcept;

}  // namespace gimbal
