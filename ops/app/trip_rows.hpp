// What a TripCode is called by people: control row, name, owner, sentence. Room: ops/app. Cold.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "engine/core/trip.hpp"

namespace gimbal {

struct TripRow {
  TripCode code{TripCode::none};
  std::string_view row{};             // "P-02"
  std::string_view name{};            // the enumerator's own name
  Severity severity{Severity::info};  // usual; the trip itself carries what applies
  std::string_view owner{};           // who answers: risk, desk or ops
  std::string_view sentence{};
};

// In the order of the enumeration; the first is for `none`.
inline constexpr std::array trip_rows{
    TripRow{TripCode::none, "", "none", Severity::info, "ops", "nothing"},
    TripRow{TripCode::collar_repeated, "P-01", "collar_repeated", Severity::warning, "desk",
            "orders outside the price collar, repeatedly"},
    TripRow{TripCode::price_drift, "P-02", "price_drift", Severity::warning, "desk",
            "own aggressive prices drift"},
    TripRow{TripCode::instrument_redefined, "P-05", "instrument_redefined", Severity::info, "desk",
            "the venue changed the instrument"},
    TripRow{TripCode::duplicate_order, "P-06", "duplicate_order", Severity::warning, "desk",
            "the same order twice"},
    TripRow{TripCode::cycles_repeated, "P-07", "cycles_repeated", Severity::critical, "desk",
            "orders without an improvement of the position"},
    TripRow{TripCode::position_over_limit, "P-08", "position_over_limit", Severity::critical,
            "risk", "position over its limit"},
    TripRow{TripCode::greeks_over_limit, "P-09", "greeks_over_limit", Severity::critical, "risk",
            "a Greek of the book over its limit"},
    TripRow{TripCode::greeks_stale, "P-09", "greeks_stale", Severity::warning, "desk",
            "Greeks too old: the stale bound applies"},
    TripRow{TripCode::venue_value, "P-10", "venue_value", Severity::warning, "risk",
            "aggregate value limit reached"},
    TripRow{TripCode::child_over_parent, "P-12", "child_over_parent", Severity::critical, "risk",
            "children exceed their parent's amount"},
    TripRow{TripCode::self_match, "P-14", "self_match", Severity::warning, "desk",
            "an order would have met one of ours"},
    TripRow{TripCode::greeks_insane, "P-18", "greeks_insane", Severity::warning, "desk",
            "an option's numbers are impossible"},
    TripRow{TripCode::strategy_loss, "P-19", "strategy_loss", Severity::critical, "risk",
            "loss limit of a strategy"},
    TripRow{TripCode::global_loss, "P-19", "global_loss", Severity::critical, "risk",
            "loss limit of the day"},
    TripRow{TripCode::drawdown, "P-19", "drawdown", Severity::critical, "risk", "drawdown limit"},
    TripRow{TripCode::expiry_window, "P-20", "expiry_window", Severity::info, "desk",
            "inside the expiry window"},
    TripRow{TripCode::order_to_trade_high, "T-05", "order_to_trade_high", Severity::warning, "desk",
            "order-to-trade ratio is high"},
    TripRow{TripCode::order_to_trade_limit, "T-05", "order_to_trade_limit", Severity::critical,
            "desk", "order-to-trade ratio at its limit"},
    TripRow{TripCode::strategy_denials, "S-01", "strategy_denials", Severity::critical, "desk",
            "a strategy is refused too often"},
    TripRow{TripCode::input_pauses, "Q-02", "input_pauses", Severity::critical, "desk",
            "too many pauses within an hour"},
    TripRow{TripCode::message_throttle, "T-01", "message_throttle", Severity::warning, "desk",
            "messages held back"},
    TripRow{TripCode::cancel_reserve, "T-02", "cancel_reserve", Severity::warning, "desk",
            "the cancel reserve was drawn"},
    TripRow{TripCode::retry_storm, "T-03", "retry_storm", Severity::warning, "desk",
            "cancels without an answer"},
    TripRow{TripCode::reconnect_storm, "T-04", "reconnect_storm", Severity::critical, "ops",
            "reconnections held back"},
    TripRow{TripCode::feed_stale, "Q-01", "feed_stale", Severity::warning, "desk",
            "market data stale"},
    TripRow{TripCode::sequence_gaps, "Q-02", "sequence_gaps", Severity::warning, "desk",
            "a gap in market data"},
    TripRow{TripCode::crossed_book, "Q-03", "crossed_book", Severity::warning, "desk",
            "a crossed or empty book"},
    TripRow{TripCode::outlier_price, "Q-04", "outlier_price", Severity::warning, "desk",
            "an outlier price"},
    TripRow{TripCode::receive_lag, "Q-05", "receive_lag", Severity::warning, "ops",
            "received data waits too long"},
    TripRow{TripCode::clock_offset, "Q-06", "clock_offset", Severity::critical, "ops",
            "the clock is off"},
    TripRow{TripCode::unknown_field, "Q-07", "unknown_field", Severity::warning, "ops",
            "the venue said something unknown"},
    TripRow{TripCode::margin_ratio, "L-01", "margin_ratio", Severity::critical, "risk",
            "margin ratio"},
    TripRow{TripCode::near_liquidation, "L-02", "near_liquidation", Severity::critical, "risk",
            "near liquidation"},
    TripRow{TripCode::venue_liquidation, "L-03", "venue_liquidation", Severity::critical, "risk",
            "liquidated by the venue"},
    TripRow{TripCode::venue_adl, "L-03", "venue_adl", Severity::critical, "risk",
            "deleveraged by the venue"},
    TripRow{TripCode::adl_rank, "L-04", "adl_rank", Severity::warning, "risk",
            "high in the deleveraging queue"},
    TripRow{TripCode::settlement, "L-05", "settlement", Severity::info, "desk", "settled"},
    TripRow{TripCode::order_in_doubt, "R-01", "order_in_doubt", Severity::warning, "desk",
            "an order in doubt"},
    TripRow{TripCode::position_drift, "R-03", "position_drift", Severity::critical, "risk",
            "position unlike the venue's"},
    TripRow{TripCode::foreign_order, "R-04", "foreign_order", Severity::warning, "desk",
            "an order that is not ours"},
    TripRow{TripCode::foreign_fill, "R-04", "foreign_fill", Severity::critical, "desk",
            "a fill of an order that is not ours"},
    TripRow{TripCode::order_overfilled, "R-02", "order_overfilled", Severity::critical, "risk",
            "an order filled beyond its amount"},
    TripRow{TripCode::delta_mismatch, "R-05", "delta_mismatch", Severity::warning, "risk",
            "delta unlike the venue's"},
    TripRow{TripCode::tie_out, "R-05", "tie_out", Severity::warning, "risk",
            "ledger unlike the venue's"},
    TripRow{TripCode::journal_fault, "R-06", "journal_fault", Severity::critical, "ops",
            "the journal cannot be relied on"},
    TripRow{TripCode::trips_lost, "M-01", "trips_lost", Severity::critical, "ops",
            "trips were lost"},
    TripRow{TripCode::ring_full, "M-01", "ring_full", Severity::critical, "ops",
            "a ring overflowed"},
    TripRow{TripCode::guardian_lost, "K-04", "guardian_lost", Severity::critical, "ops",
            "the guardian is gone"},
    TripRow{TripCode::dead_man, "D-01", "dead_man", Severity::critical, "ops",
            "a dead-man switch is not armed"},
    TripRow{TripCode::latch_fault, "K-03", "latch_fault", Severity::critical, "ops",
            "the latch cannot be written"},
    TripRow{TripCode::disk_full, "R-06", "disk_full", Severity::critical, "ops",
            "no room on the disk"},
    TripRow{TripCode::config_identity, "C-02", "config_identity", Severity::critical, "ops",
            "config or build is not the approved one"},
    TripRow{TripCode::config_refused, "C-03", "config_refused", Severity::warning, "ops",
            "a config change was refused"},
    TripRow{TripCode::secret_fault, "X-01", "secret_fault", Severity::critical, "ops",
            "a secret is not kept safely"},
    TripRow{TripCode::tls_refused, "X-02", "tls_refused", Severity::critical, "ops",
            "a peer's certificate was refused"},
    TripRow{TripCode::control_refused, "X-03", "control_refused", Severity::warning, "ops",
            "a control command was refused"},
    TripRow{TripCode::escalated, "M-02", "escalated", Severity::critical, "risk",
            "a critical alert was not acknowledged"},
    TripRow{TripCode::operator_stop, "K-01", "operator_stop", Severity::info, "risk",
            "stopped by hand"},
    TripRow{TripCode::thread_stalled, "M-01", "thread_stalled", Severity::critical, "ops",
            "a thread makes no progress"},
    TripRow{TripCode::other_instance, "R-04", "other_instance", Severity::critical, "risk",
            "another instance sends orders under our label"},
    TripRow{TripCode::margin_mismatch, "L-01", "margin_mismatch", Severity::warning, "risk",
            "own margin and the venue's differ"},
    TripRow{TripCode::terms_refused, "P-05", "terms_refused", Severity::warning, "desk",
            "the venue refused our tick or lot: closed until its terms are read again"},
    TripRow{TripCode::module_lost, "M-01", "module_lost", Severity::warning, "risk",
            "a risk module is late, dead or invalid: nothing may grow"},
    TripRow{TripCode::surface_stale, "Q-01", "surface_stale", Severity::warning, "desk",
            "the volatility surface is too old: the venue's volatilities are used"},
    TripRow{TripCode::surface_refused, "P-18", "surface_refused", Severity::warning, "desk",
            "no curve without arbitrage within the bar: the last good one stays until its age"},
    TripRow{TripCode::late_ticks, "Q-05", "late_ticks", Severity::critical, "ops",
            "too many ticks were older than their budget when they were decided on"},
    TripRow{TripCode::hop_slow, "M-01", "hop_slow", Severity::warning, "ops",
            "a hop's p99 is over its budget"},
    TripRow{TripCode::margin_unknown, "L-01", "margin_unknown", Severity::warning, "risk",
            "the scenarios of the account's portfolio margin are not known: nothing may grow"},
    TripRow{TripCode::orders_unread, "R-04", "orders_unread", Severity::critical, "risk",
            "more orders rest at the venue than can be read: kill does not need the list"},
    TripRow{TripCode::margin_model, "L-01", "margin_model", Severity::critical, "risk",
            "the venue's margin model is not the configured one: nothing may grow"},
    TripRow{TripCode::ladder_stuck, "L-01", "ladder_stuck", Severity::critical, "risk",
            "RED or BLACK, and nothing could be reduced"},
    TripRow{TripCode::terms_disputed, "P-05", "terms_disputed", Severity::warning, "desk",
            "orders are refused for price or amount under the terms that the venue lists"},
};

constexpr const TripRow& row_of(TripCode code) noexcept {
  const auto n = static_cast<std::size_t>(code);
  return trip_rows[n < trip_rows.size() ? n : 0];
}

// By its name; `none` for any other text.
constexpr TripCode code_of(std::string_view name) noexcept {
  for (const TripRow& row : trip_rows) {
    if (row.name == name) return row.code;
  }
  return TripCode::none;
}

constexpr std::string_view text_of(Severity s) noexcept {
  switch (s) {
    case Severity::info: return "info";
    case Severity::warning: return "warning";
    case Severity::critical: return "critical";
  }
  return "critical";
}

constexpr bool in_order() noexcept {
  for (std::size_t i = 0; i < trip_rows.size(); ++i) {
    if (static_cast<std::size_t>(trip_rows[i].code) != i) return false;
  }
  return static_cast<std::size_t>(TripCode::terms_disputed) + 1 == trip_rows.size();
}
static_assert(in_order(), "one row for each code, in the order of the codes");

}  // namespace gimbal
