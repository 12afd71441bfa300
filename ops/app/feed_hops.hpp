// The feed thread's part of a tick's way, for the core thread of the pipelined topology: when the
// packet was plain text and when its events were staged. Hot. Room: ops/app (wiring).
//
// A table by receive time, written over when it is old: neither side waits, and nothing fills up
// while no order goes out. What another packet has taken the place of is not found, and the hop
// `step` then holds all three. Frames of one read have one receive time: the newest stays.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "engine/core/time.hpp"

namespace gimbal {

class FeedHops {
 public:
  static constexpr std::size_t slots = 4096;  // packets on their way to the core
  struct Times {
    std::uint64_t decrypt{0};  // tsc
    std::uint64_t parse{0};    // tsc
  };

  // Feed thread, before the packet's events are pushed.
  void note(RecvTime recv, Times times) noexcept {
    Slot& s = at(recv);
    s.recv.store(0, std::memory_order_relaxed);
    s.decrypt.store(times.decrypt, std::memory_order_release);  // whoever sees it sees the zero
    s.parse.store(times.parse, std::memory_order_release);
    s.recv.store(recv.mono_ns, std::memory_order_release);
  }
  // Core thread.
  [[nodiscard]] std::optional<Times> of(RecvTime recv) const noexcept {
    const Slot& s = at(recv);
    if (recv.mono_ns == 0 || s.recv.load(std::memory_order_acquire) != recv.mono_ns) return {};
    const Times times{s.decrypt.load(std::memory_order_acquire),
                      s.parse.load(std::memory_order_acquire)};
    if (s.recv.load(std::memory_order_relaxed) != recv.mono_ns) return {};
    return times;
  }

 private:
  struct Slot {
    std::atomic<std::int64_t> recv{0};
    std::atomic<std::uint64_t> decrypt{0};
    std::atomic<std::uint64_t> parse{0};
  };
  static constexpr std::size_t index(RecvTime recv) noexcept {
    static_assert((slots & (slots - 1)) == 0);
    return (static_cast<std::uint64_t>(recv.mono_ns) * 0x9E3779B97F4A7C15U >> 32) & (slots - 1);
  }
  [[nodiscard]] Slot& at(RecvTime recv) noexcept { return table_[index(recv)]; }
  [[nodiscard]] const Slot& at(RecvTime recv) const noexcept { return table_[index(recv)]; }

  std::array<Slot, slots> table_{};
};

}  // namespace gimbal
