// Whoever closes the last gate without telling the desk counts it: an arm is refused when one of
// the counts has moved since it began. Room: ops/app (wiring). Cold.
#pragma once

#include <cstdint>
#include <string>

namespace gimbal {

struct ArmCounts {
  std::uint64_t stops{0};  // the stop page's requests
  std::uint64_t fires{0};  // of the guardian
  std::uint64_t halts{0};  // of the router
};

// Which one, for people; empty: none.
[[nodiscard]] std::string closed_since(const ArmCounts& began, const ArmCounts& now);

}  // namespace gimbal
