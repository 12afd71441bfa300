// A control that tripped: what it was, what it did, and the numbers that made it.
//
// The core makes trips (EngineCore::trip) and emits each as a `raise` command, so that a replay
// proves them; the cold side keeps them with owner, text and acknowledgement (ops/app). Sources on
// the cold side use the same codes. Fixed size, trivially copyable, no text.
#pragma once

#include <array>
#include <cstdint>
#include <type_traits>

#include "engine/core/ids.hpp"
#include "engine/core/modes.hpp"
#include "engine/core/time.hpp"

namespace gimbal {

enum class Severity : std::uint8_t { info, warning, critical };

// Numbers are part of the command digest and of the alert file: append, never reorder. Beside each:
// the control row, then what `limit`, `actual` and `evidence` are.
enum class TripCode : std::uint16_t {
  none,
  // Pre-trade controls.
  collar_repeated,       // P-01: refusals allowed, refusals, window ns
  price_drift,           // P-02: limit bp, drift bp, own price nano
  instrument_redefined,  // P-05: generation, change kind, 0
  duplicate_order,       // P-06: window ns, age ns, intent
  cycles_repeated,       // P-07: cycles allowed, cycles, residual delta nano
  position_over_limit,   // P-08: limit lots, position lots, 0
  greeks_over_limit,     // P-09: limit nano, actual nano, which (GreekKind)
  greeks_stale,          // P-09: age limit ns, age ns, 0
  venue_value,           // P-10: limit nano USD, value nano USD, 0
  child_over_parent,     // P-12: parent amount nano, children nano, intent
  self_match,            // P-14: 0, 1, 0
  greeks_insane,         // P-18: bound nano, value nano, which (GreekKind)
  strategy_loss,         // P-19: limit nano USD, loss nano USD, day
  global_loss,           // P-19: limit nano USD, loss nano USD, day
  drawdown,              // P-19: limit nano USD, drawdown nano USD, peak nano USD
  expiry_window,         // P-20: window ns, time to expiry ns, 0
  order_to_trade_high,   // T-05: limit permille, ratio permille, messages
  order_to_trade_limit,  // T-05: limit permille, ratio permille, messages
  strategy_denials,      // S-01: refusals allowed, refusals, window ns
  input_pauses,          // section 4, PAUSE: pauses allowed in an hour, pauses, 0
  // Throttles.
  message_throttle,  // T-01
  cancel_reserve,    // T-02
  retry_storm,       // T-03
  reconnect_storm,   // T-04
  // Data quality.
  feed_stale,     // limit ns, age ns, hedge's number, or how many options, or -1: the index
  sequence_gaps,  // gaps allowed in a minute, gaps, 0
  crossed_book,   // 0, 1, change id
  outlier_price,  // limit bp, distance bp, price nano
  receive_lag,    // limit ns, waited ns, event kind
  clock_offset,   // limit ns, wall minus venue ns, uncertainty ns
  unknown_field,  // 0, the venue's code, order id
  // Margin and venue-made events.
  margin_ratio,       // L-01: threshold nano, health nano, distance in sigma nano
  near_liquidation,   // L-02: threshold in sigma nano, distance in sigma nano, health nano
  venue_liquidation,  // L-03: 0, signed amount nano, price nano
  venue_adl,          // L-03: 0, signed amount nano, price nano
  adl_rank,           // L-04
  settlement,         // L-05: 0, position settled nano, delivery price nano
  // Recovery and tie-out.
  order_in_doubt,    // limit ns, age ns, order id
  position_drift,    // ours nano, venue's nano, age ns
  foreign_order,     // 0, amount nano, venue reference
  foreign_fill,      // 0, signed amount nano, price nano
  order_overfilled,  // amount nano, filled nano, order id
  delta_mismatch,    // ours nano, venue's nano, tolerance nano
  tie_out,           // own cash nano, venue's nano, currency's letters << 32 | fills
  journal_fault,
  // Process and host.
  trips_lost,       // room for trips, 0, 0: the core could not hand a trip over
  ring_full,        // a ring that must not drop was full
  guardian_lost,    // K-04
  dead_man,         // D-01 to D-06
  latch_fault,      // K-03
  disk_full,        //
  config_identity,  // C-02
  config_refused,   // C-03
  secret_fault,
  tls_refused,
  control_refused,
  escalated,        // M-02: limit ns, age ns, alert number
  operator_stop,    // K-01: a stop by hand, sentinel or signal
  thread_stalled,   // health: a pinned thread or the core makes no progress
  other_instance,   // our boot epoch, the other's, order id
  margin_mismatch,  // L-01: the venue's maintenance margin nano, ours nano, tolerance nano
  terms_refused,    // P-05: 0, the venue's code, order id
  module_lost,      // risk module: its ttl ns, age of its newest envelope ns, its number
  surface_stale,    // age limit ns, age ns, how many held options
  surface_refused,  // P-18: error allowed nano, error nano, which (SurfaceVerdict)
  late_ticks,       // budget ns, worst age ns, late ticks << 32 | ticks of the window
  hop_slow,         // M-01: budget ns, p99 ns of the window, over << 32 | rows of the window
  margin_unknown,   // L-01: wait ns, time without scenarios ns, own standard margin's health nano
  orders_unread,    // orders a reply is read with, at least one more, such replies so far
  margin_model,     // L-01: configured, the venue's (AccountMargin), 0
  ladder_stuck,     // L-01: wait ns, time without a reduction ns, health nano
  terms_disputed,   // P-05: pause ns, the venue's code, order id
};

struct Trip {
  TripCode code{TripCode::none};
  Severity severity{Severity::warning};
  bool latched{false};      // needs a human to arm the scope again
  bool cancels{false};      // the offender's own open orders are cancelled (those in `scope`)
  Mode mode{Mode::active};  // resulting mode of the scope; active: alert only
  StrategyId strategy{};    // 0xFF: none
  VenueId venue{0xFF};      // 0xFF: none
  std::array<std::uint8_t, 2> reserved{};
  Scope scope{};
  InstrumentId instrument{};
  std::int64_t limit{0};  // in the unit of the row
  std::int64_t actual{0};
  std::int64_t evidence{0};  // the row's third number
  std::uint64_t seq{0};      // event at which it tripped; 0: a source outside of the core
  RecvTime at{};
};
static_assert(std::is_trivially_copyable_v<Trip> && sizeof(Trip) == 56);
static_assert(std::has_unique_object_representations_v<Trip>);

}  // namespace gimbal
