// The gate's scenarios in a running engine: what counts, what passes, and what is not known.
#include "tests/support/controls_fixture.hpp"
#include "tests/support/scenario_answers.hpp"

namespace gimbal {
namespace {

struct ScenarioTest : test::ControlsTest {
  test::ScenarioAnswers answers{*this};
  ScenarioTest() {
    setup.limits.max_scenario_loss_bps = 5000;
    setup.limits.option_collar_bps = 10'000;
    setup.scenarios = {0.16, 0.5, 0.25, 0.5, 0.3, 0.13, 1, 100'000, seconds(5), seconds(5)};
  }
  void report(double balance) {
    MarginReport r;
    r.settlement = currency("BTC");
    r.margin_balance = r.equity = money(balance);
    send(EventKind::margin_report, r);
  }
  void ready(double balance, double perp_held = 0, double option_held = 0) {
    armed(perp_held, option_held);
    report(balance);
    fresh();
  }
  PlaceOrder trade_option(double signed_size) {
    return trade_in(option, signed_size, signed_size < 0 ? 0.06 : 0.04);
  }
  PlaceOrder trade_in(InstrumentId id, double signed_size, double limit) {
    OrderRequest r;
    r.instrument = id;
    r.strategy = StrategyId{0};
    r.side = signed_size < 0 ? Side::sell : Side::buy;
    r.tif = TimeInForce::good_til_cancelled;
    r.limit = usd(limit);
    r.amount = amount(std::abs(signed_size));
    r.intent = ++intents;
    return ask(r);
  }
  [[nodiscard]] const ScenarioFacts& facts() const { return core().last_judged().context.scenario; }
  std::uint64_t intents{5000};
};

TEST_F(ScenarioTest, AnOrderIsRefusedWhereItsWorstScenarioPassesTheLimit) {
  ready(2);  // half of it may be lost
  ASSERT_TRUE(trade_option(-1).order.valid()) << static_cast<int>(last_refusal());
  ASSERT_TRUE(facts().known);
  const double each = static_cast<double>(facts().loss_after) * 1e-9;
  EXPECT_GT(each,
            0.10);  // a call sold at the money: +16 % costs 0.138 of a coin, its time value less
  EXPECT_LT(each, 0.16);
  EXPECT_EQ(facts().loss_before, 0);
  const double room = std::floor((1.0 - each) / each * 10) / 10;
  EXPECT_FALSE(trade_option(-room - 0.1).order.valid());
  EXPECT_EQ(last_refusal(), Refusal::scenario_loss);
  EXPECT_EQ(core().gate().refused(Refusal::scenario_loss), 1U);
  EXPECT_TRUE(trade_option(-room).order.valid()) << static_cast<int>(last_refusal());
}

TEST_F(ScenarioTest, LiveAndUnknownOrdersCountUntilTheirEndIsProven) {
  ready(2);
  const PlaceOrder first = trade_option(-6);
  ASSERT_TRUE(first.order.valid()) << static_cast<int>(last_refusal());
  const auto loss = static_cast<double>(facts().loss_after);
  EXPECT_FALSE(trade_option(-6).order.valid());
  EXPECT_EQ(last_refusal(), Refusal::scenario_loss);
  EXPECT_EQ(static_cast<double>(facts().loss_before), loss) << "in flight";
  run(milliseconds(150));
  ASSERT_EQ(state(first), OrderState::unknown);
  fresh();
  EXPECT_FALSE(trade_option(-6).order.valid());
  EXPECT_NEAR(static_cast<double>(facts().loss_before), loss, 1e-4 * loss) << "unknown";
  advance(seconds(1));
  fresh();
  lookup(first, LookupOutcome::absent);
  ASSERT_EQ(state(first), OrderState::rejected);
  const PlaceOrder second = trade_option(-6);
  ASSERT_TRUE(second.order.valid()) << static_cast<int>(last_refusal());
  EXPECT_EQ(facts().loss_before, 0);
  ack(second);
  fresh();
  EXPECT_FALSE(trade_option(-6).order.valid());
  EXPECT_NEAR(static_cast<double>(facts().loss_before), loss, 1e-4 * loss) << "live";
}

// Somebody's orders under labels of ours: after the alert they may rest on, and count like unknown
// ones.
TEST_F(ScenarioTest, OrdersUnderALabelOfOursThatAreNotOursCount) {
  ready(2);
  const PlaceOrder ours = trade_option(-1);
  ASSERT_TRUE(ours.order.valid()) << static_cast<int>(last_refusal());
  const auto each = static_cast<double>(facts().loss_after);
  ack(ours);
  reconcile(ReconcilePhase::begin);
  OpenOrderReport r;
  r.order = ours.order;
  r.price = usd(0.06);
  r.amount = amount(1);
  r.side = Side::sell;
  r.venue_ref = 77;
  send(EventKind::open_order_report, r, option);
  r.venue_ref = 78;
  r.amount = amount(3);
  send(EventKind::open_order_report, r, option);
  reconcile(ReconcilePhase::complete);
  acknowledge(TripCode::other_instance);
  operate(OperatorAction::arm);
  report(2);
  fresh();
  ASSERT_TRUE(trade_option(-0.1).order.valid()) << static_cast<int>(last_refusal());
  EXPECT_NEAR(static_cast<double>(facts().loss_before), 4 * each, 0.04 * each);
}

TEST_F(ScenarioTest, WhatMakesTheWorstNoWorsePassesWhereGrowthIsRefused) {
  ready(1, 0, -10);  // calls sold: over the limit already
  EXPECT_FALSE(trade_option(-0.1).order.valid());
  EXPECT_EQ(last_refusal(), Refusal::scenario_loss);
  EXPECT_FALSE(order(49990, 1000, Side::sell).order.valid()) << "the upper side gets worse";
  EXPECT_EQ(last_refusal(), Refusal::scenario_loss);
  EXPECT_TRUE(order(50010, 1000).order.valid()) << "the hedge";
  EXPECT_TRUE(trade_option(1).order.valid()) << "the exit";
}

TEST_F(ScenarioTest, WithoutAFreshReportOnlyWhatLowersRiskPasses) {
  armed(0, -10);
  EXPECT_FALSE(trade_option(-0.1).order.valid());
  EXPECT_EQ(last_refusal(), Refusal::scenario_unknown) << "none yet";
  EXPECT_TRUE(trade_option(0.1).order.valid()) << static_cast<int>(last_refusal());
  report(100);
  fresh();
  EXPECT_TRUE(trade_option(-0.1).order.valid()) << static_cast<int>(last_refusal());
  advance(seconds(5) + Nanos{1});
  fresh();
  EXPECT_FALSE(trade_option(-0.1).order.valid());
  EXPECT_EQ(last_refusal(), Refusal::scenario_unknown) << "too old";
  EXPECT_TRUE(order(50010, 1000).order.valid()) << "the hedge";
  report(100);
  EXPECT_TRUE(trade_option(-0.1).order.valid()) << static_cast<int>(last_refusal());
}

TEST_F(ScenarioTest, AJumpIsUnknownUntilTheNextTickersHavePricedTheBookAnew) {
  ready(100, 0, -10);
  market(50600);
  OrderRequest r;
  r.instrument = perp;
  r.strategy = StrategyId{0};
  r.side = Side::sell;
  r.limit = usd(50590);
  r.amount = amount(1000);
  r.intent = ++intents;
  EXPECT_TRUE(puppet.next->place(r));
  mark(perp, 50600, 50600);
  EXPECT_EQ(last_refusal(), Refusal::scenario_unknown);
  option_ticker(0.6, 50600, 50600);
  r.intent = ++intents;
  EXPECT_TRUE(puppet.next->place(r));
  mark(perp, 50600, 50600);
  EXPECT_TRUE(facts().known);
  EXPECT_EQ(placed().size(), 1U);
}

// Looked at just before it would have been priced again, then nothing that prices.
TEST_F(ScenarioTest, ARowIsNeverOlderThanItsGreatestAge) {
  setup.engine.tick = seconds(60);
  ready(100, 0, -10);
  const auto known = [&] {
    report(100);
    return core().view().scenarios(table[perp].underlying, true).has_value();
  };
  advance(milliseconds(1250));
  option_ticker(0.6, 50000, 50000);
  advance(milliseconds(3750));
  EXPECT_TRUE(known());
  advance(Nanos{1});
  EXPECT_FALSE(known());
  option_ticker(0.6, 50000, 50000);
  EXPECT_TRUE(known());
}

TEST_F(ScenarioTest, MissingNumbersAreNotTheStrategysFault) {
  armed();  // and no margin report
  for (int n = 0; n < 30; ++n) EXPECT_FALSE(trade_option(-0.1).order.valid());
  EXPECT_EQ(core().gate().refused(Refusal::scenario_unknown), 30U);
  EXPECT_TRUE(raised().empty());
  EXPECT_EQ(mode(strategy_scope()), Mode::active);
}

// Short puts at 90 % of the price, as many long at 80 %.
struct PutSpread : ScenarioTest {
  InstrumentId sold{table.add(put(45000))};
  InstrumentId bought{table.add(put(40000))};

