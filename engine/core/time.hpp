// Two clocks that never mix: the venue's wall clock and our monotonic clock.
#pragma once

#include <compare>
#include <cstdint>

namespace gimbal {

// A length of time in nanoseconds, on either clock.
struct Nanos {
  std::int64_t count{0};
  friend constexpr auto operator<=>(Nanos, Nanos) = default;
};
constexpr Nanos operator+(Nanos a, Nanos b) noexcept { return {a.count + b.count}; }
constexpr Nanos operator-(Nanos a, Nanos b) noexcept { return {a.count - b.count}; }
constexpr Nanos operator*(Nanos a, std::int64_t n) noexcept { return {a.count * n}; }
constexpr Nanos microseconds(std::int64_t n) noexcept { return {n * 1'000}; }
constexpr Nanos milliseconds(std::int64_t n) noexcept { return {n * 1'000'000}; }
constexpr Nanos seconds(std::int64_t n) noexcept { return {n * 1'000'000'000}; }

// The venue's opinion: nanoseconds since 1970-01-01 UTC. Zero means "not given".
struct ExchTime {
  std::int64_t unix_ns{0};
  friend constexpr auto operator<=>(ExchTime, ExchTime) = default;
};
constexpr Nanos operator-(ExchTime later, ExchTime earlier) noexcept {
  return {later.unix_ns - earlier.unix_ns};
}
constexpr ExchTime operator+(ExchTime t, Nanos d) noexcept { return {t.unix_ns + d.count}; }
constexpr ExchTime operator-(ExchTime t, Nanos d) noexcept { return {t.unix_ns - d.count}; }
constexpr ExchTime from_unix_ms(std::int64_t ms) noexcept { return {ms * 1'000'000}; }
constexpr std::int64_t to_unix_ms(ExchTime t) noexcept { return t.unix_ns / 1'000'000; }

// Ours: monotonic nanoseconds (CLOCK_MONOTONIC, read through the TSC).
struct RecvTime {
  std::int64_t mono_ns{0};
  friend constexpr auto operator<=>(RecvTime, RecvTime) = default;
};
constexpr Nanos operator-(RecvTime later, RecvTime earlier) noexcept {
  return {later.mono_ns - earlier.mono_ns};
}
constexpr RecvTime operator+(RecvTime t, Nanos d) noexcept { return {t.mono_ns + d.count}; }
constexpr RecvTime operator-(RecvTime t, Nanos d) noexcept { return {t.mono_ns - d.count}; }

// Position of an event in the one sequence that the core steps; 48 bits, never reused in a boot.
struct Seq {
  std::uint64_t value{0};
  constexpr Seq next() const noexcept { return {value + 1}; }
  friend constexpr auto operator<=>(Seq, Seq) = default;
};

}  // namespace gimbal
