// Push and pop of one 64-byte event on the same core: what a hop costs without the cache transfer.
#include <benchmark/benchmark.h>

#include "engine/core/event.hpp"
#include "engine/runtime/ring.hpp"

namespace {

void ring_push_pop(benchmark::State& state) {
  gimbal::SpscRing<gimbal::Event> ring{1024};
  gimbal::Event event{};
  for (auto _ : state) {
    benchmark::DoNotOptimize(ring.push(event));
    benchmark::DoNotOptimize(ring.pop_into(event));
  }
}
BENCHMARK(ring_push_pop);

}  // namespace

BENCHMARK_MAIN();
