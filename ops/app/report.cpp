// `gimbal report`: a run's journal as one HTML page. Room: ops/app. Cold.
#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <memory>

#include "ops/app/commands.hpp"
#include "ops/app/core_replay.hpp"
#include "ops/app/journal_origin.hpp"
#include "ops/app/profit_text.hpp"
#include "ops/app/report_page.hpp"
#include "ops/app/run_history.hpp"
#include "ops/cli/command_line.hpp"

namespace gimbal {
namespace {

struct ReportArguments {
  std::string path;
  std::string out;
  std::uint32_t epoch{0};
  bool json{false};
};

int failed(const std::string& why, int code) {
  fmt::print(stderr, "gimbal report: {}\n", why);
  return code;
}

int write_page(const ReportArguments& arguments, const JournalOrigin& origin,
               const RunHistory& history, const EngineCore& core, const ReplayResult& result) {
  std::ofstream file{arguments.out, std::ios::binary};
  file << report_page(origin, history, core, result);
  file.close();
  if (!file) return failed("cannot write " + arguments.out, exit_failed);
  if (arguments.json) return exit_done;
  fmt::print("report {} ({} events, {} fills)\n", arguments.out, result.events,
             history.fills.size());
  return exit_done;
}

void print_json(const RunHistory& history, const ReplayResult& result, bool agrees) {
  JsonWriter json;
  json.begin_object()
      .integer("epoch", result.boot.epoch)
      .integer("events", result.events)
      .boolean("replays", agrees)
      .number("seconds", history.seconds)
      .integer("fills", history.fills.size());
  write_profit(json, history.profit);
  fmt::print("{}\n", json.end_object().take());
}

int report(const ReportArguments& arguments) {
  if (arguments.out.empty() && !arguments.json) {
    return failed("give -o FILE for the page, --json for the numbers, or both", exit_usage);
  }
  JournalSegments segments;
  if (Outcome o = JournalSegments::find(arguments.path, journal_stream, arguments.epoch, segments);
      !o) {
    return failed(o.error(), exit_usage);
  }
  JournalOrigin origin;
  read_origin(segments, origin);
  if (!origin.error.empty()) return failed(arguments.path + ": " + origin.error, exit_usage);
  std::string error;
  CoreReplay core{origin, segments, ReplayOptions{}, false, error};
  if (!error.empty()) return failed(arguments.path + ": " + error, exit_usage);
  RunHistory history{origin, core};
  while (core.next()) {}
  history.finish();
  const ReplayResult result = core.result();
  const bool agrees =
      result.verdict == ReplayVerdict::same || result.verdict == ReplayVerdict::unchecked;
  if (!arguments.out.empty()) {
    const int written = write_page(arguments, origin, history, core.engine().core(), result);
    if (written != exit_done) return written;
  }
  if (arguments.json) print_json(history, result, agrees);
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
  command.add_option("-o,--output", arguments->out, "The page to write");
  command.add_flag("--json", arguments->json, "Print the explained P&L as JSON");
  command.add_option("--epoch", arguments->epoch, "Boot epoch (default: the newest)");
  command.footer(
      "P&L and its explanation, delta against the band, fills and execution gaps, latencies,\n"
      "limits, stops. The page needs no network and no script.\n"
      "Exit codes: 0 written, 1 not written, or the journal differs or is damaged, 2 unreadable.");
  command.callback([arguments, &exit_code] { exit_code = report(*arguments); });
}

}  // namespace gimbal
