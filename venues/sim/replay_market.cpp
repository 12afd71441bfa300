#include "venues/sim/replay_market.hpp"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <fstream>

namespace gimbal::sim {
namespace {

namespace dom = simdjson::dom;

constexpr std::size_t line_bytes_max = 64u << 20;
constexpr std::int64_t round_pause_ms = 200;
constexpr Nanos silence_max = seconds(30);

std::int64_t days_from_civil(std::int64_t y, int m, int d) {
  y -= m <= 2 ? 1 : 0;
  const std::int64_t era = (y >= 0 ? y : y - 399) / 400;
  const std::int64_t year = y - era * 400;
  const std::int64_t day = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
  return era * 146'097 + year * 365 + year / 4 - year / 100 + day - 719'468;
}

// "24SEP21" as 08:00 UTC of that day.
bool expiry_of(std::string_view text, ExchTime& out) {
  static constexpr std::array<std::string_view, 12> months{
      "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
  if (text.size() != 6 && text.size() != 7) return false;
  int day = 0;
  int year = 0;
  const std::size_t digits = text.size() - 5;
  std::from_chars(text.data(), text.data() + digits, day);
  std::from_chars(text.data() + digits + 3, text.data() + text.size(), year);
  const auto month = std::find(months.begin(), months.end(), text.substr(digits, 3));
  if (month == months.end() || day < 1 || day > 31) return false;
  const std::int64_t days =
      days_from_civil(2000 + year, static_cast<int>(month - months.begin()) + 1, day);
  out = from_unix_ms((days * 24 + 8) * 3'600'000);
  return true;
}

// The name's parts: BTC-PERPETUAL, BTC-24SEP21, BTC-24SEP21-8000-P. Combos and linear names are not
// taken.
bool parse_name(std::string_view name, ReplayOption& out) {
  const std::size_t first = name.find('-');
  if (first == std::string_view::npos) return false;
  out.name = std::string{name};
  out.currency = std::string{name.substr(0, first)};
  if (out.currency != "BTC" && out.currency != "ETH") return false;
  const std::string_view rest = name.substr(first + 1);
  if (rest == "PERPETUAL") return true;
  const std::size_t second = rest.find('-');
  if (!expiry_of(rest.substr(0, second), out.expiry)) return false;
  if (second == std::string_view::npos) return true;
  const std::string_view tail = rest.substr(second + 1);
  const std::size_t third = tail.find('-');
  if (third == std::string_view::npos || third + 2 != tail.size()) return false;
  out.option = true;
  out.call = tail.back() == 'C';
  const auto done = std::from_chars(tail.data(), tail.data() + third, out.strike);
  return done.ptr == tail.data() + third && (tail.back() == 'C' || tail.back() == 'P');
}

double number_or(dom::object data, const char* key, double otherwise) {
  double value = 0;
  return data[key].get_double().get(value) == simdjson::SUCCESS ? value : otherwise;
}

// False: the line is skipped.
bool read_line(dom::parser& parser, const std::string& line, ReplayFrame& frame) {
  dom::element document;
  std::string_view channel;
  dom::element data;
  if (parser.parse(line).get(document) != simdjson::SUCCESS) return false;
  if (document["params"]["channel"].get_string().get(channel) != simdjson::SUCCESS ||
      document["params"]["data"].get(data) != simdjson::SUCCESS) {
    return false;
  }
  dom::element head = data;
  dom::array rows;
  if (data.get_array().get(rows) == simdjson::SUCCESS) {
    if (rows.size() == 0) return false;
    head = rows.at(0).value_unsafe();
  }
  std::int64_t ms = 0;
  if (head["timestamp"].get_int64().get(ms) != simdjson::SUCCESS) return false;
  std::string_view instrument;
  if (head["instrument_name"].get_string().get(instrument) == simdjson::SUCCESS) {
    frame.instrument = std::string{instrument};
  }
  frame.at = from_unix_ms(ms);
  frame.channel = std::string{channel};
  frame.data = simdjson::minify(data);
  const bool plain_book = std::count(channel.begin(), channel.end(), '.') == 2;
  frame.book = channel.rfind("book.", 0) == 0 && plain_book;
  if (frame.book) {
    std::string_view type;
    dom::element previous;
    const bool typed = head["type"].get_string().get(type) == simdjson::SUCCESS;
    const bool chained = head["prev_change_id"].get(previous) == simdjson::SUCCESS;
    frame.snapshot = typed ? type == "snapshot" : !chained;
  }
  return true;
}

void apply_levels(dom::object data, const char* key, std::map<double, double>& levels) {
  dom::array rows;
  if (data[key].get_array().get(rows) != simdjson::SUCCESS) return;
  for (const dom::element row : rows) {
    double price = 0;
    double amount = 0;
    if (row.at(1).get_double().get(price) != simdjson::SUCCESS) continue;
    if (row.at(2).get_double().get(amount) != simdjson::SUCCESS) continue;
    if (amount > 0)
      levels[price] = amount;
    else
      levels.erase(price);
  }
}

void apply_ticker(dom::object data, ReplayOption& o) {
  o.mark = number_or(data, "mark_price", o.mark);
  o.underlying = number_or(data, "underlying_price", o.underlying);
  o.index = number_or(data, "index_price", o.index);
  dom::object greeks;
  if (data["greeks"].get_object().get(greeks) == simdjson::SUCCESS) {
    o.delta = number_or(greeks, "delta", o.delta);
    o.gamma = number_or(greeks, "gamma", o.gamma);
    o.vega = number_or(greeks, "vega", o.vega);
    o.theta = number_or(greeks, "theta", o.theta);
  }
  if (o.change_id != 0) return;  // book frames know better
  o.bids.clear();
  o.asks.clear();
  const double bid = number_or(data, "best_bid_price", 0);
  const double ask = number_or(data, "best_ask_price", 0);
  const double bid_amount = number_or(data, "best_bid_amount", 0);
  const double ask_amount = number_or(data, "best_ask_amount", 0);
  if (bid > 0 && bid_amount > 0) o.bids[bid] = bid_amount;
  if (ask > 0 && ask_amount > 0) o.asks[ask] = ask_amount;
}

// Moves every "timestamp" of a later round by the rounds' length.
std::string shifted(const std::string& data, std::int64_t by_ms) {
  static constexpr std::string_view key = "\"timestamp\":";
  std::string out;
  std::size_t from = 0;
  for (std::size_t at = data.find(key); at != std::string::npos; at = data.find(key, from)) {
    const std::size_t digits = at + key.size();
    std::int64_t ms = 0;
    const auto done = std::from_chars(data.data() + digits, data.data() + data.size(), ms);
    out.append(data, from, digits - from);
    out += std::to_string(ms + by_ms);
    from = static_cast<std::size_t>(done.ptr - data.data());
    if (from <= digits) return data;
  }
  return out.append(data, from, std::string::npos);
}

}  // namespace

bool ReplayMarket::load(const std::vector<std::filesystem::path>& files, std::string& error) {
  dom::parser parser;
  for (const auto& path : files) {
    std::ifstream in{path};
    if (!in) {
      error = "cannot read " + path.string();
      return false;
    }
    std::string line;
    for (std::size_t number = 1; std::getline(in, line); ++number) {
      if (line.empty()) continue;
      if (line.size() > line_bytes_max) {
        error = path.string() + ':' + std::to_string(number) + ": line is too long";
        return false;
      }
      ReplayFrame frame;
      if (!read_line(parser, line, frame)) {
        ++skipped_;
        continue;
      }
      if (!frame.instrument.empty()) list(frame.instrument);
      frames_.push_back(std::move(frame));
    }
  }
  if (frames_.empty()) {
    error = "no recorded notification in the given files";
    return false;
  }
  std::stable_sort(frames_.begin(), frames_.end(),
                   [](const ReplayFrame& a, const ReplayFrame& b) { return a.at < b.at; });
  // A snapshot can carry the time of a change long before; longer silences are left out.
  Nanos moved{};
  ExchTime later = frames_.back().at;
  for (auto frame = frames_.rbegin(); frame != frames_.rend(); ++frame) {
    const Nanos silence = later - frame->at;
    later = frame->at;
    if (silence > silence_max) moved = moved + silence;
    frame->at = frame->at + moved;
  }
  first_ = frames_.front().at;
  last_ = frames_.back().at;
  // State at the start: the first known ticker of each instrument, so that nothing begins unmarked.
  for (auto frame = frames_.rbegin(); frame != frames_.rend(); ++frame) {
    if (frame->channel.rfind("ticker.", 0) == 0) apply(*frame);
  }
  for (Held& h : held_) h.average = list_[h.instrument].mark;
  return true;
}

std::size_t ReplayMarket::list(std::string_view name) {
  const auto at = std::find_if(list_.begin(), list_.end(),
                               [name](const ReplayOption& o) { return o.name == name; });
  if (at != list_.end()) return static_cast<std::size_t>(at - list_.begin());
  ReplayOption made;
  if (!parse_name(name, made)) return list_.size();
  list_.push_back(std::move(made));
  return list_.size() - 1;
}

const ReplayOption* ReplayMarket::find(std::string_view name) const noexcept {
  const auto at = std::find_if(list_.begin(), list_.end(),
                               [name](const ReplayOption& o) { return o.name == name; });
  return at == list_.end() ? nullptr : &*at;
}

void ReplayMarket::apply(const ReplayFrame& frame) {
  const std::size_t i = list(frame.instrument);
  dom::parser parser;
  dom::element document;
  dom::object data;
  if (parser.parse(frame.data).get(document) != simdjson::SUCCESS) return;
  if (document.get_object().get(data) != simdjson::SUCCESS) return;
  if (frame.channel.rfind("deribit_price_index.", 0) == 0) {
    const double price = number_or(data, "price", 0);
    if (price > 0) coins_[frame.channel.rfind("eth", 20) == 20 ? "ETH" : "BTC"] = price;
    return;
  }
  if (i >= list_.size()) return;
  ReplayOption& o = list_[i];
  if (frame.book) {
    if (frame.snapshot || o.change_id == 0) {
      o.bids.clear();
      o.asks.clear();
    }
    ++o.change_id;
    apply_levels(data, "bids", o.bids);
    apply_levels(data, "asks", o.asks);
  } else if (frame.channel.rfind("ticker.", 0) == 0) {
    o.ticker = frame.data;
    apply_ticker(data, o);
    const double price = o.index > 0 ? o.index : o.underlying;
    if (price > 0) coins_[o.currency] = price;
  }
}

const ReplayFrame* ReplayMarket::next(ExchTime now) {
  if (position_ == frames_.size()) {
    if (!loop_ || frames_.empty()) return nullptr;
    position_ = 0;
    ++rounds_;
    const Nanos length = last_ - first_ + milliseconds(round_pause_ms);
    shift_ = length * static_cast<std::int64_t>(rounds_);
  }
  static thread_local ReplayFrame moved;
  const ReplayFrame& frame = frames_[position_];
  if (frame.at + shift_ > now) return nullptr;
  ++position_;
  moved = frame;
  moved.at = frame.at + shift_;
  if (shift_.count != 0) moved.data = shifted(frame.data, shift_.count / 1'000'000);
  apply(moved);
  return &moved;
}

std::optional<double> ReplayMarket::coin_price(std::string_view coin) const {
  const auto at = coins_.find(coin);
  return at == coins_.end() ? std::nullopt : std::optional<double>{at->second};
}

bool ReplayMarket::endow(AccountId account, std::string_view name, double size) {
  const auto at = std::find_if(list_.begin(), list_.end(),
                               [name](const ReplayOption& o) { return o.name == name; });
  if (at == list_.end()) return false;
  const auto i = static_cast<std::size_t>(at - list_.begin());
  held_.push_back({account, i, size, at->mark});
  return true;
}

std::vector<ReplayMarket::Holding> ReplayMarket::holdings(AccountId account) const {
  std::vector<Holding> out;
  for (const Held& h : held_) {
    if (h.account == account) out.push_back({&list_[h.instrument], h.size, h.average});
  }
  return out;
}

}  // namespace gimbal::sim
