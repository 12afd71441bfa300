// One rate budget per account, shared out to its sessions. Room: venues (hot, pure: time is passed
// in). Source: Deribit rate limits, matching-engine pool; controls T-01, T-02.
//
// A leaky bucket of 70 % of what the venue grants (`usable_permille`), counting every place,
// replace and cancel. New risk may not take the last `reserve_permille` of the bucket (20 %, at
// least one token): that part is for cancels. Each session also has a quota of the refill;
// sessions' quotas sum to at most the whole. One thread only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/core/time.hpp"
#include "engine/core/units.hpp"

namespace gimbal::deribit {

struct RateLimits {
  std::uint32_t rate_per_s{5};  // the venue's sustained rate
  std::uint32_t burst{20};      // the venue's bucket depth
  std::uint32_t usable_permille{700};
  std::uint32_t reserve_permille{200};
};

enum class RateUse : std::uint8_t { risk, cancel };

class RateBudget {
 public:
  static constexpr std::size_t sessions_max = 8;

  explicit RateBudget(const RateLimits& limits = {}) noexcept;

  // New limits from the account summary or the config; tokens are cut to the new depth.
  void set_limits(const RateLimits& limits) noexcept;
  // Share of a session, in permille of the account's budget; false when the sum would exceed 1000.
  [[nodiscard]] bool set_quota(std::size_t session, std::uint32_t permille) noexcept;

  // Takes `count` tokens or nothing.
  [[nodiscard]] bool take(std::size_t session, RateUse use, RecvTime now,
                          std::uint32_t count = 1) noexcept;
  // The venue said 10028: the bucket is empty until it refilled.
  void drained(RecvTime now) noexcept;

  // Whole tokens that a use could take now.
  [[nodiscard]] std::uint32_t available(std::size_t session, RateUse use, RecvTime now) noexcept;
  [[nodiscard]] std::uint64_t refused(RateUse use) const noexcept {
    return refused_[static_cast<std::size_t>(use)];
  }
  [[nodiscard]] std::uint32_t depth() const noexcept;

 private:
  struct Bucket {
    std::int64_t milli{0};  // thousandths of a token
    std::int64_t depth_milli{0};
    std::int64_t rate_milli{0};  // thousandths of a token per second
    std::int64_t rest{0};        // refill carried over, in 1e-9 of a thousandth
    RecvTime at{};
    bool started{false};
  };
  static void refill(Bucket& bucket, RecvTime now) noexcept;
  void resize() noexcept;
  [[nodiscard]] std::int64_t reserve_milli() const noexcept;

  RateLimits limits_;
  Bucket account_{};
  std::array<Bucket, sessions_max> sessions_{};
  std::array<std::uint32_t, sessions_max> quota_{};
  std::array<std::uint64_t, 2> refused_{};
};

}  // namespace gimbal::deribit
