// Which config an order was sent under, by its id: a reload starts a new block of order counters,
// so that every process that makes or reads an order's label finds the same tag. One writer (the
// bot's cold thread), any readers; lies in the shared gate page. Hot: `of`.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "engine/core/ids.hpp"

namespace gimbal {

class alignas(64) ConfigTags {
 public:
  static constexpr std::size_t kept_max = 62;              // reloads in one boot
  static constexpr std::uint32_t block_orders = 1u << 16;  // order counters of one block

  // The tag of the boot's config; forgets everything else.
  void start(std::uint32_t tag) noexcept {
    count_.store(0, std::memory_order_relaxed);
    boot_.store(tag, std::memory_order_release);
  }
  // Orders from counter `first` on carry `tag`. False when full or not ascending.
  bool add(std::uint32_t first, std::uint32_t tag) noexcept {
    const std::uint32_t n = count_.load(std::memory_order_relaxed);
    if (n == kept_max ||
        (n > 0 && first <= entries_[n - 1].first.load(std::memory_order_relaxed))) {
      return false;
    }
    entries_[n].first.store(first, std::memory_order_relaxed);
    entries_[n].tag.store(tag, std::memory_order_relaxed);
    count_.store(n + 1, std::memory_order_release);
    return true;
  }
  // Takes the last addition back: its reload was not adopted.
  void drop_last() noexcept {
    const std::uint32_t n = count_.load(std::memory_order_relaxed);
    if (n > 0) count_.store(n - 1, std::memory_order_release);
  }
  [[nodiscard]] std::uint32_t of(OrderId order) const noexcept {
    for (std::uint32_t n = count_.load(std::memory_order_acquire); n > 0; --n) {
      const Entry& e = entries_[n - 1];
      if (order.counter() >= e.first.load(std::memory_order_relaxed)) {
        return e.tag.load(std::memory_order_relaxed);
      }
    }
    return boot_.load(std::memory_order_acquire);
  }

 private:
  struct Entry {
    std::atomic<std::uint32_t> first{0};
    std::atomic<std::uint32_t> tag{0};
  };
  std::atomic<std::uint32_t> count_{0};
  std::atomic<std::uint32_t> boot_{0};
  std::array<Entry, kept_max> entries_{};
};
static_assert(sizeof(ConfigTags) == 512);

}  // namespace gimbal
