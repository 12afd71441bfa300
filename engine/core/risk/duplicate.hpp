// The same order twice: equal instrument, side, price, amount and intent within the window. A
// second order for an intent that is still open is refused however different it looks.
#pragma once

#include <array>
#include <cstddef>

#include "engine/core/risk/context.hpp"
#include "engine/core/risk/limits.hpp"
#include "engine/core/risk/refusal.hpp"

namespace gimbal {

class DuplicateGuard {
 public:
  static constexpr std::size_t kept_max = 64;

  [[nodiscard]] Refused check(const OrderFacts& o, const GateContext& c,
                              const RiskLimits& l) const noexcept {
    if (c.intent_open) return {Refusal::intent_open, 1, 2};
    for (const Seen& s : seen_) {
      if (!s.used || s.strategy != c.strategy || s.intent != c.intent) continue;
      if (s.instrument != o.instrument || s.side != o.side || s.price != o.price ||
          s.amount != o.amount) {
        continue;
      }
      const Nanos age = c.now - s.at;
      if (age < l.duplicate_window) {
        return {Refusal::duplicate, l.duplicate_window.count, age.count};
      }
    }
    return {};
  }
  void remember(const OrderFacts& o, const GateContext& c) noexcept {
    seen_[next_] = Seen{o.instrument, o.side, true, c.strategy, o.price, o.amount, c.intent, c.now};
    next_ = (next_ + 1) % kept_max;
  }

 private:
  struct Seen {
    InstrumentId instrument{};
    Side side{Side::buy};
    bool used{false};
    StrategyId strategy{};
    Price price{};
    Qty amount{};
    std::uint64_t intent{0};
    RecvTime at{};
  };
  std::array<Seen, kept_max> seen_{};
  std::size_t next_{0};
};

}  // namespace gimbal
