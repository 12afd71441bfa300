// The way out of one order, piece by piece: the risk gate with every check, the order's text, the
// TLS record around it, and the journal's append on the hot thread.
#include <benchmark/benchmark.h>

#include <array>
#include <memory>
#include <string>
#include <variant>

#include "bench/fixture.hpp"
#include "bench/messages.hpp"
#include "engine/core/risk/gate.hpp"
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

// A millisecond between two orders: the rate check refills, the duplicate check ages.
void gate_approve(benchmark::State& state) {
  const Instrument instrument = perpetual();
  RiskGate gate{bench::wide_limits()};
  RecvTime now{seconds(1000).count};
  std::uint32_t n = 0;
  for (auto _ : state) {
    now = now + milliseconds(1);
    GateContext c = context(instrument, now);
    c.intent = ++n;
    PlaceOrder p = order(n);
    p.price = Price{(50'000 + n % 50) * std::int64_t{nano_per_unit}};
    auto answer = gate.approve(p, c);
    benchmark::DoNotOptimize(answer);
  }
  if (gate.approved() != static_cast<std::uint64_t>(state.iterations())) {
    state.SkipWithError("an order was refused");
  }
}
BENCHMARK(gate_approve);

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

// An order-sized frame out, and in at the far end, through OpenSSL without sockets.
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
