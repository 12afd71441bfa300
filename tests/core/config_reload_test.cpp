// A reload as the core takes it: whole or not at all, at a message boundary; and the tags of
// orders.
#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "engine/core/config_block.hpp"
#include "engine/core/config_tags.hpp"
#include "tests/support/engine_fixture.hpp"
#include "tests/support/one_block.hpp"

namespace gimbal {
namespace {

struct ReloadTest : EngineTest {
  test::OneBlock store;
  void SetUp() override { setup.blocks = {&store, &test::OneBlock::find}; }
  void change(const ConfigBlock& block) {
    store.bytes.resize(sizeof block);
    std::memcpy(store.bytes.data(), &block, sizeof block);
    SideBlockRef ref;
    ref.kind = SideBlockKind::config;
    ref.bytes = sizeof block;
    send(EventKind::config_change, ref);
  }
  ConfigBlock next(std::uint32_t first = ConfigTags::block_orders) {
    ConfigBlock b;
    b.limits = setup.limits;
    b.config_hash = 0xABCDEF0123456789ULL;
    b.first_order = first;
    return b;
  }
};

TEST_F(ReloadTest, ATighterConfigIsTakenWhileTradingWithItsHashAndItsBlockOfOrders) {
  go();
  to_armed();
  const PlaceOrder before = order();
  ConfigBlock b = next();
  b.limits.max_order_usd = money(500);
  change(b);
  EXPECT_EQ(engine->snapshot().config_hash, b.config_hash);
  EXPECT_EQ(engine->snapshot().counters.configs_adopted, 1U);
  EXPECT_EQ(engine->snapshot().global, Mode::active);
  order();
  EXPECT_EQ(last_refusal(), Refusal::order_usd);
  const PlaceOrder after = order(50010, 400);
  EXPECT_LT(before.order.counter(), b.first_order);
  EXPECT_EQ(after.order.counter(), b.first_order);
  operate(OperatorAction::kill);
  operate(OperatorAction::arm);
  EXPECT_EQ(answer(), OperatorResult::refused_config_hash) << "the old hash arms nothing";
}

TEST_F(ReloadTest, OneLooserFieldRefusesTheWholeWhileTradingAndNotInHalt) {
  go();
  to_armed();
  ConfigBlock b = next();
  b.limits.max_order_usd = money(500);
  b.limits.max_open_usd.nano = setup.limits.max_open_usd.nano + 1;
  change(b);
  EXPECT_EQ(engine->snapshot().counters.configs_refused, 1U);
  EXPECT_EQ(engine->snapshot().config_hash, test::the_config_hash);
  EXPECT_EQ(core().gate().limits().max_order_usd, setup.limits.max_order_usd);
  operate(OperatorAction::kill, Mode::halt);
  change(b);
  EXPECT_EQ(engine->snapshot().config_hash, b.config_hash);
  EXPECT_EQ(core().gate().limits().max_open_usd, b.limits.max_open_usd);
}

TEST_F(ReloadTest, ABlockOfOrdersThatHasBegunOrAForeignSizeIsRefused) {
  go();
  to_armed();
  order();
  change(next(1));
  EXPECT_EQ(engine->snapshot().counters.configs_refused, 1U);
  store.bytes.resize(sizeof(ConfigBlock) + 1);
  SideBlockRef ref;
  ref.kind = SideBlockKind::config;
  send(EventKind::config_change, ref);
  EXPECT_EQ(engine->snapshot().counters.configs_refused, 2U);
  EXPECT_EQ(engine->snapshot().config_hash, test::the_config_hash);
}

TEST(ConfigTags, AnOrderKeepsTheTagOfTheConfigItWasSentUnder) {
  ConfigTags tags;
  tags.start(0x11);
  const auto order = [](std::uint32_t counter) { return make_order_id(3, StrategyId{0}, counter); };
  EXPECT_EQ(tags.of(order(70000)), 0x11U);
  ASSERT_TRUE(tags.add(65536, 0x22));
  ASSERT_TRUE(tags.add(131072, 0x33));
  EXPECT_FALSE(tags.add(131072, 0x44)) << "ascending only";
  EXPECT_EQ(tags.of(order(65535)), 0x11U);
  EXPECT_EQ(tags.of(order(65536)), 0x22U);
  EXPECT_EQ(tags.of(order(131071)), 0x22U);
  EXPECT_EQ(tags.of(order(131072)), 0x33U);
  tags.drop_last();
  EXPECT_EQ(tags.of(order(131072)), 0x22U);
  for (std::uint32_t n = 1; n < ConfigTags::kept_max; ++n) {
    ASSERT_TRUE(tags.add(131072 + n * 65536, n)) << n;
  }
  EXPECT_FALSE(tags.add(UINT32_MAX, 0x55)) << "full";
  tags.start(0x66);
  EXPECT_EQ(tags.of(order(UINT32_MAX)), 0x66U);
}

}  // namespace
}  // namespace gimbal