  static Instrument put(double strike) {
    Instrument i = test::option_definition(strike);
    i.option = OptionType::put;
    return i;
  }
  void quote(InstrumentId id, double mark) {
    Ticker t;
    t.mark = usd(mark);
    t.index = t.underlying = usd(50000);
    t.mark_iv_nano = usd(0.6).nano;
    send(EventKind::ticker, t, id);
  }
  void quotes() {
    fresh();
    for (int n = 0; n < 2; ++n) {
      quote(sold, 0.027);
      quote(bought, 0.007);
    }
  }
  void hold_spread(double balance) {
    armed();
    reconcile(ReconcilePhase::begin);
    position(sold, -10);
    position(bought, 10);
    reconcile(ReconcilePhase::complete);
    report(balance);
    quotes();
  }
  PlaceOrder sell_bought() { return trade_in(bought, -10, 0.007); }
};

TEST_F(PutSpread, SellingItsLongLegIsRefusedThoughThatPositionShrinks) {
  hold_spread(1.6);  // half of it may be lost
  EXPECT_FALSE(sell_bought().order.valid());
  EXPECT_EQ(last_refusal(), Refusal::scenario_loss);
  EXPECT_GT(facts().loss_before, 0);
  EXPECT_LT(facts().loss_before, money(0.8).nano);
  EXPECT_GT(facts().loss_after, money(0.8).nano);
  EXPECT_TRUE(trade_in(sold, 10, 0.027).order.valid())
      << "the short leg: " << static_cast<int>(last_refusal());
}

TEST_F(PutSpread, SellingItsLongLegPassesInReduce) {
  hold_spread(1.6);
  operate(OperatorAction::kill, Mode::reduce, strategy_scope());
  EXPECT_TRUE(sell_bought().order.valid()) << static_cast<int>(last_refusal());
  EXPECT_TRUE(facts().known);
}

TEST_F(PutSpread, SellingItsLongLegPassesWithoutNumbers) {
  hold_spread(1.6);
  advance(seconds(5) + Nanos{1});  // the report is too old
  quotes();
  EXPECT_TRUE(sell_bought().order.valid()) << static_cast<int>(last_refusal());
  EXPECT_FALSE(facts().known);
}

// An option of a coin whose perpetual is not quoted.
struct UnpricedOption : ScenarioTest {
  InstrumentId other{table.add(of_other_coin())};
  static Instrument of_other_coin() {
    Instrument i = test::option_definition(3000);
    i.underlying = UnderlyingId{1};
    i.settlement = currency("ETH");
    return i;
  }
};

TEST_F(UnpricedOption, ARowThatCannotBePricedSpoilsItsOwnCoinAlone) {
  armed();
  reconcile(ReconcilePhase::begin);
  position(option, -10);
  position(other, 1);
  reconcile(ReconcilePhase::complete);
  report(100);
  fresh();
  EXPECT_TRUE(core().view().scenarios(table[perp].underlying, true).has_value());
  EXPECT_FALSE(core().view().scenarios(UnderlyingId{1}, true).has_value());
  EXPECT_TRUE(trade_option(-0.1).order.valid()) << static_cast<int>(last_refusal());
}

// A linear account over several coins: one that trades, one never quoted, one without a perpetual.
struct LinearScenarios : ScenarioTest {
  InstrumentId linear{table.add(perpetual(UnderlyingId{0}))};
  InstrumentId unquoted{table.add(perpetual(UnderlyingId{1}))};
  InstrumentId dated{table.add(future(UnderlyingId{2}))};

