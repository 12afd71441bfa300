// Profit and loss of the day: trips at their limits, to the nano and to the tick.
#include <cmath>

#include "tests/support/controls_fixture.hpp"

namespace gimbal {
namespace {

struct DayTest : test::ControlsTest {
  [[nodiscard]] Qty owned() const {
    Qty sum{};
    for (std::size_t owner = 0; owner < ProfitLedger::owners_max; ++owner) {
      sum += core().profits().held(perp, owner);
    }
    return sum;
  }
};

// --- P-19
// -----------------------------------------------------------------------------------------

TEST_F(DayTest, ALossExactlyAtItsLimitPassesAndANanoMoreTrips) {
  for (const bool over : {false, true}) {
    setup.limits = test::wide_limits();
    // 100,000 USD from 50,000 to 40,000: half a coin, 20,000 USD.
    setup.limits.max_strategy_loss_usd = Money{money(20000).nano - (over ? 1 : 0)};
    restart(0, 0);
    hold(100000);
    tick(45000);
    EXPECT_TRUE(raised().empty());
    tick(40000);
    EXPECT_EQ(core().snapshot().day_profit_usd, money(-20000));
    EXPECT_EQ(count_of(TripCode::strategy_loss), over ? 1U : 0U);
    EXPECT_EQ(mode(strategy_scope()), over ? Mode::reduce : Mode::active);
    if (!over) continue;
    const Trip t = only(TripCode::strategy_loss);
    EXPECT_EQ(t.limit, money(20000).nano - 1);
    EXPECT_EQ(t.actual, money(20000).nano);
    EXPECT_TRUE(t.latched);
    market(40000);
    mark(perp, 40000, 40000);
  }
}

TEST_F(DayTest, ThreeCrashesTripWithinOneTickOfTheirThreshold) {
  for (const double slope : {0.0005, 0.002, 0.01}) {
    setup.limits = test::wide_limits();
    setup.limits.max_day_loss_usd = money(30000);
    restart(200000, 0);
    std::uint64_t random = 17;
    double mid = 50000;
    bool tripped = false;
    for (int n = 0; n < 2000 && !tripped; ++n) {
      random = random * 6364136223846793005ULL + 1442695040888963407ULL;
      const double noise = (static_cast<double>((random >> 40) % 2001) - 1000) * 1e-6;
      mid = std::round(mid * (1 - slope + noise) * 2) / 2;
      tick(mid);
      const double loss = -200000 * (mid / 50000 - 1);
      if (std::abs(loss - 30000) < 1e-3) continue;
      ASSERT_EQ(count_of(TripCode::global_loss), loss > 30000 ? 1U : 0U) << slope << " " << n;
      tripped = loss > 30000;
    }
    EXPECT_TRUE(tripped);
    EXPECT_EQ(mode({}), Mode::reduce);
  }
}

TEST_F(DayTest, AfterALossExitsPassAndGrowthDoesNot) {
  setup.limits.max_day_loss_usd = money(1000);
  setup.limits.collar_bps = 10000;
  armed();
  hold(100000);
  tick(49000);
  EXPECT_EQ(only(TripCode::global_loss).scope, Scope{});
  EXPECT_FALSE(order(50000, 1000).order.valid());
  EXPECT_EQ(last_refusal(), Refusal::reduce_rule);
  EXPECT_TRUE(order(48000, 100000, Side::sell).order.valid());
}

TEST_F(DayTest, DrawdownIsMeasuredFromTheDaysPeak) {
  setup.limits.max_drawdown_usd = money(25000);
  armed(100000);
  tick(62500);  // 25,000 USD up
  tick(50000);  // all of it gone: at the limit
  EXPECT_TRUE(raised().empty());
  tick(49999.5);
  const Trip t = only(TripCode::drawdown);
  EXPECT_EQ(t.evidence, money(25000).nano);
  EXPECT_GT(t.actual, t.limit);
}

TEST_F(DayTest, ANewDayBeginsAtZeroAndAnOldTripStays) {
  setup.limits.max_day_loss_usd = money(3001);
  armed(100000);
  tick(48500);  // 3,000 USD
  EXPECT_TRUE(raised().empty());
  advance(seconds(86400));
  market(48500);
  EXPECT_EQ(core().snapshot().day_profit_usd, Money{});
  tick(47530);  // 2,000 of a new day
  EXPECT_TRUE(raised().empty());
  tick(46500);
  EXPECT_EQ(count_of(TripCode::global_loss), 1U);
  advance(seconds(86400));
  market(46500);
  EXPECT_EQ(mode({}), Mode::reduce);
}

TEST_F(DayTest, TheDayBeginsAtItsConfiguredHour) {
  setup.limits.day_start = seconds(8 * 3600);
  armed(100000);
  tick(49000);
  // 1.8e18 ns are 20,833 days and 8 hours: a day of 08:00 began 1,000 seconds ago.
  ASSERT_EQ(test::clock_offset % 86'400'000'000'000, seconds(8 * 3600).count);
  advance(seconds(86400 - 1100) - milliseconds(100));
  market(49000);
  EXPECT_LT(core().snapshot().day_profit_usd, Money{});
  advance(seconds(200));
  market(49000);
  EXPECT_EQ(core().snapshot().day_profit_usd, Money{});
}

TEST_F(DayTest, WhatTheAccountHeldCountsForTheDayAndForNoStrategy) {
  setup.limits.max_strategy_loss_usd = money(1);
  armed(100000);
  tick(40000);
  EXPECT_TRUE(raised().empty());
  EXPECT_EQ(core().snapshot().day_profit_usd, money(-20000));
}

TEST_F(DayTest, TheLedgerHoldsWhatThePortfolioHoldsWhateverHappens) {
  setup.limits.order_rate_per_s = setup.limits.order_burst = 100000;
  setup.limits.price_drift_bps = 1'000'000;
  armed(5000);
  std::uint64_t random = 23;
  for (int n = 0; n < 3000; ++n) {
    random = random * 6364136223846793005ULL + 1442695040888963407ULL;
    const double size = 10 * static_cast<double>(1 + (random >> 40) % 50);
    const bool buy = (random >> 50 & 1) != 0;
    switch ((random >> 33) % 4) {
      case 0: hold(buy ? size : -size); break;
      case 1: venue_fill(buy ? size : -size); break;
      case 2: tick(50000 + 0.5 * static_cast<double>((random >> 36) % 100)); break;
      default:
        reconcile(ReconcilePhase::begin);
        position(perp, size);
        position(option, 0);
        reconcile(ReconcilePhase::complete);
        break;
    }
    ASSERT_EQ(owned(), core().portfolio().position(perp)) << n;
    rearm_strategy();
    market(50000);
    seen.clear();
  }
}

// --- the day across a restart
// -----------------------------------------------------------------------------------------

struct CarryTest : DayTest {
  static constexpr std::size_t account = day_owners_max - 1;

