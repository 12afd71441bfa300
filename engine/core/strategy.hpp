// What a strategy sees (read only) and what it may ask for. It never makes an order: a request goes
// to the RiskGate, which answers with an Approved order or a refusal.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/core/command.hpp"
#include "engine/core/ids.hpp"
#include "engine/core/modes.hpp"
#include "engine/core/time.hpp"
#include "engine/core/trip.hpp"
#include "engine/core/units.hpp"

namespace gimbal {

inline constexpr std::size_t requests_per_step_max = 8;
inline constexpr Nanos hold_max{1'000'000'000};

// A new order wanted by a strategy. The engine snaps price and amount before the gate sees them.
struct OrderRequest {
  InstrumentId instrument{};
  StrategyId strategy{};
  Side side{Side::buy};
  TimeInForce tif{TimeInForce::immediate_or_cancel};
  std::uint8_t flags{0};
  Price limit{};
  Qty amount{};                   // positive
  std::uint64_t intent{0};        // one live or in-doubt order per intent
  Price decision_price{};         // mid when decided: the execution gap is measured from it
  std::int64_t evidence_nano{0};  // the number that caused it (residual delta), for the journal
  std::uint64_t parent{0};        // several orders of one decision share it; 0: none
  Qty parent_amount{};            // what they may sum to, positive; that of the first one counts
};

struct ReplaceRequest {
  OrderId order{};
  Price limit{};
  Qty amount{};  // new total
};

struct CancelRequest {
  OrderId order{};
};

// No growth in `scope` for `length` from now, at most `hold_max`: asked for again while it is
// wanted. Exits and hedges pass, as in a pause (P-13).
struct HoldRequest {
  Scope scope{};
  Nanos length{};
};

// Names of a config to ids, before start. Plain functions, so that the running bot, a replay and
// tests can each bring their own tables. Unknown names give invalid ids.
struct StrategyNames {
  const void* store{nullptr};
  InstrumentId (*find_instrument)(const void* store, std::string_view name){nullptr};
  UnderlyingId (*find_underlying)(const void* store, std::string_view name){nullptr};
  InstrumentId (*find_hedge)(const void* store, UnderlyingId underlying){nullptr};

  [[nodiscard]] InstrumentId instrument(std::string_view name) const {
    return find_instrument(store, name);
  }
  [[nodiscard]] UnderlyingId underlying(std::string_view name) const {
    return find_underlying(store, name);
  }
  // The configured hedge instrument of an underlying.
  [[nodiscard]] InstrumentId hedge(UnderlyingId u) const { return find_hedge(store, u); }
};

// Fixed-capacity list of requests of one call.
class Requests {
 public:
  [[nodiscard]] bool place(const OrderRequest& r) noexcept {
    if (places_ == requests_per_step_max) return false;
    place_[places_++] = r;
    return true;
  }
  [[nodiscard]] bool replace(const ReplaceRequest& r) noexcept {
    if (replaces_ == requests_per_step_max) return false;
    replace_[replaces_++] = r;
    return true;
  }
  [[nodiscard]] bool cancel(const CancelRequest& r) noexcept {
    if (cancels_ == requests_per_step_max) return false;
    cancel_[cancels_++] = r;
    return true;
  }
  [[nodiscard]] bool hold(const HoldRequest& r) noexcept {
    if (holds_ == requests_per_step_max) return false;
    hold_[holds_++] = r;
    return true;
  }
  // An alert with its numbers; it changes no mode and cancels nothing.
  [[nodiscard]] bool raise(const Trip& t) noexcept {
    if (alerts_ == alert_.size()) return false;
    alert_[alerts_++] = t;
    return true;
  }
  void clear() noexcept { places_ = replaces_ = cancels_ = holds_ = alerts_ = 0; }
  [[nodiscard]] bool empty() const noexcept {
    return places_ + replaces_ + cancels_ + holds_ + alerts_ == 0;
  }

  std::size_t places_{0};
  std::size_t replaces_{0};
  std::size_t cancels_{0};
  std::size_t holds_{0};
  std::size_t alerts_{0};
  std::array<OrderRequest, requests_per_step_max> place_{};
  std::array<ReplaceRequest, requests_per_step_max> replace_{};
  std::array<CancelRequest, requests_per_step_max> cancel_{};
  std::array<HoldRequest, requests_per_step_max> hold_{};
  std::array<Trip, 4> alert_{};
};

}  // namespace gimbal
