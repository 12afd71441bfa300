// `gimbal run`: the bot. Starts in HALT; only `gimbalctl arm` lets it trade. Room: ops/app.
#include <csignal>
#include <cstdio>
#include <fstream>
#include <memory>
#include <sstream>

#include "ops/app/bot.hpp"
#include "ops/app/commands.hpp"
#include "ops/app/desk.hpp"
#include "ops/cli/command_line.hpp"

namespace gimbal {
namespace {

struct RunArguments {
  std::string config;
  double duration_s{0};
  bool quiet{false};
  std::string report;
};

void on_signal(int number) { stop_signal.store(number, std::memory_order_release); }

void take_signals() {
  struct sigaction action {};
  action.sa_handler = &on_signal;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

int run_bot(const RunArguments& arguments) {
  std::vector<ConfigProblem> problems;
  std::unique_ptr<LoadedConfig> loaded = load_config(arguments.config, problems);
  for (const ConfigProblem& p : problems) std::fprintf(stderr, "%s\n", to_text(p).c_str());
  if (loaded == nullptr) return exit_usage;
  std::ifstream file{arguments.config, std::ios::binary};
  std::stringstream text;
  text << file.rdbuf();

  BotOptions options;
  options.live_line = !arguments.quiet;
  options.duration = Nanos{static_cast<std::int64_t>(arguments.duration_s * 1e9)};
  options.report_file = arguments.report;
  take_signals();
  const auto bot = std::make_unique<Bot>(std::move(loaded), text.str(), std::move(options));
  if (const std::string error = bot->build(); !error.empty()) {
    std::fprintf(stderr, "gimbal run: %s\n", error.c_str());
    return exit_failed;
  }
  return bot->run();
}

}  // namespace

void add_run(cli::Command app, int& exit_code) {
  auto arguments = std::make_shared<RunArguments>();
  cli::Command run =
      app.add_subcommand("run", "Run the bot; it starts in HALT until gimbalctl arms it");
  run.add_option("-c,--config", arguments->config, "Config file (TOML); see `gimbal check`")
      .required();
  run.add_option("--duration", arguments->duration_s,
                 "Stop by itself after this many seconds (0: run until a signal)")
      .range(0.0, 1e9);
  run.add_option("--report", arguments->report, "Write the closing report to this file as JSON");
  run.add_flag("--quiet", arguments->quiet,
               "No live line and no closing report on standard output");
  run.footer(
      "SIGTERM and SIGINT cancel every order, confirm that none rests, and exit.\n"
      "Exit codes: 0 confirmed, 1 failed, 2 bad usage or config, 5 not confirmed.");
  run.callback([arguments, &exit_code] { exit_code = run_bot(*arguments); });
}

}  // namespace gimbal
