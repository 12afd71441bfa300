#include "ops/app/assumed_venue.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace gimbal {
namespace {

constexpr std::uint64_t assumed_trade = 0xA55'0000'0000'0000ULL;  // no venue's id begins so

// Whether `price` is beyond an order's limit, seen from the order: better than it asked for.
bool through(const PlaceOrder& o, Price price) noexcept {
  return o.side == Side::buy ? price < o.price : price > o.price;
}

// An answer's head says whose it is, and no more.
template <class Asked>
PlaceOrder named_by(const Asked& asked) noexcept {
  PlaceOrder named;
  named.order = asked.order;
  named.instrument = asked.instrument;
  named.venue = asked.venue;
  return named;
}

}  // namespace

Event AssumedVenue::head(EventKind kind, const PlaceOrder& o, RecvTime at) const noexcept {
  Event e;
  e.set_kind(kind);
  e.venue = o.venue;
  e.instrument = o.instrument;
  e.recv = at;
  const ExchTime venue = core_.venue_now(o.venue);
  if (venue.unix_ns > 0) e.exch = venue + (at - core_.now());
  return e;
}

template <class Payload>
void AssumedVenue::say(EventKind kind, const PlaceOrder& o, const Payload& payload, RecvTime at) {
  std::array<Event, event_parts_max> unit{};
  const std::size_t parts = write_parts(head(kind, o, at), payload, unit.data());
  for (std::size_t i = 0; i < parts; ++i) unit[i].add_flag(event_flag::last_in_packet);
  news_.emplace(at.mono_ns, std::vector<Event>{unit.begin(),
                                               unit.begin() + static_cast<std::ptrdiff_t>(parts)});
}

// --- the way there --------------------------------------------------------------------------

void AssumedVenue::command(const Command& c, RecvTime now) {
  Arrival a;
  a.kind = c.kind();
  PlaceOrder named;
  OrderSent sent;
  switch (c.kind()) {
    case CommandKind::place:
      a.place = *c.place();
      named = a.place;
      break;
    case CommandKind::replace:
      a.replace = *c.replace();
      named.order = a.replace.order;
      named.instrument = a.replace.instrument;
      named.venue = a.replace.venue;
      sent.action = OrderAction::replace;
      break;
    case CommandKind::cancel:
      a.cancel = c.cancel();
      named.order = a.cancel.order;
      named.instrument = a.cancel.instrument;
      named.venue = a.cancel.venue;
      sent.action = OrderAction::cancel;
      break;
    case CommandKind::cancel_all: a.cancel_all = c.cancel_all(); break;
    case CommandKind::query_order: a.query = c.query_order(); break;
    default: return;
  }
  if (named.order.valid()) {
    sent.order = named.order;
    say(EventKind::order_sent, named, sent, now);
  }
  arrivals_.emplace((now + half_).mono_ns, a);
}

RecvTime AssumedVenue::due() const noexcept {
  std::int64_t at = std::numeric_limits<std::int64_t>::max();
  if (!arrivals_.empty()) at = std::min(at, arrivals_.begin()->first);
  if (!news_.empty()) at = std::min(at, news_.begin()->first);
  return RecvTime{at};
}

void AssumedVenue::run(std::vector<Event>& out) {
  const std::int64_t at = due().mono_ns;
  while (!arrivals_.empty() && arrivals_.begin()->first <= at) {
    const Arrival a = arrivals_.begin()->second;
    arrivals_.erase(arrivals_.begin());
    arrive(a, RecvTime{at});
  }
  while (!news_.empty() && news_.begin()->first <= at) {
    const std::vector<Event>& unit = news_.begin()->second;
    out.insert(out.end(), unit.begin(), unit.end());
    news_.erase(news_.begin());
  }
}

// --- at the venue ---------------------------------------------------------------------------

