// How many of something happened within the last minute, in steps of five seconds.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/core/time.hpp"

namespace gimbal {

class EventBudget {
 public:
  // Counts one; gives the number within the minute that ends now. Times do not go back.
  std::int64_t count(RecvTime now) noexcept {
    const std::int64_t slot = now.mono_ns / slot_ns;
    for (std::int64_t s = slot_ + 1; s <= slot && s <= slot_ + slots; ++s) {
      counts_[static_cast<std::size_t>(s % slots)] = 0;
    }
    if (slot > slot_) slot_ = slot;
    ++counts_[static_cast<std::size_t>(slot_ % slots)];
    std::int64_t sum = 0;
    for (const std::int64_t n : counts_) sum += n;
    return sum;
  }

 private:
  static constexpr std::int64_t slots = 12;
  static constexpr std::int64_t slot_ns = 5'000'000'000;
  std::array<std::int64_t, slots> counts_{};
  std::int64_t slot_{0};
};

}  // namespace gimbal
