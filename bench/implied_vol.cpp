// Volatilities of one chain's prices, ns per option (items): from nothing, and from the last ones
// when they are off by a thousandth, by 2 % and by 20 %, for each vector target of this machine.
// With QuantLib's headers (libquantlib0-dev, not among the packages that set-up installs) its
// Newton beside them, from the same starts and to its own default accuracy. Bar: 20 times QuantLib.
#include <benchmark/benchmark.h>

#ifdef GIMBAL_WITH_QUANTLIB
#include <ql/pricingengines/blackformula.hpp>
#endif

#include <array>
#include <string>

#include "engine/core/math.hpp"
#include "engine/core/pricing.hpp"
#include "engine/quant/implied_vols.hpp"

namespace {

using namespace gimbal;
using namespace gimbal::quant;

constexpr std::size_t rows = 512;
using Column = std::array<double, rows>;

// Out of the money from 0.5 to 2 times the forward, four expiries from two days to nine months.
struct Chain {
  Column forward{}, strike{}, years{}, discount{}, price{}, sign{}, warm{}, sigma{};
  std::array<VolStatus, rows> status{};

  explicit Chain(double off) {
    constexpr std::array<double, 4> expiries{2.0 / 365, 14.0 / 365, 60.0 / 365, 270.0 / 365};
    unsigned noise = 1;
    for (std::size_t i = 0; i < rows; ++i) {
      const double t = expiries[i % expiries.size()];
      // Out to where prices still are, the further the longer.
      const double side = 2.0 * static_cast<double>(i) / (rows - 1) - 1.0;
      const double k = 2.5 * side * 0.6 * math::sqrt(t);
      const double vol = 0.6 - 0.15 * k + 0.4 * k * k;
      noise = noise * 1664525U + 1013904223U;
      forward[i] = 63250;
      strike[i] = forward[i] * math::exp(k);
      years[i] = t;
      discount[i] = 1;
      sign[i] = k < 0 ? -1.0 : 1.0;
      OptionTerms o;
      o.type = k < 0 ? OptionType::put : OptionType::call;
      o.forward = forward[i];
      o.strike = strike[i];
      o.years = t;
      o.sigma = vol;
      price[i] = price_linear(o).price;
      warm[i] = vol * (1 + off * ((noise >> 16) % 2 == 0 ? 1 : -1));
    }
  }
  [[nodiscard]] VolColumns in() const {
    return {forward.data(), strike.data(), years.data(), discount.data(),
            price.data(),   sign.data(),   warm.data()};
  }
};

void items(benchmark::State& state) {
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(rows));
}

void warm(benchmark::State& state, WarmVol target, double off) {
  Chain c{off};
  std::size_t slow = 0;
  for (auto _ : state) {
    slow = implied_vols(target, c.in(), rows, c.sigma.data(), c.status.data());
    benchmark::ClobberMemory();
  }
  items(state);
  state.counters["scalar_rows"] = static_cast<double>(slow);
}

void cold(benchmark::State& state) {
  Chain c{0};
  for (auto _ : state) {
    for (std::size_t i = 0; i < rows; ++i) {
      const OptionType type = c.sign[i] > 0 ? OptionType::call : OptionType::put;
      c.sigma[i] =
          implied_vol({type, c.forward[i], c.strike[i], c.years[i], c.discount[i], c.price[i]})
              .sigma;
    }
    benchmark::ClobberMemory();
  }
  items(state);
}

#ifdef GIMBAL_WITH_QUANTLIB
void quantlib(benchmark::State& state, double off) {
  Chain c{off};
  for (auto _ : state) {
    for (std::size_t i = 0; i < rows; ++i) {
      const double root = math::sqrt(c.years[i]);
      const auto type = c.sign[i] > 0 ? QuantLib::Option::Call : QuantLib::Option::Put;
      c.sigma[i] = QuantLib::blackFormulaImpliedStdDev(type, c.strike[i], c.forward[i], c.price[i],
                                                       c.discount[i], 0.0, c.warm[i] * root) /
                   root;
    }
    benchmark::ClobberMemory();
  }
  items(state);
}
#endif

void add(const std::string& name, double off) {
  for (const WarmVol& v : warm_vol_targets()) {
    const std::string full = "implied_vol_warm_" + name + "/" + std::string{v.target};
    benchmark::RegisterBenchmark(full.c_str(), [v, off](benchmark::State& s) { warm(s, v, off); });
  }
  const WarmVol twin = warm_vol_twin();
  benchmark::RegisterBenchmark(("implied_vol_warm_" + name + "/scalar").c_str(),
                               [twin, off](benchmark::State& s) { warm(s, twin, off); });
#ifdef GIMBAL_WITH_QUANTLIB
  benchmark::RegisterBenchmark(("implied_vol_warm_" + name + "/quantlib").c_str(),
                               [off](benchmark::State& s) { quantlib(s, off); });
#endif
}

}  // namespace

int main(int argc, char** argv) {
  add("0.1_percent", 0.001);
  add("2_percent", 0.02);
  add("20_percent", 0.2);
  benchmark::RegisterBenchmark("implied_vol_cold/scalar", [](benchmark::State& s) { cold(s); });
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
