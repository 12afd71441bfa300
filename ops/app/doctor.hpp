// What the host offers, judged: ok, warn, fail, each with a fix. Room: ops/app. Cold path.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace gimbal {

enum class HostVerdict : std::uint8_t { ok, warn, fail };  // fail: gimbal cannot run here

struct Finding {
  std::string topic;  // "cpu flags"
  HostVerdict verdict{HostVerdict::ok};
  std::string found;
  std::string fix;  // what to do; empty when ok
};

// Reads /proc and /sys below `root` ("" in production; a directory in tests) and asks the kernel
// and the processor. Takes no privileges, changes nothing.
[[nodiscard]] std::vector<Finding> examine_host(const std::string& root = "");

// The processor features that the binary was built for and this host lacks, by name; empty when it
// can run. `gimbal run` refuses with this list.
[[nodiscard]] std::vector<std::string> missing_cpu_features();

// Empty when io_uring can be set up the way the poller needs; else why not.
[[nodiscard]] std::string uring_refusal();

}  // namespace gimbal
