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

}  // namespace gimbal
