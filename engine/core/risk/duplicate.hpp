// The same order twice: equal instrument, side, price, amount and intent within the window (control
// P-06). A second order for an intent that is still open is refused however different it looks.
//
// Remembers every order that the rate lets through within the window: a ring, hash chains from the
// newest to the oldest, no allocation after construction. Should a reload ask for more than there
// is room for, an order that would push out one still inside the window is refused.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <vector>

#include "engine/core/bring_near.hpp"
#include "engine/core/risk/context.hpp"
#include "engine/core/risk/limits.hpp"
#include "engine/core/risk/refusal.hpp"

namespace gimbal {

class DuplicateGuard {
 public:
  static constexpr std::int64_t kept_max = 65536;

  // Orders that may pass within one window: the burst, and what is refilled meanwhile.
  [[nodiscard]] static std::int64_t needed(const RiskLimits& l) noexcept {
    if (l.duplicate_window.count <= 0) return 1;
    const i128 refilled = divide(static_cast<i128>(l.order_rate_per_s) * l.duplicate_window.count,
                                 nano_per_unit, Rounding::up);
    const i128 all = refilled + l.order_burst + 1;
    return fits_int64(all) ? static_cast<std::int64_t>(all) : INT64_MAX;
  }

  explicit DuplicateGuard(const RiskLimits& l)
      : kept_{std::bit_ceil(
            static_cast<std::uint64_t>(std::clamp<std::int64_t>(needed(l), 64, kept_max)))},
        ring_(kept_),
        newest_(kept_) {}

  // Asks the memory for what `check` and `remember` will look at, while other checks run.
  void foresee(const OrderFacts& o, const GateContext& c) const noexcept {
    __builtin_prefetch(&newest_[home(o, c)], 1);
    __builtin_prefetch(&at(count_ + 4), 1);
  }
  [[nodiscard]] Refused check(const OrderFacts& o, const GateContext& c,
                              const RiskLimits& l) const noexcept {
    if (c.intent_open) return {Refusal::intent_open, 1, 2};
    const std::uint64_t old = old_at(c.now, l);
    for (std::uint64_t n = newest(home(o, c)); n > old && n + kept_ > count_; n = at(n).before) {
      const Seen& s = at(n);
      const Nanos age = c.now - s.at;
      if (age >= l.duplicate_window) break;  // the rest of the chain is older
      if (s.strategy == c.strategy && s.intent == c.intent && s.instrument == o.instrument &&
          s.side == o.side && s.price == o.price && s.amount == o.amount) {
        return {Refusal::duplicate, l.duplicate_window.count, age.count};
      }
    }
    if (count_ >= kept_ && c.now - at(count_ + 1).at < l.duplicate_window) {
      return {Refusal::duplicate_room, static_cast<std::int64_t>(kept_),
              static_cast<std::int64_t>(kept_) + 1};
    }
    return {};
  }
  void remember(const OrderFacts& o, const GateContext& c, const RiskLimits& l) noexcept {
    forget(c.now, l);
    const std::size_t place = home(o, c);
    const std::uint64_t before = newest(place);
    ++count_;
    at(count_) = Seen{o.instrument, o.side, c.strategy, o.price, o.amount, c.intent, c.now, before};
    newest_[place] = static_cast<std::uint32_t>(count_);
  }
  [[nodiscard]] std::size_t room() const noexcept { return kept_; }

  void look_over() const noexcept { bring_near(at(count_ + 1)); }

 private:
  struct Seen {
    InstrumentId instrument{};
    Side side{Side::buy};
    StrategyId strategy{};
    Price price{};
    Qty amount{};
    std::uint64_t intent{0};
    RecvTime at{};
    std::uint64_t before{0};  // number of the one before in its chain; 0: none
  };
  // Orders are numbered from 1; the ring keeps the last `kept_` of them.
  [[nodiscard]] const Seen& at(std::uint64_t n) const noexcept { return ring_[n & (kept_ - 1)]; }
  [[nodiscard]] Seen& at(std::uint64_t n) noexcept { return ring_[n & (kept_ - 1)]; }
  // Only the low half is kept, so that the table stays in the cache; the ring holds the number
  // whole, or one that it has forgotten.
  [[nodiscard]] std::uint64_t newest(std::size_t place) const noexcept {
    return count_ - static_cast<std::uint32_t>(static_cast<std::uint32_t>(count_) - newest_[place]);
  }
  [[nodiscard]] std::size_t home(const OrderFacts& o, const GateContext& c) const noexcept {
    std::uint64_t h = o.instrument.value * 2u + (o.side == Side::buy ? 0u : 1u);
    for (const std::uint64_t part :
         {static_cast<std::uint64_t>(o.price.nano), static_cast<std::uint64_t>(o.amount.nano),
          c.intent, static_cast<std::uint64_t>(c.strategy.value)}) {
      h = (h ^ part) * 0x9e3779b97f4a7c15ULL;
      h ^= h >> 29;
    }
    return h & (newest_.size() - 1);
  }

  // Orders up to this number are known to be out of the window: a chain that begins there is not
  // followed into memory that was last touched many orders ago.
  [[nodiscard]] std::uint64_t old_at(RecvTime now, const RiskLimits& l) const noexcept {
    return now >= old_since_ && l.duplicate_window <= old_window_ ? old_ : 0;
  }
  // Two a call, so that it catches up with the one order that a call brings.
  void forget(RecvTime now, const RiskLimits& l) noexcept {
    old_ = old_at(now, l);
    old_since_ = now;
    old_window_ = l.duplicate_window;
    if (count_ >= kept_) old_ = std::max(old_, count_ - kept_);
    for (int step = 0; step < 2 && old_ < count_; ++step) {
      if (now - at(old_ + 1).at < l.duplicate_window) return;
      ++old_;
    }
  }

  std::size_t kept_;
  std::vector<Seen> ring_;
  std::vector<std::uint32_t> newest_;
  std::uint64_t count_{0};
  std::uint64_t old_{0};
  RecvTime old_since_{};
  Nanos old_window_{};
};

}  // namespace gimbal
