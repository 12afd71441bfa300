#include "engine/core/risk/scenario_table.hpp"

#include <algorithm>
#include <bit>

#include "engine/core/math.hpp"

namespace gimbal {
namespace {

constexpr int moves_a_side = 4;
// The far moves of the venue's table.
constexpr std::array<double, 8> far_moves{-0.66, -0.33, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0};

// FNV-1a over the numbers that a row depends on.
std::uint64_t number_of(const ScenarioConfig& c) noexcept {
  std::uint64_t h = 0xcbf29ce484222325ULL;
  for (const double v : {c.price_range, c.volatility_up, c.volatility_down, c.volatility_up_min,
                         c.short_power, c.long_power, c.extended_factor}) {
    const auto bits = std::bit_cast<std::uint64_t>(v);
    for (unsigned at = 0; at < 64; at += 8) h = (h ^ (bits >> at & 0xFF)) * 0x100000001b3ULL;
  }
  return h;
}

}  // namespace

ScenarioTable::ScenarioTable(const ScenarioConfig& config) noexcept
    : config_{config}, number_{number_of(config)} {
  if (!config_.used()) return;
  const double range = config_.price_range;
  for (int j = -moves_a_side; j <= moves_a_side; ++j) {
    for (int v = -1; v <= 1; ++v) {
      Scenario& s = scenarios_[static_cast<std::size_t>(3 * (j + moves_a_side) + v + 1)];
      s.move = range * j / moves_a_side;
      s.volatility = v;
    }
  }
  for (std::size_t n = 0; n < far_moves.size(); ++n) {
    Scenario& s = scenarios_[standard_count + n];
    s.move = far_moves[n];
    s.volatility = 1;
    s.weight = config_.extended_factor * range / math::abs(s.move);
    s.relief_usd = (math::abs(s.move) / range - 1.0) * config_.dampener_usd;
  }
}

double ScenarioTable::edge(std::size_t n) const noexcept {
  if (!far(n)) return 1.0;
  return 1.0 + (scenarios_[n].move > 0 ? config_.price_range : -config_.price_range);
}

double ScenarioTable::shock_scale(double years) const noexcept {
  const double days = std::max(years * 365.0, 1.0);
  const double power = days < 30.0 ? config_.short_power : config_.long_power;
  return math::exp(power * math::log(30.0 / days));
}

double ScenarioTable::shocked(double sigma, double scale, int volatility) const noexcept {
  if (volatility == 0) return sigma;
  if (volatility > 0) {
    return std::max(sigma * (1.0 + scale * config_.volatility_up), config_.volatility_up_min);
  }
  return std::max(sigma * (1.0 - scale * config_.volatility_down), 0.0);
}

}  // namespace gimbal
