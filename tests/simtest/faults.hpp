// The faults that the nemesis can inject, each by name; numbers are those of the fault catalogue
// (ops/docs/simtest.md says which of its 52 are here). One random subset with random rates a seed.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "tests/simtest/random.hpp"

namespace gimbal::simtest {

enum class Fault : std::uint8_t {
  ack_lost,
  submit_lost,
  ack_late,
  outcome_unclear,
  event_before_reply,
  fill_before_accept,
  fill_after_cancel,
  cancel_meets_fill,
  cancel_lost,
  amend_meets_fill,
  fill_twice,
  fill_without_id,
  fill_replayed,
  private_events_lost,
  feeds_skewed,
  sequence_gap,
  snapshot_late,
  stale_book,
  sequence_reset,
  bad_levels,
  silent_stall,
  half_open,
  session_cut,
  reconnect_storm,
  malformed,
  unknown_words,
  throttled,
  banned,
  dead_man_early,
  dead_man_absent,
  wall_clock_step,
  paused,
  journal_refused,
  restart,
  restart_late,
  reconciled_twice,
  liquidated,
  maintenance,
  self_trade,
  reduce_only_cut,
  manual_trade,
  second_bot,
  killed,
  control_flood,
  query_lost,
  query_error,
  query_late,
  bytes_split,
  torn_write,
  bit_flip,
  fill_before_edit_reply,
  nonce_refused,
  auto_deleveraged,
  tick_changed,
  fill_voided,
  settled,
  delisted,
  disk_failed,
  sync_lied,
  name_unresolved,
  address_changed,
  instrument_halted,
  request_late,
  count_
};
inline constexpr std::size_t faults_total = static_cast<std::size_t>(Fault::count_);
using FaultSet = std::bitset<faults_total>;

// What a rate is of.
enum class Per : std::uint8_t {
  request,  // an order message to the venue
  reply,    // an answer to one
  event,    // a private notification
  feed,     // a public frame
  query,    // a call of the query session
  login,    // a signed log-in
  second,   // simulated time
};

struct FaultRow {
  Fault fault{Fault::count_};
  std::string_view number;  // of the catalogue
  std::string_view name;    // for --fault
  Per per{Per::second};
  double rate_max{0};  // swarm: uniform up to this
  std::string_view what;
};
[[nodiscard]] std::span<const FaultRow> fault_rows() noexcept;
[[nodiscard]] const FaultRow& row_of(Fault fault) noexcept;

// "all", "swarm" (all but the hands of others), "none", or names. False with the unknown name in
// `error`.
[[nodiscard]] bool parse_faults(std::string_view text, FaultSet& out, std::string& error);
[[nodiscard]] std::string text_of(const FaultSet& faults);

struct FaultPlan {
  FaultSet on;
  std::array<double, faults_total> rate{};
};
// The seed's own swarm, cut to `allowed`: about one fault in four, each at its own rate; with a
// single fault allowed it is on. Rates do not depend on what else is on.
[[nodiscard]] FaultPlan plan_faults(std::uint64_t seed, const FaultSet& allowed) noexcept;

}  // namespace gimbal::simtest
