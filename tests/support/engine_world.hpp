// A scripted world around an Engine: one venue, a BTC perpetual, an option, and short ways to send
// events and to look at the commands that came back.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <memory>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "engine/core/engine.hpp"

namespace gimbal::test {

inline constexpr VenueId the_venue{0};
inline constexpr UnderlyingId the_coin{0};
inline constexpr std::uint64_t the_config_hash = 0x1122334455667788ULL;
inline constexpr std::int64_t clock_offset = 1'800'000'000'000'000'000;

inline Price usd(double v) { return Price{static_cast<std::int64_t>(std::llround(v * 1e9))}; }
inline Qty amount(double v) { return Qty{static_cast<std::int64_t>(std::llround(v * 1e9))}; }
inline Money money(double v) { return Money{static_cast<std::int64_t>(std::llround(v * 1e9))}; }

inline Instrument perpetual_definition() {
  Instrument i;
  i.kind = InstrumentKind::inverse_perpetual;
  i.state = InstrumentState::open;
  i.venue = the_venue;
  i.underlying = the_coin;
  i.settlement = currency("BTC");
  i.ticks.base = usd(0.5);
  i.lot = amount(10);
  i.amount_min = amount(10);
  i.contract_size = amount(10);
  return i;
}

inline Instrument option_definition(double strike = 50000) {
  Instrument i;
  i.kind = InstrumentKind::inverse_option;
  i.option = OptionType::call;
  i.state = InstrumentState::open;
  i.venue = the_venue;
  i.underlying = the_coin;
  i.settlement = currency("BTC");
  i.strike = usd(strike);
  i.expiry = ExchTime{clock_offset} + seconds(30 * 86400);
  i.ticks.base = usd(0.0001);
  i.lot = amount(0.1);
  i.amount_min = amount(0.1);
  i.contract_size = amount(1);
  return i;
}

inline RiskLimits wide_limits() {
  RiskLimits l;
  l.max_order_usd = money(10'000'000);
  l.max_order_lots = 1'000'000;
  l.max_open_usd = money(50'000'000);
  l.max_venue_open_usd = money(50'000'000);
  l.max_position_lots = 10'000'000;
  l.max_delta_usd = money(100'000'000);
  l.max_gross_delta_usd = money(200'000'000);
  l.max_strategy_loss_usd = l.max_day_loss_usd = l.max_drawdown_usd = money(100'000'000);
  l.order_rate_per_s = 1000;
  l.order_burst = 1000;
  l.max_open_orders = 800;
  return l;
}

// Does what it is told: tests put requests into `next`.
struct Puppet {
  std::shared_ptr<Requests> next = std::make_shared<Requests>();
  std::shared_ptr<int> wakes = std::make_shared<int>(0);
  void wake(const StrategyView&, Requests& requests) noexcept {
    ++*wakes;
    requests = *next;
    next->clear();
  }
};

template <class... Strategies>
struct World {
  using E = Engine<NullProbe, std::tuple<Strategies...>>;

  InstrumentTable table{64};
  InstrumentId perp{};
  InstrumentId option{};
  EngineSetup setup{};
  TraceRing ring{1 << 16};
  std::unique_ptr<E> engine;
  Commands out;
  RecvTime now{seconds(1000).count};
  std::uint64_t seq{0};
  std::uint64_t trade{0};
  std::uint64_t generation{1};
  std::vector<Command> seen;  // every command since the last clear
  CommandDigest digest;
  std::function<void()> before_start;  // the setup is complete, the engine is made next
  std::function<void()> after_packet;  // behind the last part of what a test sends

