// Summaries and history over requests: what stock clients ask for besides tickers and books. All
// of it from the exchange's own books, trades, funding and settlements. Source: Deribit API v2,
// get_book_summary_by_*, get_tradingview_chart_data, get_funding_*, get_last_settlements_by_*,
// get_delivery_prices, get_last_trades_by_*.
#include <algorithm>
#include <array>
#include <functional>
#include <map>

#include "venues/sim/dialect_state.hpp"
#include "venues/sim/listing.hpp"

namespace gimbal::sim {
namespace {

constexpr std::size_t candles_max = 5000;
constexpr std::int64_t trades_max = 1000;
constexpr std::int64_t settlements_max = 1000;
constexpr std::int64_t unix_ms_max = 9'000'000'000'000;  // fits ns in 64 bits

struct Resolution {
  std::string_view name;
  std::int64_t minutes;
};
constexpr std::array<Resolution, 12> resolutions{{{"1", 1},
                                                  {"3", 3},
                                                  {"5", 5},
                                                  {"10", 10},
                                                  {"15", 15},
                                                  {"30", 30},
                                                  {"60", 60},
                                                  {"120", 120},
                                                  {"180", 180},
                                                  {"360", 360},
                                                  {"720", 720},
                                                  {"1D", 1440}}};

void price_or_null(JsonText& json, Price p) {
  if (p.nano == absent_nano) return json.null();
  json.nano(p.nano);
}

// Reads [start_timestamp, end_timestamp], milliseconds; both are required.
bool read_span(Call& call, ExchTime& from, ExchTime& to) {
  const auto start = call.params->integer("start_timestamp");
  const auto end = call.params->integer("end_timestamp");
  if (!start) call.invalid("start_timestamp", "value required");
  if (!call.failed() && !end) call.invalid("end_timestamp", "value required");
  if (call.failed()) return false;
  if (*start < 0 || *end < *start || *end > unix_ms_max) {
    call.invalid("end_timestamp", "invalid value");
    return false;
  }
  from = from_unix_ms(*start);
  to = from_unix_ms(*end);
  return true;
}

bool of_kind(const Listing& l, std::string_view kind) {
  return kind == "any" || kind == (is_option(l.def.kind) ? "option" : "future");
}

bool known_kind(Call& call, std::string_view kind) {
  static constexpr std::array<std::string_view, 7> kinds{
      "any", "future", "option", "spot", "future_combo", "option_combo", "combo"};
  if (std::find(kinds.begin(), kinds.end(), kind) != kinds.end()) return true;
  call.invalid("kind", "invalid value");
  return false;
}

// The settlement currency of the request; empty after a failure.
std::string required_currency(Call& call, const std::vector<Currency>& known) {
  const auto asked = call.params->text("currency");
  if (!asked) {
    call.invalid("currency", "value required");
    return {};
  }
  std::string name{*asked};
  for (char& c : name) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  }
  const bool elsewhere = name == "USDT" || name == "EURR";  // the venue's, empty here
  const bool here = std::any_of(known.begin(), known.end(),
                                [&](Currency c) { return c.text() == std::string_view{name}; });
  if (here || elsewhere) return name;
  call.invalid("currency", "invalid value");
  return {};
}

}  // namespace

// --- book summaries -----------------------------------------------------------------------------

