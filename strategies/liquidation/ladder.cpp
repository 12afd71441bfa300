#include "strategies/liquidation/ladder.hpp"

#include <algorithm>

#include "engine/core/units.hpp"

namespace gimbal {
namespace {

std::int64_t nano(double v) noexcept {
  std::int64_t n = 0;
  return decision_nano(v, n) ? n : INT64_MAX;
}

}  // namespace

MarginState Ladder::judge(const MarginReading& r, const LiquidationConfig& c,
                          double ease) noexcept {
  const auto over = [&](double threshold) noexcept { return r.health >= nano(threshold - ease); };
  const auto nearer = [&](double threshold) noexcept {
    return r.sigmas < nano(threshold * (1 + ease));
  };
  if (over(c.black_health)) return MarginState::black;
  if (over(c.red_health) || nearer(c.red_sigmas)) return MarginState::red;
  if (over(c.amber_health) || nearer(c.amber_sigmas)) return MarginState::amber;
  return MarginState::green;
}

MarginState Ladder::step(const MarginReading& r, const LiquidationConfig& c,
                         RecvTime now) noexcept {
  if (r.pending) return state_ = std::max(state_, judge(r, c, 0));
  if (!r.usable) {
    state_ = std::max({state_, MarginState::amber, judge(r, c, 0)});
    calm_since_ = {};
    return state_;
  }
  const MarginState wanted = judge(r, c, 0);
  if (wanted > state_) state_ = wanted;
  const MarginState eased = judge(r, c, c.leave_health);
  if (eased >= state_) {
    calm_since_ = {};
    return state_;
  }
  if (calm_since_.mono_ns == 0) {
    calm_since_ = now;
    calm_ = eased;
  }
  calm_ = std::max(calm_, eased);
  if (now - calm_since_ < c.leave_after) return state_;
  state_ = calm_;
  calm_since_ = {};
  return state_;
}

}  // namespace gimbal
