// gimbal-simtest: the deterministic simulation tester. See ops/docs/simtest.md.
#include <malloc.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "tests/simtest/crash_points.hpp"
#include "tests/simtest/run.hpp"
#include "tests/simtest/scenarios.hpp"

namespace gimbal::simtest {
namespace {

constexpr const char* usage =
    "usage: gimbal-simtest [--seed N | --seeds N [--first-seed S]] [options]\n"
    "  --seed N        one seed\n"
    "  --seeds N       that many, from --first-seed (1)\n"
    "  --faults LIST   all (default), none, swarm (not the hands of others), names with\n"
    "                  commas; the seed picks among them\n"
    "  --fault NAME    this fault alone, always on\n"
    "  --firings N     at most N times in a run\n"
    "  --until N       end the run after N events\n"
    "  --plant NAME    a bug built in on purpose\n"
    "  --twice         run each seed twice, then without bytes_split and without the wall clock's\n"
    "                  jumps, and compare the traces\n"
    "  --no-shrink     report a failure as it is\n"
    "  --keep-going    do not end at the first failure\n"
    "  --story N       print the last N events and texts of a run\n"
    "  --scenario NAME a bad day with the liquidation ladder and without it; all: each of them\n"
    "  --list          faults, plants and the invariants that catch them, scenarios\n"
    "  --coverage      print the (order state, event) pairs that were visited\n"
    "  --json          the summary as one JSON object\n"
    "  --crash-points N  die at N events of a run of 10,000 (0: at each) and recover; cut its\n"
    "                  journal at every --cut-step bytes (1); --part I/N: a share of the points\n"
    "  --crash-at N [--crash-commands M] [--safety SECONDS]  one of them\n"
    "exit: 0 all held, 1 an invariant broke, 2 bad usage\n";

struct Options {
  RunOptions run;
  std::uint64_t first{1};
  std::uint64_t seeds{1};
  bool shrinks{true};
  bool keep_going{false};
  bool coverage{false};
  bool json{false};
  bool list{false};
  bool crashes{false};
  CrashOptions crash;
  std::string scenario;
};

struct Sums {
  std::uint64_t seeds{0};
  std::uint64_t failures{0};
  std::uint64_t events{0};
  std::uint64_t texts{0};
  std::uint64_t orders{0};
  std::uint64_t fills{0};
  std::uint64_t firings{0};
  std::uint64_t boots{0};
  std::uint64_t trace{0};
  double simulated_s{0};
  double healed_max_s{0};
  std::uint64_t healed_seed{0};  // that took so long
  Coverage coverage;
  std::array<std::uint64_t, faults_total> seeds_with{};
};

bool number(const char* text, std::uint64_t& out) {
  char* end = nullptr;
  out = std::strtoull(text, &end, 10);
  return end != text && *end == '\0';
}

bool plant_named(std::string_view name, Plant& out) {
  for (const PlantRow& r : plant_rows) {
    if (r.name != name) continue;
    out = r.plant;
    return true;
  }
  return false;
}

bool take_seconds(const char* value, Nanos& out) {
  std::uint64_t n = 0;
  if (!number(value, n) || n == 0 || n > 3600) return false;
  out = seconds(static_cast<std::int64_t>(n));
  return true;
}

// "I/N", I from 1.
bool take_part(const char* value, CrashOptions& o) {
  const std::string text{value};
  const std::size_t slash = text.find('/');
  if (slash == std::string::npos || !number(text.substr(0, slash).c_str(), o.part) ||
      !number(text.substr(slash + 1).c_str(), o.parts)) {
    return false;
  }
  return o.part-- > 0 && o.part < o.parts;
}

// False with a word about what is wrong.
bool take_value(Options& o, std::string_view key, const char* value, std::string& error) {
  std::string unknown;
  if (key == "--seed") {
    o.seeds = 1;
    return number(value, o.first);
  }
  if (key == "--seeds") return number(value, o.seeds);
  if (key == "--first-seed") return number(value, o.first);
  if (key == "--story") {
    std::uint64_t lines = 0;
    const bool ok = number(value, lines);
    o.run.story = lines;
    return ok;
  }
  if (key == "--scenario") {
    o.scenario = value;
    return true;
  }
  if (key == "--until") return number(value, o.run.until);
  if (key == "--crash-points") {
    o.crashes = true;
    return number(value, o.crash.points);
  }
  if (key == "--cut-step") return number(value, o.crash.cut_step) && o.crash.cut_step > 0;
  if (key == "--crash-at") return number(value, o.run.crash_at);
  if (key == "--crash-commands") return number(value, o.run.crash_commands);
  if (key == "--safety") return take_seconds(value, o.run.safety);
  if (key == "--part") return take_part(value, o.crash);
  if (key == "--firings") return number(value, o.run.firings_max);
  if (key == "--plant") return plant_named(value, o.run.plant);
  if (key == "--faults" || key == "--fault") {
    if (parse_faults(value, o.run.faults, unknown)) return true;
    error = "unknown fault " + unknown;
    return false;
  }
  error = "unknown option " + std::string{key};
  return false;
}

bool take_switch(Options& o, std::string_view key) {
  const std::pair<std::string_view, bool*> switches[] = {
      {"--twice", &o.run.twice},   {"--keep-going", &o.keep_going},
      {"--coverage", &o.coverage}, {"--json", &o.json},
      {"--list", &o.list},
  };
  for (const auto& [name, at] : switches) {
    if (name == key) return *at = true;
  }
  if (key != "--no-shrink") return false;
  o.shrinks = false;
  return true;
}

bool parse(int argc, char** argv, Options& o, std::string& error) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view key{argv[i]};
    if (take_switch(o, key)) continue;
    if (i + 1 == argc) {
      error = "unknown option, or its value is missing: " + std::string{key};
      return false;
    }
    if (!take_value(o, key, argv[++i], error)) {
      if (error.empty()) error = "bad value for " + std::string{key};
      return false;
    }
  }
  return true;
}

