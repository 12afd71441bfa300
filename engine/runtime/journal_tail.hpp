// The end of a boot's journal, from one event on, for the boot after it. Not a proof as
// JournalReader's: a place in the middle is looked for by the segments' headers, every record is
// judged by its own checksum and place, and reading ends at the first that is not sound, at the
// limits below, or at the end. Nothing here ever keeps a boot down. Cold.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "engine/core/event.hpp"
#include "engine/core/time.hpp"

namespace gimbal {

struct TailLimits {
  std::uint64_t bytes_max{512u << 20};  // of journal, from the segment that holds the place
  Nanos time_max{milliseconds(250)};    // of this host's clock
};

struct TailResult {
  std::uint64_t events{0};  // told
  Seq last{};               // the last of them
  std::uint64_t gaps{0};    // events that the journal lost on its way, behind the place
  bool whole{false};        // read to the end of what was written
  std::string why{};        // why not
};

// Tells every event behind `after` of boot `epoch` in `directory`, in order.
[[nodiscard]] TailResult read_tail(const std::string& directory, std::uint32_t epoch, Seq after,
                                   const TailLimits& limits,
                                   const std::function<void(const Event&)>& tell);

}  // namespace gimbal
