// Every order of ours that may exist at a venue, and what may still come of it.
//
// Hot. Fixed memory: a slab with an open-addressing index by OrderId; no allocation, no iteration
// order that depends on addresses. Ended orders stay until their slot is needed, so that a late
// fill still finds its order.
//
//   pending_new -> live -> pending_replace | pending_cancel -> filled | cancelled | rejected
//   any of the first four -> unknown when its fate is in doubt: no answer within the
//   acknowledgement time, an answer that proves nothing, or the session lost while something was in
//   flight.
//
// UNKNOWN is left only through a definitive answer: a terminal event of the venue, an
// acknowledgement of the very action in doubt, or the venue's own lookup; never through a timer.
// Worst-case open amounts per instrument and side are kept in O(1): everything that may still be
// filled, for a replace the larger of old and new.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/core/command.hpp"
#include "engine/core/field.hpp"
#include "engine/core/order_book.hpp"
#include "engine/core/payload.hpp"
#include "engine/core/vol_source.hpp"

namespace gimbal {

inline constexpr std::size_t open_orders_max = 1024;
inline constexpr std::size_t ended_orders_kept_max = 1024;
// Of an earlier boot and not shown by the venue: beside the open ones, so that what rests always
// finds its place; they take the room of ended ones meanwhile.
inline constexpr std::size_t carried_orders_max = ended_orders_kept_max;

enum class OrderState : std::uint8_t {
  pending_new,
  live,
  pending_replace,
  pending_cancel,
  unknown,
  filled,
  cancelled,
  rejected
};
inline constexpr std::size_t order_states = 8;
constexpr bool ended(OrderState s) noexcept { return s >= OrderState::filled; }

enum class OrderEvent : std::uint8_t {
  sent,            // the connector wrote the bytes
  ack,             // confirms the action in flight
  ack_old,         // an update that does not answer the action in flight
  refused_place,   // definitive: nothing is working
  refused_change,  // definitive: the replace or cancel did not happen, the order works as before
  doubt,           // no answer in time, unclear answer, session lost, missing at the venue
  fill_part,
  fill_last,  // reaches the whole amount
  done,
  found_open,  // lookup answers
  found_ended,
  found_absent,
  unproven,
  ask_replace,  // ours
  ask_cancel,
};
inline constexpr std::size_t order_events = 15;

enum class Verdict : std::uint8_t {
  legal,    // take the next state
  ignored,  // late, repeated or refused: count it, nothing changes
  fault,    // contradicts what we know: count it, trace it, take the (more careful) next state
};
struct Transition {
  Verdict verdict{Verdict::fault};
  OrderState next{OrderState::unknown};
  friend constexpr bool operator==(const Transition&, const Transition&) = default;
};
// The whole machine: every pair has a row. `done` and `found_ended` give `cancelled`; the table
// makes that `filled` when the whole amount was filled.
[[nodiscard]] Transition transition(OrderState state, OrderEvent event) noexcept;

// Further ahead of its receipt than this no time of terms is believed: the clocks differ by
// milliseconds, and behind such a time every later word would be taken for an older one.
inline constexpr Nanos terms_ahead_max = seconds(5);
// `told`: the venue's time of what it says; `received`: the venue's clock at its receipt, zero
// where that is not known (then nothing can be said against it). Zero: not given, or not believed.
[[nodiscard]] constexpr ExchTime believed_time(ExchTime told, ExchTime received) noexcept {
  const bool ahead = received.unix_ns > 0 && told > received + terms_ahead_max;
  return told.unix_ns <= 0 || ahead ? ExchTime{} : told;
}

// What the market looked like when an order was decided, and when it left.
struct OrderDecision {
  Quote book{};         // zero: the book was not valid
  Price theoretical{};  // our model's price of an option, the venue's mark of the rest; 0: none
  Price arrival{};      // mid when the bytes left; 0: not yet
  VolSources models{};  // that priced the held options of the underlying
};

struct Order {
  OrderId id{};
  InstrumentId instrument{};
  VenueId venue{};
  UnderlyingId underlying{};
  Side side{Side::buy};
  TimeInForce tif{TimeInForce::good_til_cancelled};
  std::uint8_t flags{0};
  OrderState state{OrderState::pending_new};
  OrderAction doubt{OrderAction::place};  // what is in flight or in doubt
  bool lost{false};             // in doubt, and may have ended unseen: no refusal settles it
  bool adopted{false};          // of an earlier boot: not sent in this one
  bool carried{false};          // known from that boot's journal
  bool unseen{false};           // carried, and the venue has not shown it since
  bool uncounted{false};        // carried, and no picture has said what is filled of it
  std::uint32_t label_hash{0};  // of an adopted order: config hash in its label
  bool confirmed{false};        // the venue has shown it at least once
  bool wants_cancel{false};     // cancel it as soon as its state allows
  Price price{};
  Qty amount{};        // total, filled included
  Qty filled{};        // sum of distinct trades
  Qty venue_filled{};  // largest total the venue has reported
  Price new_price{};   // of a replace in flight or in doubt
  Qty new_amount{};    // zero when none
  // Of changes without an answer that a look-up or a picture passed by: they may come about yet, so
  // `amount` is not lowered below the largest; zero when none. The price is the last one's. Until
  // the answer, or the first picture begun after `kept_until`: a routine one is asked for within
  // [engine] reconcile_interval, and with 0 there only one that something else asks for.
  Qty kept_amount{};
  Price kept_price{};
  ExchTime kept_until{};  // none of them can come about after this
  Qty owed{};             // ended, but the venue filled more than we have seen
  ExchTime valid_until{};
  ExchTime sent_exch{};   // venue time when it was handed out
  ExchTime terms_exch{};  // venue's own time of the terms that it confirmed last
  RecvTime created{};
  RecvTime deadline{};  // answer expected by; zero when none
  RecvTime unknown_since{};
  RecvTime next_query{};
  RecvTime next_cancel{};
  RecvTime ended_at{};
  RecvTime seen_at{};  // last shown by a reconciliation
  std::uint32_t queries{0};
  std::uint8_t cancels{0};
  std::uint64_t cancel_round{0};  // round of a scope's cancel that last reached it
  std::uint64_t venue_ref{0};     // hash of the venue's own id; 0 until a picture shows it
  std::uint64_t intent{0};
  std::uint64_t parent{0};  // of its strategy; 0: none
  Price decision_price{};
  std::int64_t evidence_nano{0};
  OrderDecision decision{};
  Money reserved_usd{};  // value counted against the open-value limit

