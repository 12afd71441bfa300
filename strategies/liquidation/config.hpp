// [[strategy.liquidation]]: one margin account, its rates, the ladder's steps and the sizes of its
// orders. Rates and money limits have no default: the venue changes the first, the second are ours.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "engine/core/field.hpp"
#include "engine/core/payload.hpp"
#include "engine/core/time.hpp"
#include "engine/core/units.hpp"

namespace gimbal {

// The account's margin model at the venue.
enum class LadderMargin : std::uint8_t {
  standard,   // adds up over positions
  portfolio,  // the worst scenario of the whole account
};

constexpr AccountMargin venue_model(LadderMargin m) noexcept {
  return m == LadderMargin::portfolio ? AccountMargin::portfolio : AccountMargin::standard;
}

template <>
struct EnumNames<LadderMargin> {
  static constexpr std::array<EnumPair<LadderMargin>, 2> all{
      {{"standard", LadderMargin::standard}, {"portfolio", LadderMargin::portfolio}}};
};

// What the venue holds the requirement of portfolio margin against. Standard margin: always the
// margin balance.
enum class LadderBalance : std::uint8_t {
  smaller,         // not known: the smaller of the two
  margin_balance,  // cash and what futures earned
  equity,          // and what the options are worth
};

template <>
struct EnumNames<LadderBalance> {
  static constexpr std::array<EnumPair<LadderBalance>, 3> all{
      {{"smaller", LadderBalance::smaller},
       {"margin_balance", LadderBalance::margin_balance},
       {"equity", LadderBalance::equity}}};
};

struct LiquidationConfig {
  std::string underlying;        // "BTC"; venue and settlement of its hedge name the account
  double future_maintenance{0};  // rate of a future at size zero
  double future_per_coin{0};     // added to it for each coin of size
  double option_maintenance{0};  // of a short option, fraction of one coin, besides its mark
  Money slice_usd_max{};         // exposure of one order
  double amber_health{0.6};      // maintenance over margin balance, at or above
  double red_health{0.8};
  double black_health{0.95};
  double target_health{0.5};  // what a reduction stops at
  double amber_sigmas{8};     // distance to liquidation, below
  double red_sigmas{4};
  double leave_health{0.05};       // a state ends so far inside its threshold ...
  Nanos leave_after{seconds(10)};  // ... for so long
  double volatility_min{0.5};      // per sqrt(year); held options can only raise it
  Nanos horizon{seconds(60)};      // time that deleveraging takes: scales the distance
  double mismatch_max{0.01};       // own maintenance margin against the venue's, relative
  Nanos data_age_max{seconds(2)};
  Nanos report_age_max{seconds(5)};
  std::int64_t collar_bps{20};
  std::int64_t black_collar_bps{50};
  std::int64_t option_collar_bps{500};
  std::int64_t black_option_collar_bps{2000};
  Nanos interval_min{milliseconds(50)};
  Nanos stuck_max{seconds(10)};  // RED or BLACK without a reduction
  LadderMargin margin_model{LadderMargin::standard};
  LadderBalance balance{LadderBalance::smaller};
  bool hedged{false};
  double band{0.05};
};

template <class Visitor>
void fields(Visitor&& visit, LiquidationConfig& c) {
  visit("underlying", c.underlying,
        FieldInfo{1, 8, true, Reload::fixed, "", "The coin whose hedge names the account."});
  visit("future_maintenance", c.future_maintenance,
        FieldInfo{0, 1, true, Reload::fixed, "fraction", "Maintenance rate of futures."});
  visit("future_per_coin", c.future_per_coin,
        FieldInfo{0, 0.1, true, Reload::fixed, "1/coin", "Rate added for each coin of size."});
  visit("option_maintenance", c.option_maintenance,
        FieldInfo{0, 1, true, Reload::fixed, "fraction",
                  "Maintenance of a short option of one coin, besides its mark."});
  visit("slice_usd_max", c.slice_usd_max,
        FieldInfo{1, 9e9, true, Reload::fixed, "USD", "Exposure of one reducing order."});
  visit("amber_health", c.amber_health,
        FieldInfo{0.01, 1, false, Reload::fixed, "fraction",
                  "Maintenance margin over margin balance: growth is blocked."});
  visit("red_health", c.red_health,
        FieldInfo{0.01, 1, false, Reload::fixed, "fraction", "The same: positions are reduced."});
  visit("black_health", c.black_health,
        FieldInfo{0.01, 1, false, Reload::fixed, "fraction",
                  "The same: resting orders go, the wide collars hold."});
  visit("target_health", c.target_health,
        FieldInfo{0.01, 1, false, Reload::fixed, "fraction", "A reduction stops here."});
  visit("amber_sigmas", c.amber_sigmas,
        FieldInfo{0, 1000, false, Reload::fixed, "sigma",
                  "Distance to liquidation that blocks growth."});
  visit("red_sigmas", c.red_sigmas,
        FieldInfo{0, 1000, false, Reload::fixed, "sigma", "Distance that starts the reduction."});
  visit(
      "leave_health", c.leave_health,
      FieldInfo{0, 0.5, false, Reload::fixed, "fraction",
                "A state ends so far inside its threshold; the same share of the distances. So far "
                "over target_health a reduction that had arrived goes on."});
  visit("leave_after", c.leave_after,
        FieldInfo{0, 3600, false, Reload::fixed, "s", "And after so long there."});
  visit("volatility_min", c.volatility_min,
        FieldInfo{0.01, 10, false, Reload::fixed, "fraction",
                  "Volatility of the distance; held options can only raise it."});
  visit("horizon", c.horizon,
        FieldInfo{1, 86400, false, Reload::fixed, "s", "Time that deleveraging takes."});
  visit("mismatch_max", c.mismatch_max,
        FieldInfo{0.0001, 1, false, Reload::fixed, "fraction",
                  "Own maintenance margin against the venue's: more raises an alarm."});
  visit("data_age_max", c.data_age_max,
        FieldInfo{0.1, 60, false, Reload::fixed, "s", "Older data of the hedge counts as AMBER."});
  visit("report_age_max", c.report_age_max,
        FieldInfo{0.1, 600, false, Reload::fixed, "s",
                  "Older margin reports count as AMBER; keep it above reconcile_interval."});
  visit("collar_bps", c.collar_bps,
        FieldInfo{0, 1000, false, Reload::fixed, "bp",
                  "Reach beyond the opposite best in RED, futures."});
  visit("black_collar_bps", c.black_collar_bps,
        FieldInfo{0, 1000, false, Reload::fixed, "bp", "The same in BLACK."});
  visit("option_collar_bps", c.option_collar_bps,
        FieldInfo{0, 10000, false, Reload::fixed, "bp",
                  "Reach beyond the opposite best in RED, share of an option's price."});
  visit("black_option_collar_bps", c.black_option_collar_bps,
        FieldInfo{0, 10000, false, Reload::fixed, "bp", "The same in BLACK."});
  visit("interval_min", c.interval_min,
        FieldInfo{0, 60, false, Reload::fixed, "s", "Shortest time between two orders."});
  visit("stuck_max", c.stuck_max,
        FieldInfo{0.1, 3600, false, Reload::fixed, "s",
                  "RED or BLACK in which nothing could be reduced for so long raises an alarm."});
  visit("margin_model", c.margin_model,
        FieldInfo{0, 0, false, Reload::fixed, "",
                  "What the venue asks this account for; portfolio needs [scenarios]."});
  visit("balance", c.balance,
        FieldInfo{0, 0, false, Reload::fixed, "",
                  "Portfolio margin: what the venue holds the requirement against; equity has the "
                  "options' worth in it, smaller takes the worse of both."});
  visit("hedged", c.hedged,
        FieldInfo{0, 1, false, Reload::fixed, "",
                  "A delta_hedge of this coin takes the delta that a reduction leaves."});
  visit("band", c.band,
        FieldInfo{0, 1e6, false, Reload::fixed, "coins",
                  "Without one: residual delta that a reduction may leave."});
}

}  // namespace gimbal
