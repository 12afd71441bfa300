// What the engine does about inputs that are not to be trusted: controls.
#include "tests/support/engine_fixture.hpp"

namespace gimbal {
namespace {

struct Quality : EngineTest {
  void armed() {
    go();
    to_armed();
    seen.clear();
  }
  void limit_ages() {
    setup.quality = QualityLimits{};
    setup.quality.option_age_max = seconds(100'000);
  }
  std::vector<Trip> raised(TripCode code) const {
    std::vector<Trip> all;
    for (const Command& c : seen) {
      if (c.kind() == CommandKind::raise && c.raise().code == code) all.push_back(c.raise());
    }
    return all;
  }
  void index(double price) {
    IndexPrice p;
    p.price = usd(price);
    p.underlying = test::the_coin;
    send(EventKind::index_price, p);
  }
  // Time runs with index and ticks of the book, as at a venue that is well.
  void live(Nanos d, double mid = 50000) {
    const RecvTime end = now + d;
    while (now < end) {
      run(milliseconds(10));
      index(mid);
      level(perp, Side::buy, mid - 0.5, 5);
    }
  }
};

// ---

TEST_F(Quality, AHedgeWithoutDataIsStaleAtItsLimitAndNotBefore) {
  limit_ages();
  setup.quality.index_age_max = seconds(100);
  armed();
  live(milliseconds(50));
  const RecvTime last = now;
  while (now - last < seconds(1)) run(milliseconds(1));
  EXPECT_TRUE(core().view().quote(perp)) << "at the limit";
  EXPECT_TRUE(raised(TripCode::feed_stale).empty());
  while (now - last < seconds(1) + milliseconds(10)) run(milliseconds(1));
  EXPECT_FALSE(core().view().quote(perp));
  const auto told = raised(TripCode::feed_stale);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].limit, seconds(1).count);
  EXPECT_GT(told[0].actual, told[0].limit);
  EXPECT_LT(told[0].actual, (seconds(1) + milliseconds(10)).count) << "detected within 10 ms";
  EXPECT_EQ(told[0].scope, (Scope{ScopeLevel::underlying, test::the_coin.value}));
  EXPECT_EQ(count(CommandKind::resync), 1U);
  EXPECT_TRUE(core().growth_blocked(option)) << "what depends on it waits too";
}

TEST_F(Quality, DataThatComesBackEndsTheStalenessAfterTheHold) {
  limit_ages();
  armed();
  live(milliseconds(50));
  run(milliseconds(1100));
  EXPECT_FALSE(core().view().quote(perp));
  snapshot(perp, 49999.5, 50000.5);
  EXPECT_TRUE(core().view().quote(perp));
  EXPECT_TRUE(core().growth_blocked(perp));
  live(setup.engine.pause_hold + milliseconds(200));
  EXPECT_FALSE(core().growth_blocked(perp));
  EXPECT_EQ(core().counters().stale, 1U);
}

TEST_F(Quality, AProcessThatSleptAccusesNobody) {
  limit_ages();
  armed();
  live(milliseconds(50));
  advance(seconds(30));
  run(milliseconds(500));
  EXPECT_TRUE(core().view().quote(perp));
  EXPECT_TRUE(raised(TripCode::feed_stale).empty());
}

TEST_F(Quality, AHedgeThatIsSilentWhileTheIndexMovesIsStaleMuchEarlier) {
  limit_ages();
  armed();
  live(milliseconds(50));
  run(milliseconds(240));
  index(50100);
  EXPECT_TRUE(core().view().quote(perp)) << "silent for less than the limit";
  run(milliseconds(20));
  index(50100);
  EXPECT_FALSE(core().view().quote(perp));
  ASSERT_EQ(raised(TripCode::feed_stale).size(), 1U);
  EXPECT_EQ(raised(TripCode::feed_stale)[0].limit, milliseconds(250).count);
}

TEST_F(Quality, AnIndexThatStandsStillBearsNoWitness) {
  limit_ages();
  armed();
  live(milliseconds(50));
  run(milliseconds(500));
  index(50001.5);
  EXPECT_TRUE(core().view().quote(perp)) << "three ticks are no move";
}

TEST_F(Quality, AStaleIndexPausesItsCoin) {
  limit_ages();
  setup.quality.hedge_age_max = seconds(100);
  armed();
  live(milliseconds(50));
  run(milliseconds(2520));
  const auto told = raised(TripCode::feed_stale);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].limit, milliseconds(2500).count);
  EXPECT_EQ(told[0].evidence, -1);
  EXPECT_TRUE(core().growth_blocked(perp));
  EXPECT_TRUE(core().view().quote(perp)) << "the hedge's own book is well";
}

