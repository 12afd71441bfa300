// The scales of the plots: where ticks are, and what they are called.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "ops/app/svg_plot.hpp"

namespace gimbal {

std::vector<double> ticks_of(double low, double high, std::size_t wanted) {
  if (!(high > low) || wanted == 0) return {low};
  const double raw = (high - low) / static_cast<double>(wanted);
  const double power = std::pow(10.0, std::floor(std::log10(raw)));
  const double lead = raw / power;
  const double step = power * (lead < 1.5 ? 1 : lead < 3.5 ? 2 : lead < 7.5 ? 5 : 10);
  std::vector<double> out;
  for (double n = std::ceil(low / step - 1e-9); n * step <= high + step * 1e-9; ++n) {
    out.push_back(n * step);
  }
  return out;
}

std::vector<double> times_of(double low, double high, std::size_t wanted) {
  static constexpr std::array<double, 12> steps{60,   120,  300,   600,   900,   1800,
                                                3600, 7200, 10800, 14400, 21600, 43200};
  const double raw = (high - low) / static_cast<double>(std::max<std::size_t>(wanted, 1));
  if (!(raw > 30) || raw > 86400) return ticks_of(low, high, wanted);
  const auto near = std::find_if(steps.begin(), steps.end(), [&](double s) { return s >= raw; });
  const double step = near == steps.end() ? 86400 : *near;
  std::vector<double> out;
  for (double n = std::ceil(low / step - 1e-9); n * step <= high; ++n) out.push_back(n * step);
  return out;
}

std::string tick_text(double value, double step) {
  const int digits =
      step > 0 ? std::max(0, static_cast<int>(-std::floor(std::log10(step) + 1e-9))) : 0;
  if (std::abs(value) < step * 1e-6) value = 0;
  return fmt::format("{:.{}f}", value, std::min(digits, 9));
}

std::string clock_text(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::floor(seconds + 0.5));
  if (whole < 3600) return fmt::format("{}:{:02}", whole / 60, whole % 60);
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

}  // namespace gimbal
