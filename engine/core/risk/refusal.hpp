// Why an order did not pass, as numbers: the limit, what was found, and nothing to format.
#pragma once

#include <cstddef>
#include <cstdint>

namespace gimbal {

// Numbers are part of the trace format: append, never reorder.
enum class Refusal : std::uint8_t {
  none,
  malformed,          // amount or price not positive, unknown instrument, empty owner
  halted,             // effective mode is HALT or stricter
  paused,             // growth is blocked: invalid input, unknown order, unclear position
  not_reconciled,     // no clean picture of the venue since the last connection
  gateway_down,       // private session not ready
  clock_unknown,      // no venue clock: valid_until cannot be given
  instrument_closed,  // invalid, settled or not listed
  off_tick,
  off_lot,  // not a multiple of the lot, or below the minimum
  order_lots,
  order_usd,
  open_usd,
  venue_open_usd,
  price_collar,
  mark_stale,
  index_stale,
  position_limit,
  delta_limit,
  delta_unknown,  // the underlying's risk is incomplete or stale
  gamma_limit,
  vega_limit,
  open_orders,
  order_rate,
  duplicate,
  intent_open,  // an order of the same intent is live or unknown
  reduce_rule,
  self_match,
  market_order,  // fill or kill and unpriced orders are off
  overflow,
  order_state,  // replace: the order cannot be changed now
  table_full,
  no_owner,           // the order names no strategy
  duplicate_room,     // more orders within the duplicate window than can be remembered
  price_drift,        // own aggressive prices moved too far within the window
  gross_delta_limit,  // sum of absolute deltas of the underlying
  option_insane,      // an option's numbers are impossible
  expiry_window,      // too near to the option's settlement
  parent_amount,      // children would exceed their parent
  module_late,        // a risk module is late, dead or invalid: nothing may grow
  module_veto,        // a risk module forbids growth or this side
  module_limit,       // more than a risk module lets be bought or sold
  scenario_loss,      // the account's worst scenario would be over its limit
  scenario_unknown,   // its numbers are missing or too old
  tick_late,          // growth on a tick that was older than its budget
};
inline constexpr std::size_t refusals = 45;

struct Refused {
  Refusal reason{Refusal::none};
  std::int64_t limit{0};  // in the unit of the check
  std::int64_t actual{0};
  friend constexpr bool operator==(const Refused&, const Refused&) = default;
};

}  // namespace gimbal
