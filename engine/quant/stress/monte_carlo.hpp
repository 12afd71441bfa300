// Monte Carlo of correlated diffusions with common and own jumps, and what a portfolio loses under
// it.
//
// Room: engine/quant, cold; owns threads while it runs. Source: ops/docs/risk.md, section 4.3
// (Merton 1976 jumps). The profit of path p depends on seed, p and the inputs only: the same bits
// for any number of threads.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/quant/stress/measures.hpp"
#include "engine/quant/stress/portfolio.hpp"

namespace gimbal::quant {

// Log jumps ~ N(mean, deviation^2); `per_year` of them on average.
struct Jumps {
  double per_year{0};
  double mean{0};
  double deviation{0};
};

// d ln S_i = -sigma_i^2/2 dt + sigma_i dW_i + J_i dN_0 + K_i dN_i. Each common jump multiplies
// every implied volatility by (1 + vol_jump); a log move x adds vol_of_move x to the log of implied
// volatility. Jumps are not compensated: a negative mean is a negative drift.
struct Dynamics {
  std::vector<double> correlation;       // of dW, row by row
  double common_per_year{0};             // intensity of N_0
  std::vector<Jumps> common;             // per_year unused; one per underlying
  std::vector<double> jump_correlation;  // of J, row by row
  std::vector<Jumps> own;                // one per underlying
  double vol_jump{0};
  double vol_of_move{0};
};
// What is wrong with them for that many underlyings, empty if nothing: sizes, ranges, and that both
// correlations are positive semidefinite with 1 on the diagonal.
[[nodiscard]] std::string fault_of(const Dynamics& d, std::size_t underlyings);

struct SimulationRequest {
  double years{1.0 / 365};
  std::uint64_t seed{1};
  std::size_t paths{100'000};  // even: every second path mirrors the one before
  std::size_t threads{1};
  std::function<void(double share)> progress;  // may be empty
};

struct Simulation {
  double years{0};
  std::vector<double> profits;  // ascending, USD
  Moments moments;
  std::vector<TailRisk> tail;  // at 97.5 and 99 %
  // Shares of the paths that end beyond the liquidating prices of each account (vol unchanged).
  std::vector<double> breach_share;
  // Without jumps and volatility moves, second order in the move: what Cornish and Fisher (1938)
  // give.
  Moments delta_gamma;
  double delta_gamma_var99{0};
};
[[nodiscard]] Simulation simulate(const Repricer& repricer, const Dynamics& dynamics,
                                  const SimulationRequest& request);

}  // namespace gimbal::quant
