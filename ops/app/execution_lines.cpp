#include "ops/app/execution_lines.hpp"

#include <array>
#include <string>
#include <utility>

#include "strategies/registry.hpp"

namespace gimbal {
namespace {

ExecutionLine execution_line(std::string of, const GapTotals& t) {
  return ExecutionLine{std::move(of), t.fills,      t.unpriced, t.traded_usd,   t.shortfall_usd,
                       t.delay_usd,   t.theory_usd, t.fees_usd, t.after_usd[0], t.after_usd[1]};
}

}  // namespace

std::vector<ExecutionLine> execution_lines(std::span<const GapTotals> strategies,
                                           std::span<const GapTotals> venues,
                                           const std::vector<VenueConfig>& config) {
  std::vector<ExecutionLine> out;
  for (std::size_t s = 0; s < strategies.size(); ++s) {
    if (strategies[s].fills == 0) continue;
    const std::string name =
        s < Strategies::names.size() ? std::string{Strategies::names[s]} : std::to_string(s);
    out.push_back(execution_line("strategy:" + name, strategies[s]));
  }
  for (std::size_t v = 0; v < venues.size(); ++v) {
    if (v >= config.size() && venues[v].fills == 0) continue;
    const std::string name = v < config.size() ? config[v].name : std::to_string(v);
    out.push_back(execution_line("venue:" + name, venues[v]));
  }
  return out;
}

std::vector<ExecutionLine> execution_lines(const ExecutionGaps& gaps,
                                           const std::vector<VenueConfig>& config) {
  std::array<GapTotals, strategies_max> strategies{};
  std::array<GapTotals, venues_max> venues{};
  for (std::size_t s = 0; s < strategies.size(); ++s) {
    strategies[s] = gaps.of(StrategyId{static_cast<std::uint8_t>(s)});
  }
  for (std::size_t v = 0; v < venues.size(); ++v) {
    venues[v] = gaps.of(VenueId{static_cast<std::uint8_t>(v)});
  }
  return execution_lines(strategies, venues, config);
}

}  // namespace gimbal