void DeribitDialect::Inside::write_book_summary(JsonText& json, const Listing& l) {
  const TickerInfo t = exchange.ticker(l.index);
  const bool option = is_option(l.def.kind);
  const bool both = t.best_bid.nano != absent_nano && t.best_ask.nano != absent_nano;
  json.open_object();
  MemberMarks m{json};
  m.key("instrument_name").text(l.name);
  m.key("base_currency").text(l.base);
  m.key("quote_currency").text(l.quote);
  m.key("creation_timestamp").integer(to_unix_ms(exchange.now()));
  m.key("volume").nano(t.volume.nano);
  m.key("volume_usd").nano(t.volume_usd.nano);
  if (!option) m.key("volume_notional").nano(t.volume_usd.nano);
  m.key("open_interest").nano(t.open_interest.nano);
  m.key("mark_price").nano(t.mark.nano);
  m.key("mid_price");
  if (both) {
    json.nano(t.best_bid.nano + (t.best_ask.nano - t.best_bid.nano) / 2);
  } else {
    json.null();
  }
  price_or_null(m.key("bid_price"), t.best_bid);
  price_or_null(m.key("ask_price"), t.best_ask);
  price_or_null(m.key("last"), t.last);
  price_or_null(m.key("high"), t.high);
  price_or_null(m.key("low"), t.low);
  m.key("price_change");
  if (t.high.nano == absent_nano) {
    json.null();
  } else {
    json.real(t.price_change_percent, 4);
  }
  m.key("estimated_delivery_price").nano(t.estimated_delivery.nano);
  if (option) {
    m.key("underlying_index").text(l.underlying_index.empty() ? "index_price" : l.underlying_index);
    if (t.underlying.nano != absent_nano) m.key("underlying_price").nano(t.underlying.nano);
    m.key("mark_iv").real(t.mark_iv, 2);
    m.key("interest_rate").nano(0);
  }
  if (is_perpetual(l.def.kind)) {
    m.key("current_funding").real(t.current_funding, 8);
    m.key("funding_8h").real(t.funding_8h, 8);
  }
  if (config.vary) m.rotate(draw() & 15);
  json.close_object();
}

void DeribitDialect::Inside::get_book_summary_by_currency(Call& call) {
  const std::string currency = required_currency(call, exchange.currencies());
  if (call.failed()) return;
  const std::string_view kind = call.params->text("kind").value_or("any");
  if (!known_kind(call, kind)) return;
  JsonText json = writer(call.result);
  json.open_array();
  for (const Listing& l : exchange.instruments()) {
    if (!l.active || !of_kind(l, kind) || l.def.settlement.text() != currency) continue;
    write_book_summary(json, l);
  }
  json.close_array();
}

void DeribitDialect::Inside::get_book_summary_by_instrument(Call& call) {
  const InstrumentIndex i = instrument_of(call);
  if (i == no_instrument) return;
  JsonText json = writer(call.result);
  json.open_array();
  write_book_summary(json, listing(i));
  json.close_array();
}

// --- candles and funding ------------------------------------------------------------------------

void DeribitDialect::Inside::get_chart_data(Call& call) {
  const InstrumentIndex i = instrument_of(call);
  ExchTime from;
  ExchTime to;
  if (i == no_instrument || !read_span(call, from, to)) return;
  const Param* asked = call.params->find("resolution");  // a number over HTTP, a text otherwise
  if (asked == nullptr) return call.invalid("resolution", "value required");
  Nanos width;
  if (!candle_width(asked->text, width)) return call.invalid("resolution", "invalid value");
  const auto rows =
      exchange.candles(i).collect(from, std::min(to, exchange.now()), width, candles_max);
  JsonText json = writer(call.result);
  json.open_object();
  json.member("status", rows.empty() ? "no_data" : "ok");
  const auto column = [&](std::string_view name, auto write) {
    json.key(name).open_array();
    for (const Candle& c : rows) write(c);
    json.close_array();
  };
  column("ticks", [&](const Candle& c) { json.integer(to_unix_ms(c.start)); });
  column("open", [&](const Candle& c) { json.nano(c.open.nano); });
  column("high", [&](const Candle& c) { json.nano(c.high.nano); });
  column("low", [&](const Candle& c) { json.nano(c.low.nano); });
  column("close", [&](const Candle& c) { json.nano(c.close.nano); });
  column("volume", [&](const Candle& c) { json.real(c.volume, 8); });
  column("cost", [&](const Candle& c) { json.real(c.cost, 8); });
  json.close_object();
}

bool DeribitDialect::Inside::candle_width(std::string_view resolution, Nanos& width) noexcept {
  const auto found = std::find_if(resolutions.begin(), resolutions.end(),
                                  [&](const Resolution& r) { return r.name == resolution; });
  if (found == resolutions.end()) return false;
  width = seconds(60 * found->minutes);
  return true;
}

