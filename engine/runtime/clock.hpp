// Hot: now() is one rdtsc, one 128-bit multiply and a seqlock read, no system call. Cold:
// calibrate() at construction (about 20 ms) and anchor(), which one cold thread calls every 100 ms
// or so.
//
// Promise: nanoseconds of CLOCK_MONOTONIC. anchor() never steps the clock: it keeps the reading at
// the anchor and bends the rate, so that one thread never sees time go back. Where the TSC is not
// invariant or its rate is not stable, now() is clock_gettime and reason() says why.
#pragma once

#include <atomic>
#include <cstdint>
#include <ctime>
#include <string>

#include "engine/core/time.hpp"
#include "engine/runtime/tsc.hpp"

namespace gimbal {

// CLOCK_MONOTONIC and the wall clock, by system call (vDSO). Cold, or on the fallback path.
[[nodiscard]] RecvTime monotonic_now() noexcept;
[[nodiscard]] ExchTime wall_now() noexcept;

class TscClock {
 public:
  enum class Source : std::uint8_t { automatic, system };
  // `system` skips the TSC: for tests and for hosts where an operator distrusts it.
  explicit TscClock(Source source = Source::automatic);
  TscClock(const TscClock&) = delete;
  TscClock& operator=(const TscClock&) = delete;

  [[nodiscard]] RecvTime now() const noexcept {
    if (!tsc_usable_) return monotonic_now();
    for (;;) {
      const std::uint32_t before = version_.load(std::memory_order_acquire);
      const std::uint64_t base_tsc = base_tsc_.load(std::memory_order_acquire);
      const std::int64_t base_ns = base_ns_.load(std::memory_order_acquire);
      const std::uint64_t rate = rate_.load(std::memory_order_acquire);
      if ((before & 1u) == 0 && version_.load(std::memory_order_relaxed) == before) {
        return RecvTime{base_ns + scaled(read_tsc() - base_tsc, rate)};
      }
    }
  }

  // Cold, one thread. Compares with CLOCK_MONOTONIC and bends the rate so that the error found is
  // gone after about one interval. Gives the error found, ours minus the system's.
  Nanos anchor() noexcept;

  [[nodiscard]] bool uses_tsc() const noexcept { return tsc_usable_; }
  [[nodiscard]] double tsc_ghz() const noexcept { return ghz_; }
  // Why the TSC is or is not used, one line.
  [[nodiscard]] const std::string& reason() const noexcept { return reason_; }

 private:
  struct Pair {
    std::uint64_t tsc{0};
    std::int64_t ns{0};
  };
  // rate is nanoseconds per tick at 2^-32; the difference is signed so that a reader that raced an
  // anchor stays right.
  static std::int64_t scaled(std::uint64_t ticks, std::uint64_t rate) noexcept {
    __extension__ using Wide = __int128;
    const auto signed_ticks = static_cast<std::int64_t>(ticks);
    return static_cast<std::int64_t>((static_cast<Wide>(signed_ticks) * static_cast<Wide>(rate)) >>
                                     32);
  }
  static Pair sample() noexcept;
  void calibrate();
  void publish(Pair base, std::uint64_t rate) noexcept;

  bool tsc_usable_{false};
  double ghz_{0};
  std::string reason_;
  Pair last_{};                 // system pair at the last anchor
  std::uint64_t true_rate_{0};  // rate without the correction
  alignas(64) std::atomic<std::uint32_t> version_{0};
  std::atomic<std::uint64_t> base_tsc_{0};
  std::atomic<std::int64_t> base_ns_{0};
  std::atomic<std::uint64_t> rate_{0};
};

}  // namespace gimbal