  void boot() {
    seq = 0;
    seen.clear();
    advance(seconds(1));
    go();
  }
  [[nodiscard]] std::int64_t today() const {
    return venue_time().unix_ns / trading_day.count * trading_day.count;
  }
  void item(DayItem kind, std::size_t subject, std::int64_t a, std::int64_t b = 0,
            std::int64_t c = 0, InstrumentId id = {}, std::uint8_t group = 0) {
    DayCarry carry;
    carry.item = kind;
    carry.subject = static_cast<std::uint8_t>(subject);
    carry.group = group;
    carry.a = a;
    carry.b = b;
    carry.c = c;
    send(EventKind::day_carry, carry, id, 0);
  }
  // The session, a picture, armed; the market at `mid`.
  void trade(double perp_held, double mid = 50000) {
    to_armed(mid, perp_held, 0);
    option_ticker(0.6, mid, mid);
    market(mid);
    run(setup.engine.tick);
  }
  [[nodiscard]] const DayFigures& figures() {
    shown_ = core().snapshot();
    return shown_.day;
  }
  // Everything that an engine shows, into the next one.
  void restart_with(const DayFigures& f) {
    boot();
    item(DayItem::day, 0, f.began.unix_ns, f.peak.nano, f.booked_until.unix_ns);
    for (std::size_t owner = 0; owner < day_owners_max; ++owner) {
      if (f.profit[owner] != Money{}) item(DayItem::profit, owner, f.profit[owner].nano);
    }
    for (std::uint8_t g = 0; g < 2; ++g) {
      const DayRatio& r = f.ratio[the_coin.value][g];
      item(DayItem::ratio, the_coin.value, static_cast<std::int64_t>(r.changes), r.maker_nano, 0,
           {}, g);
    }
    for (std::size_t n = 0; n < f.holdings; ++n) {
      const DayHolding& h = f.holding[n];
      item(DayItem::holding, h.owner, h.amount.nano, h.mark.nano, 0, h.instrument);
    }
  }

