// A run's recorded inputs through the engine of another configuration, side by side with what
// happened. Room: ops/app. Cold.
//
// Three runs: what was recorded; the recorded configuration against an assumed venue; the other
// configuration against the same assumed venue. The second against the first shows how good the
// assumptions are, the third against the second what the configuration changes.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/runtime/replay.hpp"
#include "ops/app/assumed_venue.hpp"
#include "ops/app/journal_origin.hpp"

namespace gimbal {

// One run in figures. Deltas in coins of the underlying, positions only.
struct RunFigures {
  struct Delta {
    std::string underlying;
    double mean_abs{0};  // over the armed time
    double max_abs{0};
    double last{0};
    double armed_s{0};
  };
  struct Held {
    std::string instrument;
    Qty amount{};
  };
  std::uint64_t placed{0}, replaced{0}, cancels{0}, refused{0}, trips{0};
  std::uint64_t fills{0};
  Money traded_usd{};
  Money shortfall_usd{};  // against the decision price
  std::vector<Delta> deltas;
  std::vector<Held> positions;  // at the end, non-zero
};

struct WhatIfResult {
  std::string recorded_hash;  // of the configurations
  std::string other_hash;
  RunFigures recorded;
  RunFigures assumed;  // the recorded configuration at the assumed venue
  RunFigures other;
  Nanos round_trip{};                 // assumed; the median of the recorded one
  std::uint64_t round_trips{0};       // that the median is of; 0: a default
  std::uint64_t events{0};            // recorded
  std::uint64_t reloads_left_out{0};  // of the recorded run
  std::uint64_t own_left_out{0};      // answers of the venue to recorded orders
  std::uint64_t adopted_left_out{0};  // orders of earlier boots in the recorded pictures
  std::string damage;                 // of the journal: the runs end there; empty: none
};

// What no what-if can know; for the output.
[[nodiscard]] const std::vector<std::string>& what_if_limits();

// `other`: a configuration whose instruments are the journal's. Empty text on success.
[[nodiscard]] std::string run_what_if(const JournalSegments& segments,
                                      std::unique_ptr<LoadedConfig> other, WhatIfResult& result);

[[nodiscard]] std::string what_if_text(const WhatIfResult& r);
// One object, one line.
[[nodiscard]] std::string what_if_json(const WhatIfResult& r);

}  // namespace gimbal
