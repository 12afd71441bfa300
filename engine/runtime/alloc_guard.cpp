// The malloc family and mmap, counted per armed thread and passed on to glibc. Compiled to nothing
// but the query functions under a sanitizer, which interposes malloc itself.
#include "engine/runtime/alloc_guard.hpp"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define GIMBAL_COUNTS_MALLOC 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
#define GIMBAL_COUNTS_MALLOC 0
#else
#define GIMBAL_COUNTS_MALLOC 1
#endif
#else
#define GIMBAL_COUNTS_MALLOC 1
#endif

namespace gimbal {
namespace {

// Initial-exec: reading it never allocates, even inside malloc.
struct ThreadCounts {
  bool armed{false};
  AllocCounts counts{};
};
__attribute__((tls_model("initial-exec"))) thread_local ThreadCounts mine;
std::atomic<std::uint64_t> total_allocations{0};
std::atomic<std::uint64_t> total_frees{0};
std::atomic<std::uint64_t> total_maps{0};

#if GIMBAL_COUNTS_MALLOC
void note_allocation() noexcept {
  if (!mine.armed) return;
  ++mine.counts.allocations;
  total_allocations.fetch_add(1, std::memory_order_relaxed);
}
void note_free() noexcept {
  if (!mine.armed) return;
  ++mine.counts.frees;
  total_frees.fetch_add(1, std::memory_order_relaxed);
}
void note_map() noexcept {
  if (!mine.armed) return;
  ++mine.counts.maps;
  total_maps.fetch_add(1, std::memory_order_relaxed);
}
#endif

}  // namespace

bool alloc_guard_active() noexcept { return GIMBAL_COUNTS_MALLOC != 0; }
void arm_alloc_guard() noexcept {
  mine.counts = {};
  mine.armed = true;
}
void disarm_alloc_guard() noexcept { mine.armed = false; }
AllocCounts thread_alloc_counts() noexcept { return mine.counts; }
AllocCounts total_alloc_counts() noexcept {
  return {total_allocations.load(std::memory_order_relaxed),
          total_frees.load(std::memory_order_relaxed), total_maps.load(std::memory_order_relaxed)};
}

}  // namespace gimbal

#if GIMBAL_COUNTS_MALLOC
extern "C" {

void* __libc_malloc(std::size_t bytes);
void* __libc_calloc(std::size_t count, std::size_t bytes);
void* __libc_realloc(void* old, std::size_t bytes);
void* __libc_memalign(std::size_t alignment, std::size_t bytes);
void __libc_free(void* memory);

void* malloc(std::size_t bytes) {
  gimbal::note_allocation();
  return __libc_malloc(bytes);
}
void* calloc(std::size_t count, std::size_t bytes) {
  gimbal::note_allocation();
  return __libc_calloc(count, bytes);
}
void* realloc(void* old, std::size_t bytes) {
  gimbal::note_allocation();
  return __libc_realloc(old, bytes);
}
void* memalign(std::size_t alignment, std::size_t bytes) {
  gimbal::note_allocation();
  return __libc_memalign(alignment, bytes);
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
  gimbal::note_allocation();
  return __libc_memalign(alignment, bytes);
}
int posix_memalign(void** out, std::size_t alignment, std::size_t bytes) {
  gimbal::note_allocation();
  if (alignment < sizeof(void*) || (alignment & (alignment - 1)) != 0) return EINVAL;
  void* memory = __libc_memalign(alignment, bytes);
  if (memory == nullptr) return ENOMEM;
  *out = memory;
  return 0;
}
void free(void* memory) {
  if (memory != nullptr) gimbal::note_free();
  __libc_free(memory);
}
void* mmap(void* address, std::size_t bytes, int protection, int flags, int fd, off_t offset) {
  gimbal::note_map();
  return reinterpret_cast<void*>(syscall(SYS_mmap, address, bytes, protection, flags, fd, offset));
}
int munmap(void* address, std::size_t bytes) {
  gimbal::note_map();
  return static_cast<int>(syscall(SYS_munmap, address, bytes));
}

}  // extern "C"
#endif
