#include "engine/runtime/life_line.hpp"

#include <linux/futex.h>

namespace gimbal {

bool owner_died(const LifeLine& line) noexcept {
  const int word = __atomic_load_n(&line.held.__data.__lock, __ATOMIC_ACQUIRE);
  return (static_cast<unsigned>(word) & FUTEX_OWNER_DIED) != 0;
}

void forget_owner(LifeLine& line) noexcept {
  __atomic_store_n(&line.held.__data.__lock, 0, __ATOMIC_RELEASE);
}

LifeHold::LifeHold(LifeLine& line) noexcept : line_{line} {
  pthread_mutexattr_t kind;
  if (::pthread_mutexattr_init(&kind) != 0) return;
  held_ = ::pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST) == 0 &&
          ::pthread_mutexattr_setpshared(&kind, PTHREAD_PROCESS_SHARED) == 0 &&
          ::pthread_mutex_init(&line.held, &kind) == 0 && ::pthread_mutex_lock(&line.held) == 0;
  (void)::pthread_mutexattr_destroy(&kind);
}

LifeHold::~LifeHold() {
  if (held_) (void)::pthread_mutex_unlock(&line_.held);
}

}  // namespace gimbal
