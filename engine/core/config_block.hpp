// What a reload changes in the core: the side block of a config_change event. A block of the size
// of RiskLimits alone is the form of older journals: limits only.
#pragma once

#include <cstdint>
#include <type_traits>

#include "engine/core/risk/limits.hpp"

namespace gimbal {

struct ConfigBlock {
  RiskLimits limits{};
  std::uint64_t config_hash{0};  // of the new file: what arming asks for from now on
  std::uint32_t first_order{0};  // order counter at which the new tag begins (config_tags.hpp)
  std::uint32_t reserved{0};
};
static_assert(std::is_trivially_copyable_v<ConfigBlock>);

}  // namespace gimbal
