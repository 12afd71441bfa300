// Dense identifiers. Texts (venue symbols, order labels) stay in feeds and gateways.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gimbal {

inline constexpr std::size_t venues_max = 16;
inline constexpr std::size_t strategies_max = 16;
inline constexpr std::size_t underlyings_max = 32;
inline constexpr std::size_t expiries_max = 256;  // (underlying, expiry) pairs
inline constexpr std::size_t instruments_max = 16384;

// One account session at a venue (venue + account).
struct VenueId {
  std::uint8_t value{0};
  friend constexpr auto operator<=>(VenueId, VenueId) = default;
};

struct InstrumentId {
  std::uint16_t value{0xFFFF};
  constexpr bool valid() const noexcept { return value != 0xFFFF; }
  friend constexpr auto operator<=>(InstrumentId, InstrumentId) = default;
};

// The coin whose moves the instruments share (BTC, ETH), across settlement currencies.
struct UnderlyingId {
  std::uint8_t value{0xFF};
  constexpr bool valid() const noexcept { return value != 0xFF; }
  friend constexpr auto operator<=>(UnderlyingId, UnderlyingId) = default;
};

// One (underlying, expiry) pair: the bucket that shares a forward.
struct ExpiryId {
  std::uint16_t value{0xFFFF};
  constexpr bool valid() const noexcept { return value != 0xFFFF; }
  friend constexpr auto operator<=>(ExpiryId, ExpiryId) = default;
};

// A currency by its ticker, upper case ASCII, zero padded: exact, no table needed.
struct Currency {
  std::array<char, 8> ticker{};
  friend constexpr auto operator<=>(const Currency&, const Currency&) = default;
  constexpr std::string_view text() const noexcept {
    std::size_t n = 0;
    while (n < ticker.size() && ticker[n] != '\0') ++n;
    return {ticker.data(), n};
  }
};
constexpr Currency currency(std::string_view text) noexcept {
  Currency c;
  for (std::size_t i = 0; i < text.size() && i < c.ticker.size(); ++i) c.ticker[i] = text[i];
  return c;
}

struct StrategyId {
  std::uint8_t value{0xFF};
  friend constexpr auto operator<=>(StrategyId, StrategyId) = default;
};

// Our order id: boot epoch (24 bits) | strategy (8) | counter (32). The epoch grows by one at every
// boot, so an id is never reused; the venue carries it in the order label.
struct OrderId {
  std::uint64_t value{0};
  constexpr bool valid() const noexcept { return value != 0; }
  constexpr std::uint32_t epoch() const noexcept { return static_cast<std::uint32_t>(value >> 40); }
  constexpr StrategyId strategy() const noexcept {
    return {static_cast<std::uint8_t>(value >> 32)};
  }
  constexpr std::uint32_t counter() const noexcept { return static_cast<std::uint32_t>(value); }
  friend constexpr auto operator<=>(OrderId, OrderId) = default;
};
inline constexpr std::uint32_t boot_epoch_max = (1u << 24) - 1;
constexpr OrderId make_order_id(std::uint32_t epoch, StrategyId s, std::uint32_t counter) noexcept {
  return {(static_cast<std::uint64_t>(epoch) << 40) | (static_cast<std::uint64_t>(s.value) << 32) |
          counter};
}

// A venue's trade id, kept verbatim while it is at most 15 characters; longer ones are folded to
// 127 bits with the top bit set. Exact equality is what de-duplicates fills.
struct TradeId {
  std::uint64_t high{0};
  std::uint64_t low{0};
  constexpr bool valid() const noexcept { return (high | low) != 0; }
  friend constexpr auto operator<=>(TradeId, TradeId) = default;
};
constexpr TradeId trade_id(std::string_view text) noexcept {
  TradeId id;
  if (text.size() <= 15) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      auto& word = i < 7 ? id.high : id.low;
      word = (word << 8) | static_cast<unsigned char>(text[i]);
    }
    return id;
  }
  id = {0xcbf29ce484222325ULL, 0x84222325cbf29ce4ULL};
  for (const char c : text) {
    id.high = (id.high ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    id.low = (id.low ^ (id.high >> 29) ^ static_cast<unsigned char>(c)) * 0x9e3779b97f4a7c15ULL;
  }
  id.high |= 1ULL << 63;
  return id;
}

}  // namespace gimbal
