// The numbers of a tie_out trip as a sentence: currency, own cash, the venue's, fills.
// Room: ops/app. Cold.
#pragma once

#include <string>

#include "engine/core/trip.hpp"

namespace gimbal {

// Empty for any other trip.
[[nodiscard]] std::string tie_out_text(const Trip& trip);

}  // namespace gimbal
