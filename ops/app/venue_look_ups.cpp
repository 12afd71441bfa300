// Orders in doubt, looked up at the venue: several by the same answers. See venue_queries.hpp.
#include <algorithm>
#include <array>
#include <utility>

#include "engine/core/payload.hpp"
#include "ops/app/venue_queries.hpp"
#include "venues/deribit/labels.hpp"
#include "venues/deribit/order_search.hpp"

namespace gimbal {
namespace {

using deribit::OrderSearch;
using deribit::QueryResult;
using deribit::Records;

constexpr unsigned look_up_rows = 1000;
// Of one list: pictures wait meanwhile, and every page costs a call.
constexpr int look_up_pages_max = 10;
constexpr std::size_t labels_max = 8;  // orders asked by label in one look-up
constexpr std::array<Records, deribit::records_count> all_records{Records::recent,
                                                                  Records::historical};

std::string failed_at(const char* what, const std::string& why) {
  return std::string{what} + ": " + why;
}

void keep_first(std::string& error, std::string found) {
  if (error.empty()) error = std::move(found);
}

}  // namespace

// The label's hash and the time of an order that only the venue's picture told of.
void VenueQueries::note_shown(std::span<const Event> orders) {
  PartsBuffer<OpenOrderReport> report;
  for (const Event& e : orders) {
    if (e.kind() != EventKind::open_order_report || !report.add(e)) continue;
    const OpenOrderReport& r = report.value();
    if (!r.order.valid() || (setup_.label_hash && setup_.label_hash(r.order))) continue;
    shown_.try_emplace(r.order.value, Shown{r.created, r.label_hash});
  }
}

std::optional<std::uint32_t> VenueQueries::label_hash(OrderId order) const {
  if (setup_.label_hash) {
    if (const auto hash = setup_.label_hash(order)) return hash;
  }
  const auto found = shown_.find(order.value);
  if (found == shown_.end()) return std::nullopt;
  return found->second.label_hash;
}

bool VenueQueries::gives_way(bool first) const {
  if (count_waits_ && count_waits_()) return true;
  return !first && (now() >= look_up_until_ || (picture_waits_ && picture_waits_()));
}

// An order without a date is searched for back to the beginning: not together with the others.
std::string VenueQueries::look_up(std::span<const QueryOrder> orders, const PushUnits& push) {
  look_up_until_ = now() + look_up_time_max;
  std::vector<QueryOrder> dated;
  std::vector<QueryOrder> undated;
  for (QueryOrder order : orders) {
    const auto found = shown_.find(order.order.value);
    if (order.sent.unix_ns <= 0 && found != shown_.end()) order.sent = found->second.created;
    std::vector<QueryOrder>& group = order.sent.unix_ns > 0 ? dated : undated;
    const bool twice = std::any_of(group.begin(), group.end(),
                                   [&](const QueryOrder& o) { return o.order == order.order; });
    if (!twice) group.push_back(order);
  }
  std::string error;
  for (const std::vector<QueryOrder>* group : {&dated, &undated}) {
    if (!group->empty()) keep_first(error, search_group(*group, push));
  }
  return error;
}

// Open orders first: an order goes from there to the other lists, never back.
std::string VenueQueries::search_group(std::span<const QueryOrder> orders, const PushUnits& push) {
  OrderSearch search{parser_, orders, setup_.currencies.size()};
  std::string error;
  const Reply open = call(texts_.get_open_orders(next_id_++));
  if (!open.error.empty()) {
    error = open.error;
  } else if (const QueryResult result = noted(search.open_orders(open.frame), open); !result.ok) {
    error = failed_at("get_open_orders", result.error);
  }
  for (const Records records : all_records) {
    for (std::size_t c = 0; c < setup_.currencies.size(); ++c) {
      keep_first(error, search_history(search, c, records));
      keep_first(error, search_trades(search, c, records));
    }
  }
  if (error.empty()) error = search_labels(search, orders);
  for (std::size_t i = 0; i < search.size(); ++i) {
    const Event e = search.event(i, now());
    if (!push(std::span<const Event>{&e, 1})) return "look-up: the event ring is full";
  }
  return error;
}

std::string VenueQueries::search_history(OrderSearch& search, std::size_t currency,
                                         Records records) {
  std::size_t offset = 0;
  for (int page = 0; page < look_up_pages_max; ++page) {
    if (!search.wants_history(currency, records) || gives_way(page == 0)) break;
    const Reply reply = call(texts_.get_order_history(next_id_++, setup_.currencies[currency],
                                                      look_up_rows, offset, records));
    if (!reply.error.empty()) return failed_at("get_order_history", reply.error);
    const QueryResult result = noted(search.order_history(reply.frame, currency, records), reply);
    if (!result.ok) return failed_at("get_order_history", result.error);
    offset += result.rows;
  }
  return {};
}

std::string VenueQueries::search_trades(OrderSearch& search, std::size_t currency,
                                        Records records) {
  ExchTime venue{};
  if (std::string e = venue_now(venue); !e.empty()) return e;
  deribit::TradesSpan span;
  span.since_ms = to_unix_ms(search.trades_since(records));
  span.until_ms = to_unix_ms(std::max(venue, search.newest()) + deribit::search_margin);
  for (int page = 0; page < look_up_pages_max; ++page) {
    if (!search.wants_trades(currency, records) || gives_way(page == 0)) break;
    const Reply reply =
        call(texts_.get_user_trades_back(next_id_++, setup_.currencies[currency], span.since_ms,
                                         span.until_ms, look_up_rows, records));
    if (!reply.error.empty()) return failed_at("get_user_trades", reply.error);
    const QueryResult result =
        noted(search.user_trades(reply.frame, currency, records, span), reply);
    if (!result.ok) return failed_at("get_user_trades", result.error);
    // The pages share the millisecond in which they meet, whether its end counts or not: one with
    // more trades than a page cannot be passed.
    const std::int64_t next_ms = result.last_timestamp_ms + 1;
    if (!result.has_more || (page > 0 && next_ms >= span.until_ms)) break;
    span.until_ms = next_ms;
  }
  return {};
}

// What the lists leave open, a few at a time and each in its turn.
std::string VenueQueries::search_labels(OrderSearch& search, std::span<const QueryOrder> orders) {
  const std::size_t first = labels_from_;
  std::size_t asked = 0;
  for (std::size_t n = 0; n < orders.size() && asked < labels_max; ++n) {
    const std::size_t i = (first + n) % orders.size();
    if (gives_way(asked == 0)) break;
    if (!search.left_open(i)) continue;
    const std::optional<std::uint32_t> shown = search.label_hash(i);
    const std::optional<std::uint32_t> hash = shown ? shown : label_hash(orders[i].order);
    if (!hash) continue;
    ++asked;
    labels_from_ = i + 1;
    std::array<char, deribit::label_text_max> label{};
    const std::size_t size = deribit::write_label(setup_.label_tag, orders[i].order, *hash, label);
    for (std::size_t c = 0; c < setup_.currencies.size() && search.left_open(i); ++c) {
      const Reply reply = call(texts_.get_order_state_by_label(
          next_id_++, setup_.currencies[c], std::string_view{label.data(), size}));
      if (!reply.error.empty()) return failed_at("get_order_state_by_label", reply.error);
      const QueryResult result = noted(search.state_by_label(reply.frame, i, c), reply);
      if (!result.ok) return failed_at("get_order_state_by_label", result.error);
    }
  }
  return {};
}

}  // namespace gimbal
