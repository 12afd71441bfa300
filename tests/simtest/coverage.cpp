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

// As the order table makes them: OrderTable::on_reject, on_ack, on_lookup.
OrderEvent of_reject(const OrderReject& r, const Order& o) noexcept {
  const bool place = r.action == OrderAction::place;
  const bool by_venue = r.reason == RejectReason::venue || r.reason == RejectReason::wrong_terms;
  const bool waits = o.state < OrderState::filled && o.state != OrderState::live;
  if (waits && o.doubt != r.action) return OrderEvent::ack_old;
  if (r.reason == RejectReason::unclear || (!place && by_venue)) return OrderEvent::doubt;
  return place ? OrderEvent::refused_place : OrderEvent::refused_change;
}

OrderEvent of_ack(const OrderAck& ack, const Order& o, ExchTime updated) noexcept {
  const bool lowers = o.new_amount.nano == 0 && ack.amount.nano > 0 && ack.amount < o.amount;
  const bool stale =
      updated.unix_ns > 0 && (updated < o.terms_exch || (updated == o.terms_exch && lowers));
  const bool answers =
      o.new_amount.nano > 0 && ack.amount == o.new_amount && ack.price == o.new_price;
  const bool unknown = o.state == OrderState::unknown;
  const bool cancelling = unknown && o.doubt == OrderAction::cancel;
  const bool replacing =
      o.state == OrderState::pending_replace || (unknown && o.doubt == OrderAction::replace);
  return stale || cancelling || (replacing && !answers) ? OrderEvent::ack_old : OrderEvent::ack;
}

OrderEvent of_lookup(const OrderLookup& l, const Order& o, ExchTime as_of) noexcept {
  switch (l.outcome) {
    case LookupOutcome::open: return OrderEvent::found_open;
    case LookupOutcome::filled:
    case LookupOutcome::cancelled:
    case LookupOutcome::rejected: return OrderEvent::found_ended;
    case LookupOutcome::absent:
      return as_of > o.valid_until ? OrderEvent::found_absent : OrderEvent::unproven;
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

bool classify(const Event& event, const Order* order, ExchTime venue_now,
              OrderEvent& out) noexcept {
  if (order == nullptr) return false;
  const ExchTime as_of = event.exch.unix_ns > 0 ? event.exch : venue_now;
  switch (event.kind()) {
    case EventKind::order_sent: out = OrderEvent::sent; return true;
    case EventKind::order_ack: out = of_ack(event.as<OrderAck>(), *order, event.exch); return true;
    case EventKind::order_reject: out = of_reject(event.as<OrderReject>(), *order); return true;
    case EventKind::order_done: out = OrderEvent::done; return true;
    case EventKind::order_lookup:
      out = of_lookup(event.as<OrderLookup>(), *order, as_of);
      return true;
    default: return false;
  }
}

}  // namespace gimbal::simtest
