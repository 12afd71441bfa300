// System calls and allocations of this test program that fail on demand: the calls named below are
// defined by the program itself and go on to the kernel unless one is to fail. One thread.
#pragma once

#include <cstdint>

namespace gimbal::test {

enum class Failing : std::uint8_t {
  none,
  open,
  pwrite,
  short_pwrite,  // half of the bytes are written, which is no error
  interrupted_pwrite,
  slow_pwrite,  // takes slow_pwrite_ms longer, which is no error
  fallocate,
  fdatasync,
  slow_fdatasync,  // takes slow_fdatasync_ms
  fsync,
  ftruncate,
  rename,
  allocation,  // operator new throws std::bad_alloc
};

inline constexpr long slow_pwrite_ms = 4;
inline constexpr long slow_fdatasync_ms = 300;

// While it lives the n-th call (from 1) of a kind fails with `error`; with `for_good` the later
// ones too.
class FailingCall {
 public:
  FailingCall(Failing kind, int error, std::uint64_t n, bool for_good) noexcept;
  ~FailingCall();
  FailingCall(const FailingCall&) = delete;
  FailingCall& operator=(const FailingCall&) = delete;

  [[nodiscard]] static bool fired() noexcept;
};

}  // namespace gimbal::test