  World() {
    perp = table.add(perpetual_definition());
    option = table.add(option_definition());
    setup.limits = wide_limits();
    // The scripted market stands still while time runs; tests of staleness set their own limits.
    setup.quality.hedge_age_max = setup.quality.option_age_max = seconds(100'000);
    setup.quality.index_age_max = setup.quality.witness_age_max = seconds(100'000);
    setup.engine.delta_one_books = 4;
    setup.engine.option_books = 4;
    setup.engine.delta_one_levels = 64;
    setup.engine.option_levels = 64;
    setup.engine.trade_ids_kept = 4096;
    setup.engine.reconcile_interval = {};  // pictures come when a test asks for them
    setup.engine.cash_unit = 0;            // the scripted balance stands still
    setup.own_account[0] = true;
    setup.venue_used[0] = true;
    setup.trace = &ring;
    setup.underlyings[0] = {perp, Numeraire::coin, currency("BTC"), the_venue};
  }

  void start(Strategies... strategies) {
    if (before_start) before_start();
    engine = std::make_unique<E>(setup, table, std::tuple<Strategies...>{strategies...});
    Boot boot;
    boot.epoch = 7;
    boot.config_hash = the_config_hash;
    send(EventKind::boot, boot);
  }
  const EngineCore& core() const { return engine->core(); }
  [[nodiscard]] ExchTime venue_time() const { return {now.mono_ns + clock_offset}; }

  void step(Event& e) {
    e.set_seq({++seq});
    engine->step(e, out);
    for (Command& c : out) {
      digest.add(c);
      seen.push_back(std::move(c));
    }
    if (after_packet && e.last_part() && e.has(event_flag::last_in_packet)) after_packet();
  }
  template <class Payload>
  void send(EventKind kind, const Payload& payload, InstrumentId instrument = {},
            std::uint8_t flags = event_flag::last_in_packet) {
    Event head = make_event(kind, the_venue, instrument, now, venue_time(), payload);
    head.add_flag(flags);
    if constexpr (sizeof(Payload) == payload_bytes) {
      step(head);
    } else {
      Event parts[event_parts_max];
      const std::size_t n = write_parts(head, payload, parts);
      for (std::size_t i = 0; i < n; ++i) step(parts[i]);
    }
  }

  // --- market
  void snapshot(InstrumentId id, double bid, double ask, double size = 100000) {
    send(EventKind::book_reset, BookReset{}, id, 0);
    level(id, Side::buy, bid, size, 0);
    level(id, Side::sell, ask, size);
    bid_ = bid;
    ask_ = ask;
  }
  void level(InstrumentId id, Side side, double at, double size,
             std::uint8_t flags = event_flag::last_in_packet) {
    BookDelta d;
    d.price = usd(at);
    d.amount = amount(size);
    d.side = side;
    send(EventKind::book_delta, d, id, flags);
  }
  // Moves the perpetual's book, mark and index around `mid`.
  void market(double mid) {
    level(perp, Side::buy, bid_, 0, 0);
    level(perp, Side::sell, ask_, 0, 0);
    bid_ = mid - 0.5;
    ask_ = mid + 0.5;
    mark(perp, mid, mid, 0);
    level(perp, Side::buy, bid_, 100000, 0);
    level(perp, Side::sell, ask_, 100000);
  }
  void mark(InstrumentId id, double at, double index,
            std::uint8_t flags = event_flag::last_in_packet) {
    Ticker t;
    t.mark = usd(at);
    t.index = usd(index);
    send(EventKind::ticker, t, id, flags);
  }
  void option_ticker(double sigma, double underlying, double index) {
    Ticker t;
    t.mark = usd(0.05);
    t.index = usd(index);
    t.underlying = usd(underlying);
    t.mark_iv_nano = usd(sigma).nano;
    send(EventKind::ticker, t, option);
  }

  // --- account
  void gateway(GatewayState state, bool cod = true) {
    GatewayStatus s;
    s.state = state;
    s.cancel_on_disconnect = cod ? 1 : 0;
    s.generation = generation;
    send(EventKind::gateway_status, s);
  }
  void clock() {
    VenueClock c;
    c.offset_ns = clock_offset;
    send(EventKind::venue_clock, c);
  }
  void reconcile(ReconcilePhase phase) {
    ReconcileMark m;
    m.phase = phase;
    m.generation = generation;
    m.as_of = venue_time();
    send(EventKind::reconcile_mark, m);
  }
  void position(InstrumentId id, double held) {
    PositionReport p;
    p.amount = amount(held);
    send(EventKind::position_report, p, id);
  }
  void operate(OperatorAction action, Mode mode = Mode::cancel, Scope scope = {},
               OperatorSource source = OperatorSource::human,
               std::uint64_t hash = the_config_hash) {
    OperatorCommand c;
    c.command_id = seq + 1;
    c.config_hash = hash;
    c.scope = scope;
    c.action = action;
    c.mode = mode;
    c.source = source;
    send(EventKind::operator_command, c);
  }
  [[nodiscard]] OperatorResult answer() const { return engine->last_operator().result; }

  // Boot to trading: session, clock, market, a picture with `perp_held` and `option_held`, arm.
  void to_armed(double mid = 50000, double perp_held = 0, double option_held = 0) {
    gateway(GatewayState::ready);
    clock();
    snapshot(perp, mid - 0.5, mid + 0.5);
    mark(perp, mid, mid);
    option_ticker(0.6, mid, mid);
    reconcile(ReconcilePhase::begin);
    position(perp, perp_held);
    position(option, option_held);
    reconcile(ReconcilePhase::complete);
    seen.clear();
    operate(OperatorAction::arm);
    ASSERT_EQ(answer(), OperatorResult::accepted);
  }

  void advance(Nanos d) { now = now + d; }
  // Time passes in steps of a millisecond, with the timer that the engine asked for.
  void run(Nanos d) {
    const RecvTime end = now + d;
    while (now < end) {
      now = std::min(end, now + milliseconds(1));
      TimerFired t;
      t.timer = engine_timer;
      send(EventKind::timer, t);
    }
  }

  // --- orders
  void ack(const PlaceOrder& o) {
    OrderAck a;
    a.order = o.order;
    a.price = o.price;
    a.amount = o.amount;
    send(EventKind::order_ack, a, o.instrument);
  }
  Fill fill_of(const PlaceOrder& o, double size) {
    Fill f;
    f.order = o.order;
    f.trade = TradeId{1, ++trade};
    f.price = o.price;
    f.amount = amount(size);
    f.side = o.side;
    return f;
  }
  void fill(const PlaceOrder& o, double size) {
    send(EventKind::fill, fill_of(o, size), o.instrument);
  }
  void done(const PlaceOrder& o, double filled, DoneReason reason = DoneReason::cancelled_by_us) {
    OrderDone d;
    d.order = o.order;
    d.filled = amount(filled);
    d.reason = reason;
    send(EventKind::order_done, d, o.instrument);
  }
  void lookup(const PlaceOrder& o, LookupOutcome outcome, double filled = 0) {
    OrderLookup l;
    l.order = o.order;
    l.outcome = outcome;
    l.filled = amount(filled);
    send(EventKind::order_lookup, l, o.instrument);
  }

  [[nodiscard]] std::vector<PlaceOrder> placed() const {
    std::vector<PlaceOrder> all;
    for (const Command& c : seen) {
      if (c.kind() == CommandKind::place) all.push_back(*c.place());
    }
    return all;
  }
  [[nodiscard]] std::size_t count(CommandKind kind) const {
    std::size_t n = 0;
    for (const Command& c : seen) n += c.kind() == kind ? 1 : 0;
    return n;
  }
  [[nodiscard]] std::size_t traced(TraceId id) {
    std::size_t n = 0;
    TraceRecord r;
    while (ring.take(r)) n += r.id == id ? 1 : 0;
    return n;
  }

 private:
  double bid_{0};
  double ask_{0};
};

}  // namespace gimbal::test