TEST_F(Quality, StaleOptionsPauseThemselvesAndAreToldOnceForTheirCoin) {
  setup.quality.option_age_max = seconds(5);
  go();
  to_armed(50000, 0, -10);
  seen.clear();
  live(seconds(4));
  EXPECT_FALSE(core().growth_blocked(option));
  live(seconds(2));
  EXPECT_TRUE(core().growth_blocked(option));
  EXPECT_FALSE(core().growth_blocked(perp));
  const auto told = raised(TripCode::feed_stale);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].evidence, 1);
  option_ticker(0.6, 50000, 50000);
  live(milliseconds(400));
  EXPECT_FALSE(core().growth_blocked(option));
}

// ---

TEST_F(Quality, MoreGapsInAMinuteThanTheBudgetLatchReduceOnTheVenue) {
  setup.quality.gaps_per_minute_max = 3;
  setup.engine.pauses_per_hour_max = 1000;
  armed();
  FeedStatus gap;
  gap.reason = FeedReason::sequence_gap;
  const auto one = [&] {
    send(EventKind::feed_status, gap, perp);
    snapshot(perp, 49999.5, 50000.5);
  };
  for (int i = 0; i < 3; ++i) one();
  EXPECT_TRUE(raised(TripCode::sequence_gaps).empty());
  one();
  const auto told = raised(TripCode::sequence_gaps);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].limit, 3);
  EXPECT_EQ(told[0].actual, 4);
  EXPECT_TRUE(told[0].latched);
  EXPECT_EQ(core().gate().modes().at({ScopeLevel::venue, 0}), Mode::reduce);
  EXPECT_EQ(core().counters().gaps, 4U);
}

TEST_F(Quality, ACrossedAndALockedBookAreToldAndNotReadable) {
  armed();
  level(perp, Side::buy, 50000.5, 1);  // equal to the ask
  EXPECT_FALSE(core().view().quote(perp));
  ASSERT_EQ(raised(TripCode::crossed_book).size(), 1U);
  EXPECT_EQ(raised(TripCode::crossed_book)[0].instrument, perp);
  EXPECT_EQ(core().counters().crossed, 1U);
}

// ---

TEST_F(Quality, APriceFarFromTheIndexMovesNothingAndPausesGrowth) {
  armed();
  index(50000);
  const double delta = core().portfolio().perpetual_mid(test::the_coin);
  snapshot(perp, 52999.5, 53000.5);
  EXPECT_FALSE(core().view().quote(perp)) << "no strategy prices from it";
  EXPECT_EQ(core().portfolio().perpetual_mid(test::the_coin), delta);
  EXPECT_TRUE(core().growth_blocked(perp));
  const auto told = raised(TripCode::outlier_price);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].limit, 500);
  EXPECT_EQ(told[0].actual, 600);
  snapshot(perp, 49999.5, 50000.5);
  EXPECT_TRUE(core().view().quote(perp));
  run(setup.engine.pause_hold + milliseconds(5));
  EXPECT_FALSE(core().growth_blocked(perp));
}

// ---

