// Controls of one order beyond the venue's rules: duplicates, price drift, parents, expiry,
// options' sanity, gross delta, worst-case gamma and vega.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

#include "engine/core/risk/gate.hpp"
#include "tests/support/engine_world.hpp"
#include "tests/support/gate_fixture.hpp"

namespace gimbal {
namespace {

using test::amount;
using test::Gate;
using test::money;
using test::usd;

// --- cost
// -----------------------------------------------------------------------------------------

TEST_F(Gate, AllItsChecksTogetherAreCheap) {
  limits.order_rate_per_s = limits.order_burst = 100000;
  limits.duplicate_window = milliseconds(500);
  limits.max_gamma_usd = limits.max_vega_usd = money(1'000'000);
  RiskGate gate{limits};
  std::vector<std::int64_t> took;
  took.reserve(50'000);
  for (c.intent = 1; c.intent <= 50'000; ++c.intent) {
    c.now = c.now + microseconds(20);
    const auto from = std::chrono::steady_clock::now();
    const bool passed = gate.approve(o, c).index() == 0;
    const auto to = std::chrono::steady_clock::now();
    ASSERT_TRUE(passed);
    took.push_back(std::chrono::duration_cast<std::chrono::nanoseconds>(to - from).count());
  }
  std::sort(took.begin(), took.end());
  const std::int64_t p50 = took[took.size() / 2];
  const std::int64_t p99 = took[took.size() * 99 / 100];
  std::printf("one approval, clock included: p50 %lld ns, p99 %lld ns\n",
              static_cast<long long>(p50), static_cast<long long>(p99));
  EXPECT_LT(p50, 20'000) << "a thousand times what it should be";
}

// --- P-03
// -----------------------------------------------------------------------------------------

TEST_F(Gate, OrderValueIsExactAtItsLimitForEveryKindOfInstrument) {
  struct Row {
    InstrumentKind kind;
    double price, size, value;  // value at an index of 50,000
  };
  for (const Row& row : {Row{InstrumentKind::inverse_perpetual, 50000, 1000, 1000},
                         {InstrumentKind::inverse_future, 51000, 1000, 1000},
                         {InstrumentKind::linear_perpetual, 50000, 2, 100000},
                         {InstrumentKind::linear_future, 51000, 2, 102000},
                         {InstrumentKind::inverse_option, 0.05, 2, 100000},
                         {InstrumentKind::linear_option, 2500, 2, 100000}}) {
    Instrument i = is_option(row.kind) ? option : perp;
    i.kind = row.kind;
    i.ticks.base = usd(0.0001);
    i.lot = i.amount_min = amount(0.1);
    c.instrument = &i;
    c.mark = o.price = usd(row.price);
    o.amount = amount(row.size);
    limits.max_order_usd = money(row.value);
    EXPECT_EQ(reason(), Refusal::none) << static_cast<int>(row.kind);
    limits.max_order_usd = Money{money(row.value).nano - 1};
    EXPECT_EQ(reason(), Refusal::order_usd) << static_cast<int>(row.kind);
    limits.max_order_usd = Money{money(row.value).nano + 1};
    EXPECT_EQ(reason(), Refusal::none) << static_cast<int>(row.kind);
  }
}

// --- P-05
// -----------------------------------------------------------------------------------------

TEST_F(Gate, AMillionSnappedPricesAreExactMultiplesAndRawOnesAreJudgedRight) {
  option.ticks.base = usd(0.0001);
  option.ticks.steps[0] = {usd(0.005), usd(0.0005)};
  option.ticks.count = 1;
  std::uint64_t random = 1;
  for (int n = 0; n < 1'000'000; ++n) {
    random = random * 6364136223846793005ULL + 1442695040888963407ULL;
    const bool options = (random >> 60 & 1) != 0;
    const Instrument& i = options ? option : perp;
    const auto raw = static_cast<std::int64_t>(
        (random >> 11) % (options ? 1'000'000'000ULL : 90'000'000'000'000ULL));
    const Price snapped =
        i.ticks.snap(Price{raw + 1}, (random >> 61 & 1) != 0 ? Rounding::up : Rounding::down);
    if (snapped.nano <= 0) continue;
    const std::int64_t tick =
        options && snapped.nano > usd(0.005).nano ? usd(0.0005).nano : i.ticks.base.nano;
    ASSERT_EQ(snapped.nano % tick, 0) << raw;
    ASSERT_TRUE(i.ticks.on_tick(snapped)) << raw;
    ASSERT_EQ(i.ticks.on_tick(Price{snapped.nano + 1}), false) << raw;
  }
}

// --- P-06
// -----------------------------------------------------------------------------------------

TEST_F(Gate, AThousandReplaysOfOneIntentAreOneOrder) {
  limits.order_rate_per_s = 10000;
  limits.order_burst = 10000;
  RiskGate gate{limits};
  int passed = 0;
  for (int n = 0; n < 1000; ++n) {
    passed += gate.approve(o, c).index() == 0 ? 1 : 0;
    c.now = c.now + microseconds(499);
  }
  EXPECT_EQ(passed, 1);
  EXPECT_EQ(gate.refused(Refusal::duplicate), 999U);
}

TEST_F(Gate, TheDuplicateMemoryHoldsEveryOrderThatTheRateLetsThrough) {
  limits.order_rate_per_s = 2000;
  limits.order_burst = 500;
  limits.cancel_reserve = 0;
  limits.duplicate_window = milliseconds(500);
  RiskGate gate{limits};
  const RecvTime start = c.now;
  std::uint64_t passed = 0;
  for (c.intent = 1; c.now < start + milliseconds(499); ++c.intent) {
    if (gate.approve(o, c).index() == 0) {
      ++passed;
    } else {
      c.now = c.now + microseconds(500);
      --c.intent;
    }
  }
  EXPECT_GT(passed, 1400U);
  EXPECT_EQ(gate.refused(Refusal::duplicate_room), 0U);
  c.now = start + milliseconds(499);
  for (c.intent = 1; c.intent <= 500; ++c.intent) {
    EXPECT_EQ(std::get<1>(gate.approve(o, c)).reason, Refusal::duplicate) << c.intent;
  }
}

TEST_F(Gate, AnOrderThatWouldBeForgottenWithinTheWindowIsRefused) {
  limits.order_rate_per_s = 1;
  limits.order_burst = 10;
  limits.cancel_reserve = 0;
  RiskGate gate{limits};
  RiskLimits loose = limits;
  loose.order_burst = loose.order_rate_per_s = 100000;
  gate.set_limits(loose);
  Refusal last = Refusal::none;
  for (c.intent = 1; c.intent < 1000 && last == Refusal::none; ++c.intent) {
    c.now = c.now + microseconds(100);
    auto answer = gate.approve(o, c);
    if (const auto* why = std::get_if<Refused>(&answer)) last = why->reason;
  }
  EXPECT_EQ(last, Refusal::duplicate_room);
  c.now = c.now + limits.duplicate_window;
  EXPECT_EQ(gate.approve(o, c).index(), 0U);
}

// --- P-02
// -----------------------------------------------------------------------------------------

TEST_F(Gate, ARampOfWorseningPricesStopsAtTheDriftLimitToTheTick) {
  limits.collar_bps = 10000;
  limits.order_rate_per_s = limits.order_burst = 100000;
  for (const Side side : {Side::buy, Side::sell}) {
    RiskGate gate{limits};
    o.side = side;
    int passed = 0;
    for (int n = 0; n < 1200; ++n) {
      const double step = 0.5 * n;
      o.price = usd(side == Side::buy ? 50000 + step : 50000 - step);
      c.intent = static_cast<std::uint64_t>(n) + 1;
      c.now = c.now + milliseconds(1);
      passed += gate.approve(o, c).index() == 0 ? 1 : 0;
    }
    EXPECT_EQ(passed, 1001);  // 100 bp of 50,000 are 500 USD, 1,000 ticks
    EXPECT_EQ(gate.refused(Refusal::price_drift), 199U);
  }
}

TEST_F(Gate, DriftIsForgottenAfterItsWindowAndCountsOnlyWhatTakes) {
  limits.collar_bps = 10000;
  RiskGate gate{limits};
  o.price = usd(50000);
  EXPECT_EQ(gate.approve(o, c).index(), 0U);
  o.price = usd(50500.5);
  c.intent = 2;
  c.now = c.now + limits.price_drift_window;
  EXPECT_EQ(std::get<1>(gate.approve(o, c)), (Refused{Refusal::price_drift, 100, 101}));
  o.flags = order_flag::post_only;
  EXPECT_EQ(gate.approve(o, c).index(), 0U) << "a resting order takes nothing";
  o.flags = 0;
  o.price = usd(49000);  // better for a buyer
  c.intent = 3;
  EXPECT_EQ(gate.approve(o, c).index(), 0U);
  o.price = usd(49490);
  c.intent = 4;
  EXPECT_EQ(gate.approve(o, c).index(), 0U);
  o.price = usd(49490.5);
  c.intent = 5;
  EXPECT_EQ(std::get<1>(gate.approve(o, c)).reason, Refusal::price_drift);
  c.hedge_instrument = true;
  c.delta = {amount(-1).nano, amount(-1).nano};
  c.order_delta = amount(0.02).nano;
  EXPECT_EQ(gate.approve(o, c).index(), 0U) << "a hedge that lowers delta is not held back";
  c.hedge_instrument = false;
  c.now = c.now + limits.price_drift_window * 2;
  o.price = usd(60000);
  c.intent = 6;
  EXPECT_EQ(gate.approve(o, c).index(), 0U);
}

}  // namespace
}  // namespace gimbal
