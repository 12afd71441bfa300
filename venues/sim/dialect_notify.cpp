// Notifications of market data: books and their chains, tickers, trades, indices, recorded frames.
#include <algorithm>
#include <cmath>

#include "venues/sim/dialect_state.hpp"

namespace gimbal::sim {
namespace {

constexpr std::uint64_t recorded_id_step = 7;  // chains jump by more than one

void write_level(JsonText& json, const LevelChange& change) {
  json.open_array();
  json.text(change.action == LevelAction::add      ? "new"
            : change.action == LevelAction::change ? "change"
                                                   : "delete");
  json.nano(change.price.nano);
  json.nano(change.amount.nano);
  json.close_array();
}

void write_changes(JsonText& json, std::string_view name, Side side,
                   std::span<const LevelChange> changes) {
  json.key(name).open_array();
  for (const LevelChange& change : changes) {
    if (change.side == side) write_level(json, change);
  }
  json.close_array();
}

bool better(Side side, Price a, Price b) { return side == Side::buy ? a > b : a < b; }

// What turns `before` into `after`; both best first.
void diff_side(Side side, const std::vector<Level>& before, const std::vector<Level>& after,
               std::vector<LevelChange>& out) {
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < before.size() || j < after.size()) {
    if (j == after.size() || (i < before.size() && better(side, before[i].price, after[j].price))) {
      out.push_back({side, LevelAction::remove, before[i++].price, {}});
    } else if (i == before.size() || better(side, after[j].price, before[i].price)) {
      out.push_back({side, LevelAction::add, after[j].price, after[j].amount});
      ++j;
    } else {
      if (before[i].amount != after[j].amount) {
        out.push_back({side, LevelAction::change, after[j].price, after[j].amount});
      }
      ++i;
      ++j;
    }
  }
}

Level level_of(double price, double amount) {
  Level level;
  const bool fits =
      decision_nano(price, level.price.nano) && decision_nano(amount, level.amount.nano);
  return fits ? level : Level{};
}

// Amounts summed on a coarser grid, bids rounded down and asks up.
std::vector<Level> grouped(const std::vector<Level>& levels, Side side, double step,
                           std::size_t depth) {
  std::vector<Level> out;
  const auto nano_step = static_cast<std::int64_t>(step * 1e9);
  for (const Level& level : levels) {
    Level at = level;
    if (nano_step > 0) {
      const i128 units = divide(level.price.nano, nano_step, passive(side));
      at.price.nano = static_cast<std::int64_t>(units * nano_step);
    }
    if (!out.empty() && out.back().price == at.price)
      out.back().amount += at.amount;
    else if (out.size() == depth)
      break;
    else
      out.push_back(at);
  }
  return out;
}

void write_plain_levels(JsonText& json, std::string_view name, const std::vector<Level>& levels) {
  json.key(name).open_array();
  for (const Level& level : levels) {
    json.open_array();
    json.nano(level.price.nano);
    json.nano(level.amount.nano);
    json.close_array();
  }
  json.close_array();
}

}  // namespace

// --- sending ----------------------------------------------------------------------------------

void DeribitDialect::Inside::send(Session& s, const Channel& channel, FrameKind kind,
                                  std::string_view data) {
  if (s.closing || s.overflowed) return;
  std::string text;
  text.reserve(data.size() + channel.spec.name.size() + 96);
  const bool data_first = config.vary && kind != FrameKind::book && (draw() & 255) == 0;
  text += R"({"jsonrpc":"2.0","method":"subscription","params":{)";
  if (data_first) {
    text += "\"data\":";
    text += data;
    text += ',';
  }
  text += "\"channel\":\"";
  text += channel.spec.name;
  text += '"';
  if (const auto label = s.labels.find(channel.spec.name); label != s.labels.end()) {
    JsonText{text}.member("label", label->second);
  }
  if (!data_first) {
    text += ",\"data\":";
    text += data;
  }
  text += "}}";
  ++stats.notifications;
  enqueue(s, kind, std::move(text));
}

void DeribitDialect::Inside::publish(Channel& channel, FrameKind kind, std::string_view data) {
  for (Session* s : channel.subscribers) send(*s, channel, kind, data);
}

