// Where the core's commands go: orders to the order session, look-ups and pictures to the query
// thread, trips to the last gate and the cold side.
//
// Hot. A full ring of orders or trips is an integrity fault: the last gate closes.
// Room: ops/app (wiring).
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#include "engine/core/command.hpp"
#include "engine/runtime/gate_page.hpp"
#include "engine/runtime/ring.hpp"
#include "engine/runtime/sequencer.hpp"
#include "ops/app/alert_ring.hpp"

namespace gimbal {

// A look-up or a reconciliation for the query thread; trivially copyable.
struct QueryTask {
  CommandKind kind{CommandKind::none};
  Reconcile reconcile{};
  QueryOrder query{};
};

using QueryRing = SpscRing<QueryTask>;
using ResyncRing = SpscRing<InstrumentId>;

// Where commands go. `Desk` has execute(Command&&) -> bool; `Resyncs` has resync(InstrumentId).
template <class Desk, class Resyncs>
class Router {
 public:
  Router(Desk& desk, Resyncs& resyncs, QueryRing& queries, GateCloser& closer, AlertRing& alerts)
      : desk_{desk}, resyncs_{resyncs}, queries_{queries}, closer_{closer}, alerts_{alerts} {}

  void command(Command&& c) noexcept {
    switch (c.kind()) {
      case CommandKind::place:
      case CommandKind::replace:
      case CommandKind::cancel:
      case CommandKind::cancel_all:
        if (!desk_.execute(std::move(c))) halt();  // a full order ring is an integrity fault
        return;
      case CommandKind::resync: return resyncs_.resync(c.resync().instrument);
      case CommandKind::reconcile:
        // A full ring is not lost: the core asks again when no answer comes.
        (void)queries_.push(QueryTask{c.kind(), c.reconcile(), {}});
        return;
      case CommandKind::query_order:
        (void)queries_.push(QueryTask{c.kind(), {}, c.query_order()});
        return;
      case CommandKind::raise: return raise(c.raise());
      case CommandKind::arm_timer:
      case CommandKind::none: return;
    }
  }
  void fault(SequencerFault) noexcept {
    faults_.fetch_add(1, std::memory_order_relaxed);
    halt();
  }
  [[nodiscard]] std::uint64_t faults() const noexcept {
    return faults_.load(std::memory_order_relaxed);
  }
  // Trips that found the ring to the cold side full.
  [[nodiscard]] std::uint64_t alerts_lost() const noexcept {
    return alerts_lost_.load(std::memory_order_relaxed);
  }

  // How often this closed the last gate on its own account, where no trip tells of it. Counted
  // before the gate closes: an arm in flight looks at it.
  [[nodiscard]] std::uint64_t halts() const noexcept {
    return halts_.load(std::memory_order_seq_cst);
  }

 private:
  void halt() noexcept {
    halts_.fetch_add(1, std::memory_order_seq_cst);
    (void)closer_.close(Scope{}, Mode::halt);
  }
  // The last gate first: what was approved before the trip and is not sent yet stays here.
  void raise(const Trip& trip) noexcept {
    if (trip.mode > Mode::active) (void)closer_.close(trip.scope, trip.mode);
    if (alerts_.push(trip)) return;
    alerts_lost_.fetch_add(1, std::memory_order_relaxed);
    halt();
  }

  Desk& desk_;
  Resyncs& resyncs_;
  QueryRing& queries_;
  GateCloser& closer_;
  AlertRing& alerts_;
  std::atomic<std::uint64_t> faults_{0};
  std::atomic<std::uint64_t> alerts_lost_{0};
  std::atomic<std::uint64_t> halts_{0};
};

}  // namespace gimbal
