// `gimbalctl flatten`: plan, question, job, proof.
#pragma once

#include <cstdint>
#include <string>

namespace gimbal::ctl {

struct FlattenOptions {
  std::string socket;
  std::string scope{"global"};
  std::string max_loss;  // USD
  std::string reason;
  bool options{false};
  bool hedge_only{false};
  bool stop{false};
  bool yes{false};
  bool json{false};
  std::int64_t wait_ms{60'000};
};

// An ExitCode: 0 flat (or the job was stopped), 2 usage, 3 refused, 4 unreachable, 5 not flat.
int flatten(const FlattenOptions& options);

}  // namespace gimbal::ctl
