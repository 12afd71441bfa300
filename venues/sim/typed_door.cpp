// Time, queues and requests of the typed door.
#include "venues/sim/typed_door.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>

namespace gimbal::sim {
namespace {

constexpr std::uint64_t stream_requests = 2;

std::string label_of(OrderId order) {
  constexpr const char* digits = "0123456789abcdef";
  std::string text(16, '0');
  for (std::size_t i = 0; i < 16; ++i) text[i] = digits[(order.value >> (60 - 4 * i)) & 15];
  return text;
}

}  // namespace

OrderId order_of(std::string_view label) noexcept {
  if (label.size() != 16) return {};
  std::uint64_t value = 0;
  for (const char c : label) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit && !(c >= 'a' && c <= 'f')) return {};
    value = (value << 4) | static_cast<std::uint64_t>(digit ? c - '0' : c - 'a' + 10);
  }
  return {value};
}

namespace {

// The number inside a TradeId made from decimal digits; 0 when it is none of ours.
TradeNo trade_number(TradeId id) noexcept {
  if ((id.high >> 63) != 0) return 0;
  TradeNo n = 0;
  for (const std::uint64_t word : {id.high, id.low}) {
    for (int shift = 56; shift >= 0; shift -= 8) {
      const auto c = static_cast<unsigned char>(word >> shift);
      if (c == 0) continue;
      if (c < '0' || c > '9') return 0;
      n = n * 10 + static_cast<TradeNo>(c - '0');
    }
  }
  return n;
}

}  // namespace

TypedDoor::TypedDoor(SimExchange& exchange, InstrumentTable& table, const DoorConfig& config)
    : exchange_{exchange},
      table_{table},
      config_{config},
      faults_{config.faults},
      opened_{exchange.now()},
      now_{config.epoch} {
  if (config.account < 2 || config.account >= exchange.account_count()) {
    throw std::invalid_argument("door: unknown account");
  }
  for (const Listing& l : exchange.instruments()) {
    Instrument def = l.def;
    def.venue = config.venue;
    const InstrumentId id = table.add(def);
    if (!id.valid()) throw std::invalid_argument("door: instrument table refuses " + l.name);
    ids_.push_back(id);
    if (indices_.size() <= id.value) indices_.resize(id.value + 1u, no_instrument);
    indices_[id.value] = l.index;
  }
  feeds_.resize(ids_.size());
}

InstrumentIndex TypedDoor::index_of(InstrumentId id) const noexcept {
  return id.value < indices_.size() ? indices_[id.value] : no_instrument;
}
InstrumentId TypedDoor::id_of(InstrumentIndex index) const noexcept {
  return index < ids_.size() ? ids_[index] : InstrumentId{};
}

void TypedDoor::connect() {
  if (!up_) session_up();
}

void TypedDoor::disconnect() {
  if (up_) session_down(0);
}

void TypedDoor::take(const Request& request, RecvTime now) {
  ++counters_.commands;
  now_ = std::max(now_, now);
  arrivals_.push_back({now_ + config_.to_venue, request});
}

void TypedDoor::put_sent(OrderId order, OrderAction action, InstrumentId instrument) {
  OrderSent sent;
  sent.order = order;
  sent.action = action;
  put_local(now_, make_event(EventKind::order_sent, config_.venue, instrument, now_, to_exch(now_),
                             sent));
}

void TypedDoor::send(const PlaceOrder& order, RecvTime now) {
  take(order, now);
  put_sent(order.order, OrderAction::place, order.instrument);
}

void TypedDoor::send(const ReplaceOrder& order, RecvTime now) {
  take(order, now);
  put_sent(order.order, OrderAction::replace, order.instrument);
}

void TypedDoor::send(const Command& command, RecvTime now) {
  switch (command.kind()) {
    case CommandKind::place: return send(*command.place(), now);
    case CommandKind::replace: return send(*command.replace(), now);
    case CommandKind::cancel:
      take(command.cancel(), now);
      return put_sent(command.cancel().order, OrderAction::cancel, command.cancel().instrument);
    case CommandKind::cancel_all: return take(command.cancel_all(), now);
    case CommandKind::resync: return take(command.resync(), now);
    case CommandKind::reconcile: return take(command.reconcile(), now);
    case CommandKind::query_order: return take(command.query_order(), now);
    case CommandKind::arm_timer: {
      now_ = std::max(now_, now);
      TimerFired fired;
      fired.timer = command.timer().timer;
      fired.due = command.timer().due;
      const RecvTime due = std::max(now_, fired.due);
      return put_local(due, make_event(EventKind::timer, config_.venue, InstrumentId{}, due,
                                       to_exch(due), fired));
    }
    case CommandKind::raise:
    case CommandKind::none: return;
  }
}

