// What a slice is fitted against: residuals of the quotes, and of pins that ask for no arbitrage.
// Room: engine/quant, cold; a part of slice_fit.cpp. Parameters are a, b, rho, m, s in this order.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

#include "engine/core/math.hpp"
#include "engine/quant/surface/slice_fit.hpp"

namespace gimbal::quant {

// A fit inside bid and ask is as good as any other; this share of the distance to the middle keeps
// it unique.
inline constexpr double pull = 0.1;
inline constexpr double g_margin = 1e-3;
inline constexpr double vol_margin = 2e-5;
inline constexpr double slope_margin = 1e-5;

using Raw = std::array<double, 5>;  // a, b, rho, m, s
inline Svi svi_of(const Raw& p) noexcept { return {p[0], p[1], p[2], p[3], p[4]}; }
inline Raw raw_of(const Svi& p) noexcept { return {p.a, p.b, p.rho, p.m, p.s}; }

// w, w' and w'' with their derivatives in the five parameters.
struct Slopes {
  SviPoint at;
  Raw w, w1, w2;
};
inline Slopes slopes_at(const Svi& p, double k) noexcept {
  const double x = k - p.m;
  const double s2 = p.s * p.s;
  const double h2 = x * x + s2;
  const double h = math::sqrt(h2);
  const double h3 = h2 * h;
  const double w1 = p.b * (p.rho + x / h);
  const double w2 = p.b * s2 / h3;
  const double w3 = -3.0 * p.b * s2 * x / (h3 * h2);
  const double lean = p.rho * x + h;
  return {{p.a + p.b * lean, w1, w2},
          {1, lean, p.b * x, -w1, p.b * p.s / h},
          {0, p.rho + x / h, p.b, -w2, -p.b * x * p.s / h3},
          {0, s2 / h3, 0, -w3, p.b * p.s * (2.0 - 3.0 * s2 / h2) / h3}};
}

// Places where a bound on the curve is asked for.
template <class Pin>
class Pins {
 public:
  void add(const Pin& pin) noexcept {
    if (count_ < at_.size()) at_[count_++] = pin;
  }
  [[nodiscard]] std::span<const Pin> all() const noexcept { return {at_.data(), count_}; }

 private:
  std::array<Pin, 48> at_{};
  std::size_t count_{0};
};

struct Corridor {
  double low{-1e300};
  double high{1e300};
  // How far outside, negative below; 0 inside.
  [[nodiscard]] double outside(double v) const noexcept {
    return v < low ? v - low : v > high ? v - high : 0.0;
  }
};
// What two neighbours leave, less a margin on each side of at most 0.4 of it.
inline Corridor between(const double* low, const double* high, double margin) noexcept {
  if (low != nullptr && high != nullptr) margin = std::clamp(0.4 * (*high - *low), 0.0, margin);
  Corridor out;
  if (low != nullptr) out.low = *low + margin;
  if (high != nullptr) out.high = *high - margin;
  return out;
}

// Sum of squares: quotes outside bid and ask, and what the pins ask for.
class Objective {
 public:
  Objective(const SliceQuotes& in, const Neighbours& sides) noexcept : in_{in}, sides_{sides} {
    double sum = 0;
    for (const VolQuote& q : in.quotes) sum += q.weight * q.weight;
    scale_ = 1.0 / math::sqrt(sum);
    for (std::size_t i = 0; i < 2; ++i) {
      const auto slope = [&](const Svi& p) { return p.b * (1.0 + (i == 0 ? -p.rho : p.rho)); };
      const double low = sides.before != nullptr ? slope(*sides.before) : 0;
      const double high = sides.after != nullptr ? slope(*sides.after) : 0;
      wings_[i] = between(sides.before != nullptr ? &low : nullptr,
                          sides.after != nullptr ? &high : nullptr, slope_margin);
      wings_[i].high = std::min(wings_[i].high, 2.0 - g_margin);
    }
  }

