// Instruments that change while running: listed, redefined, closed, settled.
//
// A change first makes the instrument unusable: no price can be read from its book, its mark is
// too old for any order, approvals on their way are void. Live orders stay as they are. Growth
// waits until the instrument is quoted again under its new terms (P-05).
#include <algorithm>
#include <cstring>

#include "engine/core/engine_core.hpp"

namespace gimbal {
namespace {

Trip terms_trip(TripCode code, const RefusedTerms::Refused& r, VenueId venue) noexcept {
  Trip t;
  t.code = code;
  t.scope = {ScopeLevel::instrument, r.instrument.value};
  t.instrument = r.instrument;
  t.venue = venue;
  t.strategy = r.reject.order.strategy();
  t.actual = r.reject.venue_code;
  t.evidence = static_cast<std::int64_t>(r.reject.order.value);
  return t;
}

}  // namespace

void EngineCore::on_instrument_change(const Event& event, Commands& out) noexcept {
  const auto change = event.as<InstrumentChange>();
  const InstrumentId id = event.instrument;
  gate_.advance_epoch();  // approvals from here on are under another definition
  bool accepted = false;
  if (change.change == InstrumentChangeKind::adopt) {
    accepted = adopt_instrument(id, change, out);
  } else if (change.change == InstrumentChangeKind::settle) {
    accepted = settle_instrument(id, change);
  } else {
    accepted = close_instrument(id);
  }
  trace(TraceId::instrument_changed, static_cast<std::int64_t>(change.change), change.generation,
        accepted ? 1 : 0, 0, id, event.venue);
}

// What is known of its prices belongs to other terms.
void EngineCore::forget_prices(InstrumentId id) noexcept {
  Market& m = markets_[id.value];
  if (m.book != nullptr) m.book->invalidate();
  m.mark_at = {};
  m.data_at = {};
  const UnderlyingId u = table_[id].underlying;
  if (u.value < underlyings_max && coins_[u.value].perpetual == id) {
    portfolio_.on_perpetual_lost(u);
  }
}

bool EngineCore::close_instrument(InstrumentId id) noexcept {
  if (market(id) == nullptr || table_[id].state == InstrumentState::settled) return false;
  table_.set_state(id, InstrumentState::invalid);
  forget_prices(id);
  return true;
}

// The venue ended the position and paid for it: the whole picture is asked for, what it paid comes
// with the next margin report.
bool EngineCore::settle_instrument(InstrumentId id, const InstrumentChange& change) noexcept {
  Market* m = market(id);
  if (m == nullptr) return false;
  const Qty held = portfolio_.position(id);
  const Exposure& open = orders_.exposure(id);
  table_.set_state(id, InstrumentState::settled);
  forget_prices(id);
  settle_profit(table_[id], change.delivery);
  envelopes_.moved(id, seq_.value, held);
  portfolio_.settle(id, change.delivery);
  refresh_gross(id);
  m->drift_since = {};
  keep_held(id);
  const VenueId venue = table_[id].venue;
  if (open.worst_buy().nano != 0 || open.worst_sell().nano != 0 || held.nano != 0) {
    venues_[venue.value].wants_reconcile = venues_[venue.value].used;
    replan_ = true;
  }
  if (held.nano == 0) return true;
  forget_cash(venue, table_[id].settlement);
  Trip t;
  t.code = TripCode::settlement;
  t.severity = Severity::info;
  t.scope = {ScopeLevel::instrument, id.value};
  t.instrument = id;
  t.venue = venue;
  t.actual = held.nano;
  t.evidence = change.delivery.nano == absent_nano ? 0 : change.delivery.nano;
  trip(t);
  return true;
}

bool EngineCore::adopt_instrument(InstrumentId id, const InstrumentChange& change,
                                  Commands& out) noexcept {
  const auto bytes = setup_.blocks.bytes(change.slot, change.generation);
  Instrument fresh;
  static_assert(std::is_trivially_copyable_v<Instrument>);
  if (bytes.size() != sizeof(Instrument) || change.bytes != bytes.size()) return false;
  std::memcpy(static_cast<void*>(&fresh), bytes.data(), sizeof(Instrument));
  if (fresh.kind > InstrumentKind::linear_option || fresh.option > OptionType::put ||
      fresh.state > InstrumentState::settled || fresh.venue.value >= venues_max ||
      fresh.underlying.value >= underlyings_max) {
    return false;
  }
  if (table_.contains(id)) return redefine_instrument(id, fresh, change, out);
  // A listing takes the next id; any other would leave the feed and the core apart.
  if (id.value != table_.size() || table_.size() >= table_.capacity()) return false;
  const InstrumentId added = table_.add(fresh);
  if (!added.valid()) return false;
  list(added);
  // Its terms came by another ring, behind what an operator sent: the feed's snapshot is gone.
  Market& m = markets_[added.value];
  if (m.early && m.book != nullptr && push(out, Command{Resync{added, fresh.venue}})) {
    m.resync_at = now_;
    ++counters_.resyncs;
  }
  return true;
}

bool EngineCore::redefine_instrument(InstrumentId id, const Instrument& definition,
                                     const InstrumentChange& change, Commands& out) noexcept {
  const Instrument before = table_[id];
  if (before.state == InstrumentState::settled) return false;
  Instrument fresh = definition;
  fresh.id = id;
  if (!table_.redefine(fresh)) return false;
  forget_prices(id);
  Market& m = markets_[id.value];
  if (m.book != nullptr && push(out, Command{Resync{id, fresh.venue}})) {
    m.resync_at = now_;
    ++counters_.resyncs;
  }
  if (same_terms(before, fresh)) {
    // The same again, from a list that nobody asked for since the refusal.
    if (refused_terms_.waits(id)) table_.set_state(id, InstrumentState::invalid);
    return true;
  }
  refused_terms_.forget(id);
  requote(id, change);
  return true;
}

// Tick, lot, size or fee changed: what was decided under the old ones is void, and nothing grows
// before the instrument was quoted anew (P-05).
void EngineCore::requote(InstrumentId id, const InstrumentChange& change) noexcept {
  markets_[id.value].wants_quote = true;
  Trip t;
  t.code = TripCode::instrument_redefined;
  t.severity = Severity::info;
  t.scope = {ScopeLevel::instrument, id.value};
  t.instrument = id;
  t.venue = table_[id].venue;
  t.limit = change.generation;
  t.actual = static_cast<std::int64_t>(change.change);
  trip(t);
}

// The venue refused a price or an amount as off its grid, so its terms are not the ones we know.
// Closed until a list that was read after this gives them: the trip makes the cold side read it, at
// once or, where lists have changed nothing, after a pause.
void EngineCore::distrust_terms(const Event& event, const OrderReject& reject) noexcept {
  const InstrumentId id = event.instrument;
  if (!table_.contains(id) || table_[id].state != InstrumentState::open) return;
  gate_.advance_epoch();  // approvals on their way are on the same grid
  if (!close_instrument(id)) return;
  const RefusedTerms::Refused r = refused_terms_.note(id, reject, now_);
  if (r.waits) {
    Trip t = terms_trip(TripCode::terms_disputed, r, table_[id].venue);
    t.limit = r.pause.count;
    return trip(t);
  }
  // Only who is told reads the list that opens it again.
  trip(terms_trip(TripCode::terms_refused, r, table_[id].venue), true);
}

void EngineCore::reread_terms() noexcept {
  refused_terms_.take_due(now_, [this](const RefusedTerms::Refused& r) noexcept {
    if (table_[r.instrument].state != InstrumentState::invalid) return;
    trip(terms_trip(TripCode::terms_refused, r, table_[r.instrument].venue), true);
  });
}

}  // namespace gimbal
