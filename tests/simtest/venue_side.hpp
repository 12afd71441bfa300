// The venue of one run: the exchange, its dialect, the bot's account, and two other hands that act
// by text like any client: `human` on the bot's own account, `rival` on an account of its own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "venues/sim/dialect_deribit.hpp"
#include "venues/sim/exchange.hpp"

namespace gimbal::simtest {

inline constexpr std::string_view bot_key = "bot-key";
inline constexpr std::string_view bot_secret = "s3cret-of-the-b0t";  // must show up nowhere (I16)
inline constexpr std::string_view label_tag = "sim";

// A client with a session of its own; logs in again when the venue ended it.
class Hand {
 public:
  Hand(sim::DeribitDialect& venue, std::string_view key, std::string_view secret)
      : venue_{venue}, key_{key}, secret_{secret} {}
  // Sends one request; the last reply's text, empty when the session was ended.
  std::string call(std::string_view method, std::string_view params);
  // Of its requests, those that the venue refused for their rate.
  [[nodiscard]] std::uint64_t throttled() const noexcept { return throttled_; }

 private:
  void log_in();
  std::string exchange_texts(std::string_view text);

  sim::DeribitDialect& venue_;
  std::string key_;
  std::string secret_;
  sim::ConnectionId connection_{0};
  std::int64_t next_id_{1};
  std::uint64_t throttled_{0};
};

class VenueSide {
 public:
  // `settles`: the daily settlement comes some seconds behind the start.
  VenueSide(std::uint64_t seed, Money misbooked_fee, bool settles);

  // One of our orders that rests, meets an opposite order for `share` of its rest.
  void hit(sim::OrderNo order, double share);
  // The same, with enough to take everything that stands before it.
  void hit_through(sim::OrderNo order, double share);
  // An immediate order of the human over `usd`; its label may be empty.
  void human_trade(Side side, std::int64_t usd, std::string_view label);
  // A resting order of the human, `bp` away from the mark.
  void human_rest(Side side, std::int64_t usd, std::int64_t bp, std::string_view label);
  [[nodiscard]] std::vector<sim::OrderNo> resting() const;
  // Messages of the bot that were refused for their rate; other hands have their own.
  [[nodiscard]] std::uint64_t rate_refusals() const noexcept;
  [[nodiscard]] bool ours(const sim::OrderInfo& order) const;
  // Ends every instrument of one of the expiries, `pick` of them; the last stays. False: it did
  // not.
  bool end_expiry(std::uint64_t pick);
  // How often it ended one that the bot's account held something of.
  [[nodiscard]] std::uint64_t held_ends() const noexcept { return held_ends_; }

  sim::SimExchange exchange;
  sim::DeribitDialect dialect;
  sim::AccountId account{};
  sim::InstrumentIndex perpetual{sim::no_instrument};
  Money liquidation_taken{};  // taken out of the account, to be given back
  Hand human;
  Hand rival;

 private:
  void take_from(sim::OrderNo order, double share, bool through);
  std::string limit_order(Side side, Qty amount, Price price, std::string_view rest) const;

  std::uint64_t held_ends_{0};
};

}  // namespace gimbal::simtest