  // Asks for no arbitrage at k from now on.
  void pin_butterfly(double k) noexcept {
    if (math::finite(k)) g_pins_.add(k);
  }
  void pin_calendar(double k) noexcept {
    if (!math::finite(k) || (sides_.before == nullptr && sides_.after == nullptr)) return;
    const double low = sides_.before != nullptr ? svi_at(*sides_.before, k).w : 0;
    const double high = sides_.after != nullptr ? svi_at(*sides_.after, k).w : low;
    CalendarPin pin;
    pin.k = k;
    pin.per_w = 1.0 / (2.0 * math::sqrt(high * in_.years));
    pin.w = between(sides_.before != nullptr ? &low : nullptr,
                    sides_.after != nullptr ? &high : nullptr, vol_margin / pin.per_w);
    calendar_pins_.add(pin);
  }
  double strictness{0};  // the price of arbitrage at the pins and in the wings; 0: none

  [[nodiscard]] const Neighbours& sides() const noexcept { return sides_; }
  [[nodiscard]] const SliceQuotes& quotes() const noexcept { return in_; }

  // `add(r, g)` for each residual with its gradient in the five parameters; false where the curve
  // has no volatility.
  template <class Add>
  bool residuals(const Svi& p, Add add) const noexcept {
    for (const VolQuote& q : in_.quotes) {
      const Slopes v = slopes_at_quote(p, q.k);
      if (!(v.at.w > 0)) return false;
      const double vol = math::sqrt(v.at.w / in_.years);
      const double over = vol - std::clamp(vol, q.bid, q.ask);
      const double slope = over == 0 ? pull : 1.0;
      const double r = over + pull * (vol - over - q.vol);
      add_scaled(add, q.weight * scale_ * r, q.weight * scale_ * slope / (2.0 * vol * in_.years),
                 v.w);
    }
    return !(strictness > 0) || pinned(p, add);
  }

 private:
  static Slopes slopes_at_quote(const Svi& p, double k) noexcept {
    const double x = k - p.m;
    const double h = math::sqrt(x * x + p.s * p.s);
    const double lean = p.rho * x + h;
    Slopes out{};
    out.at.w = p.a + p.b * lean;
    out.w = {1, lean, p.b * x, -p.b * (p.rho + x / h), p.b * p.s / h};
    return out;
  }
  template <class Add>
  static void add_scaled(Add& add, double r, double factor, const Raw& g) noexcept {
    Raw scaled{};
    for (std::size_t i = 0; i < 5; ++i) scaled[i] = factor * g[i];
    add(r, scaled);
  }

  template <class Add>
  bool pinned(const Svi& p, Add& add) const noexcept {
    for (const double k : g_pins_.all()) {
      const SviPoint at = svi_at(p, k);
      if (!(at.w > 0)) return false;
      const double lack = g_margin - durrleman_g(at, k);
      if (lack > 0) add_scaled(add, strictness * lack, -strictness, g_slopes(p, k));
    }
    for (const CalendarPin& pin : calendar_pins_.all()) {
      const Slopes v = slopes_at_quote(p, pin.k);
      const double out = pin.w.outside(v.at.w) * pin.per_w;
      if (out != 0) add_scaled(add, strictness * out, strictness * pin.per_w, v.w);
    }
    for (std::size_t i = 0; i < 2; ++i) {
      const double sign = i == 0 ? -1.0 : 1.0;
      const double out = wings_[i].outside(p.b * (1.0 + sign * p.rho));
      if (out != 0) {
        add_scaled(add, strictness * out, strictness, {0, 1.0 + sign * p.rho, sign * p.b, 0, 0});
      }
    }
    return true;
  }

  static Raw g_slopes(const Svi& p, double k) noexcept {
    const Slopes v = slopes_at(p, k);
    const double lean = 1.0 - 0.5 * k * v.at.w1 / v.at.w;
    const double by_w = (lean * k * v.at.w1 + 0.25 * v.at.w1 * v.at.w1) / (v.at.w * v.at.w);
    const double by_w1 = -lean * k / v.at.w - 0.5 * v.at.w1 * (1.0 / v.at.w + 0.25);
    Raw g{};
    for (std::size_t i = 0; i < 5; ++i) g[i] = by_w * v.w[i] + by_w1 * v.w1[i] + 0.5 * v.w2[i];
    return g;
  }

  struct CalendarPin {
    double k{0};
    Corridor w{};
    double per_w{0};  // volatility per total variance
  };

  const SliceQuotes& in_;
  Neighbours sides_;
  double scale_{1};
  std::array<Corridor, 2> wings_{};  // slopes, of the left one downwards
  Pins<double> g_pins_{};
  Pins<CalendarPin> calendar_pins_{};
};

}  // namespace gimbal::quant
