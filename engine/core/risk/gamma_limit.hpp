// Gamma and vega of the underlying after the order, in the worst case over open and unknown orders
// (control P-09); each is off while its limit is zero. An order that brings the number nearer to
// zero passes even over the limit, and so do hedges and exits. Stale Greeks count once and twice,
// whichever is worse.
#pragma once

#include "engine/core/risk/context.hpp"
#include "engine/core/risk/limits.hpp"
#include "engine/core/risk/lowers_risk.hpp"
#include "engine/core/risk/refusal.hpp"

namespace gimbal {

struct GammaLimit {
  static Refused check(const OrderFacts& o, const GateContext& c, const RiskLimits& l) noexcept {
    const Growth gamma{c.gamma_usd, c.gamma_open, c.order_gamma_usd, c.greeks_stale};
    if (!gamma.inside(l.max_gamma_usd.nano) && !LowersRisk::holds(o, c, l)) {
      return {Refusal::gamma_limit, l.max_gamma_usd.nano, gamma.after()};
    }
    const Growth vega{c.vega_usd, c.vega_open, c.order_vega_usd, c.greeks_stale};
    if (!vega.inside(l.max_vega_usd.nano) && !LowersRisk::holds(o, c, l)) {
      return {Refusal::vega_limit, l.max_vega_usd.nano, vega.after()};
    }
    return {};
  }

 private:
  struct Growth {
    std::int64_t settled;
    DeltaRange open;
    std::int64_t change;
    bool stale;

    [[nodiscard]] i128 base(std::int64_t times) const noexcept {
      return static_cast<i128>(settled) * times + (change < 0 ? open.low : open.high);
    }
    [[nodiscard]] bool inside(std::int64_t limit) const noexcept {
      if (limit == 0 || change == 0) return true;
      return inside(limit, base(1)) && (!stale || inside(limit, base(2)));
    }
    [[nodiscard]] bool inside(std::int64_t limit, i128 from) const noexcept {
      const i128 next = magnitude(from + change);
      return next <= limit || next < magnitude(from);
    }
    [[nodiscard]] std::int64_t after() const noexcept {
      const i128 next = base(stale ? 2 : 1) + change;
      return fits_int64(next) ? static_cast<std::int64_t>(next) : INT64_MAX;
    }
    static i128 magnitude(i128 v) noexcept { return v < 0 ? -v : v; }
  };
};

}  // namespace gimbal
