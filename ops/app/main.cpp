// `gimbal`: one program, one subcommand per task. Exit codes: see commands.hpp.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <string>

#include "ops/app/commands.hpp"
#include "ops/app/hash.hpp"

namespace {

std::string version_text() {
  return std::string{"gimbal "} + GIMBAL_VERSION + "\nbuild " +
         gimbal::to_hex(gimbal::build_hash()) + "\ncompiler " + __VERSION__;
}

void add_commands(CLI::App& app, int& exit_code) {
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
  gimbal::add_journal(app, exit_code);
}

}  // namespace

int main(int argc, char** argv) {
  int exit_code = gimbal::exit_done;
  CLI::App app{"gimbal: low-latency execution and hedging for crypto-derivatives books"};
  app.name("gimbal");
  app.require_subcommand(1);
  app.set_version_flag("--version", version_text, "Version, build hash and compiler");
  add_commands(app, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::RequiredError& error) {
    const bool unknown = argc > 1 && argv[1][0] != '-' && app.get_subcommands().empty();
    if (!unknown) return app.exit(error) == 0 ? gimbal::exit_done : gimbal::exit_usage;
    std::fprintf(stderr, "gimbal: there is no command '%.60s'; gimbal --help lists them\n",
                 argv[1]);
    return gimbal::exit_usage;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? gimbal::exit_done : gimbal::exit_usage;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "gimbal: %s\n", error.what());
    return gimbal::exit_failed;
  }
  return exit_code;
}
