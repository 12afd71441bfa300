// Rows of the scenario cells on their way: what the engine asks for and when, and which answers it
// takes.
#include <limits>

#include "engine/core/risk/scenario_groups.hpp"
#include "tests/support/controls_fixture.hpp"
#include "tests/support/one_block.hpp"

namespace gimbal {
namespace {

// The desk of a pricing thread that never answers by itself.
struct ScenarioRowsTest : test::ControlsTest {
  std::vector<ScenarioQuestion> asked;
  test::OneBlock store;

  ScenarioRowsTest() {
    setup.limits.max_scenario_loss_bps = 5000;
    setup.limits.option_collar_bps = 10'000;
    setup.scenarios = {0.16, 0.5, 0.25, 0.5, 0.3, 0.13, 1, 100'000, seconds(5), seconds(500)};
    setup.scenario_desk = {this, [](void* self, const ScenarioQuestion& q) noexcept {
                             static_cast<ScenarioRowsTest*>(self)->asked.push_back(q);
                           }};
    setup.blocks = {&store, &test::OneBlock::find};
  }
  void ready(double option_held = 0) {
    armed(0, option_held);
    MarginReport r;
    r.settlement = currency("BTC");
    r.margin_balance = r.equity = money(100);
    send(EventKind::margin_report, r);
    fresh();
    ASSERT_FALSE(asked.empty());
  }
  // Rows that earn `value` of a coin in each scenario.
  [[nodiscard]] std::vector<std::byte> rows_of(const ScenarioQuestion& q, double value = -0.1) {
    const ScenarioRowsHead head = head_of_answer(q, ScenarioTable{setup.scenarios}.number());
    ScenarioRow row;
    row.value.fill(value);
    std::vector<std::byte> bytes(sizeof head + q.count * sizeof row);
    std::memcpy(bytes.data(), &head, sizeof head);
    for (std::size_t n = 0; n < q.count; ++n) {
      std::memcpy(bytes.data() + sizeof head + n * sizeof row, &row, sizeof row);
    }
    return bytes;
  }
  void enter(std::vector<std::byte> bytes) {
    store.bytes = std::move(bytes);
    SideBlockRef ref;
    ref.kind = SideBlockKind::scenario_rows;
    send(EventKind::side_block, ref);
  }
  // Now: the core's time is that of its newest event.
  [[nodiscard]] bool known() {
    mark(perp, 50000, 50000);
    return core().view().scenarios(test::the_coin, true).has_value();
  }
  [[nodiscard]] const EngineCounters& counters() const { return core().counters(); }
};

TEST_F(ScenarioRowsTest, AQuestionSaysWhatTheCoreSees) {
  ready(-10);
  const ScenarioQuestion& q = asked.back();
  const OptionMark mark = core().view().option_mark(option);
  EXPECT_EQ(q.underlying, test::the_coin);
  EXPECT_TRUE(q.inverse);
  EXPECT_EQ(q.count, 1);
  EXPECT_EQ(q.instruments[0], option);
  EXPECT_EQ(q.strike[0], 50000);
  EXPECT_EQ(q.sigma[0], mark.sigma);
  EXPECT_EQ(q.sign[0], 1);
  EXPECT_EQ(q.forward, mark.seen);
  EXPECT_EQ(q.share, mark.share);
  EXPECT_EQ(q.years, mark.years);
  EXPECT_EQ(q.spot, 50000);
  EXPECT_EQ(q.anchor, 50000);
  EXPECT_EQ(counters().scenario_rows_asked, asked.size());
}

TEST_F(ScenarioRowsTest, WithoutAnAnswerNothingIsKnownAndItIsAskedAgain) {
  ready(-10);
  EXPECT_FALSE(known());
  const std::size_t before = asked.size();
  const RecvTime last = asked.back().at;
  advance(last + milliseconds(250) - now - Nanos{1});
  fresh();
  EXPECT_EQ(asked.size(), before) << "an answer may be on its way";
  advance(Nanos{1});
  fresh();
  EXPECT_EQ(asked.size(), before + 1);
  enter(rows_of(asked.back()));
  fresh();
  EXPECT_TRUE(known());
  EXPECT_EQ(counters().scenario_rows_taken, 1U);
}

TEST_F(ScenarioRowsTest, RowsAreAskedForAnewAtAQuarterOfTheirGreatestAge) {
  ready(-10);
  enter(rows_of(asked.back()));
  const std::size_t before = asked.size();
  const RecvTime priced = asked.back().at;
  advance(priced + milliseconds(1250) - now);
  fresh();
  EXPECT_EQ(asked.size(), before);
  advance(Nanos{1});
  fresh();
  EXPECT_EQ(asked.size(), before + 1);
}

TEST_F(ScenarioRowsTest, WhatIsNotHeldIsAskedForAnewAtThreeQuartersOfThatAge) {
  ready();
  enter(rows_of(asked.back()));
  const std::size_t before = asked.size();
  const RecvTime priced = asked.back().at;
  advance(priced + milliseconds(3750) - now);
  fresh();
  EXPECT_EQ(asked.size(), before);
  advance(Nanos{1});
  fresh();
  EXPECT_EQ(asked.size(), before + 1);
}

TEST_F(ScenarioRowsTest, AnOptionThatCanBePricedNowIsAskedForAtOnce) {
  const InstrumentId other = table.add(test::option_definition(60000));
  ready(-10);
  ASSERT_EQ(asked.back().count, 1) << "the other one has no volatility";
  const std::size_t before = asked.size();
  Ticker t;
  t.mark = usd(0.02);
  t.index = t.underlying = usd(50000);
  t.mark_iv_nano = usd(0.6).nano;
  send(EventKind::ticker, t, other);
  ASSERT_EQ(asked.size(), before + 1);
  EXPECT_EQ(asked.back().count, 2);
  EXPECT_EQ(asked.back().instruments[1], other);
  send(EventKind::ticker, t, other);
  EXPECT_EQ(asked.size(), before + 1) << "once";
}

TEST_F(ScenarioRowsTest, ASettledOptionIsAskedForNoMore) {
  ready();
  InstrumentChange change;
  change.change = InstrumentChangeKind::settle;
  change.delivery = usd(50000);
  send(EventKind::instrument_change, change, option);
  const std::size_t before = asked.size();
  advance(seconds(4));
  fresh();
  EXPECT_EQ(asked.size(), before);
}

// Thirty-nine expiries beside the first.
struct ManyGroups : ScenarioRowsTest {
  std::vector<InstrumentId> others;
  ManyGroups() {
    for (int n = 0; n < 39; ++n) {
      Instrument i = test::option_definition(50000);
      i.expiry = i.expiry + seconds(86'400 * (n + 1));
      others.push_back(table.add(i));
    }
  }
  void quote_all() {
    for (const InstrumentId id : others) {
      Ticker t;
      t.mark = usd(0.06);
      t.index = t.underlying = usd(50000);
      t.mark_iv_nano = usd(0.6).nano;
      send(EventKind::ticker, t, id);
    }
  }
};

TEST_F(ManyGroups, NoMoreThanThirtyTwoQuestionsAreOnTheirWay) {
  armed();
  for (int n = 0; n < 4; ++n) quote_all();
  ASSERT_EQ(asked.size(), 32U);
  enter(rows_of(asked.front()));
  quote_all();
  EXPECT_EQ(asked.size(), 33U) << "an answer makes room";
  advance(milliseconds(250));
  for (int n = 0; n < 4; ++n) quote_all();
  EXPECT_GT(asked.size(), 40U) << "those without an answer count as lost";
}

// With others answered all the time.
TEST(RowsAsked, AQuestionThatIsLostGivesItsPlaceBackInTime) {
  RowsAsked asked;
  RecvTime now{1'000'000'000};
  for (int lost = 0; lost < 100; ++lost) {
    asked.ask(now);
    for (int n = 0; n < 10; ++n) {
      asked.forget(now, milliseconds(250));
      ASSERT_FALSE(asked.full());
      const RecvTime question = now;
      asked.ask(question);
      now = now + milliseconds(10);
      asked.answer(question);
    }
    EXPECT_LE(asked.size(), 3U);
  }
}

TEST(RowsAsked, IsFullAtThirtyTwoUntilOneIsAnsweredOrOld) {
  RowsAsked asked;
  for (int n = 0; n < 32; ++n) {
    EXPECT_FALSE(asked.full());
    asked.ask(RecvTime{n + 1});
  }
  EXPECT_TRUE(asked.full());
  asked.forget(RecvTime{250}, Nanos{250});
  EXPECT_TRUE(asked.full());
  asked.forget(RecvTime{251}, Nanos{250});
  EXPECT_FALSE(asked.full());
  asked.answer(RecvTime{2});
  asked.answer(RecvTime{2});
  EXPECT_EQ(asked.size(), 30U) << "each is answered once";
  asked.forget(RecvTime{1000}, Nanos{250});
  EXPECT_EQ(asked.size(), 0U);
}

TEST_F(ScenarioRowsTest, AnAnswerIsAsOldAsItsQuestion) {
  setup.engine.tick = seconds(600);
  ready(-10);
  const ScenarioQuestion first = asked.back();
  advance(seconds(4));
  enter(rows_of(first));
  fresh();
  EXPECT_TRUE(known());
  advance(first.at + seconds(5) - now);
  EXPECT_TRUE(known());
  advance(Nanos{1});
  EXPECT_FALSE(known());
}

TEST_F(ScenarioRowsTest, AnAnswerForAnAnchorThatMovedIsLate) {
  ready(-10);
  const ScenarioQuestion before = asked.back();
  option_ticker(0.6, 50600, 50600);
  market(50600);
  option_ticker(0.6, 50600, 50600);
  ASSERT_NE(asked.back().generation, before.generation);
  EXPECT_EQ(asked.back().anchor, 50600) << "asked again at once";
  enter(rows_of(before));
  EXPECT_FALSE(known());
  EXPECT_EQ(counters().scenario_rows_late, 1U);
  enter(rows_of(asked.back()));
  option_ticker(0.6, 50600, 50600);
  EXPECT_TRUE(known());
}

TEST_F(ScenarioRowsTest, TheOlderOfTwoAnswersDoesNotReplaceTheNewer) {
  ready(-10);
  const ScenarioQuestion first = asked.back();
  advance(milliseconds(300));
  fresh();
  const ScenarioQuestion second = asked.back();
  ASSERT_GT(second.at, first.at);
  enter(rows_of(second, 0.1));
  fresh();
  ASSERT_TRUE(known());
  const double worst = core().view().scenarios(test::the_coin, true)->worst(0);
  EXPECT_GT(worst, 0.9) << "ten sold, each a tenth of a coin";
  enter(rows_of(first, 0.3));
  EXPECT_EQ(core().view().scenarios(test::the_coin, true)->worst(0), worst);
}

TEST_F(ScenarioRowsTest, ABlockThatIsNoneIsRefusedWhole) {
  ready(-10);
  ScenarioQuestion q = asked.back();
  std::uint64_t refused = 0;
  const auto expect_refused = [&](std::vector<std::byte> bytes, const char* what) {
    enter(std::move(bytes));
    fresh();
    EXPECT_FALSE(known()) << what;
    EXPECT_EQ(counters().scenario_rows_refused, ++refused) << what;
  };
  const auto changed = [&](auto change) {
    std::vector<std::byte> bytes = rows_of(q);
    ScenarioRowsHead head;
    std::memcpy(&head, bytes.data(), sizeof head);
    change(head);
    std::memcpy(bytes.data(), &head, sizeof head);
    return bytes;
  };
  std::vector<std::byte> bytes = rows_of(q);
  bytes.pop_back();
  expect_refused(bytes, "too short");
  bytes.resize(bytes.size() + 2);
  expect_refused(bytes, "too long");
  expect_refused(std::vector<std::byte>(sizeof(ScenarioRowsHead) - 1), "no head");
  expect_refused(changed([](auto& h) { h.version = 2; }), "version");
  expect_refused(changed([](auto& h) { h.rows = 0; }), "no rows");
  expect_refused(changed([](auto& h) { h.rows = 2; }), "more rows than bytes");
  expect_refused(changed([](auto& h) { h.inverse = 2; }), "settlement");
  expect_refused(changed([](auto& h) { h.inverse = 0; }), "options of another settlement");
  expect_refused(changed([](auto& h) { h.underlying = UnderlyingId{underlyings_max}; }), "coin");
  expect_refused(changed([](auto& h) { h.table ^= 1; }), "other scenarios");
  expect_refused(changed([this](auto& h) { h.at = now + Nanos{1}; }), "of the future");
  expect_refused(changed([](auto& h) { h.instruments[0] = InstrumentId{60}; }), "not listed");
  expect_refused(changed([this](auto& h) { h.instruments[0] = perp; }), "no option");
  expect_refused(changed([](auto& h) { h.anchor = 0; }), "no anchor");
  for (const double bad :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(),
        -std::numeric_limits<double>::infinity()}) {
    bytes = rows_of(q);
    std::memcpy(bytes.data() + bytes.size() - sizeof bad, &bad, sizeof bad);
    expect_refused(bytes, "no number");
  }
  enter(rows_of(q));
  fresh();
  EXPECT_TRUE(known()) << "and the good one is taken";
}

TEST_F(ScenarioRowsTest, GrowthIsRefusedAndTheHedgePassesWhileThePricingThreadIsSilent) {
  ready(-10);
  OrderRequest r;
  r.instrument = option;
  r.strategy = StrategyId{0};
  r.side = Side::sell;
  r.limit = usd(0.06);
  r.amount = amount(0.1);
  r.intent = 77;
  EXPECT_FALSE(ask(r).order.valid());
  EXPECT_EQ(last_refusal(), Refusal::scenario_unknown);
  EXPECT_TRUE(order(50010, 1000).order.valid()) << static_cast<int>(last_refusal());
}

Instrument listed(InstrumentTable& table, UnderlyingId u, std::int64_t day, double strike,
                  InstrumentKind kind = InstrumentKind::inverse_option) {
  Instrument i = test::option_definition(strike);
  i.kind = kind;
  i.underlying = u;
  i.expiry = ExchTime{test::clock_offset} + seconds(86'400 * day);
  return table[table.add(i)];
}

TEST(ScenarioGroups, HoldUpToSixteenOptionsOfOneExpiryAndSettlement) {
  InstrumentTable table{64};
  ScenarioGroups groups{64};
  for (int n = 0; n < 17; ++n) groups.list(listed(table, UnderlyingId{0}, 30, 40'000 + 1000 * n));
  ASSERT_EQ(groups.size(), 2U);
  EXPECT_EQ(groups[0].count, 16);
  EXPECT_EQ(groups[1].count, 1);
  const Instrument other = listed(table, UnderlyingId{0}, 31, 40'000);
  const Instrument coin = listed(table, UnderlyingId{1}, 30, 40'000);
  const Instrument linear =
      listed(table, UnderlyingId{0}, 30, 40'000, InstrumentKind::linear_option);
  const Instrument more = listed(table, UnderlyingId{0}, 30, 70'000);
  for (const Instrument& i : {other, coin, linear, more}) groups.list(i);
  EXPECT_EQ(groups.of(other.id), 2);
  EXPECT_EQ(groups.of(coin.id), 3);
  EXPECT_EQ(groups.of(linear.id), 4);
  EXPECT_EQ(groups.of(more.id), 1) << "where there is room";
  groups.list(more);
  EXPECT_EQ(groups[1].count, 2) << "listed twice, there once";
  groups.list(table[table.add(test::perpetual_definition())]);
  EXPECT_EQ(groups.size(), 5U);
  EXPECT_EQ(groups.of(InstrumentId{63}), ScenarioGroups::none);
}

TEST(ScenarioGroups, TakeNothingWhereScenariosAreNotUsed) {
  InstrumentTable table{64};
  ScenarioGroups groups{0};
  groups.list(listed(table, UnderlyingId{0}, 30, 40'000));
  EXPECT_EQ(groups.size(), 0U);
}

}  // namespace
}  // namespace gimbal
