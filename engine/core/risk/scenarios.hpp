// [scenarios]: the price and volatility moves against which the gate holds the account, with the
// parameters of the venue's portfolio margin. Source: ops/docs/risk.md, section 3.2. The venue
// changes the numbers, so none has a default; off while `price_range` is zero. With it, all but
// `dampener_usd` must be positive: a zero left by a forgotten key would loosen. The last six are
// required by a ladder on portfolio margin only.
#pragma once

#include "engine/core/field.hpp"
#include "engine/core/time.hpp"

namespace gimbal {

struct ScenarioConfig {
  double price_range{0};    // of the standard table, four price moves a side
  double volatility_up{0};  // relative change of sigma at 30 days
  double volatility_down{0};
  double volatility_up_min{0};  // sigma after the shock up is at least this
  double short_power{0};        // of (30 / days) below 30 days
  double long_power{0};         // from 30 days on
  double extended_factor{0};    // weight of the far moves
  double dampener_usd{0};
  Nanos row_age_max{seconds(5)};     // a scenario value older than this is unknown
  Nanos report_age_max{seconds(5)};  // so is a margin balance
  // What the venue adds to the worst scenario; the ladder on portfolio margin alone asks for it.
  double annual_move{0};  // of the roll shock, per year
  double roll_min{0};     // its least share of an expiry's delta
  double delta_shock_per_coin{0};
  double delta_shock_max{0};
  double delta_shock_threshold_usd{0};
  double maintenance_factor{0};  // maintenance over initial margin
  [[nodiscard]] bool used() const noexcept { return price_range > 0; }
};

template <class Visitor>
void fields(Visitor&& visit, ScenarioConfig& c) {
  visit("price_range", c.price_range,
        FieldInfo{0, 0.9, false, Reload::fixed, "fraction",
                  "Largest price move of the standard table; 0: no scenarios."});
  visit("volatility_up", c.volatility_up,
        FieldInfo{0, 10, false, Reload::fixed, "fraction", "Volatility shock up at 30 days."});
  visit("volatility_down", c.volatility_down,
        FieldInfo{0, 1, false, Reload::fixed, "fraction", "Volatility shock down at 30 days."});
  visit("volatility_up_min", c.volatility_up_min,
        FieldInfo{0, 10, false, Reload::fixed, "fraction",
                  "A volatility shocked up is at least this."});
  visit("short_power", c.short_power,
        FieldInfo{0, 2, false, Reload::fixed, "",
                  "Power of 30 / days that scales the shock below 30 days."});
  visit("long_power", c.long_power,
        FieldInfo{0, 2, false, Reload::fixed, "", "The same from 30 days on."});
  visit("extended_factor", c.extended_factor,
        FieldInfo{0, 10, false, Reload::fixed, "", "Weight of the moves from -66 % to +500 %."});
  visit("dampener_usd", c.dampener_usd,
        FieldInfo{0, 1e12, false, Reload::fixed, "USD",
                  "What an extended move's loss is reduced by, for each range beyond the first."});
  visit("row_age_max", c.row_age_max,
        FieldInfo{0.1, 600, false, Reload::fixed, "s",
                  "An instrument's scenario values older than this are unknown."});
  visit("report_age_max", c.report_age_max,
        FieldInfo{0.1, 600, false, Reload::fixed, "s",
                  "An older margin report is unknown; over reconcile_interval."});
  visit("annual_move", c.annual_move,
        FieldInfo{0, 10, false, Reload::fixed, "fraction",
                  "Roll shock of an expiry's delta, per year to it."});
  visit("roll_min", c.roll_min,
        FieldInfo{0, 1, false, Reload::fixed, "fraction", "The least of it; a perpetual's."});
  visit("delta_shock_per_coin", c.delta_shock_per_coin,
        FieldInfo{0, 1, false, Reload::fixed, "1/coin",
                  "Delta shock for each coin of delta beyond the threshold."});
  visit("delta_shock_max", c.delta_shock_max,
        FieldInfo{0, 1, false, Reload::fixed, "fraction", "The most of it."});
  visit("delta_shock_threshold_usd", c.delta_shock_threshold_usd,
        FieldInfo{0, 1e12, false, Reload::fixed, "USD", "Delta that is free of it."});
  visit("maintenance_factor", c.maintenance_factor,
        FieldInfo{0, 1, false, Reload::fixed, "fraction",
                  "Maintenance over initial margin; these six are for the ladder's portfolio "
                  "margin."});
}

}  // namespace gimbal
