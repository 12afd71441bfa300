// Orders in doubt, looked up at the venue: several by the same answers. See venue_queries.hpp.
#include <algorithm>
#include <utility>

#include "engine/core/payload.hpp"
#include "ops/app/venue_queries.hpp"

namespace gimbal {
namespace {

constexpr unsigned look_up_rows = 1000;
constexpr std::int64_t look_up_margin_ms = 60'000;  // clocks, and what was on its way

std::int64_t since_ms(ExchTime sent) {
  return std::max<std::int64_t>(to_unix_ms(sent) - look_up_margin_ms, 0);
}

std::string failed_at(const char* what, const std::string& why) {
  return std::string{what} + ": " + why;
}

}  // namespace

// Open orders last: an order that a race moves from one list to the other is found in the later.
std::string VenueQueries::look_up(std::span<const QueryOrder> orders, const PushUnits& push) {
  std::vector<deribit::OrderSearch> searches;
  for (const QueryOrder& order : orders) searches.emplace_back(parser_, order);
  std::string error;
  const auto ask = [&](const char* what, const std::string& request, auto read) {
    const Reply reply = call(request);
    if (!reply.error.empty()) {
      error = reply.error;
      return false;
    }
    bool more = false;
    for (deribit::OrderSearch& search : searches) {
      const deribit::QueryResult result = read(search, reply.frame);
      if (!result.ok && error.empty()) error = failed_at(what, result.error);
      more = more || result.has_more;
    }
    return more;
  };
  ExchTime oldest{INT64_MAX};
  for (const QueryOrder& order : orders) oldest = std::min(oldest, order.sent);
  const std::int64_t until_ms = to_unix_ms(wall()) + look_up_margin_ms;
  for (const std::string& currency : setup_.currencies) {
    ask("get_order_history", texts_.get_order_history(next_id_++, currency, look_up_rows),
        [](auto& search, const Frame& f) { return search.order_history(f); });
    const bool more = ask("get_user_trades",
                          texts_.get_user_trades_by_time(next_id_++, currency, since_ms(oldest),
                                                         until_ms, look_up_rows),
                          [](auto& search, const Frame& f) { return search.user_trades(f, true); });
    // Too many trades since the oldest of several: each is asked for by itself.
    for (std::size_t n = 0; more && orders.size() > 1 && n < searches.size(); ++n) {
      const Reply own = call(texts_.get_user_trades_by_time(
          next_id_++, currency, since_ms(orders[n].sent), until_ms, look_up_rows));
      if (!own.error.empty()) error = own.error;
      if (own.error.empty()) static_cast<void>(searches[n].user_trades(own.frame, true));
    }
  }
  const Reply open = call(texts_.get_open_orders(next_id_++));
  if (!open.error.empty()) error = open.error;
  bool first = true;
  for (deribit::OrderSearch& search : searches) {
    if (!open.error.empty()) break;
    const deribit::QueryResult found = search.open_orders(open.frame);
    const deribit::QueryResult result = std::exchange(first, false) ? noted(found) : found;
    if (!result.ok && error.empty()) error = failed_at("get_open_orders", result.error);
  }
  for (const deribit::OrderSearch& search : searches) {
    if (!answer(search, error, push)) return "look-up: the event ring is full";
  }
  return error;
}

bool VenueQueries::answer(const deribit::OrderSearch& search, const std::string& error,
                          const PushUnits& push) const {
  Event e = search.event(now());
  OrderLookup lookup = e.as<OrderLookup>();
  if (!error.empty() && lookup.outcome == LookupOutcome::absent) {
    lookup.outcome = LookupOutcome::unproven;  // one currency did not answer: that is no proof
    e.put(lookup);
  }
  e.add_flag(event_flag::last_in_packet);
  return push(std::span<const Event>{&e, 1});
}

}  // namespace gimbal
