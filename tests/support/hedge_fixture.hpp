// A world with a delta hedge of BTC in it.
#pragma once

#include <gtest/gtest.h>

#include "strategies/delta_hedge/delta_hedge.hpp"
#include "tests/support/engine_world.hpp"

namespace gimbal::test {

struct HedgeTest : testing::Test, World<DeltaHedge> {
  DeltaHedgeConfig config;

  HedgeTest() {
    config.underlying = "BTC";
    config.numeraire = Numeraire::coin;
    config.band = 0.05;
    config.interval_min = milliseconds(10);
  }
  // Short ten options and a perpetual position that makes the delta about flat, armed.
  void go(double perp_held = 0, double option_held = 0) {
    DeltaHedge hedge{StrategyId{0}};
    ASSERT_EQ(hedge.add(config, test::the_coin, perp), "");
    start(hedge);
    to_armed(50000, perp_held, option_held);
  }
  const HedgeState& state() { return std::get<0>(engine->strategies()).state(test::the_coin); }
  double settled() const {
    return static_cast<double>(core().view().residual(test::the_coin)->settled) * 1e-9;
  }
  // The market moves on by a moment: data stays fresh and strategies look.
  void moment(Nanos d = milliseconds(20), double mid = 50000) {
    advance(d);
    market(mid);
  }
  void fill_whole(const PlaceOrder& o) {
    ack(o);
    fill(o, to_double(o.amount));
  }
};

}  // namespace gimbal::test
