// Q-05, [budget] tick_to_order: a tick that has spent its time before it is decided on. Its age is
// in the event, from receive to step: the core reads no clock.
#include <algorithm>

#include "engine/core/engine_core.hpp"

namespace gimbal {

// A frame is one tick: its last record, the oldest at its step, is counted.
void EngineCore::note_age(const Event& event) noexcept {
  const bool late = event.queue_ns > setup_.budget.tick_to_order.count;
  late_ns_ = late ? event.queue_ns : 0;
  if (Market* m = market(event.instrument)) m->late_ns = late_ns_;
  if (event.kind() == EventKind::index_price) {
    const UnderlyingId u = event.as<IndexPrice>().underlying;
    if (u.value < underlyings_max) coins_[u.value].late_ns = late_ns_;
  }
  if (!event.last_part() || !event.has(event_flag::last_in_packet)) return;
  if (late) ++counters_.late_ticks;
  // Nothing is traded on in HALT: the snapshots of a start are no reason to stop later.
  if (event.venue.value >= venues_max || gate_.modes().at({}) >= Mode::halt) return;
  venues_[event.venue.value].ticks.note(now_, late_ns_, setup_.budget.window);
  if (late) judge_late(event.venue);
}

void EngineCore::judge_late(VenueId venue) noexcept {
  const BudgetLimits& budget = setup_.budget;
  LateTicks& ticks = venues_[venue.value].ticks;
  const LateTicks::Tally tally = ticks.within();
  if (budget.late_ticks_max == 0 || tally.late <= budget.late_ticks_max) return;
  ticks.clear();  // each trip has a window of its own
  Trip t;
  t.code = TripCode::late_ticks;
  t.severity = Severity::critical;
  t.latched = true;
  t.mode = Mode::reduce;
  t.scope = {ScopeLevel::venue, venue.value};
  t.venue = venue;
  t.limit = budget.tick_to_order.count;
  t.actual = tally.worst_ns;
  t.evidence = LateTicks::packed(tally);
  trip(t);
}

// Age of the late tick that a decision on the instrument would stand on: the one of this step, the
// instrument's newest, or its coin's newest index; 0 when all came in time.
std::uint32_t EngineCore::late_on(InstrumentId id) const noexcept {
  const std::uint32_t own = std::max(late_ns_, markets_[id.value].late_ns);
  const UnderlyingId u = table_[id].underlying;
  return u.value < underlyings_max ? std::max(own, coins_[u.value].late_ns) : own;
}

}  // namespace gimbal
