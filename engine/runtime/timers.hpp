// Hot, one thread. The few timers that the core arms: a flat array in order of due time. Arming an
// id again moves it. Fired timers re-enter the core as journalled TimerFired events.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include "engine/core/command.hpp"
#include "engine/core/payload.hpp"
#include "engine/core/time.hpp"

namespace gimbal {

class TimerQueue {
 public:
  static constexpr std::size_t timers_max = 256;

  // False when timers_max other timers are armed.
  [[nodiscard]] bool arm(const ArmTimer& timer) noexcept {
    drop(timer.timer);
    if (size_ == timers_max) return false;
    std::size_t at = size_;
    while (at > 0 && at_[at - 1].due <= timer.due) {  // latest first: the next due is at the back
      at_[at] = at_[at - 1];
      --at;
    }
    at_[at] = timer;
    ++size_;
    return true;
  }
  // Takes the earliest timer that is due at `now`; equal times fire in the order they were armed.
  [[nodiscard]] bool pop_due(RecvTime now, TimerFired& out) noexcept {
    if (size_ == 0 || at_[size_ - 1].due > now) return false;
    --size_;
    out = TimerFired{};
    out.timer = at_[size_].timer;
    out.due = at_[size_].due;
    return true;
  }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  void drop(std::uint32_t timer) noexcept {
    for (std::size_t i = 0; i < size_; ++i) {
      if (at_[i].timer != timer) continue;
      std::move(at_.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                at_.begin() + static_cast<std::ptrdiff_t>(size_),
                at_.begin() + static_cast<std::ptrdiff_t>(i));
      --size_;
      return;
    }
  }
  std::array<ArmTimer, timers_max> at_{};
  std::size_t size_{0};
};

}  // namespace gimbal
