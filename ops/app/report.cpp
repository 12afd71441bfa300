// `gimbal report`: a run's journal as one HTML page. Room: ops/app. Cold.
#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <memory>

#include "ops/app/commands.hpp"
#include "ops/app/core_replay.hpp"
#include "ops/app/journal_origin.hpp"
#include "ops/app/report_page.hpp"
#include "ops/app/run_history.hpp"
#include "ops/cli/command_line.hpp"

namespace gimbal {
namespace {

struct ReportArguments {
  std::string path;
  std::string out;
  std::uint32_t epoch{0};
};

int failed(const std::string& why, int code) {
  fmt::print(stderr, "gimbal report: {}\n", why);
  return code;
}

int report(const ReportArguments& arguments) {
  std::vector<std::vector<std::byte>> segments;
  if (Outcome o = JournalReader::load(arguments.path, segments, arguments.epoch); !o) {
    return failed(o.error(), exit_usage);
  }
  JournalOrigin origin;
  read_origin(spans_of(segments), origin);
  if (!origin.error.empty()) return failed(arguments.path + ": " + origin.error, exit_usage);
  std::string error;
  CoreReplay core{origin, spans_of(segments), ReplayOptions{}, false, error};
  if (!error.empty()) return failed(arguments.path + ": " + error, exit_usage);
  RunHistory history{origin, core};
  while (core.next()) {}
  history.finish();
  const ReplayResult result = core.result();
  std::ofstream file{arguments.out, std::ios::binary};
  file << report_page(origin, history, core.engine().core(), result);
  file.close();
  if (!file) return failed("cannot write " + arguments.out, exit_failed);
  fmt::print("report {} ({} events, {} fills)\n", arguments.out, result.events,
             history.fills.size());
  const bool agrees =
      result.verdict == ReplayVerdict::same || result.verdict == ReplayVerdict::unchecked;
  if (!agrees)
    return failed("the journal is damaged or replays differently: " + result.error, exit_failed);
  return exit_done;
}

}  // namespace

void add_report(cli::Command app, int& exit_code) {
  auto arguments = std::make_shared<ReportArguments>();
  cli::Command command =
      app.add_subcommand("report", "Write a run's journal as one HTML page with plots");
  command.add_option("journal", arguments->path, "Journal directory, or one segment file")
      .required();
  command.add_option("-o,--output", arguments->out, "The page to write").required();
  command.add_option("--epoch", arguments->epoch, "Boot epoch (default: the newest)");
  command.footer(
      "P&L and its explanation, delta against the band, fills and execution gaps, latencies,\n"
      "limits, stops. The page needs no network and no script.\n"
      "Exit codes: 0 written, 1 not written, or the journal differs or is damaged, 2 unreadable.");
  command.callback([arguments, &exit_code] { exit_code = report(*arguments); });
}

}  // namespace gimbal