// The candle that a trade has just changed.
void DeribitDialect::Inside::send_candle(Channel& channel) {
  const ExchTime now = exchange.now();
  const Nanos width = channel.spec.candle;
  const auto rows = exchange.candles(channel.spec.instrument).collect(now - width, now, width, 1);
  if (rows.empty()) return;
  std::string data;
  JsonText json = writer(data);
  json.open_object();
  json.key("tick").integer(to_unix_ms(rows.back().start));
  json.key("open").nano(rows.back().open.nano);
  json.key("high").nano(rows.back().high.nano);
  json.key("low").nano(rows.back().low.nano);
  json.key("close").nano(rows.back().close.nano);
  json.key("volume").real(rows.back().volume, 8);
  json.key("cost").real(rows.back().cost, 8);
  json.close_object();
  publish(channel, FrameKind::market, data);
}

InstrumentIndex DeribitDialect::Inside::perpetual_of(Call& call) {
  const InstrumentIndex i = instrument_of(call);
  if (i == no_instrument || is_perpetual(listing(i).def.kind)) return i;
  call.invalid("instrument_name", "must be a perpetual");
  return no_instrument;
}

void DeribitDialect::Inside::get_funding_rate_value(Call& call) {
  const InstrumentIndex i = perpetual_of(call);
  ExchTime from;
  ExchTime to;
  if (i == no_instrument || !read_span(call, from, to)) return;
  JsonText json = writer(call.result);
  json.real(exchange.funding(i).paid(from, to), 12);
}

void DeribitDialect::Inside::get_funding_rate_history(Call& call) {
  const InstrumentIndex i = perpetual_of(call);
  ExchTime from;
  ExchTime to;
  if (i == no_instrument || !read_span(call, from, to)) return;
  JsonText json = writer(call.result);
  json.open_array();
  for (const FundingHour& h : exchange.funding(i).hours()) {
    if (h.end < from || h.end > to) continue;
    json.open_object();
    json.member_int("timestamp", to_unix_ms(h.end));
    json.member_nano("index_price", h.index.nano);
    json.member_nano("prev_index_price", h.previous_index.nano);
    json.member_real("interest_8h", h.interest_8h, 12);
    json.member_real("interest_1h", h.interest_1h, 12);
    json.close_object();
  }
  json.close_array();
}

// --- trades of a span or a currency -------------------------------------------------------------

void DeribitDialect::Inside::write_trades(Call& call, std::vector<PublicTrade> rows) {
  const Params& p = *call.params;
  const std::int64_t count = p.integer("count").value_or(10);
  if (count < 1 || count > trades_max) return call.invalid("count", "invalid value");
  const std::string_view sorting = p.text("sorting").value_or("default");
  if (sorting != "default" && sorting != "asc" && sorting != "desc") {
    return call.invalid("sorting", "invalid value");
  }
  const std::int64_t start_ms = p.integer("start_timestamp").value_or(0);
  const std::int64_t end_ms = p.integer("end_timestamp").value_or(unix_ms_max);
  std::erase_if(rows, [&](const PublicTrade& t) {
    const std::int64_t at = to_unix_ms(t.time);
    return at < start_ms || at > end_ms;
  });
  // Without an order asked for: from the start when there is one, else the newest first.
  const bool ascending = sorting == "asc" || (sorting == "default" && p.has("start_timestamp"));
  std::sort(rows.begin(), rows.end(), [&](const PublicTrade& a, const PublicTrade& b) {
    return ascending ? a.number < b.number : a.number > b.number;
  });
  const bool more = rows.size() > static_cast<std::size_t>(count);
  if (more) rows.resize(static_cast<std::size_t>(count));
  JsonText json = writer(call.result);
  json.open_object();
  json.key("trades").open_array();
  for (const PublicTrade& t : rows) write_public_trade(json, t);
  json.close_array();
  json.member_bool("has_more", more);
  json.close_object();
}

void DeribitDialect::Inside::get_last_trades_by_time(Call& call) {
  const InstrumentIndex i = instrument_of(call);
  if (i != no_instrument) write_trades(call, exchange.last_trades(i, trades_max));
}

void DeribitDialect::Inside::get_last_trades_by_currency(Call& call) {
  const std::string currency = required_currency(call, exchange.currencies());
  if (call.failed()) return;
  const std::string_view kind = call.params->text("kind").value_or("any");
  if (!known_kind(call, kind)) return;
  std::vector<PublicTrade> rows;
  for (const Listing& l : exchange.instruments()) {
    if (l.def.settlement.text() != currency || !of_kind(l, kind)) continue;
    const auto some = exchange.last_trades(l.index, trades_max);
    rows.insert(rows.end(), some.begin(), some.end());
  }
  write_trades(call, std::move(rows));
}

