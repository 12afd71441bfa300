#include "engine/quant/surface/delta_study.hpp"

#include <algorithm>

#include "engine/core/math.hpp"
#include "engine/core/pricing.hpp"
#include "engine/core/smile_delta.hpp"

namespace gimbal::quant {

namespace {

constexpr double ln_2 = 0.6931471805599453;
constexpr std::uint64_t learn_first = 10;  // steps before the first is judged
constexpr double sigma_jump_max = 0.5;     // of the lower level

bool glitched(double from, double to) noexcept {
  return math::abs(to - from) > sigma_jump_max * std::min(from, to);
}

}  // namespace

DeltaStudy::DeltaStudy(double half_life_steps) noexcept
    : keep_{math::exp(-ln_2 / std::max(half_life_steps, 1.0))} {}

bool DeltaStudy::change(const OptionMoment& from, const OptionMoment& to, Change& out) noexcept {
  if (to.years <= 0 || to.years > from.years || glitched(from.sigma, to.sigma)) return false;
  const OptionTerms before{from.type, from.forward, from.strike, from.years, from.sigma, 0, 1};
  const OptionTerms after{to.type, to.forward, to.strike, to.years, to.sigma, 0, 1};
  if (!priceable(before) || !priceable(after)) return false;
  const LinearGreeks g = price_linear(before);
  out.delta = call_delta(g.delta, from.type == OptionType::put);
  if (!minimum_variance_applies(out.delta, from.years)) return false;
  out.moved = to.forward - from.forward;
  const double passed = from.years - to.years;
  out.left = price_linear(after).price - g.price - g.theta * passed - g.delta * out.moved;
  out.sticky = bounded_smile_shift(-g.vega * from.slope / from.forward, out.delta) * out.moved;
  out.x = g.vega / (from.forward * math::sqrt(from.years));
  return math::finite(out.left) && math::finite(out.sticky) && math::finite(out.x);
}

void DeltaStudy::judge(const Change& c) noexcept {
  const double by_slope = c.left - c.sticky;
  const double shift = bounded_smile_shift(c.x * minimum_variance_of(fitted_, c.delta), c.delta);
  const double by_variance = c.left - c.moved * shift;
  score_.black += c.left * c.left;
  score_.sticky_delta += by_slope * by_slope;
  score_.minimum_variance += by_variance * by_variance;
  ++score_.changes;
}

void DeltaStudy::learn(const Change& c) noexcept {
  const double x = c.x * c.moved;
  const std::array<double, 3> row{x, x * c.delta, x * c.delta * c.delta};
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < 3; ++j) normal_[i][j] += row[i] * row[j];
    right_[i] += row[i] * c.left;
  }
}

// Elimination with the largest pivot; the diagonal is raised a little, so that a step without any
// move of the forward leaves an answer.
void DeltaStudy::solve() noexcept {
  auto m = normal_;
  auto r = right_;
  const double ridge = 1e-9 * (m[0][0] + m[1][1] + m[2][2]);
  if (!(ridge > 0)) return;
  for (std::size_t i = 0; i < 3; ++i) m[i][i] += ridge;
  for (std::size_t i = 0; i < 3; ++i) {
    std::size_t best = i;
    for (std::size_t j = i + 1; j < 3; ++j) {
      if (math::abs(m[j][i]) > math::abs(m[best][i])) best = j;
    }
    std::swap(m[i], m[best]);
    std::swap(r[i], r[best]);
    if (!(math::abs(m[i][i]) > 0)) return;
    for (std::size_t j = i + 1; j < 3; ++j) {
      const double part = m[j][i] / m[i][i];
      for (std::size_t k = i; k < 3; ++k) m[j][k] -= part * m[i][k];
      r[j] -= part * r[i];
    }
  }
  std::array<double, 3> found{};
  for (std::size_t i = 3; i-- > 0;) {
    double sum = r[i];
    for (std::size_t k = i + 1; k < 3; ++k) sum -= m[i][k] * found[k];
    found[i] = sum / m[i][i];
  }
  take(found);
}

// A step or two out of bounds keep what was found before: going to Black's delta and back trades
// the whole shift each time. At the third in a row it is Black's, and for long.
void DeltaStudy::take(const std::array<double, 3>& found) noexcept {
  const auto inside = [](double v) { return math::abs(v) <= minimum_variance_max; };
  if (std::all_of(found.begin(), found.end(), inside)) {
    beyond_ = 0;
    if (distrust_ > 0) --distrust_;
    fitted_ = found;
    return;
  }
  if (distrust_ > 0) distrust_ = steps_min;
  if (++beyond_ < beyond_max) return;
  fitted_ = {};  // and not what an earlier hour found
  used_ = false;
  distrust_ = steps_min;
}

void DeltaStudy::observe(std::span<const OptionMoment> now, double apart_max_years) {
  std::vector<OptionMoment> fresh{now.begin(), now.end()};
  const auto by_id = [](const OptionMoment& a, const OptionMoment& b) { return a.id < b.id; };
  std::sort(fresh.begin(), fresh.end(), by_id);
  std::vector<Change> changes;
  auto old = last_.begin();
  for (const OptionMoment& to : fresh) {
    while (old != last_.end() && old->id < to.id) ++old;
    Change c;
    if (old == last_.end() || old->id != to.id) continue;
    if (old->years - to.years > apart_max_years) continue;
    if (change(*old, to, c)) changes.push_back(c);
  }
  last_ = std::move(fresh);
  if (changes.empty()) return;
  score_.black *= keep_;
  score_.sticky_delta *= keep_;
  score_.minimum_variance *= keep_;
  for (auto& row : normal_) {
    for (double& v : row) v *= keep_;
  }
  for (double& v : right_) v *= keep_;
  if (learnt_ >= learn_first) {
    for (const Change& c : changes) judge(c);
    ++score_.steps;
    used_ = score_.steps >= steps_min && distrust_ == 0 &&
            worth(used_, score_.gain_of(score_.minimum_variance));
  }
  for (const Change& c : changes) learn(c);
  ++learnt_;
  solve();
}

std::array<double, 3> DeltaStudy::usable() const noexcept {
  return used_ ? fitted_ : std::array<double, 3>{};
}

}  // namespace gimbal::quant
