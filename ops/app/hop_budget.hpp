// [budget] on the cold side: whether the p99 of each hop keeps its budget, window by window, from
// the probe's rows. Rows are of ticks that became an order. Room: ops/app. Cold thread only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/core/quality/budget_limits.hpp"
#include "engine/core/time.hpp"
#include "engine/core/trip.hpp"
#include "engine/runtime/probe.hpp"

namespace gimbal {

inline constexpr std::uint64_t hop_rows_min = 100;  // fewer have no p99: their window goes on

// Of the last whole window.
enum class HopVerdict : std::uint8_t {
  none,     // no budget
  waiting,  // no window has ended yet
  ok,
  over,  // more than one row in a hundred was over the budget
};
[[nodiscard]] std::string_view name_of(HopVerdict verdict) noexcept;

class HopBudgets {
 public:
  // Index of `receive`, which is no time of its own: the whole way, receive to send.
  static constexpr std::size_t whole_way = static_cast<std::size_t>(ProbeHop::receive);

  // `times` counts against the limits from now on.
  HopBudgets(const BudgetLimits& limits, HopTimes& times);

  // Judges and begins anew every window that is over. True when one of them was over its budget:
  // then `trip` has the numbers of the worst, `text` names them all.
  bool judge(RecvTime now, Trip& trip, std::string& text);
  // By index of ProbeHop.
  [[nodiscard]] HopVerdict verdict(std::size_t hop) const noexcept { return verdicts_[hop]; }

 private:
  Nanos window_;
  HopTimes& times_;
  std::array<RecvTime, probe_hops> began_{};
  std::array<HopVerdict, probe_hops> verdicts_{};
};

// The evidence of a `late_ticks` trip for people; empty for any other.
[[nodiscard]] std::string late_ticks_text(const Trip& trip);

}  // namespace gimbal