bool DeribitDialect::Inside::matches(const ChannelSpec& spec, InstrumentIndex i) const {
  if (spec.instrument != no_instrument) return spec.instrument == i;
  if (spec.currency.empty()) return false;
  const Listing& l = listing(i);
  if (!(is_option(l.def.kind) ? spec.options : spec.futures)) return false;
  return spec.currency == "any" || spec.currency == l.def.settlement.text();
}

// --- books ------------------------------------------------------------------------------------

void DeribitDialect::Inside::current_levels(const Channel& channel, std::vector<Level>& bids,
                                            std::vector<Level>& asks, ExchTime& at,
                                            std::uint64_t& id) const {
  const ChannelSpec& spec = channel.spec;
  if (spec.instrument != no_instrument) {
    exchange.levels(spec.instrument, Side::buy, 0, bids);
    exchange.levels(spec.instrument, Side::sell, 0, asks);
    at = exchange.book_time(spec.instrument);
    id = exchange.change_id(spec.instrument);
    return;
  }
  at = exchange.now();
  id = recorded_id;
  const ReplayOption* o = replay != nullptr ? replay->find(spec.recorded) : nullptr;
  if (o == nullptr) return;
  for (auto b = o->bids.rbegin(); b != o->bids.rend(); ++b) {
    bids.push_back(level_of(b->first, b->second));
  }
  for (const auto& [price, amount] : o->asks) asks.push_back(level_of(price, amount));
}

void DeribitDialect::Inside::write_book_snapshot(Channel& channel, std::string& data) {
  std::vector<LevelChange> levels;
  diff_side(Side::buy, {}, channel.sent_bids, levels);
  diff_side(Side::sell, {}, channel.sent_asks, levels);
  const ChannelSpec& spec = channel.spec;
  JsonText json = writer(data);
  json.open_object();
  MemberMarks m{json};
  m.key("timestamp").integer(to_unix_ms(channel.sent_at));
  m.key("type").text("snapshot");
  m.key("change_id").integer(static_cast<std::int64_t>(channel.last_id));
  m.key("instrument_name")
      .text(spec.recorded.empty() ? std::string_view{listing(spec.instrument).name}
                                  : spec.recorded);
  write_changes(json, "bids", Side::buy, levels);
  write_changes(json, "asks", Side::sell, levels);
  if (config.vary) m.rotate(draw() & 3);
  json.close_object();
}

void DeribitDialect::Inside::write_book_change(Channel& channel, ExchTime at, std::uint64_t id,
                                               std::span<const LevelChange> changes,
                                               std::string& data) {
  const ChannelSpec& spec = channel.spec;
  JsonText json = writer(data);
  const bool early = config.vary && (draw() & 7) == 0;  // as in 2021; the last member since
  json.open_object();
  if (early) {
    json.member("type", "change");
    json.member_int("prev_change_id", static_cast<std::int64_t>(channel.last_id));
  }
  json.member_int("timestamp", to_unix_ms(at));
  if (!early) json.member("type", "change");
  json.member_int("change_id", static_cast<std::int64_t>(id));
  json.member("instrument_name", spec.recorded.empty()
                                     ? std::string_view{listing(spec.instrument).name}
                                     : std::string_view{spec.recorded});
  write_changes(json, "bids", Side::buy, changes);
  write_changes(json, "asks", Side::sell, changes);
  if (!early) json.member_int("prev_change_id", static_cast<std::int64_t>(channel.last_id));
  json.close_object();
  channel.last_id = id;
}

void DeribitDialect::Inside::on_book_change(InstrumentIndex i, std::uint64_t id, std::uint64_t,
                                            std::span<const LevelChange> changes) {
  if (i >= by_instrument.size()) return;
  for (Channel* channel : by_instrument[i]) {
    if (channel->spec.kind == ChannelKind::grouped_book) channel->dirty = true;
    if (channel->spec.kind != ChannelKind::book) continue;
    if (channel->spec.interval != Interval::raw) {
      channel->dirty = true;
      continue;
    }
    if (id <= channel->last_id) continue;
    std::string data;
    write_book_change(*channel, exchange.book_time(i), id, changes, data);
    publish(*channel, FrameKind::book, data);
  }
}

