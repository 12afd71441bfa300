// A run as one self-contained HTML page: no script, no network, light and dark. For
// `gimbal report`. Room: ops/app. Cold.
#pragma once

#include <string>

#include "engine/runtime/replay.hpp"
#include "ops/app/journal_origin.hpp"
#include "ops/app/run_history.hpp"

namespace gimbal {

// `history` is finished; `result` says how well the replay that it comes from agreed.
[[nodiscard]] std::string report_page(const JournalOrigin& origin, const RunHistory& history,
                                      const EngineCore& core, const ReplayResult& result);

}  // namespace gimbal
