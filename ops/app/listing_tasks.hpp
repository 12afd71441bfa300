// What crosses threads when the venue's list of instruments changes: notes from a feed, tasks for
// it, new terms for the order session. Room: ops/app (wiring). Flat, copied whole.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/core/instrument.hpp"
#include "engine/core/payload.hpp"
#include "engine/runtime/ring.hpp"
#include "feeds/deribit/decoder.hpp"

namespace gimbal {

// Feed -> cold side: the venue said this of a known instrument; the core has been told already.
struct ListingNote {
  InstrumentId instrument{};
  InstrumentChangeKind change{InstrumentChangeKind::invalidate};
};

// Cold side -> feed: subscribe a listed instrument (the core knows it by now), or give up one that
// has ended.
struct ListingTask {
  InstrumentId instrument{};
  bool ended{false};
  deribit::Interval book{deribit::Interval::ms100};
  deribit::Interval ticker{deribit::Interval::ms100};
};

using ListingNotes = SpscRing<ListingNote>;
using ListingTasks = SpscRing<ListingTask>;
using TermsRing = SpscRing<Instrument>;  // cold side -> order session

// What the order session makes of new terms; a replay of its frames too.
inline void take_definition(InstrumentTable& table, const Instrument& fresh) noexcept {
  if (table.contains(fresh.id)) {
    (void)table.redefine(fresh);
  } else {
    (void)table.add(fresh);
  }
}

inline constexpr std::size_t listings_max = 4096;             // instruments listed in one boot
inline constexpr std::size_t listing_notes_max = 1024;        // an expiry's worth at once
inline constexpr std::size_t listings_per_request = 50;       // two channels each: one request
inline constexpr Nanos listing_interval = milliseconds(500);  // between two such requests
inline constexpr std::size_t terms_waiting_max = 1024;

}  // namespace gimbal
