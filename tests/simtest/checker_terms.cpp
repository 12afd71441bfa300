// What an order was approved as, and that the wire says the same. See checker.hpp.
#include <algorithm>
#include <charconv>
#include <map>

#include "tests/simtest/checker.hpp"
#include "venues/deribit/labels.hpp"

namespace gimbal::simtest {
namespace {

using Members = std::map<std::string, std::string, std::less<>>;

// The members of a request's params, none of which has members of its own; numbers of prices and
// amounts at 1e-9. A text that cannot be taken apart gives what was read before.
Members members_of(std::string_view text) {
  constexpr std::string_view begin = "\"params\":{";
  Members members;
  std::size_t at = text.find(begin);
  if (at == std::string_view::npos) return members;
  at += begin.size();
  while (at < text.size() && text[at] == '"') {
    const std::size_t name_end = text.find("\":", at + 1);
    if (name_end == std::string_view::npos) break;
    const std::string_view name = text.substr(at + 1, name_end - at - 1);
    const std::size_t value = name_end + 2;
    const bool quoted = value < text.size() && text[value] == '"';
    const std::size_t end =
        quoted ? text.find('"', value + 1) + 1 : text.find_first_of(",}", value);
    if (end == 0 || end == std::string_view::npos) break;
    const bool number = name == "price" || name == "amount";
    members[std::string{name}] += number ? std::to_string(member_number(text, name))
                                         : std::string{text.substr(value, end - value)};
    at = end + (end < text.size() && text[end] == ',' ? 1 : 0);
  }
  return members;
}

std::string in_quotes(std::string_view text) { return '"' + std::string{text} + '"'; }

std::string_view words_of(TimeInForce tif) {
  switch (tif) {
    case TimeInForce::good_til_cancelled: return "good_til_cancelled";
    case TimeInForce::immediate_or_cancel: return "immediate_or_cancel";
    case TimeInForce::fill_or_kill: return "fill_or_kill";
  }
  return "";
}

}  // namespace

void Checker::wanted(std::span<const OrderRequest> placings) {
  wanted_.insert(wanted_.end(), placings.begin(), placings.end());
}

// A person's orders are nobody's request: the core numbers their intents itself.
std::uint64_t Checker::intent_of(const PlaceOrder& order) {
  const auto at = std::find_if(wanted_.begin(), wanted_.end(), [&](const OrderRequest& r) {
    return r.strategy == order.order.strategy() && r.instrument == order.instrument &&
           r.side == order.side && r.tif == order.tif;
  });
  if (at == wanted_.end()) {
    const Order* own = boot_.core->orders().find(order.order);
    if (order.order.strategy() != operator_strategy) {
      fail("I19", "an order that no strategy asked for");
    }
    return own != nullptr ? own->intent : 0;
  }
  const std::uint64_t intent = at->intent;
  wanted_.erase(at);
  return intent;
}

void Checker::note_placing(const PlaceOrder& order) {
  Note note;
  note.instrument = order.instrument;
  note.side = order.side;
  note.approved = order.amount.nano;
  note.strategy = order.order.strategy();
  note.intent = intent_of(order);
  placings_.emplace(order.order.value, order);
  if (!orders_.emplace(order.order.value, note).second) {
    fail("I7", "order id " + std::to_string(order.order.value) + " placed twice");
  }
}

// An order that an earlier boot left may be changed too.
void Checker::note_change(const Event& event, const ReplaceOrder& change) {
  PlaceOrder terms;
  terms.order = change.order;
  terms.price = change.price;
  terms.amount = change.amount;
  terms.valid_until = change.valid_until;
  terms.instrument = change.instrument;
  terms.flags = change.flags;
  changes_[change.order.value] = terms;
  const auto at = orders_.find(change.order.value);
  if (at == orders_.end()) return;
  constexpr auto kept = static_cast<std::uint8_t>(order_flag::post_only | order_flag::reduce_only);
  if (((change.flags ^ placings_.at(change.order.value).flags) & kept) != 0) {
    fail("I13", "a change made another kind of order of it");
  }
  at->second.approved = std::max(at->second.approved, change.amount.nano);
  note_asked(event, change.order, at->second.state, OrderEvent::ask_replace);
}

OrderId Checker::changed_by(std::string_view text) const {
  std::string_view label = member_text(text, "label");
  const std::string_view venue_id = member_text(text, "order_id");
  if (!venue_id.empty()) {
    sim::OrderNo number{};
    std::from_chars(venue_id.data(), venue_id.data() + venue_id.size(), number);
    const sim::OrderInfo* order = venue_.exchange.order(number);
    if (order != nullptr) label = order->label;
  }
  return deribit::parse_label(label_tag, label).order;
}

// Each member that the approved order needs, and no other.
void Checker::check_terms(std::string_view text, const PlaceOrder& approved, Ask ask) {
  const Members written = members_of(text);
  Members due{{"price", std::to_string(approved.price.nano)},
              {"amount", std::to_string(approved.amount.nano)},
              {"valid_until", std::to_string(to_unix_ms(approved.valid_until))}};
  if (ask == Ask::place) {
    due["type"] = in_quotes("limit");
    due["time_in_force"] = in_quotes(words_of(approved.tif));
    const bool buys = member_text(text, "method") == "private/buy";
    if (buys != (approved.side == Side::buy)) fail("I13", "the other side is on the wire");
  }
  if (member_text(text, "method") == "private/edit") {
    due["order_id"] = in_quotes(member_text(text, "order_id"));
  } else {
    due["label"] = in_quotes(label_of(approved.order));
    due["instrument_name"] = in_quotes(boot_.names.at(approved.instrument.value));
  }
  if ((approved.flags & order_flag::post_only) != 0) {
    due["post_only"] = due["reject_post_only"] = "true";
  }
  if ((approved.flags & order_flag::reduce_only) != 0) due["reduce_only"] = "true";
  if (written == due) return;
  for (const auto& [name, value] : due) {
    const auto at = written.find(name);
    if (at != written.end() && at->second == value) continue;
    return fail("I13", "approved with " + name + ' ' + value + ", written with " +
                           (at == written.end() ? "none" : at->second));
  }
  fail("I13", "more is written of an order than was approved");
}

}  // namespace gimbal::simtest