void DeribitDialect::Inside::flush_book(Channel& channel) {
  if (!channel.dirty) return;
  channel.dirty = false;
  std::vector<Level> bids;
  std::vector<Level> asks;
  ExchTime at{};
  std::uint64_t id = 0;
  current_levels(channel, bids, asks, at, id);
  std::vector<LevelChange> changes;
  diff_side(Side::buy, channel.sent_bids, bids, changes);
  diff_side(Side::sell, channel.sent_asks, asks, changes);
  if (changes.empty() || id <= channel.last_id) return;
  std::string data;
  write_book_change(channel, at, id, changes, data);
  channel.sent_bids = std::move(bids);
  channel.sent_asks = std::move(asks);
  channel.sent_at = at;
  publish(channel, FrameKind::book, data);
}

void DeribitDialect::Inside::write_grouped_book(const Channel& channel, std::string& data) {
  std::vector<Level> bids;
  std::vector<Level> asks;
  ExchTime at{};
  std::uint64_t id = 0;
  current_levels(channel, bids, asks, at, id);
  const ChannelSpec& spec = channel.spec;
  JsonText json = writer(data);
  json.open_object();
  MemberMarks m{json};
  m.key("timestamp").integer(to_unix_ms(at));
  m.key("change_id").integer(static_cast<std::int64_t>(id));
  m.key("instrument_name")
      .text(spec.recorded.empty() ? std::string_view{listing(spec.instrument).name}
                                  : spec.recorded);
  write_plain_levels(json, "bids", grouped(bids, Side::buy, spec.group, spec.depth));
  write_plain_levels(json, "asks", grouped(asks, Side::sell, spec.group, spec.depth));
  if (config.vary) m.rotate(draw() & 3);
  json.close_object();
}

// --- tickers ----------------------------------------------------------------------------------

void DeribitDialect::Inside::write_ticker_channel(Channel& channel, std::string& data) {
  const ChannelSpec& spec = channel.spec;
  if (!spec.recorded.empty()) {
    const ReplayOption* o = replay->find(spec.recorded);
    if (o != nullptr && spec.kind == ChannelKind::ticker) data = o->ticker;
    return;
  }
  const TickerInfo t = exchange.ticker(spec.instrument);
  channel.last_ticker = t;
  JsonText json = writer(data);
  json.open_object();
  MemberMarks m{json};
  if (spec.kind == ChannelKind::ticker) {
    write_ticker_members(m, t);
  } else if (spec.kind == ChannelKind::perpetual) {
    m.key("interest").real(t.interest_value, 9);
    m.key("index_price").nano(t.index.nano);
    m.key("timestamp").integer(to_unix_ms(t.time));
  } else {
    const auto price = [&](std::string_view name, Price p) {
      m.key(name);
      if (p.nano == absent_nano) return json.null();
      json.nano(p.nano);
    };
    m.key("timestamp").integer(to_unix_ms(t.time));
    m.key("instrument_name").text(listing(spec.instrument).name);
    price("best_bid_price", t.best_bid);
    m.key("best_bid_amount").nano(t.best_bid_amount.nano);
    price("best_ask_price", t.best_ask);
    m.key("best_ask_amount").nano(t.best_ask_amount.nano);
  }
  if (config.vary) m.rotate(draw() & 15);
  json.close_object();
}

void DeribitDialect::Inside::on_ticker(const TickerInfo& t) {
  if (t.instrument >= by_instrument.size()) return;
  for (Channel* channel : by_instrument[t.instrument]) {
    const ChannelKind kind = channel->spec.kind;
    const bool tickers = kind == ChannelKind::ticker || kind == ChannelKind::perpetual;
    if (kind == ChannelKind::incremental_ticker) channel->dirty = true;
    if (!tickers && kind != ChannelKind::quote) continue;
    if (tickers && channel->spec.interval != Interval::raw) {
      channel->dirty = true;
      continue;
    }
    const TickerInfo& last = channel->last_ticker;
    const bool same_top = last.best_bid == t.best_bid && last.best_ask == t.best_ask &&
                          last.best_bid_amount == t.best_bid_amount &&
                          last.best_ask_amount == t.best_ask_amount;
    if (kind == ChannelKind::quote && same_top) continue;
    std::string data;
    write_ticker_channel(*channel, data);
    publish(*channel, FrameKind::market, data);
  }
}