// --- settlements --------------------------------------------------------------------------------

void DeribitDialect::Inside::write_settlements(Call& call, AccountId account,
                                               const std::string& currency,
                                               InstrumentIndex instrument) {
  const Params& p = *call.params;
  const std::int64_t count = p.integer("count").value_or(20);
  if (count < 1 || count > settlements_max) return call.invalid("count", "invalid value");
  const std::string_view type = p.text("type").value_or("any");
  const std::int64_t skip = p.integer("continuation").value_or(0);
  const auto& rows = exchange.settlements();
  JsonText json = writer(call.result);
  json.open_object();
  json.key("settlements").open_array();
  std::int64_t matched = 0;
  std::int64_t written = 0;
  for (auto r = rows.rbegin(); r != rows.rend() && written < count; ++r) {
    const Listing& l = listing(r->instrument);
    const std::string_view word = r->delivery ? "delivery" : "settlement";
    if (r->account != account || (type != "any" && type != word)) continue;
    if (instrument != no_instrument && r->instrument != instrument) continue;
    if (!currency.empty() && l.def.settlement.text() != currency) continue;
    if (matched++ < skip) continue;
    json.open_object();
    json.member("type", word);
    json.member_int("timestamp", to_unix_ms(r->time));
    json.member_nano("session_profit_loss", r->session_profit.nano);
    json.member_nano("profit_loss", r->profit.nano);
    json.member_nano("position", r->position.nano);
    json.member_nano("mark_price", r->mark.nano);
    json.member("instrument_name", l.name);
    json.member_nano("index_price", r->index.nano);
    json.close_object();
    ++written;
  }
  json.close_array();
  if (written == count) {
    json.member("continuation", std::to_string(matched));
  } else {
    json.member("continuation", "none");
  }
  json.close_object();
}

void DeribitDialect::Inside::get_last_settlements_by_instrument(Call& call) {
  const InstrumentIndex i = instrument_of(call);
  if (i != no_instrument) write_settlements(call, no_account, {}, i);
}

void DeribitDialect::Inside::get_last_settlements_by_currency(Call& call) {
  const std::string currency = required_currency(call, exchange.currencies());
  if (!call.failed()) write_settlements(call, no_account, currency, no_instrument);
}

void DeribitDialect::Inside::get_settlement_history_by_instrument(Call& call) {
  const InstrumentIndex i = instrument_of(call);
  if (i != no_instrument) write_settlements(call, call.grant.account, {}, i);
}

void DeribitDialect::Inside::get_settlement_history_by_currency(Call& call) {
  const std::string currency = required_currency(call, exchange.currencies());
  if (!call.failed()) write_settlements(call, call.grant.account, currency, no_instrument);
}

// The newest delivery of each day of one index, newest first.
void DeribitDialect::Inside::get_delivery_prices(Call& call) {
  const auto name = call.params->text("index_name");
  if (!name) return call.invalid("index_name", "value required");
  const auto& products = exchange.config().products;
  const auto product = std::find_if(products.begin(), products.end(),
                                    [&](const ProductConfig& p) { return p.index_name == *name; });
  if (product == products.end()) return call.invalid("index_name", "invalid value");
  std::map<std::int64_t, Price, std::greater<>> days;
  constexpr std::int64_t day_ns = 86'400'000'000'000;
  for (const SettlementRow& r : exchange.settlements()) {
    if (r.delivery && listing(r.instrument).index_name == *name) {
      days[r.time.unix_ns / day_ns] = r.index;
    }
  }
  const std::int64_t offset = std::max<std::int64_t>(call.params->integer("offset").value_or(0), 0);
  const std::int64_t count = call.params->integer("count").value_or(10);
  JsonText json = writer(call.result);
  json.open_object();
  json.key("data").open_array();
  std::int64_t n = 0;
  for (const auto& [day, price] : days) {
    if (n++ < offset || n > offset + count) continue;
    json.open_object();
    json.member("date", iso_date(ExchTime{day * day_ns}));
    json.member_nano("delivery_price", price.nano);
    json.close_object();
  }
  json.close_array();
  json.member_int("records_total", static_cast<std::int64_t>(days.size()));
  json.close_object();
}

}  // namespace gimbal::sim
