// `gimbal replay`: steps a journal again and compares the command digest. Room: ops/app. Cold.
//
// The engine is built from the journal alone: its config text and instrument tables are side
// blocks.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdio>
#include <memory>

#include "engine/core/engine.hpp"
#include "engine/runtime/replay.hpp"
#include "ops/app/commands.hpp"
#include "ops/app/config.hpp"
#include "ops/app/journal_origin.hpp"

namespace gimbal {
namespace {

using ReplayEngine = Engine<NullProbe, StrategySet>;

struct ReplayArguments {
  std::string path;
  std::uint32_t epoch{0};
  bool json{false};
  bool keep_going{false};
};

const char* verdict_text(ReplayVerdict v) {
  switch (v) {
    case ReplayVerdict::same: return "same";
    case ReplayVerdict::unchecked: return "unchecked";
    case ReplayVerdict::different: return "different";
    case ReplayVerdict::damaged: return "damaged";
  }
  return "damaged";
}

void print(const ReplayResult& r, double elapsed_s, bool json) {
  const double rate = elapsed_s > 0 ? static_cast<double>(r.events) / elapsed_s : 0;
  if (json) {
    fmt::print(
        R"({{"verdict":"{}","epoch":{},"events":{},"units":{},"side_blocks":{},"commands":{},)"
        R"("digest":"{:016x}","digests_compared":{},"difference_after_seq":{},)"
        R"("difference_at_seq":{},)"
        R"("expected":"{:016x}","found":"{:016x}","events_per_s":{:.0f},"error":"{}"}})"
        "\n",
        verdict_text(r.verdict), r.boot.epoch, r.events, r.units, r.side_blocks, r.commands,
        r.digest, r.digests_compared, r.first_difference_after, r.first_difference_at,
        r.expected_digest, r.found_digest, rate, r.error);
    return;
  }
  fmt::print(
      "verdict      {}\nepoch        {}\nevents       {} ({} units, {} side blocks)\n"
      "commands     {}\ndigest       {:016x} ({} digest records compared)\nrate         {:.0f} "
      "events/s\n",
      verdict_text(r.verdict), r.boot.epoch, r.events, r.units, r.side_blocks, r.commands, r.digest,
      r.digests_compared, rate);
  if (r.verdict == ReplayVerdict::different) {
    fmt::print(
        "difference   first between sequence numbers {} and {}: journal {:016x}, replay {:016x}\n",
        r.first_difference_after, r.first_difference_at, r.expected_digest, r.found_digest);
  }
  if (!r.error.empty()) fmt::print("note         {}\n", r.error);
}

int replay_journal(const ReplayArguments& arguments) {
  std::vector<std::vector<std::byte>> segments;
  if (Outcome o = JournalReader::load(arguments.path, segments, arguments.epoch); !o) {
    fmt::print(stderr, "gimbal replay: {}\n", o.error());
    return exit_usage;
  }
  const std::vector<std::span<const std::byte>> spans = spans_of(segments);
  JournalOrigin origin;
  read_origin(spans, origin);
  EngineSetup setup;
  StrategySet strategies;
  if (origin.error.empty()) {
    origin.error = make_engine_setup(origin.loaded->config, origin.universe, setup, strategies);
  }
  if (!origin.error.empty()) {
    fmt::print(stderr, "gimbal replay: {}: {}\n", arguments.path, origin.error);
    return exit_usage;
  }
  ReplayBlocks blocks;
  setup.blocks = SideBlocks{&blocks, &ReplayBlocks::find};
  ReplayEngine engine{setup, origin.universe.table(), strategies};
  ReplayTarget target;
  target.step = [&engine](const Event& e, Commands& out) { engine.step(e, out); };
  target.side_block = [&blocks](const SideBlockRef& ref, std::span<const std::byte> bytes) {
    blocks.add(ref, bytes);
  };
  JournalReader reader{spans};
  ReplayOptions options;
  options.stop_at_difference = !arguments.keep_going;
  const auto begin = std::chrono::steady_clock::now();
  const ReplayResult result = replay(reader, target, options);
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
  print(result, elapsed.count(), arguments.json);
  return result.verdict == ReplayVerdict::same || result.verdict == ReplayVerdict::unchecked
             ? exit_done
             : exit_failed;
}

}  // namespace

void add_replay(CLI::App& app, int& exit_code) {
  auto arguments = std::make_shared<ReplayArguments>();
  CLI::App* command =
      app.add_subcommand("replay", "Step a journal again and compare the commands' digest");
  command->add_option("journal", arguments->path, "Journal directory, or one segment file")
      ->required();
  command->add_option("--epoch", arguments->epoch, "Boot epoch to replay (default: the newest)");
  command->add_flag("--json", arguments->json, "One JSON object");
  command->add_flag("--keep-going", arguments->keep_going, "Do not stop at the first difference");
  command->footer(
      "Exit codes: 0 the same (or nothing to compare), 1 different or damaged, 2 unreadable.");
  command->callback([arguments, &exit_code] { exit_code = replay_journal(*arguments); });
}

}  // namespace gimbal
