// What joins the cold main thread, the surface's thread and the sequencer (bot_surface.cpp). Room:
// ops/app.
#pragma once

#include <atomic>
#include <cstdint>

#include "engine/core/payload.hpp"
#include "engine/runtime/ring.hpp"
#include "ops/app/hot.hpp"
#include "ops/app/surface_fitter.hpp"

namespace gimbal {

struct SurfaceFeed {
  // As at start: a reload replaces the bot's own copy.
  SurfaceConfig config{};
  double sigma_min{0};
  double sigma_max{0};
  PartsBuffer<Ticker> parts{};
  SpscRing<SurfaceQuote> quotes{1u << 14};
  EventRing events{64};
  std::atomic<std::uint64_t> quotes_lost{0};
  std::atomic<std::uint64_t> fits{0};
  std::atomic<std::uint64_t> accepted{0};
  std::atomic<std::uint64_t> kept{0};
  std::atomic<std::uint64_t> refused{0};
  std::atomic<std::uint64_t> unusable{0};
  std::atomic<std::uint64_t> implied{0};
  std::atomic<std::uint64_t> implied_slow{0};
  std::atomic<std::uint64_t> apart{0};
  std::atomic<std::uint64_t> published{0};
  std::atomic<std::int64_t> longest_us{0};
};

}  // namespace gimbal
