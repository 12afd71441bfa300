#include "ops/app/trading_day.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>

namespace gimbal {

std::optional<std::int64_t> parse_day(std::string_view text) {
  int year = 0;
  unsigned month = 0, day = 0;
  const auto number = [&](std::size_t from, std::size_t digits, auto& value) {
    const char* end = text.data() + from + digits;
    const bool all =
        std::all_of(text.data() + from, end, [](char c) { return c >= '0' && c <= '9'; });
    return all && std::from_chars(text.data() + from, end, value).ptr == end;
  };
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return {};
  if (!number(0, 4, year) || !number(5, 2, month) || !number(8, 2, day)) return {};
  const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{month},
                                         std::chrono::day{day}};
  if (!date.ok()) return {};
  return std::chrono::sys_days{date}.time_since_epoch().count();
}

}  // namespace gimbal
