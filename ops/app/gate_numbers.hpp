// What every check of the gate compared, in words a person reads. Room: ops/app. Cold.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "engine/core/risk/gate.hpp"

namespace gimbal {

// How much of one limit an order would have used; `limit` 0: switched off.
struct LimitUse {
  std::string_view name;
  std::string_view unit;
  double used{0};
  double limit{0};
};
// The limits of [risk] that grow with orders and positions, the order included.
inline constexpr std::size_t limit_uses = 9;
[[nodiscard]] std::array<LimitUse, limit_uses> limits_used(const OrderFacts& order,
                                                           const GateContext& context,
                                                           const RiskLimits& limits);
// What `check` looked at: "mark age 12 ms of 5000 ms". Empty for a check it does not know.
[[nodiscard]] std::string numbers_of(std::string_view check, const OrderFacts& order,
                                     const GateContext& context, const RiskLimits& limits);

}  // namespace gimbal
