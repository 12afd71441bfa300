#include "engine/core/risk/scenario_groups.hpp"

namespace gimbal {

ScenarioGroups::ScenarioGroups(std::size_t instruments)
    : of_(instruments, none), place_(instruments) {
  groups_.reserve(instruments);
}

bool ScenarioGroups::fits(const Group& g, const Instrument& i) noexcept {
  return g.underlying == i.underlying && g.inverse == is_inverse(i.kind) && g.expiry == i.expiry;
}

void ScenarioGroups::hold(InstrumentId id, bool held) noexcept {
  const std::uint16_t n = of(id);
  if (n == none) return;
  held ? ++groups_[n].held : --groups_[n].held;
}

void ScenarioGroups::list(const Instrument& i) noexcept {
  if (i.id.value >= of_.size() || !is_option(i.kind)) return;
  std::uint16_t& mine = of_[i.id.value];
  if (mine != none) return;
  // From the end: options of an expiry are listed one after the other.
  std::size_t n = groups_.size();
  while (n > 0 && !(fits(groups_[n - 1], i) && groups_[n - 1].count < scenario_rows_max)) --n;
  if (n == 0) {
    if (groups_.size() == groups_.capacity()) return;
    Group fresh;
    fresh.underlying = i.underlying;
    fresh.inverse = is_inverse(i.kind);
    fresh.expiry = i.expiry;
    groups_.push_back(fresh);
    n = groups_.size();
  }
  Group& g = groups_[n - 1];
  place_[i.id.value] = g.count;
  g.options[g.count++] = i.id;
  g.asked = {};
  mine = static_cast<std::uint16_t>(n - 1);
}

}  // namespace gimbal
