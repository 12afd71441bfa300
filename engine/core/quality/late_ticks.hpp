// how many ticks of a venue were older than their budget within the last window, of how many.
// Sixteen steps: a tick counts for at least 15/16 of the window and never for longer than it.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/core/time.hpp"

namespace gimbal {

class LateTicks {
 public:
  static constexpr std::size_t steps = 16;
  struct Tally {
    std::int64_t ticks{0};
    std::int64_t late{0};
    std::uint32_t worst_ns{0};  // age of the oldest late one
  };

  // `late_ns`: age of the tick if it was late, else 0. Times do not go back.
  void note(RecvTime now, std::uint32_t late_ns, Nanos window) noexcept {
    if (now >= end_) advance(now, window);
    Tally& t = tallies_[at_];
    ++t.ticks;
    if (late_ns == 0) return;
    ++t.late;
    t.worst_ns = std::max(t.worst_ns, late_ns);
  }
  [[nodiscard]] Tally within() const noexcept {
    Tally sum;
    for (const Tally& t : tallies_) {
      sum.ticks += t.ticks;
      sum.late += t.late;
      sum.worst_ns = std::max(sum.worst_ns, t.worst_ns);
    }
    return sum;
  }
  void clear() noexcept { *this = LateTicks{}; }

  // Late and all in one number, for evidence: late in the high 32 bits. Both saturate.
  static constexpr std::int64_t packed(const Tally& t) noexcept {
    const std::int64_t late = std::min<std::int64_t>(t.late, INT32_MAX);
    const std::int64_t ticks = std::min<std::int64_t>(t.ticks, UINT32_MAX);
    return late << 32 | ticks;
  }

 private:
  void advance(RecvTime now, Nanos window) noexcept {
    const Nanos step{std::max<std::int64_t>(window.count / static_cast<std::int64_t>(steps), 1)};
    if (now - end_ >= window) {  // the first one, or nothing came for a window
      tallies_ = {};
      end_ = now + step;
      return;
    }
    while (now >= end_) {
      at_ = (at_ + 1) % steps;
      tallies_[at_] = {};
      end_ = end_ + step;
    }
  }

  std::array<Tally, steps> tallies_{};
  std::size_t at_{0};
  RecvTime end_{};  // of the step that counts now
};

}  // namespace gimbal
