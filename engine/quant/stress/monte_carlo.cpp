#include "engine/quant/stress/monte_carlo.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "engine/core/math.hpp"
#include "engine/quant/stress/philox.hpp"
#include "engine/quant/stress/pool.hpp"

namespace gimbal::quant {

namespace {

constexpr std::size_t block_paths = 2048;
constexpr double intensity_max = 1000;  // jumps a year
constexpr double z99 = -2.3263478740408408;
constexpr std::array<double, 2> confidences{0.975, 0.99};

// Lower triangle with L L' = c; false when c is not positive semidefinite.
bool cholesky(const std::vector<double>& c, std::size_t n, std::vector<double>& lower) {
  lower.assign(n * n, 0.0);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      double sum = c[i * n + j];
      for (std::size_t k = 0; k < j; ++k) sum -= lower[i * n + k] * lower[j * n + k];
      if (i == j) {
        if (sum < -1e-12) return false;
        lower[i * n + i] = math::sqrt(std::max(sum, 0.0));
      } else {
        const double pivot = lower[j * n + j];
        if (pivot == 0 && math::abs(sum) > 1e-9) return false;
        lower[i * n + j] = pivot > 0 ? sum / pivot : 0.0;
      }
    }
  }
  return true;
}

std::string fault_of_correlation(const std::vector<double>& c, std::size_t n, const char* name) {
  if (c.size() != n * n) return std::string{name} + " must be a square over the underlyings";
  for (std::size_t i = 0; i < n; ++i) {
    if (c[i * n + i] != 1.0) return std::string{name} + " must have 1 on its diagonal";
    for (std::size_t j = 0; j < n; ++j) {
      if (!(math::abs(c[i * n + j]) <= 1) || c[i * n + j] != c[j * n + i]) {
        return std::string{name} + " must be symmetric, entries within -1 and 1";
      }
    }
  }
  std::vector<double> lower;
  return cholesky(c, n, lower) ? "" : std::string{name} + " is not positive semidefinite";
}

// One path's shocks. `scratch` has room for two normals per underlying.
class Generator {
 public:
  Generator(const Portfolio& portfolio, const Dynamics& d, double years)
      : portfolio_{portfolio}, d_{d}, years_{years}, n_{portfolio.underlyings.size()} {
    cholesky(d.correlation, n_, diffusion_);
    cholesky(d.jump_correlation, n_, jump_);
  }

  // The draws come in a fixed order and number, but for the own jumps' sizes.
  void shocks(PathDraws draws, std::vector<double>& scratch, std::vector<Shock>& out) const {
    const double root = math::sqrt(years_);
    const int common = draws.poisson(d_.common_per_year * years_);
    for (std::size_t i = 0; i < 2 * n_; ++i) scratch[i] = draws.normal();
    for (std::size_t i = 0; i < n_; ++i) {
      const double sigma = portfolio_.underlyings[i].sigma;
      double x = -0.5 * sigma * sigma * years_ + sigma * root * mix(diffusion_, scratch, i, 0);
      x += sized(d_.common[i], common, mix(jump_, scratch, i, n_));
      const int own = draws.poisson(d_.own[i].per_year * years_);
      x += sized(d_.own[i], own, own > 0 ? draws.normal() : 0.0);
      const double log_vol = common * math::log(1.0 + d_.vol_jump) + d_.vol_of_move * x;
      out[i] = {math::exp(x) - 1.0, math::exp(log_vol) - 1.0, years_};
    }
  }

 private:
  // The sum of n jumps is normal: one draw for all of them.
  static double sized(const Jumps& j, int n, double z) {
    return n > 0 ? n * j.mean + j.deviation * math::sqrt(n) * z : 0.0;
  }
  double mix(const std::vector<double>& lower, const std::vector<double>& z, std::size_t row,
             std::size_t from) const {
    double sum = 0;
    for (std::size_t k = 0; k <= row; ++k) sum += lower[row * n_ + k] * z[from + k];
    return sum;
  }

  const Portfolio& portfolio_;
  const Dynamics& d_;
  double years_;
  std::size_t n_;
  std::vector<double> diffusion_;
  std::vector<double> jump_;
};

// Moves at which each account is liquidated: below and above; beyond reach where there is none.
std::vector<std::array<double, 2>> breach_moves(const Portfolio& p) {
  std::vector<std::array<double, 2>> moves;
  for (const Account& a : p.accounts) {
    std::array<double, 2> both{-1.0, 1e300};
    if (a.margin && a.has_equity) {
      const LiquidationDistance d = liquidation_distance(*a.margin(a.book), 0, 0);
      if (d.below.exists) both[0] = d.below.move;
      if (d.above.exists) both[1] = d.above.move;
    }
    moves.push_back(both);
  }
  return moves;
}

