// Raw SVI: total implied variance of one expiry over log-moneyness, and the two arbitrage checks.
//
// Room: engine/quant, cold; no allocation, no exception, no libm.
// Source: Gatheral (2004), A parsimonious arbitrage-free implied volatility parameterization;
// Gatheral & Jacquier (2014), Arbitrage-free SVI volatility surfaces (g, and the SSVI conditions).
//
// Units: k = ln(K/F), F the expiry's own forward; w = sigma^2 T, a pure number; T in years of 365
// days; sigma a fraction per sqrt(year).
#pragma once

#include <limits>

namespace gimbal::quant {

// w(k) = a + b (rho (k - m) + sqrt((k - m)^2 + s^2)).
struct Svi {
  double a{0};
  double b{0};    // at least 0
  double rho{0};  // inside -1 .. 1
  double m{0};
  double s{0};  // above 0
};

struct SviPoint {
  double w{0};
  double w1{0};  // dw/dk
  double w2{0};  // d2w/dk2
};

[[nodiscard]] SviPoint svi_at(const Svi& p, double k) noexcept;
// Durrleman's function, of the sign of the risk-neutral density at k: negative is butterfly
// arbitrage. w must be above 0.
[[nodiscard]] double durrleman_g(const SviPoint& p, double k) noexcept;
// Finite, b >= 0, |rho| < 1, s > 0 and the least variance a + b s sqrt(1 - rho^2) above 0.
[[nodiscard]] bool well_formed(const Svi& p) noexcept;

struct ButterflyCheck {
  double min_g{-std::numeric_limits<double>::infinity()};  // -inf: the slice is not well formed
  double k{0};                                             // where; +-inf: the limit of a wing
  double wing_slope{0};                                    // b (1 + |rho|), at most 2 (Lee 2004)
  [[nodiscard]] bool free() const noexcept { return min_g >= 0 && wing_slope <= 2; }
};
// The least g over all k: on k = m + s sinh(u), |u| <= 12, then refined around the least; and the
// limits of both wings, 1/4 - (b (1 +- rho))^2 / 16.
[[nodiscard]] ButterflyCheck check_butterfly(const Svi& p) noexcept;

struct CalendarCheck {
  double min_gap{std::numeric_limits<double>::infinity()};  // the least w_far / w_near - 1
  double k{0};                                              // where; +-inf: the limit of a wing
  [[nodiscard]] bool free() const noexcept { return min_gap >= -1e-10; }
};
// Whether the total variance of `far` is nowhere below that of `near`, at equal k: on the points of
// both slices' butterfly checks, refined around the least gap, and by the slopes of the wings. Both
// must be well formed. Gaps above -1e-10 w count as equal.
[[nodiscard]] CalendarCheck check_calendar(const Svi& near, const Svi& far) noexcept;

// One slice of SSVI: w = theta/2 (1 + rho phi k + sqrt((phi k + rho)^2 + 1 - rho^2)).
struct Ssvi {
  double theta{0};  // total variance at the money, above 0
  double rho{0};
  double phi{0};  // above 0
};
// The largest phi that is free of butterfly arbitrage: theta phi (1 + |rho|) < 4 and
// theta phi^2 (1 + |rho|) <= 4 (Gatheral & Jacquier, theorem 4.2).
[[nodiscard]] double ssvi_phi_max(double theta, double rho) noexcept;
// The same curve as raw SVI.
[[nodiscard]] Svi raw(const Ssvi& p) noexcept;

}  // namespace gimbal::quant
