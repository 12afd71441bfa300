#include "engine/runtime/idle.hpp"

#include <sched.h>

#include <ctime>

namespace gimbal {

bool parse_idle_mode(std::string_view text, IdleMode& out) noexcept {
  if (text == "spin")
    out = IdleMode::spin;
  else if (text == "pause")
    out = IdleMode::pause;
  else if (text == "yield")
    out = IdleMode::yield;
  else if (text == "sleep")
    out = IdleMode::sleep;
  else
    return false;
  return true;
}

void Idle::give_way() noexcept {
  if (config_.mode == IdleMode::yield) {
    sched_yield();
    return;
  }
  const timespec t{static_cast<time_t>(config_.sleep.count / 1'000'000'000),
                   static_cast<long>(config_.sleep.count % 1'000'000'000)};
  nanosleep(&t, nullptr);
}

}  // namespace gimbal
