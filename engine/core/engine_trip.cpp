// Trips and pauses: what a control does besides refusing an order.
#include "engine/core/engine_core.hpp"

namespace gimbal {

// An automatic trip tightens its scope (REDUCE, or stricter for an integrity fault), cancels the
// offender's own orders where its row says so, and is raised to the cold side with its numbers.
void EngineCore::trip(Trip t, bool news) noexcept {
  t.seq = seq_.value;
  t.at = now_;
  const bool tightened = t.mode > Mode::active && tighten(t.scope, t.mode);
  if (t.latched && t.mode > Mode::active) end_waiting_arm(t);
  if (t.cancels) cancel_own(t);
  if (trips_.repeated(t) && !tightened && !news) {
    ++counters_.trips_repeated;
    return;
  }
  ++counters_.trips;
  replan_ = true;
  if (trips_.put(t)) return;
  // More trips than anybody can be told: nothing may hide behind that.
  ++counters_.trips_lost;
  tighten(Scope{}, Mode::halt);
  Trip lost;
  lost.code = TripCode::trips_lost;
  lost.severity = Severity::critical;
  lost.latched = true;
  lost.mode = Mode::halt;
  lost.limit = static_cast<std::int64_t>(TripQueue::kept_max);
  lost.actual = static_cast<std::int64_t>(counters_.trips_lost);
  lost.seq = seq_.value;
  lost.at = now_;
  end_waiting_arm(lost);
  trips_.replace_newest(lost);
}

// What has just latched is not opened by an arm from before it.
void EngineCore::end_waiting_arm(const Trip& t) noexcept {
  if (!arm_waits_ || !(waiting_arm_.scope == t.scope)) return;
  arm_waits_ = false;
  answer(waiting_arm_, OperatorResult::refused_tripped, static_cast<std::uint32_t>(t.code));
}

void EngineCore::cancel_own(const Trip& t) noexcept {
  for (std::size_t n = orders_.listed(); n > 0; --n) {
    const Order& o = orders_.open_order(n - 1);
    if (!o.open() || !covers(t.scope, o)) continue;
    if (t.strategy != StrategyId{} && o.id.strategy() != t.strategy) continue;
    orders_.want_cancel(o.id);
  }
}

// An input of `t.scope` is not to be trusted: no growth there until it was well for `pause_hold`.
void EngineCore::pause(Trip t) noexcept {
  const bool running = pauses_.blocks(t.scope, now_);
  pauses_.extend(t.scope, now_ + setup_.engine.pause_hold);
  if (running) return;
  t.mode = Mode::active;
  trip(t);
  count_pause(t.scope, t.instrument);
}

void EngineCore::count_pause(Scope scope, InstrumentId instrument) noexcept {
  const std::uint32_t pauses = pauses_.count(scope, now_);
  if (pauses <= setup_.engine.pauses_per_hour_max) return;
  Trip t;
  t.code = TripCode::input_pauses;
  t.latched = true;
  t.mode = Mode::reduce;
  t.scope = scope;
  t.instrument = instrument;
  t.limit = setup_.engine.pauses_per_hour_max;
  t.actual = pauses;
  trip(t);
}

// At the end of a step: what fits beside the timer. The rest goes with the next event.
void EngineCore::raise_trips(Commands& out) noexcept {
  while (!trips_.empty() && out.room() > 1) {
    if (!push(out, Command{trips_.oldest()})) return;
    trips_.pop();
  }
}

}  // namespace gimbal
