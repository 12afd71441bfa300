#include "engine/quant/margin/scenario_pricer.hpp"

#include <cstring>

#include "engine/core/math.hpp"

namespace gimbal::quant {
namespace {

bool positive(double v) noexcept { return v > 0 && math::finite(v); }

// Four options in one vector, in the compiler's own terms: elementwise, the same bits as one after
// the other.
constexpr std::size_t square = 4;
using Quad = double __attribute__((vector_size(square * sizeof(double))));
Quad load(const double* from) noexcept {
  Quad v;
  std::memcpy(&v, from, sizeof v);
  return v;
}
void store(const Quad& v, double* to) noexcept { std::memcpy(to, &v, sizeof v); }

// An option's worth, and its first and half its second derivative in a relative move.
struct Worth {
  Quad value, slope, half_curve;
};
template <bool inverse>
Worth worth_of(Quad price, Quad delta, Quad gamma, double forward, double per_coin,
               double share) noexcept {
  const double bend = 0.5 * share * share;
  if constexpr (inverse) {
    const Quad value = price * per_coin;
    const Quad apart = delta - value;
    return {value, apart * share, bend * (forward * gamma - 2.0 * apart)};
  } else {
    return {price, forward * delta * share, bend * (forward * (forward * gamma))};
  }
}

// One scenario behind the other becomes one option behind the other, four by four.
void turn(const double* from, std::byte* to) noexcept {
  constexpr std::size_t end = ScenarioTable::count / square * square;
  for (std::size_t r = 0; r < scenario_rows_max; r += square) {
    const auto out = [&](std::size_t lane, std::size_t n) {
      return to + (r + lane) * sizeof(ScenarioRow) + n * sizeof(double);
    };
    for (std::size_t n = 0; n < end; n += square) {
      const double* const at = from + n * scenario_rows_max + r;
      const Quad a = load(at);
      const Quad b = load(at + scenario_rows_max);
      const Quad c = load(at + 2 * scenario_rows_max);
      const Quad d = load(at + 3 * scenario_rows_max);
      const Quad ab0 = __builtin_shufflevector(a, b, 0, 4, 2, 6);
      const Quad ab1 = __builtin_shufflevector(a, b, 1, 5, 3, 7);
      const Quad cd0 = __builtin_shufflevector(c, d, 0, 4, 2, 6);
      const Quad cd1 = __builtin_shufflevector(c, d, 1, 5, 3, 7);
      const Quad row0 = __builtin_shufflevector(ab0, cd0, 0, 1, 4, 5);
      const Quad row1 = __builtin_shufflevector(ab1, cd1, 0, 1, 4, 5);
      const Quad row2 = __builtin_shufflevector(ab0, cd0, 2, 3, 6, 7);
      const Quad row3 = __builtin_shufflevector(ab1, cd1, 2, 3, 6, 7);
      std::memcpy(out(0, n), &row0, sizeof row0);
      std::memcpy(out(1, n), &row1, sizeof row1);
      std::memcpy(out(2, n), &row2, sizeof row2);
      std::memcpy(out(3, n), &row3, sizeof row3);
    }
    for (std::size_t lane = 0; lane < square; ++lane) {
      for (std::size_t n = end; n < ScenarioTable::count; ++n) {
        std::memcpy(out(lane, n), from + n * scenario_rows_max + r + lane, sizeof(double));
      }
    }
  }
}

}  // namespace

bool ScenarioPricer::sound(const ScenarioQuestion& q) noexcept {
  if (q.count == 0 || q.count > lanes || !positive(q.anchor) || !positive(q.spot)) return false;
  if (!positive(q.forward) || !math::finite(q.share) || !math::finite(q.years)) return false;
  for (std::size_t r = 0; r < q.count; ++r) {
    if (!positive(q.strike[r]) || !positive(q.sigma[r]) || math::abs(q.sign[r]) != 1) return false;
  }
  return true;
}

// Lanes without an option are at their intrinsic value: an inverse_sd of zero.
void ScenarioPricer::prepare(const ScenarioQuestion& q) noexcept {
  for (std::size_t n = 0; n < ScenarioTable::count; ++n) {
    const ScenarioTable::Scenario& s = table_[n];
    forward_[n] = q.forward * (1.0 + s.move * q.share);
    per_coin_[n] = 1.0 / forward_[n];
    weight_[n] = s.weight;
    if (q.inverse && ScenarioTable::far(n)) weight_[n] *= (1.0 + s.move) / table_.edge(n);
  }
  Prepared& p = prepared_;
  const double root = math::sqrt(q.years > 0 ? q.years : 0.0);
  const double scale = table_.shock_scale(q.years);
  for (std::size_t r = 0; r < lanes; ++r) {
    const bool option = r < q.count;
    const double strike = option ? q.strike[r] : q.forward;
    const double log_strike = math::log(strike);
    for (std::size_t state = 0; state < states; ++state) {
      const std::size_t at = state * lanes + r;
      const int volatility = static_cast<int>(state) - 1;
      const double sd = option ? table_.shocked(q.sigma[r], scale, volatility) * root : 0.0;
      const bool alive = sd >= 1e-100;
      p.strike[at] = strike;
      p.sign[at] = option ? q.sign[r] : 1.0;
      p.log_strike[at] = log_strike;
      p.inverse_sd[at] = alive ? 1.0 / sd : 0.0;
      p.half_sd[at] = alive ? 0.5 * sd : 0.5;
    }
  }
}

// `count` scenarios from `n` on, that share a forward and have one state after the other.
void ScenarioPricer::evaluate(double years, std::size_t n, std::size_t state,
                              std::size_t count) noexcept {
  const std::size_t from = state * lanes;
  const std::size_t to = n * lanes;
  kernels_.tick(
      BucketPoint{forward_[n], years, 0.0, 1.0},
      PreparedColumns{&prepared_.strike[from], &prepared_.sign[from], &prepared_.log_strike[from],
                      &prepared_.inverse_sd[from], &prepared_.half_sd[from]},
      TickColumns{&grids_.value[to], &grids_.slope[to], &grids_.half_curve[to]}, count * lanes);
}

// From price, delta and gamma to the profit: less the unmoved option, weighted; from a move around
// the price now to one around the anchor: r = k + h z.
template <bool inverse>
void ScenarioPricer::finish(const ScenarioQuestion& q) noexcept {
  const double h = q.anchor / q.spot;
  const double k = h - 1.0;
  for (std::size_t r = 0; r < lanes; r += square) {
    double* const value = grids_.value.data() + r;
    double* const slope = grids_.slope.data() + r;
    double* const curve = grids_.half_curve.data() + r;
    const auto worth = [&](std::size_t n) {
      return worth_of<inverse>(load(value + n * lanes), load(slope + n * lanes),
                               load(curve + n * lanes), forward_[n], per_coin_[n], q.share);
    };
    const Worth still = worth(ScenarioTable::unmoved);
    for (std::size_t n = 0; n < ScenarioTable::count; ++n) {
      const double weight = weight_[n];
      const Worth moved = worth(n);
      const Quad v = weight * (moved.value - still.value);
      const Quad d = weight * (moved.slope - still.slope);
      const Quad c = weight * (moved.half_curve - still.half_curve);
      store(k * (k * c + d) + v, value + n * lanes);
      store(h * (2.0 * k * c + d), slope + n * lanes);
      store(h * h * c, curve + n * lanes);
    }
  }
}

std::size_t ScenarioPricer::answer(const ScenarioQuestion& q, std::span<std::byte> to) {
  if (!sound(q) || to.size() < scenario_block_max) return 0;
  prepare(q);
  for (std::size_t n = 0; n < ScenarioTable::count; n += ScenarioTable::far(n) ? 1 : states) {
    const bool far = ScenarioTable::far(n);
    evaluate(q.years, n, far ? states - 1 : 0, far ? 1 : states);
  }
  q.inverse ? finish<true>(q) : finish<false>(q);
  const ScenarioRowsHead head = head_of_answer(q, table_.number());
  std::memcpy(to.data(), &head, sizeof head);
  std::byte* const rows = to.data() + sizeof head;
  constexpr std::size_t column = ScenarioTable::count * sizeof(double);
  turn(grids_.value.data(), rows);
  turn(grids_.slope.data(), rows + column);
  turn(grids_.half_curve.data(), rows + 2 * column);
  return sizeof head + q.count * sizeof(ScenarioRow);
}

}  // namespace gimbal::quant
