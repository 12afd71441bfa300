// [budget] in the core: a tick older than its budget grows nothing, and too many of them are
// a reason for REDUCE.
#include "engine/core/quality/late_ticks.hpp"
#include "tests/support/engine_fixture.hpp"

namespace gimbal {
namespace {

constexpr std::uint32_t tick_limit_ns = 200'000;

struct TickBudget : EngineTest {
  TickBudget() {
    setup.budget.tick_to_order = Nanos{tick_limit_ns};
    setup.budget.window = seconds(1);
    setup.budget.late_ticks_max = 3;
    // Q-05's own pause is not what is tested.
    setup.quality.lag_max = seconds(5);
  }
  void armed(double held = 0) {
    go();
    to_armed(50000, held);
    seen.clear();
  }
  void tick(std::uint32_t queue_ns, InstrumentId id, std::uint8_t flags = whole) {
    Event e = make_event(EventKind::trade, test::the_venue, id, now, {}, Trade{});
    e.add_flag(flags);
    e.queue_ns = queue_ns;
    step(e);
  }
  void tick(std::uint32_t queue_ns) { tick(queue_ns, perp); }
  void index(std::uint32_t queue_ns) {
    IndexPrice p;
    p.price = usd(50000);
    p.underlying = test::the_coin;
    Event e = make_event(EventKind::index_price, test::the_venue, {}, now, {}, p);
    e.add_flag(whole);
    e.queue_ns = queue_ns;
    step(e);
  }
  void want(Side side, double size = 1000) {
    OrderRequest r;
    r.instrument = perp;
    r.strategy = StrategyId{0};
    r.side = side;
    r.limit = usd(50000);
    r.amount = amount(size);
    r.intent = ++intent;
    EXPECT_TRUE(puppet.next->place(r));
  }
  // Whether an order decided on such a tick leaves the gate.
  bool passes(Side side, std::uint32_t queue_ns) {
    want(side);
    const std::size_t before = placed().size();
    tick(queue_ns);
    return placed().size() > before;
  }
  std::vector<Trip> raised() const {
    std::vector<Trip> all;
    for (const Command& c : seen) {
      if (c.kind() == CommandKind::raise && c.raise().code == TripCode::late_ticks) {
        all.push_back(c.raise());
      }
    }
    return all;
  }
  Mode venue_mode() const {
    return core().gate().modes().at({ScopeLevel::venue, test::the_venue.value});
  }

