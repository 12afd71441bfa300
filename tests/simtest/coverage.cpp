#include "tests/simtest/coverage.hpp"

#include <algorithm>
#include <string_view>

#include "engine/core/payload.hpp"

namespace gimbal::simtest {
namespace {

constexpr std::array<std::string_view, order_states> state_names{
    "pending_new", "live",   "pending_replace", "pending_cancel",
    "unknown",     "filled", "cancelled",       "rejected"};
constexpr std::array<std::string_view, order_events> event_names{
    "sent",        "ack",          "ack_old",   "refused_place", "refused_change",
    "doubt",       "fill_part",    "fill_last", "done",          "found_open",
    "found_ended", "found_absent", "unproven",  "ask_replace",   "ask_cancel"};

OrderEvent of_reject(const OrderReject& r) noexcept {
  if (r.reason == RejectReason::unclear) return OrderEvent::doubt;
  return r.action == OrderAction::place ? OrderEvent::refused_place : OrderEvent::refused_change;
}

OrderEvent of_ack(const OrderAck& ack, const Order& o) noexcept {
  const bool pending = o.state == OrderState::pending_replace;
  return pending && ack.amount != o.new_amount ? OrderEvent::ack_old : OrderEvent::ack;
}

OrderEvent of_lookup(const OrderLookup& l) noexcept {
  switch (l.outcome) {
    case LookupOutcome::open: return OrderEvent::found_open;
    case LookupOutcome::filled:
    case LookupOutcome::cancelled:
    case LookupOutcome::rejected: return OrderEvent::found_ended;
    case LookupOutcome::absent: return OrderEvent::found_absent;
    case LookupOutcome::unproven: break;
  }
  return OrderEvent::unproven;
}

}  // namespace

std::size_t Coverage::visited() const noexcept {
  return static_cast<std::size_t>(
      std::count_if(counts_.begin(), counts_.end(), [](std::uint64_t n) { return n > 0; }));
}

std::string Coverage::table() const {
  std::string text;
  for (std::size_t s = 0; s < order_states; ++s) {
    text += "  ";
    text += state_names[s];
    text += ':';
    for (std::size_t e = 0; e < order_events; ++e) {
      const std::uint64_t n = counts_[s * order_events + e];
      text += ' ';
      text += event_names[e];
      text += '=';
      text += n == 0 ? "-" : std::to_string(n);
    }
    text += '\n';
  }
  return text;
}

std::string Coverage::missed() const {
  std::string text;
  for (std::size_t i = 0; i < coverage_pairs; ++i) {
    if (counts_[i] > 0) continue;
    text += "  not visited: ";
    text += state_names[i / order_events];
    text += ' ';
    text += event_names[i % order_events];
    text += '\n';
  }
  return text;
}

bool classify(const Event& event, const Order* order, OrderEvent& out) noexcept {
  if (order == nullptr) return false;
  switch (event.kind()) {
    case EventKind::order_sent: out = OrderEvent::sent; return true;
    case EventKind::order_ack: out = of_ack(event.as<OrderAck>(), *order); return true;
    case EventKind::order_reject: out = of_reject(event.as<OrderReject>()); return true;
    case EventKind::order_done: out = OrderEvent::done; return true;
    case EventKind::order_lookup: out = of_lookup(event.as<OrderLookup>()); return true;
    default: return false;
  }
}

}  // namespace gimbal::simtest
