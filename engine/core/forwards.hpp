// The forward of one expiry, moved by the perpetual between the venue's own reports of it:
//   F = U * P_now / P_at(U)
// with U the last underlying price the venue gave for that expiry and P the perpetual's mid. Every
// perpetual book change therefore moves every forward of the underlying at once.
//
// Room: engine/core, hot. Before the first mid (or after it was lost) F = U; the ratio is anchored
// again at the first mid that follows.
#pragma once

#include "engine/core/time.hpp"

namespace gimbal {

class Forward {
 public:
  // The venue's underlying price of the expiry; `mid` is the perpetual's, 0 when there is none.
  void on_underlying(double underlying, double mid, ExchTime venue_time, RecvTime now) noexcept {
    underlying_ = underlying;
    ratio_ = mid > 0 ? underlying / mid : 0;
    venue_time_ = venue_time;
    received_ = now;
  }
  // A mid that arrives after the underlying price anchors the ratio.
  void anchor(double mid) noexcept {
    if (ratio_ == 0 && underlying_ > 0 && mid > 0) ratio_ = underlying_ / mid;
  }
  // The perpetual is gone: stay at the last forward until the venue says another.
  void hold(double mid) noexcept {
    underlying_ = at(mid);
    ratio_ = 0;
  }
  [[nodiscard]] bool known() const noexcept { return underlying_ > 0; }
  [[nodiscard]] double at(double mid) const noexcept {
    return ratio_ > 0 && mid > 0 ? ratio_ * mid : underlying_;
  }
  [[nodiscard]] RecvTime received() const noexcept { return received_; }
  [[nodiscard]] ExchTime venue_time() const noexcept { return venue_time_; }

 private:
  double underlying_{0};
  double ratio_{0};
  ExchTime venue_time_{};
  RecvTime received_{};
};

}  // namespace gimbal
