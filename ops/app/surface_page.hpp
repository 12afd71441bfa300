// A fitted chain as one HTML page: what became of each expiry, and its curve. Room: ops/app. Cold.
#pragma once

#include <string>
#include <vector>

#include "ops/app/surface_csv.hpp"

namespace gimbal {

// `with_quotes`: the middles of the quotes too, as dots. The page needs no network and no script.
[[nodiscard]] std::string surface_page(const std::string& title,
                                       const std::vector<SurfaceExpiry>& expiries,
                                       bool with_quotes);

}  // namespace gimbal
