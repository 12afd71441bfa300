// The core's execution gap per strategy and venue, named: the same integers in `gimbalctl status`
// and `gimbal replay`. Room: ops/app. Cold.
#pragma once

#include <span>
#include <vector>

#include "engine/core/execution_gap.hpp"
#include "ops/app/config.hpp"
#include "ops/app/status.hpp"

namespace gimbal {

// Of every strategy that has traded and of every venue of the config, traded there or not; both
// spans by their ids.
[[nodiscard]] std::vector<ExecutionLine> execution_lines(std::span<const GapTotals> strategies,
                                                         std::span<const GapTotals> venues,
                                                         const std::vector<VenueConfig>& config);
[[nodiscard]] std::vector<ExecutionLine> execution_lines(const ExecutionGaps& gaps,
                                                         const std::vector<VenueConfig>& config);

}  // namespace gimbal
