// Token bucket for messages to one venue (controls T-01, T-02). New orders and replaces leave the
// cancel reserve alone; cancels use all of it and are never held back, so the bucket may run dry
// under them. Nothing queues: an order without a token is refused at once.
#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/core/risk/limits.hpp"
#include "engine/core/risk/refusal.hpp"
#include "engine/core/time.hpp"

namespace gimbal {

class OrderRate {
 public:
  OrderRate() noexcept = default;
  explicit OrderRate(const RiskLimits& l) noexcept { configure(l); }

  void configure(const RiskLimits& l) noexcept {
    rate_ = l.order_rate_per_s;
    burst_ = l.order_burst * token;
    reserve_ = l.cancel_reserve * token;
    level_ = started_ ? std::min(level_, burst_) : burst_;
  }
  // None when a token for an order is there; `take` then takes it.
  [[nodiscard]] Refused check(RecvTime now) noexcept {
    refill(now);
    if (level_ - reserve_ >= token) return {};
    return {Refusal::order_rate, reserve_ / token + 1, level_ / token};
  }
  void take() noexcept { level_ -= token; }
  // False when not even the reserve had a token for it: it goes all the same.
  bool take_cancel(RecvTime now) noexcept {
    refill(now);
    const bool had = level_ >= token;
    level_ = std::max<std::int64_t>(level_ - token, 0);
    return had;
  }
  // Orders that would pass now.
  [[nodiscard]] std::int64_t room(RecvTime now) const noexcept {
    OrderRate later = *this;
    later.refill(now);
    return std::max<std::int64_t>((later.level_ - later.reserve_) / token, 0);
  }
  [[nodiscard]] std::int64_t tokens() const noexcept { return level_ / token; }

 private:
  static constexpr std::int64_t token = 1'000'000'000;  // a token per second is 1 per nanosecond

  void refill(RecvTime now) noexcept {
    if (!started_) {
      started_ = true;
      last_ = now;
      return;
    }
    if (now <= last_) return;
    const i128 grown = static_cast<i128>((now - last_).count) * rate_ + level_;
    level_ = grown > burst_ ? burst_ : static_cast<std::int64_t>(grown);
    last_ = now;
  }

  std::int64_t rate_{0};
  std::int64_t burst_{0};
  std::int64_t reserve_{0};
  std::int64_t level_{0};
  RecvTime last_{};
  bool started_{false};
};

}  // namespace gimbal
