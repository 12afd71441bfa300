// Where a journal goes on: behind the last record that was handed to the kernel.
#pragma once

#include <cstdint>

namespace gimbal {

struct JournalPlace {
  std::uint32_t segment{0};
  std::uint64_t offset{0};  // in the segment, unpacked; 0: not known

  [[nodiscard]] constexpr bool known() const noexcept { return offset != 0; }
  constexpr bool operator==(const JournalPlace&) const noexcept = default;
};

}  // namespace gimbal
