// A small journal as bytes in memory, to be read, damaged or written anew by a test.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/runtime/journal_files.hpp"

namespace gimbal::test {

// The segments of `path` as find_segments finds them.
inline Outcome load_segments(const std::string& path, const StreamName& stream, std::uint32_t epoch,
                             std::vector<std::vector<std::byte>>& segments) {
  segments.clear();
  std::vector<std::string> paths;
  if (Outcome found = find_segments(path, stream, epoch, paths); !found) return found;
  for (const std::string& file : paths) {
    if (Outcome read = read_segment(file, segments.emplace_back()); !read) return read;
  }
  return {};
}

inline Outcome load_journal(const std::string& path, std::vector<std::vector<std::byte>>& segments,
                            std::uint32_t epoch = 0) {
  return load_segments(path, journal_stream, epoch, segments);
}

}  // namespace gimbal::test
