// What a runner does in a cycle without work. Hot for spin and pause (no system call); yield and
// sleep give the core back and belong to cold threads and to hosts with fewer cores than threads.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/core/time.hpp"

namespace gimbal {

enum class IdleMode : std::uint8_t {
  spin,   // nothing: lowest latency, takes the core's whole power budget
  pause,  // one `pause` instruction: kinder to the sibling hardware thread
  yield,  // sched_yield after `spins` empty cycles
  sleep,  // nanosleep after `spins` empty cycles
};

struct IdleConfig {
  IdleMode mode{IdleMode::pause};
  std::uint32_t spins{1000};  // empty cycles before yield or sleep starts
  Nanos sleep{microseconds(50)};
};

// True and `out` set for "spin", "pause", "yield", "sleep".
[[nodiscard]] bool parse_idle_mode(std::string_view text, IdleMode& out) noexcept;

class Idle {
 public:
  explicit Idle(IdleConfig config = {}) noexcept : config_{config} {}
  // Call once a cycle with the work done in it.
  void after(std::size_t work) noexcept {
    if (work != 0) {
      empty_ = 0;
      return;
    }
    if (config_.mode == IdleMode::spin) return;
    __builtin_ia32_pause();
    if (config_.mode == IdleMode::pause || ++empty_ < config_.spins) return;
    give_way();
  }

 private:
  void give_way() noexcept;
  IdleConfig config_;
  std::uint32_t empty_{0};
};

}  // namespace gimbal
