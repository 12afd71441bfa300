// Exposure of everything open or unknown plus this order, over all venues and at its own (control
// P-10). Exits and hedges pass.
#pragma once

#include "engine/core/risk/context.hpp"
#include "engine/core/risk/limits.hpp"
#include "engine/core/risk/lowers_risk.hpp"
#include "engine/core/risk/refusal.hpp"

namespace gimbal {

struct OpenValue {
  static Refused check(const OrderFacts& o, const GateContext& c, const RiskLimits& l) noexcept {
    Money value;
    if (!c.instrument->exposure_usd(o.price, o.added, c.index, value)) {
      return {Refusal::overflow, l.max_open_usd.nano, INT64_MAX};
    }
    const i128 total = static_cast<i128>(c.open_usd.nano) + value.nano;
    if (total > l.max_open_usd.nano && !LowersRisk::holds(o, c, l)) {
      return {Refusal::open_usd, l.max_open_usd.nano, clamp(total)};
    }
    const i128 venue = static_cast<i128>(c.venue_open_usd.nano) + value.nano;
    if (venue > l.max_venue_open_usd.nano && !LowersRisk::holds(o, c, l)) {
      return {Refusal::venue_open_usd, l.max_venue_open_usd.nano, clamp(venue)};
    }
    return {};
  }

 private:
  static std::int64_t clamp(i128 v) noexcept {
    return fits_int64(v) ? static_cast<std::int64_t>(v) : INT64_MAX;
  }
};

}  // namespace gimbal
