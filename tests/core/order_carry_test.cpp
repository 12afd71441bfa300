// Orders of the boot before, known from its journal: held in doubt until the venue shows or ends
// them, and no fill made of them.
#include "tests/support/engine_fixture.hpp"

namespace gimbal {
namespace {

constexpr OrderId left_over = make_order_id(6, StrategyId{0}, 41);

struct OrderCarryTest : EngineTest {
  static OrderCarry terms(OrderId id = left_over) {
    OrderCarry c;
    c.order = id;
    c.price = usd(49000);
    c.amount = amount(1000);
    c.filled = amount(200);
    c.valid_until = ExchTime{1};
    c.sent = ExchTime{1};
    c.tif = static_cast<std::uint8_t>(TimeInForce::good_til_cancelled);
    c.decision = usd(49500);
    c.theoretical = usd(49600);
    c.confirmed = 1;
    return c;
  }
  void carry(const OrderCarry& c) { send(EventKind::order_carry, c, perp); }
  // Boot alone, then the order, then a session without its picture.
  void boot_with(const OrderCarry& c) {
    go();
    carry(c);
    gateway(GatewayState::ready);
    clock();
    snapshot(perp, 49999.5, 50000.5);
    mark(perp, 50000, 50000);
  }
  void shown(double filled) {
    OpenOrderReport r;
    r.order = left_over;
    r.price = usd(49000);
    r.amount = amount(1000);
    r.filled = amount(filled);
    r.venue_ref = 99;
    r.label_hash = 7;
    send(EventKind::open_order_report, r, perp);
  }
  void fill_of(std::uint64_t number, double size) {
    Fill f;
    f.order = left_over;
    f.trade = TradeId{5, number};
    f.price = usd(49000);
    f.amount = amount(size);
    send(EventKind::fill, f, perp);
  }
  void look_up(LookupOutcome outcome, double filled, ExchTime at) {
    OrderLookup l;
    l.order = left_over;
    l.outcome = outcome;
    l.filled = amount(filled);
    l.price = usd(49000);
    Event e = make_event(EventKind::order_lookup, VenueId{0}, perp, now, at, l);
    step(e);
  }
  [[nodiscard]] const Order& held() const { return *core().orders().find(left_over); }
  [[nodiscard]] Qty worst() const { return core().orders().exposure(perp).worst_buy(); }
};

TEST_F(OrderCarryTest, IsHeldInDoubtAtItsWorstAndArmWaitsForIt) {
  boot_with(terms());
  ASSERT_NE(core().orders().find(left_over), nullptr);
  EXPECT_EQ(held().state, OrderState::unknown);
  EXPECT_EQ(core().orders().exposure(perp).unknown_buy, amount(800));
  run(milliseconds(600));
  EXPECT_EQ(count(CommandKind::query_order), 0U) << "the first picture says most";
  reconcile(ReconcilePhase::begin);
  reconcile(ReconcilePhase::complete);
  run(milliseconds(10));
  EXPECT_EQ(count(CommandKind::query_order), 1U);
  EXPECT_EQ(held().state, OrderState::unknown);
  operate(OperatorAction::arm);
  EXPECT_EQ(answer(), OperatorResult::refused_unknown_orders);
}

TEST_F(OrderCarryTest, APictureThatShowsItSaysWhatIsFilled) {
  boot_with(terms());
  reconcile(ReconcilePhase::begin);
  shown(500);
  reconcile(ReconcilePhase::complete);
  EXPECT_EQ(held().state, OrderState::live);
  EXPECT_EQ(held().filled, amount(500));
  EXPECT_EQ(worst(), amount(500));
  EXPECT_EQ(held().label_hash, 7U);
  const EngineStatus s = core().snapshot();
  ASSERT_EQ(s.orders_shown, 1U);
  EXPECT_TRUE(s.order[0].carried);
  EXPECT_EQ(s.order[0].decision, usd(49500));
}

TEST_F(OrderCarryTest, AFillBeforeTheVenueHasShownItFreesNothing) {
  boot_with(terms());
  fill_of(77, 300);
  EXPECT_EQ(core().portfolio().position(perp), amount(300));
  EXPECT_EQ(worst(), amount(800));
  EXPECT_EQ(held().filled, amount(200));
}

// The venue's channels and the look-up's connection keep no order among each other.
TEST_F(OrderCarryTest, AnAnswerThatRunsAheadOfItsFillDoesNotCountItTwice) {
  for (const bool looked_up : {false, true}) {
    SCOPED_TRACE(looked_up ? "a look-up" : "an acknowledgement");
    OrderCarry c = terms();
    c.confirmed = 0;
    boot_with(c);
    reconcile(ReconcilePhase::begin);
    reconcile(ReconcilePhase::complete);
    run(milliseconds(10));
    seen.clear();
    if (looked_up) {
      look_up(LookupOutcome::open, 700, venue_time());
    } else {
      OrderAck a;
      a.order = left_over;
      a.price = usd(49000);
      a.amount = amount(1000);
      a.filled = amount(700);
      send(EventKind::order_ack, a, perp);
    }
    EXPECT_EQ(held().state, OrderState::live);
    run(milliseconds(10));
    EXPECT_EQ(count(CommandKind::reconcile), 1U) << "a picture says what is filled";
    fill_of(77, 500);
    EXPECT_EQ(held().state, OrderState::live);
    EXPECT_EQ(worst(), amount(800)) << "300 rest: nothing below that";
    reconcile(ReconcilePhase::begin);
    shown(700);
    reconcile(ReconcilePhase::complete);
    EXPECT_EQ(worst(), amount(300));
    fill_of(78, 300);
    EXPECT_EQ(held().state, OrderState::filled);
    EXPECT_EQ(worst(), Qty{});
  }
}

TEST_F(OrderCarryTest, AFillThatComesBehindItsEndIsNoLongerOwed) {
  boot_with(terms());
  look_up(LookupOutcome::cancelled, 500, venue_time());
  EXPECT_TRUE(ended(held().state));
  EXPECT_EQ(worst(), amount(300)) << "filled, and not told yet";
  fill_of(77, 300);
  EXPECT_EQ(core().portfolio().position(perp), amount(300));
  EXPECT_EQ(worst(), Qty{});
  EXPECT_EQ(core().counters().duplicate_fills, 0U);
}

TEST_F(OrderCarryTest, LaterFillsHaveTheShortfallOfTheirDecision) {
  boot_with(terms());
  reconcile(ReconcilePhase::begin);
  shown(200);
  reconcile(ReconcilePhase::complete);
  fill_of(78, 300);
  ASSERT_EQ(core().gaps().fills(), 1U);
  EXPECT_EQ(core().gaps().fill(0).decision, usd(49500));
  EXPECT_TRUE(core().gaps().fill(0).priced);
  EXPECT_EQ(held().filled, amount(500));
}

TEST_F(OrderCarryTest, AbsenceCountsOnlyBehindItsValidity) {
  OrderCarry c = terms();
  c.valid_until = ExchTime{1000};
  boot_with(c);
  reconcile(ReconcilePhase::begin);
  reconcile(ReconcilePhase::complete);
  look_up(LookupOutcome::absent, 0, ExchTime{1000});
  EXPECT_EQ(held().state, OrderState::unknown);
  EXPECT_EQ(worst(), amount(800));
  look_up(LookupOutcome::absent, 0, ExchTime{1001});
  EXPECT_TRUE(ended(held().state));
  EXPECT_EQ(worst(), Qty{});
}

TEST_F(OrderCarryTest, UnderALatchedCancelItIsCancelledWhenShownAndNoStormIsToldBefore) {
  go();
  carry(terms());
  operate(OperatorAction::kill, Mode::cancel, Scope{}, OperatorSource::monitor);
  run(milliseconds(100));
  EXPECT_EQ(count(CommandKind::cancel), 0U);
  EXPECT_EQ(count(CommandKind::raise), 0U);
  gateway(GatewayState::ready);
  clock();
  reconcile(ReconcilePhase::begin);
  reconcile(ReconcilePhase::complete);
  run(milliseconds(100));
  EXPECT_EQ(count(CommandKind::cancel), 0U);
  EXPECT_EQ(count(CommandKind::raise), 0U);
  seen.clear();
  look_up(LookupOutcome::open, 200, venue_time());
  run(milliseconds(3));
  EXPECT_EQ(held().state, OrderState::pending_cancel);
  EXPECT_EQ(count(CommandKind::cancel), 1U);
}

TEST_F(OrderCarryTest, TakenTwiceItIsHeldOnce) {
  go();
  carry(terms());
  carry(terms());
  EXPECT_EQ(core().orders().open_count(), 1U);
  EXPECT_EQ(worst(), amount(800));
  EXPECT_EQ(core().counters().orders_refused, 1U);
}

TEST_F(OrderCarryTest, OutOfPlaceOrOutOfRangeIsRefused) {
  const auto refused = [&](const char* what, const OrderCarry& c, bool late = false) {
    SCOPED_TRACE(what);
    go();
    if (late) gateway(GatewayState::ready);
    carry(c);
    EXPECT_EQ(core().counters().orders_refused, 1U);
    EXPECT_EQ(core().orders().open_count(), 0U);
    EXPECT_EQ(worst(), Qty{});
  };
  const auto with = [](auto change) {
    OrderCarry c = terms();
    change(c);
    return c;
  };
  refused("no id", terms(OrderId{}));
  refused("of this boot", terms(make_order_id(7, StrategyId{0}, 1)));
  refused("no amount", with([](OrderCarry& c) { c.amount = {}; }));
  refused("no price", with([](OrderCarry& c) { c.price = {}; }));
  refused("filled beyond it", with([](OrderCarry& c) { c.filled = amount(1000.000000001); }));
  refused("negative fill", with([](OrderCarry& c) { c.filled = Qty{-1}; }));
  refused("negative change", with([](OrderCarry& c) { c.new_amount = Qty{-1}; }));
  refused("no side", with([](OrderCarry& c) { c.side = static_cast<Side>(2); }));
  refused("no time in force", with([](OrderCarry& c) { c.tif = 3; }));
  refused("a sum that does not fit", with([](OrderCarry& c) { c.amount = Qty{INT64_MAX / 4}; }));
  refused("negative value", with([](OrderCarry& c) { c.reserved_usd = Money{-1}; }));
  refused("with a session up", terms(), true);
}

TEST_F(OrderCarryTest, MoreThanItsRoomIsRefusedAndWhatRestsFindsItsPlaceAllTheSame) {
  go();
  for (std::uint32_t n = 1; n <= carried_orders_max; ++n) {
    carry(terms(make_order_id(6, StrategyId{0}, n)));
  }
  EXPECT_EQ(core().orders().open_count(), carried_orders_max);
  EXPECT_EQ(core().counters().orders_refused, 0U);
  carry(terms(make_order_id(6, StrategyId{0}, 5000)));
  EXPECT_EQ(core().counters().orders_refused, 1U);
  gateway(GatewayState::ready);
  clock();
  reconcile(ReconcilePhase::begin);
  for (std::uint32_t n = 0; n < open_orders_max; ++n) {
    OpenOrderReport r;
    r.order = make_order_id(6, StrategyId{0}, 10'000 + n);
    r.price = usd(49000);
    r.amount = amount(10);
    r.venue_ref = 1000 + n;
    send(EventKind::open_order_report, r, perp);
  }
  reconcile(ReconcilePhase::complete);
  EXPECT_EQ(core().orders().open_count(), carried_orders_max + open_orders_max);
  EXPECT_EQ(core().snapshot().venues[0].foreign_orders, 0U);
}

}  // namespace
}  // namespace gimbal
