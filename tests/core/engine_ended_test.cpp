// What has ended and is told of all the same: by a picture from before, by a fill that was on its
// way.
#include "tests/support/engine_fixture.hpp"

namespace gimbal {
namespace {

struct EndedInstruments : EngineTest {
  void end(InstrumentId id, Price delivery) {
    InstrumentChange c;
    c.change = InstrumentChangeKind::settle;
    c.delivery = delivery;
    send(EventKind::instrument_change, c, id);
  }
  void end_option() { end(option, Price{absent_nano}); }
  void option_fill(double size, std::uint8_t flags = event_flag::last_in_packet) {
    PlaceOrder o;
    o.side = Side::buy;
    o.price = usd(0.05);
    send(EventKind::fill, fill_of(o, size), option, flags);
  }
  [[nodiscard]] Qty held() const { return core().portfolio().position(option); }
  [[nodiscard]] std::int64_t profit() const { return core().snapshot().day_profit_usd.nano; }
  void trade(InstrumentId id, Side side, double price, double size) {
    PlaceOrder o;
    o.side = side;
    o.price = usd(price);
    send(EventKind::fill, fill_of(o, size), id);
  }
  void picture_without_positions() {
    run(milliseconds(2));
    reconcile(ReconcilePhase::begin);
    reconcile(ReconcilePhase::complete);
  }
};

TEST_F(EndedInstruments, TradesOfAPictureThatCameBehindTheEndLeaveNothingHeld) {
  go();
  to_armed(50000, 0, -10);
  reconcile(ReconcilePhase::begin);
  end_option();
  EXPECT_EQ(held(), Qty{});
  option_fill(3, event_flag::last_in_packet | event_flag::historical);
  position(option, -7);
  reconcile(ReconcilePhase::complete);
  EXPECT_EQ(held(), Qty{});
  EXPECT_TRUE(core().venue_ready(test::the_venue));
}

TEST_F(EndedInstruments, AFillBehindTheEndAsksForAPictureWhichTakesItBack) {
  go();
  to_armed(50000, 0, -10);
  end_option();
  run(milliseconds(2));
  reconcile(ReconcilePhase::begin);
  reconcile(ReconcilePhase::complete);
  seen.clear();
  option_fill(3);
  run(milliseconds(2));
  EXPECT_EQ(count(CommandKind::reconcile), 1U);
  reconcile(ReconcilePhase::begin);
  reconcile(ReconcilePhase::complete);
  EXPECT_EQ(held(), Qty{});
}

struct SecondCore : EndedInstruments {  // beside the test's own
  void TestBody() override {}
};

// Sold, and bought back just before the end; the message of that comes behind it. It made the
// same whichever of the two comes first.
TEST_F(EndedInstruments, AFillToldBehindTheEndMakesTheProfitThatItMade) {
  for (const double delivery : {62500.0, 40000.0, 0.0}) {
    for (const InstrumentId id : {option, perp}) {
      std::array<std::int64_t, 2> made{};
      for (const bool behind : {false, true}) {
        SecondCore one;
        one.go();
        one.to_armed();
        const bool is_option = id == one.option;
        const Price paid = delivery > 0 ? usd(delivery) : Price{absent_nano};
        one.trade(id, Side::sell, is_option ? 0.05 : 50100, is_option ? 10 : 1000);
        if (behind) one.end(id, paid);
        one.trade(id, Side::buy, is_option ? 0.02 : 49900, is_option ? 10 : 1000);
        if (!behind) one.end(id, paid);
        const std::int64_t at_once = one.profit();
        for (int n = 0; n < 2; ++n) one.picture_without_positions();
        for (const double later : {50500.0, 51000.0}) one.mark(perp, later, 50000);
        one.run(seconds(2));
        EXPECT_EQ(one.core().portfolio().position(id), Qty{});
        EXPECT_EQ(one.profit(), at_once) << "no picture changes it";
        made[behind ? 1 : 0] = at_once;
        one.started = false;
      }
      EXPECT_GT(made[0], 0) << delivery;
      EXPECT_NEAR(static_cast<double>(made[1]), static_cast<double>(made[0]), 2.0) << delivery;
    }
  }
}

}  // namespace
}  // namespace gimbal
