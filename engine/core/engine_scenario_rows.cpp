// Rows of the scenario cells: when they are asked for, and how they come in.
#include <algorithm>

#include "engine/core/engine_core.hpp"

namespace gimbal {
namespace {

// Of one look: rows looked at and groups asked for because of what is held, and among all groups. A
// look follows an option's ticker or the engine's tick, never a book change that an order may
// answer. Asking for a group copies what is known of sixteen options: half a microsecond.
constexpr std::size_t held_looked_at = 16;
constexpr std::size_t held_asked = 2;
constexpr std::size_t groups_looked_at = 4;
constexpr Nanos asked_again{250'000'000};

}  // namespace

bool EngineCore::ask_rows(std::uint16_t n) noexcept {
  if (n == ScenarioGroups::none || groups_[n].count == 0) return false;
  ScenarioGroups::Group& g = groups_[n];
  const double spot = portfolio_.perpetual_mid(g.underlying);
  if (!(spot > 0)) return false;
  cells_.follow(g.underlying, spot);
  const ScenarioCells::Anchor anchor = cells_.anchor(table_[g.options[0]]);
  const Nanos pause = std::min(asked_again, Nanos{cells_.config().row_age_max.count / 4});
  const bool waits =
      g.asked != RecvTime{} && g.generation == anchor.generation && now_ - g.asked < pause;
  const auto old = [&](InstrumentId id) noexcept { return cells_.outdated(table_[id], now_); };
  if (std::none_of(g.options.begin(), g.options.begin() + g.count, old)) return false;
  ScenarioQuestion q;
  std::uint16_t asks_for = 0;
  bool due = false;
  for (std::size_t r = 0; r < g.count; ++r) {
    const InstrumentId id = g.options[r];
    const OptionMark mark = portfolio_.sight(id);
    if (!mark.usable) continue;
    const auto bit = static_cast<std::uint16_t>(1U << r);
    asks_for |= bit;
    due = due || (old(id) && !(waits && (g.asked_for & bit) != 0));
    q.forward = mark.seen;
    q.share = mark.share;
    q.years = mark.years;
    q.instruments[q.count] = id;
    q.strike[q.count] = to_double(table_[id].strike);
    q.sigma[q.count] = mark.sigma;
    q.sign[q.count] = table_[id].option == OptionType::put ? -1.0 : 1.0;
    ++q.count;
  }
  if (!due) return false;
  q.underlying = g.underlying;
  q.inverse = g.inverse;
  q.generation = g.generation = anchor.generation;
  q.at = g.asked = now_;
  g.asked_for = asks_for;
  q.anchor = anchor.at;
  q.spot = spot;
  setup_.scenario_desk.ask(q);
  ++counters_.scenario_rows_asked;
  return true;
}

void EngineCore::refresh_cells() noexcept {
  if (!cells_.used()) return;
  std::size_t asked = 0;
  for (std::size_t n = 0; n < held_looked_at && n < held_.size() && asked < held_asked; ++n) {
    if (cells_held_ >= held_.size()) cells_held_ = 0;
    asked += ask_rows(groups_.of(held_[cells_held_++])) ? 1 : 0;
  }
  for (std::size_t n = 0; n < groups_looked_at && n < groups_.size(); ++n) {
    if (cells_group_ >= groups_.size()) cells_group_ = 0;
    if (ask_rows(static_cast<std::uint16_t>(cells_group_++))) break;
  }
}

void EngineCore::on_scenario_rows(const Event& event) noexcept {
  const auto ref = event.as<SideBlockRef>();
  const ScenarioRows rows{setup_.blocks.bytes(ref.slot, ref.generation)};
  switch (cells_.take(rows, table_, now_)) {
    case ScenarioCells::Taken::all:
      ++counters_.scenario_rows_taken;
      return cells_.find_oldest(table_[rows.head().instruments[0]], held_, table_);
    case ScenarioCells::Taken::late: ++counters_.scenario_rows_late; return;
    case ScenarioCells::Taken::refused: ++counters_.scenario_rows_refused; return;
  }
}

}  // namespace gimbal