void TypedDoor::put_local(RecvTime at, const Event& event) {
  Event e = event;
  e.add_flag(event_flag::last_in_packet);
  local_.emplace(at.mono_ns, e);
}

RecvTime TypedDoor::first_due() const noexcept {
  RecvTime due{INT64_MAX};
  for (const auto& lane : lanes_) {
    if (!lane.empty()) due = std::min(due, lane.front().at);
  }
  if (!local_.empty()) due = std::min(due, RecvTime{local_.begin()->first});
  return due;
}

bool TypedDoor::pop(RecvTime until, Event& out) {
  if (mid_packet_ < 0) {
    const RecvTime due = first_due();
    if (due > until) return false;
    if (!local_.empty() && local_.begin()->first == due.mono_ns) {
      out = local_.begin()->second;
      local_.erase(local_.begin());
      now_ = std::max(now_, due);
      ++counters_.events;
      return true;
    }
    mid_packet_ = !lanes_[0].empty() && lanes_[0].front().at == due ? 0 : 1;
  }
  auto& lane = lanes_[mid_packet_];
  out = lane.front().event;
  now_ = std::max(now_, lane.front().at);
  lane.pop_front();
  if (out.has(event_flag::last_in_packet)) mid_packet_ = -1;
  ++counters_.events;
  return true;
}

bool TypedDoor::next(RecvTime until, Event& out) {
  for (;;) {
    // The exchange must not run past what the receiver may still answer: up to the next delivery.
    const RecvTime reached = to_recv(exchange_.now());
    const RecvTime due = first_due();
    if (mid_packet_ >= 0 || (due <= until && due <= reached)) return pop(until, out);
    RecvTime target = std::min(until, due);
    if (!arrivals_.empty()) target = std::min(target, arrivals_.front().at);
    if (!up_) target = std::min(target, up_again_);
    target = std::min(target, reached + exchange_.config().step);
    exchange_.advance(to_exch(target), *this);
    while (!arrivals_.empty() && arrivals_.front().at <= target) {
      const Request request = arrivals_.front().request;
      arrivals_.pop_front();
      arrive(request);
    }
    if (!up_ && up_again_ <= target) session_up();
    if (target >= until && first_due() > until) {
      now_ = std::max(now_, until);
      return false;
    }
  }
}

OrderNo TypedDoor::number_of(OrderId order) const {
  const auto numbers = exchange_.orders_by_label(config_.account, label_of(order));
  return numbers.empty() ? 0 : numbers.back();
}

void TypedDoor::arrive(const Request& request) {
  std::visit([this](const auto& r) { handle(r); }, request);
  mute_acks_ = false;
  answering_ = OrderId{};
}

// True when the request must not reach the exchange: the session is down (nothing is told, the
// bytes are lost) or the fault schedule refuses it.
bool TypedDoor::refuse_by_fault(OrderId order, InstrumentId instrument, OrderAction action) {
  if (!up_) return true;
  const RequestFault fault = faults_.request(stream_requests, ++request_ordinal_);
  if (fault == RequestFault::ack_lost) {
    mute_acks_ = true;
    ++counters_.acks_lost;
    return false;
  }
  if (fault == RequestFault::none) return false;
  OrderResult refused;
  const bool throttled = fault == RequestFault::throttle;
  refused.error = throttled ? code::too_many_requests : faults_.config().reject_code;
  refused.terminate_session = throttled;
  reject(order, instrument, action, refused);
  return true;
}

void TypedDoor::handle(const PlaceOrder& c) {
  if (refuse_by_fault(c.order, c.instrument, OrderAction::place)) return;
  answering_ = c.order;
  const std::string label = label_of(c.order);
  NewOrder o;
  o.instrument = index_of(c.instrument);
  o.side = c.side;
  o.tif = c.tif;
  o.amount = c.amount;
  o.price = c.price;
  o.post_only = o.reject_post_only = (c.flags & order_flag::post_only) != 0;
  o.reduce_only = (c.flags & order_flag::reduce_only) != 0;
  o.valid_until = c.valid_until;
  o.label = label;
  const OrderResult r = exchange_.submit(config_.account, connection_, o, *this);
  if (!r.ok()) reject(c.order, c.instrument, OrderAction::place, r);
}

