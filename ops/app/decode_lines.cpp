// Events and books as JSON lines: see decode_lines.hpp.
#include "ops/app/decode_lines.hpp"

namespace gimbal {

namespace {

std::string_view side_text(Side side) { return side == Side::buy ? "buy" : "sell"; }

std::string_view reason_text(FeedReason reason) {
  static constexpr std::array<std::string_view, 10> names{
      "none",    "connected", "disconnected", "malformed", "sequence_gap",
      "crossed", "stale",     "resynced",     "overload",  "not_accepted"};
  return names.at(static_cast<std::size_t>(reason));
}

std::string_view done_text(DoneReason reason) {
  static constexpr std::array<std::string_view, 7> names{
      "filled",        "cancelled_by_us", "cancelled_by_venue", "cancelled_on_disconnect",
      "ioc_remainder", "expired",         "never_arrived"};
  return names.at(static_cast<std::size_t>(reason));
}

std::string_view reject_text(RejectReason reason) {
  static constexpr std::array<std::string_view, 10> names{
      "none",    "venue",         "throttled", "last_gate",   "local_rate",
      "expired", "not_connected", "unclear",   "wrong_terms", "wrong_amount"};
  return names.at(static_cast<std::size_t>(reason));
}

std::string_view change_text(InstrumentChangeKind kind) {
  switch (kind) {
    case InstrumentChangeKind::invalidate: return "invalidate";
    case InstrumentChangeKind::adopt: return "adopt";
    case InstrumentChangeKind::settle: return "settle";
  }
  return "invalidate";
}

std::string_view kind_text(std::string_view name) {
  deribit::InstrumentRow row;
  if (!deribit::instrument_from_name(name, row)) return "other";
  static constexpr std::array<std::string_view, 6> names{"inverse_perpetual", "inverse_future",
                                                         "linear_perpetual",  "linear_future",
                                                         "inverse_option",    "linear_option"};
  return names.at(static_cast<std::size_t>(row.definition.kind));
}

std::string hex(std::uint64_t value) {
  std::array<char, 17> digits{};
  std::snprintf(digits.data(), digits.size(), "%016llx", static_cast<unsigned long long>(value));
  return digits.data();
}

// The venue's own text when it was kept verbatim, a hexadecimal fold otherwise.
std::string trade_text(TradeId id) {
  if ((id.high >> 63) != 0) return hex(id.high) + hex(id.low);
  std::string out;
  for (const std::uint64_t word : {id.high, id.low}) {
    for (int shift = 56; shift >= 0; shift -= 8) {
      const char c = static_cast<char>(word >> shift);
      if (c != '\0') out += c;
    }
  }
  return out;
}

}  // namespace

std::string_view event_name(EventKind kind) {
  static constexpr std::array<std::string_view, event_kinds> names{"none",
                                                                   "boot",
                                                                   "book_delta",
                                                                   "book_reset",
                                                                   "trade",
                                                                   "ticker",
                                                                   "index_price",
                                                                   "order_ack",
                                                                   "order_reject",
                                                                   "fill",
                                                                   "order_done",
                                                                   "position_report",
                                                                   "margin_report",
                                                                   "feed_status",
                                                                   "gateway_status",
                                                                   "timer",
                                                                   "operator_command",
                                                                   "config_change",
                                                                   "instrument_change",
                                                                   "side_block",
                                                                   "venue_clock",
                                                                   "open_order_report",
                                                                   "reconcile_mark",
                                                                   "order_lookup",
                                                                   "order_sent",
                                                                   "guardian_status",
                                                                   "day_carry",
                                                                   "order_carry"};
  return names.at(static_cast<std::size_t>(kind));
}

void EventLines::head(const Event& event, std::string_view name, FlatJson& json) const {
  json.text("event", name);
  if (event.instrument.valid()) {
    const std::string_view instrument = symbols_->name(event.instrument);
    json.text("instrument", instrument).text("kind", kind_text(instrument));
  }
  if (event.exch.unix_ns != 0 && event.kind() != EventKind::order_sent) {
    json.number("time_ms", static_cast<std::uint64_t>(to_unix_ms(event.exch)));
  }
}

void EventLines::ticker(const Ticker& t, FlatJson& json) const {
  json.decimal("mark", t.mark.nano).decimal("index", t.index.nano);
  json.decimal("underlying", t.underlying.nano).decimal("mark_iv", t.mark_iv_nano);
  json.decimal("best_bid", t.best_bid.nano).decimal("best_ask", t.best_ask.nano);
  json.decimal("bid_iv", t.bid_iv_nano).decimal("ask_iv", t.ask_iv_nano);
  json.decimal("delta", t.delta_nano).decimal("gamma", t.gamma_nano);
  json.decimal("vega", t.vega_nano).decimal("funding_8h", t.funding_8h_nano);
}

void EventLines::fill(const Fill& f, FlatJson& json) const {
  json.text("order", hex(f.order.value)).text("trade", trade_text(f.trade));
  json.text("side", side_text(f.side)).decimal("price", f.price.nano);
  json.decimal("qty", f.amount.nano).decimal("fee", f.fee.nano);
  json.text("fee_currency", f.fee_currency.text()).decimal("profit", f.profit.nano);
  json.text("liquidity", f.liquidity == Liquidity::maker ? "maker" : "taker");
  json.raw("liquidation", f.kind == FillKind::liquidation ? "true" : "false");
  json.raw("order_open", f.order_open != 0 ? "true" : "false");
}

void EventLines::margin(const MarginReport& m, FlatJson& json) const {
  json.text("currency", m.settlement.text()).decimal("equity", m.equity.nano);
  json.decimal("balance", m.balance.nano).decimal("margin_balance", m.margin_balance.nano);
  json.decimal("initial_margin", m.initial_margin.nano);
  json.decimal("maintenance_margin", m.maintenance_margin.nano);
  json.decimal("available", m.available.nano).decimal("delta_total", m.delta_total_nano);
  json.decimal("options_delta", m.options_delta_nano)
      .decimal("options_value", m.options_value.nano);
}

void EventLines::single(const Event& event, FlatJson& json) const {
  switch (event.kind()) {
    case EventKind::book_delta: {
      const auto d = event.as<BookDelta>();
      json.text("side", side_text(d.side)).decimal("price", d.price.nano);
      json.decimal("qty", d.amount.nano).number("change_id", d.change_id);
      break;
    }
    case EventKind::book_reset: json.number("change_id", event.as<BookReset>().change_id); break;
    case EventKind::trade: {
      const auto t = event.as<Trade>();
      json.text("side", side_text(t.taker)).decimal("price", t.price.nano);
      json.decimal("qty", t.amount.nano).number("trade_seq", t.trade_seq);
      json.raw("liquidation", t.liquidation != 0 ? "true" : "false");
      break;
    }
    case EventKind::index_price: json.decimal("price", event.as<IndexPrice>().price.nano); break;
    case EventKind::feed_status: {
      const auto s = event.as<FeedStatus>();
      json.text("state", s.state == FeedState::valid ? "valid" : "invalid");
      json.text("reason", reason_text(s.reason));
      if (s.reason == FeedReason::sequence_gap) {
        json.number("expected", s.expected).number("found", s.found);
      }
      break;
    }
    case EventKind::instrument_change:
      json.text("change", change_text(event.as<InstrumentChange>().change));
      break;
    case EventKind::order_ack: {
      const auto a = event.as<OrderAck>();
      json.text("order", hex(a.order.value)).decimal("price", a.price.nano);
      json.decimal("qty", a.amount.nano).decimal("filled", a.filled.nano);
      break;
    }
    case EventKind::order_done: {
      const auto d = event.as<OrderDone>();
      json.text("order", hex(d.order.value)).decimal("filled", d.filled.nano);
      json.text("reason", done_text(d.reason));
      break;
    }
    case EventKind::order_reject: {
      const auto r = event.as<OrderReject>();
      json.text("order", hex(r.order.value)).text("reason", reject_text(r.reason));
      json.raw("code", std::to_string(r.venue_code));
      break;
    }
    case EventKind::position_report: {
      const auto p = event.as<PositionReport>();
      json.decimal("qty", p.amount.nano).decimal("average", p.average.nano);
      json.decimal("mark", p.mark.nano).decimal("delta", p.delta_nano);
      break;
    }
    default: break;
  }
}

std::string EventLines::line(const Event& event) {
  FlatJson json;
  head(event, event_name(event.kind()), json);
  switch (event.kind()) {
    case EventKind::ticker:
      if (!ticker_.add(event)) return {};
      ticker(ticker_.value(), json);
      break;
    case EventKind::fill:
      if (!fill_.add(event)) return {};
      fill(fill_.value(), json);
      break;
    case EventKind::margin_report:
      if (!margin_.add(event)) return {};
      margin(margin_.value(), json);
      break;
    default: single(event, json); break;
  }
  if (event.has(event_flag::snapshot)) json.raw("snapshot", "true");
  if (event.has(event_flag::last_in_packet)) json.raw("last", "true");
  return json.done();
}

void TopBooks::apply(std::string_view channel, std::span<const Event> events) {
  Book& book = books_[std::string{channel}];
  const auto set = [](auto& side, const BookDelta& d) {
    if (d.amount.nano == 0)
      side.erase(d.price.nano);
    else
      side[d.price.nano] = d.amount.nano;
  };
  for (const Event& e : events) {
    if (e.kind() == EventKind::book_reset) {
      book.bids.clear();
      book.asks.clear();
    } else if (e.kind() == EventKind::book_delta) {
      const auto d = e.as<BookDelta>();
      if (d.side == Side::buy)
        set(book.bids, d);
      else
        set(book.asks, d);
    }
  }
}

std::string TopBooks::line(std::string_view channel, std::string_view instrument,
                           std::uint64_t change_id, bool valid) const {
  FlatJson json;
  json.text("instrument", instrument);
  const auto found = books_.find(channel);
  const auto level = [&](std::string_view price, std::string_view qty, const auto& side) {
    const bool none = side.empty();
    json.decimal(price, none ? absent_nano : side.begin()->first);
    json.decimal(qty, none ? absent_nano : side.begin()->second);
  };
  static const Book empty;
  const Book& book = found == books_.end() ? empty : found->second;
  level("bid", "bid_qty", book.bids);
  level("ask", "ask_qty", book.asks);
  return json.number("change_id", change_id).raw("valid", valid ? "true" : "false").done();
}

}  // namespace gimbal
