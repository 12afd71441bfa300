// data that does not come, although the connection lives. Ages are of data (book, quote,
// ticker), never of heartbeats, and never older than the last moment at which this process itself
// was seen to sleep: what could not be read then is nobody's silence.
#pragma once

#include <cstdint>

#include "engine/core/time.hpp"
#include "engine/core/units.hpp"

namespace gimbal {

struct Staleness {
  // Zero `at`: there was no data yet, which is not stale.
  static constexpr Nanos age(RecvTime now, RecvTime at, RecvTime awake_since) noexcept {
    if (at.mono_ns == 0) return {};
    const RecvTime from = at < awake_since ? awake_since : at;
    return now > from ? now - from : Nanos{};
  }
  // The index moved by more than `ticks` of the instrument since its last data.
  static constexpr bool witnessed(Price index, Price index_then, Price tick,
                                  std::int64_t ticks) noexcept {
    if (index.nano <= 0 || index_then.nano <= 0 || tick.nano <= 0) return false;
    const i128 moved = static_cast<i128>(index.nano) - index_then.nano;
    return (moved < 0 ? -moved : moved) > static_cast<i128>(tick.nano) * ticks;
  }
};

}  // namespace gimbal