  static constexpr std::uint8_t whole = event_flag::last_in_packet;
  std::uint64_t intent{0};
};

TEST_F(TickBudget, GrowthPassesAtExactlyTheBudgetAndNotANanosecondLater) {
  armed();
  EXPECT_TRUE(passes(Side::buy, tick_limit_ns));
  EXPECT_FALSE(passes(Side::buy, tick_limit_ns + 1));
  const Refused why = core().view().last_refusal(StrategyId{0});
  EXPECT_EQ(why.reason, Refusal::tick_late);
  EXPECT_EQ(why.limit, tick_limit_ns);
  EXPECT_EQ(why.actual, tick_limit_ns + 1);
  EXPECT_EQ(core().gate().refused(Refusal::tick_late), 1U);
  EXPECT_EQ(core().counters().late_ticks, 1U);
}

TEST_F(TickBudget, WithoutABudgetNoTickIsLate) {
  setup.budget = {};
  armed();
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(passes(Side::buy, 50'000'000));
  EXPECT_EQ(core().counters().late_ticks, 0U);
  EXPECT_TRUE(raised().empty());
}

TEST_F(TickBudget, AnExitAndAHedgeThatReducesPassOnALateTick) {
  armed(50'000);
  EXPECT_FALSE(passes(Side::buy, 50'000'000));
  EXPECT_EQ(last_refusal(), Refusal::tick_late);
  EXPECT_TRUE(passes(Side::sell, 50'000'000));
}

TEST_F(TickBudget, TheThreePartsOfALateTickerAreOneLateTick) {
  armed();
  Ticker t;
  t.mark = t.index = usd(50000);
  Event head = make_event(EventKind::ticker, test::the_venue, perp, now, {}, t);
  head.add_flag(whole);
  head.queue_ns = tick_limit_ns + 1;
  Event parts[event_parts_max];
  const std::size_t n = write_parts(head, t, parts);
  ASSERT_EQ(n, 3U);
  want(Side::buy);
  for (std::size_t i = 0; i < n; ++i) step(parts[i]);
  EXPECT_TRUE(placed().empty()) << "the strategy wakes at the last part";
  EXPECT_EQ(last_refusal(), Refusal::tick_late);
  EXPECT_EQ(core().counters().late_ticks, 1U);
}

TEST_F(TickBudget, AFrameOfManyRecordsIsOneTick) {
  armed();
  for (int i = 0; i < 50; ++i) tick(tick_limit_ns + 1, perp, 0);
  EXPECT_EQ(core().counters().late_ticks, 0U);
  tick(tick_limit_ns + 1);
  EXPECT_EQ(core().counters().late_ticks, 1U);
  EXPECT_TRUE(raised().empty());
}

TEST_F(TickBudget, ADecisionAfterALateTickStandsOnItUntilTheInstrumentHasOneInTime) {
  armed();
  tick(tick_limit_ns + 1);
  EXPECT_TRUE(core().growth_blocked(perp));
  run(milliseconds(1));
  EXPECT_TRUE(core().growth_blocked(perp)) << "the timer brings no newer data";
  EXPECT_FALSE(core().growth_blocked(option)) << "its own data came in time";
  tick(0, option);
  EXPECT_TRUE(core().growth_blocked(perp)) << "another's tick says nothing about it";
  tick(tick_limit_ns);
  EXPECT_FALSE(core().growth_blocked(perp));
}

TEST_F(TickBudget, OnAnotherInstrumentsLateTickNothingGrows) {
  armed();
  want(Side::buy);
  tick(tick_limit_ns + 1, option);
  EXPECT_TRUE(placed().empty());
  EXPECT_EQ(last_refusal(), Refusal::tick_late);
  EXPECT_TRUE(passes(Side::buy, 0));
}

TEST_F(TickBudget, ALateIndexHoldsItsCoinUntilTheNextInTime) {
  armed();
  index(tick_limit_ns + 1);
  EXPECT_FALSE(passes(Side::buy, 0));
  EXPECT_EQ(last_refusal(), Refusal::tick_late);
  index(tick_limit_ns);
  EXPECT_TRUE(passes(Side::buy, 0));
}

TEST_F(TickBudget, ExactlyTheCountIsBorneAndOneMoreLatchesReduceOnTheVenue) {
  armed();
  for (int i = 0; i < 5; ++i) tick(1000);
  tick(300'000);
  tick(900'000);
  tick(300'000);
  EXPECT_TRUE(raised().empty()) << "three of three";
  EXPECT_EQ(venue_mode(), Mode::active);
  tick(tick_limit_ns + 1);
  ASSERT_EQ(raised().size(), 1U);
  const Trip t = raised()[0];
  EXPECT_EQ(t.limit, tick_limit_ns) << "the budget";
  EXPECT_EQ(t.actual, 900'000) << "the worst age";
  EXPECT_EQ(t.evidence >> 32, 4) << "late";
  EXPECT_EQ(t.evidence & 0xFFFFFFFF, 9) << "of so many";
  EXPECT_EQ(t.mode, Mode::reduce);
  EXPECT_TRUE(t.latched);
  EXPECT_EQ(t.scope, (Scope{ScopeLevel::venue, test::the_venue.value}));
  EXPECT_EQ(venue_mode(), Mode::reduce);
  EXPECT_EQ(core().gate().modes().at({}), Mode::active);
}

TEST_F(TickBudget, LateTicksOfAnEarlierWindowDoNotCount) {
  armed();
  for (int i = 0; i < 10; ++i) {
    tick(tick_limit_ns + 1);
    tick(tick_limit_ns + 1);
    tick(tick_limit_ns + 1);
    advance(seconds(1));
  }
  EXPECT_EQ(venue_mode(), Mode::active);
  advance(seconds(1));
  for (int i = 0; i < 4; ++i) {
    tick(tick_limit_ns + 1);
    advance(milliseconds(200));
  }
  EXPECT_EQ(venue_mode(), Mode::reduce);
}

TEST_F(TickBudget, ACountOfZeroNeverTrips) {
  setup.budget.late_ticks_max = 0;
  armed();
  for (int i = 0; i < 1000; ++i) tick(tick_limit_ns + 1);
  EXPECT_EQ(core().counters().late_ticks, 1000U);
  EXPECT_EQ(venue_mode(), Mode::active);
}

TEST_F(TickBudget, WhatIsLateInHaltIsNoReasonToReduceLater) {
  go();
  for (int i = 0; i < 100; ++i) tick(50'000'000);
  EXPECT_EQ(core().counters().late_ticks, 100U);
  EXPECT_EQ(venue_mode(), Mode::active);
  to_armed();
  for (int i = 0; i < 3; ++i) tick(50'000'000);
  EXPECT_EQ(venue_mode(), Mode::active);
}

TEST_F(TickBudget, AnArmForgetsTheLateTicksBeforeIt) {
  armed();
  for (int i = 0; i < 4; ++i) tick(tick_limit_ns + 1);
  ASSERT_EQ(venue_mode(), Mode::reduce);
  for (int i = 0; i < 3; ++i) tick(tick_limit_ns + 1);
  operate(OperatorAction::arm, Mode::active, {ScopeLevel::venue, test::the_venue.value});
  ASSERT_EQ(answer(), OperatorResult::accepted);
  EXPECT_EQ(venue_mode(), Mode::active);
  for (int i = 0; i < 3; ++i) tick(tick_limit_ns + 1);
  EXPECT_EQ(venue_mode(), Mode::active);
  tick(tick_limit_ns + 1);
  EXPECT_EQ(venue_mode(), Mode::reduce);
}

TEST_F(TickBudget, UnderReduceTheExitStillPassesOnALateTick) {
  armed(50'000);
  for (int i = 0; i < 4; ++i) tick(tick_limit_ns + 1);
  ASSERT_EQ(venue_mode(), Mode::reduce);
  EXPECT_TRUE(passes(Side::sell, 50'000'000));
  EXPECT_FALSE(passes(Side::buy, 0));
  EXPECT_EQ(last_refusal(), Refusal::reduce_rule);
}

TEST_F(TickBudget, DenialsOfLateTicksBlameNoStrategy) {
  setup.budget.late_ticks_max = 0;
  armed();
  for (int i = 0; i < 200; ++i) EXPECT_FALSE(passes(Side::buy, 50'000'000));
  EXPECT_EQ(core().gate().modes().at({ScopeLevel::strategy, 0}), Mode::active);
}

struct TickBudgetDigest : testing::Test {
  static std::uint64_t digest(Nanos budget) {
    struct Run : TickBudget {
      void TestBody() override {}
    } run;
    run.setup.budget.tick_to_order = budget;
    run.armed();
    for (std::uint32_t i = 0; i < 200; ++i) {
      if (i % 7 == 0) run.want(i % 2 == 0 ? Side::buy : Side::sell);
      run.tick(i * 2000);
      run.advance(milliseconds(3));
    }
    return run.digest.value();
  }
};

TEST_F(TickBudgetDigest, TheSameEventsAndTheSameBudgetGiveTheSameCommands) {
  const std::uint64_t first = digest(Nanos{tick_limit_ns});
  EXPECT_EQ(first, digest(Nanos{tick_limit_ns}));
  EXPECT_NE(first, digest(Nanos{}));
  EXPECT_NE(first, digest(Nanos{tick_limit_ns - 2000}));
}

TEST(LateTicks, CountsForFifteenSixteenthsOfTheWindowAndNeverForLonger) {
  const RecvTime start{seconds(600).count};
  const Nanos window = milliseconds(160);
  for (std::int64_t offset = 0; offset < 10; ++offset) {
    LateTicks ticks;
    ticks.note(start, 0, window);
    const RecvTime at = start + milliseconds(offset);
    ticks.note(at, 7, window);
    ticks.note(at + milliseconds(150), 0, window);
    EXPECT_EQ(ticks.within().late, 1) << offset;
    ticks.note(at + milliseconds(160), 0, window);
    EXPECT_EQ(ticks.within().late, 0) << offset;
  }
}

TEST(LateTicks, PackedNumbersSaturate) {
  EXPECT_EQ(LateTicks::packed({9, 4, 1}), (std::int64_t{4} << 32) | 9);
  const std::int64_t many = LateTicks::packed({INT64_MAX, INT64_MAX, 1});
  EXPECT_EQ(many >> 32, INT32_MAX);
  EXPECT_EQ(many & 0xFFFFFFFF, 0xFFFFFFFF);
}

}  // namespace
}  // namespace gimbal
