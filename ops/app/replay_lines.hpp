// What `gimbal replay` found, as text and as JSON. Room: ops/app. Cold.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/runtime/replay.hpp"
#include "ops/app/frame_replay.hpp"
#include "ops/app/status.hpp"

namespace gimbal {

struct ReplayFindings {
  ReplayResult events{};
  bool with_frames{false};
  std::string without_frames{};  // why not, when there are none
  FrameReplayResult frames{};
  double elapsed_s{0};
  std::uint64_t bytes{0};                  // read, unpacked
  std::vector<ExecutionLine> execution{};  // of what was stepped
};

// `damaged` and `different` of either stream outrank `same`.
[[nodiscard]] ReplayVerdict verdict_of(const ReplayFindings& f);
[[nodiscard]] std::string replay_text(const ReplayFindings& f);
// One object, one line.
[[nodiscard]] std::string replay_json(const ReplayFindings& f);

}  // namespace gimbal
