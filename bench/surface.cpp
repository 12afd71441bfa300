// One volatility slice of 40 strikes: warm (from the last parameters, quotes moved a little), warm
// and held below a later expiry, cold, and the two arbitrage checks alone. Bar: warm at most 50 us.
#include <benchmark/benchmark.h>

#include <array>
#include <vector>

#include "engine/core/math.hpp"
#include "engine/quant/surface/slice_fit.hpp"

namespace {

using namespace gimbal;
using namespace gimbal::quant;

constexpr Svi before{0.0160, 0.085, -0.22, 0.015, 0.15};
constexpr Svi slice{0.0480, 0.120, -0.25, 0.020, 0.25};
constexpr Svi after{0.0950, 0.160, -0.28, 0.030, 0.40};
// Flatter in the wings than the slice by itself: the fit has to give way.
constexpr Svi close_after{0.0500, 0.1195, -0.25, 0.020, 0.25};
constexpr double slice_years = 90.0 / 365.0;
constexpr std::size_t strikes = 40;
constexpr std::size_t moves = 16;

// The slice's volatilities to the tenth of a point, half a point wide, level and skew moved by what
// a second brings, and every quote by a noise of its own.
std::array<std::vector<VolQuote>, moves> quotes() {
  std::array<std::vector<VolQuote>, moves> out;
  unsigned noise = 1;
  for (std::size_t move = 0; move < moves; ++move) {
    const double level = 0.0005 * (static_cast<double>(move % 5) - 2.0);
    for (std::size_t i = 0; i < strikes; ++i) {
      const double k = -0.8 + 1.6 * static_cast<double>(i) / (strikes - 1);
      noise = noise * 1664525U + 1013904223U;
      const double own = 0.002 * (static_cast<double>(noise >> 16) / 65536.0 - 0.5);
      const double vol =
          math::sqrt(svi_at(slice, k).w / slice_years) + level * (1.0 + 0.2 * k) + own;
      const double spread = 0.005 + 0.02 * math::abs(k);
      out[move].push_back({k, vol, vol - spread / 2, vol + spread / 2, 1.0 / spread});
    }
  }
  return out;
}

void svi_fit(benchmark::State& state, bool warm, const Svi& next) {
  const auto sets = quotes();
  Svi last = slice;
  std::size_t move = 0;
  std::int64_t refused = 0;
  double evaluations = 0;
  for (auto _ : state) {
    const SliceFit now =
        fit_slice({slice_years, sets[move]}, {}, warm ? &last : nullptr, {&before, &next});
    refused += now.verdict == SliceVerdict::accepted ? 0 : 1;
    evaluations += now.evaluations;
    last = now.svi;
    move = (move + 1) % moves;
  }
  state.counters["refused"] = static_cast<double>(refused);
  state.counters["evaluations"] =
      benchmark::Counter(evaluations, benchmark::Counter::kAvgIterations);
}

void svi_butterfly(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(check_butterfly(slice));
}
void svi_calendar(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(check_calendar(before, slice));
}

BENCHMARK_CAPTURE(svi_fit, warm_40_strikes, true, after)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(svi_fit, warm_40_strikes_held, true, close_after)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(svi_fit, cold_40_strikes, false, after)->Unit(benchmark::kMicrosecond);
BENCHMARK(svi_butterfly)->Unit(benchmark::kMicrosecond);
BENCHMARK(svi_calendar)->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
