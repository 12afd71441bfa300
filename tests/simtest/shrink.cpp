// Makes a failing run smaller: fewer faults, fewer firings, the event at which it shows.
#include "tests/simtest/run.hpp"

namespace gimbal::simtest {
namespace {

bool fails(const RunOptions& options, const std::string& invariant, RunResult& out) {
  out = run_once_or_twice(options);
  return out.invariant == invariant;
}

}  // namespace

RunOptions shrink(const RunOptions& failing, const std::string& invariant) {
  RunOptions best = failing;
  RunResult seen;
  if (!fails(best, invariant, seen)) return best;
  best.faults = seen.fired;  // what never fired cannot matter
  if (!fails(best, invariant, seen)) best.faults = failing.faults;
  for (std::size_t i = 0; i < faults_total; ++i) {
    if (!best.faults.test(i)) continue;
    RunOptions fewer = best;
    fewer.faults.reset(i);
    // A single fault is always on, chosen or not: only a swarm of two may lose one to it.
    if (fails(fewer, invariant, seen)) best = fewer;
  }
  std::uint64_t low = 0;  // firings that are too few
  static_cast<void>(fails(best, invariant, seen));
  std::uint64_t high = seen.firings;
  while (high - low > 1) {
    RunOptions fewer = best;
    fewer.firings_max = low + (high - low) / 2;
    (fails(fewer, invariant, seen) ? high : low) = fewer.firings_max;
  }
  RunOptions fewest = best;
  fewest.firings_max = high;
  if (fails(fewest, invariant, seen)) best = fewest;
  return best;
}

std::string command_line(const RunOptions& o) {
  std::string text = "gimbal-simtest --seed " + std::to_string(o.seed);
  text += " --faults " + text_of(o.faults);
  if (o.firings_max != UINT64_MAX) text += " --firings " + std::to_string(o.firings_max);
  if (o.plant != Plant::none) {
    text += " --plant ";
    text += plant_rows[static_cast<std::size_t>(o.plant)].name;
  }
  if (o.safety != RunOptions{}.safety) {
    text += " --safety " + std::to_string(o.safety.count / 1'000'000'000);
  }
  if (o.crash_at != 0) {
    text += " --crash-at " + std::to_string(o.crash_at);
    text += " --crash-commands " + std::to_string(o.crash_commands);
  }
  if (o.twice) text += " --twice";
  if (o.until != 0) text += " --until " + std::to_string(o.until);
  return text;
}

}  // namespace gimbal::simtest
