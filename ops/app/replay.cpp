// `gimbal replay`: runs a journal again, decoders and core, and compares everything that came out.
// Room: ops/app. Cold.
//
// The engine and the decoders are built from the journal alone: its config text and instrument
// tables are side blocks.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "engine/runtime/journal_files.hpp"
#include "engine/runtime/journal_segments.hpp"
#include "ops/app/commands.hpp"
#include "ops/app/core_ahead.hpp"
#include "ops/app/execution_lines.hpp"
#include "ops/app/frame_replay.hpp"
#include "ops/app/journal_origin.hpp"
#include "ops/app/order_story.hpp"
#include "ops/app/replay_lines.hpp"
#include "ops/app/what_if.hpp"
#include "ops/cli/command_line.hpp"

namespace gimbal {
namespace {

struct ReplayArguments {
  std::string path;
  std::uint32_t epoch{0};
  bool json{false};
  bool keep_going{false};
  bool frames{false};       // nothing else will do
  bool events_only{false};  // not even when they are there
  std::string explain;
  std::string what_if;
};

int failed(const std::string& why) {
  fmt::print(stderr, "gimbal replay: {}\n", why);
  return exit_usage;
}

ReplayOptions options_of(const ReplayArguments& arguments) {
  ReplayOptions options;
  options.stop_at_difference = !arguments.keep_going;
  return options;
}

using SteadyTime = std::chrono::steady_clock::time_point;

SteadyTime steady_now() { return std::chrono::steady_clock::now(); }

double seconds_since(SteadyTime begin) {
  return std::chrono::duration<double>(steady_now() - begin).count();
}

// A bot that dies while it creates the file leaves zeros.
bool begun(const JournalSegments& segments) {
  SegmentWindow window;
  if (!window.open(segments, 0)) return true;  // the reader says why not
  const auto header = window.at(0, sizeof(SegmentHeader));
  return std::any_of(header.begin(), header.end(), [](std::byte b) { return b != std::byte{0}; });
}

// What is missing of the boot's frame files; empty: nothing.
std::string missing_frames(const std::string& directory, std::uint32_t epoch) {
  std::uint32_t next = 0;
  for (const SegmentFile& file : list_segments(directory, frame_stream)) {
    if (file.epoch != epoch) continue;
    if (file.segment != next) return fmt::format("segment {} of their stream is missing", next);
    ++next;
  }
  return next > 0 ? "" : fmt::format("the directory has none of boot epoch {}", epoch);
}

// The boot's frames; or why the journalled events have to do.
std::string find_frames(const ReplayArguments& arguments, const JournalOrigin& origin,
                        std::uint32_t epoch, JournalSegments& frames) {
  if (arguments.events_only) return "--events was given";
  std::error_code unreadable;
  if (!std::filesystem::is_directory(arguments.path, unreadable)) {
    return "one file was given, not the journal's directory";
  }
  std::string missing = missing_frames(arguments.path, epoch);
  if (!missing.empty()) {
    const bool off = origin.loaded->config.journal.frames == FrameKeeping::off;
    return off ? "the run kept none ([journal] frames = \"off\")" : missing;
  }
  if (Outcome o = JournalSegments::find(arguments.path, frame_stream, epoch, frames); !o) {
    return o.error();
  }
  return begun(frames) ? "" : "their stream was not begun";
}

// What is damaged outranks what came out, also where nothing was stepped or followed any more.
void take_damage(const std::string& damage, ReplayFindings& findings) {
  if (damage.empty()) return;
  findings.events.verdict = ReplayVerdict::damaged;
  findings.events.journal = JournalStatus::corrupt;
  findings.events.error = damage;
}

std::vector<ExecutionLine> execution_of(CoreReplay& core, const JournalOrigin& origin) {
  return execution_lines(core.engine().core().gaps(), origin.loaded->config.venues);
}

// Where the frames differ, the events count up to there: what the core had stepped is stepped
// again.
std::string follow_frames(JournalOrigin& origin, const ReplayArguments& arguments,
                          const JournalSegments& events, const JournalSegments& frames,
                          CoreReplay& core, ReplayFindings& findings) {
  ChainHasher chain;
  std::uint64_t steps = 0;
  bool ended = false;
  const bool told = FrameReplay::told_instruments(frames);
  if (told) core.frames_tell_instruments();
  {
    CoreAhead ahead{core};
    FrameReplay replayed{origin, first_header(events, journal_stream).epoch, told, ahead, frames};
    replayed.chain_by(chain);
    replayed.run();
    replayed.check_rest();
    findings.frames = replayed.result();
    findings.bytes += replayed.bytes_read();
    steps = ahead.steps();
    ended = ahead.ended();
  }
  chain.finish();
  if (!chain.damage().empty()) {
    findings.frames.status = JournalStatus::corrupt;
    findings.frames.error = chain.damage();
  }
  findings.events = core.result();
  findings.execution = execution_of(core, origin);
  if (ended) return {};
  std::string error;
  CoreReplay again{origin, events, options_of(arguments), false, error};
  if (!error.empty()) return error;
  while (steps > 0 && again.next()) --steps;
  findings.events = again.result();
  findings.execution = execution_of(again, origin);
  return error;
}

std::string run_streams(const ReplayArguments& arguments, JournalOrigin& origin,
                        const JournalSegments& events, ReplayFindings& findings) {
  JournalSegments frames;
  findings.without_frames =
      find_frames(arguments, origin, first_header(events, journal_stream).epoch, frames);
  findings.with_frames = findings.without_frames.empty();
  if (arguments.frames && !findings.with_frames) {
    return "no frames to run: " + findings.without_frames;
  }
  std::string error;
  CoreReplay core{origin, events, options_of(arguments), false, error};
  if (!error.empty()) return error;
  const auto begin = steady_now();
  ChainHasher chain;
  core.chain_by(chain);
  if (findings.with_frames) {
    error = follow_frames(origin, arguments, events, frames, core, findings);
  } else {
    while (core.next()) {}
    findings.events = core.result();
    findings.execution = execution_of(core, origin);
  }
  take_damage(core.check_rest(), findings);
  chain.finish();
  take_damage(chain.damage(), findings);
  findings.bytes += core.bytes_read();
  findings.elapsed_s = seconds_since(begin);
  return error;
}

// The order's id as `gimbal journal dump` prints it.
bool parse_order(const std::string& text, OrderId& out) {
  if (text.empty() || text.size() > 16) return false;
  std::uint64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  out = OrderId{value};
  return problem == std::errc{} && end == text.data() + text.size() && out.valid();
}

int explain(const ReplayArguments& arguments, JournalOrigin& origin,
            const JournalSegments& segments) {
  OrderId order;
  if (!parse_order(arguments.explain, order)) {
    return failed("--explain wants an order id in hexadecimal, as `gimbal journal dump` prints it");
  }
  std::string error;
  CoreReplay core{origin, segments, options_of(arguments), true, error};
  if (!error.empty()) return failed(arguments.path + ": " + error);
  OrderStory story{origin, core, order};
  while (core.next()) {}
  if (!story.found()) {
    fmt::print(stderr, "gimbal replay: {} was not decided in this journal\n", arguments.explain);
    return exit_failed;
  }
  JournalSegments frames;
  const std::uint32_t epoch = first_header(segments, journal_stream).epoch;
  if (JournalSegments::find(arguments.path, frame_stream, epoch, frames)) {
    JournalReader reader{frames, frame_stream};
    JournalRecord record;
    while (reader.next(record) == JournalStatus::record) {
      if (record.type != RecordType::frame) continue;
      story.frame(record.frame,
                  {reinterpret_cast<const char*>(record.bytes.data()), record.bytes.size()});
    }
  }
  fmt::print("{}\n", arguments.json ? story.json() : story.text());
  return exit_done;
}

int what_if(const ReplayArguments& arguments, const JournalSegments& segments) {
  std::vector<ConfigProblem> problems;
  std::unique_ptr<LoadedConfig> other = load_config(arguments.what_if, problems);
  if (other == nullptr) return failed(to_text(problems.front()));
  WhatIfResult result;
  const std::string error = run_what_if(segments, std::move(other), result);
  if (!error.empty()) return failed(error);
  fmt::print("{}", arguments.json ? what_if_json(result) : what_if_text(result));
  return result.damage.empty() ? exit_done : exit_failed;
}

int replay_journal(const ReplayArguments& arguments) {
  JournalSegments segments;
  ReplayFindings findings;
  if (Outcome o = JournalSegments::find(arguments.path, journal_stream, arguments.epoch, segments);
      !o) {
    return failed(o.error());
  }
  if (!arguments.what_if.empty()) return what_if(arguments, segments);
  JournalOrigin origin;
  read_origin(segments, origin);
  if (!origin.error.empty()) return failed(arguments.path + ": " + origin.error);
  if (!arguments.explain.empty()) return explain(arguments, origin, segments);
  const std::string error = run_streams(arguments, origin, segments, findings);
  if (!error.empty()) return failed(arguments.path + ": " + error);
  fmt::print("{}", arguments.json ? replay_json(findings) : replay_text(findings));
  const ReplayVerdict verdict = verdict_of(findings);
  return verdict == ReplayVerdict::same || verdict == ReplayVerdict::unchecked ? exit_done
                                                                               : exit_failed;
}

}  // namespace

void add_replay(cli::Command app, int& exit_code) {
  auto arguments = std::make_shared<ReplayArguments>();
  cli::Command command = app.add_subcommand(
      "replay",
      "Run a journal again: recorded frames through the decoders, events through the core");
  command.add_option("journal", arguments->path, "Journal directory, or one segment file")
      .required();
  command.add_option("--epoch", arguments->epoch, "Boot epoch to replay (default: the newest)");
  cli::Option frames =
      command.add_flag("--frames", arguments->frames, "Fail when there are no frames to run");
  command
      .add_flag("--events", arguments->events_only,
                "Step the journalled events, without the frames")
      .excludes(frames);
  command.add_option("--explain", arguments->explain,
                     "Tell the story of one order (id in hexadecimal) in place of the comparison");
  command.add_option("--what-if", arguments->what_if,
                     "Run the recorded inputs with this configuration too, beside the run");
  command.add_flag("--json", arguments->json, "One JSON object");
  command.add_flag("--keep-going", arguments->keep_going,
                   "Do not stop at the first difference of the digest");
  command.footer(
      "The recorded frames go through decoders and gateway: decoded events must equal the\n"
      "journal's, encoded orders the texts that left, and the commands' digest the journal's\n"
      "records; the first difference is shown with what led to it. Where the directory holds no\n"
      "frames the journalled events are stepped, and the line `frames` says why. Frames are\n"
      "followed across listings, settlements and reloads, up to where they cannot be compared "
      "with\n"
      "the events (some were not kept, tickers were conflated); that is no difference.\n"
      "Exit codes: 0 the same (or nothing to compare), 1 different or damaged, 2 unreadable.");
  command.callback([arguments, &exit_code] { exit_code = replay_journal(*arguments); });
}

}  // namespace gimbal
