// `gimbalctl stress`: what shocks would do to the book that the bot holds now.
//
// The bot's cold thread answers with the positions of its published snapshot; every repricing
// happens in this process. The bot's hot thread has no part in it. Room: ops/ctl.
#pragma once

#include <string>

namespace gimbal::ctl {

struct StressOptions {
  std::string socket;
  double sigma{0};     // volatility where option marks imply none; 0: not given
  double horizon{60};  // seconds that deleveraging takes
  std::string shocks;  // CSV file of a shock set; empty: none
  std::string margin;  // "MODEL=FILE" of margin parameters; empty: none
  bool json{false};
};

// Prints the report. An ExitCode: 0 done, 2 an input that cannot be used, 4 unreachable.
int stress(const StressOptions& options);

}  // namespace gimbal::ctl
