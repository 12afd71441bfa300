#include "engine/quant/implied_vol.hpp"

#include <algorithm>
#include <array>

#include "engine/core/math.hpp"
#include "engine/quant/normalised_black.hpp"
#include "engine/quant/rational_cubic.hpp"

namespace gimbal::quant {

namespace {

constexpr double sqrt_two_pi = 0x1.40d931ff62705p+1;
constexpr double root_three = 0x1.bb67ae8584caap+0;
constexpr double two_pi = 0x1.921fb54442d18p+2;
constexpr double beta_min = 1e-290;  // below it only the logarithm of beta has all digits
constexpr double s_min = 1e-300;     // F = K and a subnormal price: sigma itself is subnormal
constexpr int steps_max = 12;  // two suffice from the rational guess; more where there is none

// --- exact sums
// ----------------------------------------------------------------------------------- Shewchuk
// (1997): a sum of doubles kept as parts that do not overlap, so that its sign is exact.
class ExactSum {
 public:
  void add(double v) noexcept {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < count_; ++i) {
      const double sum = v + part_[i];
      const double other = sum - v;
      const double lost = (v - (sum - other)) + (part_[i] - other);
      if (lost != 0) part_[kept++] = lost;
      v = sum;
    }
    part_[kept++] = v;
    count_ = kept;
  }
  void add_product(double a, double b) noexcept {
    const double p = a * b;
    add(math::fma(a, b, -p));
    add(p);
  }
  // The nearest double but for one unit in the last place; its sign is that of the exact sum.
  [[nodiscard]] double value() const noexcept {
    double sum = 0;
    for (std::size_t i = 0; i < count_; ++i) sum += part_[i];
    return sum;
  }

 private:
  std::array<double, 8> part_{};
  std::size_t count_{0};
};

// price - df max(q(F - K), 0) and df max_price - price, both with exact signs.
struct Distances {
  double time_value;
  double to_maximum;
};
Distances distances(const QuotedOption& o) noexcept {
  const bool call = o.type == OptionType::call;
  const double q = call ? 1.0 : -1.0;
  ExactSum time_value;
  time_value.add(o.price);
  if (q * (o.forward - o.strike) > 0) {
    time_value.add_product(-q * o.discount, o.forward);
    time_value.add_product(q * o.discount, o.strike);
  }
  ExactSum to_maximum;
  to_maximum.add(-o.price);
  to_maximum.add_product(o.discount, call ? o.forward : o.strike);
  return {time_value.value(), to_maximum.value()};
}

// --- the rational guess
// ---------------------------------------------------------------------------

// The transformed price of the lowest segment, f = A N(z)^3 with z = -|x| / (sqrt(3) s), its slope
// and curvature in beta.
struct Transformed {
  double value, slope, curvature;
};
Transformed low_transform(double x, double s) noexcept {
  const double z = x / (root_three * s);
  const double y = z * z;
  const double cdf = math::normal_cdf(z);
  const double e = math::exp(y + 0.125 * s * s);
  Transformed f;
  f.value = -two_pi * x / (3.0 * root_three) * cdf * cdf * cdf;
  f.slope = two_pi * y * cdf * cdf * e;
  const double log_slope = (-2.0 - 2.0 * y - 2.0 * z * (math::normal_pdf(z) / cdf)) / s + 0.25 * s;
  f.curvature = f.slope * log_slope * sqrt_two_pi * math::exp(0.5 * y) * e;
  return f;
}
// The s whose transformed price is f, 0 < f.
double from_low(double x, double log_f) noexcept {
  const double log_scale = math::log(-two_pi * x / (3.0 * root_three));
  const double z = inverse_normal_of_log((log_f - log_scale) / 3.0);
  return z < 0 ? x / (root_three * z) : 0.0;
}

// The same for the highest segment, f = N(-s/2).
Transformed high_transform(double x, double s) noexcept {
  const double w = (x / s) * (x / s);
  const double e = math::exp(0.5 * w);
  return {math::normal_cdf(-0.5 * s), -0.5 * e,
          0.5 * sqrt_two_pi * e * e * math::exp(0.125 * s * s) * w / s};
}

struct Segment {
  double beta, s, slope;  // slope is ds/dbeta = 1 / b'
};
double middle_guess(double beta, Segment from, Segment to, bool fit_at_right) noexcept {
  RationalCubic c{from.beta, to.beta, from.s, to.s, from.slope, to.slope};
  fit_at_right ? c.fit_right(0.0, false) : c.fit_left(0.0, false);
  return c.at(beta);
}

double low_guess(double x, double beta, double log_beta, double beta_l, double s_l) noexcept {
  if (beta < beta_min) return x / -math::sqrt(-2.0 * log_beta);
  const Transformed t = low_transform(x, s_l);
  RationalCubic c{0.0, beta_l, 0.0, t.value, 1.0, t.slope};
  c.fit_right(t.curvature, true);
  double f = c.at(beta);
  if (!(f > 0)) {  // rounding at the very bottom: the quadratic with the same ends
    const double share = beta / beta_l;
    f = (t.value * share + beta_l * (1.0 - share)) * share;
  }
  return from_low(x, math::log(f));
}

double high_guess(double x, double beta, double beta_h, double s_h, double most) noexcept {
  const Transformed t = high_transform(x, s_h);
  RationalCubic c{beta_h, most, t.value, 0.0, t.slope, -0.5};
  c.fit_left(t.curvature, true);
  double f = math::finite(t.curvature) ? c.at(beta) : 0.0;
  if (!(f > 0)) {
    const double h = most - beta_h;
    const double share = (beta - beta_h) / h;
    f = (t.value * (1.0 - share) + 0.5 * h * share) * (1.0 - share);
  }
  return f > 0 ? -2.0 * inverse_normal_of_log(math::log(f)) : s_h;
}

// --- the steps
// ------------------------------------------------------------------------------------

enum class Objective { low, middle, high };
struct Start {
  double s;
  Objective objective;
};

Start rational_guess(double x, double beta, double log_beta) noexcept {
  const double most = math::exp(0.5 * x);
  const double s_c = math::sqrt(-2.0 * x);
  const NormalisedBlack c = s_c > 0 ? normalised_black(x, s_c) : NormalisedBlack{};
  const double slope_c = s_c > 0 ? 1.0 / c.vega : sqrt_two_pi;
  if (beta < c.value) {
    const double s_l = s_c - c.ratio;
    const NormalisedBlack l = normalised_black(x, s_l);
    if (beta < l.value) return {low_guess(x, beta, log_beta, l.value, s_l), Objective::low};
    return {middle_guess(beta, {l.value, s_l, 1.0 / l.vega}, {c.value, s_c, slope_c}, true),
            Objective::middle};
  }
  const double s_h = s_c + (most - c.value) * slope_c;
  const NormalisedBlack h = normalised_black(x, s_h);
  if (beta <= h.value) {
    return {middle_guess(beta, {c.value, s_c, slope_c}, {h.value, s_h, 1.0 / h.vega}, false),
            Objective::middle};
  }
  return {high_guess(x, beta, h.value, s_h, most),
          beta > 0.5 * most ? Objective::high : Objective::middle};
}

}  // namespace

