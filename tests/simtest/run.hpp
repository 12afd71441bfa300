// One seed: build the world, let it go wrong, let it heal, stop it.
//
//   safety    faults on; the invariants hold after every event
//   liveness  faults off; within `heal_max` nothing is in doubt, positions are the venue's, feeds
//             are valid, the account is inside its band
//   stop      a global kill: within `stop_max` the venue shows no order
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/core/event.hpp"
#include "tests/simtest/coverage.hpp"
#include "tests/simtest/faults.hpp"
#include "tests/simtest/plants.hpp"

namespace gimbal::simtest {

struct RunOptions {
  std::uint64_t seed{1};
  FaultSet faults{FaultSet{}.set()};  // allowed; the seed picks among them
  std::uint64_t until{0};             // events; then the run ends as it is. 0: the whole run
  std::uint64_t firings_max{UINT64_MAX};
  Plant plant{Plant::none};
  Nanos safety{seconds(8)};
  bool keep_journal{false};  // of the first boot
  // The process dies after the step of this event of the first boot, with so many of the event's
  // commands carried out; then faults end and it must recover. 0: it lives.
  std::uint64_t crash_at{0};
  std::uint64_t crash_commands{0};
  bool whole_bytes{false};  // nothing is cut below the texts: bytes_split does nothing
  // Nobody sees the wall clock jump but who has to: the signatures of log-ins and the measured gap
  // between it and the venue's clock.
  bool steady_wall{false};
  bool twice{false};     // run_twice in place of run_seed
  std::size_t story{0};  // lines of the last events to keep
};

struct RunResult {
  std::uint64_t seed{0};
  std::string invariant;  // empty: all held
  std::string text;
  std::uint64_t events{0};
  std::uint64_t texts{0};
  std::uint64_t orders{0};
  std::uint64_t fills{0};
  std::uint64_t firings{0};
  std::uint32_t boots{0};
  Nanos simulated{};
  Nanos healed_after{};       // the faults
  std::uint64_t trace{0};     // of everything that crossed a border
  std::uint64_t commands{0};  // digest over every boot's commands
  Coverage coverage;
  std::string story;
  std::vector<Event> journal;
  FaultSet fired;
  std::array<std::uint32_t, faults_total> counts{};
  [[nodiscard]] bool ok() const noexcept { return invariant.empty(); }
};

[[nodiscard]] RunResult run_seed(const RunOptions& options);
// The digest over the commands after each of these events, which are those of a run's first boot
// (seed 5, no faults), stepped through a fresh engine.
[[nodiscard]] std::vector<std::uint64_t> command_digests(const std::vector<Event>& events);
// Twice, the second time with whole bytes and a steady wall; a different trace is a violation of
// I11, or of I14 when whole bytes alone make none.
[[nodiscard]] RunResult run_twice(const RunOptions& options);
[[nodiscard]] RunResult run_once_or_twice(const RunOptions& options);
// The fewest faults, then the fewest firings, that still break the same invariant.
[[nodiscard]] RunOptions shrink(const RunOptions& failing, const std::string& invariant);
// "gimbal-simtest --seed 7 --faults a,b --until 1234"
[[nodiscard]] std::string command_line(const RunOptions& options);

}  // namespace gimbal::simtest