void TypedDoor::handle(const ReplaceOrder& c) {
  if (refuse_by_fault(c.order, c.instrument, OrderAction::replace)) return;
  answering_ = c.order;
  EditOrder e;
  e.order = number_of(c.order);
  e.amount = c.amount;
  e.price = c.price;
  e.post_only = e.reject_post_only = (c.flags & order_flag::post_only) != 0;
  e.reduce_only = (c.flags & order_flag::reduce_only) != 0;
  e.valid_until = c.valid_until;
  const OrderResult r = exchange_.edit(config_.account, e, *this);
  if (!r.ok()) reject(c.order, c.instrument, OrderAction::replace, r);
}

void TypedDoor::handle(const CancelOrder& c) {
  if (refuse_by_fault(c.order, c.instrument, OrderAction::cancel)) return;
  const OrderResult r = exchange_.cancel(config_.account, number_of(c.order), *this);
  if (!r.ok()) reject(c.order, c.instrument, OrderAction::cancel, r);
}

void TypedDoor::handle(const CancelAll& c) {
  if (!up_) return;
  if (c.scope.level == ScopeLevel::strategy || c.scope.level == ScopeLevel::underlying) {
    for (const OrderNo n : exchange_.open_orders(config_.account)) {
      const OrderInfo& o = *exchange_.order(n);
      const Instrument& def = exchange_.instruments()[o.instrument].def;
      const OrderId ours = order_of(o.label);
      const bool in_scope = c.scope.level == ScopeLevel::strategy
                                ? ours.strategy().value == c.scope.id
                                : def.underlying.value == c.scope.id;
      if (!in_scope) continue;
      const OrderResult r = exchange_.cancel(config_.account, n, *this);
      if (r.terminate_session) return session_down(r.error);
    }
    return;
  }
  CancelAllFilter f;
  if (c.scope.level == ScopeLevel::instrument) f.instrument = index_of(InstrumentId{c.scope.id});
  const CancelAllResult r = exchange_.cancel_all(config_.account, f, *this);
  if (r.terminate_session) session_down(r.error);
}

void TypedDoor::handle(const Resync& c) {
  const InstrumentIndex i = index_of(c.instrument);
  if (up_ && i != no_instrument && wants_book(i)) snapshot(i, FeedReason::resynced);
}

void TypedDoor::handle(const Reconcile& c) {
  if (!up_) return;
  ReconcileMark mark;
  mark.generation = c.generation;
  mark.as_of = exchange_.now();
  const std::uint8_t last = event_flag::historical | event_flag::last_in_packet;
  put(Lane::user, EventKind::reconcile_mark, InstrumentId{}, mark, last);
  for (const std::size_t row : exchange_.user_trades(config_.account, trade_number(c.last_trade))) {
    send_fill(exchange_.user_trade(row), last);
    ++mark.trades;
  }
  for (const OrderNo n : exchange_.open_orders(config_.account)) {
    const OrderInfo& o = *exchange_.order(n);
    OpenOrderReport report;
    report.order = order_of(o.label);
    report.price = o.price;
    report.amount = o.amount;
    report.filled = o.filled;
    report.venue_ref = o.number;
    report.created = o.created;
    report.side = o.side;
    report.reduce_only = o.reduce_only ? 1 : 0;
    report.post_only = o.post_only ? 1 : 0;
    put(Lane::user, EventKind::open_order_report, id_of(o.instrument), report, last);
    ++mark.open_orders;
  }
  for (const Position& p : exchange_.positions(config_.account)) {
    position_report(p.instrument, last);
    ++mark.positions;
  }
  for (const Currency ccy : exchange_.currencies()) { margin_report(ccy, event_flag::historical); }
  mark.phase = ReconcilePhase::complete;
  put(Lane::user, EventKind::reconcile_mark, InstrumentId{}, mark, last);
}

void TypedDoor::handle(const QueryOrder& c) {
  if (!up_) return;
  OrderLookup found;
  found.order = c.order;
  const OrderNo n = number_of(c.order);
  if (n == 0) {
    found.outcome =
        exchange_.now() > c.valid_until ? LookupOutcome::absent : LookupOutcome::unproven;
  } else {
    const OrderInfo& o = *exchange_.order(n);
    constexpr std::array<LookupOutcome, 4> outcomes{LookupOutcome::open, LookupOutcome::filled,
                                                    LookupOutcome::rejected,
                                                    LookupOutcome::cancelled};
    found.outcome = outcomes[static_cast<std::size_t>(o.state)];
    found.filled = o.filled;
    found.price = o.price;
  }
  put(Lane::user, EventKind::order_lookup, c.instrument, found,
      event_flag::historical | event_flag::last_in_packet);
}

}  // namespace gimbal::sim
