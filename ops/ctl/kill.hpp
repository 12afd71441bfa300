// `gimbalctl kill`: the stop page first, without asking anybody; then the bot. Room: ops/ctl.
#pragma once

#include <cstdint>
#include <string>

namespace gimbal::ctl {

struct KillOptions {
  std::string runtime_dir;
  std::string socket;
  std::string scope{"global"};
  std::string mode{"cancel"};
  std::string reason;
  std::int64_t wait_ms{2000};
  bool json{false};
};

// Prints what happened and gives the exit code: 0 confirmed, 2 wrong scope or mode, 3 refused,
// 4 bot unreachable (says whether the stop page was written), 5 not confirmed in time.
int kill(const KillOptions& options);

}  // namespace gimbal::ctl