void DeribitDialect::Inside::flush_incremental(Channel& channel) {
  if (!channel.spec.recorded.empty()) return;
  const TickerInfo before = channel.last_ticker;
  const TickerInfo t = exchange.ticker(channel.spec.instrument);
  channel.last_ticker = t;
  channel.dirty = false;
  const bool snapshot = !std::exchange(channel.ticker_sent, true);
  std::string data;
  JsonText json = writer(data);
  json.open_object();
  if (snapshot) {
    MemberMarks m{json};
    write_ticker_members(m, t);
  } else {
    json.member_int("timestamp", to_unix_ms(t.time));
    json.member("instrument_name", listing(channel.spec.instrument).name);
    const auto price = [&](std::string_view name, Price was, Price is) {
      if (was != is) json.member_nano(name, is.nano == absent_nano ? 0 : is.nano);
    };
    price("index_price", before.index, t.index);
    price("mark_price", before.mark, t.mark);
    price("last_price", before.last, t.last);
    price("best_bid_price", before.best_bid, t.best_bid);
    price("best_ask_price", before.best_ask, t.best_ask);
    if (before.best_bid_amount != t.best_bid_amount) {
      json.member_nano("best_bid_amount", t.best_bid_amount.nano);
    }
    if (before.best_ask_amount != t.best_ask_amount) {
      json.member_nano("best_ask_amount", t.best_ask_amount.nano);
    }
  }
  json.member("type", snapshot ? "snapshot" : "change");
  json.close_object();
  publish(channel, FrameKind::market, data);
}

// --- trades, indices, states --------------------------------------------------------------------

void DeribitDialect::Inside::on_trade(const PublicTrade& t) {
  if (t.instrument >= by_instrument.size()) return;
  const auto offer = [&](Channel& channel) {
    if (channel.spec.kind == ChannelKind::chart) return send_candle(channel);
    if (channel.spec.kind != ChannelKind::trades || !matches(channel.spec, t.instrument)) return;
    std::string row;
    JsonText json = writer(row);
    write_public_trade(json, t);
    if (channel.spec.interval == Interval::raw) {
      return publish(channel, FrameKind::market, '[' + row + ']');
    }
    if (!channel.batch.empty()) channel.batch += ',';
    channel.batch += row;
  };
  for (Channel* channel : by_instrument[t.instrument]) offer(*channel);
  for (Channel* channel : wildcard) offer(*channel);
}

void DeribitDialect::Inside::on_index(std::uint32_t product, Price price) {
  for (Channel* channel : wildcard) {
    if (channel->spec.kind != ChannelKind::price_index || channel->spec.product != product)
      continue;
    std::string data;
    JsonText json = writer(data);
    json.open_object();
    MemberMarks m{json};
    m.key("timestamp").integer(to_unix_ms(exchange.now()));
    m.key("price").nano(price.nano);
    m.key("index_name").text(exchange.config().products[product].index_name);
    if (config.vary) m.rotate(draw() & 3);
    json.close_object();
    publish(*channel, FrameKind::market, data);
  }
}

void DeribitDialect::Inside::send_mark_prices(Channel& channel) {
  std::string data;
  JsonText json = writer(data);
  json.open_array();
  for (const Listing& l : exchange.instruments()) {
    if (l.product != channel.spec.product || !is_option(l.def.kind) || !l.active) continue;
    const TickerInfo t = exchange.ticker(l.index);
    json.open_object();
    json.member("instrument_name", l.name);
    json.member_real("iv", t.mark_iv / 100, 4);
    json.member_nano("mark_price", t.mark.nano);
    json.member_int("timestamp", to_unix_ms(t.time));
    json.close_object();
  }
  json.close_array();
  publish(channel, FrameKind::market, data);
}

void DeribitDialect::Inside::on_instrument_state(InstrumentIndex i, ListingState state) {
  if (i >= by_instrument.size()) {
    by_instrument.resize(i + 1);
    book_listeners.resize(i + 1);
    ticker_listeners.resize(i + 1);
  }
  const char* text = state == ListingState::created   ? "created"
                     : state == ListingState::started ? "started"
                     : state == ListingState::settled ? "settled"
                                                      : "closed";
  std::string data;
  JsonText json{data};
  json.open_object();
  json.member("instrument_name", listing(i).name);
  json.member("state", text);
  json.member_int("timestamp", to_unix_ms(exchange.now()));
  json.close_object();
  for (Channel* channel : wildcard) {
    if (channel->spec.kind == ChannelKind::instrument_state && matches(channel->spec, i)) {
      publish(*channel, FrameKind::market, data);
    }
  }
}

