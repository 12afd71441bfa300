// Reconciliation: the venue's picture of orders, trades and positions, taken over at its end.
//
// Before the first complete picture of a session nothing new is sent at that venue. Positions are
// staged and adopted at the end; an instrument that traded while the picture was taken is compared,
// not overwritten, and the picture is taken again. Orders of ours that it does not show become
// unknown and are looked up. What is reported of a picture that was given up while the connector
// had it in hand (the session ended, no answer in time) is older than the next question and counts
// for nothing.
#include <algorithm>

#include "engine/core/engine_core.hpp"

namespace gimbal {
namespace {

// Routine pictures in a row that did not settle, before trading stops for one: overtaken by fills
// of ours (50 ms and the venue's answer apart), failed (250 ms apart) or without an answer (a
// reconcile_timeout apart, which is why their number alone is no bound).
constexpr std::uint8_t unsettled_max = 20;
// And the longest time from the question of the first of them, or of one that is under way.
constexpr Nanos unsettled_time_max = seconds(15);
// Beyond the slowest picture that a connector makes: its end mark was lost.
constexpr Nanos begun_picture_time_max = seconds(120);
// Between pictures that only unreadable messages ask for: a venue that changes what it sends would
// keep one picture running behind another, and trading stopped.
constexpr Nanos unreadable_pause = seconds(1);

}  // namespace

void EngineCore::begin_picture(VenueId venue, RecvTime begun) noexcept {
  Venue& v = venues_[venue.value];
  v.reconciling = true;
  v.routine = false;
  v.requested_at = begun;
  v.begun_at = begun;
  v.foreign = 0;
  v.adopted = 0;
  for (std::size_t n = 0; n < table_.size(); ++n) {
    if (table_[{static_cast<std::uint16_t>(n)}].venue != venue) continue;
    markets_[n].has_report = false;
    if (begun == now_) markets_[n].filled_at = {};  // with the question: they happened before it
    orders_.begin_twins({static_cast<std::uint16_t>(n)});
  }
}

// One that is given up the connector may have in hand still: its reports are older than the next
// one's question.
void EngineCore::end_picture(Venue& v, bool given_up) noexcept {
  if (given_up && v.picture_begun) v.picture_stale = true;
  const bool owed = given_up && v.reconciling && !v.picture_begun;
  if (owed && v.begins_owed < UINT8_MAX) ++v.begins_owed;
  v.reconciling = false;
  v.picture_begun = false;
}

void EngineCore::request_reconciles(Commands& out) noexcept {
  for (std::size_t i = 0; i < venues_max; ++i) {
    Venue& v = venues_[i];
    if (!v.used || v.gateway != GatewayState::ready) continue;
    if (v.reconciled && now_ - unsettled_since(v) > unsettled_time_max) {
      v.reconciled = false;
      v.wants_reconcile = true;
    }
    // One that has begun is waited for beyond its time, or a slow one would never be taken: it was
    // read after it was asked for, so its end is as good as ever. What it stops is the same.
    const Nanos waited = now_ - v.requested_at;
    if (v.reconciling && waited > setup_.engine.reconcile_timeout) {
      if (v.picture_begun && waited <= begun_picture_time_max) {
        v.reconciled = v.reconciled && v.routine;
      } else {
        end_picture(v, true);
        count_unsettled(v);
      }
    }
    // A private message may be lost without a sign of it: what the venue holds is asked for anyway.
    const Nanos interval = setup_.engine.reconcile_interval;
    const bool due = interval.count > 0 && v.reconciled && now_ - v.reconciled_at > interval;
    const bool unread =
        v.unreadable && (v.unreadable_at.mono_ns == 0 ||
                         now_ - std::max(v.unreadable_at, v.reconciled_at) >= unreadable_pause);
    if (!(v.wants_reconcile || due || unread) || v.reconciling || now_ < v.retry_at) continue;
    const VenueId venue{static_cast<std::uint8_t>(i)};
    if (!push(out, Command{Reconcile{venue, v.generation, v.last_trade}})) continue;
    const bool routine = !v.wants_reconcile && !v.unreadable;
    if (v.unreadable) v.unreadable_at = now_;
    v.wants_reconcile = v.unreadable = false;
    begin_picture(venue, now_);
    v.routine = routine;
    ++counters_.reconciles;
  }
}

// When the picture was asked for that is still awaited while orders go out.
RecvTime EngineCore::unsettled_since(const Venue& v) const noexcept {
  if (v.unsettled > 0) return v.unsettled_since;
  return v.reconciling && v.routine ? v.requested_at : now_;
}

// Our fill may be younger than a routine picture, a picture may fail, and so may the next: that is
// no reason to stop, unless it goes on for long. It is still due then, and no more pressing than
// before. A picture with a reason is another matter: something is not as it was told, so that
// nothing new is sent until one settles, and one that fails or gets no answer stops at once.
void EngineCore::count_unsettled(Venue& v) noexcept {
  if (v.unsettled == 0) v.unsettled_since = v.requested_at;
  if (v.unsettled < unsettled_max) ++v.unsettled;
  v.reconciled = v.routine && v.reconciled && v.unsettled < unsettled_max;
  v.wants_reconcile = v.wants_reconcile || !v.routine || !v.reconciled;
}

void EngineCore::on_reconcile(const Event& event) noexcept {
  if (event.venue.value >= venues_max) return;
  const auto mark = event.as<ReconcileMark>();
  Venue& v = venues_[event.venue.value];
  if (mark.generation != v.generation || v.gateway != GatewayState::ready) {
    v.picture_stale = mark.phase == ReconcilePhase::begin;
    return;
  }
  replan_ = true;
  if (mark.phase == ReconcilePhase::begin) {
    trace(TraceId::reconcile_begin, event.venue.value, static_cast<std::int64_t>(v.generation), 0,
          0, {}, event.venue);
    if (!v.reconciling) {
      // Not asked for (a connector may start one by itself, or was asked for one that was given
      // up): taken as ours, as of when its mark was made. What has come since may not be in it.
      begin_picture(event.venue, std::min(event.recv, now_));
      if (v.begins_owed > 0) --v.begins_owed;
    } else if (v.begins_owed > 0 && event.recv < v.requested_at) {
      v.picture_stale = true;  // of such a question: what it read is older than this one
      --v.begins_owed;
      return;
    } else {
      v.begins_owed = 0;
    }
    v.picture_begun = true;
    v.picture_stale = false;
    return;
  }
  if (v.picture_stale) {
    v.picture_stale = false;
    return;
  }
  if (mark.phase == ReconcilePhase::failed) {
    end_picture(v);
    count_unsettled(v);
    v.retry_at = now_ + milliseconds(250);
  } else if (v.reconciling) {
    finish_reconcile(event.venue);
  }
}

void EngineCore::on_position(const Event& event) noexcept {
  Market* m = market(event.instrument);
  if (m == nullptr || event.venue.value >= venues_max) return;
  const Qty amount = event.as<PositionReport>().amount;
  const Venue& v = venues_[event.venue.value];
  if (v.picture_stale && v.gateway == GatewayState::ready) return;
  if (v.reconciling) {
    m->reported = amount;
    m->has_report = true;
    return;
  }
  if (table_[event.instrument].state == InstrumentState::settled) return;
  if (amount == portfolio_.position(event.instrument)) {
    m->drift_since = {};
    return;
  }
  m->venue_position = amount;
  if (m->drift_since.mono_ns == 0) {
    m->drift_since = now_;
    m->drift_reported = false;
  }
  if (!m->drift_listed) {
    m->drift_listed = true;
    drifting_.push_back(event.instrument);
  }
  replan_ = true;
}

void EngineCore::on_open_order(const Event& event) noexcept {
  if (!open_order_parts_.add(event)) return;
  if (event.venue.value >= venues_max) return;
  Venue& v = venues_[event.venue.value];
  if (v.picture_stale) return;
  const OpenOrderReport& report = open_order_parts_.value();
  replan_ = true;
  if (!report.order.valid() || !table_.contains(event.instrument) || report.amount.nano <= 0) {
    ++v.foreign;
    trace(TraceId::foreign_order, static_cast<std::int64_t>(report.venue_ref), report.amount.nano,
          report.price.nano, static_cast<std::int64_t>(report.side), event.instrument, event.venue);
    Trip t;
    t.code = TripCode::foreign_order;
    t.scope = {ScopeLevel::venue, event.venue.value};
    t.venue = event.venue;
    t.instrument = event.instrument;
    t.actual = report.amount.nano;
    t.evidence = static_cast<std::int64_t>(report.venue_ref);
    const auto told = std::find(v.foreign_told.begin(), v.foreign_told.end(), report.venue_ref);
    if (told != v.foreign_told.end()) return;
    v.foreign_told[v.foreign_next++ % v.foreign_told.size()] = report.venue_ref;
    trip(t);
    return;
  }
  if (note_instance(event, report.order, report.created)) {
    ++v.foreign;
    return;
  }
  const Order* namesake = orders_.find(report.order);
  const bool known = namesake != nullptr && !namesake->unseen;
  if (orders_.is_twin(report, event.instrument)) {  // two instances have given out one number
    const bool news = !others_.unacknowledged().valid();
    if (others_.note_twin(report.order, report.venue_ref)) {
      trip_instance(event, report.order, news);
    }
    ++v.foreign;
    if (namesake->open() || namesake->ended_at >= v.begun_at ||
        namesake->instrument != event.instrument) {
      return orders_.add_twin(report, event.instrument);
    }
  }
  const PictureTime picture{v.begun_at, venue_at(event.venue, v.begun_at),
                            believed_time(event.exch, venue_now(event.venue))};
  const Order* order = orders_.on_open_report(
      report, event.instrument, table_[event.instrument].underlying, event.venue, picture, now_);
  if (order == nullptr) {
    ++v.foreign;
    return;
  }
  if (!known) ++v.adopted;
  orders_.note_seen(report.order, now_);
}

// A boot's orders carry its epoch. A newer one, a number of ours that we have not given out, or an
// older boot's order that was made long after we started: somebody else is running. What the boot
// before us had on its way arrived within its time to live, which no config sets above a minute.
bool EngineCore::from_other_instance(OrderId id, VenueId venue, ExchTime created) const noexcept {
  if (!id.valid() || boot_.epoch == 0 || orders_.find(id) != nullptr) return false;
  if (id.epoch() != boot_.epoch) {
    if (id.epoch() > boot_.epoch) return true;
    const ExchTime booted = venue_at(venue, booted_at_);
    return booted.unix_ns > 0 && created > booted + seconds(60);
  }
  return id.counter() > order_counter_;
}

bool EngineCore::note_instance(const Event& event, OrderId id, ExchTime created) noexcept {
  if (!from_other_instance(id, event.venue, created)) return false;
  const bool news = !others_.unacknowledged().valid();
  if (others_.note(id)) trip_instance(event, id, news);
  return true;
}

void EngineCore::trip_instance(const Event& event, OrderId id, bool news) noexcept {
  Trip t;
  t.code = TripCode::other_instance;
  t.severity = Severity::critical;
  t.latched = true;
  t.mode = Mode::halt;
  t.venue = event.venue;
  t.limit = boot_.epoch;
  t.actual = id.epoch();
  t.evidence = static_cast<std::int64_t>(id.value);
  trip(t, news);
}

bool EngineCore::adopt_position(InstrumentId id) noexcept {
  Market& m = markets_[id.value];
  const Qty ours = portfolio_.position(id);
  // What has ended holds nothing: not what an older picture shows, nor a fill that came after it.
  const bool over = table_[id].state == InstrumentState::settled;
  const Qty theirs = m.has_report && !over ? m.reported : Qty{};
  if (ours == theirs) return true;
  // The picture may be older than our fill.
  if (m.filled_at >= venues_[table_[id].venue.value].begun_at && !over) return false;
  envelopes_.moved(id, seq_.value, ours);
  portfolio_.set_position(id, theirs);
  keep_held(id);
  if (!over) profits_.adopt(table_[id], theirs - ours);  // the expiry closed it in the ledger
  refresh_gross(id);
  check_position(id);
  m.drift_since = {};
  ++counters_.positions_corrected;
  trace(TraceId::position_corrected, ours.nano, theirs.nano, 0, 0, id, table_[id].venue);
  return true;
}

void EngineCore::finish_reconcile(VenueId venue) noexcept {
  Venue& v = venues_[venue.value];
  end_picture(v);
  std::int64_t missing = 0;
  for (std::size_t n = orders_.listed(); n > 0; --n) {
    const Order& o = orders_.open_order(n - 1);
    // Placed or seen after the picture began: its absence from it says nothing.
    if (o.venue != venue || !o.open() || o.created > v.begun_at || o.seen_at >= v.begun_at)
      continue;
    ++missing;
    if (o.state == OrderState::unknown) {
      orders_.note_missing(o.id, now_ + milliseconds(4) * (missing - 1));
      continue;
    }
    note(orders_.on_lost(o.id, now_));
  }
  const std::uint64_t corrected = counters_.positions_corrected;
  bool settled = true;
  for (std::size_t n = 0; n < table_.size(); ++n) {
    const InstrumentId id{static_cast<std::uint16_t>(n)};
    if (table_[id].venue != venue) continue;
    orders_.end_twins(id);
    if (!adopt_position(id)) settled = false;
  }
  resume_holdings(venue);
  if (settled) orders_.forgive_owed(venue, v.begun_at);
  if (settled) {  // what was asked for meanwhile still is: it asks about what came later
    v.unsettled = 0;
    v.reconciled = true;
    v.reconciled_at = now_;
    v.pictured_at = v.begun_at;
  } else {
    count_unsettled(v);
  }
  v.retry_at = settled ? RecvTime{} : now_ + milliseconds(50);
  trace(TraceId::reconcile_done, venue.value, v.adopted, missing,
        static_cast<std::int64_t>(counters_.positions_corrected - corrected), {}, venue);
  resume_cancels(venue);
  retry_arm();
}

}  // namespace gimbal