 private:
  static constexpr UnderlyingId the_coin = test::the_coin;
  EngineStatus shown_;
};

TEST_F(CarryTest, ACarriedLossAndANewOneTripAtTheirSumToTheNano) {
  for (const bool over : {false, true}) {
    setup.limits = test::wide_limits();
    setup.limits.max_day_loss_usd = Money{money(25000).nano - (over ? 1 : 0)};
    boot();
    item(DayItem::day, 0, today());
    item(DayItem::profit, 0, money(-2000).nano);
    item(DayItem::profit, account, money(-3000).nano);
    trade(100000);
    tick(45000);
    EXPECT_EQ(count_of(TripCode::global_loss), 0U);
    tick(40000);  // 20,000 of this boot
    EXPECT_EQ(core().snapshot().day_profit_usd, money(-25000));
    EXPECT_EQ(count_of(TripCode::global_loss), over ? 1U : 0U);
    if (over) { EXPECT_EQ(only(TripCode::global_loss).actual, money(25000).nano); }
    EXPECT_EQ(figures().carry, DayCarryState::counted);
    EXPECT_EQ(figures().carried, money(-5000));
  }
}

TEST_F(CarryTest, AStrategysCarriedLossCountsForThatStrategy) {
  for (const bool over : {false, true}) {
    setup.limits = test::wide_limits();
    setup.limits.max_strategy_loss_usd = Money{money(21000).nano - (over ? 1 : 0)};
    boot();
    item(DayItem::day, 0, today());
    item(DayItem::profit, 0, money(-1000).nano);
    item(DayItem::profit, account, money(-90000).nano);
    trade(0);
    hold(100000);
    tick(40000);
    EXPECT_EQ(count_of(TripCode::strategy_loss), over ? 1U : 0U);
  }
}

TEST_F(CarryTest, ACarriedPeakIsWhatTheDrawdownIsMeasuredFrom) {
  for (const bool over : {false, true}) {
    setup.limits = test::wide_limits();
    setup.limits.max_drawdown_usd = Money{money(26000).nano - (over ? 1 : 0)};
    boot();
    item(DayItem::day, 0, today(), money(10000).nano);
    item(DayItem::profit, account, money(4000).nano);
    trade(100000);
    tick(40000);  // from +4,000 to -16,000
    EXPECT_EQ(count_of(TripCode::drawdown), over ? 1U : 0U);
    if (over) { EXPECT_EQ(only(TripCode::drawdown).evidence, money(10000).nano); }
  }
}

// In the arm's own event: no order goes out in between.
TEST_F(CarryTest, ALossOverItsLimitTripsInTheVeryEventThatArms) {
  setup.limits.max_day_loss_usd = money(1000);
  boot();
  item(DayItem::day, 0, today());
  item(DayItem::profit, account, money(-1001).nano);
  to_armed();
  const Trip t = only(TripCode::global_loss);
  EXPECT_EQ(t.actual, money(1001).nano);
  EXPECT_EQ(t.seq, engine->last_operator().seq);
  EXPECT_EQ(mode({}), Mode::reduce);
}

TEST_F(CarryTest, FiguresOfADayThatIsOverCountNoMore) {
  setup.limits.max_day_loss_usd = setup.limits.max_drawdown_usd = money(20000);
  setup.limits.max_strategy_loss_usd = money(1);
  boot();
  item(DayItem::day, 0, today() - trading_day.count, money(5000).nano);
  item(DayItem::profit, 0, money(-19000).nano);
  item(DayItem::profit, account, money(-19000).nano);
  item(DayItem::ratio, 0, 500, money(1).nano);
  item(DayItem::holding, account, amount(100000).nano, usd(60000).nano, 0, perp);
  trade(100000);
  tick(40000);  // 20,000 of this day: at the limit
  EXPECT_TRUE(raised().empty());
  EXPECT_EQ(core().snapshot().day_profit_usd, money(-20000));
  EXPECT_EQ(figures().carry, DayCarryState::ended);
  EXPECT_EQ(figures().carried, Money{});
  EXPECT_EQ(figures().began.unix_ns, today());
  EXPECT_EQ(core().order_to_trade().at(test::the_coin, OrderToTrade::Group::futures)->changes, 0U);
}

TEST_F(CarryTest, ACarriedDayEndsWhileTheBotRunsLikeAnyOther) {
  boot();
  item(DayItem::day, 0, today(), money(70).nano);
  item(DayItem::profit, account, money(-500).nano);
  trade(0);
  tick(50000);
  EXPECT_EQ(core().snapshot().day_profit_usd, money(-500));
  advance(trading_day);
  tick(50000);
  EXPECT_EQ(core().snapshot().day_profit_usd, Money{});
  EXPECT_EQ(core().snapshot().day_peak_usd, Money{});
  EXPECT_EQ(figures().carry, DayCarryState::ended);
}

// Another day_start in the configuration does not give the losses back.
TEST_F(CarryTest, ADayWithAnotherBeginStillCountsUntilItEnds) {
  setup.limits.day_start = seconds(7 * 3600);
  boot();
  item(DayItem::day, 0, today());
  item(DayItem::profit, account, money(-500).nano);
  trade(0);
  tick(50000);
  EXPECT_EQ(core().snapshot().day_profit_usd, money(-500));
  EXPECT_EQ(figures().began.unix_ns, today() + seconds(7 * 3600).count);
}

TEST_F(CarryTest, NothingTripsOnFiguresWhoseDayIsNotKnownYet) {
  setup.limits.max_strategy_loss_usd = money(1);
  boot();
  item(DayItem::day, 0, today() - trading_day.count);
  item(DayItem::profit, 0, money(-5000).nano);
  gateway(GatewayState::ready);
  mark(perp, 50000, 50000);
  run(setup.engine.tick * 2);
  EXPECT_TRUE(raised().empty());
  EXPECT_EQ(figures().carry, DayCarryState::waiting);
  EXPECT_FALSE(figures().complete);
  clock();
  run(setup.engine.tick * 2);
  EXPECT_TRUE(raised().empty());
  EXPECT_EQ(figures().carry, DayCarryState::ended);
}

TEST_F(CarryTest, AFallWhileNobodyWasRunningCountsForWhoeverHeld) {
  setup.limits.max_strategy_loss_usd = money(19999);
  boot();
  item(DayItem::day, 0, today());
  item(DayItem::holding, 0, amount(100000).nano, usd(50000).nano, 0, perp);
  gateway(GatewayState::ready);
  run(milliseconds(5));
  EXPECT_FALSE(figures().complete) << "nothing shows yet what the account holds";
  trade(100000, 40000);
  EXPECT_TRUE(figures().complete);
  EXPECT_EQ(core().profits().held(perp, 0), amount(100000));
  EXPECT_EQ(owned(), core().portfolio().position(perp));
  EXPECT_EQ(core().snapshot().day_profit_usd, money(-20000));
  EXPECT_EQ(only(TripCode::strategy_loss).actual, money(20000).nano);
}

TEST_F(CarryTest, WhatWasClosedMeanwhileCountsUpToTheMarkItIsMissedAt) {
  boot();
  item(DayItem::day, 0, today());
  item(DayItem::holding, 0, amount(100000).nano, usd(50000).nano, 0, perp);
  trade(0, 40000);
  EXPECT_EQ(core().snapshot().day_profit_usd, money(-20000));
  tick(50000);
  EXPECT_NEAR(to_double(core().snapshot().day_profit_usd), -25000, 1e-6);  // half a coin, dearer
  EXPECT_EQ(owned(), Qty{});
}

TEST_F(CarryTest, AFillThatTheBootBeforeCountedIsNotCountedTwice) {
  for (const bool counted : {true, false}) {
    setup.limits = test::wide_limits();
    boot();
    const std::int64_t at = venue_time().unix_ns;
    item(DayItem::day, 0, today(), 0, counted ? at : at - 1);
    gateway(GatewayState::ready);
    clock();
    mark(perp, 40000, 40000);
    reconcile(ReconcilePhase::begin);
    Fill f;
    f.order = make_order_id(6, StrategyId{0}, 41);
    f.trade = TradeId{5, 77 + (counted ? 1U : 0U)};
    f.price = usd(50000);
    f.amount = amount(100000);
    send(EventKind::fill, f, perp, event_flag::historical);
    position(perp, 100000);
    reconcile(ReconcilePhase::complete);
    tick(40000);
    EXPECT_EQ(core().portfolio().position(perp), amount(100000));
    EXPECT_EQ(owned(), amount(100000));
    EXPECT_EQ(core().snapshot().day_profit_usd, counted ? Money{} : money(-20000));
    EXPECT_EQ(figures().booked_until.unix_ns, at);
  }
}

TEST_F(CarryTest, WhatABootShowsIsWhatTheNextGoesOnFrom) {
  setup.limits.price_drift_bps = 1'000'000;
  armed(30000);
  hold(100000);
  const PlaceOrder rests = resting(49000, 1000);
  done(rests, 0);
  tick(52000);
  tick(48000);
  const DayFigures left = figures();
  ASSERT_TRUE(left.complete);
  EXPECT_EQ(left.holdings, 2);
  EXPECT_GT(left.peak, Money{});
  EXPECT_GT(left.ratio[0][0].changes, 0U);
  restart_with(left);
  EXPECT_EQ(core().counters().day_items_refused, 0U);
  trade(130000, 48000);
  const DayFigures found = figures();
  EXPECT_TRUE(found.complete);
  EXPECT_EQ(found.began, left.began);
  EXPECT_EQ(found.booked_until, left.booked_until);
  EXPECT_EQ(found.peak, left.peak);
  EXPECT_EQ(found.profit, left.profit);
  EXPECT_EQ(found.holdings, left.holdings);
  EXPECT_EQ(found.ratio[0][0].changes, left.ratio[0][0].changes);
  EXPECT_EQ(found.ratio[0][0].maker_nano, left.ratio[0][0].maker_nano);
  EXPECT_EQ(core().profits().held(perp, 0), amount(100000));
  EXPECT_EQ(core().profits().held(perp, account), amount(30000));
}

TEST_F(CarryTest, FiguresOutOfPlaceOrOutOfRangeAreRefusedAndNothingCanBeArmed) {
  struct Bad {
    const char* what;
    DayItem item;
    std::size_t subject;
    std::int64_t a, b, c;
    bool instrument;
    std::uint8_t group;
    bool day_first;
  };
  const std::int64_t day = today();
  const Bad all[] = {
      {"before the day", DayItem::profit, 0, -1, 0, 0, false, 0, false},
      {"no begin", DayItem::day, 0, 0, 0, 0, false, 0, false},
      {"begin too late", DayItem::day, 0, INT64_MAX, 0, 0, false, 0, false},
      {"negative peak", DayItem::day, 0, day, -1, 0, false, 0, false},
      {"negative fill time", DayItem::day, 0, day, 0, -1, false, 0, false},
      {"a second day", DayItem::day, 0, day, 0, 0, false, 0, true},
      {"no item", DayItem::none, 0, 1, 1, 1, true, 0, true},
      {"unknown item", static_cast<DayItem>(99), 0, 1, 1, 1, true, 0, true},
      {"unknown owner", DayItem::profit, day_owners_max, -1, 0, 0, false, 0, true},
      {"no number", DayItem::profit, 0, INT64_MIN, 0, 0, false, 0, true},
      {"negative changes", DayItem::ratio, 0, -1, 0, 0, false, 0, true},
      {"negative volume", DayItem::ratio, 0, 1, -1, 0, false, 0, true},
      {"unknown underlying", DayItem::ratio, underlyings_max, 1, 0, 0, false, 0, true},
      {"unknown group", DayItem::ratio, 0, 1, 0, 0, false, 2, true},
      {"unknown instrument", DayItem::holding, 0, 1, 1, 0, false, 0, true},
      {"nothing held", DayItem::holding, 0, 0, 1, 0, true, 0, true},
      {"no mark", DayItem::holding, 0, 1, 0, 0, true, 0, true},
      {"held by nobody", DayItem::holding, day_owners_max, 1, 1, 0, true, 0, true},
  };
  for (const Bad& bad : all) {
    SCOPED_TRACE(bad.what);
    boot();
    if (bad.day_first) item(DayItem::day, 0, today());
    item(bad.item, bad.subject, bad.a, bad.b, bad.c, bad.instrument ? perp : InstrumentId{},
         bad.group);
    EXPECT_EQ(core().counters().day_items_refused, 1U);
    gateway(GatewayState::ready);
    clock();
    reconcile(ReconcilePhase::begin);
    reconcile(ReconcilePhase::complete);
    operate(OperatorAction::arm);
    EXPECT_EQ(answer(), OperatorResult::refused_day_figures);
    EXPECT_EQ(core().snapshot().day_profit_usd, Money{});
  }
}

TEST_F(CarryTest, FiguresThatComeWhenTheDayRunsAreRefused) {
  boot();
  trade(0);
  item(DayItem::day, 0, today());
  item(DayItem::profit, account, money(1000).nano);
  EXPECT_EQ(core().counters().day_items_refused, 2U);
  tick(50000);
  EXPECT_EQ(core().snapshot().day_profit_usd, Money{});
}

}  // namespace
}  // namespace gimbal
