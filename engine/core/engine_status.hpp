// A plain picture of the engine, for a seqlock: fixed size, no pointers, copied as bytes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "engine/core/command.hpp"
#include "engine/core/day_figures.hpp"
#include "engine/core/execution_gap.hpp"
#include "engine/core/flatten.hpp"
#include "engine/core/orders.hpp"
#include "engine/core/payload.hpp"
#include "engine/core/risk/envelope_book.hpp"
#include "engine/core/risk/refusal.hpp"
#include "engine/core/vol_source.hpp"

namespace gimbal {

inline constexpr std::size_t status_positions_max = 512;
inline constexpr std::size_t status_orders_max = 128;

enum class OperatorResult : std::uint8_t {
  none,
  accepted,
  unchanged,       // the scope already had this mode or a stricter one
  waiting,         // arm: a fresh reconciliation was asked for; answered when it is in
  refused_source,  // arming is for humans
  refused_config_hash,
  refused_gateway,  // detail: venue
  refused_cancel_on_disconnect,
  refused_not_reconciled,  // detail: venue
  refused_unknown_orders,  // detail: how many
  refused_cancel_running,  // a kill has not been confirmed
  refused_open_orders,     // not own_account: more open orders allowed than one burst can cancel
  refused_clock,           // detail: venue
  refused_unsupported,
  refused_scope,
  refused_guardian,  // required by the config and not live
  refused_flatten_running,
  refused_not_cancelled,   // flatten: its scope is not in CANCEL (LOCK included)
  refused_scope_stopped,   // flatten: a wider scope is HALT or stricter; detail: ScopeLevel
  refused_other_instance,  // not acknowledged; detail: its boot epoch
  refused_tripped,         // a control latched the scope while the arm waited; detail: TripCode
  refused_day_figures,     // carried ones that make no sense; detail: how many
  refused_margin_model,    // the venue's is not the configured one; detail: underlying
};

struct OperatorAnswer {
  std::uint64_t command_id{0};
  std::uint64_t seq{0};  // event that was answered
  OperatorAction action{OperatorAction::kill};
  OperatorResult result{OperatorResult::none};
  Mode mode{Mode::halt};  // of the scope, after
  std::uint8_t reserved{0};
  std::uint32_t detail{0};
  Scope scope{};
  std::uint64_t gate_epoch{0};  // after the step of that event: the last gate's bound for an arm
};

struct PositionStatus {
  InstrumentId instrument{};
  VolSource model{VolSource::none};  // options: what priced it
  Qty amount{};
  double delta_net{0};  // coins, whole position
  Price mark{};
};

struct OrderStatus {
  OrderId id{};
  InstrumentId instrument{};
  Side side{Side::buy};
  OrderState state{OrderState::pending_new};
  Price price{};
  Qty amount{};
  Qty filled{};
  RecvTime created{};
  VolSources models{};  // that priced the options of its underlying when it was decided
  bool adopted{false};  // of an earlier boot
  bool carried{false};  // and known from its journal
  Price decision{};     // mid when decided, model's price, mid when its bytes left; 0: not known
  Price theoretical{};
  Price arrival{};
  Money reserved_usd{};
};

struct UnderlyingStatus {
  bool used{false};
  bool complete{false};  // every held instrument has a recent mark
  VolSources models{};   // that price the held options
  double sticky_delta_shift{0}, minimum_variance_shift{0};  // coins, as in RiskNumbers
  double surface_age_s{-1};  // of the oldest curve in use last; below 0: none was
  double delta_net{0}, delta_bs{0}, gamma{0}, vega{0}, theta{0};
  double residual{0};      // in the account's numeraire: zero is hedged
  double low{0}, high{0};  // residual over every outcome of open and unknown orders
  Price index{};
  Price perpetual{};
};

struct VenueStatus {
  bool used{false};
  bool reconciled{false};
  bool cancel_on_disconnect{false};
  bool clock_known{false};
  GatewayState gateway{GatewayState::down};
  std::uint64_t generation{0};
  RecvTime reconciled_at{};
  std::uint32_t foreign_orders{0};  // resting orders that are not ours
};

struct EngineCounters {
  std::uint64_t events{0};
  std::uint64_t commands{0};
  std::uint64_t commands_dropped{0};  // no room in the step's list
  std::uint64_t books_invalidated{0};
  std::uint64_t resyncs{0};
  std::uint64_t reconciles{0};
  std::uint64_t positions_corrected{0};
  std::uint64_t duplicate_fills{0};
  std::uint64_t fills{0};
  std::uint64_t foreign_fills{0};
  std::uint64_t fills_without_id{0};
  std::uint64_t delta_alarms{0};
  std::uint64_t cash_ties{0};    // balances that our own cash met
  std::uint64_t cash_alarms{0};  // and that it did not
  std::uint64_t drift_alarms{0};
  std::uint64_t unknown_instruments{0};
  std::uint64_t books_missing{0};  // instruments without a book: the pool is exhausted
  std::uint64_t cancel_rounds{0};
  std::uint64_t queries{0};
  std::uint64_t trips{0};           // raised to the cold side
  std::uint64_t trips_repeated{0};  // the same one again within a second: not raised
  std::uint64_t trips_lost{0};
  std::uint64_t stale{0};            // hedges, held options and indices that became stale
  std::uint64_t gaps{0};
  std::uint64_t crossed{0};
  std::uint64_t outliers{0};         // prices not used
  std::uint64_t lags{0};             // times that received data waited too long
  std::uint64_t late_ticks{0};       // over their budget at their step
  std::uint64_t clock_pauses{0};
  std::uint64_t unknown_fields{0};   // answers that prove nothing
  std::uint64_t configs_adopted{0};  // reloads
  std::uint64_t configs_refused{0};
  std::uint64_t day_items_refused{0};    // carried figures out of place or out of range
  std::uint64_t orders_refused{0};       // carried orders out of place, out of range or known
  std::uint64_t modules_lost{0};         // times that a risk module became late, dead or invalid
  std::uint64_t envelopes_refused{0};    // blocks that name no module
  std::uint64_t surfaces_adopted{0};     // one an expiry
  std::uint64_t surfaces_refused{0};     // blocks that are none
  std::uint64_t scenario_rows_asked{0};  // groups of up to sixteen options, and their answers
  std::uint64_t scenario_rows_taken{0};
  std::uint64_t scenario_rows_late{0};     // of an anchor that has moved since
  std::uint64_t scenario_rows_refused{0};  // blocks that are none
  std::uint64_t surface_fits_refused{0};   // the newest quotes gave no curve
};

struct EngineStatus {
  [[nodiscard]] const OperatorAnswer& answer_to(OperatorAction action) const noexcept {
    return answers[static_cast<std::size_t>(action)];
  }
  std::uint64_t seq{0};
  RecvTime now{};
  std::uint32_t epoch{0};
  Mode global{Mode::halt};
  std::uint8_t tightened_scopes{0};  // saturating count of other scopes that are not ACTIVE
  std::uint8_t cancel_jobs{0};       // kills not yet confirmed
  bool guardian_live{false};
  bool monitor_pause{false};       // growth waits for an acknowledgement (M-02)
  std::uint32_t order_counter{0};  // of the newest order id
  std::uint64_t config_hash{0};
  std::uint64_t gate_epoch{0};
  std::array<OperatorAnswer, operator_actions> answers{};  // the newest to each action
  FlattenStatus flatten{};
  OrderCounters orders{};
  EngineCounters counters{};
  std::uint64_t approved{0};
  std::array<std::uint64_t, refusals> refused{};
  Money day_profit_usd{};  // realised and marked, of everything, since the day began
  Money day_peak_usd{};
  DayFigures day{};
  std::uint32_t open_orders{0};
  std::uint32_t unknown_orders{0};
  std::uint32_t orders_shown{0};
  std::uint32_t positions_shown{0};
  std::uint32_t positions_total{0};
  std::array<UnderlyingStatus, underlyings_max> underlyings{};
  std::array<VenueStatus, venues_max> venues{};
  std::array<ModuleSeat, risk_modules_max> modules{};
  std::array<GapTotals, strategies_max> strategy_gaps{};
  std::array<GapTotals, venues_max> venue_gaps{};
  std::array<OrderStatus, status_orders_max> order{};
  std::array<PositionStatus, status_positions_max> position{};
};
static_assert(std::is_trivially_copyable_v<EngineStatus>);

}  // namespace gimbal
