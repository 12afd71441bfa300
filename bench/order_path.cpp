// The way out of one order, piece by piece: the risk gate with every check, the order's text, the
// TLS record around it, and the journal's append on the hot thread.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "bench/fixture.hpp"
#include "bench/messages.hpp"
#include "engine/core/risk/gate.hpp"
#include "engine/core/risk/scenario_cells.hpp"
#include "engine/quant/margin/scenario_pricer.hpp"
#include "engine/runtime/journal.hpp"
#include "engine/wire/loopback.hpp"
#include "venues/deribit/gateway.hpp"

namespace {

using namespace gimbal;

Instrument perpetual() { return bench::instrument(InstrumentKind::inverse_perpetual); }

GateContext context(const Instrument& instrument, RecvTime now) {
  GateContext c;
  c.instrument = &instrument;
  c.now = now;
  c.venue_now = ExchTime{1'700'000'000'000'000'000};
  c.mode = Mode::active;
  c.gateway_ready = c.reconciled = c.delta_known = true;
  c.mark = c.index = Price{50'000 * nano_per_unit};
  c.strategy = StrategyId{0};
  return c;
}

PlaceOrder order(std::uint32_t counter) {
  PlaceOrder p;
  p.order = make_order_id(7, StrategyId{0}, counter);
  p.price = Price{50'000 * nano_per_unit};
  p.amount = Qty{120 * nano_per_unit};
  p.valid_until = ExchTime{1'700'000'000'500'000'000};
  p.instrument = InstrumentId{0};
  return p;
}

// The account's scenarios as the engine keeps them: fifty options held, orders open on both sides
// of the perpetual and on two options.
struct Scenarios {
  static constexpr double spot = 50'000;
  ScenarioCells cells;
  quant::ScenarioPricer pricer{cells.config(), scalar_pricing()};
  InstrumentTable table{64};
  std::vector<Instrument> options;
  std::array<std::byte, scenario_block_max> bytes{};

  Scenarios() : cells{ScenarioConfig{0.16, 0.5, 0.25, 0.5, 0.3, 0.13, 1, 100'000}, 64} {
    cells.follow(UnderlyingId{0}, spot);
    for (std::uint16_t n = 0; n < 50; ++n) {
      Instrument i = bench::instrument(InstrumentKind::inverse_option);
      i.underlying = UnderlyingId{0};
      i.option = n % 2 == 0 ? OptionType::call : OptionType::put;
      i.strike = Price{(30'000 + 800 * n) * std::int64_t{nano_per_unit}};
      i.expiry = ExchTime{1};
      i.id = table.add(i);
      options.push_back(i);
      price(n, 1);
      cells.hold(i, Qty{(n % 7 - 3) * std::int64_t{nano_per_unit}});
    }
  }
  // A block of `count` rows from the option on, of one expiry.
  [[nodiscard]] ScenarioRows block(std::size_t first, std::size_t count) {
    ScenarioQuestion q;
    q.generation = cells.anchor(options[first]).generation;
    q.at = RecvTime{1};
    q.anchor = q.spot = q.forward = spot;
    q.years = 0.01 * static_cast<double>(1 + first);
    q.count = static_cast<std::uint8_t>(count);
    for (std::size_t r = 0; r < count; ++r) {
      const Instrument& i = options[first + r];
      q.instruments[r] = i.id;
      q.underlying = i.underlying;
      q.strike[r] = to_double(i.strike);
      q.sigma[r] = 0.6;
      q.sign[r] = i.option == OptionType::put ? -1.0 : 1.0;
    }
    return ScenarioRows{std::span{bytes}.first(pricer.answer(q, bytes))};
  }
  void price(std::size_t first, std::size_t count) {
    if (cells.take(block(first, count), table, RecvTime{1}) != ScenarioCells::Taken::all) {
      std::abort();
    }
  }
  // As EngineCore::gather_scenarios does for an order of the perpetual.
  [[nodiscard]] ScenarioFacts facts(double moved) const {
    const double at = spot + moved;
    auto now = cells.cells(UnderlyingId{0}, true, {at, at, -1.5, 0.5, 0.5});
    for (const std::size_t n : {std::size_t{10}, std::size_t{31}})
      cells.add_worst(now, options[n], -2, at);
    ScenarioFacts f;
    f.balance = Money{100 * nano_per_unit};
    f.known = decision_nano(cells.worst_loss(now, true, at), f.loss_before);
    cells.add_future(now, true, 0.0024, at);
    f.known = f.known && decision_nano(cells.worst_loss(now, true, at), f.loss_after);
    return f;
  }
};

RiskLimits every_limit() {
  RiskLimits l = bench::wide_limits();
  l.max_scenario_loss_bps = 9000;
  return l;
}

// A millisecond between two orders: the rate check refills, the duplicate check ages.
struct GateRun {
  Instrument instrument = perpetual();
  RiskGate gate{every_limit()};
  Scenarios scenarios;
  RecvTime now{seconds(1000).count};
  std::uint32_t n{0};

  void one() {
    now = now + milliseconds(1);
    GateContext c = context(instrument, now);
    c.intent = ++n;
    PlaceOrder p = order(n);
    p.price = Price{(50'000 + n % 50) * std::int64_t{nano_per_unit}};
    c.scenario = scenarios.facts(n % 50);
    auto answer = gate.approve(p, c);
    benchmark::DoNotOptimize(answer);
  }
};

void gate_approve(benchmark::State& state) {
  GateRun run;
  for (auto _ : state) run.one();
  if (run.gate.approved() != static_cast<std::uint64_t>(state.iterations())) {
    state.SkipWithError("an order was refused");
  }
}
BENCHMARK(gate_approve);

// The same, each by itself; two readings of the clock are in each.
void gate_approve_p99(benchmark::State& state) {
  using Clock = std::chrono::steady_clock;
  GateRun run;
  std::vector<std::int64_t> each;
  each.reserve(1'000'000);
  for (auto _ : state) {
    const Clock::time_point from = Clock::now();
    run.one();
    const auto took = std::chrono::nanoseconds{Clock::now() - from}.count();
    if (each.size() < each.capacity()) each.push_back(took);
  }
  const auto at = each.begin() + static_cast<std::ptrdiff_t>(each.size() * 99 / 100);
  std::nth_element(each.begin(), at, each.end());
  state.counters["p99_ns"] = static_cast<double>(*at);
  if (run.gate.approved() != static_cast<std::uint64_t>(state.iterations())) {
    state.SkipWithError("an order was refused");
  }
}
BENCHMARK(gate_approve_p99);

// The scenarios' share of it.
void gate_scenarios(benchmark::State& state) {
  const Scenarios s;
  double moved = 0;
  for (auto _ : state) {
    moved = moved < 50 ? moved + 1 : 0;
    benchmark::DoNotOptimize(s.facts(moved));
  }
}
BENCHMARK(gate_scenarios);

// Rows of sixteen held options come in: what an answer of the pricing thread costs the hot one.
void scenario_rows(benchmark::State& state) {
  Scenarios s;
  const ScenarioRows rows = s.block(20, 16);
  for (auto _ : state) { benchmark::DoNotOptimize(s.cells.take(rows, s.table, RecvTime{1})); }
}
BENCHMARK(scenario_rows);

struct Encoder {
  deribit::SymbolTable symbols{4};
  InstrumentTable table{4};
  deribit::UnderlyingNames coins;
  deribit::RateBudget budget{{1'000'000, 1'000'000, 1000, 1}};
  EventBatch batch{256};
  Outbox outbox;
  RecvTime now{seconds(1000).count};
  std::unique_ptr<deribit::DeribitGateway> gateway;
  Instrument instrument = perpetual();

  Encoder() {
    instrument.underlying = coins.id("BTC");
    (void)symbols.add("BTC-PERPETUAL", table.add(instrument));
    (void)budget.set_quota(0, 1000);
    gateway = std::make_unique<deribit::DeribitGateway>(bench::gateway_config(), symbols, table,
                                                        coins, budget);
    gateway->on_open(now, 1, batch, outbox);
    bench::log_in(std::string{outbox[0]}, [this](const std::string& message) {
      bench::Text text{message};
      batch.clear();
      (void)gateway->on_frame(text.frame(), now, batch, outbox);
    });
  }
};

void order_encode(benchmark::State& state) {
  Encoder e;
  RiskGate gate{bench::wide_limits()};
  auto answer = gate.approve(order(1), context(e.instrument, e.now));
  auto* approved = std::get_if<Approved<PlaceOrder>>(&answer);
  if (approved == nullptr || !e.gateway->ready()) {
    state.SkipWithError("the session or the order was refused");
    return;
  }
  std::array<char, encoded_order_max> out{};
  std::size_t bytes = 0;
  for (auto _ : state) {
    e.now = e.now + microseconds(10);
    bytes = e.gateway->encode(*approved, e.now, out).bytes;
    benchmark::DoNotOptimize(out);
  }
  if (bytes == 0) state.SkipWithError("encode refused");
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes) * state.iterations());
}
BENCHMARK(order_encode);

// An order-sized frame out, and in at the far end, without sockets.
void tls_record(benchmark::State& state) {
  std::string error;
  LoopbackPair pair = make_loopback_pair(error);
  if (pair.client == nullptr) {
    state.SkipWithError(error.c_str());
    return;
  }
  Channel::prepare_thread();
  const std::string frame(static_cast<std::size_t>(state.range(0)), 'x');
  std::array<char, 20'000> plain{};
  for (auto _ : state) {
    Channel& out = *pair.client->channel;
    Channel& in = *pair.server->channel;
    std::size_t got = 0;
    bool whole = out.write(frame);
    in.feed(out.out());
    whole = whole && in.read(plain, got) == ChannelStatus::ok && got == frame.size();
    whole = whole && in.read(plain, got) == ChannelStatus::need_more;
    out.sent(out.out().size());
    if (!whole) state.SkipWithError("the record did not arrive whole");
  }
  state.SetBytesProcessed(state.range(0) * state.iterations());
}
BENCHMARK(tls_record)->Arg(280)->Arg(1400)->Arg(16'000);

void journal_append(benchmark::State& state) {
  JournalConfig config;
  config.ring_records = 1u << 16;
  JournalWriter journal{config, JournalIdentity{}, nullptr};
  Event boot = make_event(EventKind::boot, VenueId{}, InstrumentId{}, RecvTime{1}, {}, Boot{});
  bool whole = journal.append(&boot, 1);
  Event e =
      make_event(EventKind::book_delta, VenueId{}, InstrumentId{0}, RecvTime{1}, {}, BookDelta{});
  std::size_t in_ring = 1;
  for (auto _ : state) {
    whole = journal.append(&e, 1) && whole;
    if (++in_ring < 32'768) continue;
    state.PauseTiming();
    journal.discard();
    in_ring = 0;
    state.ResumeTiming();
  }
  if (!whole) state.SkipWithError("the ring was full");
}
BENCHMARK(journal_append);

}  // namespace

BENCHMARK_MAIN();