  [[nodiscard]] bool open() const noexcept { return !ended(state); }
  // The most that may still be filled; after the end, what is filled but not yet seen.
  [[nodiscard]] Qty open_amount() const noexcept {
    if (ended(state)) return owed;
    const Qty worst = new_amount > amount ? new_amount : amount;
    return worst > filled ? worst - filled : Qty{};
  }
};

// When what a picture shows of an order was true.
struct PictureTime {
  RecvTime begun{};       // it was read after this
  ExchTime begun_exch{};  // the same by the venue's clock; zero when that is not known
  ExchTime updated{};     // the venue's time of the order's terms; zero where it has none
};

// What may still be filled on one instrument; both sides positive.
struct Exposure {
  Qty live_buy{}, live_sell{};
  Qty unknown_buy{}, unknown_sell{};
  std::uint16_t open{0};  // orders that have not ended
  std::uint16_t unknown{0};
  [[nodiscard]] Qty worst_buy() const noexcept { return live_buy + unknown_buy; }
  [[nodiscard]] Qty worst_sell() const noexcept { return live_sell + unknown_sell; }
};

struct OrderConfig {
  Nanos ack_timeout{milliseconds(100)};     // silence that makes an order unknown
  Nanos query_interval{milliseconds(250)};  // between lookups of one unknown order
  Nanos unknown_pause{seconds(2)};          // unknown for longer blocks growth on its instrument
  Nanos cancel_retry{milliseconds(1)};      // first wait, see hold_back_cancel
};
template <class Visitor>
void fields(Visitor&& visit, OrderConfig& c) {
  visit("ack_timeout", c.ack_timeout,
        FieldInfo{0.001, 60, false, Reload::fixed, "s",
                  "Silence after sending that makes an order unknown."});
  visit("query_interval", c.query_interval,
        FieldInfo{0.01, 60, false, Reload::fixed, "s",
                  "Time between two lookups of one unknown order."});
  visit("unknown_pause", c.unknown_pause,
        FieldInfo{0.01, 600, false, Reload::fixed, "s",
                  "An order unknown for longer blocks growth on its instrument."});
  visit(
      "cancel_retry", c.cancel_retry,
      FieldInfo{0.0001, 10, false, Reload::fixed, "s",
                "First wait between repeated cancels, which doubles: a stop's in four rounds, one "
                "order's up to 256 times it or 1s."});
}

struct OrderCounters {
  std::uint64_t placed{0}, acknowledged{0}, rejected{0}, filled{0}, cancelled{0};
  std::uint64_t became_unknown{0}, resolved{0};
  std::uint64_t ignored{0};     // ignored (state, event) pairs
  std::uint64_t faults{0};      // faulty pairs, overfills included
  std::uint64_t late_fills{0};  // applied after the order had ended
  std::uint64_t overfills{0};   // beyond the order's amount
  std::uint64_t strangers{0};   // events for orders that are not in the table
  std::uint64_t adopted{0}, revived{0};
  std::uint64_t carried{0};  // taken from the journal of the boot before
};

// What one event did to its order; `order` is null for a stranger.
struct OrderChange {
  const Order* order{nullptr};
  OrderState before{OrderState::pending_new};
  OrderEvent event{OrderEvent::sent};
  Verdict verdict{Verdict::ignored};
  bool late{false};  // fill after the end
  bool overfill{false};
};

struct NewOrder {
  PlaceOrder place{};
  UnderlyingId underlying{};
  std::uint64_t intent{0};
  Price decision_price{};
  std::int64_t evidence_nano{0};
  Money reserved_usd{};
  std::uint64_t parent{0};
  OrderDecision decision{};
};

class OrderTable {
 public:
  explicit OrderTable(std::size_t instruments, const OrderConfig& config = {},
                      std::size_t open_max = open_orders_max);

