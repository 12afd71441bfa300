// Room: engine/wire, cold side. When to try a lost connection again: full-jitter back-off (uniform
// in 0 .. min(ceiling, floor * 2^failures)) under a cap of attempts a minute. Pure: time is passed
// in, the random stream has a seed.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/core/time.hpp"

namespace gimbal {

inline constexpr std::size_t reconnects_per_minute_max = 20;

struct ReconnectConfig {
  Nanos floor{milliseconds(50)};    // bound of the first delay
  Nanos ceiling{seconds(4)};        // bound of the longest delay
  Nanos stable_after{seconds(10)};  // a session this long forgets earlier failures
  std::size_t per_minute{reconnects_per_minute_max};  // 1 .. reconnects_per_minute_max
};

class ReconnectPolicy {
 public:
  explicit ReconnectPolicy(std::uint64_t seed, const ReconnectConfig& config = {}) noexcept
      : config_{config}, random_{seed} {
    config_.per_minute = std::clamp<std::size_t>(config_.per_minute, 1, reconnects_per_minute_max);
  }

  // The next attempt's time, counted as made at that time: call once per attempt.
  [[nodiscard]] RecvTime next_attempt(RecvTime now) noexcept {
    const int doublings = std::min(failures_, 30);
    const std::int64_t bound =
        std::min(config_.ceiling.count, config_.floor.count << std::min(doublings, 20));
    RecvTime at =
        now +
        Nanos{static_cast<std::int64_t>(next_random() % static_cast<std::uint64_t>(bound + 1))};
    const RecvTime oldest = attempts_[cursor_];
    if (made_ >= config_.per_minute && at < oldest + seconds(60)) {
      at = oldest + seconds(60);
      ++held_back_;
    }
    attempts_[cursor_] = at;
    cursor_ = (cursor_ + 1) % config_.per_minute;
    ++made_;
    return at;
  }
  void failed() noexcept { ++failures_; }
  void connected(RecvTime now) noexcept {
    up_ = true;
    connected_at_ = now;
  }
  void lost(RecvTime now) noexcept {
    if (up_ && now - connected_at_ >= config_.stable_after)
      failures_ = 0;
    else
      ++failures_;
    up_ = false;
  }
  [[nodiscard]] int failures() const noexcept { return failures_; }
  // Attempts that waited for the cap of attempts a minute.
  [[nodiscard]] std::uint64_t held_back() const noexcept { return held_back_; }

 private:
  std::uint64_t next_random() noexcept {
    random_ += 0x9e3779b97f4a7c15ULL;
    std::uint64_t z = random_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }

  ReconnectConfig config_;
  std::uint64_t random_;
  std::array<RecvTime, reconnects_per_minute_max> attempts_{};
  std::size_t cursor_{0};
  std::size_t made_{0};
  int failures_{0};
  std::uint64_t held_back_{0};
  bool up_{false};
  RecvTime connected_at_{};
};

}  // namespace gimbal
