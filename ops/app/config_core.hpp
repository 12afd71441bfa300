// The tables whose structs live with the engine and the strategies. A strategy runs when its table
// is in the file.
#pragma once

#include "engine/core/risk/limits.hpp"

namespace gimbal {

struct CoreConfig {
  RiskLimits risk;
};

}  // namespace gimbal