  // --- ours. Null or false when the table is full, the id is known, or the state forbids it.
  const Order* place(const NewOrder& order, RecvTime now, ExchTime venue_now) noexcept;
  // `reserved_usd`: value of the order after the change, the larger of old and new is kept.
  bool ask_replace(const ReplaceOrder& change, Money reserved_usd, RecvTime now,
                   ExchTime venue_now) noexcept;
  bool ask_cancel(OrderId id, RecvTime now) noexcept;
  // Remembers that the order must go; the engine sends the cancel when the state allows it.
  void want_cancel(OrderId id) noexcept;

  // --- the venue's
  OrderChange on_sent(const OrderSent& sent, RecvTime now) noexcept;
  // `updated`: the venue's time of what it says (believed_time), zero where it has none. One that
  // is older than what was accepted before changes no terms: a late answer to the placing is not
  // the order after a change. At the same time, and without a time where the terms have one, the
  // larger amount stays until a picture says what it is: the routine one, [engine]
  // reconcile_interval later at most, or without routine ones the next that something else asks
  // for.
  OrderChange on_ack(const OrderAck& ack, RecvTime now, ExchTime updated = {}) noexcept;
  OrderChange on_reject(const OrderReject& reject, RecvTime now) noexcept;
  // The caller has removed duplicates by trade id.
  OrderChange on_fill(const Fill& fill, RecvTime now) noexcept;
  OrderChange on_done(const OrderDone& done, RecvTime now) noexcept;
  // `proven`: an `absent` was asked for after valid_until; otherwise it counts as unproven.
  OrderChange on_lookup(const OrderLookup& lookup, bool proven, RecvTime now) noexcept;
  // No answer came. `action`: what is now in doubt.
  OrderChange on_doubt(OrderId id, OrderAction action, RecvTime now) noexcept;
  // Its session is gone, or a full picture does not show it: in doubt, and unless it was being
  // placed it may have ended, so that no refusal of what is asked of it settles it.
  OrderChange on_lost(OrderId id, RecvTime now) noexcept;
  // Of an earlier boot: in doubt until the venue shows or ends it. Nobody asks for it before
  // note_missing(). False when the table is full or the id is known.
  bool carry(const Order& order, RecvTime now) noexcept;
  // A whole picture lacks it: from here on it is looked up.
  void note_missing(OrderId id, RecvTime now) noexcept;
  // Reconciliation shows it resting. Unknown ids of ours are adopted; null when the table is full.
  // Not for a twin whose namesake has not ended. Terms accepted from a newer word of the venue
  // stay, and a larger amount that may still come about (a change without an answer, whose time to
  // live had not passed when the picture began).
  const Order* on_open_report(const OpenOrderReport& report, InstrumentId instrument,
                              UnderlyingId underlying, VenueId venue, const PictureTime& picture,
                              RecvTime now) noexcept;
  // A twin: under the label of an order of ours that has another id at the venue, another side or
  // another instrument. It is no order of the table; what may still be filled of it counts as
  // unknown until a whole picture lacks it.
  [[nodiscard]] bool is_twin(const OpenOrderReport& report, InstrumentId instrument) const noexcept;
  void begin_twins(InstrumentId instrument) noexcept;
  void add_twin(const OpenOrderReport& report, InstrumentId instrument) noexcept;
  void end_twins(InstrumentId instrument) noexcept;
  // Position was taken from the venue: it contains what orders owed that had ended before `begun`,
  // when the picture was asked for.
  void forgive_owed(VenueId venue, RecvTime begun) noexcept;
  void note_query(OrderId id, RecvTime now) noexcept;
  void note_seen(OrderId id, RecvTime now) noexcept;
  // The market's mid when the order's bytes left; the first one stays.
  void note_arrival(OrderId id, Price mid) noexcept;
  void note_cancel_round(OrderId id, std::uint64_t round) noexcept;

