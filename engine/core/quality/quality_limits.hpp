// [quality]: when market data and clocks are not to be trusted (controls ).
#pragma once

#include <cstdint>

#include "engine/core/field.hpp"
#include "engine/core/time.hpp"

namespace gimbal {

struct QualityLimits {
  Nanos hedge_age_max{seconds(1)};           // newest data of a hedge instrument
  Nanos option_age_max{seconds(5)};          // newest data of a held option
  Nanos index_age_max{milliseconds(2500)};   // of a hedged coin's index
  Nanos witness_age_max{milliseconds(250)};  // hedge silent for longer while the index moved
  std::int64_t witness_ticks{3};             // by more than so many of its ticks
  std::int64_t gaps_per_minute_max{1000};    // sequence gaps of a venue
  std::int64_t outlier_bps{500};             // a perpetual's mid against the index
  std::int64_t outlier_sigmas{10};           // a mid against the last minute's
  Nanos outlier_hold{seconds(1)};            // growth waits, and what stays is the market
  Nanos lag_max{milliseconds(5)};            // received data unread for longer
  Nanos lag_clear{milliseconds(1)};
  Nanos clock_warn{milliseconds(100)};  // wall clock against the venue's
};

template <class Visitor>
void fields(Visitor&& visit, QualityLimits& c) {
  visit("hedge_age_max", c.hedge_age_max,
        FieldInfo{0.01, 3600, false, Reload::fixed, "s",
                  "A hedge instrument without data for longer is stale."});
  visit("option_age_max", c.option_age_max,
        FieldInfo{0.01, 3600, false, Reload::fixed, "s",
                  "A held option without data for longer is stale."});
  visit("index_age_max", c.index_age_max,
        FieldInfo{0.01, 3600, false, Reload::fixed, "s",
                  "The index of a hedged coin without data for longer is stale."});
  visit("witness_age_max", c.witness_age_max,
        FieldInfo{0.01, 3600, false, Reload::fixed, "s",
                  "A hedge instrument silent for longer while the index moved is stale."});
  visit("witness_ticks", c.witness_ticks,
        FieldInfo{1, 1e6, false, Reload::fixed, "ticks", "What counts as a move of the index."});
  visit("gaps_per_minute_max", c.gaps_per_minute_max,
        FieldInfo{1, 1e6, false, Reload::fixed, "gaps",
                  "More sequence gaps of a venue in a minute latch REDUCE on it."});
  visit("outlier_bps", c.outlier_bps,
        FieldInfo{1, 10000, false, Reload::fixed, "bps",
                  "A perpetual's mid further from its index is an outlier."});
  visit("outlier_sigmas", c.outlier_sigmas,
        FieldInfo{1, 1000, false, Reload::fixed, "",
                  "A mid further from the last minute's mean, in its standard deviations, is an "
                  "outlier."});
  visit("outlier_hold", c.outlier_hold,
        FieldInfo{0.01, 60, false, Reload::fixed, "s",
                  "Growth waits this long after an outlier; a price that stays so long is taken."});
  visit("lag_max", c.lag_max,
        FieldInfo{0.0001, 10, false, Reload::fixed, "s",
                  "Received data that waits longer pauses growth at its venue."});
  visit("lag_clear", c.lag_clear,
        FieldInfo{0.0001, 10, false, Reload::fixed, "s", "The pause ends below this."});
  visit(
      "clock_warn", c.clock_warn,
      FieldInfo{0.001, 60, false, Reload::fixed, "s",
                "The wall clock further from the venue's is an alert; half of order_ttl pauses."});
}

}  // namespace gimbal
