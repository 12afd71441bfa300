// Numbers for people, written by the hot path and turned into sentences by a cold thread.
//
// TraceRing is single producer, single consumer and of fixed capacity. The core only puts; when the
// ring is full the record is dropped and counted, so a slow reader never stops a decision.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/core/ids.hpp"
#include "engine/core/time.hpp"

namespace gimbal {

// Meaning of the four numbers a, b, c, d of a record, by id.
enum class TraceId : std::uint16_t {
  none,
  order_requested,      // order id, amount nano, limit nano, evidence nano
  order_refused,        // refusal code, limit, actual, intent
  order_state,          // order id, from, to, cause (OrderEvent)
  order_unknown,        // order id, action in doubt, age ns, 0
  order_fault,          // order id, state, event, 0
  fill_applied,         // order id, signed amount nano, price nano, position nano after
  fill_duplicate,       // order id, trade high, trade low, 0
  fill_late,            // order id, signed amount nano, state, 0
  fill_overflow,        // order id, filled nano, amount nano, 0
  book_invalid,         // FeedReason, expected, found, 0
  book_valid,           // levels bid, levels ask, 0, 0
  mode_changed,         // scope level, scope id, old mode, new mode
  operator_answer,      // command id, action, OperatorResult, detail
  cancel_round,         // scope level, scope id, attempt, orders still open
  cancel_confirmed,     // scope level, scope id, rounds, duration ns
  reconcile_begin,      // venue, generation, 0, 0
  reconcile_done,       // venue, orders adopted, orders missing, positions corrected
  position_corrected,   // before nano, after nano, 0, 0
  position_drift,       // ours nano, venue's nano, age ns, 0
  foreign_order,        // venue ref, amount nano, price nano, side
  foreign_fill,         // FillKind, signed amount nano, price nano, 0
  delta_mismatch,       // ours nano, venue's nano, tolerance nano, settlement ticker word
  instrument_changed,   // InstrumentChangeKind, generation, accepted, 0
  hedge_decided,        // residual delta nano, half-band nano, amount nano, limit nano
  hedge_waits,          // reason, residual delta nano, low nano, high nano
  hedge_stopped,        // cycles, window ns, residual delta nano, 0
  rebalance_fired,      // trigger, target nano, position nano, price nano
  gateway,              // GatewayState, cancel on disconnect, generation, venue code
  query_sent,           // order id, tries, age ns, 0
  guardian,             // live, fires of the guardian, 0, 0
  flatten,              // FlattenPhase, FlattenEnd, orders, cost nano USD
  liquidation_decided,  // health nano, distance in sigma nano, amount nano, limit nano
  margin_state,         // MarginState before, after, health nano, distance in sigma nano
  module_seen,          // number, ModuleSight, age of its newest envelope ns, envelopes taken
};

struct TraceRecord {
  std::uint64_t seq{0};
  RecvTime at{};
  TraceId id{TraceId::none};
  InstrumentId instrument{};
  VenueId venue{};
  StrategyId strategy{};
  std::uint8_t underlying{0xFF};
  std::uint8_t reserved{0};
  std::int64_t a{0}, b{0}, c{0}, d{0};
};
static_assert(sizeof(TraceRecord) == 56);

class TraceRing {
 public:
  // `capacity` is rounded up to a power of two.
  explicit TraceRing(std::size_t capacity = 16384) {
    std::size_t n = 2;
    while (n < capacity) n *= 2;
    records_.resize(n);
  }
  // Producer side.
  void put(const TraceRecord& record) noexcept {
    const std::uint64_t head = head_.load(std::memory_order_relaxed);
    if (head - tail_.load(std::memory_order_acquire) >= records_.size()) {
      dropped_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    records_[head & (records_.size() - 1)] = record;
    head_.store(head + 1, std::memory_order_release);
  }
  // Consumer side: false when there is nothing.
  [[nodiscard]] bool take(TraceRecord& out) noexcept {
    const std::uint64_t tail = tail_.load(std::memory_order_relaxed);
    if (tail == head_.load(std::memory_order_acquire)) return false;
    out = records_[tail & (records_.size() - 1)];
    tail_.store(tail + 1, std::memory_order_release);
    return true;
  }
  [[nodiscard]] std::uint64_t dropped() const noexcept {
    return dropped_.load(std::memory_order_relaxed);
  }

 private:
  std::vector<TraceRecord> records_;
  alignas(64) std::atomic<std::uint64_t> head_{0};
  alignas(64) std::atomic<std::uint64_t> tail_{0};
  std::atomic<std::uint64_t> dropped_{0};
};

}  // namespace gimbal
