// Subscriptions: names of channels, who listens to what, and the first data after the answer.
#include <algorithm>
#include <charconv>

#include "venues/sim/dialect_state.hpp"

namespace gimbal::sim {
namespace {

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t dot = text.find('.');
    parts.push_back(text.substr(0, dot));
    if (dot == std::string_view::npos) return parts;
    text.remove_prefix(dot + 1);
  }
}

bool interval_of(std::string_view text, Interval& interval) {
  if (text == "raw")
    interval = Interval::raw;
  else if (text == "100ms")
    interval = Interval::ms100;
  else if (text == "agg2")
    interval = Interval::agg2;
  else
    return false;
  return true;
}

bool kind_of(std::string_view text, ChannelSpec& spec) {
  static constexpr std::array<std::string_view, 7> kinds{
      "any", "future", "option", "spot", "future_combo", "option_combo", "combo"};
  if (std::find(kinds.begin(), kinds.end(), text) == kinds.end()) return false;
  spec.futures = text == "any" || text == "future";
  spec.options = text == "any" || text == "option";
  return true;
}

bool currency_of(std::string_view text, std::string& out) {
  static constexpr std::array<std::string_view, 6> known{"any",  "BTC",  "ETH",
                                                         "USDC", "USDT", "EURR"};
  if (std::find(known.begin(), known.end(), text) == known.end()) return false;
  out = std::string{text};
  return true;
}

std::string lower(std::string_view text) {
  std::string out{text};
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return out;
}

std::string upper(std::string_view text) {
  std::string out{text};
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  }
  return out;
}

bool grouping_of(std::string_view group, std::string_view depth, ChannelSpec& spec) {
  if (depth != "1" && depth != "10" && depth != "20") return false;
  spec.depth = depth == "1" ? 1 : depth == "10" ? 10 : 20;
  if (group == "none") return true;
  int step = 0;
  const auto done = std::from_chars(group.data(), group.data() + group.size(), step);
  if (done.ec != std::errc{} || done.ptr != group.data() + group.size() || step < 1) return false;
  spec.group = step;
  return step <= 1000;
}

bool silent_channel(const std::vector<std::string_view>& p) {
  if (p.size() == 1) return p[0] == "announcements";
  if (p[0] == "platform_state") return p.size() == 2 && p[1] == "public_methods_state";
  return p.size() == 2 && (p[0] == "estimated_expiration_price" ||
                           p[0] == "deribit_volatility_index" || p[0] == "deribit_price_ranking");
}

}  // namespace

const ReplayOption* DeribitDialect::Inside::recorded(std::string_view name) const {
  const ReplayOption* found = replay != nullptr ? replay->find(name) : nullptr;
  if (found == nullptr) return nullptr;
  const bool perpetual = !found->option && found->expiry.unix_ns == 0;
  return perpetual && exchange.find(name) != no_instrument ? nullptr : found;
}

// An instrument of either market.
bool DeribitDialect::Inside::instrument_spec(std::string_view name, ChannelSpec& spec) const {
  if (recorded(name) != nullptr) {
    spec.recorded = std::string{name};
    return true;
  }
  spec.instrument = exchange.find(name);
  return spec.instrument != no_instrument;
}

bool DeribitDialect::Inside::parse_user_channel(const std::vector<std::string_view>& p,
                                                ChannelSpec& spec) const {
  spec.is_private = true;
  if (p[1] == "portfolio" && p.size() == 3) {
    spec.kind = ChannelKind::user_portfolio;
    spec.name = lower(spec.name);
    return currency_of(lower(p[2]) == "any" ? "any" : std::string_view{upper(p[2])}, spec.currency);
  }
  if (p[1] == "lock" || p[1] == "access_log") return p.size() == 2;
  if (p[1] == "mmp_trigger") return p.size() == 3;
  if (p[1] == "orders")
    spec.kind = ChannelKind::user_orders;
  else if (p[1] == "trades")
    spec.kind = ChannelKind::user_trades;
  else if (p[1] == "changes")
    spec.kind = ChannelKind::user_changes;
  else
    return false;
  if (p.size() < 4 || p.size() > 5 || !interval_of(p.back(), spec.interval)) return false;
  if (p.size() == 5) return kind_of(p[2], spec) && currency_of(p[3], spec.currency);
  return instrument_spec(p[2], spec);
}

