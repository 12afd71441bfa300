// The children of one parent (filled, live and unknown) never exceed its amount (control P-12). An
// order without a parent is its own.
#pragma once

#include "engine/core/risk/context.hpp"
#include "engine/core/risk/limits.hpp"
#include "engine/core/risk/refusal.hpp"

namespace gimbal {

struct ParentAmount {
  static Refused check(const OrderFacts& o, const GateContext& c, const RiskLimits&) noexcept {
    if (!c.has_parent) return {};
    const i128 children = static_cast<i128>(c.parent_used.nano) + o.added.nano;
    if (children <= c.parent_amount.nano) return {};
    return {Refusal::parent_amount, c.parent_amount.nano,
            fits_int64(children) ? static_cast<std::int64_t>(children) : INT64_MAX};
  }
};

}  // namespace gimbal
