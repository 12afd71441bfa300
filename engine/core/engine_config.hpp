// What the engine is built from: its table of the config file, and what wiring knows besides.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/core/field.hpp"
#include "engine/core/ids.hpp"
#include "engine/core/order_book.hpp"
#include "engine/core/orders.hpp"
#include "engine/core/payload.hpp"
#include "engine/core/portfolio.hpp"
#include "engine/core/pricing.hpp"
#include "engine/core/quality/budget_limits.hpp"
#include "engine/core/quality/quality_limits.hpp"
#include "engine/core/risk/envelope_book.hpp"
#include "engine/core/risk/limits.hpp"
#include "engine/core/risk/scenario_rows.hpp"
#include "engine/core/risk/scenarios.hpp"
#include "engine/core/time.hpp"
#include "engine/core/trace_sink.hpp"

namespace gimbal {

// [engine]
struct EngineConfig {
  Nanos order_ttl{milliseconds(500)};            // valid_until = the venue's now plus this
  Nanos tick{milliseconds(100)};                 // longest time between two looks at the clock
  Nanos reconcile_age_max{seconds(5)};           // arming needs a clean picture younger than this
  Nanos reconcile_timeout{seconds(10)};          // no answer: asked again
  Nanos reconcile_interval{milliseconds(2500)};  // a picture without another reason; 0: never
  Nanos drift_wait{seconds(2)};                  // position unlike the venue's for longer: REDUCE
  Nanos pause_hold{seconds(3)};             // an input must be valid this long to end its pause
  std::uint32_t pauses_per_hour_max{5};     // more than that latch REDUCE
  double delta_tolerance{0.001};            // coins: our delta_total against the venue's
  double cash_unit{1e-8};                   // of the currency: the smallest that the venue books
  Nanos tie_out_wait{seconds(2)};           // balance unlike ours for longer: tie_out
  Nanos settlement_at{seconds(28'800)};     // after midnight UTC: the venue books the session
  Nanos settlement_length{seconds(600)};    // balances of this time are compared with nothing
  bool require_cancel_on_disconnect{true};  // arming needs it proven on
  std::uint32_t delta_one_books{64};  // books of futures and perpetuals, listed later included
  std::uint32_t option_books{2048};
  std::uint32_t delta_one_levels{static_cast<std::uint32_t>(delta_one_levels_max)};
  std::uint32_t option_levels{static_cast<std::uint32_t>(option_levels_max)};
  std::uint32_t trade_ids_kept{65536};
  OrderConfig orders{};
};

template <class Visitor>
void fields(Visitor&& visit, EngineConfig& c) {
  visit("order_ttl", c.order_ttl,
        FieldInfo{0.01, 60, false, Reload::fixed, "s",
                  "Life of an order on its way: the venue refuses later arrival."});
  visit("tick", c.tick,
        FieldInfo{0.001, 1, false, Reload::fixed, "s",
                  "Longest time between two looks at the clock."});
  visit("reconcile_age_max", c.reconcile_age_max,
        FieldInfo{0.1, 60, false, Reload::fixed, "s", "Age of the picture that arming needs."});
  visit(
      "reconcile_timeout", c.reconcile_timeout,
      FieldInfo{0.1, 600, false, Reload::fixed, "s", "Reconciliation without answer is repeated."});
  visit("reconcile_interval", c.reconcile_interval,
        FieldInfo{0, 600, false, Reload::fixed, "s",
                  "A fresh picture this often, for what no message told; 0: never."});
  visit("drift_wait", c.drift_wait,
        FieldInfo{0.1, 60, false, Reload::fixed, "s",
                  "Position unlike the venue's for longer: REDUCE on the instrument."});
  visit(
      "pause_hold", c.pause_hold,
      FieldInfo{0, 60, false, Reload::fixed, "s", "Time an input must be valid to end its pause."});
  visit("pauses_per_hour_max", c.pauses_per_hour_max,
        FieldInfo{1, 1000, false, Reload::fixed, "", "More pauses of an instrument latch REDUCE."});
  visit("delta_tolerance", c.delta_tolerance,
        FieldInfo{1e-9, 1e6, false, Reload::fixed, "coins",
                  "Own delta against the venue's: beyond it an alarm is traced."});
  visit("cash_unit", c.cash_unit,
        FieldInfo{0, 1, false, Reload::fixed, "currency",
                  "Smallest amount the venue books; tie_out allows one a fill. 0: no tie-out."});
  visit("tie_out_wait", c.tie_out_wait,
        FieldInfo{0.1, 600, false, Reload::fixed, "s",
                  "Balance unlike our own cash for longer, after a picture: tie_out."});
  visit("settlement_at", c.settlement_at,
        FieldInfo{0, 86399, false, Reload::fixed, "s",
                  "When the venue books the session's profit, after midnight UTC."});
  visit("settlement_length", c.settlement_length,
        FieldInfo{0, 7200, false, Reload::fixed, "s",
                  "Balances are compared anew this long after settlement_at; 0: there is none."});
  visit("require_cancel_on_disconnect", c.require_cancel_on_disconnect,
        FieldInfo{0, 1, false, Reload::fixed, "", "Arming needs cancel on disconnect proven on."});
  visit("delta_one_books", c.delta_one_books,
        FieldInfo{1, 4096, false, Reload::fixed, "books",
                  "Books of futures, later listings included."});
  visit("option_books", c.option_books,
        FieldInfo{0, 16384, false, Reload::fixed, "books",
                  "Books of options, later listings included."});
  visit("delta_one_levels", c.delta_one_levels,
        FieldInfo{16, 8192, false, Reload::fixed, "levels", "Levels a side of a future's book."});
  visit("option_levels", c.option_levels,
        FieldInfo{16, 8192, false, Reload::fixed, "levels", "Levels a side of an option's book."});
  visit("trade_ids_kept", c.trade_ids_kept,
        FieldInfo{1024, 16777216, false, Reload::fixed, "ids",
                  "Trade ids remembered against duplicates."});
  fields(visit, c.orders);
}

// Immutable blocks by slot and generation (architecture, section 3). A plain function, so that
// production, replay and tests can each bring their own store.
struct SideBlocks {
  const void* store{nullptr};
  // The block's bytes; empty when there is no such generation in the slot.
  std::span<const std::byte> (*find)(const void* store, std::uint16_t slot,
                                     std::uint32_t generation) noexcept {nullptr};

  [[nodiscard]] std::span<const std::byte> bytes(std::uint16_t slot,
                                                 std::uint32_t generation) const noexcept {
    return find == nullptr ? std::span<const std::byte>{} : find(store, slot, generation);
  }
};

// What a flat book means: `coin` keeps the coin value (sum of net deltas is zero), `usd` keeps the
// USD value (equity plus that sum is zero).
enum class Numeraire : std::uint8_t { unset, coin, usd };

struct UnderlyingSetup {
  InstrumentId hedge{};  // for P-13 (b); its book also moves the forwards if a perpetual
  Numeraire numeraire{Numeraire::coin};
  Currency settlement{};  // account whose equity counts under `usd`
  VenueId venue{};
  std::int64_t order_to_trade_max{0};  // changes per coin of maker volume a day (T-05); 0: off
  // What a ladder takes the account's margin model for; the venue saying otherwise refuses an arm.
  AccountMargin margin{AccountMargin::unknown};
};

struct EngineSetup {
  EngineConfig engine{};
  RiskLimits limits{};
  QualityLimits quality{};
  BudgetLimits budget{};
  PortfolioConfig portfolio{};
  ScenarioConfig scenarios{};
  std::array<UnderlyingSetup, underlyings_max> underlyings{};
  std::array<bool, venues_max> own_account{};  // dedicated account: mass cancels are allowed
  std::array<bool, venues_max> venue_used{};   // sessions that must be ready before arming
  bool guardian_required{false};               // arming needs a live guardian
  Nanos guardian_loss{seconds(2)};             // armed and without it for longer: REDUCE
  ModuleSetups modules{};                      // risk modules, from the first on
  SideBlocks blocks{};
  ScenarioDesk scenario_desk{};  // without one no row of [scenarios] is ever priced
  TraceRing* trace{nullptr};     // may be null
  PricingKernels kernels{scalar_pricing()};
};

}  // namespace gimbal
