#include "engine/core/risk/scenario_cells.hpp"

#include <algorithm>
#include <limits>

#include "engine/core/math.hpp"

namespace gimbal {
namespace {

constexpr int moves_a_side = 4;
// The far moves of the venue's table.
constexpr std::array<double, 8> far_moves{-0.66, -0.33, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0};

// Kernel columns of one option: one row per scenario, the unmoved option behind them.
constexpr std::size_t unmoved = ScenarioCells::cell_count;
struct alignas(64) Columns {
  ScenarioCells::Cells strike, sigma, sign, price, delta, gamma, vega, theta, vanna, speed, sd;
};

static_assert(ScenarioCells::padded == 40 &&
              ScenarioBook::cells == ScenarioCells::padded);  // what worst_loss folds
constexpr double larger(double a, double b) noexcept { return a > b ? a : b; }

}  // namespace

ScenarioCells::ScenarioCells(const ScenarioConfig& config, std::size_t instruments,
                             const PricingKernels& kernels)
    : config_{config}, kernels_{kernels} {
  if (!config_.used()) return;
  make_scenarios();
  polynomials_.resize(instruments);
  rows_.resize(instruments);
  books_.resize(2 * underlyings_max);
}

void ScenarioCells::make_scenarios() noexcept {
  const double range = config_.price_range;
  for (int j = -moves_a_side; j <= moves_a_side; ++j) {
    for (int v = -1; v <= 1; ++v) {
      Scenario& s = scenarios_[static_cast<std::size_t>(3 * (j + moves_a_side) + v + 1)];
      s.move = range * j / moves_a_side;
      s.volatility = v;
    }
  }
  for (std::size_t n = 0; n < far_moves.size(); ++n) {
    Scenario& s = scenarios_[standard_count + n];
    s.move = far_moves[n];
    s.volatility = 1;
    s.weight = config_.extended_factor * range / math::abs(s.move);
    s.relief_usd = (math::abs(s.move) / range - 1.0) * config_.dampener_usd;
  }
  for (std::size_t n = 0; n < cell_count; ++n) {
    const Scenario& s = scenarios_[n];
    const bool far = n >= standard_count;
    const double edge = far ? 1.0 + (s.move > 0 ? range : -range) : 1.0;
    // Of a far move, coins at the far price become coins at the edge of the standard table.
    future_[0][n] = s.weight * (far ? s.move / edge : s.move / (1.0 + s.move));
    future_[1][n] = s.weight * s.move;
    relief_[0][n] = std::max(s.relief_usd / edge, 0.0);
    relief_[1][n] = std::max(s.relief_usd, 0.0);
  }
}

const ScenarioCells::Book& ScenarioCells::book(const Instrument& i) const noexcept {
  return books_[place(i.underlying, is_inverse(i.kind))];
}
ScenarioCells::Book& ScenarioCells::book(const Instrument& i) noexcept {
  return books_[place(i.underlying, is_inverse(i.kind))];
}

void ScenarioCells::follow(UnderlyingId u, double spot) noexcept {
  if (!used() || u.value >= underlyings_max || !(spot > 0)) return;
  for (const bool inverse : {true, false}) {
    Book& b = books_[place(u, inverse)];
    if (near(b, spot)) continue;
    b.anchor = spot;
    ++b.generation;
    b.counted = 0;
    b.sums = Polynomial{};
  }
}

bool ScenarioCells::outdated(const Instrument& i, RecvTime now) const noexcept {
  if (!used() || !has_place(i)) return false;
  const Row& r = rows_[i.id.value];
  return r.generation != book(i).generation || now - r.at > Nanos{config_.row_age_max.count / 4};
}

bool ScenarioCells::near(const Book& b, double spot) noexcept {
  return b.anchor > 0 && math::abs(spot / b.anchor - 1.0) <= move_max;
}

bool ScenarioCells::fresh(const Instrument& i, double spot, RecvTime now) const noexcept {
  if (!used() || !has_place(i)) return false;
  const Row& r = rows_[i.id.value];
  const Book& b = book(i);
  return r.generation == b.generation && near(b, spot) && young(r.at, now);
}

double ScenarioCells::shocked(double sigma, double scale, int volatility) const noexcept {
  if (volatility == 0) return sigma;
  if (volatility > 0) {
    return std::max(sigma * (1.0 + scale * config_.volatility_up), config_.volatility_up_min);
  }
  return std::max(sigma * (1.0 - scale * config_.volatility_down), 0.0);
}

// Every scenario through one call of the kernel: a forward that moved by m against the strike K is
// the forward that stayed against K / (1 + m), prices and gammas scaled.
void ScenarioCells::evaluate(const OptionMark& mark, const Instrument& i,
                             Polynomial& out) const noexcept {
  Columns c;
  const double strike = to_double(i.strike);
  const double days = std::max(mark.years * 365.0, 1.0);
  const double power = days < 30.0 ? config_.short_power : config_.long_power;
  const double scale = math::exp(power * math::log(30.0 / days));
  c.strike.fill(strike);
  c.sigma.fill(mark.sigma);
  c.sign.fill(i.option == OptionType::put ? -1.0 : 1.0);
  for (std::size_t n = 0; n < cell_count; ++n) {
    const Scenario& s = scenarios_[n];
    c.strike[n] = strike / (1.0 + s.move * mark.share);
    c.sigma[n] = shocked(mark.sigma, scale, s.volatility);
  }
  kernels_.full(BucketPoint{mark.seen, mark.years, 0.0, 1.0},
                OptionColumns{c.strike.data(), c.sigma.data(), c.sign.data()},
                GreekColumns{c.price.data(), c.delta.data(), c.gamma.data(), c.vega.data(),
                             c.theta.data(), c.vanna.data(), c.speed.data(), c.sd.data()},
                cell_count + 1);
  const bool inverse = is_inverse(i.kind);
  const double forward = mark.seen;
  // Value of the option, and its first and half its second derivative in a relative move.
  const auto at = [&](std::size_t n, double grown, double& v, double& d, double& h) noexcept {
    if (inverse) {
      v = c.price[n] / forward;
      d = (c.delta[n] - v) * mark.share;
      h = 0.5 * (forward * c.gamma[n] - 2.0 * (c.delta[n] - v)) * mark.share * mark.share;
    } else {
      v = grown * c.price[n];
      d = grown * forward * c.delta[n] * mark.share;
      h = 0.5 * grown * forward * forward * c.gamma[n] * mark.share * mark.share;
    }
  };
  double v0 = 0, d0 = 0, h0 = 0;
  at(unmoved, 1.0, v0, d0, h0);
  for (std::size_t n = 0; n < cell_count; ++n) {
    const Scenario& s = scenarios_[n];
    double v = 0, d = 0, h = 0;
    at(n, 1.0 + s.move * mark.share, v, d, h);
    double weight = s.weight;
    if (inverse && n >= standard_count) {
      weight *= (1.0 + s.move) / (1.0 + (s.move > 0 ? config_.price_range : -config_.price_range));
    }
    out.value[n] = weight * (v - v0);
    out.slope[n] = weight * (d - d0);
    out.half_curve[n] = weight * (h - h0);
  }
}

void ScenarioCells::add(Book& b, const Polynomial& row, double amount) noexcept {
  for (std::size_t n = 0; n < padded; ++n) {
    b.sums.value[n] = math::fma(amount, row.value[n], b.sums.value[n]);
    b.sums.slope[n] = math::fma(amount, row.slope[n], b.sums.slope[n]);
    b.sums.half_curve[n] = math::fma(amount, row.half_curve[n], b.sums.half_curve[n]);
  }
}

void ScenarioCells::price(const Instrument& i, const OptionMark& mark, double spot,
                          RecvTime now) noexcept {
  if (!used() || !has_place(i) || !mark.usable || !(spot > 0)) return;
  Book& b = book(i);
  if (!(b.anchor > 0)) return;
  Row& r = rows_[i.id.value];
  Polynomial& row = polynomials_[i.id.value];
  const bool counted = r.held != 0 && r.generation == b.generation;
  if (counted) add(b, row, -r.held);
  evaluate(mark, i, row);
  // From a move around `spot` to one around the anchor: r = k + h z.
  const double h = b.anchor / spot;
  const double k = h - 1.0;
  for (std::size_t n = 0; n < padded; ++n) {
    const double curve = row.half_curve[n];
    const double slope = row.slope[n];
    row.value[n] = math::fma(k, math::fma(k, curve, slope), row.value[n]);
    row.slope[n] = h * math::fma(2.0 * k, curve, slope);
    row.half_curve[n] = h * h * curve;
  }
  r.generation = b.generation;
  r.at = now;
  if (r.held == 0) return;
  add(b, row, r.held);
  if (!counted) ++b.counted;
}

void ScenarioCells::hold(const Instrument& i, Qty amount) noexcept {
  if (!used() || !has_place(i)) return;
  Row& r = rows_[i.id.value];
  Book& b = book(i);
  const double held = to_double(amount);
  const bool now_held = held != 0;
  const bool was_held = r.held != 0;
  const auto count = [&](std::uint32_t& rows) noexcept {
    if (now_held == was_held) return;
    now_held ? ++rows : --rows;
  };
  count(b.held);
  if (r.generation == b.generation) {
    add(b, polynomials_[i.id.value], held - r.held);
    count(b.counted);
  }
  r.held = held;
}

bool ScenarioCells::complete(UnderlyingId u, bool inverse, double spot) const noexcept {
  if (!used() || u.value >= underlyings_max || !(spot > 0)) return false;
  const Book& b = books_[place(u, inverse)];
  if (b.held == 0) return true;
  return b.counted == b.held && near(b, spot);
}

ScenarioCells::Cells ScenarioCells::cells(UnderlyingId u, bool inverse,
                                          const Position& p) const noexcept {
  const Book& b = books_[place(u, inverse)];
  const Cells& future = future_[inverse ? 0 : 1];
  const double z = b.anchor > 0 ? p.spot / b.anchor - 1.0 : 0.0;
  const double unit = inverse ? 1.0 : p.spot;
  const double held = unit * p.coins;
  const double buy = unit * p.open_buy;
  const double sell = -unit * p.open_sell;
  Cells out;
  for (std::size_t n = 0; n < padded; ++n) {
    const double f = future[n];
    double v = math::fma(z, math::fma(z, b.sums.half_curve[n], b.sums.slope[n]), b.sums.value[n]);
    v = math::fma(held, f, v);
    v += std::min(buy * f, 0.0);
    v += std::min(sell * f, 0.0);
    out[n] = v;
  }
  return out;
}

void ScenarioCells::add_worst(Cells& cells, const Instrument& option, double amount,
                              double spot) const noexcept {
  const Polynomial& row = polynomials_[option.id.value];
  const double z = spot / book(option).anchor - 1.0;
  for (std::size_t n = 0; n < padded; ++n) {
    const double v = math::fma(z, math::fma(z, row.half_curve[n], row.slope[n]), row.value[n]);
    cells[n] += std::min(amount * v, 0.0);
  }
}

void ScenarioCells::add_option(Cells& cells, const Instrument& option, double amount,
                               double spot) const noexcept {
  const Polynomial& row = polynomials_[option.id.value];
  const double z = spot / book(option).anchor - 1.0;
  for (std::size_t n = 0; n < padded; ++n) {
    const double v = math::fma(z, math::fma(z, row.half_curve[n], row.slope[n]), row.value[n]);
    cells[n] = math::fma(amount, v, cells[n]);
  }
}

void ScenarioCells::add_future(Cells& cells, bool inverse, double coins,
                               double spot) const noexcept {
  const Cells& future = future_[inverse ? 0 : 1];
  const double amount = inverse ? coins : coins * spot;
  for (std::size_t n = 0; n < padded; ++n) cells[n] = math::fma(amount, future[n], cells[n]);
}

// Folded in halves, so that every step is a whole vector. Besides the largest, the sum of all: one
// cell that is no number is enough to spoil it.
double ScenarioCells::worst_loss(const Cells& cells, bool inverse, double index) const noexcept {
  const Cells& relief = relief_[inverse ? 0 : 1];
  const double unit = inverse ? 1.0 / index : 1.0;
  Cells loss;
  for (std::size_t n = 0; n < padded; ++n) loss[n] = -cells[n] - unit * relief[n];
  alignas(32) std::array<double, 16> worst;
  alignas(32) std::array<double, 16> sum;
  for (std::size_t n = 0; n < 16; ++n) {
    worst[n] = larger(loss[n], loss[n + 16]);
    sum[n] = loss[n] + loss[n + 16];
  }
  for (std::size_t n = 0; n < 8; ++n) {
    worst[n] = larger(larger(worst[n], worst[n + 8]), loss[n + 32]);
    sum[n] = sum[n] + sum[n + 8] + loss[n + 32];
  }
  for (std::size_t n = 0; n < 4; ++n) {
    worst[n] = larger(worst[n], worst[n + 4]);
    sum[n] += sum[n + 4];
  }
  const double all = (sum[0] + sum[2]) + (sum[1] + sum[3]);
  if (!math::finite(all)) return std::numeric_limits<double>::quiet_NaN();
  return larger(larger(larger(worst[0], worst[2]), larger(worst[1], worst[3])), 0.0);
}

}  // namespace gimbal
