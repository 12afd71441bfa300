// Private data: order events, fills, lookups, the private session, margin.
#include <algorithm>

#include "engine/core/engine_core.hpp"

namespace gimbal {
namespace {

Trip overfill_trip(const Order& order, const Event& event) noexcept {
  Trip t;
  t.code = TripCode::order_overfilled;
  t.severity = Severity::critical;
  t.scope = {ScopeLevel::instrument, event.instrument.value};
  t.instrument = event.instrument;
  t.venue = event.venue;
  t.strategy = order.id.strategy();
  t.limit = order.amount.nano;
  t.actual = order.filled.nano;
  t.evidence = static_cast<std::int64_t>(order.id.value);
  return t;
}

}  // namespace

void EngineCore::note(const OrderChange& change) noexcept {
  replan_ = true;
  if (change.order == nullptr) return;
  const Order& o = *change.order;
  const auto id = static_cast<std::int64_t>(o.id.value);
  if (change.verdict == Verdict::fault) {
    trace(TraceId::order_fault, id, static_cast<std::int64_t>(change.before),
          static_cast<std::int64_t>(change.event), 0, o.instrument, o.venue, o.id.strategy());
  }
  if (o.state == change.before) return;
  if (!o.open()) judge_end(o);
  trace(TraceId::order_state, id, static_cast<std::int64_t>(change.before),
        static_cast<std::int64_t>(o.state), static_cast<std::int64_t>(change.event), o.instrument,
        o.venue, o.id.strategy());
  if (o.state == OrderState::unknown) {
    trace(TraceId::order_unknown, id, static_cast<std::int64_t>(o.doubt), (now_ - o.created).count,
          0, o.instrument, o.venue, o.id.strategy());
  }
}

// The venue has shown a carried order by a single answer: what is filled of it is a picture's to
// say.
void EngineCore::want_count(const OrderChange& change) noexcept {
  if (change.order == nullptr || !change.order->uncounted || !change.order->open()) return;
  venues_[change.order->venue.value].wants_reconcile = true;
}

void EngineCore::on_order_event(const Event& event) noexcept {
  switch (event.kind()) {
    case EventKind::order_ack: {
      const auto ack = event.as<OrderAck>();
      const OrderChange change =
          orders_.on_ack(ack, now_, believed_time(event.exch, venue_now(event.venue)));
      // Works at the venue under our label and is not known: of another instance, or of an earlier
      // boot. Then a picture adopts it, so that it is counted and a kill reaches it.
      if (change.order == nullptr && ack.order.valid() && event.venue.value < venues_max &&
          !note_instance(event, ack.order, {})) {
        venues_[event.venue.value].wants_reconcile = true;
      }
      want_count(change);
      return note(change);
    }
    case EventKind::order_reject: {
      const auto reject = event.as<OrderReject>();
      // Stopped on this side of the wire: to its strategy that is a refusal like the gate's, so it
      // pauses in place of asking again on the next tick.
      if (refused_here(reject.reason)) {
        const Order* order = orders_.find(reject.order);
        count_refusal(reject.order.strategy(),
                      order != nullptr ? order->instrument : event.instrument);
      }
      if (reject.reason == RejectReason::unclear) note_unknown(event, reject);
      const bool terms =
          reject.reason == RejectReason::wrong_terms || reject.reason == RejectReason::wrong_amount;
      if (terms) distrust_terms(event, reject);
      if (flatten_order(reject.order)) flatten_rejected(reject);
      return note(orders_.on_reject(reject, now_));
    }
    case EventKind::order_done: {
      const auto done = event.as<OrderDone>();
      const OrderChange change = orders_.on_done(done, now_);
      if (change.order == nullptr) note_instance(event, done.order, {});
      return note(change);
    }
    case EventKind::order_sent: {
      const auto sent = event.as<OrderSent>();
      if (sent.action == OrderAction::place)
        orders_.note_arrival(sent.order, mid_of(event.instrument));
      return note(orders_.on_sent(sent, now_));
    }
    default: return;
  }
}

void EngineCore::on_lookup(const Event& event) noexcept {
  const auto lookup = event.as<OrderLookup>();
  const Order* order = orders_.find(lookup.order);
  // Absence proves something only once the order can no longer arrive, on the venue's clock.
  bool proven = false;
  if (order != nullptr) {
    const ExchTime clock = venue_now(order->venue);
    const ExchTime told = believed_time(event.exch, clock);
    const ExchTime as_of = told.unix_ns > 0 ? told : clock;
    proven = as_of.unix_ns > 0 && as_of > order->valid_until;
  }
  const OrderChange change = orders_.on_lookup(lookup, proven, now_);
  if (lookup.outcome == LookupOutcome::open) want_count(change);
  note(change);
}

// --- positions --------------------------------------------------------------------------------

void EngineCore::keep_held(InstrumentId id) noexcept {
  Market& m = markets_[id.value];
  cells_.hold(table_[id], portfolio_.position(id));
  const bool holds = portfolio_.position(id).nano != 0;
  if (holds == m.held) return;
  m.held = holds;
  if (holds) {
    held_.push_back(id);
  } else {
    const auto at = std::find(held_.begin(), held_.end(), id);
    if (at < held_.begin() + static_cast<std::ptrdiff_t>(cells_held_)) --cells_held_;
    held_.erase(at);
  }
  groups_.hold(id, holds);
  cells_.find_oldest(table_[id], held_);
}

void EngineCore::move_position(InstrumentId id, Qty signed_amount) noexcept {
  envelopes_.moved(id, seq_.value, portfolio_.position(id));
  portfolio_.apply_fill(id, signed_amount);
  keep_held(id);
  refresh_gross(id);
  check_position(id);
  Market& m = markets_[id.value];
  if (m.drift_since.mono_ns != 0 && portfolio_.position(id) == m.venue_position) m.drift_since = {};
}

void EngineCore::on_fill(const Event& event) noexcept {
  if (!fill_parts_.add(event)) return;
  const Fill& fill = fill_parts_.value();
  Market* m = market(event.instrument);
  if (m == nullptr || event.venue.value >= venues_max || fill.amount.nano <= 0) {
    ++counters_.unknown_instruments;
    // It has no place here and paid all the same. Pictures tell it again and again.
    const bool outside = m == nullptr && fill.trade.valid();
    if (!outside || trades_.remember(event.venue, fill.trade)) {
      forget_cash(event.venue, fill.fee_currency);
    }
    return;
  }
  Venue& venue = venues_[event.venue.value];
  replan_ = true;
  if (!fill.trade.valid()) {
    // It cannot be told from its own repetition: ask for the whole picture instead of guessing.
    ++counters_.fills_without_id;
    venue.wants_reconcile = true;
    forget_cash(event.venue, table_[event.instrument].settlement);
    return;
  }
  if (!trades_.remember(event.venue, fill.trade)) {
    ++counters_.duplicate_fills;
    trace(TraceId::fill_duplicate, static_cast<std::int64_t>(fill.order.value),
          static_cast<std::int64_t>(fill.trade.high), static_cast<std::int64_t>(fill.trade.low), 0,
          event.instrument, event.venue);
    return;
  }
  venue.last_trade = fill.trade;
  const bool historical = event.has(event_flag::historical);
  if (!historical) m->filled_at = now_;
  if (table_[event.instrument].state == InstrumentState::settled) venue.wants_reconcile = true;
  const Qty moved = signed_qty(fill.side, fill.amount);
  const std::optional<ResidualDelta> before = residual(table_[event.instrument].underlying);
  move_position(event.instrument, moved);
  book_fill(event, fill);
  book_cash(event, fill);
  ++counters_.fills;
  trace(TraceId::fill_applied, static_cast<std::int64_t>(fill.order.value), moved.nano,
        fill.price.nano, portfolio_.position(event.instrument).nano, event.instrument, event.venue);

  const Order* order = orders_.find(fill.order);
  if (order == nullptr) return raise_foreign(event, fill);
  if (order->id == flatten_.order) flatten_filled(fill, table_[event.instrument]);
  // The amount filled before an order was adopted already contains its history.
  if (order->adopted && historical) return;
  note_gap(*order, fill);
  // Whether the journal has counted it already is not known: the order stays at its worst until a
  // picture says what is filled. After its end the fill is one of those that are owed.
  if (order->uncounted && order->open()) return;
  const OrderChange change = orders_.on_fill(fill, now_);
  note(change);
  fill_parent(*order, fill.amount);
  judge_fill(*order, fill.side, before);
  if (change.late) {
    trace(TraceId::fill_late, static_cast<std::int64_t>(fill.order.value), moved.nano,
          static_cast<std::int64_t>(change.before), 0, event.instrument, event.venue);
  }
  if (change.overfill) {
    trip(overfill_trip(*order, event));
    trace(TraceId::fill_overflow, static_cast<std::int64_t>(fill.order.value), order->filled.nano,
          order->amount.nano, 0, event.instrument, event.venue);
  }
}

// A fill of no order in the table: of an earlier boot and forgotten, of another instance, by the
// venue (liquidation, ADL, settlement), or by another hand.
void EngineCore::raise_foreign(const Event& event, const Fill& fill) noexcept {
  if (fill.order.valid()) {
    // A picture tells old trades too: one that ran before us is no reason to stop.
    const ExchTime booted = venue_at(event.venue, booted_at_);
    const bool running = booted.unix_ns > 0 && event.exch > booted;
    if (running || !event.has(event_flag::historical)) note_instance(event, fill.order, event.exch);
    return;
  }
  const std::int64_t moved = signed_qty(fill.side, fill.amount).nano;
  ++counters_.foreign_fills;
  trace(TraceId::foreign_fill, static_cast<std::int64_t>(fill.kind), moved, fill.price.nano, 0,
        event.instrument, event.venue);
  Trip t;
  t.severity = Severity::critical;
  t.scope = {ScopeLevel::instrument, event.instrument.value};
  t.instrument = event.instrument;
  t.venue = event.venue;
  t.actual = moved;
  t.evidence = fill.price.nano;
  switch (fill.kind) {
    case FillKind::liquidation: t.code = TripCode::venue_liquidation; break;
    case FillKind::adl: t.code = TripCode::venue_adl; break;
    case FillKind::settlement:
      t.code = TripCode::settlement;
      t.severity = Severity::info;
      break;
    case FillKind::normal: t.code = TripCode::foreign_fill; break;
  }
  if (fill.kind == FillKind::liquidation || fill.kind == FillKind::adl) {
    t.latched = true;
    t.mode = Mode::reduce;
  }
  trip(t);
}

// --- session and account ----------------------------------------------------------------------

void EngineCore::on_gateway(const Event& event) noexcept {
  if (event.venue.value >= venues_max) return;
  const auto status = event.as<GatewayStatus>();
  Venue& v = venues_[event.venue.value];
  const bool was_ready = v.gateway == GatewayState::ready;
  const bool same = was_ready && status.generation == v.generation;
  v.gateway = status.state;
  v.cancel_on_disconnect = status.cancel_on_disconnect != 0;
  v.generation = status.generation;
  replan_ = true;
  trace(TraceId::gateway, static_cast<std::int64_t>(status.state), status.cancel_on_disconnect,
        static_cast<std::int64_t>(status.generation), status.venue_code, {}, event.venue);
  if (status.state == GatewayState::ready) {
    if (same) return;
    v.reconciled = false;
    end_picture(v, true);
    v.wants_reconcile = true;
    v.retry_at = {};
    return;
  }
  v.reconciled = false;
  end_picture(v, true);
  v.wants_reconcile = false;
  if (!was_ready) return;
  lose_session(event.venue);
  gate_.advance_epoch();
  // What was in flight has lost its answer; what rested may be gone with the session.
  for (std::size_t n = orders_.listed(); n > 0; --n) {
    const Order& o = orders_.open_order(n - 1);
    if (o.venue == event.venue && o.open()) note(orders_.on_lost(o.id, now_));
  }
}

// Too many losses of the session within a minute: its venue is paused (T-04).
void EngineCore::lose_session(VenueId venue) noexcept {
  const std::int64_t most = gate_.limits().session_losses_60s_max;
  if (!venues_[venue.value].losses.note(now_, most, seconds(60))) return;
  Trip t;
  t.code = TripCode::reconnect_storm;
  t.severity = Severity::critical;
  t.scope = {ScopeLevel::venue, venue.value};
  t.venue = venue;
  t.limit = most;
  t.actual = most;
  t.evidence = seconds(60).count;
  pause(t);
}

void EngineCore::on_margin(const Event& event) noexcept {
  if (!margin_parts_.add(event) || event.venue.value >= venues_max) return;
  const MarginReport& report = margin_parts_.value();
  for (MarginSlot& slot : venues_[event.venue.value].margins) {
    if (slot.used && slot.report.settlement != report.settlement) continue;
    slot.used = true;
    slot.report = report;
    slot.at = event.now();
    const AccountMargin model = account_margin(event);
    if (model != AccountMargin::unknown) slot.model = model;
    check_delta(event.venue, slot);
    tie_cash(event.venue, slot);
    return;
  }
}

// Our own delta total against the venue's. One mismatch may be a fill on its way; three in a row,
// beyond what rounding explains, are an alarm.
void EngineCore::check_delta(VenueId venue, MarginSlot& slot) noexcept {
  if (slot.report.delta_total_nano == absent_nano || !venues_[venue.value].reconciled) return;
  double ours = 0;
  double tolerance = setup_.engine.delta_tolerance;
  for (const InstrumentId id : held_) {
    const Instrument& i = table_[id];
    if (i.venue != venue || i.settlement != slot.report.settlement) continue;
    const Qty amount = portfolio_.position(id);
    const std::optional<double> coins = coins_of(id, amount);
    if (!coins) return;
    ours += *coins;
    // The venue prints greeks with 5 decimals and marks with 4, and refreshes them a moment apart.
    const double size = *coins < 0 ? -*coins : *coins;
    tolerance += is_option(i.kind) ? to_double(abs(amount)) * 2e-3 : size * 1e-3;
  }
  const double theirs = static_cast<double>(slot.report.delta_total_nano) * 1e-9;
  const double gap = ours > theirs ? ours - theirs : theirs - ours;
  if (!(gap > tolerance)) {
    slot.mismatches = 0;
    return;
  }
  if (slot.mismatches < 255) ++slot.mismatches;
  if (slot.mismatches != 3) return;
  ++counters_.delta_alarms;
  std::int64_t ours_nano = 0;
  std::int64_t tolerance_nano = 0;
  static_cast<void>(decision_nano(ours, ours_nano));
  static_cast<void>(decision_nano(tolerance, tolerance_nano));
  Trip t;
  t.code = TripCode::delta_mismatch;
  t.scope = {ScopeLevel::venue, venue.value};
  t.venue = venue;
  t.limit = ours_nano;
  t.actual = slot.report.delta_total_nano;
  t.evidence = tolerance_nano;
  trip(t);
  trace(TraceId::delta_mismatch, ours_nano, slot.report.delta_total_nano, tolerance_nano, 0, {},
        venue);
}

}  // namespace gimbal
