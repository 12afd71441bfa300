// The fixture of the engine's tests: a world of scripted events with one puppet strategy.
#pragma once

#include <gtest/gtest.h>

#include "tests/support/engine_world.hpp"

namespace gimbal {

using test::amount;
using test::money;
using test::Puppet;
using test::usd;

struct EngineTest : testing::Test, test::World<Puppet> {
  Puppet puppet;
  bool started{false};
  void go() {
    start(puppet);
    started = true;
  }
  PlaceOrder order(double limit = 50010, double size = 1000, Side side = Side::buy,
                   TimeInForce tif = TimeInForce::immediate_or_cancel, std::uint64_t intent = 0,
                   std::uint8_t flags = 0) {
    static std::uint64_t fresh = 1000;
    OrderRequest r;
    r.instrument = perp;
    r.strategy = StrategyId{0};
    r.side = side;
    r.tif = tif;
    r.flags = flags;
    r.limit = usd(limit);
    r.amount = amount(size);
    r.intent = intent != 0 ? intent : ++fresh;
    EXPECT_TRUE(puppet.next->place(r));
    const std::size_t before = placed().size();
    mark(perp, 50000, 50000);
    return placed().size() > before ? placed().back() : PlaceOrder{};
  }
  PlaceOrder resting(double limit = 49000, double size = 1000, Side side = Side::buy) {
    const PlaceOrder o =
        order(limit, size, side, TimeInForce::good_til_cancelled, 0, order_flag::post_only);
    EXPECT_TRUE(o.order.valid()) << "refused: " << static_cast<int>(last_refusal());
    ack(o);
    return o;
  }
  void acknowledge(TripCode code) {
    OperatorCommand c;
    c.command_id = seq + 1;
    c.action = OperatorAction::ack;
    c.subject = static_cast<std::uint32_t>(code);
    send(EventKind::operator_command, c);
  }
  OrderState state(const PlaceOrder& o) const {
    const Order* found = core().orders().find(o.order);
    EXPECT_NE(found, nullptr) << "refused: " << static_cast<int>(last_refusal());
    return found == nullptr ? OrderState::rejected : found->state;
  }
  Refusal last_refusal() const { return core().view().last_refusal(StrategyId{0}).reason; }
  void TearDown() override { EXPECT_TRUE(!started || core().orders().consistent()); }
};

}  // namespace gimbal
