// What an Event carries, by kind. Sizes are multiples of 32 bytes and asserted: they are the
// journal format. Every padding byte is a named, zeroed member, so that equal events are equal
// bytes.
#pragma once

#include <array>
#include <cstdint>
#include <type_traits>

#include "engine/core/event.hpp"
#include "engine/core/ids.hpp"
#include "engine/core/modes.hpp"
#include "engine/core/time.hpp"
#include "engine/core/units.hpp"

namespace gimbal {

// First record of a journal.
struct Boot {
  std::uint64_t build_hash{0};     // first 8 bytes of the SHA-256 of the running binary
  std::uint64_t config_hash{0};    // first 8 bytes of the SHA-256 of the config text
  std::uint32_t epoch{0};          // grows by one at every boot
  std::uint32_t vector_target{0};  // 0 scalar, 1 AVX2, 2 AVX-512 (forced by replay)
  std::uint64_t reserved{0};
};

// One level's new total amount; zero deletes. A snapshot is a BookReset followed by levels.
struct BookDelta {
  Price price{};
  Qty amount{};
  std::uint64_t change_id{0};
  Side side{Side::buy};
  std::array<std::uint8_t, 7> reserved{};
};

struct BookReset {
  std::uint64_t change_id{0};
  std::array<std::uint64_t, 3> reserved{};
};

struct Trade {
  Price price{};
  Qty amount{};
  std::uint64_t trade_seq{0};
  Side taker{Side::buy};
  std::uint8_t liquidation{0};  // 1: a liquidation order took part
  std::array<std::uint8_t, 6> reserved{};
};

// Absent numbers are `absent_nano`; a price that is absent is not zero.
inline constexpr std::int64_t absent_nano = INT64_MIN;

struct Ticker {
  Price mark{absent_nano};
  Price index{absent_nano};
  Price underlying{absent_nano};           // options: forward of the expiry; others: absent
  std::int64_t mark_iv_nano{absent_nano};  // fraction per sqrt(year) at 1e-9
  Price best_bid{absent_nano};
  Price best_ask{absent_nano};
  std::int64_t bid_iv_nano{absent_nano};
  std::int64_t ask_iv_nano{absent_nano};
  std::int64_t delta_nano{absent_nano};  // the venue's own, for checking; units of the venue
  std::int64_t gamma_nano{absent_nano};
  std::int64_t vega_nano{absent_nano};
  std::int64_t funding_8h_nano{absent_nano};  // perpetuals
};

struct IndexPrice {
  Price price{};
  UnderlyingId underlying{};
  std::array<std::uint8_t, 23> reserved{};
};

struct OrderAck {
  OrderId order{};
  Price price{};  // working price at the venue (post-only orders can be moved)
  Qty amount{};   // total working amount, filled included; positive
  Qty filled{};   // filled so far as the venue reports it
};

enum class RejectReason : std::uint8_t {
  none,
  venue,          // refused by the venue; venue_code says why; nothing is working
  throttled,      // refused by the venue's rate limit; nothing is working
  last_gate,      // stopped after approval, before the bytes: provably never sent
  local_rate,     // no rate credit: provably never sent
  expired,        // valid_until passed before the venue took it
  not_connected,  // session down before the bytes: provably never sent
  unclear,        // an answer that proves nothing: the order becomes unknown
  wrong_terms,    // refused by the venue: off its price or amount grid; nothing is working
  wrong_amount,   // a placing refused by the venue for its amount alone; nothing is working
};
// Looked at and refused: of a change that is often because the order has just ended.
constexpr bool refused_by_venue(RejectReason r) noexcept {
  return r == RejectReason::venue || r == RejectReason::wrong_terms ||
         r == RejectReason::wrong_amount;
}
// Stopped on this side of the wire: provably never sent.
constexpr bool refused_here(RejectReason r) noexcept {
  return r == RejectReason::last_gate || r == RejectReason::local_rate ||
         r == RejectReason::not_connected;
}
enum class OrderAction : std::uint8_t { place, replace, cancel };

struct OrderReject {
  OrderId order{};
  std::int32_t venue_code{0};
  RejectReason reason{RejectReason::none};
  OrderAction action{OrderAction::place};
  std::array<std::uint8_t, 18> reserved{};
};

enum class FillKind : std::uint8_t { normal, liquidation, adl, settlement };
enum class Liquidity : std::uint8_t { taker, maker };

struct Fill {
  OrderId order{};  // invalid when the order is not ours (venue-made, manual)
  TradeId trade{};
  Price price{};
  Qty amount{};    // positive
  Money fee{};     // positive is paid, negative is a rebate
  Money profit{};  // realised profit as the venue books it; absent_nano when not given
  Side side{Side::buy};
  Liquidity liquidity{Liquidity::taker};
  FillKind kind{FillKind::normal};
  std::uint8_t order_open{0};  // 1: the venue says that the order still rests after this fill
  std::array<std::uint8_t, 4> reserved{};
  Currency fee_currency{};
  Price index{absent_nano};
  Price mark{absent_nano};
  std::array<std::uint64_t, 1> tail{};
};

enum class DoneReason : std::uint8_t {
  filled,
  cancelled_by_us,
  cancelled_by_venue,  // risk, settlement, self-trade, mmp, replaced quote
  cancelled_on_disconnect,
  ioc_remainder,
  expired,
  never_arrived,  // proven absent after valid_until: the definitive negative
};
struct OrderDone {
  OrderId order{};
  Qty filled{};  // final filled amount as the venue reports it
  DoneReason reason{DoneReason::filled};
  std::array<std::uint8_t, 15> reserved{};
};

// The connector wrote the order's bytes to the socket; starts the acknowledgement clock. What it
// asked for is for who reads the journal behind a crash; the event's `exch` says until when the
// venue takes it. All zero in a cancel, and in journals from before these were told.
struct OrderSent {
  OrderId order{};
  OrderAction action{OrderAction::place};
  Side side{Side::buy};   // place
  std::uint8_t tif{0};    // place: TimeInForce
  std::uint8_t flags{0};  // order_flag
  std::array<std::uint8_t, 4> reserved{};
  Price price{};
  Qty amount{};  // total
};

struct PositionReport {
  Qty amount{};  // signed
  Price average{absent_nano};
  Price mark{absent_nano};
  std::int64_t delta_nano{absent_nano};
};

// An account's margin model at its venue. In an event it is a flag of the head.
enum class AccountMargin : std::uint8_t {
  unknown,    // the venue did not say
  standard,   // adds up over positions
  portfolio,  // the worst scenario of the whole account
};
constexpr AccountMargin account_margin(const Event& event) noexcept {
  if (event.has(event_flag::portfolio_margin)) return AccountMargin::portfolio;
  return event.has(event_flag::standard_margin) ? AccountMargin::standard : AccountMargin::unknown;
}
constexpr std::uint8_t flag_of(AccountMargin m) noexcept {
  if (m == AccountMargin::unknown) return 0;
  return m == AccountMargin::portfolio ? event_flag::portfolio_margin : event_flag::standard_margin;
}

struct MarginReport {
  Currency settlement{};
  Money equity{};
  Money balance{};
  Money margin_balance{};
  Money initial_margin{};
  Money maintenance_margin{};
  Money available{};
  std::int64_t delta_total_nano{absent_nano};  // net transaction delta of the account, coins
  std::int64_t options_delta_nano{absent_nano};
  Money options_value{};
  Money session_upl{};
  Money session_rpl{};
};

enum class FeedState : std::uint8_t { invalid, valid };
enum class FeedReason : std::uint8_t {
  none,
  connected,
  disconnected,
  malformed,
  sequence_gap,
  crossed,
  stale,
  resynced,
  overload,
  not_accepted,  // the venue left the channel out of its subscription answer
};
// Of one instrument's book when `instrument` is valid, of every channel of the session otherwise.
struct FeedStatus {
  FeedState state{FeedState::invalid};
  FeedReason reason{FeedReason::none};
  std::array<std::uint8_t, 6> reserved{};
  std::uint64_t expected{0};  // sequence_gap: the change id that should have come
  std::uint64_t found{0};
  std::uint64_t generation{0};
};

enum class GatewayState : std::uint8_t { down, connecting, authenticated, ready };
struct GatewayStatus {
  GatewayState state{GatewayState::down};
  std::uint8_t cancel_on_disconnect{0};  // 1: proven on by query
  std::array<std::uint8_t, 2> reserved{};
  std::int32_t venue_code{0};
  std::uint64_t generation{0};  // connection number in this boot
  std::array<std::uint64_t, 2> tail{};
};

struct TimerFired {
  std::uint32_t timer{0};
  std::uint32_t reserved{0};
  RecvTime due{};
  std::array<std::uint64_t, 2> tail{};
};

enum class OperatorAction : std::uint8_t { kill, arm, pause, resume, ack, flatten, stop_flatten };
inline constexpr std::size_t operator_actions = 7;
enum class OperatorSource : std::uint8_t { human, guardian, monitor, signal, sentinel, stop_page };
struct OperatorCommand {
  std::uint64_t command_id{0};
  std::uint64_t config_hash{0};  // arm: the hash that the operator expects; ack: the alert's number
  Scope scope{};
  OperatorAction action{OperatorAction::kill};
  Mode mode{Mode::cancel};
  OperatorSource source{OperatorSource::human};
  std::uint8_t flags{0};  // flatten: flatten_flag
  std::uint32_t uid{0};
  std::uint32_t gid{0};
  std::uint32_t pid{0};
  std::uint32_t subject{0};  // ack: TripCode of the alert; 0: of no trip
  Money max_loss{};          // flatten: USD it may cost
  std::uint64_t reserved2{0};
  std::array<std::uint8_t, 8> reserved3{};
};

// Adopt the side block that holds the new definition or config.
enum class SideBlockKind : std::uint16_t {
  none,
  instrument,
  config,
  reconcile,
  surface,
  margin_grid,
  risk_envelope,
  scenario_rows
};
struct SideBlockRef {
  SideBlockKind kind{SideBlockKind::none};
  std::uint16_t slot{0};
  std::uint32_t generation{0};
  std::uint32_t bytes{0};
  std::uint32_t crc32c{0};
  std::array<std::uint64_t, 2> reserved{};
};
enum class InstrumentChangeKind : std::uint8_t { invalidate, adopt, settle };
// invalidate: trading stops at once; adopt: the definition is in the side block; settle: expired at
// `delivery`.
struct InstrumentChange {
  InstrumentChangeKind change{InstrumentChangeKind::invalidate};
  std::array<std::uint8_t, 7> reserved{};
  std::uint32_t generation{0};
  std::uint16_t slot{0};
  std::uint16_t reserved1{0};
  Price delivery{absent_nano};
  std::uint32_t bytes{0};
  std::uint32_t crc32c{0};
};

// What the bot's cold side sees of the guardian: sent on every change, and never by the guardian
// itself. `live`: its heartbeat is fresh, it watches this very bot, and its own sessions could
// cancel now.
struct GuardianStatus {
  std::uint8_t live{0};
  std::array<std::uint8_t, 7> reserved{};
  std::uint64_t fires{0};  // of the guardian since it started
  std::array<std::uint64_t, 2> tail{};
};

// What an earlier boot left of the trading day, as its state file has it: one event an item, behind
// Boot, `day` first and once. Refused by the core when out of place or out of range.
//   day      a: the day's begin, ns since 1970; b: its highest profit, USD at 1e-9;
//            c: the venue's time of the newest fill that is counted in it, 0: none
//   profit   subject: owner (strategy, or the last: the account besides); a: USD at 1e-9
//   ratio    subject: underlying; group: 0 futures, 1 options; a: changes; b: maker coins at 1e-9
//   holding  of the event's instrument; subject: owner; a: signed amount; b: mark it was worth
enum class DayItem : std::uint8_t { none, day, profit, ratio, holding };
struct DayCarry {
  DayItem item{DayItem::none};
  std::uint8_t subject{0};
  std::uint8_t group{0};
  std::array<std::uint8_t, 5> reserved{};
  std::int64_t a{0};
  std::int64_t b{0};
  std::int64_t c{0};
};

// An order of an earlier boot that may still live, as that boot's journal told it: one event an
// order, behind Boot and before any session. It is held in doubt, at its worst, until the venue
// shows it or a look-up ends it. Refused by the core when out of place, out of range or known.
struct OrderCarry {
  OrderId order{};
  Price price{};
  Qty amount{};       // total, filled included
  Qty filled{};       // by distinct trades that the journal has: the venue may know of more
  Price new_price{};  // of a replace without an answer
  Qty new_amount{};   // zero when none
  ExchTime valid_until{};
  ExchTime sent{};      // on the venue's clock
  Price decision{};     // mid when it was decided; zero: not known
  Price theoretical{};  // zero: none
  Price arrival{};      // mid when its bytes left; zero: not known
  Money reserved_usd{};
  std::uint64_t venue_ref{0};
  std::uint32_t label_hash{0};  // config hash in its label
  Side side{Side::buy};
  std::uint8_t tif{0};        // TimeInForce
  std::uint8_t flags{0};      // order_flag
  std::uint8_t confirmed{0};  // 1: the venue had shown it
  std::array<std::uint64_t, 2> reserved{};
};

// Maps our monotonic clock to the venue's wall clock: exch = recv + offset, within +-uncertainty.
struct VenueClock {
  std::int64_t offset_ns{0};
  std::int64_t uncertainty_ns{0};
  std::int64_t wall_gap_ns{
      0};  // this host's wall clock minus the venue's; 0 also when not measured
  std::uint64_t reserved{0};
};

// An order that rests at the venue, found by reconciliation. Foreign when `order` is invalid.
struct OpenOrderReport {
  OrderId order{};
  Price price{};
  Qty amount{};  // total, positive
  Qty filled{};
  std::uint64_t venue_ref{0};  // hash of the venue's own id, the same over amendments
  ExchTime created{};
  Side side{Side::buy};
  std::uint8_t reduce_only{0};
  std::uint8_t post_only{0};
  std::uint8_t reserved0{0};
  std::uint32_t label_hash{0};  // config hash in its label: of the boot that sent it
  std::array<std::uint8_t, 8> reserved{};
};

enum class ReconcilePhase : std::uint8_t { begin, complete, failed };
struct ReconcileMark {
  ReconcilePhase phase{ReconcilePhase::begin};
  std::array<std::uint8_t, 3> reserved{};
  std::uint32_t open_orders{0};
  std::uint32_t positions{0};
  std::uint32_t trades{0};
  std::uint64_t generation{0};  // GatewayStatus generation it belongs to
  ExchTime as_of{};             // venue time of the answers
};

enum class LookupOutcome : std::uint8_t {
  open,
  filled,
  cancelled,
  rejected,
  absent,    // not in open orders, order history nor trades; asked after valid_until on venue time
  unproven,  // the venue did not answer, or answered before valid_until had passed
};
struct OrderLookup {
  OrderId order{};
  Qty filled{};
  Price price{absent_nano};
  LookupOutcome outcome{LookupOutcome::unproven};
  std::array<std::uint8_t, 7> reserved{};
};

static_assert(sizeof(Boot) == 32 && sizeof(BookDelta) == 32 && sizeof(BookReset) == 32);
static_assert(sizeof(Trade) == 32 && sizeof(Ticker) == 96 && sizeof(IndexPrice) == 32);
static_assert(sizeof(OrderAck) == 32 && sizeof(OrderReject) == 32 && sizeof(Fill) == 96);
static_assert(sizeof(OrderDone) == 32 && sizeof(OrderSent) == 32 && sizeof(PositionReport) == 32);
static_assert(sizeof(MarginReport) == 96 && sizeof(FeedStatus) == 32);
static_assert(sizeof(GatewayStatus) == 32 && sizeof(TimerFired) == 32);
static_assert(sizeof(OperatorCommand) == 64 && sizeof(SideBlockRef) == 32);
static_assert(sizeof(InstrumentChange) == 32 && sizeof(VenueClock) == 32);
static_assert(sizeof(OpenOrderReport) == 64 && sizeof(ReconcileMark) == 32);
static_assert(sizeof(OrderLookup) == 32 && sizeof(GuardianStatus) == 32);
static_assert(sizeof(DayCarry) == 32 && sizeof(OrderCarry) == 128);

// A journal holds their bytes: none is padding, which would be whatever was on the stack.
template <class... Payload>
inline constexpr bool without_padding = (std::has_unique_object_representations_v<Payload> && ...);
static_assert(without_padding<Boot, BookDelta, BookReset, Trade, Ticker, IndexPrice, OrderAck,
                              OrderReject, Fill, OrderDone, OrderSent, PositionReport, MarginReport,
                              FeedStatus, GatewayStatus, TimerFired, OperatorCommand, SideBlockRef,
                              InstrumentChange, VenueClock, OpenOrderReport, ReconcileMark,
                              OrderLookup, GuardianStatus, DayCarry, OrderCarry>);

// Builds a single-record event.
template <class Payload>
Event make_event(EventKind kind, VenueId venue, InstrumentId instrument, RecvTime recv,
                 ExchTime exch, const Payload& payload) noexcept {
  Event e;
  e.set_kind(kind);
  e.venue = venue;
  e.instrument = instrument;
  e.recv = recv;
  e.exch = exch;
  if constexpr (sizeof(Payload) == payload_bytes) e.put(payload);
  return e;
}

}  // namespace gimbal
