// Load profiles: how many messages a second, in which bursts, of which kinds. `peak` is the load
// that the figures of latency and of the kill are asked for; a seed gives the same schedule in
// every run.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "bench/harness.hpp"

namespace gimbal::bench {

enum class Message : std::uint8_t { hedge_book, option_book, option_ticker, trade, quote };
inline constexpr std::size_t message_kinds = 5;
inline constexpr std::array<std::string_view, message_kinds> message_names = {
    "hedge book", "option book", "option ticker", "trade", "quote"};
// Per cent: 70 book changes, 20 option tickers, 10 trades and quotes.
inline constexpr std::array<int, message_kinds> message_shares = {35, 35, 20, 5, 5};

struct Profile {
  std::string_view name;
  double steady_per_s{0};
  double burst_per_s{0};
  std::int64_t burst_ns{0};   // at the start of each period
  std::int64_t period_ns{0};  // longer than a burst

  [[nodiscard]] double mean_per_s() const {
    const double share = static_cast<double>(burst_ns) / static_cast<double>(period_ns);
    return share * burst_per_s + (1 - share) * steady_per_s;
  }
};
inline constexpr Profile peak{"peak", 20'000, 100'000, 100'000'000, 1'000'000'000};
inline constexpr Profile twice_peak{"twice", 40'000, 200'000, 100'000'000, 1'000'000'000};

// What is sent when, counted from the start of the run; it waits for nobody.
class Schedule {
 public:
  Schedule(const Profile& profile, std::uint64_t seed) : profile_{profile}, random_{seed} {}

  [[nodiscard]] std::int64_t due_ns() const { return static_cast<std::int64_t>(due_); }
  // Kind of the message that is due; moves on to the next.
  Message take() {
    const bool bursts = static_cast<std::int64_t>(due_) % profile_.period_ns < profile_.burst_ns;
    due_ += 1e9 / (bursts ? profile_.burst_per_s : profile_.steady_per_s);
    auto drawn = static_cast<int>(random_.next() % 100);
    for (std::size_t kind = 0; kind + 1 < message_kinds; ++kind) {
      if (drawn < message_shares[kind]) return static_cast<Message>(kind);
      drawn -= message_shares[kind];
    }
    return Message::quote;
  }

 private:
  Profile profile_;
  Random random_;
  double due_{0};
};

}  // namespace gimbal::bench
