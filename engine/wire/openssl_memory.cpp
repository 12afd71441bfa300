#include "engine/wire/openssl_memory.hpp"

#include <openssl/crypto.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace gimbal {
namespace {

constexpr std::size_t small_max = 256;  // bytes; every kept block has this size
constexpr std::size_t kept_max = 64;
constexpr std::size_t kept_at_start = 32;

// In front of every block. A block may be freed on another thread than the one that made it.
struct alignas(std::max_align_t) Head {
  std::size_t size;
};

struct Kept {
  std::array<Head*, kept_max> blocks;
  std::size_t count;
  bool active;
};
constinit thread_local Kept kept{};

struct Emptying {
  ~Emptying() {
    kept.active = false;
    while (kept.count > 0) std::free(kept.blocks[--kept.count]);
  }
};

void* allocate(std::size_t size, const char* /*file*/, int /*line*/) {
  if (size == 0) return nullptr;
  Head* head = nullptr;
  if (size <= small_max) {
    size = small_max;
    if (kept.active && kept.count > 0) head = kept.blocks[--kept.count];
  }
  if (head == nullptr) {
    if (size > SIZE_MAX - sizeof(Head)) return nullptr;
    head = static_cast<Head*>(std::malloc(sizeof(Head) + size));
    if (head == nullptr) return nullptr;
    head->size = size;
  }
  return head + 1;
}

void release(void* block, const char* /*file*/, int /*line*/) {
  if (block == nullptr) return;
  Head* head = static_cast<Head*>(block) - 1;
  if (kept.active && head->size == small_max && kept.count < kept_max) {
    kept.blocks[kept.count++] = head;
  } else {
    std::free(head);
  }
}

void* resize(void* block, std::size_t size, const char* file, int line) {
  if (block == nullptr) return allocate(size, file, line);
  if (size == 0) {
    release(block, file, line);
    return nullptr;
  }
  const std::size_t before = (static_cast<Head*>(block) - 1)->size;
  if (size <= before) return block;
  void* made = allocate(size, file, line);
  if (made == nullptr) return nullptr;
  std::memcpy(made, block, before);
  release(block, file, line);
  return made;
}

// OpenSSL takes an allocator only before its own first allocation: before main().
const bool installed = CRYPTO_set_mem_functions(allocate, resize, release) == 1;

}  // namespace

bool openssl_memory_installed() noexcept { return installed; }

void keep_openssl_blocks() noexcept {
  if (!installed || kept.active) return;
  static thread_local Emptying at_thread_end;
  (void)at_thread_end;
  while (kept.count < kept_at_start) {
    auto* head = static_cast<Head*>(std::malloc(sizeof(Head) + small_max));
    if (head == nullptr) break;
    head->size = small_max;
    kept.blocks[kept.count++] = head;
  }
  kept.active = true;
}

}  // namespace gimbal
