// A gate that lets its order pass until a test changes what it is told.
#pragma once

#include <gtest/gtest.h>

#include "engine/core/risk/gate.hpp"
#include "tests/support/engine_world.hpp"

namespace gimbal::test {

struct Gate : testing::Test {
  Instrument perp = test::perpetual_definition();
  Instrument option = test::option_definition();
  RiskLimits limits = test::wide_limits();
  GateContext c;
  PlaceOrder o;

  Gate() {
    perp.id = InstrumentId{0};
    option.id = InstrumentId{1};
    c.instrument = &perp;
    c.now = RecvTime{seconds(100).count};
    c.venue_now = ExchTime{1};
    c.mode = Mode::active;
    c.gateway_ready = c.reconciled = c.delta_known = true;
    c.mark = c.index = usd(50000);
    c.strategy = StrategyId{0};
    o.order = make_order_id(1, StrategyId{0}, 1);
    o.instrument = perp.id;
    o.side = Side::buy;
    o.price = usd(50000);
    o.amount = amount(1000);
  }
  Refused ask() {
    RiskGate gate{limits};
    auto answer = gate.approve(o, c);
    const auto* why = std::get_if<Refused>(&answer);
    if (why == nullptr) {
      EXPECT_EQ(std::get<0>(answer)->amount, o.amount);
      return {};
    }
    EXPECT_EQ(gate.refused(why->reason), 1U);
    return *why;
  }
  Refusal reason() { return ask().reason; }
};

}  // namespace gimbal::test
