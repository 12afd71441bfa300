// `gimbal replay`: runs a journal again, decoders and core, and compares everything that came out.
// Room: ops/app. Cold.
//
// The engine and the decoders are built from the journal alone: its config text and instrument
// tables are side blocks.
#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "engine/runtime/journal_files.hpp"
#include "ops/app/commands.hpp"
#include "ops/app/core_replay.hpp"
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
  bool frames{false};
  std::string explain;
  std::string what_if;
};

using Segments = std::vector<std::vector<std::byte>>;

int failed(const std::string& why) {
  fmt::print(stderr, "gimbal replay: {}\n", why);
  return exit_usage;
}

std::uint32_t epoch_of(const Segments& segments) {
  SegmentHeader header;
  if (segments.empty()) return 0;
  return read_header(segments.front(), journal_magic, header) == nullptr ? header.epoch : 0;
}

void run_streams(const ReplayArguments& arguments, const JournalOrigin& origin,
                 const Segments& events, CoreReplay& core, ReplayFindings& findings) {
  Segments frames;
  std::error_code unreadable;
  if (!arguments.frames) {
    findings.without_frames = "not asked for (--frames)";
  } else if (!std::filesystem::is_directory(arguments.path, unreadable)) {
    findings.without_frames = "one file was given, not the journal's directory";
  } else {
    const Outcome o = load_segments(arguments.path, frame_stream, epoch_of(events), frames);
    findings.with_frames = static_cast<bool>(o);
    if (!o) findings.without_frames = o.error();
  }
  const auto begin = std::chrono::steady_clock::now();
  if (findings.with_frames) {
    FrameReplay replayed{origin, epoch_of(events), core, spans_of(frames)};
    replayed.run();
    findings.frames = replayed.result();
  } else {
    while (core.next()) {}
  }
  findings.elapsed_s =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  findings.events = core.result();
}

// The order's id as `gimbal journal dump` prints it.
bool parse_order(const std::string& text, OrderId& out) {
  if (text.empty() || text.size() > 16) return false;
  std::uint64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  out = OrderId{value};
  return problem == std::errc{} && end == text.data() + text.size() && out.valid();
}

int explain(const ReplayArguments& arguments, const JournalOrigin& origin, const Segments& segments,
            CoreReplay& core) {
  OrderId order;
  if (!parse_order(arguments.explain, order)) {
    return failed("--explain wants an order id in hexadecimal, as `gimbal journal dump` prints it");
  }
  OrderStory story{origin, core, order};
  while (core.next()) {}
  if (!story.found()) {
    fmt::print(stderr, "gimbal replay: {} was not decided in this journal\n", arguments.explain);
    return exit_failed;
  }
  Segments frames;
  if (load_segments(arguments.path, frame_stream, epoch_of(segments), frames)) {
    JournalReader reader{spans_of(frames), frame_stream};
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

int what_if(const ReplayArguments& arguments, const Segments& segments) {
  std::vector<ConfigProblem> problems;
  std::unique_ptr<LoadedConfig> other = load_config(arguments.what_if, problems);
  if (other == nullptr) return failed(to_text(problems.front()));
  WhatIfResult result;
  const std::string error = run_what_if(spans_of(segments), std::move(other), result);
  if (!error.empty()) return failed(error);
  fmt::print("{}", arguments.json ? what_if_json(result) : what_if_text(result));
  return result.damage.empty() ? exit_done : exit_failed;
}

int replay_journal(const ReplayArguments& arguments) {
  Segments segments;
  if (Outcome o = JournalReader::load(arguments.path, segments, arguments.epoch); !o) {
    return failed(o.error());
  }
  if (!arguments.what_if.empty()) return what_if(arguments, segments);
  JournalOrigin origin;
  read_origin(spans_of(segments), origin);
  if (!origin.error.empty()) return failed(arguments.path + ": " + origin.error);
  ReplayOptions options;
  options.stop_at_difference = !arguments.keep_going;
  std::string error;
  CoreReplay core{origin, spans_of(segments), options, !arguments.explain.empty(), error};
  if (!error.empty()) return failed(arguments.path + ": " + error);
  if (!arguments.explain.empty()) return explain(arguments, origin, segments, core);
  ReplayFindings findings;
  run_streams(arguments, origin, segments, core, findings);
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
  command.add_flag("--frames", arguments->frames,
                   "Run the recorded frames through decoders and gateway too, and compare");
  command.add_option("--explain", arguments->explain,
                     "Tell the story of one order (id in hexadecimal) in place of the comparison");
  command.add_option("--what-if", arguments->what_if,
                     "Run the recorded inputs with this configuration too, beside the run");
  command.add_flag("--json", arguments->json, "One JSON object");
  command.add_flag("--keep-going", arguments->keep_going,
                   "Do not stop at the first difference of the digest");
  command.footer(
      "The commands' digest must equal the journal's records. With --frames decoded events must\n"
      "equal the journal's and encoded orders the texts that left; the first difference is shown\n"
      "with what led to it.\n"
      "Exit codes: 0 the same (or nothing to compare), 1 different or damaged, 2 unreadable.");
  command.callback([arguments, &exit_code] { exit_code = replay_journal(*arguments); });
}

}  // namespace gimbal
