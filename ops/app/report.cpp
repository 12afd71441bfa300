// `gimbal report`: a run, or all runs of a day, as one HTML page. Room: ops/app. Cold.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <memory>

#include "ops/app/commands.hpp"
#include "ops/app/core_replay.hpp"
#include "ops/app/journal_origin.hpp"
#include "ops/app/profit_text.hpp"
#include "ops/app/report_day.hpp"
#include "ops/app/report_page.hpp"
#include "ops/app/run_history.hpp"
#include "ops/cli/command_line.hpp"

namespace gimbal {
namespace {

struct ReportArguments {
  std::string path;
  std::string out;
  std::string day;
  std::uint32_t epoch{0};
  bool json{false};
};

int failed(const std::string& why, int code) {
  fmt::print(stderr, "gimbal report: {}\n", why);
  return code;
}

int write_page(const ReportArguments& arguments, const RunPicture& picture) {
  std::ofstream file{arguments.out, std::ios::binary};
  file << report_page(picture);
  file.close();
  if (!file) return failed("cannot write " + arguments.out, exit_failed);
  if (arguments.json) return exit_done;
  fmt::print("report {} ({}{} events, {} fills)\n", arguments.out,
             picture.day.empty() ? "" : fmt::format("{} boots, ", picture.boots.size()),
             picture.events(), picture.fills.size());
  return exit_done;
}

void print_json(const RunPicture& picture) {
  JsonWriter json;
  json.begin_object();
  const bool day = !picture.day.empty();
  if (day) {
    json.text("day", picture.day).begin_array("boots");
    for (const BootLine& b : picture.boots) {
      json.begin_object()
          .integer("epoch", b.boot.epoch)
          .integer("events", b.events)
          .boolean("replays", b.agrees())
          .number("seconds", b.to - b.from)
          .integer("fills", b.fills)
          .end_object();
    }
    json.end_array();
  } else {
    json.integer("epoch", picture.boots.front().boot.epoch);
  }
  json.integer("events", picture.events())
      .boolean("replays", picture.agrees())
      .number("seconds", picture.seconds)
      .integer("fills", picture.fills.size());
  write_profit(json, picture.profit, day ? "day" : "run", day ? "boots" : "days",
               day ? "boot" : "day");
  fmt::print("{}\n", json.end_object().take());
}

// Empty on success.
std::string read_run(const ReportArguments& arguments, RunPicture& out) {
  JournalSegments segments;
  if (Outcome o = JournalSegments::find(arguments.path, journal_stream, arguments.epoch, segments);
      !o) {
    return o.error();
  }
  JournalOrigin origin;
  read_origin(segments, origin);
  if (!origin.error.empty()) return arguments.path + ": " + origin.error;
  std::string error;
  CoreReplay core{origin, segments, ReplayOptions{}, false, error};
  if (!error.empty()) return arguments.path + ": " + error;
  RunHistory history{origin, core};
  while (core.next()) {}
  out = history.finish();
  return out.boots.empty() ? arguments.path + ": the journal has no events" : "";
}

int report(const ReportArguments& arguments) {
  if (arguments.out.empty() && !arguments.json) {
    return failed("give -o FILE for the page, --json for the numbers, or both", exit_usage);
  }
  RunPicture picture;
  const std::string error = arguments.day.empty()
                                ? read_run(arguments, picture)
                                : read_day(arguments.path, arguments.day, picture);
  if (!error.empty()) return failed(error, exit_usage);
  if (!arguments.out.empty()) {
    const int written = write_page(arguments, picture);
    if (written != exit_done) return written;
  }
  if (arguments.json) print_json(picture);
  if (picture.agrees()) return exit_done;
  const auto bad = std::find_if_not(picture.boots.begin(), picture.boots.end(),
                                    [](const BootLine& b) { return b.agrees(); });
  return failed(fmt::format("the journal of boot {} is damaged or replays differently: {}",
                            bad->boot.epoch, bad->error),
                exit_failed);
}

}  // namespace

void add_report(cli::Command app, int& exit_code) {
  auto arguments = std::make_shared<ReportArguments>();
  cli::Command command = app.add_subcommand(
      "report", "Write a run's journal, or a day of them, as one HTML page with plots");
  command.add_option("journal", arguments->path, "Journal directory, or one segment file")
      .required();
  command.add_option("-o,--output", arguments->out, "The page to write");
  command.add_flag("--json", arguments->json, "Print the explained P&L as JSON");
  cli::Option epoch =
      command.add_option("--epoch", arguments->epoch, "Boot epoch (default: the newest)");
  command
      .add_option("--day", arguments->day,
                  "All boots of this trading day (YYYY-MM-DD) on one page, in place of one run")
      .excludes(epoch);
  command.footer(
      "P&L and its explanation, delta against the band, fills and execution gaps, latencies,\n"
      "limits, stops. The page needs no network and no script. A trading day begins at [risk]\n"
      "day_start after midnight UTC, on the venue's clock; sums are over its boots, and where\n"
      "none ran the plots are shaded.\n"
      "Exit codes: 0 written, 1 not written, or the journal differs or is damaged, 2 unreadable,\n"
      "or no records of that day.");
  command.callback([arguments, &exit_code] { exit_code = report(*arguments); });
}

}  // namespace gimbal
