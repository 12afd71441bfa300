// The last times at which something happened, to say when too many of them fall within a window.
// Hot: fixed memory, O(1).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include "engine/core/time.hpp"

namespace gimbal {

template <std::size_t N>
class EventWindow {
 public:
  static constexpr std::size_t kept_max = N;

  // Notes one at `now`: true when it and the `max` - 1 before it lie within `window`, the ends
  // included. `max` is cut to 1 .. N.
  bool note(RecvTime now, std::int64_t max, Nanos window) noexcept {
    times_[next_] = now;
    next_ = (next_ + 1) % N;
    count_ = std::min(count_ + 1, N);
    const auto wanted =
        static_cast<std::size_t>(std::clamp<std::int64_t>(max, 1, static_cast<std::int64_t>(N)));
    if (count_ < wanted) return false;
    return now - times_[(next_ + N - wanted) % N] <= window;
  }
  void clear() noexcept { count_ = 0; }

 private:
  std::array<RecvTime, N> times_{};
  std::size_t next_{0};
  std::size_t count_{0};
};

}  // namespace gimbal
