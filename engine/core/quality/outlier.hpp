// a price that cannot be the market's. A perpetual's mid too far from its index, or a mid too
// far from the mean of the last minute. What stays for `outlier_hold` is the market after all: the
// minute begins anew. Integers only, so that every build judges alike.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/core/quality/quality_limits.hpp"
#include "engine/core/time.hpp"
#include "engine/core/units.hpp"

namespace gimbal {

class OutlierFilter {
 public:
  static constexpr std::int64_t samples_min = 100;      // before the minute says anything
  static constexpr std::int64_t samples_max = 200'000;  // of half a minute; more are left out
  static constexpr std::int64_t floor_bps = 50;         // a still market has no deviation

  static constexpr std::int64_t price_max_nano = 10'000'000 * nano_per_unit;

  enum class Kind : std::uint8_t { none, index, minute };
  struct Verdict {
    Kind kind{Kind::none};
    std::int64_t limit_bps{0};
    std::int64_t actual_bps{0};  // distance from the index, or from the mean of the minute
    [[nodiscard]] bool outlier() const noexcept { return kind != Kind::none; }
  };

  // Judges a mid of at most `price_max`; above, only the index speaks. One that passes belongs to
  // the minute. `index` zero: not known, or no perpetual.
  Verdict judge(Price mid, Price index, RecvTime now, const QualityLimits& l) noexcept {
    Verdict v;
    if (index.nano > 0 && beyond(mid.nano, index.nano, l.outlier_bps)) {
      v = {Kind::index, l.outlier_bps, bps(mid.nano, index.nano)};
    }
    if (mid.nano > price_max_nano) return v;
    if (!v.outlier()) v = of_minute(mid.nano / unit, now, l);
    if (!v.outlier()) {
      since_ = {};
      add(mid.nano / unit, now);
      return v;
    }
    if (since_.mono_ns == 0) since_ = now;
    // An index that disagrees is never outvoted by time.
    if (v.kind == Kind::minute && now - since_ >= l.outlier_hold) {
      current_ = last_ = Sums{};
      since_ = {};
      add(mid.nano / unit, now);
      return {};
    }
    return v;
  }

 private:
  static constexpr std::int64_t unit = 1000;  // sums are of 1e-6, so that squares fit 128 bits
  static constexpr std::int64_t half_ns = 30'000'000'000;
  struct Sums {  // of distances from `base`
    std::int64_t n{0};
    std::int64_t base{0};
    i128 sum{0};
    i128 squares{0};
  };

  // Without a division: this is on the way of every tick.
  static bool beyond(i128 value, i128 from, std::int64_t share_bps) noexcept {
    const i128 off = value > from ? value - from : from - value;
    return off * 10'000 > from * share_bps;
  }
  static std::int64_t bps(i128 value, i128 from) noexcept {
    const i128 off = value > from ? value - from : from - value;
    const i128 share = off * 10'000 / from;
    return share > INT64_MAX ? INT64_MAX : static_cast<std::int64_t>(share);
  }

  // Two halves of 30 s: between 30 and 60 s are looked at.
  void add(std::int64_t mid, RecvTime now) noexcept {
    const std::int64_t half = now.mono_ns / half_ns;
    if (half != half_) {
      last_ = half == half_ + 1 ? current_ : Sums{};
      current_ = Sums{};
      half_ = half;
    }
    if (current_.n == samples_max) return;
    if (current_.n == 0) current_.base = mid;
    const i128 d = static_cast<i128>(mid) - current_.base;
    ++current_.n;
    current_.sum += d;
    current_.squares += d * d;
  }

  // With n values of mean m and squared deviations q = n * squares - sum^2 (all from `base`), the
  // distance in deviations is |n d - sum| / sqrt(q): compared as squares.
  Verdict of_minute(std::int64_t mid, RecvTime now, const QualityLimits& l) const noexcept {
    const i128 n = static_cast<i128>(current_.n) + last_.n;
    if (now.mono_ns / half_ns > half_ + 1 || n < samples_min) return {};
    const std::int64_t base = current_.n > 0 ? current_.base : last_.base;
    const i128 shift = static_cast<i128>(last_.base) - base;
    const i128 sum = current_.sum + last_.sum + last_.n * shift;
    const i128 squares =
        current_.squares + last_.squares + 2 * shift * last_.sum + last_.n * shift * shift;
    const i128 mean_n = n * base + sum;  // n times the mean
    if (mean_n <= 0 || !beyond(n * mid, mean_n, floor_bps)) return {};
    const i128 apart = n * (static_cast<i128>(mid) - base) - sum;
    const i128 spread = n * squares - sum * sum;
    // Both sides lose the same factor, so that no price overflows.
    constexpr i128 scale = 1'000'000;
    const i128 left = (apart / scale) * (apart / scale);
    const i128 right = spread / (scale * scale) * (l.outlier_sigmas * l.outlier_sigmas);
    if (left <= right) return {};
    return {Kind::minute, floor_bps, bps(n * mid, mean_n)};
  }

  Sums current_{};
  Sums last_{};
  std::int64_t half_{0};
  RecvTime since_{};
};

}  // namespace gimbal
