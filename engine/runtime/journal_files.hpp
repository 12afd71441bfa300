// The files of a journal directory: their names, reading them (compressed or not), packing closed
// ones and deleting old ones. Cold.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/core/time.hpp"
#include "engine/runtime/outcome.hpp"
#include "engine/runtime/segment_writer.hpp"

namespace gimbal {

struct SegmentFile {
  std::uint32_t epoch{0};
  std::uint32_t segment{0};
  bool packed{false};  // ".zst" behind the name
  std::string path{};
  std::uint64_t bytes{0};
  std::int64_t modified_unix_ns{0};
};

// Segments of one stream, oldest first. A directory that cannot be read has none.
[[nodiscard]] std::vector<SegmentFile> list_segments(const std::string& directory,
                                                     const StreamName& stream);

// One more than the newest boot that has a segment in the directory; 1 when there is none. For a
// state directory that lost its epoch file: a boot never takes the number of one before.
[[nodiscard]] std::uint32_t epoch_after(const std::string& directory);

// A packed segment may not unpack to more than this; a hostile file could fill the memory.
inline constexpr std::uint64_t unpacked_bytes_max = std::uint64_t{4} << 30;

// The bytes of one segment file, unpacked when it is packed.
Outcome read_segment(const std::string& path, std::vector<std::byte>& out);

// The files of the newest epoch (or of `epoch`) of a stream in a directory, in order; or, for a
// file, that one and those of the same boot that follow it.
Outcome find_segments(const std::string& path, const StreamName& stream, std::uint32_t epoch,
                      std::vector<std::string>& paths);

// Writes PATH.zst beside the segment, reads it back, compares, syncs, and removes the original.
// Interrupted at any point, one of the two files is whole.
Outcome pack_segment(const std::string& path);

struct RetentionConfig {
  Nanos keep{};                 // segments of earlier boots older than this go; 0: for ever
  std::uint64_t keep_bytes{0};  // the oldest go while all streams together are larger; 0: no limit
  bool pack{true};              // pack closed segments
};

struct RetentionResult {
  std::uint32_t packed{0};
  std::uint32_t deleted{0};
  std::uint64_t bytes_before{0};
  std::uint64_t bytes_after{0};
  std::vector<std::string> problems{};
};

// One pass over both streams of `directory`. Nothing of `epoch` (the running boot) is deleted, and
// of it only segments that have a successor are packed. Packing works on one segment a pass.
RetentionResult tidy_segments(const std::string& directory, std::uint32_t epoch,
                              const RetentionConfig& config, std::int64_t now_unix_ns);

}  // namespace gimbal
