// RiskGate: the only maker of Approved orders.
//
// Hot. Pure arithmetic over GateContext; each check is one file of this folder. A refusal names the
// check, its limit and what was found, and is counted. The gate owns the modes: changing any of
// them advances the epoch that every approval carries.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <variant>

#include "engine/core/bring_near.hpp"
#include "engine/core/command.hpp"
#include "engine/core/modes.hpp"
#include "engine/core/risk/context.hpp"
#include "engine/core/risk/duplicate.hpp"
#include "engine/core/risk/limits.hpp"
#include "engine/core/risk/order_rate.hpp"
#include "engine/core/risk/price_drift.hpp"
#include "engine/core/risk/refusal.hpp"

namespace gimbal {

template <class Order>
using GateAnswer = std::variant<Approved<Order>, Refused>;

// What one check says of an order by itself; `check` is its type's name.
struct CheckVerdict {
  std::string_view check;
  Refused answer{};
};
inline constexpr std::size_t pure_checks_max = 32;
// Every pure check in the gate's order, none left out after a refusal. For explanations, not for
// decisions. Gives how many were written to `out`.
std::size_t pure_verdicts(const OrderFacts& order, const GateContext& context,
                          const RiskLimits& limits, std::span<CheckVerdict> out) noexcept;

// An order as it came before the gate, with what the gate looked at. `context.instrument` points
// into the engine's table.
struct JudgedOrder {
  PlaceOrder order{};
  GateContext context{};
  [[nodiscard]] OrderFacts facts() const noexcept {
    return {order.instrument, order.side,   order.tif, order.price,
            order.amount,     order.amount, false,     (order.flags & order_flag::post_only) == 0};
  }
};

class RiskGate {
 public:
  // `instruments`: ids below it are watched for price drift.
  explicit RiskGate(const RiskLimits& limits, std::size_t instruments = 64);

  // Runs every check and, when all pass, takes one rate token.
  [[nodiscard]] GateAnswer<PlaceOrder> approve(const PlaceOrder& order,
                                               const GateContext& context) noexcept;
  // `current` is the order being changed; its share of `context.exposure` stays counted.
  [[nodiscard]] GateAnswer<ReplaceOrder> approve(const ReplaceOrder& order, const Order& current,
                                                 const GateContext& context) noexcept;
  // A cancel is never refused; it draws from the whole bucket, reserve included.
  // False when the bucket was dry.
  bool note_cancel(RecvTime now, VenueId venue = {}) noexcept {
    return rate(venue).take_cancel(now);
  }
  // Orders that the throttle of the venue would let through now.
  [[nodiscard]] std::int64_t room(RecvTime now, VenueId venue) const noexcept {
    return rates_[venue.value < venues_max ? venue.value : 0].room(now);
  }
  // A refusal found before the gate (order state, full table) is counted here too.
  Refused refuse(Refused reason) noexcept;

  // True when the word changed; then the epoch has advanced.
  bool tighten(Scope scope, Mode mode) noexcept;
  // For a validated arm command only. What was approved before it stays void: also what the last
  // gate stopped without a word here.
  bool loosen(Scope scope, Mode mode) noexcept {
    drift_.forget();
    ++epoch_;
    return modes_.loosen(scope, mode);
  }
  // Without a change of mode.
  void advance_epoch() noexcept { ++epoch_; }

  [[nodiscard]] const ModeTable& modes() const noexcept { return modes_; }
  [[nodiscard]] std::uint64_t epoch() const noexcept { return epoch_; }
  [[nodiscard]] const RiskLimits& limits() const noexcept { return limits_; }
  void set_limits(const RiskLimits& limits) noexcept;
  [[nodiscard]] std::uint64_t refused(Refusal reason) const noexcept {
    return counts_[static_cast<std::size_t>(reason)];
  }
  [[nodiscard]] std::uint64_t refused_total() const noexcept;
  [[nodiscard]] std::uint64_t approved() const noexcept { return approved_; }

  // What the next order to this venue needs beside the pure checks: bring_near.hpp.
  void look_over(VenueId venue) const noexcept {
    bring_near(rates_[venue.value < venues_max ? venue.value : 0]);
    bring_near(&epoch_, sizeof epoch_ + sizeof approved_);
    bring_near(limits_);
    duplicates_.look_over();
  }

 private:
  [[nodiscard]] Refused check(const OrderFacts& order, const GateContext& context) noexcept;
  [[nodiscard]] OrderRate& rate(VenueId venue) noexcept {
    return rates_[venue.value < venues_max ? venue.value : 0];
  }

  RiskLimits limits_;
  ModeTable modes_{};
  std::array<OrderRate, venues_max> rates_;
  DuplicateGuard duplicates_;
  PriceDrift drift_;
  std::uint64_t epoch_{1};
  std::uint64_t approved_{0};
  std::array<std::uint64_t, refusals> counts_{};
};

}  // namespace gimbal
