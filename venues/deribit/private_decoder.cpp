// Reads private frames and query replies: see private_reader.hpp.
#include <simdjson.h>

#include "venues/deribit/private_reader.hpp"

#include "feeds/deribit/fields.hpp"

namespace gimbal::deribit {

namespace {

using simdjson::ondemand::value;

PrivateChannel channel_of(std::string_view name) noexcept {
  const auto starts = [&](std::string_view head) noexcept {
    return name.substr(0, head.size()) == head;
  };
  if (starts("user.orders.")) return PrivateChannel::orders;
  if (starts("user.trades.")) return PrivateChannel::trades;
  if (starts("user.changes.")) return PrivateChannel::changes;
  if (starts("user.portfolio.")) return PrivateChannel::portfolio;
  return PrivateChannel::other;
}

OrderState state_of(std::string_view text) noexcept {
  if (text == "open") return OrderState::open;
  if (text == "filled") return OrderState::filled;
  if (text == "rejected") return OrderState::rejected;
  if (text == "cancelled") return OrderState::cancelled;
  if (text == "untriggered" || text == "triggered") return OrderState::untriggered;
  return OrderState::unknown;
}

bool text_or_null(value& v, std::string_view& out) noexcept {
  return is_null(v) || read_text(v, out);
}

bool read_side(value& v, Side& side) noexcept {
  std::string_view text;
  if (!read_text(v, text)) return false;
  side = text == "sell" ? Side::sell : Side::buy;
  return text == "buy" || text == "sell";
}

bool order_member(Key key, value& m, OrderRow& row) noexcept {
  switch (key) {
    case Key::order_id: return read_text(m, row.order_id);
    case Key::label: return text_or_null(m, row.label);
    case Key::instrument_name: return read_text(m, row.instrument);
    case Key::cancel_reason: return text_or_null(m, row.cancel_reason);
    case Key::direction: return row.side_known = read_side(m, row.side);
    case Key::price: return read_loose(m, row.price.nano);
    case Key::average_price: return read_loose(m, row.average.nano);
    case Key::amount: return read_exact(m, row.amount.nano) && row.amount.nano >= 0;
    case Key::filled_amount: return read_exact(m, row.filled.nano) && row.filled.nano >= 0;
    case Key::creation_timestamp: return read_time(m, row.created);
    case Key::last_update_timestamp: return read_time(m, row.updated);
    case Key::post_only: return read_bool(m, row.post_only);
    case Key::reduce_only: return read_bool(m, row.reduce_only);
    case Key::is_liquidation: return is_null(m) || read_bool(m, row.liquidation);
    case Key::order_state: {
      std::string_view text;
      if (!read_text(m, text)) return false;
      row.state = state_of(text);
      return true;
    }
    case Key::time_in_force: {
      std::string_view text;
      if (!text_or_null(m, text)) return false;
      row.immediate = text == "immediate_or_cancel" || text == "fill_or_kill";
      return true;
    }
    default: return skip(m);
  }
}

// Whose side a liquidation was on: M the maker's, T the taker's, MT both.
FillKind fill_kind(std::string_view liquidation, Liquidity ours) noexcept {
  if (liquidation == "MT" || (liquidation == "M" && ours == Liquidity::maker) ||
      (liquidation == "T" && ours == Liquidity::taker)) {
    return FillKind::liquidation;
  }
  return FillKind::normal;
}

struct TradeTexts {
  std::string_view liquidation, order_type, liquidity, state;
};

bool trade_member(Key key, value& m, UserTradeRow& row, TradeTexts& t) noexcept {
  Fill& fill = row.fill;
  switch (key) {
    case Key::trade_id: return read_text(m, row.trade_id);
    case Key::label: return text_or_null(m, row.label);
    case Key::instrument_name: return read_text(m, row.instrument);
    case Key::combo_id: return text_or_null(m, row.combo_id);
    case Key::combo_trade_id: return text_or_null(m, row.combo_trade_id) || skip(m);
    case Key::timestamp: return read_time(m, row.time);
    case Key::price: return read_exact(m, fill.price.nano);
    case Key::amount: return read_exact(m, fill.amount.nano) && fill.amount.nano > 0;
    case Key::fee: return read_rounded(m, fill.fee.nano);
    case Key::profit_loss: return read_rounded(m, fill.profit.nano);
    case Key::index_price: return read_rounded(m, fill.index.nano);
    case Key::mark_price: return read_rounded(m, fill.mark.nano);
    case Key::direction: return read_side(m, fill.side);
    case Key::liquidation: return text_or_null(m, t.liquidation);
    case Key::order_type: return text_or_null(m, t.order_type);
    case Key::liquidity: return text_or_null(m, t.liquidity);
    case Key::state: return text_or_null(m, t.state);
    case Key::fee_currency: {
      std::string_view text;
      if (!text_or_null(m, text)) return false;
      fill.fee_currency = currency(text);
      return text.size() <= 8;
    }
    default: return skip(m);
  }
}

// "segregated_sm", "segregated_pm", "cross_sm", "cross_pm". Any other is not known.
AccountMargin margin_of(std::string_view text) noexcept {
  if (text.ends_with("_pm")) return AccountMargin::portfolio;
  return text.ends_with("_sm") ? AccountMargin::standard : AccountMargin::unknown;
}

bool margin_member(Key key, value& m, MarginRow& row) noexcept {
  MarginReport& r = row.report;
  switch (key) {
    case Key::margin_model: {
      std::string_view text;
      if (!text_or_null(m, text)) return skip(m);
      row.model = margin_of(text);
      return true;
    }
    case Key::currency: {
      std::string_view text;
      if (!read_text(m, text) || text.size() > 8) return false;
      r.settlement = currency(text);
      return true;
    }
    case Key::equity: return read_rounded(m, r.equity.nano);
    case Key::balance: return read_rounded(m, r.balance.nano);
    case Key::margin_balance: return read_rounded(m, r.margin_balance.nano);
    case Key::initial_margin: return read_rounded(m, r.initial_margin.nano);
    case Key::maintenance_margin: return read_rounded(m, r.maintenance_margin.nano);
    case Key::available_funds: return read_rounded(m, r.available.nano);
    case Key::delta_total: return read_rounded(m, r.delta_total_nano);
    case Key::options_delta: return read_rounded(m, r.options_delta_nano);
    case Key::options_value: return read_rounded(m, r.options_value.nano);
    case Key::session_upl: return read_rounded(m, r.session_upl.nano);
    case Key::session_rpl: return read_rounded(m, r.session_rpl.nano);
    default: return skip(m);
  }
}

}  // namespace

struct PrivateReader::State {
  std::size_t frame_max{0};
  simdjson::ondemand::parser parser;
  PrivateFrame out;
  ReplyMode mode{ReplyMode::orders};
  bool data_deferred{false};
  bool data_read{false};
  std::string_view method;
  std::string_view heartbeat_type;

