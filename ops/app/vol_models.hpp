// The models behind a number, for people. Room: ops/app. Cold.
#pragma once

#include <string>

#include "engine/quant/surface/vol_surface.hpp"

namespace gimbal {

// "svi+venue"; "none" where nothing is priced.
inline std::string models_text(VolSources models) {
  std::string out;
  for (std::size_t n = 1; n < vol_sources; ++n) {
    const auto source = static_cast<VolSource>(n);
    if (!models.has(source)) continue;
    if (!out.empty()) out += '+';
    out += quant::to_string(source);
  }
  return out.empty() ? "none" : out;
}

}  // namespace gimbal
