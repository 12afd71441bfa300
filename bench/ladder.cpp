// What the liquidation ladder adds to a wake of the engine: one change of the perpetual's book,
// stepped without a ladder, with one on standard and with one on portfolio margin, over an account
// of fifty options, half of them sold. Nothing is ordered: its health is good. `wake` is the whole
// step, `to_orders` the part of it that an order of another strategy waits for.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <tuple>
#include <vector>

#include "bench/fixture.hpp"
#include "engine/core/engine.hpp"
#include "engine/quant/margin/same_thread_pricer.hpp"
#include "strategies/liquidation/liquidation.hpp"

namespace {

using namespace gimbal;

enum class Ladders : int { none, standard, portfolio };

constexpr double spot = 50'000;
constexpr std::int64_t clock_offset = 1'800'000'000'000'000'000;

template <class Unit>
Unit nano(double v) {
  return Unit{static_cast<std::int64_t>(std::llround(v * 1e9))};
}

class Account {
 public:
  Account(Ladders ladder, int options) {
    Instrument p = bench::instrument(InstrumentKind::inverse_perpetual);
    p.underlying = UnderlyingId{0};
    p.venue = VenueId{0};
    perpetual_ = table_.add(p);
    for (int n = 0; n < options; ++n) {
      Instrument i = p;
      i.kind = InstrumentKind::inverse_option;
      i.option = n % 2 == 0 ? OptionType::call : OptionType::put;
      i.strike = nano<Price>(30'000 + 40'000.0 * n / options);
      i.expiry = ExchTime{clock_offset} + seconds(86'400 * (7 + 7 * (n % 8)));
      i.ticks.base = nano<Price>(0.0001);
      i.lot = i.amount_min = nano<Qty>(0.1);
      i.contract_size = nano<Qty>(1);
      options_.push_back(table_.add(i));
    }
    EngineSetup s;
    s.limits = bench::wide_limits();
    s.quality.hedge_age_max = s.quality.option_age_max = seconds(1'000'000);
    s.quality.index_age_max = s.quality.witness_age_max = seconds(1'000'000);
    s.engine.delta_one_books = s.engine.option_books = 4;
    s.engine.delta_one_levels = s.engine.option_levels = 64;
    s.engine.reconcile_interval = {};
    s.own_account[0] = s.venue_used[0] = true;
    s.underlyings[0] = {perpetual_, Numeraire::coin, currency("BTC"), VenueId{0}};
    s.scenarios = {
        0.16,  0.5,  0.25, 0.5, 0.3, 0.13, 1, 100'000, seconds(100'000), seconds(100'000),
        0.075, 0.01, 5e-5, 0.1, 2e7, 0.8};
    Liquidation l{StrategyId{0}};
    if (ladder != Ladders::none) {
      LiquidationConfig c;
      c.underlying = "BTC";
      c.future_maintenance = 0.01;
      c.future_per_coin = 0.00005;
      c.option_maintenance = 0.075;
      c.slice_usd_max = nano<Money>(1e6);
      c.data_age_max = c.report_age_max = seconds(100'000);
      c.margin_model =
          ladder == Ladders::portfolio ? LadderMargin::portfolio : LadderMargin::standard;
      if (!l.add(c, UnderlyingId{0}, perpetual_).empty()) std::abort();
    }
    pricer_ = std::make_unique<quant::SameThreadPricer>(s);
    pricer_->wire(s);
    engine_ = std::make_unique<E>(s, table_, std::tuple<Liquidation>{l});
    begin();
  }
  // One change of the best bid.
  void tick() {
    next();
    level(Side::buy, spot - 0.5, 100'000 + 10.0 * static_cast<double>(ticks_ % 7));
  }
  // The same; seconds that its first part took.
  double first_part() {
    next();
    BookDelta d;
    d.price = nano<Price>(spot - 0.5);
    d.amount = nano<Qty>(100'000 + 10.0 * static_cast<double>(ticks_ % 7));
    d.side = Side::buy;
    Event part[event_parts_max];
    (void)write_parts(head(EventKind::book_delta, perpetual_), d, part);
    part[0].set_seq({++seq_});
    const auto from = std::chrono::steady_clock::now();
    engine_->begin(part[0], out_);
    const auto to = std::chrono::steady_clock::now();
    engine_->rest(out_);
    return std::chrono::duration<double>(to - from).count();
  }
  void next() {
    now_ = now_ + Nanos{10'000};  // a run is some seconds: no option ages
    ++ticks_;
  }
  [[nodiscard]] const LiquidationState& state() const {
    return std::get<0>(engine_->strategies()).state(0);
  }

 private:
  using E = Engine<NullProbe, std::tuple<Liquidation>>;

  Event head(EventKind kind, InstrumentId id) const {
    Event e;
    e.set_kind(kind);
    e.add_flag(event_flag::last_in_packet);
    e.venue = VenueId{0};
    e.instrument = id;
    e.recv = now_;
    e.exch = ExchTime{now_.mono_ns + clock_offset};
    return e;
  }
  template <class Payload>
  void send(EventKind kind, const Payload& payload, InstrumentId id = {}) {
    Event parts[event_parts_max];
    const std::size_t n = write_parts(head(kind, id), payload, parts);
    for (std::size_t i = 0; i < n; ++i) {
      parts[i].set_seq({++seq_});
      engine_->step(parts[i], out_);
    }
    SideBlockRef ref;
    while (kind != EventKind::side_block && pricer_->answer(ref)) send(EventKind::side_block, ref);
  }
  void level(Side side, double at, double size) {
    BookDelta d;
    d.price = nano<Price>(at);
    d.amount = nano<Qty>(size);
    d.side = side;
    send(EventKind::book_delta, d, perpetual_);
  }
  void ticker(InstrumentId id, double mark, double sigma) {
    Ticker t;
    t.mark = nano<Price>(mark);
    t.index = t.underlying = nano<Price>(spot);
    t.mark_iv_nano = nano<Price>(sigma).nano;
    send(EventKind::ticker, t, id);
  }
  void held(InstrumentId id, double size) {
    PositionReport p;
    p.amount = nano<Qty>(size);
    send(EventKind::position_report, p, id);
  }
  void mark(ReconcilePhase phase) {
    ReconcileMark m;
    m.phase = phase;
    m.generation = 1;
    m.as_of = ExchTime{now_.mono_ns + clock_offset};
    send(EventKind::reconcile_mark, m);
  }
  void begin() {
    Boot boot;
    boot.epoch = 7;
    boot.config_hash = 1;
    send(EventKind::boot, boot);
    MarginReport m;
    m.settlement = currency("BTC");
    m.equity = m.balance = m.margin_balance = nano<Money>(100'000);
    m.maintenance_margin = nano<Money>(1);
    send(EventKind::margin_report, m);
    GatewayStatus g;
    g.state = GatewayState::ready;
    g.cancel_on_disconnect = 1;
    g.generation = 1;
    send(EventKind::gateway_status, g);
    VenueClock c;
    c.offset_ns = clock_offset;
    send(EventKind::venue_clock, c);
    send(EventKind::book_reset, BookReset{}, perpetual_);
    level(Side::buy, spot - 0.5, 100'000);
    level(Side::sell, spot + 0.5, 100'000);
    ticker(perpetual_, spot, 0);
    for (const InstrumentId id : options_) ticker(id, 0.05, 0.6);
    mark(ReconcilePhase::begin);
    held(perpetual_, 100'000);
    double sign = 1;
    for (const InstrumentId id : options_) held(id, sign = -sign);
    mark(ReconcilePhase::complete);
    OperatorCommand a;
    a.command_id = 1;
    a.config_hash = 1;
    a.action = OperatorAction::arm;
    a.source = OperatorSource::human;
    send(EventKind::operator_command, a);
    for (int n = 0; n < 40; ++n) {  // every row priced, every pass whole
      for (const InstrumentId id : options_) ticker(id, 0.05, 0.6);
      tick();
    }
  }

  InstrumentTable table_{128};
  InstrumentId perpetual_{};
  std::vector<InstrumentId> options_{};
  std::unique_ptr<quant::SameThreadPricer> pricer_{};
  std::unique_ptr<E> engine_{};
  Commands out_{};
  RecvTime now_{seconds(1000).count};
  std::uint64_t seq_{0};
  std::uint64_t ticks_{0};
};

void wake(benchmark::State& state) {
  const auto ladder = static_cast<Ladders>(state.range(0));
  Account account{ladder, static_cast<int>(state.range(1))};
  for (auto _ : state) account.tick();
  if (ladder == Ladders::none) return state.SetLabel("no ladder");
  const LiquidationState& s = account.state();
  if (!s.usable || (ladder == Ladders::portfolio) != (s.model == LadderMargin::portfolio)) {
    state.SkipWithError("the own numbers are not usable");
  }
  state.SetLabel(ladder == Ladders::portfolio ? "portfolio margin" : "standard margin");
}
BENCHMARK(wake)->ArgsProduct({{0, 1, 2}, {8, 50}});

void to_orders(benchmark::State& state) {
  Account account{static_cast<Ladders>(state.range(0)), static_cast<int>(state.range(1))};
  std::vector<double> seconds;
  for (auto _ : state) {
    seconds.push_back(account.first_part());
    state.SetIterationTime(seconds.back());
  }
  // The host may be shared: half of the ticks were not disturbed.
  std::ranges::nth_element(seconds, seconds.begin() + static_cast<long>(seconds.size() / 2));
  state.counters["median_ns"] = 1e9 * seconds[seconds.size() / 2];
}
BENCHMARK(to_orders)->ArgsProduct({{0, 1, 2}, {50}})->UseManualTime()->Iterations(400'000);

}  // namespace

BENCHMARK_MAIN();
