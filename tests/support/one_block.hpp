// A pool of side blocks that holds one: whichever slot and generation an event names, these bytes.
// For tests of what the core does with a block: `setup.blocks = {&store, &OneBlock::find}`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace gimbal::test {

struct OneBlock {
  std::vector<std::byte> bytes;
  static std::span<const std::byte> find(const void* self, std::uint16_t, std::uint32_t) noexcept {
    const auto& b = static_cast<const OneBlock*>(self)->bytes;
    return {b.data(), b.size()};
  }
};

}  // namespace gimbal::test
