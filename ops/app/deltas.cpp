// `gimbal deltas`: which delta would have hedged best in a recorded run, judged on price changes
// that each had not seen. Room: ops/app. Cold.
#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "engine/core/payload.hpp"
#include "engine/runtime/journal.hpp"
#include "ops/app/commands.hpp"
#include "ops/app/journal_origin.hpp"
#include "ops/app/json_writer.hpp"
#include "ops/app/surface_fitter.hpp"
#include "ops/cli/command_line.hpp"

namespace gimbal {
namespace {

struct DeltasArguments {
  std::string path;
  std::uint32_t epoch{0};
  double step_s{10};
  bool json{false};
};

int failed(const std::string& why) {
  fmt::print(stderr, "gimbal deltas: {}\n", why);
  return exit_usage;
}

// Every option ticker of the journal to the fitter, a fit each [surface] interval of its time.
void run(const JournalSegments& segments, const JournalOrigin& origin, SurfaceFitter& fitter,
         std::string& damage) {
  JournalReader reader{segments};
  JournalRecord record;
  PartsBuffer<Ticker> parts;
  RecvTime due{};
  JournalStatus status = reader.next(record);
  for (; status == JournalStatus::record; status = reader.next(record)) {
    if (record.type != RecordType::event) continue;
    const Event& e = record.event;
    SurfaceQuote q;
    if (e.kind() == EventKind::ticker && parts.add(e) &&
        quote_of(origin.universe.table(), e, parts.value(), q)) {
      fitter.quote(q);
    }
    if (e.now() < due) continue;
    if (due != RecvTime{}) static_cast<void>(fitter.fit(e.now()));
    due = e.now() + origin.loaded->config.surface.interval;
  }
  if (status == JournalStatus::corrupt) damage = reader.error();
}

std::string name_of(const JournalOrigin& origin, const SurfaceFitter::Market& market) {
  return std::string{origin.universe.underlyings().name(UnderlyingId{market.first})} +
         (market.second ? " coin-settled" : " linear");
}

void print_text(const JournalOrigin& origin, const SurfaceFitter& fitter) {
  for (const auto& [market, study] : fitter.studies()) {
    const quant::DeltaScore& s = study.deltas.score();
    const auto& c = study.deltas.fitted();
    fmt::print("{}: {} steps judged, {} changes of price\n", name_of(origin, market), s.steps,
               s.changes);
    fmt::print("  {:<18} {:>16} {:>10}\n", "delta", "squared error", "gain");
    fmt::print("  {:<18} {:>16.6g} {:>10}\n", "black", s.black, "-");
    fmt::print("  {:<18} {:>16.6g} {:>+9.2f}%\n", "sticky_delta", s.sticky_delta,
               100 * s.gain_of(s.sticky_delta));
    fmt::print("  {:<18} {:>16.6g} {:>+9.2f}%   a {:+.4f} b {:+.4f} c {:+.4f}{}\n",
               "minimum_variance", s.minimum_variance, 100 * s.gain_of(s.minimum_variance), c[0],
               c[1], c[2],
               study.deltas.usable() == std::array<double, 3>{} ? "  (not used: black)" : "");
  }
}

void print_json(const JournalOrigin& origin, const SurfaceFitter& fitter) {
  JsonWriter w;
  w.begin_object().begin_array("markets");
  for (const auto& [market, study] : fitter.studies()) {
    const quant::DeltaScore& s = study.deltas.score();
    w.begin_object().text("market", name_of(origin, market)).integer("steps", s.steps);
    w.integer("changes", s.changes).number("sse_black", s.black);
    w.number("sse_sticky_delta", s.sticky_delta);
    w.number("sse_minimum_variance", s.minimum_variance);
    w.number("gain_sticky_delta", s.gain_of(s.sticky_delta));
    w.number("gain_minimum_variance", s.gain_of(s.minimum_variance));
    w.boolean("minimum_variance_used", study.deltas.usable() != std::array<double, 3>{});
    w.begin_array("minimum_variance");
    for (const double v : study.deltas.fitted()) w.number({}, v);
    w.end_array().end_object();
  }
  w.end_array().end_object();
  fmt::print("{}\n", w.take());
}

int deltas(const DeltasArguments& arguments) {
  JournalSegments segments;
  if (Outcome o = JournalSegments::find(arguments.path, journal_stream, arguments.epoch, segments);
      !o) {
    return failed(o.error());
  }
  JournalOrigin origin;
  read_origin(segments, origin);
  if (!origin.error.empty()) return failed(arguments.path + ": " + origin.error);
  const RiskLimits& risk = origin.loaded->config.risk;
  SurfaceFitter fitter{origin.loaded->config.surface, static_cast<double>(risk.iv_min_bps) * 1e-4,
                       static_cast<double>(risk.iv_max_bps) * 1e-4,
                       Nanos{static_cast<std::int64_t>(arguments.step_s * 1e9)}};
  std::string damage;
  run(segments, origin, fitter, damage);
  arguments.json ? print_json(origin, fitter) : print_text(origin, fitter);
  if (!damage.empty()) {
    fmt::print(stderr, "gimbal deltas: damaged after that: {}\n", damage);
    return exit_failed;
  }
  if (fitter.studies().empty()) {
    fmt::print(stderr, "gimbal deltas: no option tickers in this journal\n");
    return exit_failed;
  }
  return exit_done;
}

}  // namespace

void add_deltas(cli::Command app, int& exit_code) {
  auto arguments = std::make_shared<DeltasArguments>();
  cli::Command command = app.add_subcommand(
      "deltas", "Which delta would have hedged the options of a recorded run best");
  command.add_option("journal", arguments->path, "Journal directory, or one segment file")
      .required();
  command.add_option("--epoch", arguments->epoch, "Boot epoch (default: the newest)");
  command.add_option("--step", arguments->step_s, "Seconds between two looks at the prices")
      .range(0.5, 3600.0)
      .shows_default();
  command.add_flag("--json", arguments->json, "One JSON object");
  command.footer(
      "The surface is fitted each [surface] interval of the recorded configuration.\n"
      "Squared error: what delta dF leaves of the change of each option's price (the venue's\n"
      "volatilities, time value taken out), over options with a delta of 0.05 to 0.95. Gain: 1 - "
      "error /\n"
      "error of black. Each step is judged with what was known before it. What "
      "[[strategy.delta_hedge]]\n"
      "delta names, and what the running bot fits by itself; ops/docs/risk.md, section 7.1.\n"
      "Exit codes: 0 done, 1 damaged or nothing to judge, 2 unreadable.");
  command.callback([arguments, &exit_code] { exit_code = deltas(*arguments); });
}

}  // namespace gimbal