  static Instrument perpetual(UnderlyingId u) {
    Instrument i = test::perpetual_definition();
    i.kind = InstrumentKind::linear_perpetual;
    i.underlying = u;
    i.settlement = currency("USDC");
    i.lot = i.amount_min = i.contract_size = amount(0.01);
    return i;
  }
  static Instrument future(UnderlyingId u) {
    Instrument i = perpetual(u);
    i.kind = InstrumentKind::linear_future;
    i.expiry = ExchTime{test::clock_offset} + seconds(30 * 86400);
    return i;
  }
  // A picture with this position, or this open order of the boot before, besides nothing.
  void picture(InstrumentId id, double held, bool open = false) {
    reconcile(ReconcilePhase::begin);
    if (held != 0) position(id, held);
    if (open) {
      OpenOrderReport r;
      r.order = make_order_id(6, StrategyId{0}, 41);
      r.price = usd(3000);
      r.amount = amount(1);
      r.venue_ref = 99;
      send(EventKind::open_order_report, r, id);
    }
    reconcile(ReconcilePhase::complete);
  }
  bool buys() {
    MarginReport r;
    r.settlement = currency("USDC");
    r.margin_balance = r.equity = money(100'000);
    send(EventKind::margin_report, r);
    mark(linear, 50000, 50000);
    fresh();
    return trade_in(linear, 0.1, 50000).order.valid();
  }
};

TEST_F(LinearScenarios, ACoinWithNeitherPositionNorOrderNeedsNoPrice) {
  armed();
  EXPECT_TRUE(buys()) << static_cast<int>(last_refusal());
  ASSERT_TRUE(facts().known);
  EXPECT_NEAR(static_cast<double>(facts().loss_after) * 1e-9, 0.1 * 50000 * 0.16, 1);
}

TEST_F(LinearScenarios, APositionInACoinWithoutAPriceIsUnknown) {
  for (const InstrumentId id : {unquoted, dated}) {
    restart(0, 0);
    picture(id, 1);
    EXPECT_FALSE(buys());
    EXPECT_EQ(last_refusal(), Refusal::scenario_unknown);
    picture(id, 0);
    EXPECT_TRUE(buys()) << "closed again: " << static_cast<int>(last_refusal());
  }
}

TEST_F(LinearScenarios, AnOpenOrderInACoinWithoutAPriceIsUnknown) {
  for (const InstrumentId id : {unquoted, dated}) {
    restart(0, 0);
    picture(id, 0, true);
    ASSERT_EQ(core().orders().listed(), 1U);
    EXPECT_FALSE(buys());
    EXPECT_EQ(last_refusal(), Refusal::scenario_unknown);
  }
}

// The cells are part of the state: the same events give the same commands.
TEST_F(ScenarioTest, TheSameEventsGiveTheSameDecisions) {
  std::vector<std::uint64_t> digests;
  for (int run = 0; run < 2; ++run) {
    seq = 0;
    trade = 0;
    seen.clear();
    digest = {};
    now = RecvTime{seconds(1000).count};
    intents = 5000;
    ready(3, 0, -2);
    for (int n = 0; n < 60; ++n) {
      advance(milliseconds(100));
      const double at = 50000 + 40 * (n % 7) - 25 * (n % 5);
      option_ticker(0.6 + 0.002 * (n % 3), at, at);
      market(at);
      if (n % 10 == 0) report(3);
      const PlaceOrder o = trade_option(n % 2 == 0 ? -1 : 0.4);
      if (o.order.valid()) ack(o);  // unknown, it would pause growth
    }
    digests.push_back(digest.value());
    EXPECT_GT(core().gate().refused(Refusal::scenario_loss), 0U);
    EXPECT_GT(core().gate().approved(), 5U);
  }
  EXPECT_EQ(digests[0], digests[1]);
}

}  // namespace
}  // namespace gimbal
