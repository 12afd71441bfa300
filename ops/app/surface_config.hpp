// [surface]: the bot's own volatility surface, and the rungs below it. Room: ops/app.
#pragma once

#include "engine/core/field.hpp"
#include "engine/core/time.hpp"

namespace gimbal {

struct SurfaceConfig {
  bool use{false};
  Nanos age_max{seconds(20)};
  Nanos interval{seconds(1)};
  double rms_max{0.003};
  double flat_volatility{0};
};

template <class Visitor>
void fields(Visitor&& visit, SurfaceConfig& c) {
  visit("use", c.use,
        FieldInfo{.doc = "Fit a curve without arbitrage to each expiry and price options with it; "
                         "false: with the venue's volatilities."});
  visit(
      "age_max", c.age_max,
      FieldInfo{.min = 0.5,
                .max = 30,
                .unit = "s",
                .doc = "Limit surface_stale: a curve whose oldest quote is older than this prices "
                       "nothing; the venue's volatility does, and an alert says so."});
  visit("interval", c.interval,
        FieldInfo{.min = 0.1, .max = 10, .unit = "s", .doc = "Time between two fits."});
  visit("rms_max", c.rms_max,
        FieldInfo{.min = 1e-5,
                  .max = 1,
                  .unit = "volatility",
                  .doc = "Error of a fit that is still taken, or half its quotes' spread when that "
                         "is larger; a refused one keeps the last good curve until its age, or the "
                         "next rung prices."});
  visit(
      "flat_volatility", c.flat_volatility,
      FieldInfo{.min = 0,
                .max = 5,
                .unit = "volatility",
                .doc = "Last rung: for options that neither surface nor venue prices recently; 0: "
                       "there is none, and the risk is incomplete."});
}

}  // namespace gimbal
