// What a test tells the shim in a bot's process to do with the journal's files (disk_shim.cpp): one
// page of a file that both have mapped.
#pragma once

#include <atomic>
#include <cstdint>

namespace gimbal::test {

// Where the file is; the shim reads it from the environment.
inline constexpr const char* disk_control_variable = "GIMBAL_TEST_DISK";
// Files are the journal's when this is in their path.
inline constexpr const char* journal_folder = "/journal/";

// The bytes of one file that a lying disk said it had, from the first to the last.
struct UnsafeBytes {
  char name[64];  // without its folder
  std::uint64_t from;
  std::uint64_t to;
};

struct DiskControl {
  std::atomic<std::uint32_t> write_ms;  // a write takes as much longer
  std::atomic<std::uint32_t> sync_ms;   // an fdatasync too
  std::atomic<int> write_error;         // errno of every write; 0: none
  std::atomic<int> sync_error;          // of every fdatasync
  std::atomic<std::uint32_t> lies;      // fdatasync says done and does nothing
  std::atomic<std::uint64_t> writes;    // calls so far
  std::atomic<std::uint64_t> syncs;
  std::atomic<std::uint32_t> files;  // of `unsafe` that are in use
  UnsafeBytes unsafe[32];
};
static_assert(sizeof(DiskControl) <= 4096);

}  // namespace gimbal::test
