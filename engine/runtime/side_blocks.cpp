#include "engine/runtime/side_blocks.hpp"

#include <cstring>

#include "engine/runtime/crc32c.hpp"

namespace gimbal {
namespace {

constexpr std::uint64_t holder_mask = 0xFFFFFFFFu;
constexpr std::uint32_t generation_of(std::uint64_t state) noexcept {
  return static_cast<std::uint32_t>(state >> 32);
}

}  // namespace

SideBlockPool::SideBlockPool(std::size_t slots, std::size_t slot_bytes)
    : slots_{slots < 65535 ? slots : 65535},
      slot_bytes_{slot_bytes},
      head_{std::make_unique<Slot[]>(slots_)},
      memory_{std::make_unique<std::byte[]>(slots_ * slot_bytes)} {}

SideBlockRef SideBlockPool::publish(SideBlockKind kind, std::span<const std::byte> bytes,
                                    std::uint32_t holders) noexcept {
  const std::lock_guard lock{writers_};
  if (bytes.size() > slot_bytes_ || kind == SideBlockKind::none || holders == 0) {
    refused_.fetch_add(1, std::memory_order_relaxed);
    return {};
  }
  for (std::size_t tried = 0; tried < slots_; ++tried) {
    const std::size_t i = next_;
    next_ = (next_ + 1) % slots_;
    Slot& slot = head_[i];
    const std::uint64_t state = slot.state.load(std::memory_order_acquire);
    if ((state & holder_mask) != 0) continue;
    const std::uint32_t generation = generation_of(state) + 1;
    if (!bytes.empty()) std::memcpy(memory_.get() + i * slot_bytes_, bytes.data(), bytes.size());
    slot.kind = kind;
    slot.bytes = static_cast<std::uint32_t>(bytes.size());
    slot.crc = crc32c(bytes.data(), bytes.size());
    slot.state.store((static_cast<std::uint64_t>(generation) << 32) | holders,
                     std::memory_order_release);
    SideBlockRef ref;
    ref.kind = kind;
    ref.slot = static_cast<std::uint16_t>(i);
    ref.generation = generation;
    ref.bytes = slot.bytes;
    ref.crc32c = slot.crc;
    return ref;
  }
  refused_.fetch_add(1, std::memory_order_relaxed);
  return {};
}

std::span<const std::byte> SideBlockPool::peek(const SideBlockRef& ref) const noexcept {
  if (ref.slot >= slots_ || ref.kind == SideBlockKind::none) return {};
  const Slot& slot = head_[ref.slot];
  const std::uint64_t state = slot.state.load(std::memory_order_acquire);
  if (generation_of(state) != ref.generation || (state & holder_mask) == 0) return {};
  if (slot.kind != ref.kind || slot.bytes != ref.bytes || slot.crc != ref.crc32c) return {};
  return {memory_.get() + ref.slot * slot_bytes_, slot.bytes};
}

std::span<const std::byte> SideBlockPool::find(const void* pool, std::uint16_t slot,
                                               std::uint32_t generation) noexcept {
  const auto& self = *static_cast<const SideBlockPool*>(pool);
  if (slot >= self.slots_) return {};
  const std::uint64_t state = self.head_[slot].state.load(std::memory_order_acquire);
  if (generation_of(state) != generation || (state & holder_mask) == 0) return {};
  return {self.memory_.get() + slot * self.slot_bytes_, self.head_[slot].bytes};
}

std::span<const std::byte> SideBlockPool::read(const SideBlockRef& ref) const noexcept {
  const std::span<const std::byte> bytes = peek(ref);
  if (bytes.data() == nullptr || crc32c(bytes.data(), bytes.size()) != ref.crc32c) return {};
  return bytes;
}

void SideBlockPool::release(const SideBlockRef& ref) noexcept {
  if (ref.slot >= slots_) return;
  std::atomic<std::uint64_t>& word = head_[ref.slot].state;
  std::uint64_t state = word.load(std::memory_order_acquire);
  while (generation_of(state) == ref.generation && (state & holder_mask) != 0) {
    if (word.compare_exchange_weak(state, state - 1, std::memory_order_acq_rel)) return;
  }
}

std::size_t SideBlockPool::in_use() const noexcept {
  std::size_t used = 0;
  for (std::size_t i = 0; i < slots_; ++i) {
    if ((head_[i].state.load(std::memory_order_acquire) & holder_mask) != 0) ++used;
  }
  return used;
}

SideBlockRef side_block_of(const Event& event) noexcept {
  switch (event.kind()) {
    case EventKind::side_block:
    case EventKind::config_change: return event.as<SideBlockRef>();
    case EventKind::instrument_change: {
      const auto change = event.as<InstrumentChange>();
      if (change.change != InstrumentChangeKind::adopt) return {};
      SideBlockRef ref;
      ref.kind = SideBlockKind::instrument;
      ref.slot = change.slot;
      ref.generation = change.generation;
      ref.bytes = change.bytes;
      ref.crc32c = change.crc32c;
      return ref;
    }
    default: return {};
  }
}

}  // namespace gimbal
