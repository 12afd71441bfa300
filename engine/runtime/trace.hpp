// Cold. Makes sentences of the numbers that the core's trace ring carries
// (engine/core/trace_sink.hpp) and hands them to a writer, at most `max` a call. Never on a hot
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "engine/core/trace_sink.hpp"

namespace gimbal {

// The enumerator's own name: "order_refused".
[[nodiscard]] std::string_view name_of(TraceId id) noexcept;

// One JSON object without line end:
// {"t":"12.345678901","seq":7,"trace":"order_state","instrument":3,"venue":0,"a":1,...}
// Members that are not set (instrument, strategy, underlying) are left out.
[[nodiscard]] std::string to_json(const TraceRecord& record);

// Takes at most `max` records and calls use(const TraceRecord&) for each; gives the count.
template <class Use>
std::size_t drain_trace(TraceRing& ring, Use&& use, std::size_t max = 4096) {
  std::size_t done = 0;
  TraceRecord record;
  while (done < max && ring.take(record)) {
    use(std::as_const(record));
    ++done;
  }
  return done;
}

}  // namespace gimbal
