// A word in the gate page that the kernel changes the moment the bot dies.
//
// A process handle becomes readable when the kernel has taken the dead process apart, which for a
// bot with hundreds of megabytes of touched memory takes tens of milliseconds. A robust futex is
// marked before that, as the first thing its dying owner does (robust_list(7)): the bot's main
// thread holds this one for as long as it lives, and the guardian reads it each millisecond.
// Cold. The reader never locks.
#pragma once

#include <pthread.h>

namespace gimbal {

struct alignas(64) LifeLine {
  pthread_mutex_t held;  // robust, shared between processes; all zero: never held
};
static_assert(sizeof(LifeLine) == 64);

// The holder's thread ended without letting go. False when nobody holds the line or ever did.
[[nodiscard]] bool owner_died(const LifeLine& line) noexcept;

// Forgets an earlier, dead owner; nobody may hold the line.
void forget_owner(LifeLine& line) noexcept;

// Holds a line from construction to destruction, both on one thread, which must outlive the work
// that the line vouches for.
class LifeHold {
 public:
  explicit LifeHold(LifeLine& line) noexcept;
  ~LifeHold();
  LifeHold(const LifeHold&) = delete;
  LifeHold& operator=(const LifeHold&) = delete;
  [[nodiscard]] bool held() const noexcept { return held_; }

 private:
  LifeLine& line_;
  bool held_{false};
};

}  // namespace gimbal
