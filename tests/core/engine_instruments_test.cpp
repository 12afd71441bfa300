// Instruments that change while the engine trades: the boundary of each change.
#include <array>
#include <cstring>

#include "tests/support/engine_fixture.hpp"

namespace gimbal {
namespace {

// One side block at a time, in slot 0.
struct OneBlock {
  Instrument held{};
  std::uint32_t generation{0};
  static std::span<const std::byte> find(const void* store, std::uint16_t slot,
                                         std::uint32_t generation) noexcept {
    const auto* b = static_cast<const OneBlock*>(store);
    if (slot != 0 || generation != b->generation) return {};
    return std::as_bytes(std::span{&b->held, 1});
  }
};

struct InstrumentChanges : EngineTest {
  OneBlock block;
  void armed(double perp_held = 0, double option_held = 0) {
    setup.blocks = {&block, &OneBlock::find};
    go();
    to_armed(50000, perp_held, option_held);
    seen.clear();
  }
  void change(InstrumentChangeKind kind, InstrumentId id, Price delivery = Price{absent_nano}) {
    InstrumentChange c;
    c.change = kind;
    c.delivery = delivery;
    send(EventKind::instrument_change, c, id);
  }
  void adopt(InstrumentId id, const Instrument& definition) {
    block.held = definition;
    InstrumentChange c;
    c.change = InstrumentChangeKind::adopt;
    c.generation = ++block.generation;
    c.bytes = sizeof(Instrument);
    send(EventKind::instrument_change, c, id);
  }
  Instrument coarser(double tick = 2.5) const {
    Instrument i = core().instruments()[perp];
    i.ticks.base = usd(tick);
    i.state = InstrumentState::open;
    return i;
  }
  // An order without an event that would quote the book: what is sent is what the trigger let out.
  PlaceOrder order_in_silence(double limit = 50010) {
    static std::uint64_t fresh = 9000;
    OrderRequest r;
    r.instrument = perp;
    r.strategy = StrategyId{0};
    r.limit = usd(limit);
    r.amount = amount(1000);
    r.tif = TimeInForce::immediate_or_cancel;
    r.intent = ++fresh;
    EXPECT_TRUE(puppet.next->place(r));
    const std::size_t before = placed().size();
    IndexPrice p;
    p.price = usd(50000);
    send(EventKind::index_price, p, perp);
    EXPECT_TRUE(puppet.next->empty()) << "the strategy was not woken";
    return placed().size() > before ? placed().back() : PlaceOrder{};
  }
  void refuse(const PlaceOrder& o, RejectReason why = RejectReason::wrong_terms) {
    OrderReject r;
    r.order = o.order;
    r.venue_code = 10043;
    r.reason = why;
    send(EventKind::order_reject, r, perp);
  }
  std::vector<Trip> raised(TripCode code) const {
    std::vector<Trip> all;
    for (const Command& c : seen) {
      if (c.kind() == CommandKind::raise && c.raise().code == code) all.push_back(c.raise());
    }
    return all;
  }
};

TEST_F(InstrumentChanges, NoPriceOfAClosedInstrumentCanBeReadAndNoOrderLeaves) {
  armed();
  change(InstrumentChangeKind::invalidate, perp);
  EXPECT_FALSE(core().view().quote(perp));
  order();
  EXPECT_EQ(last_refusal(), Refusal::instrument_closed);
  level(perp, Side::buy, 49999, 5);
  EXPECT_FALSE(core().view().quote(perp)) << "a change is no snapshot";
}

TEST_F(InstrumentChanges, ARetickedBookWaitsForASnapshotThatIsAskedForOnce) {
  armed();
  change(InstrumentChangeKind::invalidate, perp);
  adopt(perp, coarser());
  EXPECT_EQ(count(CommandKind::resync), 1U);
  EXPECT_FALSE(core().view().quote(perp));
  EXPECT_TRUE(core().growth_blocked(perp));
  EXPECT_FALSE(order_in_silence().order.valid()) << "open again, and not quoted yet";
  snapshot(perp, 49997.5, 50002.5);
  EXPECT_FALSE(core().growth_blocked(perp)) << "requoted";
  EXPECT_EQ(order(50010.2).price, usd(50012.5));
}

TEST_F(InstrumentChanges, AMarkFromBeforeTheChangeIsTooOldForAnOrder) {
  armed();
  mark(perp, 50000, 50000);
  adopt(perp, coarser());
  snapshot(perp, 49997.5, 50002.5);
  OrderRequest r;
  r.instrument = perp;
  r.strategy = StrategyId{0};
  r.limit = usd(50010);
  r.amount = amount(1000);
  r.intent = 1;
  ASSERT_TRUE(puppet.next->place(r));
  level(perp, Side::buy, 49990, 5);
  EXPECT_TRUE(placed().empty());
  EXPECT_EQ(last_refusal(), Refusal::mark_stale);
}

// The venue changes a tick without a word: the first refused order is the news.
TEST_F(InstrumentChanges, AnOrderOffTheVenuesGridClosesTheInstrumentUntilItsTermsAreReadAgain) {
  armed();
  const PlaceOrder first = order();
  const PlaceOrder second = order(50011, 2000);
  ASSERT_TRUE(first.order.valid() && second.order.valid());
  refuse(first);
  const auto told = raised(TripCode::terms_refused);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].instrument, perp);
  EXPECT_EQ(told[0].actual, 10043);
  EXPECT_EQ(told[0].mode, Mode::active) << "it pauses, it does not reduce";
  EXPECT_FALSE(core().view().quote(perp));
  EXPECT_FALSE(order().order.valid());
  EXPECT_EQ(last_refusal(), Refusal::instrument_closed);
  refuse(second);
  EXPECT_EQ(raised(TripCode::terms_refused).size(), 1U) << "it was on its way";
  snapshot(perp, 49999.5, 50000.5);
  EXPECT_FALSE(order().order.valid()) << "prices alone say nothing about the grid";
  adopt(perp, coarser());
  EXPECT_FALSE(order_in_silence().order.valid());
  mark(perp, 50000, 50000);
  snapshot(perp, 49997.5, 50002.5);
  EXPECT_EQ(order(50010.2).price, usd(50012.5));
}

