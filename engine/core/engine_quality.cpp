// Whether inputs are to be trusted: controls. Each judgement is a small type of
// quality/; here is what follows from it: prices that are not used, books that are lost, pauses of
// growth, and trips with their numbers.
#include <algorithm>

#include "engine/core/engine_core.hpp"
#include "engine/core/quality/clock_offset.hpp"
#include "engine/core/quality/staleness.hpp"

namespace gimbal {
namespace {

Trip quality_trip(TripCode code, Scope scope, std::int64_t limit, std::int64_t actual,
                  std::int64_t evidence) noexcept {
  Trip t;
  t.code = code;
  t.scope = scope;
  t.limit = limit;
  t.actual = actual;
  t.evidence = evidence;
  return t;
}

}  // namespace

// --- Q-01 -------------------------------------------------------------------------------------

void EngineCore::note_data(InstrumentId id, RecvTime at) noexcept {
  Market& m = markets_[id.value];
  m.data_at = std::max(m.data_at, at);
  m.stale = false;
  const UnderlyingId u = table_[id].underlying;
  if (u.value < underlyings_max) m.witness = coins_[u.value].index;
}

// The index moved: a hedge instrument that says nothing about it is not quiet, it is stale.
void EngineCore::witness(UnderlyingId u, Commands& out) noexcept {
  coins_[u.value].index_stale = false;
  const InstrumentId id = setup_.underlyings[u.value].hedge;
  if (!table_.contains(id)) return;
  const Market& m = markets_[id.value];
  const QualityLimits& l = setup_.quality;
  const Nanos age = Staleness::age(now_, m.data_at, awake_since_);
  if (age <= l.witness_age_max) return;
  const Price tick = table_[id].ticks.tick_at(coins_[u.value].index);
  if (!Staleness::witnessed(coins_[u.value].index, m.witness, tick, l.witness_ticks)) return;
  stale_hedge(u, id, l.witness_age_max, age, out);
}

void EngineCore::stale_hedge(UnderlyingId u, InstrumentId id, Nanos limit, Nanos age,
                             Commands& out) noexcept {
  Market& m = markets_[id.value];
  if (m.stale || m.book == nullptr || m.book->state() != BookState::valid) return;
  m.stale = true;
  ++counters_.stale;
  lose_book(id, true, FeedReason::stale, static_cast<std::uint64_t>(limit.count),
            static_cast<std::uint64_t>(age.count));
  Trip t = quality_trip(TripCode::feed_stale, {ScopeLevel::underlying, u.value}, limit.count,
                        age.count, id.value);
  t.instrument = id;
  t.venue = table_[id].venue;
  pause(t);
  if (push(out, Command{Resync{id, table_[id].venue}})) {
    m.resync_at = now_;
    ++counters_.resyncs;
  }
}

void EngineCore::check_hedge(UnderlyingId u, Commands& out) noexcept {
  const InstrumentId id = setup_.underlyings[u.value].hedge;
  const Nanos age = Staleness::age(now_, markets_[id.value].data_at, awake_since_);
  if (age <= setup_.quality.hedge_age_max) return;
  stale_hedge(u, id, setup_.quality.hedge_age_max, age, out);
}

void EngineCore::check_index(UnderlyingId u) noexcept {
  Coin& coin = coins_[u.value];
  const Nanos age = Staleness::age(now_, coin.index_at, awake_since_);
  if (coin.index_stale || age <= setup_.quality.index_age_max) return;
  coin.index_stale = true;
  ++counters_.stale;
  pause(quality_trip(TripCode::feed_stale, {ScopeLevel::underlying, u.value},
                     setup_.quality.index_age_max.count, age.count, -1));
}

// Each stale option pauses itself; they are told once for their coin, however many.
void EngineCore::check_options() noexcept {
  std::array<std::int64_t, underlyings_max> stale{};
  std::array<Nanos, underlyings_max> oldest{};
  for (const InstrumentId id : held_) {
    const Instrument& i = table_[id];
    if (!is_option(i.kind) || i.underlying.value >= underlyings_max) continue;
    const Nanos age = Staleness::age(now_, markets_[id.value].data_at, awake_since_);
    if (age <= setup_.quality.option_age_max) continue;
    pauses_.extend({ScopeLevel::instrument, id.value}, now_ + setup_.engine.tick * 2);
    ++stale[i.underlying.value];
    oldest[i.underlying.value] = std::max(oldest[i.underlying.value], age);
    if (markets_[id.value].stale) continue;
    markets_[id.value].stale = true;
    ++counters_.stale;
  }
  for (std::size_t u = 0; u < underlyings_max; ++u) {
    const bool before = coins_[u].options_stale;
    coins_[u].options_stale = stale[u] > 0;
    if (stale[u] == 0 || before) continue;
    trip(quality_trip(TripCode::feed_stale, {ScopeLevel::underlying, static_cast<std::uint16_t>(u)},
                      setup_.quality.option_age_max.count, oldest[u].count, stale[u]));
  }
}

void EngineCore::check_staleness(Commands& out) noexcept {
  for (std::size_t n = 0; n < underlyings_max; ++n) {
    const UnderlyingId u{static_cast<std::uint8_t>(n)};
    if (!table_.contains(setup_.underlyings[n].hedge)) continue;
    check_hedge(u, out);
    check_index(u);
  }
  if (now_ >= tick_due_) check_options();
}

// The earliest time at which a hedge or an index may have become stale.
RecvTime EngineCore::staleness_due() const noexcept {
  RecvTime due{INT64_MAX};
  const auto consider = [&](RecvTime at, Nanos limit) noexcept {
    if (at.mono_ns == 0) return;
    due = std::min(due, std::max(at, awake_since_) + limit + Nanos{1});
  };
  for (std::size_t n = 0; n < underlyings_max; ++n) {
    const InstrumentId id = setup_.underlyings[n].hedge;
    if (!table_.contains(id)) continue;
    const Market& m = markets_[id.value];
    const bool valid = m.book != nullptr && m.book->state() == BookState::valid;
    if (valid && !m.stale) consider(m.data_at, setup_.quality.hedge_age_max);
    if (!coins_[n].index_stale) consider(coins_[n].index_at, setup_.quality.index_age_max);
  }
  return due;
}

// --- Q-02, Q-03 -------------------------------------------------------------------------------

// One gap loses its book and pauses its instrument; more than the budget is a feed that cannot be
// followed.
void EngineCore::note_gap(VenueId venue) noexcept {
  ++counters_.gaps;
  if (venue.value >= venues_max) return;
  const std::int64_t in_minute = venues_[venue.value].gaps.count(now_);
  if (in_minute <= setup_.quality.gaps_per_minute_max) return;
  Trip t = quality_trip(TripCode::sequence_gaps, {ScopeLevel::venue, venue.value},
                        setup_.quality.gaps_per_minute_max, in_minute, 0);
  t.venue = venue;
  t.severity = Severity::critical;
  t.latched = true;
  t.mode = Mode::reduce;
  trip(t);
}

void EngineCore::note_crossed(InstrumentId id) noexcept {
  ++counters_.crossed;
  Trip t = quality_trip(TripCode::crossed_book, {ScopeLevel::instrument, id.value}, 0, 1,
                        static_cast<std::int64_t>(markets_[id.value].book->change_id()));
  t.instrument = id;
  t.venue = table_[id].venue;
  trip(t);
}

// --- Q-04 -------------------------------------------------------------------------------------

bool EngineCore::outlier(InstrumentId id, Price mid) noexcept {
  Market& m = markets_[id.value];
  if (m.outliers == nullptr) return false;
  const Instrument& i = table_[id];
  // A dated future may stand far from the index: only the minute judges it.
  const Price index = is_perpetual(i.kind) ? coins_[i.underlying.value].index : Price{};
  const OutlierFilter::Verdict v = m.outliers->judge(mid, index, now_, setup_.quality);
  m.outlier = v.outlier();
  if (!m.outlier) return false;
  ++counters_.outliers;
  const Scope scope{ScopeLevel::underlying, i.underlying.value};
  const bool running = pauses_.blocks(scope, now_);
  pauses_.extend(scope, now_ + setup_.quality.outlier_hold);
  if (running) return true;
  Trip t = quality_trip(TripCode::outlier_price, scope, v.limit_bps, v.actual_bps, mid.nano);
  t.instrument = id;
  t.venue = i.venue;
  trip(t);
  return true;
}

// --- Q-07 -------------------------------------------------------------------------

void EngineCore::note_lag(const Event& event) noexcept {
  if (setup_.budget.tick_to_order.count > 0) note_age(event);
  if (event.venue.value >= venues_max || event.part_index() != 1) return;
  ReceiveLag& lag = venues_[event.venue.value].lag;
  if (!lag.note(event.queue_ns, setup_.quality)) return;
  ++counters_.lags;
  Trip t = quality_trip(TripCode::receive_lag, {ScopeLevel::venue, event.venue.value},
                        setup_.quality.lag_max.count, event.queue_ns,
                        static_cast<std::int64_t>(event.kind()));
  t.venue = event.venue;
  trip(t);
}

void EngineCore::note_clock(const Event& event) noexcept {
  const auto clock = event.as<VenueClock>();
  const auto verdict = ClockOffset::judge(Nanos{clock.wall_gap_ns}, Nanos{clock.uncertainty_ns},
                                          setup_.engine.order_ttl, setup_.quality);
  bool& off = venues_[event.venue.value].clock_off;
  const bool pauses = verdict == ClockOffset::Verdict::pause;
  if (pauses && !off) ++counters_.clock_pauses;
  off = pauses;
  if (verdict == ClockOffset::Verdict::fine) return;
  Trip t =
      quality_trip(TripCode::clock_offset, {ScopeLevel::venue, event.venue.value},
                   pauses ? setup_.engine.order_ttl.count / 2 : setup_.quality.clock_warn.count,
                   clock.wall_gap_ns, clock.uncertainty_ns);
  t.venue = event.venue;
  t.severity = pauses ? Severity::critical : Severity::warning;
  trip(t);
}

// The order is in doubt and looked up; somebody should know what the venue has begun to say.
void EngineCore::note_unknown(const Event& event, const OrderReject& reject) noexcept {
  ++counters_.unknown_fields;
  Trip t = quality_trip(TripCode::unknown_field, {ScopeLevel::venue, event.venue.value}, 0,
                        reject.venue_code, static_cast<std::int64_t>(reject.order.value));
  t.venue = event.venue;
  trip(t);
  // A message that could not be read: what it said about the account is lost. (A mass cancel names
  // no order either; what it left open its own rounds find.)
  const bool lost = !reject.order.valid() && reject.action != OrderAction::cancel;
  if (!lost || event.venue.value >= venues_max) return;
  Venue& v = venues_[event.venue.value];
  // A flatten sizes by the picture: it waits for one at once.
  (flatten_.running() ? v.wants_reconcile : v.unreadable) = true;
}

bool EngineCore::quality_blocks(const Instrument& i) const noexcept {
  if (i.venue.value >= venues_max) return false;
  const Venue& v = venues_[i.venue.value];
  return v.lag.lagging() || v.clock_off;
}

}  // namespace gimbal
