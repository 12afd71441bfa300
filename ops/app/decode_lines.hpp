// Events and books as JSON text lines, for `gimbal decode`. Cold. Decimals are exact strings.
#pragma once

#include <array>
#include <cstdio>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "engine/core/payload.hpp"
#include "feeds/decimal.hpp"
#include "feeds/deribit/channels.hpp"
#include "feeds/deribit/instruments.hpp"

namespace gimbal {

inline std::string_view deribit_channel_instrument(std::string_view channel) {
  return deribit::parse_channel(channel).instrument;
}

// One flat JSON object.
class FlatJson {
 public:
  FlatJson& text(std::string_view key, std::string_view value) {
    std::string quoted = "\"";
    for (const char c : value) {
      if (c == '"' || c == '\\') quoted += '\\';
      const auto u = static_cast<unsigned char>(c);
      if (u >= 0x20 && u < 0x7F) {
        quoted += c;
      } else {
        std::array<char, 8> escape{};
        std::snprintf(escape.data(), escape.size(), "\\u%04x", u);
        quoted += escape.data();
      }
    }
    return raw(key, quoted + "\"");
  }
  FlatJson& raw(std::string_view key, std::string_view value) {
    out_ += out_.size() == 1 ? "\"" : ",\"";
    out_.append(key).append("\":").append(value);
    return *this;
  }
  // Null for an absent number.
  FlatJson& decimal(std::string_view key, std::int64_t nano) {
    if (nano == absent_nano) return raw(key, "null");
    std::array<char, decimal_text_max> digits{};
    return raw(key, "\"" + std::string{digits.data(), write_nano(nano, digits)} + "\"");
  }
  FlatJson& number(std::string_view key, std::uint64_t value) {
    return raw(key, std::to_string(value));
  }
  [[nodiscard]] std::string done() { return out_ + "}"; }

 private:
  std::string out_{"{"};
};

[[nodiscard]] std::string_view event_name(EventKind kind);

// One line per event; the earlier records of a unit of several give an empty line.
class EventLines {
 public:
  explicit EventLines(const deribit::SymbolTable& symbols) : symbols_{&symbols} {}
  [[nodiscard]] std::string line(const Event& event);

 private:
  void head(const Event& event, std::string_view name, FlatJson& json) const;
  void ticker(const Ticker& t, FlatJson& json) const;
  void fill(const Fill& f, FlatJson& json) const;
  void margin(const MarginReport& m, FlatJson& json) const;
  void single(const Event& event, FlatJson& json) const;

  const deribit::SymbolTable* symbols_;
  PartsBuffer<Ticker> ticker_;
  PartsBuffer<Fill> fill_;
  PartsBuffer<MarginReport> margin_;
};

// Books by channel, for --top: ordered maps, the slow and obvious way.
class TopBooks {
 public:
  void clear() { books_.clear(); }
  void apply(std::string_view channel, std::span<const Event> events);
  [[nodiscard]] std::string line(std::string_view channel, std::string_view instrument,
                                 std::uint64_t change_id, bool valid) const;

 private:
  struct Book {
    std::map<std::int64_t, std::int64_t, std::greater<>> bids;
    std::map<std::int64_t, std::int64_t> asks;
  };
  std::map<std::string, Book, std::less<>> books_;
};

}  // namespace gimbal