TEST_F(InstrumentChanges, TheSameTermsReadAgainOpenIt) {
  armed();
  refuse(order());
  ASSERT_EQ(core().instruments()[perp].state, InstrumentState::invalid);
  adopt(perp, coarser(0.5));
  EXPECT_EQ(count(CommandKind::resync), 1U);
  mark(perp, 50000, 50000);
  snapshot(perp, 49999.5, 50000.5);
  EXPECT_TRUE(order().order.valid());
}

// The list may lag: what it closes again within the second is told again, or nobody opens it.
TEST_F(InstrumentChanges, ASecondRefusalUnderTheSameTermsIsToldAgainAtOnce) {
  armed();
  refuse(order());
  ASSERT_EQ(raised(TripCode::terms_refused).size(), 1U);
  adopt(perp, coarser(0.5));
  mark(perp, 50000, 50000);
  snapshot(perp, 49999.5, 50000.5);
  refuse(order());
  EXPECT_EQ(core().instruments()[perp].state, InstrumentState::invalid);
  EXPECT_EQ(raised(TripCode::terms_refused).size(), 2U);
}

TEST_F(InstrumentChanges, AChangeRefusedForTheGridIsLookedUpAndAnyOtherRefusalClosesNothing) {
  armed();
  refuse(order(), RejectReason::venue);
  EXPECT_EQ(core().instruments()[perp].state, InstrumentState::open);
  const PlaceOrder o = resting(49000.5);
  ASSERT_TRUE(puppet.next->replace({o.order, usd(49001), o.amount}));
  mark(perp, 50000, 50000);
  ASSERT_EQ(count(CommandKind::replace), 1U);
  OrderReject r;
  r.order = o.order;
  r.venue_code = 10043;
  r.reason = RejectReason::wrong_terms;
  r.action = OrderAction::replace;
  send(EventKind::order_reject, r, perp);
  EXPECT_EQ(state(o), OrderState::unknown) << "it may have ended";
  EXPECT_EQ(core().instruments()[perp].state, InstrumentState::invalid);
}

TEST_F(InstrumentChanges, LiveOrdersOnAChangedTickStayAndCanBeCancelled) {
  armed();
  const PlaceOrder o = resting(49000.5);
  change(InstrumentChangeKind::invalidate, perp);
  EXPECT_EQ(state(o), OrderState::live);
  adopt(perp, coarser());
  EXPECT_EQ(state(o), OrderState::live);
  EXPECT_EQ(count(CommandKind::cancel), 0U);
  EXPECT_EQ(core().orders().exposure(perp).live_buy, o.amount);
  EXPECT_TRUE(puppet.next->cancel(CancelRequest{o.order}));
  snapshot(perp, 49997.5, 50002.5);
  EXPECT_EQ(count(CommandKind::cancel), 1U);
}

