// Every metric that the bot exports, from its status report. Room: ops/app. Cold.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/runtime/histogram.hpp"
#include "ops/app/status.hpp"

namespace gimbal {

struct HopHistogram {
  std::string_view hop;  // "tick_to_order", "decode" ...: time since the hop before it
  const Histogram* nanoseconds{nullptr};
};

// The whole page in Prometheus text format 0.0.4. Names are a public interface: the alert rules and
// the dashboard in ops/host use them.
[[nodiscard]] std::string metrics_text(const StatusReport& status,
                                       const std::vector<HopHistogram>& times);

}  // namespace gimbal
