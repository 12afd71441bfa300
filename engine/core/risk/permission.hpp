// Whether anything may be sent at all: modes, private session, reconciliation, clock.
#pragma once

#include "engine/core/risk/context.hpp"
#include "engine/core/risk/limits.hpp"
#include "engine/core/risk/refusal.hpp"

namespace gimbal {

struct Permission {
  static Refused check(const OrderFacts&, const GateContext& c, const RiskLimits&) noexcept {
    if (c.mode >= Mode::halt) {
      return {Refusal::halted, static_cast<std::int64_t>(Mode::halt),
              static_cast<std::int64_t>(c.mode)};
    }
    if (!c.gateway_ready) return {Refusal::gateway_down, 1, 0};
    if (!c.reconciled) return {Refusal::not_reconciled, 1, 0};
    if (c.venue_now.unix_ns <= 0) return {Refusal::clock_unknown, 1, 0};
    return {};
  }
};

}  // namespace gimbal
