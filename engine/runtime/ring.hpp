// Hot. Bounded single-producer single-consumer ring; the memory is taken at construction and no
// call blocks, allocates or makes a system call. Elements need a default constructor and move
// assignment.
//
// A unit (several records that belong together) is published by one release store: the consumer
// sees all of it or nothing. Each side caches the other's index, so an uncontended push or pop
// touches one shared cache line only when the cached index runs out.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <type_traits>
#include <utility>

#include "engine/core/bring_near.hpp"

namespace gimbal {

// Two cache lines: the adjacent-line prefetcher would couple neighbours otherwise.
inline constexpr std::size_t ring_line_bytes = 128;

template <class T>
class SpscRing {
 public:
  // `capacity` is rounded up to a power of two.
  explicit SpscRing(std::size_t capacity)
      : mask_{std::bit_ceil(capacity < 2 ? std::size_t{2} : capacity) - 1},
        slots_{std::make_unique<T[]>(mask_ + 1)} {}
  SpscRing(const SpscRing&) = delete;
  SpscRing& operator=(const SpscRing&) = delete;

  // --- producer ---------------------------------------------------------------------------------
  // False when full; then `item` is untouched.
  template <class U>
  [[nodiscard]] bool push(U&& item) noexcept {
    const std::size_t tail = tail_.load(std::memory_order_relaxed);
    if (!room_for(tail, 1)) return false;
    slots_[tail & mask_] = std::forward<U>(item);
    tail_.store(tail + 1, std::memory_order_release);
    return true;
  }
  // All `count` records with one publication, or false and none: when they do not fit, or when
  // fewer than `keep` slots would stay free.
  [[nodiscard]] bool push_unit(const T* items, std::size_t count, std::size_t keep = 0) noexcept
      requires std::is_trivially_copyable_v<T> {
    const std::size_t tail = tail_.load(std::memory_order_relaxed);
    if (!room_for(tail, count + keep)) return false;
    for (std::size_t i = 0; i < count; ++i) slots_[(tail + i) & mask_] = items[i];
    tail_.store(tail + count, std::memory_order_release);
    return true;
  }
  // Records that fit now, at least; re-reads the consumer's index.
  [[nodiscard]] std::size_t room() noexcept {
    cached_head_ = head_.load(std::memory_order_acquire);
    return capacity() - (tail_.load(std::memory_order_relaxed) - cached_head_);
  }

  // --- consumer ---------------------------------------------------------------------------------
  // The oldest record, or nullptr; valid until pop(). `ahead` looks further without taking.
  [[nodiscard]] T* peek(std::size_t ahead = 0) noexcept {
    const std::size_t head = head_.load(std::memory_order_relaxed);
    if (cached_tail_ - head <= ahead) {
      cached_tail_ = tail_.load(std::memory_order_acquire);
      if (cached_tail_ - head <= ahead) return nullptr;
    }
    return &slots_[(head + ahead) & mask_];
  }
  // Gives `count` peeked records back to the producer.
  void pop(std::size_t count = 1) noexcept {
    head_.store(head_.load(std::memory_order_relaxed) + count, std::memory_order_release);
  }
  [[nodiscard]] bool pop_into(T& out) noexcept {
    T* item = peek();
    if (item == nullptr) return false;
    out = std::move(*item);
    pop();
    return true;
  }
  // Calls `use(T&)` for at most `max` records that are there now; gives the count. The slots go
  // back to the producer in one store.
  template <class Use>
  std::size_t drain(Use&& use, std::size_t max) noexcept {
    std::size_t done = 0;
    while (done < max) {
      T* item = peek(done);
      if (item == nullptr) break;
      use(*item);
      ++done;
    }
    if (done != 0) pop(done);
    return done;
  }

  // --- either side, or a monitor: a snapshot ----------------------------------------------------
  [[nodiscard]] std::size_t size() const noexcept {
    const std::size_t head = head_.load(std::memory_order_acquire);
    const std::size_t tail = tail_.load(std::memory_order_acquire);
    return tail - head;
  }
  [[nodiscard]] bool empty() const noexcept { return size() == 0; }
  [[nodiscard]] std::size_t capacity() const noexcept { return mask_ + 1; }
  [[nodiscard]] bool over_half() const noexcept { return size() > capacity() / 2; }

  // Where the next four records go: bring_near.hpp. Producer.
  void look_over() const noexcept {
    constexpr std::size_t ahead = 4;
    const std::size_t tail = tail_.load(std::memory_order_relaxed);
    for (std::size_t n = 0; n < ahead; ++n) bring_near(slots_[(tail + n) & mask_]);
  }

 private:
  bool room_for(std::size_t tail, std::size_t count) noexcept {
    if (capacity() - (tail - cached_head_) >= count) return true;
    cached_head_ = head_.load(std::memory_order_acquire);
    return capacity() - (tail - cached_head_) >= count;
  }

  const std::size_t mask_;
  const std::unique_ptr<T[]> slots_;
  alignas(ring_line_bytes) std::atomic<std::size_t> tail_{0};
  std::size_t cached_head_{0};  // producer's
  alignas(ring_line_bytes) std::atomic<std::size_t> head_{0};
  std::size_t cached_tail_{0};  // consumer's
};

// Several cold producers into one hot consumer. Producers queue on a mutex among themselves (cold
// threads may wait); the consumer reads the inner ring and never touches the lock, so a descheduled
// producer cannot delay it.
template <class T>
class SharedRing {
 public:
  explicit SharedRing(std::size_t capacity) : ring_{capacity} {}

  template <class U>
  [[nodiscard]] bool push(U&& item) {
    const std::lock_guard lock{producers_};
    return ring_.push(std::forward<U>(item));
  }
  [[nodiscard]] bool push_unit(const T* items, std::size_t count) {
    const std::lock_guard lock{producers_};
    return ring_.push_unit(items, count);
  }
  // The consumer's side.
  [[nodiscard]] SpscRing<T>& out() noexcept { return ring_; }

 private:
  std::mutex producers_;
  SpscRing<T> ring_;
};

}  // namespace gimbal
