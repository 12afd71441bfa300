// The bot's side of the shared page: who counts as a live guardian, and the guardian's order list.
#include <gtest/gtest.h>

#include "ops/app/guardian_view.hpp"
#include "ops/app/order_listing.hpp"
#include "tests/runtime/temp_dir.hpp"

namespace gimbal {
namespace {

using test::TempDir;

struct GuardianViewTest : testing::Test {
  TempDir dir;
  GatePage page;
  RecvTime now{seconds(10).count};
  std::unique_ptr<GuardianView> view;

  void SetUp() override {
    ASSERT_TRUE(page.create(dir.file("gate"), 7));
    view = std::make_unique<GuardianView>(page.layout(), 7, milliseconds(500));
  }
  void beat(GuardianState state, std::uint32_t epoch = 7) {
    page.layout().guardian.epoch.store(epoch);
    page.beat(page.layout().guardian, now, static_cast<std::uint32_t>(state));
  }
  bool live_after(Nanos d) {
    for (Nanos at{}; at < d; at = at + milliseconds(1)) {
      now = now + milliseconds(1);
      view->look(now);
    }
    return view->live();
  }
};

TEST_F(GuardianViewTest, K04OnlyAFreshBeatOfAReadyGuardianOfThisBootIsLive) {
  EXPECT_FALSE(live_after(milliseconds(2)));
  EXPECT_EQ(view->text(), "absent");
  beat(GuardianState::connecting);
  EXPECT_FALSE(live_after(milliseconds(2)));
  EXPECT_EQ(view->text(), "connecting");
  beat(GuardianState::ready, 6);
  EXPECT_FALSE(live_after(milliseconds(2))) << "it watches an earlier boot";
  beat(GuardianState::ready);
  EXPECT_TRUE(live_after(milliseconds(2)));
  EXPECT_EQ(view->text(), "live");
}

TEST_F(GuardianViewTest, K04TheLastBeatOfAGuardianThatIsGoneDoesNotCount) {
  beat(GuardianState::ready);
  GuardianView later{page.layout(), 7, milliseconds(500)};
  for (int ms = 0; ms < 100; ++ms) {
    now = now + milliseconds(1);
    later.look(now);
    EXPECT_FALSE(later.live());
  }
}

TEST_F(GuardianViewTest, K04SilenceOverTheLimitIsALossAndABeatTakesItBack) {
  beat(GuardianState::ready);
  EXPECT_TRUE(live_after(milliseconds(500)));
  EXPECT_FALSE(live_after(milliseconds(2)));
  EXPECT_EQ(view->text(), "silent for 0.5 s");
  beat(GuardianState::ready);
  EXPECT_TRUE(live_after(milliseconds(1)));
}

TEST_F(GuardianViewTest, AFireIsSeenOnceAndOneBeforeThisBootNever) {
  page.layout().fire.fires.store(3);
  GuardianView fresh{page.layout(), 7, milliseconds(500)};
  EXPECT_FALSE(fresh.take_fire());
  page.layout().fire.fires.store(4);
  EXPECT_TRUE(fresh.take_fire());
  EXPECT_FALSE(fresh.take_fire());
}

// --- the order list
// -------------------------------------------------------------------------------

struct OrderListTest : GuardianViewTest {
  OrderId order = make_order_id(7, StrategyId{1}, 42);
  bool listed() {
    for (const ListedOrder& slot : page.layout().orders) {
      if (slot.order.load() == order.value) return true;
    }
    return false;
  }
  void list() { ASSERT_TRUE(page.list_new(order, VenueId{0}, InstrumentId{3})); }
  Event done() const {
    OrderDone d;
    d.order = order;
    return make_event(EventKind::order_done, VenueId{0}, InstrumentId{3}, now, {}, d);
  }
  Event reject(RejectReason reason, OrderAction action = OrderAction::place) const {
    OrderReject r;
    r.order = order;
    r.reason = reason;
    r.action = action;
    return make_event(EventKind::order_reject, VenueId{0}, InstrumentId{3}, now, {}, r);
  }
  Event lookup(LookupOutcome outcome) const {
    OrderLookup l;
    l.order = order;
    l.outcome = outcome;
    return make_event(EventKind::order_lookup, VenueId{0}, InstrumentId{3}, now, {}, l);
  }
};

TEST_F(OrderListTest, LeavesOnTheEndOfTheOrderOnly) {
  list();
  unlist_ended(page, reject(RejectReason::unclear));
  EXPECT_TRUE(listed()) << "an unclear answer proves nothing";
  unlist_ended(page, reject(RejectReason::venue, OrderAction::cancel));
  EXPECT_TRUE(listed()) << "a refused cancel leaves the order where it is";
  unlist_ended(page, done());
  EXPECT_FALSE(listed());
  list();
  unlist_ended(page, reject(RejectReason::venue));
  EXPECT_FALSE(listed());
}

TEST_F(OrderListTest, ALookUpTakesItOutOnlyOnProof) {
  list();
  for (const LookupOutcome outcome : {LookupOutcome::unproven, LookupOutcome::open}) {
    const Event e = lookup(outcome);
    EXPECT_TRUE(list_answered(page, {&e, 1}));
    EXPECT_TRUE(listed());
  }
  const Event gone = lookup(LookupOutcome::absent);
  EXPECT_TRUE(list_answered(page, {&gone, 1}));
  EXPECT_FALSE(listed());
}

TEST_F(OrderListTest, AnOrderOfAnEarlierBootIsListedWhenItIsFoundResting) {
  OpenOrderReport report;
  report.order = order;
  std::array<Event, parts_of<OpenOrderReport>> unit;
  const Event head =
      make_event(EventKind::open_order_report, VenueId{0}, InstrumentId{3}, now, {}, report);
  write_parts(head, report, unit.data());
  EXPECT_TRUE(list_answered(page, unit));
  EXPECT_TRUE(list_answered(page, unit));
  EXPECT_TRUE(listed());
  report.order = {};
  write_parts(head, report, unit.data());
  EXPECT_TRUE(list_answered(page, unit)) << "foreign orders are not ours to cancel by id";
}

}  // namespace
}  // namespace gimbal
