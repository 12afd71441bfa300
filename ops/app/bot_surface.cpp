// The volatility surface of a running bot. Tickers reach it behind the journal, on the cold main
// thread; a thread of its own fits (surface_fitter.hpp) and publishes each expiry as a side block,
// which enters the core through the sequencer like any event. The hot thread does nothing for it
// but take the block. Room: ops/app (wiring).
#include <chrono>
#include <deque>
#include <thread>

#include "ops/app/bot.hpp"
#include "ops/app/status.hpp"
#include "ops/app/surface_feed.hpp"

namespace gimbal {

namespace {

// Side blocks that stay free for reloads and listings.
constexpr std::size_t slots_left = side_block_slots / 2;
constexpr std::chrono::milliseconds surface_wait{10};

}  // namespace

EventRing* Bot::surface_ring() {
  if (!loaded_->config.surface.use) return nullptr;
  surface_ = std::make_unique<SurfaceFeed>();
  surface_->config = loaded_->config.surface;
  surface_->sigma_min = static_cast<double>(loaded_->config.risk.iv_min_bps) * 1e-4;
  surface_->sigma_max = static_cast<double>(loaded_->config.risk.iv_max_bps) * 1e-4;
  journal_->observe([this](const Event& event) { note_ticker(event); });
  return &surface_->events;
}

void Bot::note_ticker(const Event& event) {
  if (event.kind() != EventKind::ticker || !surface_->parts.add(event)) return;
  SurfaceQuote q;
  if (!quote_of(universe_.table(), event, surface_->parts.value(), q)) return;
  if (!surface_->quotes.push(q)) surface_->quotes_lost.fetch_add(1, std::memory_order_relaxed);
}

// False: no room now, the same block again later.
bool Bot::publish_block(SideBlockKind kind, std::span<const std::byte> bytes, EventRing& to) {
  if (journal_->failed() || journal_->degraded()) return false;
  if (blocks_->in_use() + slots_left > blocks_->slots()) return false;
  const SideBlockRef ref = blocks_->publish(kind, bytes);
  if (ref.kind == SideBlockKind::none) return false;
  Event e = make_event(EventKind::side_block, venue_, InstrumentId{}, clock_.now(), {}, ref);
  e.add_flag(event_flag::last_in_packet);
  if (to.push(e)) return true;
  for (int holder = 0; holder < 2; ++holder) blocks_->release(ref);
  return false;
}

void Bot::surface_loop() {
  const SurfaceConfig& config = surface_->config;
  SurfaceFitter fitter{config, surface_->sigma_min, surface_->sigma_max};
  std::deque<std::vector<std::byte>> waiting;
  RecvTime due = clock_.now() + config.interval;
  while (!stop_cold_.load(std::memory_order_acquire)) {
    SurfaceQuote q;
    while (surface_->quotes.pop_into(q)) fitter.quote(q);
    const RecvTime now = clock_.now();
    if (now >= due && waiting.empty()) {
      due = now + config.interval;
      for (auto& block : fitter.fit(now)) waiting.push_back(std::move(block));
      const SurfaceCounters& c = fitter.counters();
      surface_->fits.store(c.fits, std::memory_order_relaxed);
      surface_->accepted.store(c.accepted, std::memory_order_relaxed);
      surface_->kept.store(c.kept, std::memory_order_relaxed);
      surface_->refused.store(c.refused, std::memory_order_relaxed);
      surface_->unusable.store(c.unusable, std::memory_order_relaxed);
      surface_->implied.store(c.implied, std::memory_order_relaxed);
      surface_->implied_slow.store(c.implied_slow, std::memory_order_relaxed);
      surface_->apart.store(c.apart, std::memory_order_relaxed);
      const std::int64_t took_us = (clock_.now() - now).count / 1000;
      if (took_us > surface_->longest_us.load(std::memory_order_relaxed)) {
        surface_->longest_us.store(took_us, std::memory_order_relaxed);
      }
    }
    // One a wait: the blocks of one fit are not to be one burst on the hot thread.
    if (!waiting.empty() &&
        publish_block(SideBlockKind::surface, waiting.front(), surface_->events)) {
      waiting.pop_front();
      surface_->published.fetch_add(1, std::memory_order_relaxed);
    }
    std::this_thread::sleep_for(surface_wait);
  }
}

void Bot::show_surface(std::vector<CounterStatus>& to) const {
  if (surface_ == nullptr) return;
  const auto put = [&to](const char* name, std::uint64_t v) {
    to.push_back(CounterStatus{name, v});
  };
  put("surface_fits", surface_->fits.load());
  put("surface_expiries_accepted", surface_->accepted.load());
  put("surface_expiries_kept", surface_->kept.load());
  put("surface_expiries_refused", surface_->refused.load());
  put("surface_expiries_unusable", surface_->unusable.load());
  put("surface_vols_implied", surface_->implied.load());
  put("surface_vols_implied_slow", surface_->implied_slow.load());
  put("surface_vols_apart", surface_->apart.load());
  put("surface_blocks_published", surface_->published.load());
  put("surface_quotes_lost", surface_->quotes_lost.load());
  put("surface_fit_us_max", static_cast<std::uint64_t>(surface_->longest_us.load()));
}

}  // namespace gimbal
