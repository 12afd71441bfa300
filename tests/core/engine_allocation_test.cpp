#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <span>

#include "tests/support/count_allocations.hpp"
#include "tests/support/engine_world.hpp"

namespace gimbal {
namespace {

// Asks for an order at every tenth wake, so that the whole path runs: gate, table, command, fill.
struct Eager {
  InstrumentId perp{};
  std::uint64_t wakes{0};
  void wake(const StrategyView& view, Requests& requests) noexcept {
    if (++wakes % 10 != 0) return;
    OrderRequest r;
    r.instrument = perp;
    r.strategy = StrategyId{0};
    r.side = view.position(perp).nano > 0 ? Side::sell : Side::buy;
    const auto quote = view.quote(perp);
    if (!quote) return;
    r.limit = r.side == Side::buy ? quote->ask : quote->bid;
    r.amount = test::amount(10);
    r.intent = wakes;
    static_cast<void>(requests.place(r));
  }
};

TEST(EngineAllocation, AMillionStepsAllocateNothing) {
  test::World<Eager> w;
  w.start(Eager{w.perp});
  w.to_armed(50000, 0, -10);
  w.seen.reserve(16);
  PlaceOrder last{};
  std::uint64_t orders = 0;
  const std::size_t before = test::allocation_count();
  for (int i = 0; i < 150'000; ++i) {
    w.advance(milliseconds(5));
    w.seen.clear();
    w.market(50000 + (i % 200) * 0.5);
    if (i % 20 == 0) w.option_ticker(0.6 + (i % 7) * 0.001, 50000, 50000);
    for (const Command& c : w.seen) {
      if (c.kind() == CommandKind::place) {
        last = *c.place();
        ++orders;
      }
    }
    if (!last.order.valid()) continue;
    w.ack(last);
    w.fill(last, 10);
    w.done(last, 10, DoneReason::filled);
    last = {};
  }
  EXPECT_EQ(test::allocation_count() - before, 0U);
  EXPECT_GE(w.seq, 1'000'000U);
  EXPECT_GT(orders, 10'000U);
  EXPECT_TRUE(w.core().orders().consistent());
}

TEST(EngineAllocation, AnEnvelopeOfARiskModuleAllocatesNothing) {
  struct Store {
    std::array<EnvelopeRow, 1> row{};
    std::array<std::byte, sizeof(EnvelopeHead) + sizeof(EnvelopeRow)> bytes{};
    static std::span<const std::byte> find(const void* self, std::uint16_t,
                                           std::uint32_t) noexcept {
      const auto& b = static_cast<const Store*>(self)->bytes;
      return {b.data(), b.size()};
    }
  } store;
  test::World<Eager> w;
  w.setup.blocks = {&store, &Store::find};
  w.setup.modules[0] = {true, true, milliseconds(500)};
  w.start(Eager{w.perp});
  w.to_armed(50000, 0, -10);
  w.seen.reserve(64);
  SideBlockRef ref;
  ref.kind = SideBlockKind::risk_envelope;
  EnvelopeHead head;
  head.rows = 1;
  head.ttl = milliseconds(500);
  store.row[0].instrument = w.perp;
  const std::size_t before = test::allocation_count();
  for (int i = 0; i < 1000; ++i) {
    w.advance(milliseconds(5));
    w.seen.clear();
    head.made = w.now;
    store.row[0].buy_max = test::amount(i);
    std::memcpy(store.bytes.data(), &head, sizeof head);
    std::memcpy(store.bytes.data() + sizeof head, store.row.data(), sizeof(EnvelopeRow));
    w.send(EventKind::side_block, ref);
    w.market(50000);
  }
  EXPECT_EQ(test::allocation_count() - before, 0U);
  EXPECT_EQ(w.engine->snapshot().modules[0].taken, 1000U);
}

TEST(EngineAllocation, TheSameEventsGiveTheSameDigest) {
  const auto run = [] {
    test::World<Eager> w;
    w.start(Eager{w.perp});
    w.to_armed(50000, 0, -10);
    for (int i = 0; i < 2000; ++i) {
      w.advance(milliseconds(7));
      w.market(50000 + (i * 37 % 400) * 0.5);
      if (i % 3 == 0 && !w.placed().empty()) w.ack(w.placed().back());
      if (w.seen.size() > 200) w.seen.clear();
    }
    w.operate(OperatorAction::kill);
    return std::pair{w.digest.value(), w.digest.count()};
  };
  EXPECT_EQ(run(), run());
}

}  // namespace
}  // namespace gimbal
