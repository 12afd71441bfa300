// Our own orders among each other: children of one parent, and orders that would meet.
#include <map>

#include "tests/support/controls_fixture.hpp"

namespace gimbal {
namespace {

using test::ControlsTest;

// --- P-12
// -----------------------------------------------------------------------------------------

TEST_F(ControlsTest, ChildrenOfOneParentStopAtItsAmountWhateverBecomesOfThem) {
  std::uint64_t random = 3;
  const auto next = [&](std::uint64_t n) {
    random = random * 6364136223846793005ULL + 1442695040888963407ULL;
    return (random >> 33) % n;
  };
  setup.limits.denials_1s_max = setup.limits.denials_60s_max = 64;
  setup.limits.order_rate_per_s = setup.limits.order_burst = 100000;
  setup.limits.duplicate_window = {};
  setup.engine.orders.ack_timeout = seconds(50);
  setup.limits.cycles_window = {};
  armed();
  std::uint64_t parent = 100;
  for (int sequence = 0; sequence < 2500; ++sequence) {
    ++parent;
    double filled = 0;
    double open = 0;
    for (int child = 0; child < 4; ++child) {
      const double size = 10 * static_cast<double>(1 + next(60));
      const PlaceOrder o = child_order(parent, 1000, size);
      ASSERT_EQ(o.order.valid(), filled + open + size <= 1000) << sequence << " " << child;
      if (!o.order.valid()) break;  // closed from here on
      open += size;
      switch (next(4)) {
        case 0: break;  // stays in flight
        case 1:
          ack(o);
          fill(o, size);
          filled += size;
          open -= size;
          break;
        case 2:
          ack(o);
          fill(o, 10);
          done(o, 10);
          filled += 10;
          open -= size;
          break;
        default:
          done(o, 0, DoneReason::ioc_remainder);
          open -= size;
          break;
      }
      if (next(5) == 0) reset_position();
    }
    finish_all();
  }
}

TEST_F(ControlsTest, AnOverfillOfAChildClosesItsParentAndCancelsTheOthers) {
  armed();
  const PlaceOrder one = child_order(9, 1000, 400);
  const PlaceOrder two = child_order(9, 1000, 600);
  ack(one);
  ack(two);
  fill(one, 400);
  EXPECT_EQ(count_of(TripCode::child_over_parent), 0U);
  fill(one, 10);  // beyond the order, and with the other beyond the parent
  const Trip t = first(TripCode::child_over_parent);
  EXPECT_EQ(t.limit, amount(1000).nano);
  EXPECT_EQ(t.actual, amount(1010).nano);
  EXPECT_EQ(t.evidence, 9);
  run(milliseconds(2));
  EXPECT_EQ(state(two), OrderState::pending_cancel);
  done(two, 0);
  EXPECT_FALSE(child_order(9, 1000, 10).order.valid()) << "closed";
  EXPECT_TRUE(child_order(10, 1000, 10).order.valid()) << "another parent";
}

// --- P-14
// -----------------------------------------------------------------------------------------

TEST_F(ControlsTest, OrdersThatWouldMeetOurOwnNeverLeave) {
  setup.limits.order_rate_per_s = setup.limits.order_burst = 1'000'000;
  setup.limits.duplicate_window = {};
  setup.limits.denials_1s_max = setup.limits.denials_60s_max = 64;
  setup.limits.price_drift_bps = 1'000'000;
  setup.engine.orders.ack_timeout = seconds(3600);
  armed();
  std::uint64_t random = 5;
  std::map<std::uint64_t, PlaceOrder> resting_now;
  int placed_orders = 0;
  for (int n = 0; n < 100'000; ++n) {
    random = random * 6364136223846793005ULL + 1442695040888963407ULL;
    const Side side = (random >> 50 & 1) != 0 ? Side::buy : Side::sell;
    const double price = 49990 + 0.5 * static_cast<double>((random >> 33) % 40);
    rearm_strategy();
    const PlaceOrder o = order(price, 10, side, TimeInForce::good_til_cancelled);
    if (!o.order.valid()) continue;
    ++placed_orders;
    for (const auto& [id, other] : resting_now) {
      const bool crosses = side == Side::buy ? o.price >= other.price : o.price <= other.price;
      ASSERT_FALSE(other.side != side && crosses) << n;
    }
    resting_now.emplace(o.order.value, o);
    if (resting_now.size() > 6) {
      auto oldest = resting_now.begin();
      ack(oldest->second);
      done(oldest->second, 0);
      resting_now.erase(oldest);
    }
    seen.clear();
  }
  EXPECT_GT(placed_orders, 20'000);
  EXPECT_GT(core().gate().refused(Refusal::self_match), 10'000U);
}

}  // namespace
}  // namespace gimbal
