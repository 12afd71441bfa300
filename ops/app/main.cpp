// `gimbal`: one program, one subcommand per task. Exit codes: see commands.hpp.
#include <cstdio>
#include <exception>
#include <new>
#include <string>

#include "ops/app/commands.hpp"
#include "ops/app/hash.hpp"
#include "ops/cli/command_line.hpp"

namespace {

std::string version_text() {
  return std::string{"gimbal "} + GIMBAL_VERSION + "\nbuild " +
         gimbal::to_hex(gimbal::build_hash()) + "\ncompiler " + __VERSION__;
}

void add_commands(gimbal::cli::Command app, int& exit_code) {
  gimbal::add_run(app, exit_code);
  gimbal::add_check(app, exit_code);
  gimbal::add_doctor(app, exit_code);
  gimbal::add_decode(app, exit_code);
  gimbal::add_greeks(app, exit_code);
  gimbal::add_iv(app, exit_code);
  gimbal::add_margin(app, exit_code);
  gimbal::add_stress(app, exit_code);
  gimbal::add_replay(app, exit_code);
  gimbal::add_report(app, exit_code);
  gimbal::add_deltas(app, exit_code);
  gimbal::add_journal(app, exit_code);
}

}  // namespace

int main(int argc, char** argv) {
  int exit_code = gimbal::exit_done;
  gimbal::cli::CommandLine line{
      "gimbal: low-latency execution and hedging for crypto-derivatives books", "gimbal"};
  line.require_subcommand(1, 1);
  line.version_flag(version_text());
  add_commands(line, exit_code);
  try {
    return line.parse(argc, argv).value_or(exit_code);
  } catch (const std::bad_alloc&) {
    std::fputs("gimbal: out of memory\n", stderr);
    return gimbal::exit_failed;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "gimbal: %s\n", error.what());
    return gimbal::exit_failed;
  }
}
