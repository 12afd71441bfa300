// Assertions that stay on in every build: a broken invariant stops the process, and the venue's
// cancel-on-disconnect and the guardian clean up. Never use one for input from outside.
#pragma once

namespace gimbal {

// Writes the failed condition to standard error and aborts.
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line) noexcept;

}  // namespace gimbal

#define GIMBAL_ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : ::gimbal::assertion_failed(#condition, __FILE__, __LINE__))
