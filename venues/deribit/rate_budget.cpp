// RateBudget: see rate_budget.hpp.
#include "venues/deribit/rate_budget.hpp"

#include <algorithm>

namespace gimbal::deribit {

namespace {
constexpr std::int64_t token = 1000;  // thousandths
}

RateBudget::RateBudget(const RateLimits& limits) noexcept : limits_{limits} { resize(); }

void RateBudget::resize() noexcept {
  const auto usable = static_cast<std::int64_t>(limits_.usable_permille);
  // Depth in whole tokens: a fraction of one could never be spent.
  const std::int64_t depth = limits_.burst * usable / 1000 * token;
  const std::int64_t rate = limits_.rate_per_s * usable;
  const auto set = [](Bucket& b, std::int64_t depth_milli, std::int64_t rate_milli) noexcept {
    b.depth_milli = depth_milli;
    b.rate_milli = rate_milli;
    b.milli = b.started ? std::min(b.milli, depth_milli) : depth_milli;
  };
  set(account_, depth, rate);
  for (std::size_t i = 0; i < sessions_max; ++i) {
    set(sessions_[i], depth * quota_[i] / 1000, rate * quota_[i] / 1000);
  }
}

void RateBudget::set_limits(const RateLimits& limits) noexcept {
  limits_ = limits;
  resize();
}

bool RateBudget::set_quota(std::size_t session, std::uint32_t permille) noexcept {
  if (session >= sessions_max) return false;
  std::uint64_t sum = permille;
  for (std::size_t i = 0; i < sessions_max; ++i) {
    if (i != session) sum += quota_[i];
  }
  if (sum > 1000) return false;
  quota_[session] = permille;
  sessions_[session].started = false;
  resize();
  return true;
}

void RateBudget::refill(Bucket& bucket, RecvTime now) noexcept {
  if (!bucket.started) {
    bucket.started = true;
    bucket.at = now;
    return;
  }
  const std::int64_t elapsed = (now - bucket.at).count;
  if (elapsed <= 0) return;
  bucket.at = now;
  const i128 gained = static_cast<i128>(elapsed) * bucket.rate_milli + bucket.rest;
  const i128 whole = gained / nano_per_unit;
  if (whole >= bucket.depth_milli - bucket.milli) {
    bucket.milli = std::max(bucket.milli, bucket.depth_milli);
    bucket.rest = 0;
    return;
  }
  bucket.milli += static_cast<std::int64_t>(whole);
  bucket.rest = static_cast<std::int64_t>(gained - whole * nano_per_unit);
}

std::int64_t RateBudget::reserve_milli() const noexcept {
  const std::int64_t share =
      account_.depth_milli * static_cast<std::int64_t>(limits_.reserve_permille) / 1000;
  return std::max(share / token * token, token);
}

std::uint32_t RateBudget::available(std::size_t session, RateUse use, RecvTime now) noexcept {
  if (session >= sessions_max) return 0;
  refill(account_, now);
  refill(sessions_[session], now);
  std::int64_t milli = account_.milli;
  if (use == RateUse::risk) { milli = std::min(milli - reserve_milli(), sessions_[session].milli); }
  return milli <= 0 ? 0 : static_cast<std::uint32_t>(milli / token);
}

bool RateBudget::take(std::size_t session, RateUse use, RecvTime now,
                      std::uint32_t count) noexcept {
  if (available(session, use, now) < count) {
    ++refused_[static_cast<std::size_t>(use)];
    return false;
  }
  const std::int64_t cost = static_cast<std::int64_t>(count) * token;
  account_.milli -= cost;
  // A cancel may go beyond its session's quota: it leaves the quota at zero, not in debt.
  sessions_[session].milli = std::max<std::int64_t>(0, sessions_[session].milli - cost);
  return true;
}

void RateBudget::drained(RecvTime now) noexcept {
  refill(account_, now);
  account_.milli = 0;
  account_.rest = 0;
  for (Bucket& b : sessions_) {
    refill(b, now);
    b.milli = 0;
    b.rest = 0;
  }
}

std::uint32_t RateBudget::depth() const noexcept {
  return static_cast<std::uint32_t>(account_.depth_milli / token);
}

}  // namespace gimbal::deribit