std::string_view to_string(VolStatus s) noexcept {
  constexpr std::array<std::string_view, 5> names{"ok", "below_intrinsic", "above_maximum",
                                                  "zero_time_value", "unsolvable"};
  return names[static_cast<std::size_t>(s)];
}

bool solvable(const QuotedOption& o) noexcept {
  const auto within = [](double v, double low, double high) { return v >= low && v <= high; };
  return o.type != OptionType::none && within(o.forward, 1e-100, 1e100) &&
         within(o.strike, 1e-100, 1e100) && within(o.years, 1e-12, 1e6) &&
         within(o.discount, 1e-60, 1e60) && within(o.price, -1e160, 1e160);
}

double total_volatility(double x, double beta, double complement, double log_beta) noexcept {
  const Start start = rational_guess(x, beta, log_beta);
  double s = std::max(start.s, s_min);
  for (int i = 0; i < steps_max; ++i) {
    const NormalisedBlack b = normalised_black(x, s);
    const double xs = x / s;
    double second = xs * xs / s - 0.25 * s;  // b''/b' and b'''/b'
    double third = second * second - 3.0 * (xs / s) * (xs / s) - 0.25;
    double newton = 0;
    if (start.objective == Objective::low) {  // g = 1/ln b - 1/ln beta
      const double slope = 1.0 / b.ratio;
      const double l = 1.0 / b.log_value;
      newton = (log_beta - b.log_value) * (b.log_value / log_beta) * b.ratio;
      const double twice = slope * (1.0 + 2.0 * l);
      third += 2.0 * slope * slope * (1.0 + 3.0 * l * (1.0 + l)) - 3.0 * second * twice;
      second -= twice;
    } else if (start.objective == Objective::high) {  // g = ln((b_max - beta) / (b_max - b))
      const double slope = b.vega / b.complement;
      newton = -math::log(complement / b.complement) / slope;
      third += slope * (2.0 * slope + 3.0 * second);
      second += slope;
    } else {
      newton = (beta - b.value) / b.vega;
    }
    const double step = std::max(householder_step(newton, second, third), -0.5 * s);
    s += step;
    if (!(math::abs(step) > 0x1p-50 * s)) break;
  }
  return s;
}

ImpliedVol implied_vol(const QuotedOption& o) noexcept {
  const Distances d = distances(o);
  if (d.time_value < 0) return {VolStatus::below_intrinsic};
  if (d.to_maximum <= 0) return {VolStatus::above_maximum};
  if (d.time_value == 0) return {VolStatus::zero_time_value};
  const double scale = o.discount * math::sqrt(o.forward * o.strike);
  const double x = -math::abs(math::log_ratio(o.forward, o.strike));
  const double beta = d.time_value / scale;
  const double log_beta =
      beta < beta_min ? math::log(d.time_value) - math::log(scale) : math::log(beta);
  const double s = total_volatility(x, beta, d.to_maximum / scale, log_beta);
  const NormalisedBlack b = normalised_black(x, s);
  // price / (sigma vega), both in units of scale; the logarithm covers what underflows.
  const double share = b.vega > beta_min ? o.price / scale / (b.vega * s) : b.ratio / s;
  return {VolStatus::ok, s / math::sqrt(o.years), 0x1p-52 * std::max(1.0, share)};
}

}  // namespace gimbal::quant