void DeribitDialect::Inside::on_platform_state(bool maintenance) {
  for (Channel* channel : wildcard) {
    if (channel->spec.kind != ChannelKind::platform_state) continue;
    publish(*channel, FrameKind::market,
            maintenance ? R"({"maintenance":true})" : R"({"maintenance":false})");
  }
}

// --- batches ----------------------------------------------------------------------------------

void DeribitDialect::Inside::flush_channel(Channel& channel) {
  std::string data;
  switch (channel.spec.kind) {
    case ChannelKind::book: return flush_book(channel);
    case ChannelKind::grouped_book:
      if (!std::exchange(channel.dirty, false)) return;
      write_grouped_book(channel, data);
      return publish(channel, FrameKind::market, data);
    case ChannelKind::ticker:
    case ChannelKind::perpetual:
      if (!std::exchange(channel.dirty, false)) return;
      write_ticker_channel(channel, data);
      return data.empty() ? void() : publish(channel, FrameKind::market, data);
    case ChannelKind::incremental_ticker:
      if (channel.dirty) flush_incremental(channel);
      return;
    case ChannelKind::mark_prices: return send_mark_prices(channel);
    case ChannelKind::trades:
      if (channel.batch.empty()) return;
      data = '[' + std::exchange(channel.batch, {}) + ']';
      return publish(channel, FrameKind::market, data);
    case ChannelKind::user_orders:
    case ChannelKind::user_trades:
    case ChannelKind::user_changes: return flush_user_batch(channel);
    default: return;
  }
}

void DeribitDialect::Inside::flush_batches(Interval interval) {
  for (auto& [name, channel] : channels) {
    if (channel->spec.interval == interval) flush_channel(*channel);
    if (interval == Interval::agg2 && channel->spec.kind == ChannelKind::user_portfolio) {
      publish_portfolio(*channel, nullptr);
    }
  }
}

// --- recorded frames ----------------------------------------------------------------------------

void DeribitDialect::Inside::replay_due() {
  while (const ReplayFrame* frame = replay->next(exchange.now())) republish(*frame);
  for (const CoinConfig& coin : exchange.config().coins) {
    const auto price = replay->coin_price(coin.coin);
    if (!price || *price <= 0) continue;
    const auto& products = exchange.config().products;
    for (std::uint32_t i = 0; i < products.size(); ++i) {
      if (products[i].coin != coin.coin) continue;
      const double index = to_double(exchange.index_price(i));
      if (index > 0 && std::abs(*price / index - 1) > 1e-6) {
        exchange.shock(coin.coin, std::log(*price / index), *this);
      }
      break;
    }
  }
  settle();
}

void DeribitDialect::Inside::republish(const ReplayFrame& frame) {
  if (frame.book) recorded_id += recorded_id_step;
  const bool is_ticker = frame.channel.rfind("ticker.", 0) == 0;
  const bool is_trades = frame.channel.rfind("trades.", 0) == 0;
  for (Channel* channel : wildcard) {
    const ChannelSpec& spec = channel->spec;
    if (spec.name == frame.channel && spec.recorded.empty() && spec.currency.empty() &&
        spec.kind == ChannelKind::silent) {
      publish(*channel, FrameKind::market, frame.data);
      continue;
    }
    if (spec.recorded.empty() || spec.recorded != frame.instrument) continue;
    if (spec.kind == ChannelKind::book && (frame.book || is_ticker)) {
      channel->dirty = true;
      if (spec.interval == Interval::raw) {
        if (!frame.book) recorded_id += recorded_id_step;
        flush_book(*channel);
      }
    } else if (spec.kind == ChannelKind::grouped_book && frame.book) {
      channel->dirty = true;
    } else if ((spec.kind == ChannelKind::ticker && is_ticker) ||
               (spec.kind == ChannelKind::trades && is_trades)) {
      publish(*channel, FrameKind::market, frame.data);
    }
  }
}

}  // namespace gimbal::sim
