// The gate's scenarios in a running engine: what counts, what passes, and what is not known.
#include "tests/support/controls_fixture.hpp"

namespace gimbal {
namespace {

struct ScenarioTest : test::ControlsTest {
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
    OrderRequest r;
    r.instrument = option;
    r.strategy = StrategyId{0};
    r.side = signed_size < 0 ? Side::sell : Side::buy;
    r.tif = TimeInForce::good_til_cancelled;
    r.limit = usd(signed_size < 0 ? 0.06 : 0.04);
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

TEST_F(ScenarioTest, AHedgeAndAnExitPassWhereGrowthIsRefused) {
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
      trade_option(n % 2 == 0 ? -1 : 0.4);
    }
    digests.push_back(digest.value());
    EXPECT_GT(core().gate().refused(Refusal::scenario_loss), 0U);
    EXPECT_GT(core().gate().approved(), 5U);
  }
  EXPECT_EQ(digests[0], digests[1]);
}

}  // namespace
}  // namespace gimbal