bool DeribitDialect::Inside::parse_market_channel(const std::vector<std::string_view>& p,
                                                  ChannelSpec& spec) const {
  const std::size_t n = p.size();
  if (p[0] == "book" && n == 5) {
    spec.kind = ChannelKind::grouped_book;
    return grouping_of(p[2], p[3], spec) && interval_of(p[4], spec.interval) &&
           spec.interval != Interval::raw && instrument_spec(p[1], spec);
  }
  if (p[0] == "trades" && n == 4) {
    spec.kind = ChannelKind::trades;
    return kind_of(p[1], spec) && currency_of(p[2], spec.currency) &&
           interval_of(p[3], spec.interval);
  }
  if (n == 3 && interval_of(p[2], spec.interval)) {
    if (p[0] == "book")
      spec.kind = ChannelKind::book;
    else if (p[0] == "ticker")
      spec.kind = ChannelKind::ticker;
    else if (p[0] == "trades")
      spec.kind = ChannelKind::trades;
    else if (p[0] == "perpetual")
      spec.kind = ChannelKind::perpetual;
    else
      return false;
    if (!instrument_spec(p[1], spec)) return false;
    return spec.kind != ChannelKind::perpetual ||
           (spec.instrument != no_instrument && is_perpetual(listing(spec.instrument).def.kind));
  }
  if (n == 2 && (p[0] == "quote" || p[0] == "incremental_ticker")) {
    spec.kind = p[0] == "quote" ? ChannelKind::quote : ChannelKind::incremental_ticker;
    if (spec.kind == ChannelKind::incremental_ticker) spec.interval = Interval::agg2;
    return instrument_spec(p[1], spec);
  }
  return false;
}

bool DeribitDialect::Inside::parse_channel(std::string_view text, ChannelSpec& spec) const {
  spec = {};
  spec.name = std::string{text};
  const std::vector<std::string_view> p = split(text);
  if (p[0] == "user") return p.size() >= 2 && parse_user_channel(p, spec);
  if (parse_market_channel(p, spec)) {
    const bool has_interval = spec.kind != ChannelKind::quote;
    spec.needs_login = has_interval && spec.interval == Interval::raw;
    return true;
  }
  if (text == "platform_state") {
    spec.kind = ChannelKind::platform_state;
    return true;
  }
  if (p.size() == 4 && p[0] == "instrument" && p[1] == "state") {
    spec.kind = ChannelKind::instrument_state;
    return kind_of(p[2], spec) && currency_of(p[3], spec.currency);
  }
  if (p.size() == 4 && p[0] == "chart" && p[1] == "trades") {
    spec.kind = ChannelKind::chart;
    spec.instrument = exchange.find(p[2]);
    return spec.instrument != no_instrument && candle_width(p[3], spec.candle);
  }
  const bool index = p.size() == 2 && p[0] == "deribit_price_index";
  const bool marks = p.size() == 3 && p[0] == "markprice" && p[1] == "options";
  if (!index && !marks) return silent_channel(p);
  spec.kind = index ? ChannelKind::price_index : ChannelKind::mark_prices;
  if (marks) spec.interval = Interval::agg2;
  const auto& products = exchange.config().products;
  for (; spec.product < products.size(); ++spec.product) {
    if (products[spec.product].index_name == p.back()) return true;
  }
  return false;
}

// --- who listens ------------------------------------------------------------------------------

void DeribitDialect::Inside::listeners(const ChannelSpec& spec, int change) {
  if (spec.instrument == no_instrument || spec.is_private) return;
  switch (spec.kind) {
    case ChannelKind::book:
    case ChannelKind::grouped_book: book_listeners[spec.instrument] += change; break;
    case ChannelKind::quote:
    case ChannelKind::ticker:
    case ChannelKind::incremental_ticker:
    case ChannelKind::perpetual: ticker_listeners[spec.instrument] += change; break;
    default: break;
  }
}

Channel& DeribitDialect::Inside::open_channel(const ChannelSpec& spec, AccountId account) {
  std::string key = spec.name;
  if (spec.is_private) key += '#' + std::to_string(account);
  auto& slot = channels[key];
  if (slot == nullptr) {
    slot = std::make_unique<Channel>();
    slot->spec = spec;
    slot->account = spec.is_private ? account : no_account;
    const bool single = spec.instrument != no_instrument && !spec.is_private;
    (single ? by_instrument[spec.instrument] : wildcard).push_back(slot.get());
    listeners(spec, +1);
  }
  return *slot;
}

void DeribitDialect::Inside::leave(Session& s, Channel& channel) {
  auto& subscribers = channel.subscribers;
  subscribers.erase(std::remove(subscribers.begin(), subscribers.end(), &s), subscribers.end());
  if (!subscribers.empty()) return;
  const bool single = channel.spec.instrument != no_instrument && !channel.spec.is_private;
  auto& list = single ? by_instrument[channel.spec.instrument] : wildcard;
  list.erase(std::remove(list.begin(), list.end(), &channel), list.end());
  listeners(channel.spec, -1);
  std::string key = channel.spec.name;
  if (channel.spec.is_private) key += '#' + std::to_string(channel.account);
  channels.erase(key);
}

// --- requests ---------------------------------------------------------------------------------