TEST_F(Quality, DataThatWaitedTooLongPausesItsVenueUntilItDoesNot) {
  armed();
  const auto late = [&](std::uint32_t queue_ns) {
    Event e = make_event(EventKind::trade, test::the_venue, perp, now, {}, Trade{});
    e.set_seq(Seq{++seq});
    e.queue_ns = queue_ns;
    engine->step(e, out);
    for (Command& c : out) {
      if (c.kind() == CommandKind::raise) seen.push_back(std::move(c));
    }
  };
  late(5'000'000);
  EXPECT_FALSE(core().growth_blocked(perp));
  late(5'000'001);
  EXPECT_TRUE(core().growth_blocked(perp));
  ASSERT_EQ(raised(TripCode::receive_lag).size(), 1U);
  EXPECT_EQ(raised(TripCode::receive_lag)[0].actual, 5'000'001);
  late(2'000'000);
  EXPECT_TRUE(core().growth_blocked(perp));
  late(900'000);
  EXPECT_FALSE(core().growth_blocked(perp));
  EXPECT_EQ(core().counters().lags, 1U);
}

TEST_F(Quality, WhileTheVenueLagsAHedgeThatReducesPassesAndGrowthDoesNot) {
  go();
  to_armed(50000, 50'000);
  const auto asked_late = [&](Side side) {
    OrderRequest r;
    r.instrument = perp;
    r.strategy = StrategyId{0};
    r.side = side;
    r.limit = usd(50000);
    r.amount = amount(1000);
    r.intent = side == Side::buy ? 1 : 2;
    EXPECT_TRUE(puppet.next->place(r));
    Event e = make_event(EventKind::trade, test::the_venue, perp, now, {}, Trade{});
    e.set_seq(Seq{++seq});
    e.add_flag(event_flag::last_in_packet);
    e.queue_ns = 50'000'000;
    engine->step(e, out);
    std::size_t sent = 0;
    for (const Command& c : out) sent += c.kind() == CommandKind::place ? 1 : 0;
    return sent;
  };
  EXPECT_EQ(asked_late(Side::buy), 0U);
  EXPECT_EQ(last_refusal(), Refusal::paused);
  EXPECT_EQ(asked_late(Side::sell), 1U);
}

// ---

TEST_F(Quality, AWallClockThatIsOffIsToldAndFarOffPausesTheVenue) {
  armed();
  const auto clock_gap = [&](Nanos gap) {
    VenueClock c;
    c.offset_ns = test::clock_offset;
    c.wall_gap_ns = gap.count;
    send(EventKind::venue_clock, c);
  };
  clock_gap(milliseconds(100));
  EXPECT_TRUE(raised(TripCode::clock_offset).empty());
  clock_gap(milliseconds(-101));
  ASSERT_EQ(raised(TripCode::clock_offset).size(), 1U);
  EXPECT_FALSE(core().growth_blocked(perp));
  run(milliseconds(1100));
  clock_gap(setup.engine.order_ttl);
  ASSERT_EQ(raised(TripCode::clock_offset).size(), 2U);
  EXPECT_EQ(raised(TripCode::clock_offset)[1].severity, Severity::critical);
  EXPECT_TRUE(core().growth_blocked(perp));
  clock_gap(milliseconds(1));
  EXPECT_FALSE(core().growth_blocked(perp));
}

// ---

TEST_F(Quality, AnAnswerThatProvesNothingIsToldAndItsOrderIsLookedUp) {
  armed();
  const PlaceOrder o = order();
  ASSERT_TRUE(o.order.valid());
  OrderReject r;
  r.order = o.order;
  r.reason = RejectReason::unclear;
  r.venue_code = 99999;
  send(EventKind::order_reject, r, perp);
  EXPECT_EQ(state(o), OrderState::unknown);
  const auto told = raised(TripCode::unknown_field);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].actual, 99999);
  run(milliseconds(300));
  EXPECT_GE(count(CommandKind::query_order), 1U);
}

}  // namespace
}  // namespace gimbal
