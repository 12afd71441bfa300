// Number of open and unknown orders: the configured limit, then room in the order table.
#pragma once

#include "engine/core/risk/context.hpp"
#include "engine/core/risk/limits.hpp"
#include "engine/core/risk/refusal.hpp"

namespace gimbal {

struct OpenOrders {
  static Refused check(const OrderFacts& o, const GateContext& c, const RiskLimits& l) noexcept {
    if (o.replace) return {};
    const auto after = static_cast<std::int64_t>(c.open_orders) + 1;
    if (after > l.max_open_orders) return {Refusal::open_orders, l.max_open_orders, after};
    const auto room = static_cast<std::int64_t>(c.open_orders_table_max);
    if (after > room) return {Refusal::table_full, room, after};
    return {};
  }
};

}  // namespace gimbal
