// No new options within `expiry_window` of their settlement, unless `expiry_mode` is on (control
// P-20). What is held may still be closed.
#pragma once

#include "engine/core/risk/context.hpp"
#include "engine/core/risk/limits.hpp"
#include "engine/core/risk/lowers_risk.hpp"
#include "engine/core/risk/refusal.hpp"

namespace gimbal {

struct ExpiryWindow {
  static Refused check(const OrderFacts& o, const GateContext& c, const RiskLimits& l) noexcept {
    if (l.expiry_mode || !is_option(c.instrument->kind) || o.added.nano <= 0) return {};
    const Nanos left = c.instrument->expiry - c.venue_now;
    if (left > l.expiry_window || LowersRisk::exit(o, c, l)) return {};
    return {Refusal::expiry_window, l.expiry_window.count, left.count};
  }
};

}  // namespace gimbal