TEST_F(InstrumentChanges, ChangedTermsAreToldAndTheSameTermsAgainAreNot) {
  armed();
  adopt(perp, core().instruments()[perp]);
  EXPECT_TRUE(raised(TripCode::instrument_redefined).empty());
  adopt(perp, coarser());
  const auto told = raised(TripCode::instrument_redefined);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].instrument, perp);
  EXPECT_EQ(told[0].limit, 2);
  EXPECT_EQ(told[0].mode, Mode::active) << "it pauses, it does not reduce";
}

TEST_F(InstrumentChanges, AnotherIdentityUnderTheSameIdIsRefusedAndTheInstrumentStaysClosed) {
  armed();
  change(InstrumentChangeKind::invalidate, option);
  Instrument other = core().instruments()[option];
  other.strike = usd(60000);
  adopt(option, other);
  EXPECT_EQ(core().instruments()[option].strike, usd(50000));
  EXPECT_EQ(core().instruments()[option].state, InstrumentState::invalid);
}

TEST_F(InstrumentChanges, ABlockThatIsGoneChangesNothing) {
  armed();
  InstrumentChange c;
  c.change = InstrumentChangeKind::adopt;
  c.generation = 99;
  c.bytes = sizeof(Instrument);
  send(EventKind::instrument_change, c, perp);
  EXPECT_EQ(core().instruments()[perp].ticks.base, usd(0.5));
}

TEST_F(InstrumentChanges, ASettledPositionIsToldWithItsSizeAndThePictureIsAskedFor) {
  armed(0, -10);
  change(InstrumentChangeKind::settle, option, usd(52000));
  EXPECT_EQ(core().portfolio().position(option), Qty{});
  const auto told = raised(TripCode::settlement);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].actual, amount(-10).nano);
  EXPECT_EQ(told[0].evidence, usd(52000).nano);
  run(milliseconds(2));
  EXPECT_EQ(count(CommandKind::reconcile), 1U);
  change(InstrumentChangeKind::settle, option, usd(52000));
  EXPECT_EQ(raised(TripCode::settlement).size(), 1U);
}

TEST_F(InstrumentChanges, SettlementWithNothingHeldIsSilent) {
  armed();
  change(InstrumentChangeKind::settle, option);
  run(milliseconds(2));
  EXPECT_TRUE(raised(TripCode::settlement).empty());
  EXPECT_EQ(count(CommandKind::reconcile), 0U);
}

TEST_F(InstrumentChanges, WhatIsSettledStaysSettled) {
  armed();
  const Instrument before = core().instruments()[option];
  change(InstrumentChangeKind::settle, option);
  change(InstrumentChangeKind::invalidate, option);
  adopt(option, before);
  EXPECT_EQ(core().instruments()[option].state, InstrumentState::settled);
  EXPECT_EQ(count(CommandKind::resync), 0U);
}

TEST_F(InstrumentChanges, ADataOfAnInstrumentThatIsNotListedIsCountedAndHurtsNothing) {
  armed();
  const auto before = core().counters().unknown_instruments;
  change(InstrumentChangeKind::settle, InstrumentId{9});
  change(InstrumentChangeKind::invalidate, InstrumentId{9});
  snapshot(InstrumentId{9}, 1, 2);
  EXPECT_GT(core().counters().unknown_instruments, before);
  EXPECT_TRUE(core().view().quote(perp));
}

TEST_F(InstrumentChanges, AHeldPerpetualIsKeptAndItsRiskIsUnknownUntilItIsRequoted) {
  armed(5000);
  const auto before = core().residual(test::the_coin);
  adopt(perp, coarser());
  EXPECT_EQ(core().portfolio().position(perp), amount(5000));
  EXPECT_FALSE(core().residual(test::the_coin)) << "no strategy hedges on a guess";
  snapshot(perp, 49999.5, 50000.5);
  const auto after = core().residual(test::the_coin);
  ASSERT_TRUE(before && after);
  EXPECT_EQ(after->settled, before->settled);
}

}  // namespace
}  // namespace gimbal
