#include "ops/app/guardian_view.hpp"

#include <fmt/format.h>

namespace gimbal {

void GuardianView::look(RecvTime now) noexcept {
  const BeatLine& line = page_.guardian;
  const std::uint64_t beats = line.beats.load(std::memory_order_acquire);
  // The page may hold the last beat of a guardian that is long gone: only a new one counts.
  beaten_ = beaten_ || beats != beats_at_start_;
  const Nanos silent = silence_.look(beats, now);
  const bool ready = static_cast<GuardianState>(line.state.load(std::memory_order_acquire)) ==
                     GuardianState::ready;
  const bool ours = line.epoch.load(std::memory_order_acquire) == epoch_;
  live_ = beaten_ && ready && ours && silent <= beat_max_;
}

GuardianStatus GuardianView::status() const noexcept {
  GuardianStatus s;
  s.live = live_ ? 1 : 0;
  s.fires = page_.fire.fires.load(std::memory_order_acquire);
  return s;
}

std::string GuardianView::text() const {
  if (live_) return "live";
  if (!beaten_) return "absent";
  if (silence_.silent() > beat_max_) {
    return fmt::format("silent for {:.1f} s", static_cast<double>(silence_.silent().count) * 1e-9);
  }
  return "connecting";
}

bool GuardianView::take_fire() noexcept {
  const std::uint64_t fires = page_.fire.fires.load(std::memory_order_acquire);
  if (fires == fires_) return false;
  fires_ = fires;
  return true;
}

}  // namespace gimbal
