// The guardian as the bot sees it in the shared page: alive, watching this very boot, and able to
// cancel. Room: ops/app (wiring). Cold thread only.
#pragma once

#include <cstdint>
#include <string>

#include "engine/core/payload.hpp"
#include "engine/runtime/gate_page.hpp"

namespace gimbal {

class GuardianView {
 public:
  // `beat_max`: a heartbeat that stands still for longer is lost.
  GuardianView(const GateLayout& page, std::uint32_t epoch, Nanos beat_max) noexcept
      : page_{page}, epoch_{epoch}, beat_max_{beat_max}, fires_{page.fire.fires.load()} {}

  void look(RecvTime now) noexcept;
  [[nodiscard]] bool live() const noexcept { return live_; }
  [[nodiscard]] GuardianStatus status() const noexcept;
  // "live", "connecting", "silent for 0.7 s", "absent"; for people.
  [[nodiscard]] std::string text() const;
  // True once after each fire of the guardian since this object was made.
  [[nodiscard]] bool take_fire() noexcept;
  [[nodiscard]] FireCause last_cause() const noexcept {
    return static_cast<FireCause>(page_.fire.cause.load(std::memory_order_acquire));
  }

 private:
  const GateLayout& page_;
  std::uint32_t epoch_;
  Nanos beat_max_;
  std::uint64_t fires_;
  SilenceWatch silence_{};
  bool beaten_{false};  // at least one beat was seen to arrive
  std::uint64_t beats_at_start_{page_.guardian.beats.load()};
  bool live_{false};
};

}  // namespace gimbal
