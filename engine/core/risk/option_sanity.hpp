// An option's numbers are possible (control P-18): finite, Black delta in [-1, 1], gamma not
// negative, volatility inside its bounds, the venue's mark inside the no-arbitrage band. The net
// delta of an inverse put may be below -1 and is not judged.
#pragma once

#include "engine/core/portfolio.hpp"
#include "engine/core/risk/context.hpp"
#include "engine/core/risk/greek_kind.hpp"
#include "engine/core/risk/limits.hpp"
#include "engine/core/risk/refusal.hpp"

namespace gimbal {

struct OptionSanity {
  static constexpr std::int64_t nano_per_bp = nano_per_unit / 10000;

  // Judges analytics once, where doubles still are; the gate sees the verdict.
  static OptionVerdict judge(const OptionMark& m, const Instrument& i,
                             const RiskLimits& l) noexcept {
    for (const double v : {m.price, m.delta_net, m.delta_bs, m.gamma, m.vega, m.theta, m.forward}) {
      if (!(v - v == 0)) return {GreekKind::price, 0, 0};  // NaN or infinite
    }
    std::int64_t sigma = 0;
    if (!decision_nano(m.sigma, sigma) || !volatility(sigma, l)) {
      return {GreekKind::volatility, l.iv_max_bps * nano_per_bp, sigma};
    }
    std::int64_t delta = 0;
    if (!decision_nano(m.delta_bs, delta) || delta > nano_per_unit || delta < -nano_per_unit) {
      return {GreekKind::delta, nano_per_unit, delta};
    }
    if (!(m.gamma >= 0)) return {GreekKind::gamma, 0, -1};
    return band(m, i, l);
  }
  static bool volatility(std::int64_t sigma_nano, const RiskLimits& l) noexcept {
    return sigma_nano >= l.iv_min_bps * nano_per_bp && sigma_nano <= l.iv_max_bps * nano_per_bp;
  }
  static Refused check(const OrderFacts&, const GateContext& c, const RiskLimits&) noexcept {
    if (c.option.insane == GreekKind::none) return {};
    return {Refusal::option_insane, c.option.bound, c.option.value};
  }

 private:
  // Intrinsic value to forward (call) or strike (put), in the option's price currency, widened by
  // `option_band_bps` of the forward: the venue marks at a forward of its own.
  static OptionVerdict band(const OptionMark& m, const Instrument& i,
                            const RiskLimits& l) noexcept {
    if (m.venue_mark.nano <= 0) return {};
    if (!(m.forward > 0)) return {GreekKind::price, 0, m.venue_mark.nano};
    const double unit = is_inverse(i.kind) ? m.forward : 1.0;
    const double forward = m.forward / unit;
    const double strike = to_double(i.strike) / unit;
    const double slack = forward * static_cast<double>(l.option_band_bps) * 1e-4;
    const bool call = i.option == OptionType::call;
    const double intrinsic = call ? forward - strike : strike - forward;
    std::int64_t low = 0;
    std::int64_t high = 0;
    if (!decision_nano(intrinsic - slack, low) ||
        !decision_nano((call ? forward : strike) + slack, high)) {
      return {GreekKind::price, 0, m.venue_mark.nano};
    }
    if (m.venue_mark.nano < low) return {GreekKind::price, low, m.venue_mark.nano};
    if (m.venue_mark.nano > high) return {GreekKind::price, high, m.venue_mark.nano};
    return {};
  }
};

}  // namespace gimbal
