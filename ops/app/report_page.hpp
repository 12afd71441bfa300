// A run, or a day of them, as one self-contained HTML page: no script, no network, light and dark.
// For `gimbal report`. Room: ops/app. Cold.
#pragma once

#include <string>

#include "ops/app/run_picture.hpp"

namespace gimbal {

// `picture` has at least one boot.
[[nodiscard]] std::string report_page(const RunPicture& picture);

}  // namespace gimbal
