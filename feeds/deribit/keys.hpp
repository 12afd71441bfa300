// The member names that the Deribit decoders know, as a dense enum, and their look-up. Room: feeds
// (hot). Names that are not listed are skipped by the decoders.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

namespace gimbal::deribit {

// Two word lists; one name a line would bury the rest.
// clang-format off
enum class Key : std::uint8_t {
  above_price, access_token, action, advanced, amount, api, ask_iv, asks, available_funds,
  average_price, average_price_usd, balance, base_currency, best_ask_amount, best_ask_price,
  best_bid_amount, best_bid_price, bid_iv, bids, burst, cancel_all, cancel_reason, change_id,
  channel, code, combo_id, combo_trade_id, contract_size, counter_currency, creation_timestamp,
  currency, currency_pair, data, delta, delta_total, direction, enabled, equity, error,
  estimated_liquidation_price, expiration_timestamp, expires, expires_in, fee, fee_currency,
  filled_amount, funding_8h, gamma, greeks, has_more, id, index_name, index_price,
  initial_margin, instrument_name, instrument_type, interest, is_active, is_liquidation,
  is_rebalance, iv, jsonrpc, kind, label, last_update_timestamp, limits, liquidation, liquidity,
  locked, maintenance, maintenance_margin, maker_commission, margin_balance,
  margin_model, mark_iv, mark_price, matching_engine, message, method, min_trade_amount, mmp,
  mmp_cancelled,
  option_type, options_delta, options_value, order, order_id, order_state, order_type, orders,
  original_order_type, param, params, positions, post_only, prev_change_id, price, price_index,
  profit_loss, quote_currency, rate, reason, reduce_only, refresh_token, replaced, result,
  scope, self_trade, session_rpl, session_upl, settlement_currency, settlement_period, size,
  state, strike, summaries, taker_commission, testnet, theta, tick_size, tick_size_steps,
  time_in_force, timestamp, total, trade_id, trade_seq, trades, trading, type, underlying_price,
  usdiff, user_id, us_in, us_out, vega,
  unknown  // last: its value is the number of known keys
};

namespace key_detail {

inline constexpr std::array<std::string_view, static_cast<std::size_t>(Key::unknown)> names{
    "above_price", "access_token", "action", "advanced", "amount", "api", "ask_iv", "asks",
    "available_funds", "average_price", "average_price_usd", "balance", "base_currency",
    "best_ask_amount", "best_ask_price", "best_bid_amount", "best_bid_price", "bid_iv", "bids",
    "burst", "cancel_all", "cancel_reason", "change_id", "channel", "code", "combo_id",
    "combo_trade_id", "contract_size", "counter_currency", "creation_timestamp", "currency",
    "currency_pair", "data", "delta", "delta_total", "direction", "enabled", "equity", "error",
    "estimated_liquidation_price", "expiration_timestamp", "expires", "expires_in", "fee",
    "fee_currency", "filled_amount", "funding_8h", "gamma", "greeks", "has_more", "id",
    "index_name", "index_price", "initial_margin", "instrument_name", "instrument_type",
    "interest", "is_active", "is_liquidation", "is_rebalance", "iv", "jsonrpc", "kind", "label",
    "last_update_timestamp", "limits", "liquidation", "liquidity", "locked", "maintenance",
    "maintenance_margin", "maker_commission", "margin_balance", "margin_model", "mark_iv",
    "mark_price",
    "matching_engine", "message", "method", "min_trade_amount", "mmp", "mmp_cancelled",
    "option_type", "options_delta", "options_value", "order", "order_id", "order_state",
    "order_type", "orders", "original_order_type", "param", "params", "positions", "post_only",
    "prev_change_id", "price", "price_index", "profit_loss", "quote_currency", "rate", "reason",
    "reduce_only", "refresh_token", "replaced", "result", "scope", "self_trade", "session_rpl",
    "session_upl", "settlement_currency", "settlement_period", "size", "state", "strike",
    "summaries", "taker_commission", "testnet", "theta", "tick_size", "tick_size_steps",
    "time_in_force", "timestamp", "total", "trade_id", "trade_seq", "trades", "trading", "type",
    "underlying_price", "usDiff", "user_id", "usIn", "usOut", "vega"};
// clang-format on

inline constexpr std::size_t slots = 1024;

constexpr std::uint64_t load(const char* at, std::size_t n) noexcept {
  std::uint64_t word = 0;
  if (std::is_constant_evaluated()) {
    for (std::size_t i = 0; i < n; ++i) {
      word |= static_cast<std::uint64_t>(static_cast<unsigned char>(at[i])) << (8 * i);
    }
  } else if (n == 8) {
    std::memcpy(&word, at, 8);
  } else {
    std::memcpy(&word, at, 4);
  }
  return word;
}

// First and last bytes decide; the comparison after the look-up is what proves equality.
constexpr std::size_t slot_of(std::string_view text) noexcept {
  const std::size_t n = text.size();
  std::uint64_t mixed = n;
  if (n >= 8) {
    mixed ^= load(text.data(), 8) ^ (load(text.data() + n - 8, 8) * 0x9ddfea08eb382d69ULL);
  } else if (n >= 4) {
    mixed ^= load(text.data(), 4) ^ (load(text.data() + n - 4, 4) << 32);
  } else {
    for (const char c : text) mixed = mixed * 131 + static_cast<unsigned char>(c);
  }
  return static_cast<std::size_t>((mixed * 0x9e3779b97f4a7c15ULL) >> 54);
}

// Of equal length: by words that may overlap, without a call.
constexpr bool same(std::string_view a, std::string_view b) noexcept {
  const std::size_t n = a.size();
  if (n < 4) return std::equal(a.begin(), a.end(), b.begin());
  if (n < 8) {
    return load(a.data(), 4) == load(b.data(), 4) &&
           load(a.data() + n - 4, 4) == load(b.data() + n - 4, 4);
  }
  for (std::size_t at = 0; at + 8 < n; at += 8) {
    if (load(a.data() + at, 8) != load(b.data() + at, 8)) return false;
  }
  return load(a.data() + n - 8, 8) == load(b.data() + n - 8, 8);
}

inline constexpr std::array<Key, slots> table = [] {
  std::array<Key, slots> t{};
  for (auto& key : t) key = Key::unknown;
  for (std::size_t i = 0; i < names.size(); ++i) {
    std::size_t at = slot_of(names[i]);
    while (t[at] != Key::unknown) at = (at + 1) % slots;
    t[at] = static_cast<Key>(i);
  }
  return t;
}();

}  // namespace key_detail

[[nodiscard]] inline Key key_of(std::string_view text) noexcept {
  for (std::size_t at = key_detail::slot_of(text);; at = (at + 1) % key_detail::slots) {
    const Key key = key_detail::table[at];
    if (key == Key::unknown) return key;
    const std::string_view name = key_detail::names[static_cast<std::size_t>(key)];
    if (name.size() == text.size() && key_detail::same(name, text)) return key;
  }
}

// Which known members an object already had: a second one of the same name is refused.
class SeenKeys {
 public:
  [[nodiscard]] bool first(Key key) noexcept {
    const auto i = static_cast<std::size_t>(key);
    const std::uint64_t bit = std::uint64_t{1} << (i % 64);
    if ((words_[i / 64] & bit) != 0) return false;
    words_[i / 64] |= bit;
    return true;
  }
  [[nodiscard]] bool has(Key key) const noexcept {
    const auto i = static_cast<std::size_t>(key);
    return (words_[i / 64] >> (i % 64) & 1) != 0;
  }

 private:
  std::array<std::uint64_t, static_cast<std::size_t>(Key::unknown) / 64 + 1> words_{};
};

}  // namespace gimbal::deribit
