// the wall clock against the venue's. Orders end by the venue's clock (valid_until), which is
// mapped from the monotonic one; a wall clock that is off harms logins and records, and says that
// one of the two machines is wrong.
#pragma once

#include <cstdint>

#include "engine/core/quality/quality_limits.hpp"
#include "engine/core/time.hpp"

namespace gimbal {

struct ClockOffset {
  enum class Verdict : std::uint8_t { fine, warn, pause };
  // `gap`: wall minus venue; `uncertainty`: half the round trip that measured it, in our favour.
  static constexpr Verdict judge(Nanos gap, Nanos uncertainty, Nanos order_ttl,
                                 const QualityLimits& l) noexcept {
    const std::int64_t size = gap.count < 0 ? -gap.count : gap.count;
    const std::int64_t sure = size > uncertainty.count ? size - uncertainty.count : 0;
    if (sure > order_ttl.count / 2) return Verdict::pause;
    return sure > l.clock_warn.count ? Verdict::warn : Verdict::fine;
  }
};

}  // namespace gimbal
