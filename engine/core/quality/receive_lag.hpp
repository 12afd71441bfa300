// received data that waits to be looked at. Lagging from the first unit that waited longer
// than `lag_max`, until one waited less than `lag_clear`.
#pragma once

#include <cstdint>

#include "engine/core/quality/quality_limits.hpp"
#include "engine/core/time.hpp"

namespace gimbal {

class ReceiveLag {
 public:
  // True when this unit made it begin.
  bool note(std::uint32_t queue_ns, const QualityLimits& l) noexcept {
    const Nanos waited{static_cast<std::int64_t>(queue_ns)};
    if (waited > worst_) worst_ = waited;
    if (lagging_) {
      if (waited < l.lag_clear) lagging_ = false;
      return false;
    }
    lagging_ = waited > l.lag_max;
    if (lagging_) ++begun_;
    return lagging_;
  }
  [[nodiscard]] bool lagging() const noexcept { return lagging_; }
  [[nodiscard]] std::uint64_t begun() const noexcept { return begun_; }
  [[nodiscard]] Nanos worst() const noexcept { return worst_; }

 private:
  bool lagging_{false};
  std::uint64_t begun_{0};
  Nanos worst_{};
};

}  // namespace gimbal
