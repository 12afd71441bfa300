// Questions for scenario rows that are on their way: how many, and of when each is. Room:
// engine/core, hot.
//
// An answer names the moment of its question. One that is lost keeps its place until it is as old
// as `wait`, whatever else is answered meanwhile.
#pragma once

#include <array>
#include <cstddef>

#include "engine/core/time.hpp"

namespace gimbal {

class RowsAsked {
 public:
  static constexpr std::size_t most = 32;  // questions

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool full() const noexcept { return size_ == most; }
  // Not when it is full.
  void ask(RecvTime now) noexcept { at_[size_++] = now; }
  void answer(RecvTime asked) noexcept {
    for (std::size_t n = 0; n < size_; ++n) {
      if (at_[n] == asked) return drop(n);
    }
  }
  void forget(RecvTime now, Nanos wait) noexcept {
    for (std::size_t n = size_; n > 0; --n) {
      if (now - at_[n - 1] >= wait) drop(n - 1);
    }
  }

 private:
  void drop(std::size_t n) noexcept { at_[n] = at_[--size_]; }

  std::array<RecvTime, most> at_{};  // in no order
  std::size_t size_{0};
};

}  // namespace gimbal
