// The duplicate check against a naive twin that looks at every order it was ever given, and the
// rounding division against its own definition.
#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <vector>

#include "engine/core/risk/duplicate.hpp"

namespace gimbal {
namespace {

struct EveryOrder {
  struct Seen {
    OrderFacts order{};
    std::uint64_t intent{0};
    StrategyId strategy{};
    RecvTime at{};
  };
  std::vector<Seen> all;
  std::size_t room{0};

  [[nodiscard]] Refused check(const OrderFacts& o, const GateContext& c,
                              const RiskLimits& l) const {
    if (c.intent_open) return {Refusal::intent_open, 1, 2};
    const std::size_t from = all.size() > room ? all.size() - room : 0;
    for (std::size_t n = all.size(); n > from; --n) {
      const Seen& s = all[n - 1];
      const Nanos age = c.now - s.at;
      if (age < l.duplicate_window && s.strategy == c.strategy && s.intent == c.intent &&
          s.order.instrument == o.instrument && s.order.side == o.side &&
          s.order.price == o.price && s.order.amount == o.amount) {
        return {Refusal::duplicate, l.duplicate_window.count, age.count};
      }
    }
    if (all.size() >= room && c.now - all[all.size() - room].at < l.duplicate_window) {
      return {Refusal::duplicate_room, static_cast<std::int64_t>(room),
              static_cast<std::int64_t>(room) + 1};
    }
    return {};
  }
};

// Few different orders, so that many meet; the window changes as a reload changes it.
TEST(DuplicateGuard, SaysWhatATwinSaysThatForgetsNothing) {
  std::mt19937_64 random{20261128};
  const auto below = [&random](std::uint64_t n) { return random() % n; };
  std::uint64_t duplicates = 0;
  std::uint64_t full = 0;
  for (int run = 0; run < 20; ++run) {
    RiskLimits l;
    l.order_rate_per_s = 10;
    l.order_burst = 50;
    l.duplicate_window = milliseconds(500);
    DuplicateGuard guard{l};
    EveryOrder twin;
    twin.room = guard.room();
    GateContext c;
    c.now = RecvTime{seconds(1000).count};
    const std::uint64_t pause_ms = 1 + below(30);
    for (int n = 0; n < 5000; ++n) {
      c.now = c.now + milliseconds(static_cast<std::int64_t>(below(pause_ms)));
      if (below(500) == 0) c.now = c.now + seconds(2);
      if (below(300) == 0) l.duplicate_window = milliseconds(static_cast<std::int64_t>(below(900)));
      OrderFacts o;
      o.instrument = InstrumentId{static_cast<std::uint16_t>(below(2))};
      o.side = below(2) == 0 ? Side::buy : Side::sell;
      o.price = Price{static_cast<std::int64_t>(1 + below(3))};
      o.amount = Qty{static_cast<std::int64_t>(1 + below(2))};
      c.intent = below(4);
      c.strategy = StrategyId{static_cast<std::uint8_t>(below(2))};
      const Refused said = guard.check(o, c, l);
      ASSERT_EQ(said, twin.check(o, c, l)) << "run " << run << ", order " << n;
      duplicates += said.reason == Refusal::duplicate ? 1 : 0;
      full += said.reason == Refusal::duplicate_room ? 1 : 0;
      if (said.reason != Refusal::none) continue;
      guard.remember(o, c, l);
      twin.all.push_back({o, c.intent, c.strategy, c.now});
    }
  }
  EXPECT_GT(duplicates, 1000U);
  EXPECT_GT(full, 100U);
}

TEST(Divide, RoundsAsItsDefinitionSays) {
  std::mt19937_64 random{7};
  const auto any = [&random]() -> i128 {
    const auto high = static_cast<i128>(static_cast<std::int64_t>(random()));
    const i128 whole = high * (i128{1} << 62) + static_cast<std::int64_t>(random() >> 2);
    return whole >> (random() % 126);
  };
  const auto holds = [](i128 value, i128 step) {
    i128 floor = value / step;
    if (value % step < 0) --floor;
    const i128 rest = value - floor * step;
    return divide(value, step, Rounding::down) == floor &&
           divide(value, step, Rounding::up) == (rest == 0 ? floor : floor + 1) &&
           divide(value, step, Rounding::nearest) == (rest * 2 >= step ? floor + 1 : floor);
  };
  constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  for (const i128 edge : {i128{least}, i128{most}, i128{0}, i128{-1}, i128{1}}) {
    for (const i128 by : {i128{-1}, i128{0}, i128{1}}) {
      for (const i128 step : {i128{1}, i128{2}, i128{nano_per_unit}, i128{most}, i128{most} + 1}) {
        ASSERT_TRUE(holds(edge + by, step));
      }
    }
  }
  for (int n = 0; n < 200'000; ++n) {
    const i128 step = any();
    ASSERT_TRUE(holds(any(), step > 0 ? step : 1 - step)) << n;
  }
}

}  // namespace
}  // namespace gimbal
