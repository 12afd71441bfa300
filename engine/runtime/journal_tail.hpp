// The end of a boot's journal, from one event on, for a boot after it. Not a proof as
// JournalReader's: reading begins at the place that the snapshot names, every record is judged by
// its own checksum and place, and reading ends at the first that is not sound, at the limits below,
// or at the end. A place that is not known, or does not hold, is looked for by the segments'
// headers, newest first, and by walking over the events before it. Nothing here ever keeps a boot
// down. Cold.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "engine/core/event.hpp"
#include "engine/core/payload.hpp"
#include "engine/core/time.hpp"
#include "engine/runtime/journal_place.hpp"

namespace gimbal {

// Of this host's clock. What it takes to come to the place does not count as reading.
struct TailLimits {
  std::uint64_t bytes_max{512u << 20};  // of journal, behind the place
  Nanos time_max{milliseconds(250)};    // to read them
  Nanos search_max{seconds(1)};         // to come to the place, where it cannot be gone to at once
};

struct TailPlace {
  Seq after{};        // the last event that is known already
  JournalPlace at{};  // behind it, where that is known
};

struct TailTold {
  std::function<void(const Event&)> event{};
  // May be empty. Blocks come before the event that names them; one from before the place may come.
  std::function<void(SideBlockKind, std::span<const std::byte>)> block{};
};

struct TailResult {
  std::uint64_t events{0};    // told
  Seq last{};                 // the last of them
  std::uint64_t gaps{0};      // events that the journal lost on its way, behind the place
  std::uint64_t searched{0};  // bytes that were read or unpacked to come to the place
  bool whole{false};          // read to the end of what was written
  std::string why{};          // why not
};

// Tells every event behind `from` of boot `epoch` in `directory`, in order.
[[nodiscard]] TailResult read_tail(const std::string& directory, std::uint32_t epoch,
                                   const TailPlace& from, const TailLimits& limits,
                                   const TailTold& told);

}  // namespace gimbal
