// What the bot writes. See checker.hpp.
#include <algorithm>
#include <utility>

#include "tests/simtest/checker.hpp"
#include "tests/simtest/setup.hpp"
#include "venues/deribit/labels.hpp"

namespace gimbal::simtest {

void Checker::check_secrets(std::string_view text) {
  if (text.find(bot_secret) != std::string_view::npos) {
    fail("I16", "the secret is in a text to the venue");
  }
  const std::string_view nonce = member_text(text, "nonce");
  if (!nonce.empty() && !nonces_.emplace(nonce).second) {
    fail("I7", "nonce " + std::string{nonce} + " was given out before");
  }
}

void Checker::asked(std::string_view body) { check_secrets(body); }

void Checker::sent(Lane lane, std::string_view text) {
  check_secrets(text);
  if (lane != Lane::orders) return;
  const Ask ask = ask_of(text);
  if (ask == Ask::place || ask == Ask::edit) check_order_text(text, ask);
  const std::uint64_t errors = venue_.rate_refusals();
  if (errors > rate_errors_ && !nemesis_.budget_shared()) {
    fail("I9", "the venue refused a message for its rate (10028)");
  }
  rate_errors_ = errors;
}

// What the core counts on is lowered only when neither the venue nor a change on its way there can
// work more.
void Checker::check_worst(const Order& order, Note& note) {
  const std::int64_t worst = std::max(order.amount, order.new_amount).nano;
  if (worst >= std::exchange(note.worst, worst)) return;
  const auto numbers = venue_.exchange.orders_by_label(venue_.account, label_of(order.id));
  if (numbers.size() != 1) return;
  const sim::OrderInfo& shown = *venue_.exchange.order(numbers.front());
  if (shown.state != sim::OrderState::open) return;
  std::int64_t most = shown.amount.nano;
  const std::string number = std::to_string(shown.number);
  const std::int64_t now_ms = to_unix_ms(venue_.exchange.now());
  network_.each_request([&](const std::string& text) {
    if (ask_of(text) != Ask::edit || member_text(text, "order_id") != number) return;
    if (member_integer(text, "valid_until") < now_ms) return;
    most = std::max(most, member_number(text, "amount"));
  });
  if (most > worst) {
    fail("I4", "order " + std::to_string(order.id.value) + " counts as one of " +
                   std::to_string(worst) + ", the venue may work " + std::to_string(most));
  }
}

void Checker::check_order_text(std::string_view text, Ask ask) {
  ++orders_sent_;
  const std::int64_t price = member_number(text, "price");
  const std::int64_t amount = member_number(text, "amount");
  if (price <= 0 || price % terms_.ticks.base.nano != 0) {
    fail("I13", "price " + std::to_string(price) + " is off the tick");
  }
  if (amount <= 0 || amount % terms_.lot.nano != 0) {
    fail("I13", "amount " + std::to_string(amount) + " is off the lot");
  }
  if (member_integer(text, "valid_until") <= 0) fail("I13", "an order without valid_until");
  if (ask == Ask::place) check_place_text(text, member_text(text, "label"), amount);
  if (ask == Ask::edit) check_change_text(text, amount);
}

void Checker::check_change_text(std::string_view text, std::int64_t amount) {
  const auto change = changes_.extract(changed_by(text).value);
  if (change.empty()) return fail("I5", "a change on the wire that the gate never approved");
  const PlaceOrder& approved = change.mapped();
  if (amount != approved.amount.nano) fail("I4", "the amount on the wire is not the approved one");
  check_terms(text, approved, Ask::edit);
}

void Checker::check_place_text(std::string_view text, std::string_view label, std::int64_t amount) {
  if (!labels_.emplace(label).second) {
    fail("I7", "label " + std::string{label} + " was used before");
  }
  const OrderId id = deribit::parse_label(label_tag, label).order;
  const auto at = orders_.find(id.value);
  if (at == orders_.end()) {
    fail(armed_once_ ? "I5" : "I15", "an order on the wire that the gate never approved");
    return;
  }
  Note& note = at->second;
  note.written = true;
  if (amount != note.approved) fail("I4", "the amount on the wire is not the approved one");
  check_terms(text, placings_.at(id.value), Ask::place);
  if (mode_of(note.strategy, note.instrument) >= Mode::halt) {
    fail(armed_once_ ? "I3" : "I15", "a new order behind a closed gate");
  }
  for (const auto& [value, other] : orders_) {
    if (value == id.value || other.strategy != note.strategy || other.intent != note.intent ||
        !other.written)
      continue;
    if (may_live(label_of(OrderId{value}))) {
      fail("I5", "order " + std::to_string(value) + " of the same intent may still live");
    }
  }
  check_earlier_boots();
  check_open_value(text);
}

// What a boot before left must have ended, or be known, before this one adds to it.
void Checker::check_earlier_boots() {
  std::erase_if(earlier_, [&](OrderId id) { return !may_live(label_of(id)); });
  for (const OrderId id : earlier_) {
    const Order* order = boot_.core->orders().find(id);
    if (order != nullptr && order->open()) continue;
    fail("I5", "order " + std::to_string(id.value) +
                   " of an earlier boot may still live and is not known");
  }
}

// Everything of ours that may still be filled, by the venue's books and by what is on its way.
void Checker::check_open_value(std::string_view text) {
  std::int64_t value = member_number(text, "amount");
  for (const sim::OrderNo n : venue_.resting()) {
    const sim::OrderInfo& o = *venue_.exchange.order(n);
    const OrderId id = deribit::parse_label(label_tag, o.label).order;
    if (id.epoch() == boot_.epoch) value += (o.amount - o.filled).nano;
  }
  const std::int64_t now_ms = to_unix_ms(venue_.exchange.now());
  network_.each_request([&](const std::string& other) {
    // What comes behind its valid_until is refused.
    const bool counts =
        ask_of(other) == Ask::place && member_integer(other, "valid_until") >= now_ms;
    if (counts) value += member_number(other, "amount");
  });
  if (value > boot_.core->gate().limits().max_open_usd.nano) {
    fail("I4", "open value at the venue " + std::to_string(value) + " is over the limit");
  }
}

// --- what is asked of an order -----------------------------------------------------------------

// Whether this event may have made another state of it than the one noted.
bool Checker::may_move(const Event& event, OrderId id) const {
  switch (event.kind()) {
    case EventKind::order_ack: return event.as<OrderAck>().order == id;
    case EventKind::order_reject: return event.as<OrderReject>().order == id;
    case EventKind::order_done: return event.as<OrderDone>().order == id;
    case EventKind::order_lookup: return event.as<OrderLookup>().order == id;
    case EventKind::fill: return fill_complete_ && fill_parts_.value().order == id;
    case EventKind::open_order_report:
    case EventKind::reconcile_mark: return true;
    default: return false;
  }
}

// An order is changed while it is live, and cancelled while it may live; it shows so behind the
// step. Where this step's own event made it live, or its silence a doubt, that is the state the
// command found.
void Checker::note_asked(const Event& event, OrderId id, OrderState was, OrderEvent what) {
  const Order* order = boot_.core->orders().find(id);
  const OrderState after = order != nullptr ? order->state : OrderState::pending_new;
  const bool change = what == OrderEvent::ask_replace;
  const bool doubted = after == OrderState::unknown;
  const bool taken = doubted || after == OrderState::pending_cancel ||
                     (change && after == OrderState::pending_replace);
  const OrderState found = doubted && !change ? OrderState::unknown : was;
  const bool fits =
      change ? found == OrderState::live : found != OrderState::pending_new && !ended(found);
  if (!taken || (!fits && !may_move(event, id))) {
    fail("I6", "order " + std::to_string(id.value) + " was changed or cancelled in state " +
                   std::to_string(static_cast<int>(found)));
  }
  coverage_.visit(fits ? found : OrderState::live, what);
}

}  // namespace gimbal::simtest
