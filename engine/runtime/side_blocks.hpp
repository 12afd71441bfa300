// Preallocated pool of immutable blocks for what does not fit 2-4 event records: config, instrument
// definition, volatility surface, margin grid, reconcile result, risk envelope.
//
// A writer (cold or warm thread) takes a free slot, fills it and publishes it; the reference
// travels to the core in an event. The slot returns to the pool when every holder let go: the
// journal after writing it, the core when it no longer reads it. Slot memory is fixed at
// construction; claiming takes a lock among writers only, reading and releasing are lock-free.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>

#include "engine/core/payload.hpp"

namespace gimbal {

class SideBlockPool {
 public:
  SideBlockPool(std::size_t slots, std::size_t slot_bytes);

  // --- writers: any cold or warm thread
  // ----------------------------------------------------------- Copies `bytes` into a free slot and
  // publishes it with `holders` references (default: the core and the journal). An empty kind in
  // the answer means that no slot was free or the block too big.
  [[nodiscard]] SideBlockRef publish(SideBlockKind kind, std::span<const std::byte> bytes,
                                     std::uint32_t holders = 2) noexcept;

  // --- readers
  // ------------------------------------------------------------------------------------ The
  // block's bytes; empty when slot, generation, kind, size or checksum do not match. Hot. Valid
  // until this reader's holder calls release().
  [[nodiscard]] std::span<const std::byte> read(const SideBlockRef& ref) const noexcept;
  // The same without recomputing the checksum (already done at adoption).
  [[nodiscard]] std::span<const std::byte> peek(const SideBlockRef& ref) const noexcept;
  // For a core that looks blocks up by slot and generation during a step; `pool` is a
  // SideBlockPool. Empty when that generation is gone.
  [[nodiscard]] static std::span<const std::byte> find(const void* pool, std::uint16_t slot,
                                                       std::uint32_t generation) noexcept;
  // One holder lets go; at zero the slot is free again. A stale reference is ignored.
  void release(const SideBlockRef& ref) noexcept;

  [[nodiscard]] std::size_t slots() const noexcept { return slots_; }
  [[nodiscard]] std::size_t slot_bytes() const noexcept { return slot_bytes_; }
  [[nodiscard]] std::size_t in_use() const noexcept;
  [[nodiscard]] std::uint64_t refused() const noexcept {
    return refused_.load(std::memory_order_relaxed);
  }

 private:
  struct alignas(64) Slot {
    // generation (32 bits) above the holder count (32 bits), so that a stale release cannot hit a
    // younger block.
    std::atomic<std::uint64_t> state{0};
    SideBlockKind kind{SideBlockKind::none};
    std::uint32_t bytes{0};
    std::uint32_t crc{0};
  };
  std::size_t slots_;
  std::size_t slot_bytes_;
  std::unique_ptr<Slot[]> head_;
  std::unique_ptr<std::byte[]> memory_;
  std::mutex writers_;
  std::size_t next_{0};
  std::atomic<std::uint64_t> refused_{0};
};

// The reference that an event carries: SideBlockRef itself, or the one inside an InstrumentChange
// of kind adopt. A kind of none means that the event names no block.
[[nodiscard]] SideBlockRef side_block_of(const Event& event) noexcept;

}  // namespace gimbal