void list() {
  std::puts("faults (catalogue number, name, at most, what)");
  constexpr const char* per[] = {"request", "reply", "event", "feed frame",
                                 "query",   "login", "second"};
  for (const FaultRow& r : fault_rows()) {
    std::printf("  %s  %-20.*s %5.3f a %-10s  %.*s\n", std::string{r.number}.c_str(),
                static_cast<int>(r.name.size()), r.name.data(), r.rate_max,
                per[static_cast<int>(r.per)], static_cast<int>(r.what.size()), r.what.data());
  }
  std::puts("plants (bug, invariant that catches it)");
  for (const PlantRow& r : plant_rows) {
    std::printf("  %-16.*s %s\n", static_cast<int>(r.name.size()), r.name.data(),
                std::string{r.invariant}.c_str());
  }
  std::puts("scenarios");
  for (const Scenario& s : scenarios()) {
    std::printf("  %-12.*s %s\n", static_cast<int>(s.name.size()), s.name.data(),
                std::string{s.doc}.c_str());
  }
}

int run_scenarios(const std::string& name) {
  bool found = false;
  bool held = true;
  for (const Scenario& s : scenarios()) {
    if (name != "all" && s.name != name) continue;
    found = true;
    const ScenarioOutcome alone = s.run(false);
    std::printf("%s\n", text(s.name, "alone", alone).c_str());
    const ScenarioOutcome with = s.run(true);
    const std::string wrong = verdict(s, with, alone);
    std::printf("%s\n%s\n", text(s.name, "with the ladder", with).c_str(),
                wrong.empty() ? "held" : ("FAIL: " + wrong).c_str());
    held = held && wrong.empty();
  }
  if (!found) std::fprintf(stderr, "gimbal-simtest: unknown scenario %s\n", name.c_str());
  return !found ? 2 : held ? 0 : 1;
}

void add(Sums& sums, const RunResult& r) {
  ++sums.seeds;
  sums.events += r.events;
  sums.texts += r.texts;
  sums.orders += r.orders;
  sums.fills += r.fills;
  sums.firings += r.firings;
  sums.boots += r.boots;
  sums.trace = sums.trace * 1'000'003 + r.trace;
  sums.simulated_s += static_cast<double>(r.simulated.count) * 1e-9;
  const double healed_s = static_cast<double>(r.healed_after.count) * 1e-9;
  if (healed_s > sums.healed_max_s) {
    sums.healed_max_s = healed_s;
    sums.healed_seed = r.seed;
  }
  sums.coverage.add(r.coverage);
  for (std::size_t i = 0; i < faults_total; ++i) sums.seeds_with[i] += r.counts[i] > 0;
}

void report_failure(const Options& o, const RunOptions& run, const RunResult& r) {
  RunOptions smallest = run;
  smallest.until = r.events;
  std::printf("FAIL %s: %s\n", r.invariant.c_str(), r.text.c_str());
  if (o.shrinks && r.invariant != "I11") {
    smallest = shrink(run, r.invariant);
    smallest.until = run_seed(smallest).events;
  }
  std::printf("%s\n", command_line(smallest).c_str());
  std::fflush(stdout);
}

