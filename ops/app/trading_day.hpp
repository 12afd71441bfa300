// The trading day of losses and ratios (P-19) as a span of time: 24 hours from `[risk] day_start`
// after midnight UTC on. A day has the date on which it begins. Room: ops/app. Cold.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "engine/core/day_figures.hpp"
#include "engine/core/time.hpp"

namespace gimbal {

struct TradingDay {
  std::int64_t number{0};  // days since 1970-01-01
  Nanos start{};           // of the day, after midnight UTC

  [[nodiscard]] ExchTime midnight() const noexcept { return ExchTime{number * trading_day.count}; }
  [[nodiscard]] ExchTime begin() const noexcept { return midnight() + start; }
  [[nodiscard]] ExchTime end() const noexcept { return begin() + trading_day; }
};

// "2026-11-29" as days since 1970-01-01; nothing when it is no date.
[[nodiscard]] std::optional<std::int64_t> parse_day(std::string_view text);

}  // namespace gimbal