void AssumedVenue::arrive(const Arrival& a, RecvTime at) {
  switch (a.kind) {
    case CommandKind::place: return place(a.place, at);
    case CommandKind::replace: return replace(a.replace, at);
    case CommandKind::cancel: return cancel(a.cancel.order, at);
    case CommandKind::query_order: return look_up(a.query, at);
    case CommandKind::cancel_all:
      for (const std::uint64_t id : std::vector<std::uint64_t>{open_.begin(), open_.end()}) {
        Working& w = orders_[id];
        if (covered(a.cancel_all.scope, w.order)) end(w, DoneReason::cancelled_by_us, at);
      }
      return;
    default: return;
  }
}

bool AssumedVenue::covered(Scope scope, const PlaceOrder& o) const noexcept {
  switch (scope.level) {
    case ScopeLevel::global: return true;
    case ScopeLevel::venue:
    case ScopeLevel::account: return o.venue.value == scope.id;
    case ScopeLevel::strategy: return o.order.strategy().value == scope.id;
    case ScopeLevel::underlying:
      return core_.instruments()[o.instrument].underlying.value == scope.id;
    case ScopeLevel::instrument: return o.instrument.value == scope.id;
  }
  return true;
}

bool AssumedVenue::crosses(const PlaceOrder& o) const noexcept {
  const FlatOrderBook* book = core_.book(o.instrument);
  const auto view = book != nullptr ? book->view() : std::nullopt;
  if (!view) return false;
  const auto best = o.side == Side::buy ? view->best_ask() : view->best_bid();
  return best && (best->price == o.price || through(o, best->price));
}

void AssumedVenue::place(const PlaceOrder& o, RecvTime at) {
  const ExchTime venue = core_.venue_now(o.venue);
  OrderReject reject;
  reject.order = o.order;
  if (venue.unix_ns > 0 && venue + (at - core_.now()) > o.valid_until) {
    reject.reason = RejectReason::expired;
    return say(EventKind::order_reject, o, reject, at + half_);
  }
  const bool post_only = (o.flags & order_flag::post_only) != 0;
  if (post_only && crosses(o)) {
    reject.reason = RejectReason::venue;
    return say(EventKind::order_reject, o, reject, at + half_);
  }
  Working& w = orders_[o.order.value];
  w = Working{o, {}, true};
  open_.insert(o.order.value);
  if (!post_only) take(w, at);
  if (!w.open) return;
  if (o.tif != TimeInForce::good_til_cancelled) return end(w, DoneReason::ioc_remainder, at);
  say(EventKind::order_ack, o, OrderAck{o.order, o.price, o.amount, w.filled}, at + half_);
}

void AssumedVenue::replace(const ReplaceOrder& change, RecvTime at) {
  const auto found = orders_.find(change.order.value);
  if (found == orders_.end() || !found->second.open) {
    OrderReject reject;
    reject.order = change.order;
    reject.reason = RejectReason::venue;
    reject.action = OrderAction::replace;
    return say(EventKind::order_reject, named_by(change), reject, at + half_);
  }
  Working& w = found->second;
  w.order.price = change.price;
  w.order.amount = change.amount;
  if (w.filled >= w.order.amount) return end(w, DoneReason::cancelled_by_us, at);
  const OrderAck ack{w.order.order, w.order.price, w.order.amount, w.filled};
  say(EventKind::order_ack, w.order, ack, at + half_);
  if ((w.order.flags & order_flag::post_only) == 0) take(w, at);
}

void AssumedVenue::cancel(OrderId id, RecvTime at) {
  const auto found = orders_.find(id.value);
  // One that has ended has said so already.
  if (found != orders_.end() && found->second.open) {
    end(found->second, DoneReason::cancelled_by_us, at);
  }
}

void AssumedVenue::look_up(const QueryOrder& query, RecvTime at) {
  OrderLookup answer;
  answer.order = query.order;
  answer.outcome = LookupOutcome::absent;
  if (const auto found = orders_.find(query.order.value); found != orders_.end()) {
    const Working& w = found->second;
    answer.filled = w.filled;
    answer.price = w.order.price;
    answer.outcome = w.open                       ? LookupOutcome::open
                     : w.filled >= w.order.amount ? LookupOutcome::filled
                                                  : LookupOutcome::cancelled;
  }
  say(EventKind::order_lookup, named_by(query), answer, at + half_);
}

