// Trips between the moment that they are made and the end of a step that has room for them, and
// which were raised lately: a control that trips on every tick is told once a second.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/core/trip.hpp"

namespace gimbal {

class TripQueue {
 public:
  static constexpr std::size_t kept_max = 64;
  static constexpr Nanos repeat_after{1'000'000'000};

  // Whether the same trip (code, scope, mode, strategy, instrument) was noted within the last
  // second; notes it if not.
  [[nodiscard]] bool repeated(const Trip& t) noexcept {
    for (const Trip& r : recent_) {
      if (r.code == t.code && r.scope == t.scope && r.mode == t.mode && r.strategy == t.strategy &&
          r.instrument == t.instrument && t.at - r.at < repeat_after) {
        return true;
      }
    }
    recent_[next_] = t;
    next_ = (next_ + 1) % kept_max;
    return false;
  }
  // False when full: the trip is not kept.
  [[nodiscard]] bool put(const Trip& t) noexcept {
    if (count_ == kept_max) return false;
    waiting_[(first_ + count_++) % kept_max] = t;
    return true;
  }
  // The newest waiting trip gives its place to `t`.
  void replace_newest(const Trip& t) noexcept { waiting_[(first_ + count_ - 1) % kept_max] = t; }
  [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
  [[nodiscard]] const Trip& oldest() const noexcept { return waiting_[first_]; }
  void pop() noexcept {
    first_ = (first_ + 1) % kept_max;
    --count_;
  }

 private:
  std::array<Trip, kept_max> waiting_{};
  std::array<Trip, kept_max> recent_{};
  std::size_t first_{0};
  std::size_t count_{0};
  std::size_t next_{0};
};

}  // namespace gimbal
