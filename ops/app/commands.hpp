// The subcommands of `gimbal`. Each adds itself to the command line; its callback does the work and
// stores the exit code: 0 done, 1 failed, 2 bad usage or config, 3 refused by a control,
// 4 bot unreachable, 5 not confirmed.
#pragma once

#include "ops/cli/command_line.hpp"

namespace gimbal {

enum ExitCode : int {
  exit_done = 0,
  exit_failed = 1,
  exit_usage = 2,
  exit_refused = 3,
  exit_unreachable = 4,
  exit_unconfirmed = 5,
};

void add_run(cli::Command app, int& exit_code);
void add_check(cli::Command app, int& exit_code);
void add_doctor(cli::Command app, int& exit_code);
void add_decode(cli::Command app, int& exit_code);
void add_greeks(cli::Command app, int& exit_code);
void add_iv(cli::Command app, int& exit_code);
void add_margin(cli::Command app, int& exit_code);
void add_stress(cli::Command app, int& exit_code);
void add_replay(cli::Command app, int& exit_code);
void add_report(cli::Command app, int& exit_code);
void add_deltas(cli::Command app, int& exit_code);
void add_journal(cli::Command app, int& exit_code);

}  // namespace gimbal
