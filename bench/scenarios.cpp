// 35 scenarios of 1,000 options, as the pricing thread computes them (items: options), beside the
// scalar twin; and what a group of sixteen costs.
#include <benchmark/benchmark.h>

#include <array>
#include <string>
#include <vector>

#include "engine/quant/margin/scenario_pricer.hpp"
#include "engine/quant/vector_pricing.hpp"

namespace {

using namespace gimbal;

ScenarioConfig moves() { return {0.16, 0.5, 0.25, 0.5, 0.3, 0.13, 1, 100'000}; }

// Options of 25 expiries, 40 strikes each, in groups.
std::vector<ScenarioQuestion> questions(std::size_t options) {
  std::vector<ScenarioQuestion> all;
  for (std::size_t n = 0; n < options; n += scenario_rows_max) {
    ScenarioQuestion q;
    q.underlying = UnderlyingId{0};
    q.at = RecvTime{1};
    q.generation = 1;
    q.anchor = 60'000;
    q.spot = 60'100;
    q.years = 0.01 * static_cast<double>(1 + n / 40);
    q.forward = 60'100 * (1 + 0.05 * q.years);
    q.count = scenario_rows_max;
    for (std::size_t r = 0; r < scenario_rows_max; ++r) {
      q.instruments[r] = InstrumentId{static_cast<std::uint16_t>(n + r)};
      q.strike[r] = 30'000 + 1500.0 * static_cast<double>((n + r) % 40);
      q.sigma[r] = 0.4 + 0.01 * static_cast<double>((n + r) % 40);
      q.sign[r] = r % 2 == 0 ? 1 : -1;
    }
    all.push_back(q);
  }
  return all;
}

void grid(benchmark::State& state, PricingKernels k) {
  const auto options = static_cast<std::size_t>(state.range(0));
  std::vector<ScenarioQuestion> asked = questions(options);
  quant::ScenarioPricer pricer{moves(), k};
  // As they leave: one block a group, to be copied into a slot of the pool.
  std::vector<std::array<std::byte, scenario_block_max>> blocks(asked.size());
  for (auto _ : state) {
    for (std::size_t n = 0; n < asked.size(); ++n) {
      asked[n].spot += 1e-3;
      benchmark::DoNotOptimize(pricer.answer(asked[n], blocks[n]));
    }
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(options));
}

void add(const std::string& target, PricingKernels k) {
  benchmark::RegisterBenchmark(("scenario_grid/" + target).c_str(),
                               [k](benchmark::State& s) { grid(s, k); })
      ->Arg(16)
      ->Arg(1000)
      ->Unit(benchmark::kMicrosecond);
}

}  // namespace

int main(int argc, char** argv) {
  add("scalar", scalar_pricing());
  for (const auto& v : quant::vector_pricing_targets()) add(std::string{v.target}, v.kernels);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
