// Keeps the guardian's order list in the shared page: every order that may rest at the venue is in
// it before its bytes leave, and goes out only on proof that it rests no longer. Room: ops/app.
// Hot (order session) and cold (answers of the query session).
#pragma once

#include <span>

#include "engine/core/event.hpp"
#include "engine/core/payload.hpp"
#include "engine/runtime/gate_page.hpp"

namespace gimbal {

// A committed unit of the private session.
inline void unlist_ended(GatePage& page, const Event& e) noexcept {
  if (e.kind() == EventKind::order_done) {
    (void)page.unlist_order(e.as<OrderDone>().order);
  } else if (e.kind() == EventKind::order_reject) {
    const auto reject = e.as<OrderReject>();
    const bool never_rested =
        reject.action == OrderAction::place && reject.reason != RejectReason::unclear;
    if (never_rested) (void)page.unlist_order(reject.order);
  }
}

// One unit of a reconciliation or a look-up: orders found resting are listed, also those of an
// earlier boot; orders proven gone are taken out. False when a resting order found no free slot.
inline bool list_answered(GatePage& page, std::span<const Event> unit) noexcept {
  if (unit.empty()) return true;
  if (unit[0].kind() == EventKind::order_lookup) {
    const auto found = unit[0].as<OrderLookup>();
    const bool rests =
        found.outcome == LookupOutcome::open || found.outcome == LookupOutcome::unproven;
    if (!rests) (void)page.unlist_order(found.order);
    return true;
  }
  if (unit[0].kind() != EventKind::open_order_report) return true;
  PartsBuffer<OpenOrderReport> report;
  for (const Event& e : unit) {
    if (!report.add(e) || !report.value().order.valid()) continue;
    if (!page.list_order(report.value().order, e.venue, e.instrument)) return false;
  }
  return true;
}

}  // namespace gimbal
