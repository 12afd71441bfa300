// `gimbal-guardian`: cancels when the bot dies or hangs, with its own key and connection.
#include <csignal>
#include <cstdio>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "ops/app/commands.hpp"
#include "ops/app/hash.hpp"
#include "ops/cli/command_line.hpp"
#include "ops/guardian/guardian.hpp"

namespace {

using gimbal::guardian::Guardian;
using gimbal::guardian::Post;

std::atomic<int> stop{0};
void on_signal(int number) { stop.store(number, std::memory_order_release); }

void take_signals() {
  struct sigaction action {};
  action.sa_handler = &on_signal;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

struct Arguments {
  std::string config;
  bool watch{false};
  bool json{false};
};

int start(const Arguments& arguments, bool check) {
  std::vector<gimbal::ConfigProblem> problems;
  auto loaded = gimbal::load_config(arguments.config, problems);
  for (const auto& p : problems) std::fprintf(stderr, "%s\n", gimbal::to_text(p).c_str());
  if (loaded == nullptr) return gimbal::exit_usage;
  take_signals();
  Guardian guardian{std::move(loaded), arguments.watch ? Post::off_host : Post::local,
                    check ? gimbal::guardian::Task::check : gimbal::guardian::Task::guard};
  if (const std::string error = guardian.build(); !error.empty()) {
    std::fprintf(stderr, "gimbal-guardian: %s\n", error.c_str());
    return gimbal::exit_failed;
  }
  return check ? guardian.check(arguments.json) : guardian.run(stop);
}

std::string version_text() {
  return std::string{"gimbal-guardian "} + GIMBAL_VERSION + "\nbuild " +
         gimbal::to_hex(gimbal::build_hash());
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  int exit_code = gimbal::exit_done;
  gimbal::cli::CommandLine line{
      "gimbal-guardian: watches the bot of a config file and cancels at the venue when it dies,\n"
      "hangs, or does not carry out a stop. Writes JSON lines; a fire ends with a proof, printed\n"
      "twice: when the venue first shows nothing open, and when nothing can arrive any more.",
      "gimbal-guardian"};
  line.version_flag(version_text());
  const auto add_config = [&arguments](gimbal::cli::Command to) {
    to.add_flag("--watch", arguments.watch,
                "On another host: listen for the bot's heartbeats ([guardian] off_host_listen)");
    return to.add_option("-c,--config", arguments.config, "The bot's config file (TOML)");
  };
  auto check = line.add_subcommand(
      "check", "Connect, log in, prove the right to cancel, count open orders; fires nothing");
  check.add_flag("--json", arguments.json, "JSON output");
  add_config(check).required();
  check.callback([&] { exit_code = start(arguments, true); });
  line.require_subcommand(0, 1);
  add_config(line);
  line.footer(
      "SIGTERM and SIGINT stop it; a fire that is under way is finished first.\n"
      "Exit codes: 0 done, 1 failed, 2 bad usage or config, 3 its key belongs to another account\n"
      "than the bot's, 5 the last fire is not confirmed.");
  try {
    if (const auto ended = line.parse(argc, argv)) return *ended;
    if (line.has_subcommand()) return exit_code;
    if (!arguments.config.empty()) return start(arguments, false);
    std::fputs("gimbal-guardian: --config is required; gimbal-guardian --help\n", stderr);
    return gimbal::exit_usage;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "gimbal-guardian: %s\n", error.what());
    return gimbal::exit_failed;
  }
}
