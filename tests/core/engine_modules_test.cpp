// Envelopes of third-party risk modules: they tighten and never loosen; a late, dead or invalid
// module denies growth, to the nanosecond of its time to live, and never holds back an exit.
#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

#include "tests/support/controls_fixture.hpp"
#include "tests/support/envelopes.hpp"
#include "tests/support/one_block.hpp"

namespace gimbal {
namespace {

using test::bytes_of;
using test::row;

struct ModulesTest : test::ControlsTest {
  static constexpr Nanos ttl = milliseconds(500);
  test::OneBlock store;

  ModulesTest() {
    setup.blocks = {&store, &test::OneBlock::find};
    setup.modules[0] = {true, true, ttl};
  }
  void block(std::vector<std::byte> bytes) {
    store.bytes = std::move(bytes);
    SideBlockRef ref;
    ref.kind = SideBlockKind::risk_envelope;
    ref.bytes = static_cast<std::uint32_t>(store.bytes.size());
    send(EventKind::side_block, ref);
  }
  EnvelopeHead head(std::uint8_t module = 0, Nanos life = ttl) const {
    EnvelopeHead h;
    h.module = module;
    h.as_of = seq;
    h.made = now;
    h.ttl = life;
    return h;
  }
  void envelope(const std::vector<EnvelopeRow>& rows = {}, std::uint8_t module = 0,
                Nanos life = ttl) {
    advance(microseconds(1));
    block(bytes_of(head(module, life), rows));
  }
  // Of a module that looked when `as_of` was made, taken now.
  void envelope_as_of(EnvelopeHead as_of, const std::vector<EnvelopeRow>& rows) {
    advance(microseconds(1));
    as_of.made = now;
    block(bytes_of(as_of, rows));
  }
  void told(ModuleSight sight, std::uint8_t module = 0) {
    EnvelopeHead h;
    h.module = module;
    h.sight = sight;
    block(bytes_of(h, {}));
  }
  void armed_with_module(double held = 0, double options = 0) {
    go();
    to_armed(50000, held, options);
    fresh();
    envelope();
    seen.clear();
  }
  [[nodiscard]] bool buys(double size = 1000) { return order(50010, size).order.valid(); }
  [[nodiscard]] bool sells(double size = 1000) {
    return order(49990, size, Side::sell).order.valid();
  }
  [[nodiscard]] ModuleSeat seat(std::size_t n = 0) const { return engine->snapshot().modules[n]; }
};

TEST_F(ModulesTest, ARequiredModuleThatNeverSpokeDeniesGrowthAndLetsAnExitThrough) {
  armed(2000);
  EXPECT_FALSE(buys());
  EXPECT_EQ(last_refusal(), Refusal::module_late);
  EXPECT_TRUE(sells(2000)) << "an exit";
  EXPECT_EQ(count_of(TripCode::module_lost), 0U) << "nothing was lost, nothing came yet";
}

TEST_F(ModulesTest, ARequiredModuleThatNeverAppearsIsToldOnceAfterItsTimeToLive) {
  armed();
  run(ttl - milliseconds(1));
  EXPECT_EQ(count_of(TripCode::module_lost), 0U);
  run(seconds(3));
  ASSERT_EQ(count_of(TripCode::module_lost), 1U);
  const Trip t = first(TripCode::module_lost);
  EXPECT_EQ(t.limit, ttl.count);
  EXPECT_GE(t.actual, ttl.count);
  EXPECT_LT(t.actual, (ttl + milliseconds(200)).count);
  EXPECT_EQ(seat().sight, ModuleSight::absent);
}

TEST_F(ModulesTest, OneThatIsNotRequiredAndNeverAppearsIsNotMissed) {
  setup.modules[0].required = false;
  armed();
  run(seconds(3));
  EXPECT_EQ(count_of(TripCode::module_lost), 0U);
}

TEST_F(ModulesTest, AStrategySeesThatGrowthIsDeniedAndNotTheVetoOfASide) {
  armed_with_module(0, -10);
  const auto blocked = [&] { return core().view().growth_blocked(StrategyId{0}, perp); };
  EXPECT_FALSE(blocked());
  envelope({row(perp, -1, -1, module_veto::sell | module_veto::buy)});
  EXPECT_FALSE(blocked()) << "a hedge of either delta is refused";
  envelope({row(perp, -1, -1, module_veto::growth)});
  EXPECT_TRUE(blocked());
  envelope({row(option, -1, -1, module_veto::growth)});
  EXPECT_FALSE(blocked()) << "another instrument";
  advance(ttl);
  fresh();
  EXPECT_TRUE(blocked()) << "late";
  envelope();
  EXPECT_FALSE(blocked());
  operate(OperatorAction::pause, Mode::active, {}, OperatorSource::monitor);
  EXPECT_TRUE(blocked());
  EXPECT_TRUE(core().view().growth_blocked(StrategyId{0}, InstrumentId{})) << "not listed";
}

TEST_F(ModulesTest, AModuleThatComesAndGoesIsToldOnceASecondAndCountedEachTime) {
  armed_with_module();
  for (int i = 0; i < 20; ++i) {
    told(ModuleSight::dead);
    run(milliseconds(5));
    envelope();
    run(milliseconds(5));
  }
  EXPECT_EQ(count_of(TripCode::module_lost), 1U);
  EXPECT_EQ(engine->snapshot().counters.modules_lost, 20U);
  told(ModuleSight::dead);
  EXPECT_FALSE(buys());
  EXPECT_EQ(count_of(TripCode::module_lost), 1U) << "within the second";
  run(seconds(3));
  EXPECT_EQ(count_of(TripCode::module_lost), 2U) << "the loss that lasts is told, once";
}

TEST_F(ModulesTest, OneThatIsNotRequiredDeniesNothingBeforeItSpeaksAndIsHeldToItAfterwards) {
  setup.modules[0].required = false;
  armed();
  EXPECT_TRUE(buys());
  envelope();
  EXPECT_TRUE(buys());
  advance(ttl);
  EXPECT_FALSE(buys());
  EXPECT_EQ(last_refusal(), Refusal::module_late);
}

TEST_F(ModulesTest, TheTimeToLiveEndsToTheNanosecond) {
  armed_with_module();
  const RecvTime made = now;
  now = made + ttl - Nanos{1};
  EXPECT_TRUE(buys());
  now = made + ttl;
  EXPECT_FALSE(buys());
  EXPECT_EQ(last_refusal(), Refusal::module_late);
  envelope();
  EXPECT_TRUE(buys()) << "it came back by itself";
}

TEST_F(ModulesTest, AModuleCannotGiveItselfALongerLifeThanTheConfig) {
  armed_with_module();
  envelope({}, 0, seconds(3600));
  EXPECT_EQ(seat().ttl, ttl);
  advance(ttl);
  EXPECT_FALSE(buys());
  envelope({}, 0, Nanos{INT64_MAX});
  advance(ttl);
  EXPECT_FALSE(buys());
}

TEST_F(ModulesTest, ItsOwnShorterLifeCounts) {
  armed_with_module();
  envelope({}, 0, milliseconds(20));
  advance(milliseconds(20));
  EXPECT_FALSE(buys());
}

TEST_F(ModulesTest, ALateModuleIsToldOnceAndAsLateAndWhenItReturns) {
  armed_with_module();
  run(ttl - milliseconds(1));
  EXPECT_EQ(count_of(TripCode::module_lost), 0U);
  run(milliseconds(200));
  ASSERT_EQ(count_of(TripCode::module_lost), 1U);
  const Trip t = first(TripCode::module_lost);
  EXPECT_EQ(t.limit, ttl.count);
  EXPECT_GE(t.actual, ttl.count);
  EXPECT_EQ(t.evidence, 0);
  EXPECT_EQ(t.mode, Mode::active) << "nothing is latched";
  EXPECT_EQ(seat().sight, ModuleSight::late);
  EXPECT_TRUE(seat().lost);
  envelope();
  EXPECT_FALSE(seat().lost);
  EXPECT_EQ(engine->snapshot().counters.modules_lost, 1U);
}

TEST_F(ModulesTest, ADeadOrInvalidOneDeniesGrowthAtOnceAndReductionsPass) {
  for (const ModuleSight sight : {ModuleSight::dead, ModuleSight::invalid}) {
    restart(2000, 0);
    envelope();
    finish(order(50010, 1000), 1000);
    told(sight);
    EXPECT_FALSE(buys());
    EXPECT_EQ(last_refusal(), Refusal::module_late);
    EXPECT_TRUE(sells(500));
    EXPECT_EQ(seat().sight, sight);
    EXPECT_EQ(count_of(TripCode::module_lost), 1U);
    EXPECT_EQ(mode(Scope{}), Mode::active);
  }
}

TEST_F(ModulesTest, AHedgeThatLowersTheDeltaPassesWithoutTheModuleAndOneThatRaisesItDoesNot) {
  armed_with_module(0, -10);  // short calls: the hedge buys
  told(ModuleSight::dead);
  EXPECT_FALSE(sells(10000));
  EXPECT_EQ(last_refusal(), Refusal::module_late);
  EXPECT_TRUE(buys(10000));
}

TEST_F(ModulesTest, TheLargestBuyAndSellHoldOverAllOrdersUntilTheNextEnvelope) {
  armed_with_module();
  envelope({row(perp, 3000, 1000)});
  EXPECT_TRUE(buys(2000));
  EXPECT_FALSE(buys(1010)) << "2,000 of 3,000 are open";
  EXPECT_EQ(last_refusal(), Refusal::module_limit);
  EXPECT_TRUE(buys(1000)) << "to the boundary";
  EXPECT_FALSE(buys(10));
  restart(0, 0);
  envelope({row(perp, 0, 1000)});
  EXPECT_FALSE(sells(1010));
  EXPECT_TRUE(sells(1000));
}

TEST_F(ModulesTest, AFillDoesNotGiveTheAmountBack) {
  armed_with_module();
  envelope({row(perp, 1000, -1)});
  const PlaceOrder o = order(50010, 1000);
  finish(o, 1000);
  EXPECT_FALSE(buys(10)) << "bought already";
  envelope({row(perp, 1000, -1)});
  EXPECT_TRUE(buys(1000)) << "from the position of now";
}

TEST_F(ModulesTest, AFillThatTheModuleHadNotSeenGrantsNothingMore) {
  armed_with_module();
  envelope({row(perp, 1000, 1000)});
  const EnvelopeHead before = head();
  finish(order(50010, 600), 600);
  envelope_as_of(before, {row(perp, 1000, 1000)});
  EXPECT_FALSE(sells(1010)) << "from 600, the position of now, to -400";
  EXPECT_EQ(last_refusal(), Refusal::module_limit);
  EXPECT_FALSE(buys(410)) << "600 of 1,000 are bought";
  EXPECT_EQ(last_refusal(), Refusal::module_limit);
  EXPECT_TRUE(buys(400));
  envelope({row(perp, 1000, 1000)});
  EXPECT_TRUE(buys(600)) << "it has seen the fill; 400 are open";
  EXPECT_FALSE(buys(10));
}

TEST_F(ModulesTest, AnUnseenFillThatWasSoldOffGivesNothingToBuyBack) {
  armed_with_module(2000);
  const EnvelopeHead before = head();
  finish(order(49990, 600, Side::sell), 600);
  envelope_as_of(before, {row(perp, 100, -1)});
  EXPECT_FALSE(buys(110)) << "100 from 1,400";
  EXPECT_TRUE(buys(100));
}

TEST_F(ModulesTest, AFirstEnvelopeFromBeforeAFillCountsFromThePositionThatItSaw) {
  setup.modules[0].required = false;
  armed();
  const EnvelopeHead before = head();
  finish(order(50010, 600), 600);
  envelope_as_of(before, {row(perp, 1000, -1)});
  EXPECT_FALSE(buys(410));
  EXPECT_TRUE(buys(400));
}

TEST_F(ModulesTest, InstrumentsUnderTheOthersCountFromThePositionThatTheModuleSaw) {
  armed_with_module();
  EnvelopeHead before = head();
  before.others = row(InstrumentId{}, 1000, -1);
  finish(order(50010, 600), 600);
  envelope_as_of(before, {});
  EXPECT_FALSE(buys(410));
  EXPECT_TRUE(buys(400));
}

TEST_F(ModulesTest, APictureThatMovesThePositionIsUnseenToo) {
  armed_with_module();
  const EnvelopeHead before = head();
  reconcile(ReconcilePhase::begin);
  position(perp, 600);
  position(option, 0);
  reconcile(ReconcilePhase::complete);
  ASSERT_EQ(core().portfolio().position(perp), test::amount(600));
  envelope_as_of(before, {row(perp, 1000, -1)});
  EXPECT_FALSE(buys(410));
  EXPECT_TRUE(buys(400));
}

TEST_F(ModulesTest, AQuietMarketKeepsWhatTheModuleSaid) {
  armed_with_module();
  const EnvelopeHead before = head();
  for (int i = 0; i < 5; ++i) {
    advance(milliseconds(400));
    envelope_as_of(before, {row(perp, 1000, -1)});
    EXPECT_EQ(seat().sight, ModuleSight::live);
  }
  fresh();
  EXPECT_TRUE(buys(1000));
}

TEST_F(ModulesTest, AnExitPassesWhateverAModuleSays) {
  armed_with_module(2000);
  envelope({row(perp, 0, 0, module_veto::known)});
  EXPECT_FALSE(buys(10));
  EXPECT_TRUE(sells(2000));
  EXPECT_FALSE(sells(10)) << "that would cross zero";
}

TEST_F(ModulesTest, VetoesOfASideAndOfGrowth) {
  armed_with_module();
  envelope({row(perp, -1, -1, module_veto::buy)});
  EXPECT_FALSE(buys());
  EXPECT_EQ(last_refusal(), Refusal::module_veto);
  EXPECT_TRUE(sells());
  envelope({row(perp, -1, -1, module_veto::sell)});
  EXPECT_FALSE(sells());
  envelope({row(perp, -1, -1, module_veto::growth)});
  EXPECT_EQ(seat().capped, 1U);
  EXPECT_FALSE(sells(50000));
  EXPECT_EQ(last_refusal(), Refusal::module_veto);
}

TEST_F(ModulesTest, NothingAModuleSaysLoosensALimit) {
  setup.limits.max_order_lots = 100;
  armed_with_module();
  envelope({row(perp, 9e9, 9e9)});
  EXPECT_FALSE(buys(1010));
  EXPECT_EQ(last_refusal(), Refusal::order_lots);
  operate(OperatorAction::kill, Mode::halt);
  envelope({row(perp, 9e9, 9e9)});
  EXPECT_EQ(mode(Scope{}), Mode::halt);
  EXPECT_FALSE(buys(10));
}

TEST_F(ModulesTest, OfTwoModulesTheTighterCountsAndBothMustSpeak) {
  setup.modules[1] = {true, true, ttl};
  armed();
  envelope({row(perp, 500, -1)}, 0);
  EXPECT_FALSE(buys(10)) << "the other one is silent";
  envelope({row(perp, 1000, -1)}, 1);
  EXPECT_FALSE(buys(510));
  EXPECT_TRUE(buys(500));
  told(ModuleSight::dead, 1);
  EXPECT_FALSE(buys(10));
  EXPECT_EQ(last_refusal(), Refusal::module_late);
}

TEST_F(ModulesTest, InstrumentsWithoutARowAreUnderTheOthers) {
  armed_with_module();
  EnvelopeHead h = head();
  h.made = now + microseconds(1);
  advance(microseconds(1));
  h.others = row(InstrumentId{}, 200, 200);
  block(bytes_of(h, {row(option, -1, -1)}));
  EXPECT_FALSE(buys(210));
  EXPECT_TRUE(buys(200));
  EXPECT_EQ(seat().capped, 1U) << "two instruments, one with an opinion";
}

TEST_F(ModulesTest, ARowThatIsGoneFromTheNextEnvelopeLimitsNothingAnyMore) {
  armed_with_module();
  envelope({row(perp, 0, 0)});
  EXPECT_FALSE(buys(10));
  envelope({row(option, 0, 0)});
  EXPECT_TRUE(buys(10));
  EXPECT_EQ(seat().capped, 1U);
  EnvelopeHead h = head();
  h.made = now + microseconds(1);
  advance(microseconds(1));
  h.others = row(InstrumentId{}, 0, 0);
  block(bytes_of(h, {}));
  EXPECT_FALSE(buys(10));
  EXPECT_EQ(seat().capped, 2U);
  envelope();
  EXPECT_TRUE(buys(10)) << "neither do the others";
}

TEST_F(ModulesTest, WhatRestsAndWouldBeRefusedNowIsCancelledAtTheNextLook) {
  armed_with_module(5000);
  const PlaceOrder grows = resting(49000, 1000, Side::buy);
  const PlaceOrder exits = resting(51000, 1000, Side::sell);
  envelope({row(perp, -1, -1, module_veto::growth)});
  for (int i = 0; i < 3; ++i) {
    run(milliseconds(100));
    envelope({row(perp, -1, -1, module_veto::growth)});
  }
  EXPECT_EQ(count(CommandKind::cancel), 1U);
  EXPECT_NE(state(grows), OrderState::live);
  EXPECT_EQ(state(exits), OrderState::live);
}

TEST_F(ModulesTest, ATighterEnvelopeAdvancesTheGatesEpoch) {
  armed_with_module();
  const std::uint64_t before = core().gate().epoch();
  envelope();
  EXPECT_EQ(core().gate().epoch(), before) << "the same again";
  envelope({row(perp, 100, 100)});
  EXPECT_GT(core().gate().epoch(), before);
}

TEST_F(ModulesTest, RefusalsOfAModuleAreNotTheStrategysFault) {
  armed_with_module();
  told(ModuleSight::dead);
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(buys());
  EXPECT_EQ(mode(strategy_scope()), Mode::active);
}

TEST_F(ModulesTest, AnEnvelopeFromBeforeTheNewestDeniesGrowth) {
  armed_with_module();
  EnvelopeHead old = head();
  old.made = now - milliseconds(1);
  block(bytes_of(old, {}));
  EXPECT_FALSE(buys());
  EXPECT_EQ(seat().sight, ModuleSight::invalid);
  EXPECT_EQ(seat().refused, 1U);
}

TEST_F(ModulesTest, ABlockThatNamesNoModuleChangesNothing) {
  armed_with_module();
  EnvelopeHead h = head();
  h.module = 1;
  block(bytes_of(h, {}));
  block({});
  block(std::vector<std::byte>(sizeof(EnvelopeHead) - 1));
  EXPECT_EQ(engine->snapshot().counters.envelopes_refused, 3U);
  EXPECT_TRUE(buys());
}

TEST_F(ModulesTest, RandomBytesNeverLetMoreThroughThanNoEnvelope) {
  armed_with_module();
  std::mt19937_64 random{20261127};
  for (int i = 0; i < 500; ++i) {
    advance(microseconds(10));
    std::vector<std::byte> bytes = bytes_of(head(), {row(perp, 100, 100), row(option, 1, 1)});
    for (int n = 0; n < 3; ++n) {
      bytes[random() % bytes.size()] = static_cast<std::byte>(random());
    }
    if (i % 7 == 0) bytes.resize(random() % (bytes.size() + 1));
    if (i % 11 == 0) bytes.resize(bytes.size() + random() % 100);
    block(bytes);
    const ModuleSeat found = seat();
    EXPECT_LE(found.until, now + ttl) << "longer than the config";
    EXPECT_LE(found.made, now);
  }
  EXPECT_GT(seat().refused, 100U);
}

TEST_F(ModulesTest, TheSameEventsAndBlocksGiveTheSameDigest) {
  const auto run_once = [this] {
    seq = 0;
    trade = 0;
    seen.clear();
    digest = {};
    now = RecvTime{seconds(1000).count};
    armed_with_module();
    for (int i = 0; i < 200; ++i) {
      advance(milliseconds(7));
      if (i % 3 == 0) envelope({row(perp, 100.0 * (i % 20), 1000)});
      if (i % 50 == 49) told(ModuleSight::dead);
      OrderRequest r;
      r.instrument = perp;
      r.strategy = StrategyId{0};
      r.side = i % 2 == 0 ? Side::buy : Side::sell;
      r.limit = test::usd(i % 2 == 0 ? 50010 : 49990);
      r.amount = test::amount(10);
      r.intent = static_cast<std::uint64_t>(i) + 1;
      EXPECT_TRUE(puppet.next->place(r));
      market(50000);
    }
    return digest.value();
  };
  const std::uint64_t one = run_once();
  const std::size_t orders = placed().size();
  EXPECT_GT(orders, 3U);
  EXPECT_EQ(run_once(), one);
}

}  // namespace
}  // namespace gimbal