void AssumedVenue::take(Working& w, RecvTime at) {
  const FlatOrderBook* book = core_.book(w.order.instrument);
  const auto view = book != nullptr ? book->view() : std::nullopt;
  if (!view) return;
  const Side side = opposite(w.order.side);
  const Qty rest = w.order.amount - w.filled;
  if (w.order.tif == TimeInForce::fill_or_kill &&
      view->depth(w.order.side, rest, w.order.price).amount < rest) {
    return;
  }
  for (std::size_t n = 0; w.open && n < view->levels(side); ++n) {
    const auto level = view->level(side, n);
    if (!level || (level->price != w.order.price && !through(w.order, level->price))) return;
    fill(w, std::min(level->amount, w.order.amount - w.filled), level->price, Liquidity::taker, at);
  }
}

void AssumedVenue::fill(Working& w, Qty amount, Price price, Liquidity liquidity, RecvTime at) {
  if (amount.nano <= 0) return;
  w.filled = w.filled + amount;
  Fill f;
  f.order = w.order.order;
  f.trade = TradeId{assumed_trade, ++trades_};
  f.price = price;
  f.amount = amount;
  f.profit = Money{absent_nano};
  f.side = w.order.side;
  f.liquidity = liquidity;
  f.order_open = w.filled < w.order.amount ? 1 : 0;
  say(EventKind::fill, w.order, f, at + half_);
  if (w.filled >= w.order.amount) end(w, DoneReason::filled, at);
}

void AssumedVenue::end(Working& w, DoneReason reason, RecvTime at) {
  w.open = false;
  open_.erase(w.order.order.value);
  OrderDone done;
  done.order = w.order.order;
  done.filled = w.filled;
  done.reason = reason;
  say(EventKind::order_done, w.order, done, at + half_);
}

// --- the market -----------------------------------------------------------------------------

void AssumedVenue::market(const Event& event) {
  if (open_.empty()) return;
  Price traded{};
  if (event.kind() == EventKind::trade) {
    traded = event.as<Trade>().price;
  } else if (event.kind() != EventKind::book_delta || !event.has(event_flag::last_in_packet)) {
    return;
  }
  const FlatOrderBook* book = core_.book(event.instrument);
  const auto top = book != nullptr ? book->top() : std::nullopt;
  for (const std::uint64_t id : std::vector<std::uint64_t>{open_.begin(), open_.end()}) {
    Working& w = orders_[id];
    if (w.order.instrument != event.instrument) continue;
    const Price seen = traded.nano > 0 ? traded
                       : top           ? (w.order.side == Side::buy ? top->ask : top->bid)
                                       : w.order.price;
    if (through(w.order, seen)) {
      fill(w, w.order.amount - w.filled, w.order.price, Liquidity::maker, event.now());
    }
  }
}

void AssumedVenue::lose_session() {
  arrivals_.clear();
  news_.clear();
  for (const std::uint64_t id : open_) orders_[id].open = false;
  open_.clear();
}

std::vector<Event> AssumedVenue::picture(RecvTime now) const {
  std::vector<Event> out;
  for (const std::uint64_t id : open_) {
    const Working& w = orders_.at(id);
    OpenOrderReport r;
    r.order = w.order.order;
    r.price = w.order.price;
    r.amount = w.order.amount;
    r.filled = w.filled;
    r.venue_ref = id;
    r.side = w.order.side;
    r.post_only = (w.order.flags & order_flag::post_only) != 0 ? 1 : 0;
    r.reduce_only = (w.order.flags & order_flag::reduce_only) != 0 ? 1 : 0;
    std::array<Event, event_parts_max> unit{};
    const std::size_t parts =
        write_parts(head(EventKind::open_order_report, w.order, now), r, unit.data());
    out.insert(out.end(), unit.begin(), unit.begin() + static_cast<std::ptrdiff_t>(parts));
  }
  return out;
}

}  // namespace gimbal
