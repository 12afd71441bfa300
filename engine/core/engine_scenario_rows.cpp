// Rows of the scenario cells: when they are asked for, and how they come in.
#include <algorithm>

#include "engine/core/engine_core.hpp"

namespace gimbal {
namespace {

// Of one look: held options and groups looked at, a few nanoseconds each, and groups asked for,
// half a microsecond each. A look follows an option's ticker or the engine's tick, never a book
// change that an order may answer.
constexpr std::size_t held_looked_at = 16;
constexpr std::size_t groups_looked_at = 16;
constexpr std::size_t held_asked = 2;
constexpr std::size_t groups_walked = 4;  // where nothing of a group can be priced
// How long an answer is waited for before its question counts as lost.
constexpr Nanos asked_again{250'000'000};

}  // namespace

// By the group alone: its rows are asked for together.
bool EngineCore::rows_due(const ScenarioGroups::Group& g,
                          ScenarioCells::Anchor anchor) const noexcept {
  if (g.asked == RecvTime{} || g.generation != anchor.generation) return true;
  const std::int64_t quarter = cells_.config().row_age_max.count / 4;
  if (g.answered < g.asked) return now_ - g.asked >= std::min(asked_again, Nanos{quarter});
  // What is neither held nor ordered needs its rows for an order to come: three in place of one.
  return now_ - g.asked > Nanos{g.held > 0 ? quarter : 3 * quarter};
}

bool EngineCore::ask_rows(std::uint16_t n) noexcept {
  if (n == ScenarioGroups::none || groups_[n].count == 0) return false;
  ScenarioGroups::Group& g = groups_[n];
  const double spot = portfolio_.perpetual_mid(g.underlying);
  if (!(spot > 0)) return false;
  cells_.follow(g.underlying, spot);
  const ScenarioCells::Anchor anchor = cells_.anchor(table_[g.options[0]]);
  if (!rows_due(g, anchor)) return false;
  g.asked = now_;
  g.asked_for = 0;
  g.generation = anchor.generation;
  ScenarioQuestion q;
  for (std::size_t r = 0; r < g.count; ++r) {
    const InstrumentId id = g.options[r];
    const Instrument& i = table_[id];
    if (i.state == InstrumentState::settled) continue;
    const OptionMark mark = portfolio_.sight(id);
    if (!mark.usable) continue;
    g.asked_for |= static_cast<std::uint16_t>(1U << r);
    q.forward = mark.seen;
    q.share = mark.share;
    q.years = mark.years;
    q.instruments[q.count] = id;
    q.strike[q.count] = to_double(i.strike);
    q.sigma[q.count] = mark.sigma;
    q.sign[q.count] = i.option == OptionType::put ? -1.0 : 1.0;
    ++q.count;
  }
  if (q.count == 0) return true;
  q.underlying = g.underlying;
  q.inverse = g.inverse;
  q.generation = g.generation;
  q.at = now_;
  q.anchor = anchor.at;
  q.spot = spot;
  setup_.scenario_desk.ask(q);
  ++counters_.scenario_rows_asked;
  groups_.questions().ask(now_);
  return true;
}

// An option that could not be priced when its group was asked for can be now.
void EngineCore::rows_wanted(InstrumentId id) noexcept {
  const std::uint16_t n = groups_.of(id);
  if (n == ScenarioGroups::none || groups_.asked_for(id) || !portfolio_.sight(id).usable) return;
  groups_[n].asked = {};
}

void EngineCore::refresh_cells() noexcept {
  if (!cells_.used()) return;
  groups_.questions().forget(now_, asked_again);
  std::size_t asked = 0;
  for (std::size_t n = 0; n < held_looked_at && n < held_.size(); ++n) {
    if (asked == held_asked || groups_.questions().full()) break;
    if (cells_held_ >= held_.size()) cells_held_ = 0;
    asked += ask_rows(groups_.of(held_[cells_held_++])) ? 1 : 0;
  }
  const std::size_t before = groups_.questions().size();
  std::size_t walked = 0;
  for (std::size_t n = 0; n < groups_looked_at && n < groups_.size(); ++n) {
    if (groups_.questions().full() || groups_.questions().size() != before) break;
    if (walked == groups_walked) break;
    if (cells_group_ >= groups_.size()) cells_group_ = 0;
    walked += ask_rows(static_cast<std::uint16_t>(cells_group_++)) ? 1 : 0;
  }
}

void EngineCore::on_scenario_rows(const Event& event) noexcept {
  const auto ref = event.as<SideBlockRef>();
  const ScenarioRows rows{setup_.blocks.bytes(ref.slot, ref.generation)};
  const ScenarioCells::Taken taken = cells_.take(rows, table_, now_);
  if (taken != ScenarioCells::Taken::refused) groups_.questions().answer(rows.head().at);
  switch (taken) {
    case ScenarioCells::Taken::all: {
      ++counters_.scenario_rows_taken;
      const InstrumentId first = rows.head().instruments[0];
      ScenarioGroups::Group& g = groups_[groups_.of(first)];
      g.answered = std::max(g.answered, rows.head().at);
      if (g.held > 0) cells_.find_oldest(table_[first], held_);
      return;
    }
    case ScenarioCells::Taken::late: ++counters_.scenario_rows_late; return;
    case ScenarioCells::Taken::refused: ++counters_.scenario_rows_refused; return;
  }
}

}  // namespace gimbal
