// Construction and dispatch.
#include "engine/core/engine_core.hpp"

#include <algorithm>

namespace gimbal {

EngineCore::EngineCore(const EngineSetup& setup, const InstrumentTable& table)
    : setup_{setup},
      table_{table.capacity()},
      portfolio_{table_, setup.portfolio, setup.kernels},
      orders_{table.capacity(), setup.engine.orders},
      gate_{setup.limits, table.capacity()},
      cells_{setup.scenarios, table.capacity()},
      groups_{setup.scenarios.used() ? table.capacity() : 0},
      trades_{setup.engine.trade_ids_kept},
      pauses_{table.capacity()},
      envelopes_{setup.modules, table.capacity()},
      books_{setup.engine.delta_one_books, setup.engine.option_books, setup.engine.delta_one_levels,
             setup.engine.option_levels},
      markets_(table.capacity()),
      profits_{table.capacity()} {
  held_.reserve(table.capacity());
  touched_.reserve(table.capacity());
  drifting_.reserve(table.capacity());
  filters_.reserve(setup.engine.delta_one_books);
  carried_holdings_.reserve(day_holdings_max);
  static_cast<void>(decision_nano(setup.engine.cash_unit, cash_unit_.nano));
  for (std::size_t v = 0; v < venues_max; ++v) venues_[v].used = setup.venue_used[v];
  for (std::size_t u = 0; u < underlyings_max; ++u) {
    const InstrumentId hedge = setup.underlyings[u].hedge;
    if (table.contains(hedge) && is_perpetual(table[hedge].kind)) coins_[u].perpetual = hedge;
  }
  for (std::size_t i = 0; i < table.size(); ++i) {
    const InstrumentId id = table_.add(table[InstrumentId{static_cast<std::uint16_t>(i)}]);
    if (id.valid()) list(id);
  }
}

// A new instrument: its book, its place in the portfolio, the perpetual that moves its forwards.
void EngineCore::list(InstrumentId id) noexcept {
  const Instrument& i = table_[id];
  Market& m = markets_[id.value];
  if (m.book == nullptr) m.book = books_.take(is_option(i.kind));
  if (m.book == nullptr) ++counters_.books_missing;
  if (!is_option(i.kind) && m.outliers == nullptr && filters_.size() < filters_.capacity()) {
    m.outliers = &filters_.emplace_back();
  }
  portfolio_.list(id);
  groups_.list(i);
  envelopes_.list(id);
  if (i.venue.value < venues_max) venues_[i.venue.value].used = true;
  if (i.underlying.value >= underlyings_max || !is_perpetual(i.kind)) return;
  InstrumentId& perpetual = coins_[i.underlying.value].perpetual;
  if (!perpetual.valid()) perpetual = id;
}

EngineCore::Market* EngineCore::market(InstrumentId id) noexcept {
  return table_.contains(id) ? &markets_[id.value] : nullptr;
}
const EngineCore::Market* EngineCore::market(InstrumentId id) const noexcept {
  return table_.contains(id) ? &markets_[id.value] : nullptr;
}

void EngineCore::trace(TraceId id, std::int64_t a, std::int64_t b, std::int64_t c, std::int64_t d,
                       InstrumentId instrument, VenueId venue, StrategyId strategy) const noexcept {
  if (setup_.trace == nullptr) return;
  TraceRecord r;
  r.seq = seq_.value;
  r.at = now_;
  r.id = id;
  r.instrument = instrument;
  r.venue = venue;
  r.strategy = strategy;
  r.a = a;
  r.b = b;
  r.c = c;
  r.d = d;
  setup_.trace->put(r);
}

bool EngineCore::push(Commands& out, Command&& command) noexcept {
  if (!out.push(std::move(command))) {
    ++counters_.commands_dropped;
    return false;
  }
  ++counters_.commands;
  return true;
}

bool EngineCore::apply(const Event& event, Commands& out) noexcept {
  started_ = true;
  seq_ = event.seq();
  // The engine's timer comes every tick: nothing for two of them means that nobody was running.
  if (event.now() - now_ > setup_.engine.tick * 2) awake_since_ = event.now();
  now_ = std::max(now_, event.now());
  ++counters_.events;
  late_ns_ = 0;
  dispatch(event, out);
  const bool whole = event.last_part();
  const bool packet_ends = whole && event.has(event_flag::last_in_packet);
  if (packet_ends) end_packet(event, out);
  if (now_ >= gaps_.next_due()) mark_fills();
  if (replan_ || now_ >= upkeep_due_) upkeep(out);
  const EventKind kind = event.kind();
  const bool wakes =
      packet_ends || kind == EventKind::timer || (whole && kind == EventKind::operator_command);
  return wakes && boot_.epoch != 0 && gate_.modes().at({}) < Mode::halt;
}

// Blocks of other kinds are for readers of the journal.
void EngineCore::on_side_block(const Event& event) noexcept {
  const SideBlockKind kind = event.as<SideBlockRef>().kind;
  if (kind == SideBlockKind::surface) on_surface(event);
  if (kind == SideBlockKind::risk_envelope) on_envelope(event);
  if (kind == SideBlockKind::scenario_rows) on_scenario_rows(event);
}

void EngineCore::dispatch(const Event& event, Commands& out) noexcept {
  switch (event.kind()) {
    case EventKind::book_delta: note_lag(event); return on_book_delta(event);
    case EventKind::book_reset: note_lag(event); return on_book_reset(event);
    case EventKind::ticker: note_lag(event); return on_ticker(event);
    case EventKind::index_price: note_lag(event); return on_index(event, out);
    case EventKind::feed_status: return on_feed_status(event);
    case EventKind::instrument_change: return on_instrument_change(event, out);
    case EventKind::config_change: return on_config_change(event);
    case EventKind::order_ack:
    case EventKind::order_reject:
    case EventKind::order_done:
    case EventKind::order_sent: return on_order_event(event);
    case EventKind::fill: return on_fill(event);
    case EventKind::order_lookup: return on_lookup(event);
    case EventKind::gateway_status: return on_gateway(event);
    case EventKind::margin_report: return on_margin(event);
    case EventKind::position_report: return on_position(event);
    case EventKind::open_order_report: return on_open_order(event);
    case EventKind::reconcile_mark: return on_reconcile(event);
    case EventKind::operator_command: return on_operator(event);
    case EventKind::guardian_status: return on_guardian(event);
    case EventKind::day_carry: return on_day_carry(event);
    case EventKind::order_carry: return on_order_carry(event);
    case EventKind::venue_clock:
      if (event.venue.value >= venues_max) return;
      venues_[event.venue.value].clock_known = true;
      venues_[event.venue.value].clock_offset = Nanos{event.as<VenueClock>().offset_ns};
      return note_clock(event);
    case EventKind::boot:
      boot_ = event.as<Boot>();
      booted_at_ = now_;
      replan_ = true;
      return;
    case EventKind::timer:
      if (armed_for_ <= now_) armed_for_ = {};
      replan_ = true;
      return;
    case EventKind::trade:
      note_lag(event);
      if (market(event.instrument) != nullptr) note_data(event.instrument, event.now());
      return;
    case EventKind::side_block: return on_side_block(event);
    case EventKind::none: return;
  }
}

void EngineCore::finish(Commands& out) noexcept {
  if (!trips_.empty()) raise_trips(out);
  if (replan_) plan();
  if (!trips_.empty()) upkeep_due_ = now_;  // no room in this step
  if (boot_.epoch == 0) return;
  const bool none_armed = armed_for_.mono_ns == 0 || armed_for_ <= now_;
  if (!none_armed && upkeep_due_ >= armed_for_) return;
  const RecvTime due = std::max(upkeep_due_, now_ + microseconds(100));
  if (push(out, Command{ArmTimer{engine_timer, due}})) armed_for_ = due;
}

}  // namespace gimbal
