// Exchange outputs as core Events: the typed door's side towards the receiver.
#include <algorithm>
#include <string>

#include "venues/sim/numeric.hpp"
#include "venues/sim/typed_door.hpp"

namespace gimbal::sim {
namespace {

constexpr std::uint64_t stream_market = 0;
constexpr std::uint64_t stream_user = 1;
constexpr std::uint64_t stream_fills = 3;
constexpr std::uint8_t last = event_flag::last_in_packet;

DoneReason done_reason(const OrderInfo& o) noexcept {
  if (o.state == OrderState::filled) return DoneReason::filled;
  switch (o.cancel_reason) {
    case CancelReason::user_request: return DoneReason::cancelled_by_us;
    case CancelReason::cancel_on_disconnect: return DoneReason::cancelled_on_disconnect;
    case CancelReason::remainder: return DoneReason::ioc_remainder;
    default: return DoneReason::cancelled_by_venue;
  }
}

}  // namespace

RecvTime TypedDoor::delivery(Lane lane) {
  const auto& queue = lanes_[static_cast<std::size_t>(lane)];
  const std::uint64_t stream = lane == Lane::market ? stream_market : stream_user;
  const RecvTime at =
      to_recv(exchange_.now()) + config_.to_client + faults_.latency(stream, ++frame_ordinal_);
  return queue.empty() ? at : std::max(at, queue.back().at);
}

// Writes the parts of one payload; all but the last carry no packet flag.
template <class Payload>
void TypedDoor::put(Lane lane, EventKind kind, InstrumentId instrument, const Payload& payload,
                    std::uint8_t flags) {
  auto& queue = lanes_[static_cast<std::size_t>(lane)];
  // Inside a packet every record is delivered with the first.
  const bool open = !queue.empty() && !queue.back().event.has(last);
  const RecvTime at = open ? queue.back().at : delivery(lane);
  Event head;
  head.set_kind(kind);
  head.venue = config_.venue;
  head.instrument = instrument;
  head.recv = at;
  head.exch = exchange_.now();
  head.add_flag(static_cast<std::uint8_t>(flags & ~last));
  Event parts[event_parts_max];
  const std::size_t count = write_parts(head, payload, parts);
  if ((flags & last) != 0) parts[count - 1].add_flag(last);
  for (std::size_t i = 0; i < count; ++i) queue.push_back({at, parts[i]});
}

template void TypedDoor::put(Lane, EventKind, InstrumentId, const ReconcileMark&, std::uint8_t);
template void TypedDoor::put(Lane, EventKind, InstrumentId, const OpenOrderReport&, std::uint8_t);
template void TypedDoor::put(Lane, EventKind, InstrumentId, const OrderLookup&, std::uint8_t);

// --- session -------------------------------------------------------------------------------------

void TypedDoor::venue_clock() {
  VenueClock clock;
  clock.offset_ns = opened_.unix_ns - config_.epoch.mono_ns;
  clock.uncertainty_ns = (config_.to_venue + config_.to_client).count;
  put(Lane::user, EventKind::venue_clock, InstrumentId{}, clock, last);
}

void TypedDoor::session_up() {
  up_ = true;
  up_again_ = RecvTime{INT64_MAX};
  ++generation_;
  connection_ = exchange_.open_connection();
  static_cast<void>(exchange_.bind(connection_, config_.account));
  if (config_.cancel_on_disconnect) {
    static_cast<void>(exchange_.set_cod(connection_, CodScope::connection, true));
  }
  FeedStatus feed;
  feed.state = FeedState::valid;
  feed.reason = FeedReason::connected;
  feed.generation = generation_;
  put(Lane::market, EventKind::feed_status, InstrumentId{}, feed, last);
  for (InstrumentIndex i = 0; i < ids_.size(); ++i) {
    if (!exchange_.instruments()[i].active) continue;
    const bool future = !is_option(exchange_.instruments()[i].def.kind);
    if (future || config_.option_books) snapshot(i, FeedReason::connected);
    on_ticker(exchange_.ticker(i));
  }
  for (std::uint32_t p = 0; p < exchange_.config().products.size(); ++p) {
    on_index(p, exchange_.index_price(p));
  }
  venue_clock();
  GatewayStatus ready;
  ready.state = GatewayState::ready;
  ready.cancel_on_disconnect = exchange_.cod_enabled(connection_) ? 1 : 0;
  ready.generation = generation_;
  put(Lane::user, EventKind::gateway_status, InstrumentId{}, ready, last);
  for (const Currency c : exchange_.currencies()) margin_report(c, 0);
}

void TypedDoor::session_down(int venue_code) {
  ++counters_.sessions_lost;
  GatewayStatus down;
  down.state = GatewayState::down;
  down.venue_code = venue_code;
  down.generation = generation_;
  put(Lane::user, EventKind::gateway_status, InstrumentId{}, down, last);
  FeedStatus feed;
  feed.state = FeedState::invalid;
  feed.reason = FeedReason::disconnected;
  feed.generation = generation_;
  put(Lane::market, EventKind::feed_status, InstrumentId{}, feed, last);
  up_ = false;  // before the cancels: nobody hears them
  up_again_ = to_recv(exchange_.now()) + config_.reconnect;
  exchange_.close_connection(connection_, false, *this);
  for (Feed& f : feeds_) f.broken = true;
}

// --- public --------------------------------------------------------------------------------------

bool TypedDoor::wants_book(InstrumentIndex i) {
  return up_ && i < ids_.size() &&
         (config_.option_books || !is_option(exchange_.instruments()[i].def.kind));
}

void TypedDoor::snapshot(InstrumentIndex i, FeedReason reason) {
  Feed& feed = feeds_[i];
  feed.broken = false;
  feed.change_id = exchange_.change_id(i);
  FeedStatus status;
  status.state = FeedState::valid;
  status.reason = reason;
  status.generation = generation_;
  BookReset reset;
  reset.change_id = feed.change_id;
  std::vector<Level> bids;
  std::vector<Level> asks;
  exchange_.levels(i, Side::buy, 0, bids);
  exchange_.levels(i, Side::sell, 0, asks);
  const std::uint8_t flags = event_flag::snapshot;
  const std::size_t count = bids.size() + asks.size();
  put(Lane::market, EventKind::feed_status, ids_[i], status, flags);
  put(Lane::market, EventKind::book_reset, ids_[i], reset,
      static_cast<std::uint8_t>(count == 0 ? flags | last : flags));
  std::size_t n = 0;
  for (const Side side : {Side::buy, Side::sell}) {
    for (const Level& l : side == Side::buy ? bids : asks) {
      BookDelta d;
      d.price = l.price;
      d.amount = l.amount;
      d.change_id = feed.change_id;
      d.side = side;
      put(Lane::market, EventKind::book_delta, ids_[i], d,
          static_cast<std::uint8_t>(++n == count ? flags | last : flags));
    }
  }
}

void TypedDoor::on_book_change(InstrumentIndex i, std::uint64_t change_id,
                               std::uint64_t prev_change_id, std::span<const LevelChange> changes) {
  Feed& feed = feeds_[i];
  if (feed.broken) return;
  const FrameFault fault = faults_.frame(FrameKind::book, stream_market, ++frame_ordinal_);
  const bool lost = fault == FrameFault::gap || fault == FrameFault::drop;
  if (lost) {
    feed.broken = true;
    ++counters_.gaps;
    FeedStatus gap;
    gap.state = FeedState::invalid;
    gap.reason = FeedReason::sequence_gap;
    gap.expected = prev_change_id;
    gap.found = change_id;
    gap.generation = generation_;
    return put(Lane::market, EventKind::feed_status, ids_[i], gap, last);
  }
  feed.change_id = change_id;
  for (std::size_t n = 0; n < changes.size(); ++n) {
    BookDelta d;
    d.price = changes[n].price;
    d.amount = changes[n].amount;
    d.change_id = change_id;
    d.side = changes[n].side;
    put(Lane::market, EventKind::book_delta, ids_[i], d, n + 1 == changes.size() ? last : 0);
  }
}

void TypedDoor::on_trade(const PublicTrade& t) {
  if (!wants_book(t.instrument)) return;
  Trade trade;
  trade.price = t.price;
  trade.amount = t.amount;
  trade.trade_seq = t.seq;
  trade.taker = t.taker;
  trade.liquidation = t.liquidation == LiquidationSide::none ? 0 : 1;
  put(Lane::market, EventKind::trade, ids_[t.instrument], trade, last);
}

void TypedDoor::on_ticker(const TickerInfo& t) {
  if (!up_ || t.instrument >= ids_.size()) return;
  Ticker out;
  out.mark = t.mark;
  out.index = t.index;
  out.underlying = t.underlying;
  out.best_bid = t.best_bid;
  out.best_ask = t.best_ask;
  const Instrument& def = exchange_.instruments()[t.instrument].def;
  if (is_option(def.kind)) {
    out.mark_iv_nano = to_nano(t.mark_iv / 100);
    if (t.bid_iv > 0) out.bid_iv_nano = to_nano(t.bid_iv / 100);
    if (t.ask_iv > 0) out.ask_iv_nano = to_nano(t.ask_iv / 100);
    out.delta_nano = to_nano(t.greeks.delta);
    out.gamma_nano = to_nano(t.greeks.gamma);
    out.vega_nano = to_nano(t.greeks.vega);
  } else if (is_perpetual(def.kind)) {
    out.funding_8h_nano = to_nano(t.funding_8h);
  }
  put(Lane::market, EventKind::ticker, ids_[t.instrument], out, last);
}

void TypedDoor::on_index(std::uint32_t product, Price price) {
  if (!up_) return;
  const auto& config = exchange_.config();
  IndexPrice index;
  index.price = price;
  for (std::size_t c = 0; c < config.coins.size(); ++c) {
    if (config.coins[c].coin == config.products[product].coin) {
      index.underlying = UnderlyingId{static_cast<std::uint8_t>(c)};
    }
  }
  put(Lane::market, EventKind::index_price, InstrumentId{}, index, last);
}

void TypedDoor::on_instrument_state(InstrumentIndex i, ListingState state) {
  if (i >= ids_.size() || state != ListingState::settled) return;
  table_.set_state(ids_[i], InstrumentState::settled);
  InstrumentChange change;
  change.change = InstrumentChangeKind::settle;
  change.delivery = exchange_.ticker(i).delivery;
  put(Lane::market, EventKind::instrument_change, ids_[i], change, last);
}

// The old definition stops at once; the new one is adopted by whoever owns the side blocks.
void TypedDoor::on_ticks_change(InstrumentIndex i) {
  if (i >= ids_.size()) return;
  InstrumentChange change;
  change.change = InstrumentChangeKind::invalidate;
  put(Lane::market, EventKind::instrument_change, ids_[i], change, last);
}

// --- account -------------------------------------------------------------------------------------

void TypedDoor::on_user_order(const OrderInfo& o) {
  if (!up_ || o.account != config_.account) return;
  const OrderId order = order_of(o.label);
  const bool answer = order.valid() && order == answering_;
  if (answer && mute_acks_) return;
  const bool open = o.state == OrderState::open;
  const std::uint8_t closing = open ? last : std::uint8_t{0};
  if (open || answer) {
    OrderAck ack;
    ack.order = order;
    ack.price = o.price;
    ack.amount = o.amount;
    ack.filled = o.filled;
    put(Lane::user, EventKind::order_ack, id_of(o.instrument), ack, closing);
  }
  if (open) return;
  OrderDone done;
  done.order = order;
  done.filled = o.filled;
  done.reason = done_reason(o);
  put(Lane::user, EventKind::order_done, id_of(o.instrument), done, last);
}

void TypedDoor::reject(OrderId order, InstrumentId instrument, OrderAction action,
                       const OrderResult& r) {
  if (!mute_acks_) {
    OrderReject refused;
    refused.order = order;
    refused.venue_code = r.error;
    refused.action = action;
    const bool amount = (r.error == code::qty_too_low || r.error == code::invalid_amount) &&
                        action == OrderAction::place;
    refused.reason = r.error == code::too_many_requests  ? RejectReason::throttled
                     : r.error == code::timed_out        ? RejectReason::expired
                     : r.error == code::price_wrong_tick ? RejectReason::wrong_terms
                     : amount                            ? RejectReason::wrong_amount
                                                         : RejectReason::venue;
    put(Lane::user, EventKind::order_reject, instrument, refused, last);
  }
  if (r.terminate_session && up_) session_down(r.error);
}

void TypedDoor::send_fill(const UserTrade& t, std::uint8_t flags) {
  Fill fill;
  fill.order = order_of(t.label);
  fill.trade = trade_id(std::to_string(t.trade.number));
  fill.price = t.trade.price;
  fill.amount = t.trade.amount;
  fill.fee = t.fee;
  fill.profit = t.profit;
  fill.side = t.side;
  fill.liquidity = t.liquidity;
  const OrderInfo& o = *exchange_.order(t.order);
  fill.kind = o.liquidation ? FillKind::liquidation : FillKind::normal;
  const bool rests = t.state == OrderState::open && o.tif == TimeInForce::good_til_cancelled;
  fill.order_open = rests ? 1 : 0;
  fill.fee_currency = t.currency;
  fill.index = t.trade.index;
  fill.mark = t.trade.mark;
  put(Lane::user, EventKind::fill, id_of(t.trade.instrument), fill, flags);
}

void TypedDoor::on_user_trade(const UserTrade& t) {
  if (!up_ || t.account != config_.account) return;
  if (faults_.fill_lost(stream_fills, ++fill_ordinal_)) {
    ++counters_.fills_lost;
    return;
  }
  send_fill(t, last);
  const FrameFault fault = faults_.frame(FrameKind::user, stream_fills, fill_ordinal_);
  if (fault == FrameFault::duplicate) send_fill(t, last);
}

void TypedDoor::margin_report(Currency currency, std::uint8_t flags) {
  const Summary s = exchange_.summary(config_.account, currency);
  MarginReport m;
  m.settlement = currency;
  m.equity = s.equity;
  m.balance = s.balance;
  m.margin_balance = s.margin_balance;
  m.initial_margin = s.initial_margin;
  m.maintenance_margin = s.maintenance_margin;
  m.available = s.available_funds;
  m.delta_total_nano = to_nano(s.delta_total);
  m.options_delta_nano = to_nano(s.options_delta);
  m.options_value = s.options_value;
  m.session_upl = s.session_upl;
  m.session_rpl = s.session_rpl;
  const auto model =
      s.portfolio_margin ? gimbal::AccountMargin::portfolio : gimbal::AccountMargin::standard;
  put(Lane::user, EventKind::margin_report, InstrumentId{}, m,
      static_cast<std::uint8_t>(flags | last | flag_of(model)));
}

void TypedDoor::on_user_portfolio(AccountId account, Currency currency) {
  if (up_ && account == config_.account) margin_report(currency, 0);
}

void TypedDoor::position_report(InstrumentIndex i, std::uint8_t flags) {
  const Position p = exchange_.position(config_.account, i);
  PositionReport report;
  report.amount = p.size;
  report.average = p.average;
  report.mark = p.mark;
  report.delta_nano = to_nano(p.delta);
  put(Lane::user, EventKind::position_report, id_of(i), report, flags);
}

}  // namespace gimbal::sim
