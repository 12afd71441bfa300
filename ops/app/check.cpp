// `gimbal check`: is this file a config gimbal would start with, and what does it then mean.
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "ops/app/commands.hpp"
#include "ops/app/config.hpp"
#include "ops/app/json_writer.hpp"
#include "ops/cli/command_line.hpp"

namespace gimbal {
namespace {

struct CheckOptions {
  std::string file{"ops/config/gimbal.toml"};
  bool json{false};
  bool quiet{false};
  bool hash{false};
  bool reference{false};
};

void print_problems(const std::vector<ConfigProblem>& problems, const CheckOptions& options) {
  if (options.json) {
    JsonWriter w;
    w.begin_object().text("file", options.file).boolean("valid", false).begin_array("problems");
    for (const auto& p : problems) {
      w.begin_object()
          .integer("line", p.place.line)
          .integer("column", p.place.column)
          .text("text", p.text);
      w.end_object();
    }
    std::printf("%s\n", w.end_array().end_object().take().c_str());
    return;
  }
  for (const auto& p : problems) std::fprintf(stderr, "%s\n", to_text(p).c_str());
  std::fprintf(stderr, "gimbal check: %zu problem%s in %s; nothing would be started\n",
               problems.size(), problems.size() == 1 ? "" : "s", options.file.c_str());
}

int check(const CheckOptions& options) {
  if (options.reference) {
    std::fputs(config_reference().c_str(), stdout);
    return exit_done;
  }
  std::vector<ConfigProblem> problems;
  const auto loaded = load_config(options.file, problems);
  if (!loaded) {
    print_problems(problems, options);
    return exit_usage;
  }
  if (options.hash) {
    std::printf("%s\n", loaded->hash_hex().c_str());
  } else if (options.json) {
    std::printf("%s\n", effective_json(*loaded).c_str());
  } else if (!options.quiet) {
    std::printf("# %s\n# config hash %s\n\n%s", options.file.c_str(), loaded->hash_hex().c_str(),
                effective_toml(loaded->config).c_str());
  }
  return exit_done;
}

}  // namespace

void add_check(cli::Command app, int& exit_code) {
  auto options = std::make_shared<CheckOptions>();
  auto command =
      app.add_subcommand("check", "Check a config file and print what it means, defaults included");
  command.add_option("file", options->file, "Config file").shows_default();
  command.add_flag("--json", options->json, "JSON output, problems included");
  command.add_flag("--quiet", options->quiet, "Print problems only");
  command.add_flag("--hash", options->hash, "Print the config hash only (what arm expects)");
  command.add_flag("--reference", options->reference, "Write the reference page of all keys");
  command.callback([options, &exit_code] { exit_code = check(*options); });
}

}  // namespace gimbal
