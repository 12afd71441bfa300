// What time alone asks for: overdue answers, lookups, cancel rounds, reconciliations, drift. Runs
// when something is due, on the timer or with whatever event comes next.
#include <algorithm>
#include <limits>

#include "engine/core/engine_core.hpp"

namespace gimbal {

void EngineCore::upkeep(Commands& out) noexcept {
  replan_ = true;
  for (std::size_t n = orders_.listed(); n > 0; --n) {
    if (n > orders_.listed()) continue;
    attend(orders_.open_order(n - 1), out);
  }
  run_cancels(out);
  if (flatten_.running()) run_flatten(out);
  if (orders_.owed_count() == 0) {
    owed_since_ = {};
  } else if (owed_since_.mono_ns == 0) {
    owed_since_ = now_;
  } else if (now_ - owed_since_ > setup_.engine.drift_wait) {
    // Fills that an ended order promised did not come: the private stream lost them.
    owed_since_ = now_;
    for (Venue& v : venues_) v.wants_reconcile = v.wants_reconcile || v.used;
  }
  check_drift();
  check_guardian();
  check_modules();
  check_staleness(out);
  reread_terms();
  if (arm_waits_) retry_arm();
  request_reconciles(out);
  if (now_ < tick_due_) return;
  tick_due_ = now_ + setup_.engine.tick;
  if (orders_.open_count() > 0) cancel_increasing();
  check_greeks();
  check_losses();
  for (std::size_t v = 0; v < venues_max; ++v) {
    const ExchTime venue_time = venue_now({static_cast<std::uint8_t>(v)});
    if (venue_time.unix_ns == 0) continue;
    portfolio_.on_clock(now_, venue_time);
    break;
  }
  refresh_cells();
}

void EngineCore::attend(const Order& o, Commands& out) noexcept {
  if (!o.open()) return;
  if (o.state == OrderState::unknown) {
    if (now_ < o.next_query || venues_[o.venue.value].gateway != GatewayState::ready) return;
    if (!push(out, Command{QueryOrder{o.id, o.valid_until, o.sent_exch, o.instrument, o.venue}})) {
      return;
    }
    ++counters_.queries;
    orders_.note_query(o.id, now_);
    trace(TraceId::query_sent, static_cast<std::int64_t>(o.id.value), o.queries,
          (now_ - o.created).count, 0, o.instrument, o.venue, o.id.strategy());
    return;
  }
  if (o.deadline.mono_ns != 0 && now_ >= o.deadline) {
    note(orders_.on_doubt(o.id, o.state == OrderState::live ? OrderAction::place : o.doubt, now_));
    return;
  }
  if (o.wants_cancel && o.state == OrderState::live && now_ >= o.next_cancel) cancel(o.id, out);
}

void EngineCore::check_drift() noexcept {
  for (std::size_t n = 0; n < drifting_.size();) {
    const InstrumentId id = drifting_[n];
    Market& m = markets_[id.value];
    if (m.drift_since.mono_ns == 0) {
      m.drift_listed = false;
      drifting_[n] = drifting_.back();
      drifting_.pop_back();
      continue;
    }
    ++n;
    const Nanos since = now_ - m.drift_since;
    if (since <= setup_.engine.drift_wait || m.drift_reported) continue;
    m.drift_reported = true;
    ++counters_.drift_alarms;
    trace(TraceId::position_drift, portfolio_.position(id).nano, m.venue_position.nano, since.count,
          0, id, table_[id].venue);
    Trip t;
    t.code = TripCode::position_drift;
    t.severity = Severity::critical;
    t.latched = true;
    t.mode = Mode::reduce;
    t.scope = {ScopeLevel::instrument, id.value};
    t.instrument = id;
    t.venue = table_[id].venue;
    t.limit = portfolio_.position(id).nano;
    t.actual = m.venue_position.nano;
    t.evidence = since.count;
    trip(t);
    venues_[table_[id].venue.value].wants_reconcile = true;
  }
}

void EngineCore::plan() noexcept {
  replan_ = false;
  RecvTime due = std::min(tick_due_, orders_.next_due());
  for (const CancelJob& job : jobs_) {
    if (job.active) due = std::min(due, job.next);
  }
  due = std::min(due, staleness_due());
  if (flatten_.running()) due = std::min(due, flatten_.next);
  due = std::min({due, modules_due(), refused_terms_.next_due()});
  if (guardian_lost_) due = std::min(due, guardian_lost_at_ + setup_.guardian_loss);
  upkeep_due_ = due;
}

}  // namespace gimbal
