// What the core asks the outside to do. At most 16 a step; placing and replacing only as Approved.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

#include "engine/core/ids.hpp"
#include "engine/core/modes.hpp"
#include "engine/core/time.hpp"
#include "engine/core/trip.hpp"
#include "engine/core/units.hpp"

namespace gimbal {

inline constexpr std::size_t commands_per_step_max = 16;

enum class TimeInForce : std::uint8_t { good_til_cancelled, immediate_or_cancel, fill_or_kill };

namespace order_flag {
inline constexpr std::uint8_t post_only = 1;  // always with reject_post_only: never re-priced
inline constexpr std::uint8_t reduce_only = 2;
// Set by the gate on orders approved under REDUCE: the last gate lets only these through there.
inline constexpr std::uint8_t reduces = 4;
// Set on the slices of a FLATTEN: the last gate lets them through the CANCEL of the job's own
// scope.
inline constexpr std::uint8_t flattens = 8;
}  // namespace order_flag

struct PlaceOrder {
  OrderId order{};
  Price price{};           // on the instrument's tick schedule
  Qty amount{};            // positive, a multiple of the lot
  ExchTime valid_until{};  // the venue refuses later arrival
  InstrumentId instrument{};
  VenueId venue{};
  Side side{Side::buy};
  TimeInForce tif{TimeInForce::immediate_or_cancel};
  std::uint8_t flags{0};
};

struct ReplaceOrder {
  OrderId order{};
  Price price{};
  Qty amount{};  // new total, filled included
  ExchTime valid_until{};
  InstrumentId instrument{};
  VenueId venue{};
  std::uint8_t flags{0};
};

struct CancelOrder {
  OrderId order{};
  InstrumentId instrument{};
  VenueId venue{};
  bool adopted{false};          // sent by an earlier boot, whose label it carries
  std::uint32_t label_hash{0};  // of an adopted order: config hash in that label
};

struct CancelAll {
  Scope scope{};
  VenueId venue{};  // one command per venue
};

struct ArmTimer {
  std::uint32_t timer{0};
  RecvTime due{};
};

struct Resync {
  InstrumentId instrument{};
  VenueId venue{};
};

// Fetch open orders, positions, margin and the trades since the last known one, on the query
// session.
struct Reconcile {
  VenueId venue{};
  std::uint64_t generation{0};
  TradeId last_trade{};
};

// Ask the venue what became of an order, by label.
struct QueryOrder {
  OrderId order{};
  ExchTime valid_until{};  // absence proves nothing before this
  ExchTime sent{};
  InstrumentId instrument{};
  VenueId venue{};
};

class RiskGate;

// An order that every control let through. Only RiskGate makes one; it moves, never copies, and is
// void once `expires` passed. The gate's epoch says what it was judged under: a mode that tightens
// meanwhile reaches the sender by its own gate page, and an arm voids there what is older than it.
template <class Order>
class Approved {
 public:
  Approved(const Approved&) = delete;
  Approved& operator=(const Approved&) = delete;
  Approved(Approved&&) noexcept = default;
  Approved& operator=(Approved&&) noexcept = default;

  const Order& operator*() const noexcept { return order_; }
  const Order* operator->() const noexcept { return &order_; }
  [[nodiscard]] std::uint64_t gate_epoch() const noexcept { return gate_epoch_; }
  [[nodiscard]] RecvTime expires() const noexcept { return expires_; }

 private:
  friend class RiskGate;
  friend class Command;
  Approved() noexcept = default;
  Approved(const Order& order, std::uint64_t gate_epoch, RecvTime expires) noexcept
      : order_{order}, gate_epoch_{gate_epoch}, expires_{expires} {}

  Order order_{};
  std::uint64_t gate_epoch_{0};
  RecvTime expires_{};
};

enum class CommandKind : std::uint8_t {
  none,
  place,
  replace,
  cancel,
  cancel_all,
  arm_timer,
  resync,
  reconcile,
  query_order,
  raise  // a control tripped: to the cold side
};

// A tagged union with one member per kind, flat so that it can cross a ring by move.
class Command {
 public:
  Command() noexcept : kind_{CommandKind::none}, none_{} {}
  explicit Command(Approved<PlaceOrder>&& c) noexcept
      : kind_{CommandKind::place}, place_{std::move(c)} {}
  explicit Command(Approved<ReplaceOrder>&& c) noexcept
      : kind_{CommandKind::replace}, replace_{std::move(c)} {}
  explicit Command(const CancelOrder& c) noexcept : kind_{CommandKind::cancel}, cancel_{c} {}
  explicit Command(const CancelAll& c) noexcept : kind_{CommandKind::cancel_all}, cancel_all_{c} {}
  explicit Command(const ArmTimer& c) noexcept : kind_{CommandKind::arm_timer}, timer_{c} {}
  explicit Command(const Resync& c) noexcept : kind_{CommandKind::resync}, resync_{c} {}
  explicit Command(const Reconcile& c) noexcept : kind_{CommandKind::reconcile}, reconcile_{c} {}
  explicit Command(const QueryOrder& c) noexcept : kind_{CommandKind::query_order}, query_{c} {}
  explicit Command(const Trip& c) noexcept : kind_{CommandKind::raise}, trip_{c} {}
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;
  Command(Command&& other) noexcept : kind_{CommandKind::none}, none_{} { take(other); }
  Command& operator=(Command&& other) noexcept {
    take(other);
    return *this;
  }
  ~Command() = default;

