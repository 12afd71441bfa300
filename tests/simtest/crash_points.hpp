// The process killed at any byte of its journal (fault F37, invariant I10).
//
// Two halves. The journal: what a run stepped is written by the product's writer, cut at many bytes
// (the rest missing, zeros, or garbage), and read: exactly the whole units before the cut come
// back, and stepping them gives the commands of the run. The recovery: the run is repeated and dies
// right after an event, with none, some or all of its commands carried out; what was written still
// arrives at the venue; the next boot must come to the venue's truth and never double an order.
#pragma once

#include <cstdint>
#include <string>

#include "tests/simtest/run.hpp"

namespace gimbal::simtest {

struct CrashOptions {
  RunOptions run;           // seed and faults; faults end with the crash
  std::uint64_t events{0};  // at least so many in the first boot: the run is made long enough
  std::uint64_t points{0};  // evenly over the events; 0: each
  std::uint64_t part{0};    // of `parts` processes that share the points
  std::uint64_t parts{1};
  std::uint64_t cut_step{1};  // bytes between two cuts of the journal
};

struct CrashResult {
  std::uint64_t events{0};  // of the first boot
  std::uint64_t points{0};  // recovered
  std::uint64_t boots{0};
  std::uint64_t segments{0};
  std::uint64_t bytes{0};  // of the journal
  std::uint64_t cuts{0};
  Nanos healed_max{};     // from the crash to rest
  std::string failure;    // empty: all held
  std::string reproduce;  // command line, when a recovery failed
};

[[nodiscard]] CrashResult run_crash_points(const CrashOptions& options);

}  // namespace gimbal::simtest
