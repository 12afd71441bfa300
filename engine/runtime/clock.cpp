#include "engine/runtime/clock.hpp"

#include <cpuid.h>

#include <cmath>
#include <cstdio>

namespace gimbal {
namespace {

std::int64_t read_ns(clockid_t id) noexcept {
  timespec t{};
  clock_gettime(id, &t);
  return static_cast<std::int64_t>(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}

bool tsc_is_invariant() noexcept {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid(0x80000000u, &a, &b, &c, &d) == 0 || a < 0x80000007u) return false;
  if (__get_cpuid(0x80000007u, &a, &b, &c, &d) == 0) return false;
  return (d & (1u << 8)) != 0;
}

void wait_ns(std::int64_t ns) noexcept {
  const timespec t{0, static_cast<long>(ns)};
  nanosleep(&t, nullptr);
}

// Nanoseconds per tick at 2^-32 between two pairs.
std::uint64_t rate_between(std::uint64_t ticks, std::int64_t ns) noexcept {
  if (ticks == 0 || ns <= 0) return 0;
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>((static_cast<Wide>(ns) << 32) / ticks);
}

constexpr double rate_spread_max = 200e-6;  // two 10 ms windows agree within 200 ppm
constexpr double correction_max = 500e-6;   // anchor() bends the rate by at most this
constexpr std::int64_t anchor_interval_min_ns = 1'000'000;

}  // namespace

RecvTime monotonic_now() noexcept { return RecvTime{read_ns(CLOCK_MONOTONIC)}; }
ExchTime wall_now() noexcept { return ExchTime{read_ns(CLOCK_REALTIME)}; }

TscClock::TscClock(Source source) {
  if (source == Source::system) {
    reason_ = "system clock: asked for by configuration";
    return;
  }
  if (!tsc_is_invariant()) {
    reason_ = "system clock: the CPU reports no invariant TSC";
    return;
  }
  calibrate();
}

// The tightest of several (tsc, ns, tsc) sandwiches: an interrupt between two reads would be an
// error.
TscClock::Pair TscClock::sample() noexcept {
  Pair best;
  std::uint64_t best_width = UINT64_MAX;
  for (int i = 0; i < 16; ++i) {
    const std::uint64_t before = read_tsc();
    const std::int64_t ns = read_ns(CLOCK_MONOTONIC);
    const std::uint64_t after = read_tsc();
    if (after - before < best_width) {
      best_width = after - before;
      best = {before + (after - before) / 2, ns};
    }
  }
  return best;
}

void TscClock::calibrate() {
  double spread = 0;
  for (int attempt = 0; attempt < 3; ++attempt) {
    const Pair first = sample();
    wait_ns(10'000'000);
    const Pair middle = sample();
    wait_ns(10'000'000);
    const Pair last = sample();
    const auto early =
        static_cast<double>(rate_between(middle.tsc - first.tsc, middle.ns - first.ns));
    const auto late = static_cast<double>(rate_between(last.tsc - middle.tsc, last.ns - middle.ns));
    const std::uint64_t rate = rate_between(last.tsc - first.tsc, last.ns - first.ns);
    if (rate == 0 || early <= 0 || late <= 0) continue;
    spread = std::fabs(early - late) / early;
    if (spread > rate_spread_max) continue;
    ghz_ = 4294967296.0 / static_cast<double>(rate);
    true_rate_ = rate;
    last_ = last;
    publish(last, rate);
    tsc_usable_ = true;
    char text[96];
    std::snprintf(text, sizeof text, "TSC: invariant, %.6f GHz, windows agree within %.1f ppm",
                  ghz_, spread * 1e6);
    reason_ = text;
    return;
  }
  char text[96];
  std::snprintf(text, sizeof text, "system clock: the TSC rate moved by %.0f ppm in calibration",
                spread * 1e6);
  reason_ = text;
}

void TscClock::publish(Pair base, std::uint64_t rate) noexcept {
  const std::uint32_t version = version_.load(std::memory_order_relaxed);
  version_.store(version + 1, std::memory_order_relaxed);
  base_tsc_.store(base.tsc, std::memory_order_release);
  base_ns_.store(base.ns, std::memory_order_release);
  rate_.store(rate, std::memory_order_release);
  version_.store(version + 2, std::memory_order_release);
}

Nanos TscClock::anchor() noexcept {
  if (!tsc_usable_) return {};
  const Pair now = sample();
  const std::int64_t ours = base_ns_.load(std::memory_order_relaxed) +
                            scaled(now.tsc - base_tsc_.load(std::memory_order_relaxed),
                                   rate_.load(std::memory_order_relaxed));
  const Nanos error{ours - now.ns};
  const std::int64_t interval = now.ns - last_.ns;
  if (interval < anchor_interval_min_ns) return error;
  const std::uint64_t measured = rate_between(now.tsc - last_.tsc, interval);
  if (measured == 0) return error;
  // Half of the new measurement: one disturbed window does not throw the rate.
  const auto known = static_cast<double>(true_rate_);
  double rate = known + (static_cast<double>(measured) - known) * 0.5;
  if (std::fabs(rate - known) > known * correction_max) rate = known;
  true_rate_ = static_cast<std::uint64_t>(rate);
  double bend = -static_cast<double>(error.count) / static_cast<double>(interval);
  if (bend > correction_max) bend = correction_max;
  if (bend < -correction_max) bend = -correction_max;
  last_ = now;
  publish({now.tsc, ours}, static_cast<std::uint64_t>(rate * (1.0 + bend)));
  return error;
}

}  // namespace gimbal
