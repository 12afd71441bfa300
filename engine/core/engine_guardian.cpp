// The guardian as the core judges it (controls, K-04): without a live one nothing is armed, and a
// bot that loses it while armed falls back to REDUCE. What "live" is, the cold side decides and
// sends as an event, so that a replay takes the same decisions.
#include "engine/core/engine_core.hpp"

namespace gimbal {

bool EngineCore::guardian_missing() const noexcept {
  return setup_.guardian_required && !guardian_live_;
}

void EngineCore::on_guardian(const Event& event) noexcept {
  const auto status = event.as<GuardianStatus>();
  const bool live = status.live != 0;
  replan_ = true;
  trace(TraceId::guardian, live ? 1 : 0, static_cast<std::int64_t>(status.fires));
  if (live) {
    guardian_lost_ = false;
  } else if (guardian_live_) {
    guardian_lost_ = true;
    guardian_lost_at_ = now_;
    if (gate_.modes().at({}) == Mode::active) trip(guardian_trip(Mode::active));
  }
  guardian_live_ = live;
}

// First an alert, then, when it stays away, the mode.
Trip EngineCore::guardian_trip(Mode mode) const noexcept {
  Trip t;
  t.code = TripCode::guardian_lost;
  t.severity = mode > Mode::active ? Severity::critical : Severity::warning;
  t.latched = mode > Mode::active;
  t.mode = mode;
  t.limit = setup_.guardian_loss.count;
  t.actual = (now_ - guardian_lost_at_).count;
  return t;
}

// Exits and hedges stay possible: REDUCE, not HALT. Latched like every tightening; a guardian that
// comes back loosens nothing.
void EngineCore::check_guardian() noexcept {
  if (!guardian_lost_ || now_ < guardian_lost_at_ + setup_.guardian_loss) return;
  guardian_lost_ = false;
  if (!setup_.guardian_required || gate_.modes().at({}) != Mode::active) return;
  trip(guardian_trip(Mode::reduce));
}

}  // namespace gimbal
