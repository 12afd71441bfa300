// Parses public frames: see reader.hpp. Hot.
#include <simdjson.h>

#include "feeds/deribit/reader.hpp"

#include "feeds/deribit/fields.hpp"
#include "feeds/deribit/usual_form.hpp"

namespace gimbal::deribit {

static_assert(frame_padding >= simdjson::SIMDJSON_PADDING);

namespace {

using simdjson::ondemand::value;

}  // namespace

struct FrameReader::State {
  Options options;
  const SymbolTable* symbols;
  simdjson::ondemand::parser parser;
  simdjson::dom::parser strict_parser;
  PublicFrame out;
  Channels* channels{nullptr};
  bool data_deferred{false};
  bool data_read{false};
  std::string_view method;
  std::string_view heartbeat_type;

  bool fail(std::string_view why) noexcept {
    if (out.reason.empty()) out.reason = why;
    return false;
  }
  void clear() noexcept;
  bool strict_ok(const Frame& frame) noexcept;
  bool pass(simdjson::ondemand::document& document) noexcept;
  bool root(simdjson::ondemand::object object) noexcept;
  bool params(value& v) noexcept;
  bool take_channel(value& v) noexcept;
  bool result(value& v) noexcept;
  bool error(value& v) noexcept;
  bool data(value& v) noexcept;
  bool book(value& v, bool grouped) noexcept;
  bool side(value& v, Side side, bool grouped) noexcept;
  bool level(value& v, Side side, bool grouped) noexcept;
  bool quote(value& v) noexcept;
  bool ticker(value& v) noexcept;
  bool ticker_member(Key key, value& v) noexcept;
  bool greeks(value& v) noexcept;
  bool trades(value& v) noexcept;
  bool trade(value& v) noexcept;
  bool marks(value& v) noexcept;
  bool mark(value& v) noexcept;
  bool index(value& v) noexcept;
  bool state_change(value& v) noexcept;
  bool platform(value& v) noexcept;
  bool same_instrument(value& v) noexcept;
  void finish(const SeenKeys& seen) noexcept;
};

void FrameReader::State::clear() noexcept {
  out.shape = FrameShape::malformed;
  out.reason = {};
  out.channel_name = {};
  out.channel = nullptr;
  out.ignored = Ignored::none;
  out.time = {};
  out.id = -1;
  out.error_code = 0;
  out.names.clear();
  out.type = BookType::unsaid;
  out.has_prev = false;
  out.change_id = out.prev_change_id = 0;
  out.levels.clear();
  out.trades.clear();
  out.marks.clear();
  out.unknown_rows = 0;
  out.index = Price{absent_nano};
  out.listed_name = {};
  out.listed = ListedState::other;
  out.locked = out.lock_said = false;
  out.ticker = Ticker{};
  data_deferred = data_read = false;
  method = heartbeat_type = {};
}

bool FrameReader::State::same_instrument(value& v) noexcept {
  std::string_view name;
  if (!read_text(v, name)) return fail("instrument_name is no text");
  if (name != symbols->name(out.channel->instrument)) {
    return fail("instrument_name is not the channel's");
  }
  return true;
}

bool FrameReader::State::level(value& v, Side side, bool grouped) noexcept {
  LevelRow row;
  row.side = side;
  std::size_t at = grouped ? 1 : 0;  // grouped levels have no action
  bool removed = false;
  const bool read = read_array(v, [&](value& item) noexcept {
    switch (at++) {
      case 0: {
        std::string_view action;
        if (!read_text(item, action)) return false;
        removed = action == "delete";
        return removed || action == "new" || action == "change" ||
               fail("a level's action is neither new, change nor delete");
      }
      case 1:
        return read_exact(item, row.price.nano) ||
               fail("a level's price is no number that is exact at 1e-9 and below 9.2e9");
      case 2:
        return (read_exact(item, row.amount.nano) && row.amount.nano >= 0) ||
               fail("a level's amount is no number >= 0 that is exact at 1e-9 and below 9.2e9");
      default: return false;
    }
  });
  if (!read || at != 3) return fail("a level is not [action, price, amount]");
  if (removed) row.amount = {};
  if (out.levels.size() == levels_max) return fail("too many levels");
  out.levels.push_back(row);
  return true;
}

bool FrameReader::State::side(value& v, Side side, bool grouped) noexcept {
  if (!read_array(v, [&](value& item) noexcept { return level(item, side, grouped); })) {
    return fail("bids or asks is no array of levels");
  }
  return true;
}

bool FrameReader::State::book(value& v, bool grouped) noexcept {
  SeenKeys seen;
  const bool read = read_object(v, seen, [&](Key key, value& m) noexcept {
    switch (key) {
      case Key::type: {
        std::string_view type;
        if (!read_text(m, type)) return fail("type is no text");
        if (type != "snapshot" && type != "change") return fail("type is unknown");
        out.type = type == "snapshot" ? BookType::snapshot : BookType::change;
        return true;
      }
      case Key::timestamp: return read_time(m, out.time) || fail("timestamp is no time");
      case Key::instrument_name: return same_instrument(m);
      case Key::change_id: return read_unsigned(m, out.change_id) || fail("change_id is no id");
      case Key::prev_change_id:
        if (is_null(m)) return true;
        out.has_prev = true;
        return read_unsigned(m, out.prev_change_id) || fail("prev_change_id is no id");
      case Key::bids: return side(m, Side::buy, grouped);
      case Key::asks: return side(m, Side::sell, grouped);
      default: return skip(m);
    }
  });
  if (!read) return fail("book data are not well formed");
  if (!seen.has(Key::timestamp) || !seen.has(Key::change_id) || !seen.has(Key::bids) ||
      !seen.has(Key::asks)) {
    return fail("book data lack timestamp, change_id, bids or asks");
  }
  if (out.type == BookType::unsaid) {
    out.type = out.has_prev ? BookType::change : BookType::snapshot;
  } else if (out.type == BookType::change && !out.has_prev) {
    return fail("a change lacks prev_change_id");
  }
  return true;
}

bool FrameReader::State::quote(value& v) noexcept {
  SeenKeys seen;
  const bool read = read_object(v, seen, [&](Key key, value& m) noexcept {
    switch (key) {
      case Key::timestamp: return read_time(m, out.time) || fail("timestamp is no time");
      case Key::instrument_name: return same_instrument(m);
      case Key::best_bid_price: return read_exact_or_null(m, out.ticker.best_bid.nano);
      case Key::best_ask_price: return read_exact_or_null(m, out.ticker.best_ask.nano);
      default: return skip(m);
    }
  });
  if (!read) return fail("quote data are not well formed");
  return seen.has(Key::timestamp) && seen.has(Key::best_bid_price) && seen.has(Key::best_ask_price)
             ? true
             : fail("quote data lack timestamp or prices");
}

bool FrameReader::State::greeks(value& v) noexcept {
  SeenKeys seen;
  return read_object(v, seen, [&](Key key, value& m) noexcept {
    switch (key) {
      case Key::delta: return read_rounded(m, out.ticker.delta_nano);
      case Key::gamma: return read_rounded(m, out.ticker.gamma_nano);
      case Key::vega: return read_rounded(m, out.ticker.vega_nano);
      default: return skip(m);
    }
  });
}

bool FrameReader::State::ticker_member(Key key, value& m) noexcept {
  Ticker& t = out.ticker;
  switch (key) {
    case Key::timestamp: return read_time(m, out.time);
    case Key::instrument_name: return same_instrument(m);
    case Key::mark_price: return read_rounded(m, t.mark.nano);
    case Key::index_price: return read_rounded(m, t.index.nano);
    case Key::underlying_price: return read_loose(m, t.underlying.nano);
    case Key::best_bid_price: return read_rounded(m, t.best_bid.nano);
    case Key::best_ask_price: return read_rounded(m, t.best_ask.nano);
    case Key::mark_iv: return read_rounded(m, t.mark_iv_nano);
    case Key::bid_iv: return read_rounded(m, t.bid_iv_nano);
    case Key::ask_iv: return read_rounded(m, t.ask_iv_nano);
    case Key::funding_8h: return read_rounded(m, t.funding_8h_nano);
    case Key::greeks: return is_null(m) || greeks(m);
    default: return skip(m);
  }
}

bool FrameReader::State::ticker(value& v) noexcept {
  SeenKeys seen;
  const bool read = read_object(v, seen, [&](Key key, value& m) noexcept {
    return ticker_member(key, m) || fail("a ticker member has the wrong type");
  });
  if (!read) return fail("ticker data are not well formed");
  if (!seen.has(Key::timestamp) || !seen.has(Key::mark_price)) {
    return fail("ticker data lack timestamp or mark_price");
  }
  settle_ticker(out.ticker);
  return true;
}

bool FrameReader::State::trade(value& v) noexcept {
  TradeRow row;
  std::string_view name;
  SeenKeys seen;
  const bool read = read_object(v, seen, [&](Key key, value& m) noexcept {
    switch (key) {
      case Key::timestamp: return read_time(m, row.time);
      case Key::instrument_name: return read_text(m, name);
      case Key::price: return read_exact(m, row.trade.price.nano);
      case Key::amount: return read_exact(m, row.trade.amount.nano) && row.trade.amount.nano > 0;
      case Key::trade_seq: return read_unsigned(m, row.trade.trade_seq);
      case Key::liquidation: row.trade.liquidation = is_null(m) ? 0 : 1; return skip(m);
      case Key::direction: {
        std::string_view direction;
        if (!read_text(m, direction)) return false;
        row.trade.taker = direction == "sell" ? Side::sell : Side::buy;
        return direction == "sell" || direction == "buy";
      }
      default: return skip(m);
    }
  });
  if (!read) return fail("a trade member has the wrong type");
  if (!seen.has(Key::timestamp) || !seen.has(Key::instrument_name) || !seen.has(Key::price) ||
      !seen.has(Key::amount) || !seen.has(Key::direction)) {
    return fail("a trade lacks timestamp, instrument_name, price, amount or direction");
  }
  row.instrument = channels->instrument(name);
  if (out.channel->kind == ChannelKind::trades && row.instrument != out.channel->instrument) {
    return fail("instrument_name is not the channel's");
  }
  if (!row.instrument.valid()) {
    ++out.unknown_rows;
    return true;
  }
  if (out.trades.size() == rows_max) return fail("too many trades");
  out.trades.push_back(row);
  return true;
}

bool FrameReader::State::trades(value& v) noexcept {
  return read_array(v, [&](value& row) noexcept { return trade(row); }) ||
         fail("trades data are no array");
}

bool FrameReader::State::mark(value& v) noexcept {
  MarkRow row;
  std::string_view name;
  SeenKeys seen;
  const bool read = read_object(v, seen, [&](Key key, value& m) noexcept {
    switch (key) {
      case Key::timestamp: return read_time(m, row.time);
      case Key::instrument_name: return read_text(m, name);
      case Key::mark_price: return read_rounded(m, row.mark.nano);
      case Key::iv: return read_rounded(m, row.iv_nano);  // a fraction here, not percent
      default: return skip(m);
    }
  });
  if (!read) return fail("a mark price member has the wrong type");
  if (!seen.has(Key::instrument_name) || !seen.has(Key::mark_price)) {
    return fail("a mark price lacks instrument_name or mark_price");
  }
  if (row.iv_nano == 0) row.iv_nano = absent_nano;
  row.instrument = channels->instrument(name);
  if (!row.instrument.valid()) {
    ++out.unknown_rows;
    return true;
  }
  if (out.marks.size() == rows_max) return fail("too many mark prices");
  out.marks.push_back(row);
  return true;
}

bool FrameReader::State::marks(value& v) noexcept {
  return read_array(v, [&](value& row) noexcept { return mark(row); }) ||
         fail("mark price data are no array");
}

bool FrameReader::State::index(value& v) noexcept {
  SeenKeys seen;
  const Key wanted = out.channel->kind == ChannelKind::perpetual ? Key::index_price : Key::price;
  const bool read = read_object(v, seen, [&](Key key, value& m) noexcept {
    if (key == Key::timestamp) return read_time(m, out.time);
    if (key == wanted) return read_rounded(m, out.index.nano);
    return skip(m);
  });
  if (!read || !seen.has(Key::timestamp) || !seen.has(wanted) || out.index.nano == absent_nano) {
    return fail("index data lack timestamp or price");
  }
  return out.index.nano > 0 || fail("the index price is not positive");
}

bool FrameReader::State::state_change(value& v) noexcept {
  SeenKeys seen;
  std::string_view state;
  const bool read = read_object(v, seen, [&](Key key, value& m) noexcept {
    switch (key) {
      case Key::timestamp: return read_time(m, out.time);
      case Key::instrument_name: return read_text(m, out.listed_name);
      case Key::state: return read_text(m, state);
      default: return skip(m);
    }
  });
  if (!read || !seen.has(Key::instrument_name) || !seen.has(Key::state)) {
    return fail("instrument state data lack instrument_name or state");
  }
  if (state == "created")
    out.listed = ListedState::created;
  else if (state == "started")
    out.listed = ListedState::started;
  else if (state == "settled")
    out.listed = ListedState::settled;
  else
    out.listed = ListedState::closed;  // unknown states stop trading too
  return true;
}

bool FrameReader::State::platform(value& v) noexcept {
  SeenKeys seen;
  return read_object(v, seen,
                     [&](Key key, value& m) noexcept {
                       if (key != Key::maintenance && key != Key::locked) return skip(m);
                       bool on = false;
                       if (!read_bool(m, on)) return false;
                       out.lock_said = true;
                       out.locked = out.locked || on;
                       return true;
                     }) ||
         fail("platform state data are not well formed");
}

bool FrameReader::State::data(value& v) noexcept {
  data_read = true;
  if (out.channel == nullptr) return skip(v) || fail("data are not well formed");
  switch (out.channel->kind) {
    case ChannelKind::book: return book(v, false);
    case ChannelKind::grouped_book: return book(v, true);
    case ChannelKind::quote: return quote(v);
    case ChannelKind::ticker: return ticker(v);
    case ChannelKind::trades:
    case ChannelKind::trades_of_kind: return trades(v);
    case ChannelKind::price_index:
    case ChannelKind::perpetual: return index(v);
    case ChannelKind::mark_prices: return marks(v);
    case ChannelKind::instrument_state: return state_change(v);
    case ChannelKind::platform_state: return platform(v);
    case ChannelKind::other: break;
  }
  return skip(v) || fail("data are not well formed");
}

bool FrameReader::State::take_channel(value& v) noexcept {
  std::string_view name;
  if (!read_text(v, name)) return fail("channel is no text");
  out.channel_name = name;
  const ChannelName parsed = parse_channel(name);
  if (parsed.is_private) {
    out.ignored = Ignored::private_channel;
  } else if (parsed.kind == ChannelKind::other) {
    out.ignored = Ignored::other_channel;
  } else {
    out.channel = channels->channel(name);
    if (out.channel == nullptr) out.ignored = Ignored::not_subscribed;
  }
  return true;
}

bool FrameReader::State::params(value& v) noexcept {
  if (!is_object(v)) return skip(v);
  SeenKeys seen;
  return read_object(v, seen,
                     [&](Key key, value& m) noexcept {
                       switch (key) {
                         case Key::channel:
                           return !out.channel_name.empty() ? skip(m) : take_channel(m);
                         case Key::data:
                           if (out.channel_name.empty()) {
                             data_deferred = true;
                             return skip(m);
                           }
                           return data(m);
                         case Key::type: {
                           const bool is_text = read_text(m, heartbeat_type);
                           return is_text || skip(m);
                         }
                         default: return skip(m);
                       }
                     }) ||
         fail("params are not well formed");
}

bool FrameReader::State::result(value& v) noexcept {
  if (!is_array(v)) return skip(v) || fail("result is not well formed");
  return read_array(v,
                    [&](value& item) noexcept {
                      std::string_view name;
                      if (!read_text(item, name)) return skip(item);
                      if (out.names.size() < out.names.capacity()) out.names.push_back(name);
                      return true;
                    }) ||
         fail("result is not well formed");
}

bool FrameReader::State::error(value& v) noexcept {
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

bool FrameReader::State::root(simdjson::ondemand::object object) noexcept {
  SeenKeys seen;
  const bool read = each_member(object, seen, [&](Key key, value& m) noexcept {
    switch (key) {
      case Key::method: return read_text(m, method) || fail("method is no text");
      case Key::params: return params(m);
      case Key::result: return result(m);
      case Key::error: return error(m);
      case Key::id: {
        const bool whole = read_integer(m, out.id);
        return whole || skip(m);  // other clients use texts
      }
      default: return skip(m);
    }
  });
  if (!read) return fail("the message is not well formed");
  finish(seen);
  return true;
}

void FrameReader::State::finish(const SeenKeys& seen) noexcept {
  if (method == "subscription") {
    out.shape = FrameShape::subscription;
  } else if (method == "heartbeat") {
    out.shape = heartbeat_type == "test_request" ? FrameShape::test_request : FrameShape::heartbeat;
  } else if (!method.empty()) {
    out.shape = FrameShape::request;
  } else if (seen.has(Key::error)) {
    out.shape = FrameShape::error;
  } else if (seen.has(Key::result)) {
    out.shape = FrameShape::reply;
  } else {
    out.shape = FrameShape::bare;
  }
}

bool FrameReader::State::strict_ok(const Frame& frame) noexcept {
  simdjson::dom::element document;
  return strict_parser.parse(frame.data, frame.size, false).get(document) == simdjson::SUCCESS ||
         fail("not a valid JSON document");
}

bool FrameReader::State::pass(simdjson::ondemand::document& document) noexcept {
  simdjson::ondemand::json_type type{};
  if (document.type().get(type) != simdjson::SUCCESS) return fail("not JSON");
  if (type == simdjson::ondemand::json_type::object) {
    simdjson::ondemand::object object;
    if (document.get_object().get(object) != simdjson::SUCCESS) return fail("not JSON");
    if (!root(object)) return false;
  } else if (type == simdjson::ondemand::json_type::array) {
    simdjson::ondemand::array array;
    if (document.get_array().get(array) != simdjson::SUCCESS) return fail("not JSON");
    for (auto item : array) {
      if (item.error() != simdjson::SUCCESS || !skip(item.value_unsafe())) return fail("not JSON");
    }
    out.shape = FrameShape::bare;
  } else if (options.strict) {  // a whole document, checked; no message
    out.shape = FrameShape::bare;
    return true;
  } else {
    return fail("neither an object nor an array");
  }
  const char* rest = nullptr;
  return document.current_location().get(rest) == simdjson::OUT_OF_BOUNDS ||
         fail("text after the message");
}

FrameReader::FrameReader(const Options& options, const SymbolTable& symbols)
    : state_{std::make_unique<State>()} {
  state_->options = options;
  state_->symbols = &symbols;
  // Everything that a frame can need is taken here; a larger frame is refused before it is parsed.
  if (state_->parser.allocate(options.frame_max) != simdjson::SUCCESS ||
      (options.strict && state_->strict_parser.allocate(options.frame_max) != simdjson::SUCCESS)) {
    state_->options.frame_max = 0;
  }
  state_->out.levels.reserve(levels_max);
  state_->out.trades.reserve(rows_max);
  state_->out.marks.reserve(rows_max);
  state_->out.names.reserve(rows_max);
}

FrameReader::~FrameReader() = default;

const PublicFrame& FrameReader::read(const Frame& frame, Channels& channels) noexcept {
  State& s = *state_;
  s.clear();
  s.channels = &channels;
  const auto refused = [&](std::string_view why) -> const PublicFrame& {
    s.fail(why);
    s.out.shape = FrameShape::malformed;
    return s.out;
  };
  if (frame.size == 0 || frame.size > s.options.frame_max) return refused("empty or too long");
  if (frame.capacity < frame.size + frame_padding) return refused("no padding after the frame");
  if (s.options.strict) {
    if (!s.strict_ok(frame)) return refused("not a valid JSON document");
  } else if (s.options.usual_form) {
    if (read_usual_form(frame, *s.symbols, channels, s.out)) return s.out;
    s.clear();
  }
  const NothingBehind nothing_behind{frame};
  auto parsed = s.parser.iterate(frame.data, frame.size, frame.capacity);
  if (parsed.error() != simdjson::SUCCESS) return refused("not JSON or not UTF-8");
  auto& document = parsed.value_unsafe();
  if (!s.pass(document)) return refused("not well formed");
  if (s.data_deferred && !s.out.channel_name.empty()) {
    document.rewind();  // data came before channel: once more, now that it is known
    s.data_deferred = false;
    s.out.names.clear();
    if (!s.pass(document)) return refused("not well formed");
  }
  if (s.out.shape == FrameShape::subscription && (s.out.channel_name.empty() || !s.data_read)) {
    return refused("a subscription message lacks channel or data");
  }
  return s.out;
}

}  // namespace gimbal::deribit