  [[nodiscard]] CommandKind kind() const noexcept { return kind_; }
  // Each accessor is valid for its own kind only.
  [[nodiscard]] const Approved<PlaceOrder>& place() const noexcept { return place_; }
  [[nodiscard]] const Approved<ReplaceOrder>& replace() const noexcept { return replace_; }
  [[nodiscard]] const CancelOrder& cancel() const noexcept { return cancel_; }
  [[nodiscard]] const CancelAll& cancel_all() const noexcept { return cancel_all_; }
  [[nodiscard]] const ArmTimer& timer() const noexcept { return timer_; }
  [[nodiscard]] const Resync& resync() const noexcept { return resync_; }
  [[nodiscard]] const Reconcile& reconcile() const noexcept { return reconcile_; }
  [[nodiscard]] const QueryOrder& query_order() const noexcept { return query_; }
  [[nodiscard]] const Trip& raise() const noexcept { return trip_; }

 private:
  void take(Command& other) noexcept {
    kind_ = other.kind_;
    switch (kind_) {
      case CommandKind::none: none_ = {}; break;
      case CommandKind::place: new (&place_) Approved<PlaceOrder>{std::move(other.place_)}; break;
      case CommandKind::replace:
        new (&replace_) Approved<ReplaceOrder>{std::move(other.replace_)};
        break;
      case CommandKind::cancel: new (&cancel_) CancelOrder{other.cancel_}; break;
      case CommandKind::cancel_all: new (&cancel_all_) CancelAll{other.cancel_all_}; break;
      case CommandKind::arm_timer: new (&timer_) ArmTimer{other.timer_}; break;
      case CommandKind::resync: new (&resync_) Resync{other.resync_}; break;
      case CommandKind::reconcile: new (&reconcile_) Reconcile{other.reconcile_}; break;
      case CommandKind::query_order: new (&query_) QueryOrder{other.query_}; break;
      case CommandKind::raise: new (&trip_) Trip{other.trip_}; break;
    }
    other.kind_ = CommandKind::none;
  }

  CommandKind kind_;
  union {
    char none_;
    Approved<PlaceOrder> place_;
    Approved<ReplaceOrder> replace_;
    CancelOrder cancel_;
    CancelAll cancel_all_;
    ArmTimer timer_;
    Resync resync_;
    Reconcile reconcile_;
    QueryOrder query_;
    Trip trip_;
  };
};

// The output of one step. `push` refuses when full and counts it; the engine keeps room for the
// commands that reduce risk.
class Commands {
 public:
  [[nodiscard]] bool push(Command&& c) noexcept {
    if (size_ == commands_per_step_max) {
      ++refused_;
      return false;
    }
    items_[size_++] = std::move(c);
    return true;
  }
  void clear() noexcept { size_ = 0; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t room() const noexcept { return commands_per_step_max - size_; }
  [[nodiscard]] std::uint64_t refused() const noexcept { return refused_; }
  [[nodiscard]] Command& operator[](std::size_t i) noexcept { return items_[i]; }
  [[nodiscard]] const Command& operator[](std::size_t i) const noexcept { return items_[i]; }
  Command* begin() noexcept { return items_.data(); }
  Command* end() noexcept { return items_.data() + size_; }

 private:
  std::array<Command, commands_per_step_max> items_{};
  std::size_t size_{0};
  std::uint64_t refused_{0};
};

// A running 64-bit digest over the commands' fields in a fixed order: what replay compares.
class CommandDigest {
 public:
  void add(const Command& c) noexcept;
  [[nodiscard]] std::uint64_t value() const noexcept { return state_; }
  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }

 private:
  void mix(std::uint64_t word) noexcept {
    state_ = (state_ ^ word) * 0x9e3779b97f4a7c15ULL;
    state_ ^= state_ >> 32;
  }
  std::uint64_t state_{0x67696d62616c0001ULL};
  std::uint64_t count_{0};
};

}  // namespace gimbal