  bool fail(std::string_view why) noexcept {
    if (out.reason.empty()) out.reason = why;
    return false;
  }
  void clear() noexcept;
  void clear_rows() noexcept;
  bool pass(simdjson::ondemand::document& document) noexcept;
  bool result(value& v) noexcept;
  bool result_object(value& v, int depth) noexcept;
  bool account_object(value& v) noexcept;
  bool limits(value& v) noexcept;
  bool rate(value& v) noexcept;
  bool error(value& v) noexcept;
  bool params(value& v) noexcept;
  bool data(value& v) noexcept;
  bool order(value& v) noexcept;
  bool orders(value& v) noexcept;
  bool trade(value& v) noexcept;
  bool trades(value& v) noexcept;
  bool position(value& v) noexcept;
  bool positions(value& v) noexcept;
  bool margin(value& v) noexcept;
  bool changes(value& v) noexcept;
  bool add_order(const OrderRow& row, const SeenKeys& seen) noexcept;
};

void PrivateReader::State::clear_rows() noexcept {
  out.names.clear();
  out.orders.clear();
  out.trades.clear();
  out.positions.clear();
  out.margins.clear();
  out.partial_errors = out.result_items = 0;
}

void PrivateReader::State::clear() noexcept {
  clear_rows();
  out.shape = PrivateShape::malformed;
  out.reason = out.channel_name = {};
  out.channel = PrivateChannel::other;
  out.id = -1;
  out.error_code = 0;
  out.us_out = 0;
  out.result_is_number = out.result_ok_text = out.enabled_said = out.enabled = false;
  out.has_more = out.limits_said = out.too_many_orders = false;
  out.result_is_array = out.trades_said = out.has_more_said = false;
  out.result_number = out.account_id = 0;
  out.limits = RateLimits{};
  data_deferred = data_read = false;
  method = heartbeat_type = {};
}

bool PrivateReader::State::add_order(const OrderRow& row, const SeenKeys& seen) noexcept {
  if (!seen.has(Key::order_id) || !seen.has(Key::instrument_name) || !seen.has(Key::order_state) ||
      !seen.has(Key::amount)) {
    return fail("an order lacks order_id, instrument_name, order_state or amount");
  }
  if (out.orders.size() == rows_max) {
    out.too_many_orders = true;
    return fail("too many orders");
  }
  out.orders.push_back(row);
  return true;
}

bool PrivateReader::State::order(value& v) noexcept {
  OrderRow row;
  SeenKeys seen;
  const bool read = read_object(v, seen, [&](Key key, value& m) noexcept {
    return order_member(key, m, row) || fail("an order member has the wrong type");
  });
  return read ? add_order(row, seen) : fail("an order is not well formed");
}

bool PrivateReader::State::orders(value& v) noexcept {
  if (is_object(v)) return order(v);
  return read_array(v, [&](value& item) noexcept { return order(item); }) ||
         fail("orders are no array");
}

bool PrivateReader::State::trade(value& v) noexcept {
  UserTradeRow row;
  row.fill.profit.nano = absent_nano;
  TradeTexts texts;
  SeenKeys seen;
  const bool read = read_object(v, seen, [&](Key key, value& m) noexcept {
    return trade_member(key, m, row, texts) || fail("a trade member has the wrong type");
  });
  if (!read) return fail("a trade is not well formed");
  if (!seen.has(Key::trade_id) || !seen.has(Key::instrument_name) || !seen.has(Key::price) ||
      !seen.has(Key::amount) || !seen.has(Key::direction) || row.trade_id.empty()) {
    return fail("a trade lacks trade_id, instrument_name, price, amount or direction");
  }
  row.fill.liquidity = texts.liquidity == "M" ? Liquidity::maker : Liquidity::taker;
  row.liquidity_known = texts.liquidity == "M" || texts.liquidity == "T";
  row.fill.kind = texts.order_type == "liquidation"
                      ? FillKind::liquidation
                      : fill_kind(texts.liquidation, row.fill.liquidity);
  row.fill.order_open = texts.state == "open" ? 1 : 0;
  if (out.trades.size() == rows_max) return fail("too many trades");
  out.trades.push_back(row);
  return true;
}

bool PrivateReader::State::trades(value& v) noexcept {
  if (is_object(v)) return trade(v);
  return read_array(v, [&](value& item) noexcept { return trade(item); }) ||
         fail("trades are no array");
}

bool PrivateReader::State::position(value& v) noexcept {
  PositionRow row;
  std::string_view direction;
  SeenKeys seen;
  const bool read = read_object(v, seen, [&](Key key, value& m) noexcept {
    switch (key) {
      case Key::instrument_name: return read_text(m, row.instrument);
      case Key::direction: return read_text(m, direction);
      case Key::size: return read_exact(m, row.report.amount.nano);
      case Key::average_price: return read_rounded(m, row.report.average.nano);
      case Key::mark_price: return read_rounded(m, row.report.mark.nano);
      case Key::delta: return read_rounded(m, row.report.delta_nano);
      default: return skip(m);
    }
  });
  if (!read || !seen.has(Key::instrument_name) || !seen.has(Key::size)) {
    return fail("a position lacks instrument_name or size, or a member has the wrong type");
  }
  // The sign of a short is written in `size`, in `direction`, or in both.
  std::int64_t& amount = row.report.amount.nano;
  if (direction == "sell" && amount > 0) amount = -amount;
  if (direction == "buy" && amount < 0)
    return fail("a position is long by direction, short by size");
  if (direction == "zero" && amount != 0) return fail("a position of direction zero has a size");
  if (out.positions.size() == rows_max) return fail("too many positions");
  out.positions.push_back(row);
  return true;
}

bool PrivateReader::State::positions(value& v) noexcept {
  if (is_object(v)) return position(v);
  return read_array(v, [&](value& item) noexcept { return position(item); }) ||
         fail("positions are no array");
}

bool PrivateReader::State::margin(value& v) noexcept {
  MarginRow r;
  SeenKeys seen;
  const bool read = read_object(v, seen, [&](Key key, value& m) noexcept {
    return margin_member(key, m, r) || fail("a margin member has the wrong type");
  });
  if (!read || !seen.has(Key::currency) || !seen.has(Key::equity)) {
    return fail("margin data lack currency or equity");
  }
  if (out.margins.size() == rows_max) return fail("too many currencies");
  out.margins.push_back(r);
  return true;
}

bool PrivateReader::State::changes(value& v) noexcept {
  SeenKeys seen;
  return read_object(v, seen,
                     [&](Key key, value& m) noexcept {
                       switch (key) {
                         case Key::orders: return orders(m);
                         case Key::trades: return trades(m);
                         case Key::positions: return positions(m);
                         default: return skip(m);
                       }
                     }) ||
         fail("changes are not well formed");
}

bool PrivateReader::State::data(value& v) noexcept {
  data_read = true;
  switch (out.channel) {
    case PrivateChannel::orders: return orders(v);
    case PrivateChannel::trades: return trades(v);
    case PrivateChannel::changes: return changes(v);
    case PrivateChannel::portfolio: return margin(v);
    case PrivateChannel::other: break;
  }
  return skip(v) || fail("data are not well formed");
}

bool PrivateReader::State::params(value& v) noexcept {
  if (!is_object(v)) return skip(v);
  SeenKeys seen;
  return read_object(v, seen,
                     [&](Key key, value& m) noexcept {
                       switch (key) {
                         case Key::channel:
                           if (!out.channel_name.empty()) return skip(m);
                           if (!read_text(m, out.channel_name)) return fail("channel is no text");
                           out.channel = channel_of(out.channel_name);
                           return true;
                         case Key::data:
                           if (!out.channel_name.empty()) return data(m);
                           data_deferred = true;
                           return skip(m);
                         case Key::type: {
                           const bool is_text = read_text(m, heartbeat_type);
                           return is_text || skip(m);
                         }
                         default: return skip(m);
                       }
                     }) ||
         fail("params are not well formed");
}

bool PrivateReader::State::error(value& v) noexcept {
  if (!is_object(v)) return skip(v);
  SeenKeys seen;
  return read_object(v, seen,
                     [&](Key key, value& m) noexcept {
                       if (key != Key::code) return skip(m);
                       std::int64_t code = 0;
                       if (!read_integer(m, code) || code > INT32_MAX || code < INT32_MIN)
                         return false;
                       out.error_code = static_cast<std::int32_t>(code);
                       return true;
                     }) ||
         fail("error is not well formed");
}

// {order, trades}, an order itself, {trades, has_more}, {scope, enabled}, or an entry of a detailed
// mass cancel {currency, type, result | error}: their members do not collide.
bool PrivateReader::State::result_object(value& v, int depth) noexcept {
  OrderRow row;
  SeenKeys seen;
  const bool read = read_object(v, seen, [&](Key key, value& m) noexcept {
    switch (key) {
      case Key::order: return is_object(m) ? order(m) : skip(m);
      case Key::trades:
        if (!is_array(m)) return skip(m);
        out.trades_said = true;
        return trades(m);
      case Key::has_more: out.has_more_said = true; return read_bool(m, out.has_more);
      case Key::enabled: out.enabled_said = true; return read_bool(m, out.enabled);
      case Key::error: ++out.partial_errors; return skip(m);
      case Key::result:
        if (depth > 0 || !is_array(m)) return skip(m);
        return read_array(m, [&](value& item) noexcept { return result_object(item, 1); });
      default: return order_member(key, m, row) || fail("an order member has the wrong type");
    }
  });
  if (!read) return fail("result is not well formed");
  return seen.has(Key::order_id) && seen.has(Key::order_state) ? add_order(row, seen) : true;
}

// {"rate":5,"burst":20}, possibly under "total".
bool PrivateReader::State::rate(value& v) noexcept {
  if (!is_object(v)) return skip(v);
  SeenKeys seen;
  std::int64_t per_second = 0;
  std::int64_t burst = 0;
  const bool read = read_object(v, seen, [&](Key key, value& m) noexcept {
    if (key == Key::rate) return read_integer(m, per_second);
    if (key == Key::burst) return read_integer(m, burst);
    if (key == Key::total) return rate(m);
    return skip(m);
  });
  if (!read) return false;
  if (seen.has(Key::rate) && seen.has(Key::burst)) {
    if (per_second < 0 || per_second > 1'000'000 || burst < 0 || burst > 1'000'000) return false;
    out.limits.rate_per_s = static_cast<std::uint32_t>(per_second);
    out.limits.burst = static_cast<std::uint32_t>(burst);
    out.limits_said = true;
  }
  return true;
}

// limits: {non_matching_engine: {..}, matching_engine: {trading: {total: {rate, burst}}, ..}};
// older replies have matching_engine: {rate, burst}.
bool PrivateReader::State::limits(value& v) noexcept {
  if (!is_object(v)) return skip(v);
  SeenKeys seen;
  return read_object(v, seen, [&](Key key, value& m) noexcept {
    if (key != Key::matching_engine || !is_object(m)) return skip(m);
    SeenKeys inner;
    std::int64_t per_second = -1;
    std::int64_t burst = -1;
    const bool read = read_object(m, inner, [&](Key k, value& n) noexcept {
      if (k == Key::trading) return rate(n);
      if (k == Key::rate) return read_integer(n, per_second);
      if (k == Key::burst) return read_integer(n, burst);
      return skip(n);
    });
    if (read && per_second >= 0 && burst >= 0 && per_second <= 1'000'000 && burst <= 1'000'000) {
      out.limits.rate_per_s = static_cast<std::uint32_t>(per_second);
      out.limits.burst = static_cast<std::uint32_t>(burst);
      out.limits_said = true;
    }
    return read;
  });
}

// One account summary, or {summaries: [..]}.
bool PrivateReader::State::account_object(value& v) noexcept {
  MarginRow r;
  SeenKeys seen;
  bool several = false;
  const bool read = read_object(v, seen, [&](Key key, value& m) noexcept {
    if (key == Key::summaries) {
      several = true;
      return read_array(m, [&](value& item) noexcept { return account_object(item); });
    }
    if (key == Key::limits) return limits(m);
    if (key == Key::id) return read_integer(m, out.account_id) || skip(m);
    return margin_member(key, m, r) || fail("a margin member has the wrong type");
  });
  if (!read) return fail("an account summary is not well formed");
  if (several) return true;
  if (!seen.has(Key::currency) || !seen.has(Key::equity)) {
    return fail("an account summary lacks currency or equity");
  }
  if (out.margins.size() == rows_max) return fail("too many currencies");
  out.margins.push_back(r);
  return true;
}

bool PrivateReader::State::result(value& v) noexcept {
  if (mode == ReplyMode::positions) return positions(v);
  if (is_object(v)) { return mode == ReplyMode::account ? account_object(v) : result_object(v, 0); }
  if (is_array(v)) {
    out.result_is_array = true;
    return read_array(v,
                      [&](value& item) noexcept {
                        ++out.result_items;
                        if (is_object(item)) {
                          return mode == ReplyMode::account ? account_object(item)
                                                            : result_object(item, 0);
                        }
                        std::string_view name;
                        if (!read_text(item, name)) return skip(item);
                        if (out.names.size() < rows_max) out.names.push_back(name);
                        return true;
                      }) ||
           fail("result is not well formed");
  }
  std::string_view text;
  if (read_text(v, text)) {
    out.result_ok_text = text == "ok";
    return true;
  }
  out.result_is_number = read_integer(v, out.result_number);
  return out.result_is_number || skip(v) || fail("result is not well formed");
}

bool PrivateReader::State::pass(simdjson::ondemand::document& document) noexcept {
  simdjson::ondemand::object object;
  if (document.get_object().get(object) != simdjson::SUCCESS) return fail("not a JSON object");
  SeenKeys seen;
  const bool read = each_member(object, seen, [&](Key key, value& m) noexcept {
    switch (key) {
      case Key::method: return read_text(m, method) || fail("method is no text");
      case Key::params: return params(m);
      case Key::result: return result(m);
      case Key::error: return error(m);
      case Key::us_out: return read_integer(m, out.us_out);
      case Key::id: {
        const bool whole = read_integer(m, out.id);
        return whole || skip(m);
      }
      default: return skip(m);
    }
  });
  if (!read) return fail("the message is not well formed");
  const char* rest = nullptr;
  if (document.current_location().get(rest) != simdjson::OUT_OF_BOUNDS) {
    return fail("text after the message");
  }
  if (method == "subscription")
    out.shape = PrivateShape::subscription;
  else if (method == "heartbeat") {
    out.shape =
        heartbeat_type == "test_request" ? PrivateShape::test_request : PrivateShape::heartbeat;
  } else if (seen.has(Key::error))
    out.shape = PrivateShape::error;
  else if (seen.has(Key::result))
    out.shape = PrivateShape::reply;
  else
    out.shape = PrivateShape::other;
  return true;
}

PrivateReader::PrivateReader(std::size_t frame_max, std::size_t rows_reserved)
    : state_{std::make_unique<State>()} {
  state_->frame_max = frame_max;
  if (state_->parser.allocate(frame_max) != simdjson::SUCCESS) state_->frame_max = 0;
  state_->out.orders.reserve(rows_reserved);
  state_->out.trades.reserve(rows_reserved);
  state_->out.positions.reserve(rows_reserved);
  state_->out.margins.reserve(64);
  state_->out.names.reserve(rows_reserved);
}

PrivateReader::~PrivateReader() = default;

const PrivateFrame& PrivateReader::last() const noexcept { return state_->out; }

const PrivateFrame& PrivateReader::read(const Frame& frame, ReplyMode mode) noexcept {
  State& s = *state_;
  s.clear();
  s.mode = mode;
  const auto refused = [&](std::string_view why) -> const PrivateFrame& {
    s.fail(why);
    s.out.shape = PrivateShape::malformed;
    return s.out;
  };
  if (frame.size == 0 || frame.size > s.frame_max) return refused("empty or too long");
  if (frame.capacity < frame.size + frame_padding) return refused("no padding after the frame");
  const NothingBehind nothing_behind{frame};
  auto parsed = s.parser.iterate(frame.data, frame.size, frame.capacity);
  if (parsed.error() != simdjson::SUCCESS) return refused("not JSON or not UTF-8");
  auto& document = parsed.value_unsafe();
  if (!s.pass(document)) return refused("not well formed");
  if (s.data_deferred && !s.out.channel_name.empty()) {
    document.rewind();  // data came before channel: once more, now that it is known
    s.clear_rows();
    s.data_deferred = false;
    if (!s.pass(document)) return refused("not well formed");
  }
  if (s.out.shape == PrivateShape::subscription && (s.out.channel_name.empty() || !s.data_read)) {
    return refused("a subscription message lacks channel or data");
  }
  return s.out;
}

}  // namespace gimbal::deribit
