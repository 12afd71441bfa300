// What has ended and is told of all the same: by a picture from before, by a fill that was on its
// way.
#include "tests/support/engine_fixture.hpp"

namespace gimbal {
namespace {

struct EndedInstruments : EngineTest {
  void end_option() {
    InstrumentChange c;
    c.change = InstrumentChangeKind::settle;
    c.delivery = Price{absent_nano};
    send(EventKind::instrument_change, c, option);
  }
  void option_fill(double size, std::uint8_t flags = event_flag::last_in_packet) {
    PlaceOrder o;
    o.side = Side::buy;
    o.price = usd(0.05);
    send(EventKind::fill, fill_of(o, size), option, flags);
  }
  [[nodiscard]] Qty held() const { return core().portfolio().position(option); }
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

}  // namespace
}  // namespace gimbal
