// What the bot says about itself: plain structs that wiring fills and the control socket prints.
// Room: ops/app (gimbalctl reads the JSON, not these structs). Cold path.
//
// JSON: one object; member names are those of the structs below, in the same order. Numbers of
// analytics are JSON numbers; prices, quantities and money are exact decimal strings. Absent
// numbers (NaN) are null. Times: *_ns are nanoseconds, *_unix_ns since 1970 UTC.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/core/units.hpp"
#include "ops/app/flatten_text.hpp"
#include "ops/app/monitor_status.hpp"

namespace gimbal {

// A scope that is not ACTIVE.
struct ScopeStatus {
  std::string scope;  // "global", "account:deribit-main", "underlying:BTC"
  std::string mode;   // "reduce" "halt" "cancel" "lock"
  bool latched{false};
  std::string reason;  // of the latch; of the global scope also why the journal cannot be kept
};

struct FeedStatusLine {
  std::string account;
  bool connected{false};
  std::uint64_t instruments_valid{0};
  std::uint64_t instruments_invalid{0};
  std::uint64_t frames{0};
  std::uint64_t events{0};
  std::uint64_t gaps{0};
  std::uint64_t malformed{0};
  std::uint64_t resyncs{0};
  std::uint64_t reconnects{0};
  std::int64_t newest_age_ns{-1};  // since the newest data, -1: none yet
};

struct GatewayStatusLine {
  std::string account;
  std::string environment;  // "sim" "test" "live"
  std::string state;        // "down" "connecting" "authenticated" "ready"
  bool cancel_on_disconnect{false};
  bool reconciled{false};
  std::int64_t reconcile_age_ns{-1};
  std::uint64_t reconnects{0};
  double rate_credits{0};  // order requests that may be sent now
  std::string poller;      // "io_uring: ..." and why
};

struct UnderlyingLine {
  std::string underlying;
  double index{0};
  double delta{0};  // coins, hedge included
  double options_delta{0};
  double gamma{0};
  double vega{0};
  double theta{0};
  double band{0};  // present half width, coins
  bool inside_band{false};
  double outside_band_worst_ms{0};
  std::string models;        // that price the held options: "svi+venue"; "none"
  double surface_age_s{-1};  // since the oldest quote of the oldest curve in use; below 0: none
  double delta_shift{0};     // coins: from Black's delta to the one that is hedged
};

struct PositionLine {
  std::string account;
  std::string instrument;
  Qty amount{};
  Price average{};
  Price mark{};
  double delta{0};
  double gamma{0};
  double vega{0};
  double theta{0};
  std::string model;  // that priced an option; "none" for the rest
};

struct OrderLine {
  std::string order;  // our id, hex
  std::string account;
  std::string instrument;
  std::string side;  // "buy" "sell"
  Price price{};
  Qty amount{};
  Qty filled{};
  std::string state;  // "sent" "working" "unknown" ...
  std::int64_t age_ns{0};
  std::string models;  // that priced the options of its underlying when it was decided
  std::string from;    // "this boot" "venue" (adopted from its picture) "journal of boot N"
};

struct MarginStatus {
  std::string account;
  std::string currency;
  Money equity{};
  Money balance{};
  Money initial_margin{};
  Money maintenance_margin{};
  Money available{};
};

// One [[strategy.liquidation]] account, in its settlement currency. NaN and infinity are null.
struct LadderLine {
  std::string account;
  std::string underlying;
  std::string currency;
  std::string state;  // "green" "amber" "red" "black"; "asleep" while nothing is armed
  bool usable{false};
  bool mismatch{false};
  bool stuck{false};
  std::uint64_t raised{0};  // first legs of pairs that alone made a health worse
  double balance{0};        // margin balance by our own arithmetic
  double maintenance{0};    // and the maintenance margin
  double health{0};         // the worse of own and venue
  double health_own{0};
  double health_venue{0};
  double sigmas{0};   // distance to liquidation, nearer side
  std::string model;  // of the own numbers
  double below{0};    // as moves of the price
  double above{0};
  std::uint64_t orders{0};
  std::uint64_t alarms{0};
};

// One [[module]].
struct ModuleLine {
  std::string module;
  std::string state;  // "live" "late" "dead" "invalid" "absent"
  bool required{false};
  bool denies{false};            // growth, by its silence
  std::uint64_t instruments{0};  // on which it has an opinion
  std::uint64_t envelopes{0};
  std::uint64_t invalid{0};
  std::uint64_t lost{0};    // events that it missed, by its own count
  std::int64_t ttl_ns{0};   // of its newest envelope
  std::int64_t age_ns{-1};  // -1: none yet
  std::uint64_t behind{0};  // events newer than those it had looked at
  std::string trouble;
};

struct LatencyStatus {
  std::string hop;  // "wire to decode", "tick to order"
  std::uint64_t count{0};
  std::int64_t p50_ns{0};
  std::int64_t p90_ns{0};
  std::int64_t p99_ns{0};
  std::int64_t p999_ns{0};
  std::int64_t max_ns{0};
  std::int64_t budget_ns{0};    // 0: none
  std::uint64_t over{0};        // times above the budget
  std::string verdict{"none"};  // of the last window: "ok" "over" "waiting"; "none": no budget
};

// What execution cost, in USD: positive is a cost, after_* a gain. Fills of one strategy or venue.
struct ExecutionLine {
  std::string of;  // "strategy:delta_hedge" "venue:deribit"
  std::uint64_t fills{0};
  std::uint64_t unpriced{0};  // left out: a price was missing
  Money traded{};
  Money shortfall{};  // fill against the mid at decision
  Money delay{};      // the part until the bytes left
  Money theory{};     // fill against the theoretical price
  Money fees{};
  Money after_1s{};
  Money after_60s{};
};

struct CounterStatus {
  std::string name;
  std::uint64_t value{0};
};

// The trading day and what a restart carried into it.
struct DayStatus {
  std::string began;           // UTC, by the venue's clock; empty: not known yet
  std::string carry;           // "none" "waiting" (for the venue's clock) "counted" "ended"
  bool held{false};            // tie_out is not acknowledged: it does not roll
  double carried_usd{0};       // of the boots before, as far as it counts
  std::uint32_t from_boot{0};  // 0: no figures were found
  double found_profit_usd{0};
  double found_peak_usd{0};
  std::int64_t kept_age_ns{-1};  // since the figures were last known to be on disk; -1: not yet
  std::uint64_t holdings_left_out{0};
  std::string trouble;  // why nothing may be armed
};

// What a restart learned of the orders of the boot before.
struct RecoveryStatus {
  std::uint32_t from_boot{0};    // whose snapshot; 0: none was found
  std::uint64_t snapshot{0};     // orders in it
  std::uint64_t tail_events{0};  // of the journal behind it
  std::uint64_t gaps{0};         // events that the journal lost there
  std::uint64_t later_boots{0};  // that kept no orders: known by their journals alone
  std::uint64_t orders{0};       // that could still live after both
  std::uint64_t refused{0};      // of them by the core
  std::uint64_t left_out{0};     // no room, or not listed any more
  std::string trouble;           // why less is known than there was
  std::string keeping;           // why the orders of this boot cannot be kept
};

struct StatusReport {
  std::string build_hash;
  std::string config_hash;
  std::uint32_t boot_epoch{0};
  std::uint32_t pid{0};
  std::int64_t uptime_ns{0};
  std::string topology;
  bool armed{false};
  std::string mode;                 // effective global mode
  std::vector<ScopeStatus> scopes;  // every scope that is not active
  bool guardian_alive{false};
  bool guardian_waived{false};  // by [runtime] guardian_required = false
  std::string guardian;         // "live" "absent" "connecting" "silent for 0.7 s"
  std::uint64_t journal_seq{0};
  std::uint64_t orders_sent{0};
  std::uint64_t orders_filled{0};
  std::uint64_t orders_rejected{0};
  std::uint64_t orders_open{0};
  std::uint64_t orders_unknown{0};
  double day_profit_usd{0};  // realised and marked since the day began (P-19)
  double day_peak_usd{0};
  DayStatus day;
  RecoveryStatus recovery;
  FlattenReport flatten;
  std::vector<GatewayStatusLine> gateways;
  std::vector<FeedStatusLine> feeds;
  std::vector<UnderlyingLine> underlyings;
  std::vector<PositionLine> positions;
  std::vector<OrderLine> orders;
  std::vector<MarginStatus> margins;
  std::vector<LadderLine> ladders;
  std::vector<ModuleLine> modules;
  std::vector<LatencyStatus> latencies;
  std::vector<ExecutionLine> execution;
  std::vector<CounterStatus> counters;
  std::vector<RefusalStatus> refusals;
  std::vector<ThreadStatusLine> threads;
  JournalStatusLine journal;
  AlertTotals alert_totals;
  std::vector<AlertStatus> alerts;
  HealthStatus health;
};

// What a kill did at one venue account.
struct KillVenueProof {
  std::string account;
  std::uint64_t live_before{0};
  std::uint64_t in_doubt_before{0};
  std::uint64_t cancels_sent{0};
  std::int64_t first_wire_ns{-1};  // after t_gate_closed; -1: nothing was sent
  std::int64_t last_wire_ns{-1};
  std::uint64_t acked{0};
  std::uint64_t still_open{0};
  std::uint64_t unknown{0};
  std::uint64_t escaped{0};  // in flight when the gate closed, or in the kernel's buffer
  std::string dead_man;      // "cancel_on_disconnect on"
};

struct KillProof {
  std::uint64_t kill_id{0};
  std::string scope;
  std::string mode;
  std::string reason;
  std::uint32_t uid{0};
  std::uint32_t gid{0};
  std::uint32_t pid{0};
  std::string exe;
  std::int64_t t_recv_unix_ns{0};
  std::int64_t gate_closed_ns{0};  // after t_recv
  std::int64_t t_gate_closed_mono_ns{
      0};  // the same moment by CLOCK_MONOTONIC, as wire frames have it
  std::vector<std::string> in_flight_orders;
  std::vector<KillVenueProof> venues;
  std::vector<PositionLine> positions;
  std::vector<UnderlyingLine> underlyings;
  std::string latch;  // file, and whether it is durable
  std::string build_hash;
  std::string config_hash;

  // Nothing open that the venues know of; and nothing unknown either.
  [[nodiscard]] bool confirmed() const noexcept;
  [[nodiscard]] bool resolved() const noexcept;
};

[[nodiscard]] std::string status_json(const StatusReport& report);
// Only one part, as {"positions":[...]}: positions (with underlyings and margins), orders, latency.
[[nodiscard]] std::string positions_json(const StatusReport& report);
[[nodiscard]] std::string orders_json(const StatusReport& report);
[[nodiscard]] std::string latency_json(const StatusReport& report);
// The array alone.
[[nodiscard]] std::string execution_json(const std::vector<ExecutionLine>& lines);
// `done`: no further line follows for this kill.
[[nodiscard]] std::string kill_json(const KillProof& proof, bool done);

}  // namespace gimbal
