// The subcommands of `gimbal`. Each adds itself to the command line; its callback does the work and
// stores the exit code: 0 done, 1 failed, 2 bad usage or config, 3 refused by a control,
// 4 bot unreachable, 5 not confirmed.
#pragma once

namespace CLI {
class App;
}

namespace gimbal {

enum ExitCode : int {
  exit_done = 0,
  exit_failed = 1,
  exit_usage = 2,
  exit_refused = 3,
  exit_unreachable = 4,
  exit_unconfirmed = 5,
};

void add_run(CLI::App& app, int& exit_code);
void add_check(CLI::App& app, int& exit_code);
void add_doctor(CLI::App& app, int& exit_code);
void add_decode(CLI::App& app, int& exit_code);
void add_greeks(CLI::App& app, int& exit_code);
void add_iv(CLI::App& app, int& exit_code);
void add_margin(CLI::App& app, int& exit_code);
void add_stress(CLI::App& app, int& exit_code);
void add_replay(CLI::App& app, int& exit_code);
void add_report(CLI::App& app, int& exit_code);
void add_journal(CLI::App& app, int& exit_code);

}  // namespace gimbal
