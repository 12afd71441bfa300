// Pricing kernels: the scalar twin and each vector target of this machine, ns per option (items).
// With QuantLib's headers (libquantlib0-dev, not among the packages that set-up installs) its
// BlackCalculator beside them: price and five Greeks, of a calculator made for each option, as a
// user of it must.
#include <benchmark/benchmark.h>

#ifdef GIMBAL_WITH_QUANTLIB
#include <ql/pricingengines/blackcalculator.hpp>
#endif

#include <array>
#include <string>

#include "engine/core/math.hpp"
#include "engine/quant/vector_pricing.hpp"

namespace {

using namespace gimbal;

constexpr std::size_t rows = 512;
using Column = std::array<double, rows>;

struct Book {
  alignas(64) Column strike{};
  alignas(64) Column sigma{};
  alignas(64) Column sign{};
  alignas(64) Column log_strike{};
  alignas(64) Column half_sd{};
  alignas(64) std::array<Column, 8> out{};
  alignas(64) std::array<Column, 3> tick{};

  Book() {
    for (std::size_t i = 0; i < rows; ++i) {
      strike[i] = 40000.0 + 100.0 * static_cast<double>(i);
      sigma[i] = 0.4 + 0.001 * static_cast<double>(i);
      sign[i] = i % 2 == 0 ? 1.0 : -1.0;
      log_strike[i] = math::log(strike[i]);
      half_sd[i] = 0.5 * sigma[i] * math::sqrt(0.08);
    }
  }
};

void full(benchmark::State& state, PricingKernels k) {
  static Book b;
  BucketPoint at{63250, 0.08, 0, 1};
  for (auto _ : state) {
    at.forward += 1e-3;
    k.full(at, {b.strike.data(), b.sigma.data(), b.sign.data()},
           {b.out[0].data(), b.out[1].data(), b.out[2].data(), b.out[3].data(), b.out[4].data(),
            b.out[5].data(), b.out[6].data(), b.out[7].data()},
           rows);
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(rows));
}

void tick(benchmark::State& state, PricingKernels k) {
  static Book b;
  for (std::size_t i = 0; i < rows; ++i) b.out[7][i] = 0.5 / b.half_sd[i];
  BucketPoint at{63250, 0.08, 0, 1};
  for (auto _ : state) {
    at.forward += 1e-3;
    k.tick(at,
           {b.strike.data(), b.sign.data(), b.log_strike.data(), b.out[7].data(), b.half_sd.data()},
           {b.tick[0].data(), b.tick[1].data(), b.tick[2].data()}, rows);
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(rows));
}

#ifdef GIMBAL_WITH_QUANTLIB
void quantlib(benchmark::State& state) {
  static Book b;
  constexpr double years = 0.08;
  double forward = 63250;
  for (auto _ : state) {
    forward += 1e-3;
    for (std::size_t i = 0; i < rows; ++i) {
      const auto type = b.sign[i] > 0 ? QuantLib::Option::Call : QuantLib::Option::Put;
      const QuantLib::BlackCalculator c{type, b.strike[i], forward, 2 * b.half_sd[i], 1.0};
      b.out[0][i] = c.value();
      b.out[1][i] = c.deltaForward();
      b.out[2][i] = c.gammaForward();
      b.out[3][i] = c.vega(years);
      b.out[4][i] = c.theta(forward, years);
      b.out[5][i] = c.rho(years);
    }
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(rows));
}
#endif

void add(const std::string& target, PricingKernels k) {
  benchmark::RegisterBenchmark(("pricing_full/" + target).c_str(),
                               [k](benchmark::State& s) { full(s, k); });
  benchmark::RegisterBenchmark(("pricing_tick/" + target).c_str(),
                               [k](benchmark::State& s) { tick(s, k); });
}

}  // namespace

int main(int argc, char** argv) {
  add("scalar", scalar_pricing());
  for (const auto& v : quant::vector_pricing_targets()) add(std::string{v.target}, v.kernels);
#ifdef GIMBAL_WITH_QUANTLIB
  benchmark::RegisterBenchmark("pricing_full/quantlib", quantlib);
#endif
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