  // --- reading
  [[nodiscard]] const Order* find(OrderId id) const noexcept;
  [[nodiscard]] const Exposure& exposure(InstrumentId id) const noexcept;
  [[nodiscard]] std::size_t open_count() const noexcept { return open_count_; }
  [[nodiscard]] std::size_t listed() const noexcept { return open_.size(); }
  [[nodiscard]] std::size_t unknown_count() const noexcept { return unknown_count_; }
  [[nodiscard]] std::size_t owed_count() const noexcept { return owed_count_; }
  [[nodiscard]] Money reserved_usd() const noexcept { return reserved_; }
  [[nodiscard]] Money reserved_usd(VenueId venue) const noexcept;
  // Open orders, and ended ones that still owe a fill, in an order that depends on the history
  // only. `n` below listed().
  [[nodiscard]] const Order& open_order(std::size_t n) const noexcept { return slots_[open_[n]]; }
  struct TwinAmounts {
    Qty buy{}, sell{};  // what may still be filled
  };
  [[nodiscard]] bool any_twins() const noexcept { return twinned_ > 0; }
  [[nodiscard]] TwinAmounts twins(InstrumentId id) const noexcept;
  [[nodiscard]] bool intent_open(StrategyId strategy, std::uint64_t intent) const noexcept;
  // Earliest time at which an order needs attention; RecvTime max when none does.
  [[nodiscard]] RecvTime next_due() const noexcept;
  [[nodiscard]] const OrderCounters& counters() const noexcept { return counters_; }
  [[nodiscard]] const OrderConfig& config() const noexcept { return config_; }
  [[nodiscard]] std::size_t open_max() const noexcept { return open_max_; }
  // Recomputes every sum from the orders and compares: for tests and the status command. Looks at
  // the first `instruments` only; false as well when an order is of another one.
  [[nodiscard]] bool consistent(std::size_t instruments = SIZE_MAX) const noexcept;

  // Where an order with this id would go: bring_near.hpp.
  void look_over(OrderId next) const noexcept;

 private:
  static constexpr std::uint16_t no_slot = 0xFFFF;

  [[nodiscard]] std::size_t home(OrderId id) const noexcept;
  [[nodiscard]] std::uint16_t slot_of(OrderId id) const noexcept;
  std::uint16_t take_slot() noexcept;
  void index_insert(std::uint16_t slot) noexcept;
  void index_erase(OrderId id) noexcept;
  Order* insert(const Order& order) noexcept;

  void add_share(const Order& o, int sign) noexcept;  // its part of every sum
  void list(std::uint16_t slot) noexcept;             // into or out of the dense list
  void retire(std::uint16_t slot) noexcept;
  // Applies the transition; the caller has removed the order's share of the sums.
  OrderChange step(Order& o, OrderEvent event, RecvTime now) noexcept;
  void enter(Order& o, OrderState next, RecvTime now) noexcept;
  void end_with(Order& o, Qty venue_filled, bool rejected) noexcept;
  void hold_back_cancel(Order& o, RecvTime now) const noexcept;
  // order_terms.cpp
  static void keep_larger(Order& o) noexcept;
  static void take_amount(Order& o, Qty amount, bool settled) noexcept;
  static void take_terms(Order& o, const OpenOrderReport& report,
                         const PictureTime& picture) noexcept;
  static void take_as_pictured(Order& o, Qty filled) noexcept;
  static void accept_change(Order& o, const OrderAck& ack, bool settled) noexcept;
  void revive(Order& o, const OpenOrderReport& report, InstrumentId instrument) noexcept;
  // Runs `body(order)` with the order's share taken out and put back, then keeps the lists right.
  template <class Body>
  OrderChange with(OrderId id, OrderEvent event, Body body) noexcept;

  OrderConfig config_;
  std::size_t open_max_;
  std::vector<Order> slots_;
  std::vector<std::uint16_t> open_position_;  // slot -> place in open_, no_slot when not listed
  std::vector<std::uint16_t> open_;           // dense list of open slots, and of those that owe
  std::vector<std::uint16_t> free_;
  std::vector<std::uint16_t> ended_ring_;  // ended slots, oldest first
  std::size_t ended_first_{0};
  std::size_t ended_count_{0};
  std::vector<std::uint16_t> index_;
  std::size_t index_mask_;
  std::vector<Exposure> exposure_;
  struct Twins {  // counted in exposure_, and the sums of the picture that is being taken
    Qty buy{}, sell{}, next_buy{}, next_sell{};
  };
  void count_twins(std::size_t instrument, Qty buy, Qty sell) noexcept;
  std::vector<Twins> twins_;
  std::size_t twinned_{0};  // instruments that have some
  std::array<Money, venues_max> venue_reserved_{};
  Money reserved_{};
  std::size_t open_count_{0};
  std::size_t unknown_count_{0};
  std::size_t owed_count_{0};
  std::size_t unseen_count_{0};
  OrderCounters counters_{};
};

}  // namespace gimbal
