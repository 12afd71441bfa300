// No order from old data: the instrument's own data, the mark that the collar uses, the index.
#pragma once

#include "engine/core/risk/context.hpp"
#include "engine/core/risk/limits.hpp"
#include "engine/core/risk/refusal.hpp"

namespace gimbal {

struct Freshness {
  static Refused check(const OrderFacts&, const GateContext& c, const RiskLimits& l) noexcept {
    const bool option = is_option(c.instrument->kind);
    const Nanos quote_max = option ? l.mark_age_max : l.quote_age_max;
    if (c.mark.nano <= 0) return {Refusal::mark_stale, l.mark_age_max.count, absent};
    if (c.mark_age > l.mark_age_max) {
      return {Refusal::mark_stale, l.mark_age_max.count, c.mark_age.count};
    }
    if (c.quote_age > quote_max) return {Refusal::mark_stale, quote_max.count, c.quote_age.count};
    if (c.index.nano <= 0) return {Refusal::index_stale, l.index_age_max.count, absent};
    if (c.index_age > l.index_age_max) {
      return {Refusal::index_stale, l.index_age_max.count, c.index_age.count};
    }
    return {};
  }
  static constexpr std::int64_t absent = INT64_MAX;
};

}  // namespace gimbal