void DeribitDialect::Inside::subscribe(Call& call, bool is_private) {
  if (call.session == nullptr) return call.fail(code::must_be_websocket);
  const Param* asked = call.params->find("channels");
  if (asked == nullptr) return call.invalid("channels", "value required");
  if (asked->kind != ParamKind::list) return call.invalid("channels", "must be an array");
  Session& s = *call.session;
  const bool logged_in = call.grant.account != no_account;
  std::vector<std::string> accepted;
  const std::string label{call.params->text("label").value_or("")};
  if (label.size() > 16) return call.invalid("label", "too long");
  for (const std::string& name : asked->list) {
    ChannelSpec spec;
    if (!parse_channel(name, spec)) continue;
    if (spec.is_private != is_private && spec.is_private) continue;
    if (spec.needs_login && !logged_in) return call.fail(code::raw_needs_auth);
    if (s.channels.size() >= channels_per_connection_max) break;
    accepted.push_back(spec.name);
    if (s.channels.contains(spec.name)) continue;
    Channel& channel = open_channel(spec, call.grant.account);
    channel.subscribers.push_back(&s);
    s.channels.emplace(spec.name, &channel);
    if (spec.is_private && !label.empty()) s.labels[spec.name] = label;
    call.snapshots.push_back(&channel);
  }
  // The answer's order is not that of the request.
  if (config.vary && accepted.size() > 1) {
    std::rotate(accepted.begin(),
                accepted.begin() + static_cast<std::ptrdiff_t>(draw() % accepted.size()),
                accepted.end());
  }
  JsonText json{call.result};
  json.open_array();
  for (const std::string& name : accepted) json.text(name);
  json.close_array();
}

void DeribitDialect::Inside::unsubscribe(Call& call) {
  if (call.session == nullptr) return call.fail(code::must_be_websocket);
  const Param* asked = call.params->find("channels");
  if (asked == nullptr) return call.invalid("channels", "value required");
  Session& s = *call.session;
  JsonText json{call.result};
  json.open_array();
  for (const std::string& name : asked->list) {
    ChannelSpec spec;
    if (!parse_channel(name, spec)) continue;
    json.text(spec.name);
    const auto at = s.channels.find(spec.name);
    if (at == s.channels.end()) continue;
    Channel* channel = at->second;
    s.channels.erase(at);
    s.labels.erase(spec.name);
    leave(s, *channel);
  }
  json.close_array();
}

void DeribitDialect::Inside::unsubscribe_all(Call& call, bool is_private) {
  if (call.session == nullptr) return call.fail(code::must_be_websocket);
  Session& s = *call.session;
  for (auto at = s.channels.begin(); at != s.channels.end();) {
    Channel* channel = at->second;
    if (channel->spec.is_private != is_private) {
      ++at;
      continue;
    }
    at = s.channels.erase(at);
    leave(s, *channel);
  }
  call.ok();
}

// --- first data -------------------------------------------------------------------------------

// Earlier subscribers get what they miss first, so that one chain serves all of them; a subscriber
// that is alone starts the chain afresh.
void DeribitDialect::Inside::join_book(Session& s, Channel& channel) {
  const bool exact = channel.spec.interval == Interval::raw && channel.spec.recorded.empty();
  if (channel.subscribers.size() > 1) {
    auto& subscribers = channel.subscribers;
    subscribers.erase(std::remove(subscribers.begin(), subscribers.end(), &s), subscribers.end());
    flush_book(channel);
    subscribers.push_back(&s);
    if (!exact) return;
  }
  channel.sent_bids.clear();
  channel.sent_asks.clear();
  channel.dirty = false;
  current_levels(channel, channel.sent_bids, channel.sent_asks, channel.sent_at, channel.last_id);
}

void DeribitDialect::Inside::send_snapshot(Session& s, Channel& channel) {
  const ChannelSpec& spec = channel.spec;
  std::string data;
  switch (spec.kind) {
    case ChannelKind::book:
      join_book(s, channel);
      write_book_snapshot(channel, data);
      return send(s, channel, FrameKind::book, data);
    case ChannelKind::grouped_book:
      write_grouped_book(channel, data);
      return send(s, channel, FrameKind::market, data);
    case ChannelKind::ticker:
    case ChannelKind::quote:
    case ChannelKind::perpetual:
      write_ticker_channel(channel, data);
      if (!data.empty()) send(s, channel, FrameKind::market, data);
      return;
    case ChannelKind::incremental_ticker:
      channel.ticker_sent = false;
      return flush_incremental(channel);
    case ChannelKind::user_portfolio: return publish_portfolio(channel, &s);
    case ChannelKind::mark_prices: return send_mark_prices(channel);
    case ChannelKind::price_index:
      return on_index(spec.product, exchange.index_price(spec.product));
    default: return;
  }
}

}  // namespace gimbal::sim