void report_json(const Sums& s, double wall) {
  std::printf(R"({"seeds":%llu,"failures":%llu,"events":%llu,"texts":%llu,"orders":%llu,)"
              R"("fills":%llu,"firings":%llu,"boots":%llu,"simulated_hours":%.3f,)"
              R"("seconds":%.2f,"healed_max_s":%.3f,"healed_seed":%llu,"pairs_visited":%zu,)"
              R"("trace":"%016llx"})"
              "\n",
              static_cast<unsigned long long>(s.seeds), static_cast<unsigned long long>(s.failures),
              static_cast<unsigned long long>(s.events), static_cast<unsigned long long>(s.texts),
              static_cast<unsigned long long>(s.orders), static_cast<unsigned long long>(s.fills),
              static_cast<unsigned long long>(s.firings), static_cast<unsigned long long>(s.boots),
              s.simulated_s / 3600, wall, s.healed_max_s,
              static_cast<unsigned long long>(s.healed_seed), s.coverage.visited(),
              static_cast<unsigned long long>(s.trace));
}

void report(const Options& o, const Sums& s, double wall) {
  if (o.json) return report_json(s, wall);
  std::printf(
      "%llu seeds, %llu failed: %llu events, %llu texts, %llu orders, %llu fills, %llu "
      "boots, %llu faults; %.2f simulated hours in %.1f s, %.0f simulated seconds a second; "
      "healed within %.2f s (seed %llu); %zu of %zu (state, event) pairs; trace %016llx\n",
      static_cast<unsigned long long>(s.seeds), static_cast<unsigned long long>(s.failures),
      static_cast<unsigned long long>(s.events), static_cast<unsigned long long>(s.texts),
      static_cast<unsigned long long>(s.orders), static_cast<unsigned long long>(s.fills),
      static_cast<unsigned long long>(s.boots), static_cast<unsigned long long>(s.firings),
      s.simulated_s / 3600, wall, wall > 0 ? s.simulated_s / wall : 0, s.healed_max_s,
      static_cast<unsigned long long>(s.healed_seed), s.coverage.visited(), coverage_pairs,
      static_cast<unsigned long long>(s.trace));
  if (!o.coverage) return;
  std::fputs(s.coverage.table().c_str(), stdout);
  std::fputs(s.coverage.missed().c_str(), stdout);
  for (const FaultRow& r : fault_rows()) {
    std::printf("  %s %-20.*s fired in %llu seeds\n", std::string{r.number}.c_str(),
                static_cast<int>(r.name.size()), r.name.data(),
                static_cast<unsigned long long>(s.seeds_with[static_cast<std::size_t>(r.fault)]));
  }
}

int run(const Options& o) {
  Sums sums;
  const auto began = std::chrono::steady_clock::now();
  for (std::uint64_t n = 0; n < o.seeds; ++n) {
    RunOptions options = o.run;
    options.seed = o.first + n;
    const RunResult r = run_once_or_twice(options);
    add(sums, r);
    std::fputs(r.story.c_str(), stdout);
    if (r.ok()) continue;
    ++sums.failures;
    report_failure(o, options, r);
    if (!o.keep_going) break;
  }
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - began;
  report(o, sums, wall.count());
  return sums.failures == 0 ? 0 : 1;
}

int run_crashes(const Options& o) {
  CrashOptions options = o.crash;
  options.run = o.run;
  options.run.seed = o.first;
  options.events = 10'000;
  const auto began = std::chrono::steady_clock::now();
  const CrashResult r = run_crash_points(options);
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - began;
  if (!r.failure.empty()) std::printf("FAIL %s\n%s\n", r.failure.c_str(), r.reproduce.c_str());
  std::printf(
      "crash points of seed %llu: %llu of %llu events died at and recovered (%llu boots, at rest "
      "within %.2f s); journal of %llu bytes in %llu segments cut at %llu places; %.1f s\n",
      static_cast<unsigned long long>(options.run.seed), static_cast<unsigned long long>(r.points),
      static_cast<unsigned long long>(r.events), static_cast<unsigned long long>(r.boots),
      static_cast<double>(r.healed_max.count) * 1e-9, static_cast<unsigned long long>(r.bytes),
      static_cast<unsigned long long>(r.segments), static_cast<unsigned long long>(r.cuts),
      wall.count());
  return r.failure.empty() ? 0 : 1;
}

}  // namespace
}  // namespace gimbal::simtest

int main(int argc, char** argv) {
  gimbal::simtest::Options options;
  std::string error;
  if (argc > 1 && std::strcmp(argv[1], "--help") == 0) {
    std::fputs(gimbal::simtest::usage, stdout);
    return 0;
  }
  if (!gimbal::simtest::parse(argc, argv, options, error)) {
    std::fprintf(stderr, "gimbal-simtest: %s\n%s", error.c_str(), gimbal::simtest::usage);
    return 2;
  }
  if (options.list) {
    gimbal::simtest::list();
    return 0;
  }
  // A seed's memory is the next one's: none goes back to the system in between.
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 256 << 20);
  if (options.crashes) return gimbal::simtest::run_crashes(options);
  if (!options.scenario.empty()) return gimbal::simtest::run_scenarios(options.scenario);
  return gimbal::simtest::run(options);
}
