// What a move of the underlying costs the portfolio: the reference-point update and the reading of
// the risk, for books of 10 to 16,000 held options (the table's limit is 16,384 instruments). It
// must not grow with the book. `portfolio_scratch` prices the same book anew, which is what the
// update replaces.
#include <benchmark/benchmark.h>

#include <memory>

#include "engine/core/portfolio.hpp"
#include "engine/core/pricing.hpp"

namespace {

using namespace gimbal;

constexpr UnderlyingId btc{0};
constexpr ExchTime start{1'789'344'000'000'000'000};
constexpr std::int64_t days = 86'400;
constexpr double level = 60'000;
constexpr int expiries = 4;

Price usd(double value) { return Price{static_cast<std::int64_t>(value * nano_per_unit)}; }

// Calls and puts in turn, strikes from half to twice the forward, 1 to 181 days.
struct Book {
  InstrumentTable table;
  std::unique_ptr<Portfolio> portfolio;

  explicit Book(std::int64_t options) {
    portfolio = std::make_unique<Portfolio>(table);
    RecvTime now{1'000'000'000};
    portfolio->on_clock(now, start);
    portfolio->on_perpetual_mid(btc, usd(level), start, now);
    for (std::int64_t i = 0; i < options; ++i) {
      Instrument o;
      o.kind = InstrumentKind::inverse_option;
      o.state = InstrumentState::open;
      o.underlying = btc;
      o.option = i % 2 == 0 ? OptionType::call : OptionType::put;
      o.expiry = start + seconds(days * (1 + 60 * (i % expiries)));
      o.strike = usd(level * (0.5 + 1.5 * static_cast<double>(i) / static_cast<double>(options)));
      o.settlement = currency("BTC");
      o.ticks.base = Price{100'000};
      o.lot = o.amount_min = o.contract_size = Qty{nano_per_unit / 10};
      const InstrumentId id = table.add(o);
      portfolio->list(id);
      portfolio->set_position(id, Qty{nano_per_unit / 10 * (i % 3 == 0 ? 1 : -1)});
      portfolio->on_option_ticker(id, 600'000'000, usd(level), Price{}, start, now);
    }
    portfolio->reprice(btc);
  }
};

void portfolio_tick(benchmark::State& state) {
  Book book{state.range(0)};
  const RecvTime now{1'000'000'000};
  const std::uint64_t before = book.portfolio->work().reprices;
  bool up = false;
  for (auto _ : state) {
    up = !up;
    book.portfolio->on_perpetual_mid(btc, usd(up ? level + 0.5 : level), start, now);
    benchmark::DoNotOptimize(book.portfolio->risk(btc));
  }
  state.SetItemsProcessed(state.iterations());
  state.counters["reprices"] = static_cast<double>(book.portfolio->work().reprices - before);
}
BENCHMARK(portfolio_tick)->Arg(10)->Arg(1000)->Arg(16'000);

void portfolio_scratch(benchmark::State& state) {
  Book book{state.range(0)};
  for (auto _ : state) {
    book.portfolio->reprice(btc);
    benchmark::DoNotOptimize(book.portfolio->risk(btc));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(portfolio_scratch)->Arg(10)->Arg(1000)->Arg(16'000);

}  // namespace

BENCHMARK_MAIN();
