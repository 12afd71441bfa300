// How far our own aggressive prices moved against us within a window (control P-02): a buy against
// the lowest buy, a sell against the highest sell of the window, per instrument, over all
// strategies. What rests (post-only) is not aggressive. Hot; memory is taken at construction.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

#include "engine/core/risk/context.hpp"
#include "engine/core/risk/limits.hpp"
#include "engine/core/risk/lowers_risk.hpp"
#include "engine/core/risk/refusal.hpp"

namespace gimbal {

class PriceDrift {
 public:
  explicit PriceDrift(std::size_t instruments) : tracks_(instruments * 2) {}

  // `limit` and `actual` of the refusal are bp; exits and hedges pass.
  [[nodiscard]] Refused check(const OrderFacts& o, const GateContext& c,
                              const RiskLimits& l) const noexcept {
    if (!o.aggressive || !known(o)) return {};
    const bool buy = o.side == Side::buy;
    const std::int64_t slot = slot_of(c.now, l);
    const Track& t = track(o);
    std::int64_t best = 0;
    for (const Slice& s : t) {
      if (s.price == 0 || s.slot + slices < slot) continue;
      if (best == 0 || (buy ? s.price < best : s.price > best)) best = s.price;
    }
    if (best == 0) return {};
    const i128 worse = buy ? static_cast<i128>(o.price.nano) - best : best - o.price.nano;
    if (worse * 10000 <= static_cast<i128>(best) * l.price_drift_bps) return {};
    if (LowersRisk::holds(o, c, l)) return {};
    const i128 bps = divide(worse * 10000, best, Rounding::up);
    return {Refusal::price_drift, l.price_drift_bps,
            fits_int64(bps) ? static_cast<std::int64_t>(bps) : INT64_MAX};
  }
  void remember(const OrderFacts& o, RecvTime now, const RiskLimits& l) noexcept {
    if (!o.aggressive || !known(o)) return;
    const bool buy = o.side == Side::buy;
    const std::int64_t slot = slot_of(now, l);
    Slice& s = track(o)[static_cast<std::size_t>(slot) % kept];
    if (s.slot != slot || s.price == 0) {
      s = {slot, o.price.nano};
    } else {
      s.price = buy ? std::min(s.price, o.price.nano) : std::max(s.price, o.price.nano);
    }
  }
  // A human armed: the window begins anew.
  void forget() noexcept { std::fill(tracks_.begin(), tracks_.end(), Track{}); }

 private:
  static constexpr std::int64_t slices = 6;  // the window is exact to a sixth, never shorter
  static constexpr std::size_t kept = 8;
  struct Slice {
    std::int64_t slot{0};
    std::int64_t price{0};
  };
  using Track = std::array<Slice, kept>;

  static std::int64_t slot_of(RecvTime now, const RiskLimits& l) noexcept {
    return now.mono_ns / std::max<std::int64_t>(l.price_drift_window.count / slices, 1);
  }
  [[nodiscard]] static std::size_t place(const OrderFacts& o) noexcept {
    return o.instrument.value * std::size_t{2} + (o.side == Side::buy ? 0 : 1);
  }
  [[nodiscard]] bool known(const OrderFacts& o) const noexcept { return place(o) < tracks_.size(); }
  [[nodiscard]] const Track& track(const OrderFacts& o) const noexcept { return tracks_[place(o)]; }
  [[nodiscard]] Track& track(const OrderFacts& o) noexcept { return tracks_[place(o)]; }

  std::vector<Track> tracks_;
};

}  // namespace gimbal
