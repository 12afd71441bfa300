// The search for orders in doubt: see order_search.hpp. Cold: allocates.
#include "venues/deribit/order_search.hpp"

#include <algorithm>

#include "venues/deribit/labels.hpp"
#include "venues/deribit/private_reader.hpp"

namespace gimbal::deribit {
namespace {

ExchTime back_by(ExchTime at, Nanos span) noexcept {
  return ExchTime{std::max<std::int64_t>(at.unix_ns - span.count, 0)};
}

LookupOutcome outcome_of(OrderState state) noexcept {
  switch (state) {
    case OrderState::open:
    case OrderState::untriggered: return LookupOutcome::open;
    case OrderState::filled: return LookupOutcome::filled;
    case OrderState::cancelled: return LookupOutcome::cancelled;
    case OrderState::rejected: return LookupOutcome::rejected;
    case OrderState::unknown: break;
  }
  return LookupOutcome::unproven;
}

// Newest first by the last change or by creation: the venue does not say which.
bool history_newest_first(const std::vector<OrderRow>& rows) noexcept {
  const auto descends = [&](ExchTime OrderRow::*time) {
    if (rows.empty()) return true;
    ExchTime oldest = rows.front().*time;
    for (const OrderRow& row : rows) {
      const ExchTime at = row.*time;
      if (at.unix_ns <= 0 || at - oldest > history_disorder_max) return false;
      oldest = std::min(oldest, at);
    }
    return rows.back().*time <= rows.front().*time;
  };
  return descends(&OrderRow::updated) || descends(&OrderRow::created);
}

}  // namespace

OrderSearch::OrderSearch(QueryParser& parser, std::span<const QueryOrder> orders,
                         std::size_t currencies)
    : parser_{&parser} {
  for (auto* lists : {&history_, &trades_}) {
    for (std::vector<Reach>& list : *lists) list.resize(currencies);
  }
  orders_.resize(orders.size());
  for (std::size_t i = 0; i < orders.size(); ++i) {
    Sought& s = orders_[i];
    s.order = orders[i];
    s.best.order = orders[i].order;
    s.no_label.resize(currencies, false);
    by_id_.emplace(orders[i].order.value, i);
    trades_since_ = std::min(trades_since_, back_by(orders[i].sent, search_margin));
  }
}

OrderSearch::Sought* OrderSearch::find(std::string_view label) {
  const Label parsed = parse_label(parser_->label_tag(), label);
  if (!parsed.order.valid()) return nullptr;
  const auto found = by_id_.find(parsed.order.value);
  if (found == by_id_.end()) return nullptr;
  Sought& s = orders_[found->second];
  s.label_hash = parsed.config_hash;
  return &s;
}

void OrderSearch::see(Sought& s, LookupOutcome outcome, Qty filled, Price price) noexcept {
  // A terminal state outranks `open`, which an older answer may still show; more filled wins.
  const bool known = s.row && s.best.outcome != LookupOutcome::open;
  if (!known || outcome != LookupOutcome::open) {
    s.best.outcome = outcome;
    s.best.price = price;
  }
  if (!s.row || filled > s.best.filled) s.best.filled = filled;
  s.row = true;
}

// How many rows are of the orders that are sought.
std::size_t OrderSearch::note_rows(const PrivateFrame& frame, bool open) {
  std::size_t ours = 0;
  for (const OrderRow& row : frame.orders) {
    Sought* s = find(row.label);
    if (s == nullptr) continue;
    ++ours;
    s->open = s->open || open;
    see(*s, outcome_of(row.state), row.filled, row.price);
  }
  return ours;
}

QueryResult OrderSearch::open_orders(const Frame& reply) {
  QueryResult result;
  const PrivateFrame* f = parser_->orders(reply, "open orders", result);
  if (f == nullptr) return result;
  result.rows = note_rows(*f, true);
  open_as_of_ = result.venue_time;
  newest_ = std::max(newest_, result.venue_time);
  return result;
}

QueryResult OrderSearch::order_history(const Frame& reply, std::size_t currency, Records records) {
  QueryResult result;
  const PrivateFrame* f = parser_->orders(reply, "order history", result);
  if (f == nullptr) return result;
  static_cast<void>(note_rows(*f, false));
  result.rows = f->orders.size();
  Reach& reach = history_[static_cast<std::size_t>(records)][currency];
  reach.note(result.venue_time);
  newest_ = std::max(newest_, result.venue_time);
  // Cut at the count that was asked for, newest first, without a sign of more: the end is a page
  // that is shorter than any count.
  if (f->orders.size() < history_count_min) {
    reach.from = {};
  } else if (!history_newest_first(f->orders)) {
    reach.broken = true;
  }
  for (const OrderRow& row : f->orders) {
    if (row.updated.unix_ns > 0) reach.from = std::min(reach.from, row.updated + Nanos{1});
  }
  return result;
}

QueryResult OrderSearch::user_trades(const Frame& reply, std::size_t currency, Records records,
                                     TradesSpan asked) {
  QueryResult result;
  const PrivateFrame* f = parser_->trades(reply, result);
  if (f == nullptr) return result;
  result.rows = f->trades.size();
  result.has_more = f->has_more;
  bool newest_first = true;
  ExchTime oldest = never;
  for (const UserTradeRow& row : f->trades) {
    newest_first = newest_first && row.time <= oldest && row.time.unix_ns > 0;
    oldest = std::min(oldest, row.time);
    note_trade(row);
  }
  result.last_timestamp_ms = f->trades.empty() ? 0 : to_unix_ms(oldest);
  newest_ = std::max(newest_, result.venue_time);
  Reach& reach = trades_[static_cast<std::size_t>(records)][currency];
  const ExchTime until = from_unix_ms(asked.until_ms);
  const bool first = reach.from == never;
  reach.note(first ? std::min(result.venue_time, until) : result.venue_time);
  const bool joined = first || until >= reach.from;
  if (!joined || (f->has_more && (!newest_first || f->trades.empty()))) {
    reach.broken = true;
  } else {
    // Of the oldest millisecond there may be more.
    const ExchTime from = f->has_more ? oldest + milliseconds(1) : from_unix_ms(asked.since_ms);
    reach.from = std::min(reach.from, from);
  }
  return result;
}

// Pages overlap by the millisecond at which they meet.
void OrderSearch::note_trade(const UserTradeRow& row) {
  Sought* s = find(row.label);
  if (s == nullptr) return;
  const std::uint64_t id = text_hash(row.trade_id);
  if (std::find(s->trades.begin(), s->trades.end(), id) != s->trades.end()) return;
  if (s->trades.empty()) s->rested = row.fill.order_open != 0;
  s->trades.push_back(id);
  s->traded += row.fill.amount;
}

QueryResult OrderSearch::state_by_label(const Frame& reply, std::size_t order,
                                        std::size_t currency) {
  QueryResult result;
  const PrivateFrame* f = parser_->orders(reply, "order by label", result);
  if (f == nullptr) return result;
  result.rows = note_rows(*f, false);
  Sought& s = orders_[order];
  s.no_label[currency] = f->orders.empty() && result.venue_time > s.order.valid_until;
  return result;
}

// Open orders were read after its time to live, and it was not among them.
bool OrderSearch::gone(const Sought& s) const noexcept {
  return open_as_of_ > s.order.valid_until && !s.open;
}

bool OrderSearch::older(const Sought& s, Nanos kept) const noexcept {
  return newest_ - s.order.sent > kept;
}

ExchTime OrderSearch::history_from(const Sought& s) const noexcept {
  return back_by(s.order.sent, history_margin);
}

// Of the recent ones no more than the venue keeps: what is older is in the historical ones.
ExchTime OrderSearch::trades_from(const Sought& s, Records records) const noexcept {
  const ExchTime sent = back_by(s.order.sent, search_margin);
  if (records == Records::historical) return sent;
  return std::max(sent, back_by(newest_, recent_trades_kept + search_margin));
}

ExchTime OrderSearch::trades_since(Records records) const noexcept {
  if (records == Records::historical) return trades_since_;
  return std::max(trades_since_, back_by(newest_, recent_trades_kept + search_margin));
}

bool OrderSearch::wants_history(std::size_t currency, Records records) const noexcept {
  const Reach& reach = history_[static_cast<std::size_t>(records)][currency];
  return !reach.broken && std::any_of(orders_.begin(), orders_.end(), [&](const Sought& s) {
    const bool here = records == Records::recent || older(s, recent_orders_kept);
    return here && !decided(s) && reach.from > history_from(s);
  });
}

bool OrderSearch::wants_trades(std::size_t currency, Records records) const noexcept {
  const Reach& reach = trades_[static_cast<std::size_t>(records)][currency];
  return !reach.broken && std::any_of(orders_.begin(), orders_.end(), [&](const Sought& s) {
    const bool here = records == Records::recent || older(s, recent_trades_kept);
    return here && !decided(s) && reach.from > trades_from(s, records);
  });
}

bool OrderSearch::history_covers(const Sought& s) const noexcept {
  const bool old = older(s, recent_orders_kept);
  const auto covers = [&](const Reach& r) {
    return r.covers(history_from(s), s.order.valid_until);
  };
  for (std::size_t c = 0; c < s.no_label.size(); ++c) {
    if (!covers(history_[0][c]) && (old || !s.no_label[c])) return false;
    if (old && !covers(history_[1][c])) return false;
  }
  return true;
}

bool OrderSearch::trades_cover(const Sought& s) const noexcept {
  const bool old = older(s, recent_trades_kept);
  const auto covers = [&](Records records, std::size_t c) {
    const Reach& r = trades_[static_cast<std::size_t>(records)][c];
    return r.covers(trades_from(s, records), s.order.valid_until);
  };
  for (std::size_t c = 0; c < s.no_label.size(); ++c) {
    if (!covers(Records::recent, c) || (old && !covers(Records::historical, c))) return false;
  }
  return true;
}

bool OrderSearch::left_open(std::size_t order) const noexcept {
  return open_as_of_ > orders_[order].order.valid_until &&
         result(order).outcome == LookupOutcome::unproven;
}

OrderLookup OrderSearch::result(std::size_t order) const noexcept {
  const Sought& s = orders_[order];
  OrderLookup out = s.best;
  out.filled = std::max(out.filled, s.traded);
  if (decided(s)) return out;
  const bool ended = gone(s) && trades_cover(s);
  if (s.row || !s.trades.empty()) {
    // It arrived. It rests no more and every trade of it is known: it has ended, whatever word the
    // venue has for that.
    if (ended) {
      out.outcome = LookupOutcome::cancelled;
    } else if (!s.row && s.rested && !gone(s)) {
      out.outcome = LookupOutcome::open;
    }
    return out;
  }
  if (ended && history_covers(s)) out.outcome = LookupOutcome::absent;
  return out;
}

Event OrderSearch::event(std::size_t order, RecvTime now) const noexcept {
  const QueryOrder& o = orders_[order].order;
  Event e = make_event(EventKind::order_lookup, o.venue, o.instrument, now, {}, result(order));
  e.add_flag(event_flag::last_in_packet);
  return e;
}

}  // namespace gimbal::deribit
