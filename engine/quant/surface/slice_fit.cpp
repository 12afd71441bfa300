#include "engine/quant/surface/slice_fit.hpp"

#include <algorithm>
#include <array>

#include "engine/core/math.hpp"
#include "engine/quant/surface/box_least_squares.hpp"
#include "engine/quant/surface/slice_objective.hpp"

namespace gimbal::quant {

namespace {

constexpr double rho_max = 0.9999;
// A wider bend than this many times the quoted range would have wings that no quote supports.
constexpr double s_widths_max = 2;
constexpr int repair_rounds = 7;
constexpr int warm_rounds = 3;
constexpr int warm_evaluations = 10;
constexpr double warm_strictness = 32;

struct Range {
  double low, high, width, w_max;
};
Range range_of(const SliceQuotes& in) noexcept {
  Range r{in.quotes.front().k, in.quotes.back().k, 0, 0};
  r.width = r.high - r.low;
  for (const VolQuote& q : in.quotes) r.w_max = std::max(r.w_max, q.vol * q.vol * in.years);
  return r;
}

Box<5> raw_box(const Range& r) noexcept {
  const double s_max = s_widths_max * r.width;
  const double a_max = 10.0 * r.w_max + 2.0 * s_max;
  return {{-a_max, 0, -rho_max, r.low - 2.0 * r.width, 1e-3 * r.width},
          {a_max, 2, rho_max, r.high + 2.0 * r.width, s_max}};
}

// The best (a, d, c) of w = a + d y + c sqrt(y^2 + 1), y = (k - m)/s, for fixed m and s; `cost` is
// the weighted square error in volatility.
Svi linear_fit(const SliceQuotes& in, double m, double s, double& cost) noexcept {
  NormalEquations<3> sums;
  for (const VolQuote& q : in.quotes) {
    const double y = (q.k - m) / s;
    const double factor = q.weight / (2.0 * q.vol * in.years);
    sums.add(-factor * q.vol * q.vol * in.years,
             {factor, factor * y, factor * math::sqrt(y * y + 1.0)});
  }
  std::array<double, 3> x{-sums.gradient[0], -sums.gradient[1], -sums.gradient[2]};
  for (std::size_t i = 0; i < 3; ++i) sums.matrix[i][i] *= 1.0 + 1e-12;
  cost = 1e300;
  if (!solve_symmetric(sums.matrix, x)) return {};
  const double c = std::clamp(x[2], 0.0, 2.0 * s);
  const double d =
      std::clamp(x[1], -rho_max * std::min(c, 2.0 * s - c), rho_max * std::min(c, 2.0 * s - c));
  const double a =
      (-sums.gradient[0] - sums.matrix[1][0] * d - sums.matrix[2][0] * c) / sums.matrix[0][0];
  const std::array<double, 3> at{a, d, c};
  cost = sums.cost;
  for (std::size_t i = 0; i < 3; ++i) {
    cost += 2.0 * at[i] * sums.gradient[i] + at[i] * at[i] * sums.matrix[i][i];
    for (std::size_t j = 0; j < i; ++j) cost += 2.0 * at[i] * at[j] * sums.matrix[i][j];
  }
  const Svi p{a, c / s, c > 0 ? d / c : 0.0, m, s};
  if (!well_formed(p)) cost = 1e299;
  return p;
}

BoxFit<5> fit_raw(const Objective& objective, const Svi& start, int evaluations, double gain_min) {
  const auto evaluate = [&](const Raw& p, NormalEquations<5>& sums) {
    return objective.residuals(svi_of(p), [&](double r, const Raw& g) { sums.add(r, g); });
  };
  return fit_in_box<5>(raw_box(range_of(objective.quotes())), raw_of(start), evaluations, gain_min,
                       evaluate);
}

struct Found {
  Svi svi{};
  double cost{1e300};
  int evaluations{0};
  void take(const BoxFit<5>& fit) noexcept {
    evaluations += fit.evaluations;
    if (fit.cost < cost) {
      cost = fit.cost;
      svi = svi_of(fit.at);
    }
  }
};

// A grid of (m, s) with the linear rest, the best few of it polished.
Found fit_cold(const Objective& objective) noexcept {
  struct Start {
    Svi svi{};
    double cost{1e301};
  };
  std::array<Start, 3> best{};
  const SliceQuotes& in = objective.quotes();
  const Range r = range_of(in);
  for (int i = -1; i <= 7; ++i) {
    for (const double part : {0.02, 0.06, 0.2, 0.6, 2.0}) {
      Start start;
      start.svi = linear_fit(in, r.low + r.width * i / 6.0, part * r.width, start.cost);
      if (!(start.cost < best.back().cost)) continue;
      best.back() = start;
      std::sort(best.begin(), best.end(),
                [](const Start& x, const Start& y) { return x.cost < y.cost; });
    }
  }
  Found found;
  // A flat line for quotes that no start suits.
  if (best.front().cost >= 1e299) best.front().svi = {0.5 * r.w_max, 0.01, 0, 0, r.width};
  for (const Start& start : best) found.take(fit_raw(objective, start.svi, 120, 1e-9));
  return found;
}

// Asks for no arbitrage over the quoted range and a good part beyond it.
void pin_range(Objective& objective, double strictness) noexcept {
  const Range r = range_of(objective.quotes());
  for (int i = -4; i <= 16; ++i) {
    const double k = r.low + r.width * i / 12.0;
    objective.pin_butterfly(k);
    objective.pin_calendar(k);
  }
  objective.strictness = strictness;
}

// True when the curve has no arbitrage; else pins its worst places and raises their price.
bool tighten(Objective& objective, const Svi& p) noexcept {
  const ButterflyCheck butterfly = check_butterfly(p);
  if (!butterfly.free()) objective.pin_butterfly(butterfly.k);
  CalendarCheck calendar;
  if (well_formed(p)) calendar = check_calendar(p, objective.sides());
  if (!calendar.free()) objective.pin_calendar(calendar.k);
  objective.strictness *= 4;
  return butterfly.free() && calendar.free();
}

Found repair(Objective& objective, const Svi& from) noexcept {
  Found out;
  out.svi = from;
  pin_range(objective, 1);
  for (int round = 0; round < repair_rounds; ++round) {
    const BoxFit<5> fit = fit_raw(objective, out.svi, 80, 1e-7);
    out.evaluations += fit.evaluations;
    out.cost = fit.cost;
    out.svi = svi_of(fit.at);
    if (tighten(objective, out.svi)) break;
  }
  return out;
}

using Natural = std::array<double, 3>;  // theta, rho, phi as a share of the largest
Svi raw_of_natural(const Natural& p) noexcept {
  return raw(Ssvi{p[0], p[1], p[2] * ssvi_phi_max(p[0], p[1])});
}

// Gradients come through the map to the raw parameters, whose own slopes are differences.
Found fit_ssvi(Objective& objective) noexcept {
  const Range r = range_of(objective.quotes());
  const Box<3> box{{1e-3 * r.w_max, -0.999, 1e-3}, {10.0 * r.w_max, 0.999, 1}};
  const auto evaluate = [&](const Natural& p, NormalEquations<3>& sums) {
    const Svi at = raw_of_natural(p);
    std::array<Raw, 3> map{};
    for (std::size_t i = 0; i < 3; ++i) {
      const double step = (p[i] + (i == 1 ? 1.0 : 0.0)) * 1e-7 + 1e-12;
      Natural low = p;
      Natural high = p;
      low[i] -= step;
      high[i] += step;
      const Raw below = raw_of(raw_of_natural(low));
      const Raw above = raw_of(raw_of_natural(high));
      for (std::size_t j = 0; j < 5; ++j) map[i][j] = (above[j] - below[j]) / (2.0 * step);
    }
    return objective.residuals(at, [&](double res, const Raw& g) {
      Natural chained{};
      for (std::size_t i = 0; i < 3; ++i) {
        for (std::size_t j = 0; j < 5; ++j) chained[i] += map[i][j] * g[j];
      }
      sums.add(res, chained);
    });
  };
  Found found;
  Natural best{};
  const auto take = [&](const Natural& start) {
    const BoxFit<3> fit = fit_in_box<3>(box, start, 80, 1e-8, evaluate);
    found.evaluations += fit.evaluations;
    if (!(fit.cost < found.cost)) return;
    found.cost = fit.cost;
    best = fit.at;
  };
  for (const double rho : {-0.5, 0.0, 0.5}) {
    for (const double share : {0.15, 0.7}) take({0.5 * r.w_max, rho, share});
  }
  found.svi = raw_of_natural(best);
  if (tighten(objective, found.svi)) return found;
  pin_range(objective, 1);
  for (int round = 0; round < repair_rounds; ++round) {
    found.cost = 1e301;  // of another objective than before
    take(best);
    found.svi = raw_of_natural(best);
    if (tighten(objective, found.svi)) break;
  }
  return found;
}

// Fills in what is known about a curve, and whether it may be used.
void judge(SliceFit& fit, const Svi& p, SliceModel model, const SliceQuotes& in,
           const SurfaceLimits& limits, const Neighbours& sides) noexcept {
  fit.svi = p;
  fit.butterfly = check_butterfly(p);
  fit.calendar = {};
  if (well_formed(p)) fit.calendar = check_calendar(p, sides);
  fit.error = error_of(p, in, limits);
  fit.verdict = !fit.butterfly.free()           ? SliceVerdict::butterfly
                : !fit.calendar.free()          ? SliceVerdict::calendar
                : fit.error.rms > fit.error.bar ? SliceVerdict::error
                                                : SliceVerdict::accepted;
  fit.model = fit.verdict == SliceVerdict::accepted ? model : SliceModel::none;
}

bool clean(const SliceFit& fit) noexcept {
  return fit.verdict == SliceVerdict::accepted || fit.verdict == SliceVerdict::error;
}

// From the last parameters, which most likely had to avoid the same arbitrage; true when that is
// enough.
bool refit(SliceFit& fit, const Svi& warm, const SliceQuotes& in, const SurfaceLimits& limits,
           const Neighbours& sides) noexcept {
  Objective objective{in, sides};
  pin_range(objective, warm_strictness);
  Svi at = warm;
  for (int round = 0; round < warm_rounds; ++round) {
    const BoxFit<5> next = fit_raw(objective, at, warm_evaluations, 1e-3);
    fit.evaluations += next.evaluations;
    at = svi_of(next.at);
    judge(fit, at, SliceModel::svi, in, limits, sides);
    if (clean(fit)) return fit.verdict == SliceVerdict::accepted;
    objective.pin_butterfly(fit.butterfly.k);
    if (!fit.calendar.free()) objective.pin_calendar(fit.calendar.k);
    objective.strictness *= 4;
  }
  return false;
}

// A line without slope where the quotes have none; else nothing (a = 0).
Svi level(const SliceQuotes& in) noexcept {
  double low = in.quotes.front().vol;
  double high = low;
  for (const VolQuote& q : in.quotes) {
    low = std::min(low, q.vol);
    high = std::max(high, q.vol);
  }
  const double middle = 0.5 * (low + high);
  return high - low < 1e-6 ? Svi{middle * middle * in.years, 0, 0, 0, 1} : Svi{};
}

// Raw SVI from nothing, free first, then repaired. False: only the fallback is left.
bool fit_svi(SliceFit& fit, const SliceQuotes& in, const SurfaceLimits& limits,
             const Neighbours& sides) noexcept {
  if (const Svi line = level(in); line.a > 0) {
    judge(fit, line, SliceModel::svi, in, limits, sides);
    if (clean(fit)) return true;
  }
  Objective objective{in, sides};
  const Found cold = fit_cold(objective);
  fit.evaluations += cold.evaluations;
  judge(fit, cold.svi, SliceModel::svi, in, limits, sides);
  if (clean(fit)) return true;
  const Found repaired = repair(objective, cold.svi);
  fit.evaluations += repaired.evaluations;
  judge(fit, repaired.svi, SliceModel::svi, in, limits, sides);
  fit.repaired = true;
  return fit.verdict == SliceVerdict::accepted;
}

}  // namespace

std::string_view to_string(SliceFault f) noexcept {
  switch (f) {
    case SliceFault::none: return "none";
    case SliceFault::years_out_of_range: return "years_out_of_range";
    case SliceFault::too_few_strikes: return "too_few_strikes";
    case SliceFault::not_finite: return "not_finite";
    case SliceFault::k_out_of_range: return "k_out_of_range";
    case SliceFault::unsorted: return "unsorted";
    case SliceFault::vol_out_of_range: return "vol_out_of_range";
    case SliceFault::crossed: return "crossed";
    case SliceFault::no_vega: return "no_vega";
  }
  return "?";
}
std::string_view to_string(SliceModel m) noexcept {
  switch (m) {
    case SliceModel::none: return "none";
    case SliceModel::svi: return "svi";
    case SliceModel::ssvi: return "ssvi";
  }
  return "?";
}
std::string_view to_string(SliceVerdict v) noexcept {
  switch (v) {
    case SliceVerdict::accepted: return "accepted";
    case SliceVerdict::unusable: return "unusable";
    case SliceVerdict::butterfly: return "butterfly";
    case SliceVerdict::calendar: return "calendar";
    case SliceVerdict::error: return "error";
  }
  return "?";
}

SliceFault check_quotes(const SliceQuotes& in, const SurfaceLimits& limits) noexcept {
  if (!(in.years >= 1e-6 && in.years <= 100)) return SliceFault::years_out_of_range;
  if (in.quotes.size() < std::max<std::size_t>(limits.strikes_min, 5)) {
    return SliceFault::too_few_strikes;
  }
  double last = -1e300;
  for (const VolQuote& q : in.quotes) {
    for (const double v : {q.k, q.vol, q.bid, q.ask, q.weight}) {
      if (!math::finite(v)) return SliceFault::not_finite;
    }
    if (math::abs(q.k) > 20) return SliceFault::k_out_of_range;
    if (!(q.k > last)) return SliceFault::unsorted;
    last = q.k;
    if (!(q.vol >= 1e-4 && q.vol <= 100)) return SliceFault::vol_out_of_range;
    if (!(q.bid <= q.vol && q.vol <= q.ask)) return SliceFault::crossed;
    // Weights are squared and compared: no more than the range of a float.
    if (!(q.weight > 1e-30 && q.weight < 1e30)) return SliceFault::no_vega;
  }
  return SliceFault::none;
}

SliceError error_of(const Svi& p, const SliceQuotes& in, const SurfaceLimits& limits) noexcept {
  SliceError out;
  double weights = 0;
  double squares = 0;
  double spreads = 0;
  double inside = 0;
  for (const VolQuote& q : in.quotes) {
    const double w = svi_at(p, q.k).w;
    const double vol = w > 0 ? math::sqrt(w / in.years) : 0;
    const double error = math::abs(vol - q.vol);
    const double weight = q.weight * q.weight;
    weights += weight;
    squares += weight * error * error;
    spreads += weight * (q.ask - q.bid) * (q.ask - q.bid);
    inside += vol >= q.bid - 1e-9 && vol <= q.ask + 1e-9 ? 1 : 0;
    out.max = std::max(out.max, error);
  }
  out.rms = math::sqrt(squares / weights);
  out.inside = inside / static_cast<double>(in.quotes.size());
  out.bar = std::max(limits.rms_max, limits.spread_share * math::sqrt(spreads / weights));
  return out;
}

CalendarCheck check_calendar(const Svi& p, const Neighbours& sides) noexcept {
  CalendarCheck out;
  if (sides.before != nullptr) out = check_calendar(*sides.before, p);
  if (sides.after != nullptr) {
    const CalendarCheck after = check_calendar(p, *sides.after);
    if (after.min_gap < out.min_gap) out = after;
  }
  return out;
}

SliceFit fit_slice(const SliceQuotes& in, const SurfaceLimits& limits, const Svi* warm,
                   const Neighbours& sides) noexcept {
  SliceFit fit;
  fit.fault = check_quotes(in, limits);
  if (fit.fault != SliceFault::none) return fit;
  const bool enough = in.quotes.size() >= limits.svi_strikes_min;
  if (enough && warm != nullptr && well_formed(*warm) && refit(fit, *warm, in, limits, sides)) {
    return fit;
  }
  if (enough && fit_svi(fit, in, limits, sides)) return fit;
  SliceFit fallback = fit;
  Objective objective{in, sides};
  fallback.repaired = false;
  const Found ssvi = fit_ssvi(objective);
  judge(fallback, ssvi.svi, SliceModel::ssvi, in, limits, sides);
  fallback.evaluations += ssvi.evaluations;
  return fallback.verdict == SliceVerdict::accepted || !enough ? fallback : fit;
}

}  // namespace gimbal::quant