Moments second_order(const Repricer& repricer, const Dynamics& dynamics, double years) {
  const Portfolio& p = repricer.portfolio();
  const std::size_t n = p.underlyings.size();
  std::vector<double> d(n);
  std::vector<double> g(n);
  std::vector<double> cov(n * n);
  constexpr double h = 1e-4;
  const std::vector<Shock> still(n, Shock{0, 0, years});
  const double theta = repricer.profit(still);
  for (std::size_t i = 0; i < n; ++i) {
    std::vector<Shock> up = still;
    std::vector<Shock> down = still;
    up[i].move = math::exp(h) - 1.0;
    down[i].move = math::exp(-h) - 1.0;
    const double a = repricer.profit(up) - theta;
    const double b = repricer.profit(down) - theta;
    d[i] = (a - b) / (2 * h);
    g[i] = (a + b) / (h * h);
    for (std::size_t j = 0; j < n; ++j) {
      cov[i * n + j] =
          dynamics.correlation[i * n + j] * p.underlyings[i].sigma * p.underlyings[j].sigma * years;
    }
  }
  Moments m = delta_gamma_moments(d, g, cov);
  m.mean += theta;
  for (std::size_t i = 0; i < n; ++i) m.mean -= 0.5 * d[i] * cov[i * n + i];  // drift of the log
  return m;
}

}  // namespace

std::string fault_of(const Dynamics& d, std::size_t n) {
  if (d.common.size() != n || d.own.size() != n) return "jumps must be given for every underlying";
  std::string fault = fault_of_correlation(d.correlation, n, "correlation");
  if (fault.empty()) fault = fault_of_correlation(d.jump_correlation, n, "jump correlation");
  const auto wrong = [](const Jumps& j) {
    return !(j.per_year >= 0 && j.per_year <= intensity_max && math::abs(j.mean) <= 5 &&
             j.deviation >= 0 && j.deviation <= 5);
  };
  if (std::any_of(d.common.begin(), d.common.end(), wrong) ||
      std::any_of(d.own.begin(), d.own.end(), wrong) ||
      !(d.common_per_year >= 0 && d.common_per_year <= intensity_max)) {
    return "jumps: per_year is 0 to 1000, mean -5 to 5, deviation 0 to 5 (log moves)";
  }
  if (!(d.vol_jump > -1 && d.vol_jump <= 10)) return "vol_jump must be above -1 and at most 10";
  if (!(math::abs(d.vol_of_move) <= 10)) return "vol_of_move must be from -10 to 10";
  return fault;
}

Simulation simulate(const Repricer& repricer, const Dynamics& dynamics,
                    const SimulationRequest& request) {
  const Portfolio& p = repricer.portfolio();
  const std::size_t n = p.underlyings.size();
  const Generator generator{p, dynamics, request.years};
  const auto breach = breach_moves(p);
  const std::size_t blocks = (request.paths + block_paths - 1) / block_paths;
  Simulation out;
  out.years = request.years;
  out.profits.resize(request.paths);
  std::vector<std::vector<std::size_t>> breached(blocks,
                                                 std::vector<std::size_t>(p.accounts.size(), 0));
  const auto work = [&](std::size_t block) {
    std::vector<double> scratch(2 * n);
    std::vector<Shock> shocks(n);
    const std::size_t end = std::min(request.paths, (block + 1) * block_paths);
    for (std::size_t path = block * block_paths; path < end; ++path) {
      generator.shocks({request.seed, path / 2, path % 2 == 1}, scratch, shocks);
      out.profits[path] = repricer.profit(shocks);
      for (std::size_t a = 0; a < p.accounts.size(); ++a) {
        const double move = shocks[p.accounts[a].underlying].move;
        if (move <= breach[a][0] || move >= breach[a][1]) ++breached[block][a];
      }
    }
  };
  const auto progress = [&](std::size_t done) {
    if (request.progress) {
      request.progress(static_cast<double>(done) / static_cast<double>(blocks));
    }
  };
  run_blocks(blocks, request.threads, work, progress);
  for (std::size_t a = 0; a < p.accounts.size(); ++a) {
    std::size_t count = 0;
    for (const auto& block : breached) count += block[a];
    out.breach_share.push_back(static_cast<double>(count) / static_cast<double>(request.paths));
  }
  std::sort(out.profits.begin(), out.profits.end());
  out.moments = moments(out.profits);
  for (const double c : confidences) out.tail.push_back(tail_risk(out.profits, c));
  out.delta_gamma = second_order(repricer, dynamics, request.years);
  out.delta_gamma_var99 = -cornish_fisher(out.delta_gamma, z99);
  return out;
}

}  // namespace gimbal::quant
