// Public data: books, tickers, index, feed validity, limit changes.
#include <algorithm>
#include <cstring>

#include "engine/core/config_block.hpp"
#include "engine/core/engine_core.hpp"
#include "engine/core/risk/option_sanity.hpp"

namespace gimbal {

void EngineCore::touch(InstrumentId id) noexcept {
  Market& m = markets_[id.value];
  if (m.touched) return;
  m.touched = true;
  touched_.push_back(id);
}

void EngineCore::on_book_delta(const Event& event) noexcept {
  Market* m = market(event.instrument);
  if (m == nullptr || m->book == nullptr) {
    ++counters_.unknown_instruments;
    return;
  }
  note_data(event.instrument, event.now());
  m->wants_quote = false;
  static_cast<void>(m->book->apply(event.as<BookDelta>()));
  touch(event.instrument);
}

void EngineCore::on_book_reset(const Event& event) noexcept {
  Market* m = market(event.instrument);
  if (m == nullptr || m->book == nullptr) {
    ++counters_.unknown_instruments;
    if (event.instrument.value < markets_.size()) markets_[event.instrument.value].early = true;
    return;
  }
  if (m->book->state() == BookState::valid) m->lost = true;
  note_data(event.instrument, event.now());
  m->book->reset(event.as<BookReset>().change_id);
  m->resync_at = {};
  touch(event.instrument);
}

void EngineCore::end_packet(const Event& event, Commands& out) noexcept {
  for (const InstrumentId id : touched_) book_changed(id, event, out);
  touched_.clear();
}

void EngineCore::book_changed(InstrumentId id, const Event& event, Commands& out) noexcept {
  Market& m = markets_[id.value];
  m.touched = false;
  const BookState before = m.book->state();
  if (before != BookState::building && before != BookState::valid) return;
  if (!m.book->end_of_packet()) {
    note_crossed(id);
    lose_book(id, true, FeedReason::crossed, 0, m.book->change_id());
    if (m.resync_at.mono_ns == 0 || now_ - m.resync_at > seconds(1)) {
      m.resync_at = now_;
      ++counters_.resyncs;
      push(out, Command{Resync{id, table_[id].venue}});
    }
    return;
  }
  if (before == BookState::building) {
    if (m.lost) {
      pauses_.extend({ScopeLevel::instrument, id.value}, now_ + setup_.engine.pause_hold);
    }
    m.lost = false;
    const BookView v = *m.book->view();
    trace(TraceId::book_valid, static_cast<std::int64_t>(v.levels(Side::buy)),
          static_cast<std::int64_t>(v.levels(Side::sell)), 0, 0, id, table_[id].venue);
  }
  if (!is_option(table_[id].kind)) price_changed(id, event);
}

// A delta-one mid moved: the perpetual moves every forward of its underlying.
void EngineCore::price_changed(InstrumentId id, const Event& event) noexcept {
  const Instrument& i = table_[id];
  if (i.underlying.value >= underlyings_max) return;
  const std::optional<Quote> quote = markets_[id.value].book->top();
  const bool leads = coins_[i.underlying.value].perpetual == id;
  if (!quote) {
    if (leads) portfolio_.on_perpetual_lost(i.underlying);
    return;
  }
  if (outlier(id, quote->mid())) return;  // what was known stays
  markets_[id.value].delta_price = quote->mid();
  if (leads) {
    portfolio_.on_perpetual_mid(i.underlying, quote->mid(), event.exch, event.now());
  } else {
    portfolio_.on_future_mid(id, quote->mid(), event.exch, event.now());
  }
}

void EngineCore::lose_book(InstrumentId id, bool was_valid, FeedReason reason,
                           std::uint64_t expected, std::uint64_t found) noexcept {
  Market& m = markets_[id.value];
  const Instrument& i = table_[id];
  m.book->invalidate();
  if (!was_valid) return;
  m.lost = true;
  ++counters_.books_invalidated;
  trace(TraceId::book_invalid, static_cast<std::int64_t>(reason),
        static_cast<std::int64_t>(expected), static_cast<std::int64_t>(found), 0, id, i.venue);
  if (i.underlying.value < underlyings_max && coins_[i.underlying.value].perpetual == id) {
    portfolio_.on_perpetual_lost(i.underlying);
  }
  count_pause({ScopeLevel::instrument, id.value}, id);
}

void EngineCore::on_feed_status(const Event& event) noexcept {
  const auto status = event.as<FeedStatus>();
  if (status.state == FeedState::valid) return;  // only a snapshot makes a book valid
  const auto lose = [&](InstrumentId id) noexcept {
    const Market* m = market(id);
    if (m != nullptr && m->book != nullptr) {
      if (status.reason == FeedReason::sequence_gap) note_gap(event.venue);
      const bool was_valid = m->book->state() == BookState::valid;
      lose_book(id, was_valid, status.reason, status.expected, status.found);
    }
  };
  if (event.instrument.valid()) return lose(event.instrument);
  for (std::size_t i = 0; i < table_.size(); ++i) {
    const InstrumentId id{static_cast<std::uint16_t>(i)};
    if (table_[id].venue == event.venue) lose(id);
  }
}

void EngineCore::on_ticker(const Event& event) noexcept {
  if (!ticker_parts_.add(event)) return;
  Market* m = market(event.instrument);
  if (m == nullptr) {
    ++counters_.unknown_instruments;
    return;
  }
  const Ticker& t = ticker_parts_.value();
  const Instrument& i = table_[event.instrument];
  note_data(event.instrument, event.now());
  m->wants_quote = false;
  if (t.mark.nano > 0) {
    m->mark = t.mark;
    m->mark_at = event.now();
  }
  // A ticker that waited (or another instrument's older one) does not turn the index back.
  const bool with_index = t.index.nano > 0 && i.underlying.value < underlyings_max &&
                          !(event.exch < coins_[i.underlying.value].index_exch);
  const bool index_moved = with_index && coins_[i.underlying.value].index != t.index;
  if (with_index) {
    coins_[i.underlying.value].index = t.index;
    coins_[i.underlying.value].index_at = event.now();
    coins_[i.underlying.value].index_exch = event.exch;
  }
  if (profits_.mark(i, m->mark) || index_moved) check_losses();
  if (is_option(i.kind)) {
    portfolio_.on_option_ticker(event.instrument, believed_volatility(event.instrument, t),
                                t.underlying, t.mark, event.exch, event.now());
    if (m->held) refresh_gross(event.instrument);
    rows_wanted(event.instrument);
    refresh_cells();
    return;
  }
  if (m->held) refresh_gross(event.instrument);
  // A dated future without a valid book still has a price for its own delta: the venue's mark.
  const bool has_quote = m->book != nullptr && m->book->top().has_value();
  const bool leads = i.underlying.value < underlyings_max &&
                     coins_[i.underlying.value].perpetual == event.instrument;
  if (!has_quote && !leads && t.mark.nano > 0) {
    m->delta_price = t.mark;
    portfolio_.on_future_mid(event.instrument, t.mark, event.exch, event.now());
  }
}

// An impossible volatility is not taken: the last good one stands until it is too old, and nothing
// is sent on the option meanwhile (P-18).
std::int64_t EngineCore::believed_volatility(InstrumentId id, const Ticker& t) noexcept {
  Market& m = markets_[id.value];
  if (t.mark_iv_nano == absent_nano) return t.mark_iv_nano;
  const RiskLimits& l = gate_.limits();
  const bool sane = OptionSanity::volatility(t.mark_iv_nano, l);
  if (!sane && !m.insane_vol) {
    Trip trip_found;
    trip_found.code = TripCode::greeks_insane;
    trip_found.scope = {ScopeLevel::instrument, id.value};
    trip_found.instrument = id;
    trip_found.venue = table_[id].venue;
    trip_found.limit = l.iv_max_bps * OptionSanity::nano_per_bp;
    trip_found.actual = t.mark_iv_nano;
    trip_found.evidence = static_cast<std::int64_t>(GreekKind::volatility);
    trip(trip_found);
  }
  m.insane_vol = !sane;
  return sane ? t.mark_iv_nano : absent_nano;
}

void EngineCore::on_index(const Event& event, Commands& out) noexcept {
  const auto index = event.as<IndexPrice>();
  if (index.underlying.value >= underlyings_max || index.price.nano <= 0) return;
  coins_[index.underlying.value].index = index.price;
  coins_[index.underlying.value].index_at = event.now();
  coins_[index.underlying.value].index_exch = event.exch;
  portfolio_.on_index(index.underlying, index.price, event.exch);
  check_losses();
  witness(index.underlying, out);
}

// --- changes ----------------------------------------------------------------------------------

// All or nothing: while trading only a change that loosens no field is taken.
void EngineCore::on_config_change(const Event& event) noexcept {
  const auto ref = event.as<SideBlockRef>();
  const auto bytes = setup_.blocks.bytes(ref.slot, ref.generation);
  ConfigBlock fresh;
  fresh.config_hash = boot_.config_hash;
  const bool whole = bytes.size() == sizeof(ConfigBlock);
  const bool limits_only = bytes.size() == sizeof(RiskLimits);
  if (ref.kind == SideBlockKind::config && (whole || limits_only)) {
    std::memcpy(static_cast<void*>(&fresh), bytes.data(), bytes.size());
  }
  if (ref.kind != SideBlockKind::config || (!whole && !limits_only) ||
      (whole && fresh.first_order <= order_counter_) ||
      (loosens(gate_.limits(), fresh.limits) && gate_.modes().at({}) < Mode::halt)) {
    ++counters_.configs_refused;
    return;
  }
  gate_.set_limits(fresh.limits);
  ++counters_.configs_adopted;
  if (!whole) return;
  boot_.config_hash = fresh.config_hash;
  order_counter_ = fresh.first_order - 1;
}

}  // namespace gimbal
