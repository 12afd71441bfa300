// How long a strategy waits after requests that were refused or came to nothing. Room: strategies.
#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/core/time.hpp"

namespace gimbal {

// Nothing after none; `first` after one, doubled with every further one in a row, so that no
// request is repeated into a control that disables strategies (S-01).
constexpr Nanos doubled_pause(std::uint32_t in_row, Nanos first, Nanos most) noexcept {
  if (in_row == 0) return {};
  return std::min(first * (std::int64_t{1} << std::min(in_row - 1, 10U)), most);
}

// After refusals of the gate.
constexpr Nanos refusal_pause(std::uint32_t in_row) noexcept {
  return doubled_pause(in_row, milliseconds(100), seconds(5));
}

// Refusals in a row, by the count that the view keeps of them.
class RefusalRow {
 public:
  // What was asked for was refused, or it was not, or it is on its way: nobody has answered, and
  // the last gate's refusal comes back through a ring, some looks later. True: refused.
  bool look(std::uint64_t count, bool on_its_way) noexcept {
    const bool refused = count != seen_;
    if (refused) {
      ++in_row_;
    } else if (asked_ && !on_its_way) {
      in_row_ = 0;
    }
    asked_ = asked_ && on_its_way && !refused;
    seen_ = count;
    return refused;
  }
  void note_asked() noexcept { asked_ = true; }
  void forgive() noexcept { in_row_ = 0; }
  [[nodiscard]] std::uint32_t in_row() const noexcept { return in_row_; }
  [[nodiscard]] std::uint64_t seen() const noexcept { return seen_; }  // at the last look

 private:
  std::uint64_t seen_{0};
  std::uint32_t in_row_{0};
  bool asked_{false};  // and not known to have passed
};

}  // namespace gimbal
