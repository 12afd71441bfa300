// Gamma and vega of the underlying after the order; each is off while its limit is zero. An order
// that brings the number nearer to zero passes even over the limit.
#pragma once

#include "engine/core/risk/context.hpp"
#include "engine/core/risk/limits.hpp"
#include "engine/core/risk/refusal.hpp"

namespace gimbal {

struct GammaLimit {
  static Refused check(const OrderFacts&, const GateContext& c, const RiskLimits& l) noexcept {
    if (!inside(c.gamma_usd, c.order_gamma_usd, l.max_gamma_usd.nano)) {
      return {Refusal::gamma_limit, l.max_gamma_usd.nano, after(c.gamma_usd, c.order_gamma_usd)};
    }
    if (!inside(c.vega_usd, c.order_vega_usd, l.max_vega_usd.nano)) {
      return {Refusal::vega_limit, l.max_vega_usd.nano, after(c.vega_usd, c.order_vega_usd)};
    }
    return {};
  }

 private:
  static i128 magnitude(i128 v) noexcept { return v < 0 ? -v : v; }
  static bool inside(std::int64_t now, std::int64_t change, std::int64_t limit) noexcept {
    if (limit == 0) return true;
    const i128 next = magnitude(static_cast<i128>(now) + change);
    return next <= limit || next < magnitude(now);
  }
  static std::int64_t after(std::int64_t now, std::int64_t change) noexcept {
    const i128 next = static_cast<i128>(now) + change;
    return fits_int64(next) ? static_cast<std::int64_t>(next) : INT64_MAX;
  }
};

}  // namespace gimbal
