// What a journal says about the bot that wrote it: its config and its instruments, from the side
// blocks at its start. Room: ops/app. Cold.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/runtime/journal_segments.hpp"
#include "ops/app/config.hpp"
#include "ops/app/universe.hpp"

namespace gimbal {

struct JournalOrigin {
  std::unique_ptr<LoadedConfig> loaded;
  Universe universe;
  std::string error;  // empty when both could be read
};

// Of the boot's first segment; an epoch of 0 when there is none.
[[nodiscard]] SegmentHeader first_header(const JournalSegments& segments, const StreamName& stream);

// Reads up to the first event that is neither Boot nor a side block.
void read_origin(const JournalSegments& segments, JournalOrigin& origin);

// Of a side block of instruments behind that: names of what was listed while running.
void learn_names(std::span<const std::byte> block, JournalOrigin& origin);

[[nodiscard]] inline std::vector<std::span<const std::byte>> spans_of(
    const std::vector<std::vector<std::byte>>& segments) {
  return {segments.begin(), segments.end()};
}

}  // namespace gimbal
