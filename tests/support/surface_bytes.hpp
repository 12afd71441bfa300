// A surface block as bytes, for tests of its readers.
#pragma once

#include <cstring>
#include <vector>

#include "engine/core/surface_block.hpp"

namespace gimbal::test {

inline std::vector<std::byte> surface_bytes(SurfaceHead head, const std::vector<SurfaceRow>& rows) {
  head.rows = static_cast<std::uint32_t>(rows.size());
  std::vector<std::byte> out(sizeof head + rows.size() * sizeof(SurfaceRow));
  std::memcpy(out.data(), &head, sizeof head);
  if (!rows.empty()) {
    std::memcpy(out.data() + sizeof head, rows.data(), rows.size() * sizeof(SurfaceRow));
  }
  return out;
}

}  // namespace gimbal::test
