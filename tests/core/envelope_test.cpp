// The check of risk modules' limits, the book of envelopes and the faults of one, each alone.
#include <gtest/gtest.h>

#include <vector>

#include "engine/core/risk/envelope_book.hpp"
#include "engine/core/risk/module_envelope.hpp"
#include "tests/support/envelopes.hpp"
#include "tests/support/gate_fixture.hpp"

namespace gimbal {
namespace {

using test::bytes_of;
using test::row;

// --- the check alone ----------------------------------------------------------------------------

struct EnvelopeGate : test::Gate {};

TEST_F(EnvelopeGate, CountsOpenAndUnknownOrdersToTheBoundaryOfBothSides) {
  c.position = test::amount(500);
  c.exposure.live_buy = test::amount(300);
  c.exposure.unknown_buy = test::amount(200);
  c.envelope.ceiling = test::amount(2000).nano;
  EXPECT_EQ(reason(), Refusal::none);
  c.envelope.ceiling -= 1;
  EXPECT_EQ(ask(), (Refused{Refusal::module_limit, c.envelope.ceiling, test::amount(2000).nano}));
  o.side = Side::sell;
  c.envelope = {};
  c.exposure = {};
  c.envelope.floor = test::amount(-500).nano;
  EXPECT_EQ(reason(), Refusal::none);
  c.envelope.floor += 1;
  EXPECT_EQ(reason(), Refusal::module_limit);
}

struct ModuleCheck : EnvelopeGate {
  [[nodiscard]] Refused judge(Side side, double size) const {
    OrderFacts facts{};
    facts.instrument = perp.id;
    facts.side = side;
    facts.price = test::usd(50000);
    facts.amount = facts.added = test::amount(size);
    return judge(facts);
  }
  [[nodiscard]] Refused judge(const OrderFacts& facts) const {
    return ModuleEnvelope::check(facts, c, limits);
  }
  // Long 1,000 USD of the instrument; the account's delta is `coins`, an order moves it by `moves`.
  void over_the_delta_limit(double coins, double moves) {
    limits.max_delta_usd = test::money(100);
    c.position = test::amount(1000);
    c.delta.low = c.delta.high = test::amount(coins).nano;
    c.order_delta = test::amount(moves).nano;
  }
};

TEST_F(ModuleCheck, DoesNotOverflow) {
  c.position = Qty{INT64_MAX};
  c.exposure.live_buy = Qty{INT64_MAX};
  c.envelope.ceiling = INT64_MAX - 1;
  EXPECT_EQ(judge(Side::buy, 1000), (Refused{Refusal::module_limit, INT64_MAX - 1, INT64_MAX}));
  c.position = Qty{-INT64_MAX};
  c.exposure = {};
  c.exposure.live_sell = Qty{INT64_MAX};
  c.envelope = {};
  c.envelope.floor = -INT64_MAX;
  EXPECT_EQ(judge(Side::sell, 1000), (Refused{Refusal::module_limit, -INT64_MAX, INT64_MIN}));
}

TEST_F(ModuleCheck, OverTheDeltaLimitAReductionPassesADeadModuleAndItsVetoesAndAmounts) {
  over_the_delta_limit(0.02, -0.01);
  const auto passes = [this] { return judge(Side::sell, 500).reason == Refusal::none; };
  c.modules_late = true;
  EXPECT_TRUE(passes());
  c.modules_late = false;
  c.envelope.veto = module_veto::growth;
  EXPECT_TRUE(passes());
  c.envelope.veto = module_veto::sell;
  EXPECT_TRUE(passes());
  c.envelope.veto = 0;
  c.envelope.floor = c.position.nano;  // sell_max 0
  EXPECT_TRUE(passes());
}

TEST_F(ModuleCheck, OverTheDeltaLimitNothingThatGrowsPassesADeadModule) {
  c.modules_late = true;
  over_the_delta_limit(0.02, 0.01);
  EXPECT_EQ(judge(Side::buy, 500).reason, Refusal::module_late);
  over_the_delta_limit(0.02, -0.022);
  EXPECT_EQ(judge(Side::sell, 1100).reason, Refusal::module_late) << "it crosses zero";
  over_the_delta_limit(-0.02, -0.01);
  EXPECT_EQ(judge(Side::sell, 500).reason, Refusal::module_late) << "the worst delta rises";
  over_the_delta_limit(0.02, -0.01);
  c.delta_known = false;
  EXPECT_EQ(judge(Side::sell, 500).reason, Refusal::module_late);
}

// --- the book of envelopes alone ----------------------------------------------------------------

struct EnvelopeBookTest : testing::Test {
  InstrumentTable table{8};
  InstrumentId perp = table.add(test::perpetual_definition());
  Portfolio portfolio{table};
  EnvelopeBook book{ModuleSetups{{{true, true, milliseconds(500)}}}, 8};
  RecvTime now{1000};

  EnvelopeCap as_of(std::uint64_t seq, double buy, double sell) {
    now = now + Nanos{1};
    EnvelopeHead h;
    h.as_of = seq;
    h.made = now;
    h.ttl = milliseconds(500);
    const auto taken = book.take(bytes_of(h, {row(perp, buy, sell)}), now, portfolio, table.size());
    EXPECT_NE(taken, EnvelopeBook::Taken::no);
    return book.cap(perp);
  }
};

TEST_F(EnvelopeBookTest, TheOldestMoveThatTheModuleHadNotSeenCounts) {
  book.moved(perp, 10, test::amount(5));
  book.moved(perp, 20, test::amount(-3));
  book.moved(perp, 30, test::amount(7));
  EXPECT_EQ(as_of(30, 100, 100).ceiling, test::amount(100).nano);
  const EnvelopeCap newest = as_of(29, 100, 100);  // from 7, now 0
  EXPECT_EQ(newest.ceiling, test::amount(100).nano);
  EXPECT_EQ(newest.floor, test::amount(-93).nano);
  const EnvelopeCap middle = as_of(19, 100, 100);  // from -3
  EXPECT_EQ(middle.ceiling, test::amount(97).nano);
  EXPECT_EQ(middle.floor, test::amount(-100).nano);
  EXPECT_EQ(as_of(9, 100, 100).floor, test::amount(-95).nano);  // from 5
}

TEST_F(EnvelopeBookTest, MoreUnseenMovesThanAreKeptLeaveNoRoomWhereThereIsALimit) {
  for (std::uint64_t n = 1; n <= 300; ++n) book.moved(perp, n, Qty{});
  const EnvelopeCap old = as_of(10, 100, -1);
  EXPECT_EQ(old.ceiling, 0);
  EXPECT_EQ(old.floor, INT64_MIN) << "no opinion";
  EXPECT_EQ(as_of(200, 100, -1).ceiling, test::amount(100).nano) << "these are kept";
  EXPECT_EQ(as_of(300, 100, -1).ceiling, test::amount(100).nano);
}

TEST(Envelope, EachFaultHasItsName) {
  EnvelopeHead h;
  h.made = RecvTime{100};
  h.ttl = Nanos{1};
  std::vector<EnvelopeRow> rows;
  const auto fault = [&](RecvTime at = RecvTime{100}, RecvTime before = RecvTime{99}) {
    h.rows = static_cast<std::uint16_t>(rows.size());
    return fault_of(h, rows, at, before, 4);
  };
  EXPECT_EQ(fault(), EnvelopeFault::none);
  EXPECT_EQ(fault(RecvTime{99}), EnvelopeFault::made);
  EXPECT_EQ(fault(RecvTime{100}, RecvTime{100}), EnvelopeFault::made);
  h.ttl = {};
  EXPECT_EQ(fault(), EnvelopeFault::ttl);
  h.ttl = Nanos{1};
  rows = {row(InstrumentId{1}, 1, 1), row(InstrumentId{3}, 1, 1)};
  EXPECT_EQ(fault(), EnvelopeFault::none);
  rows[1].instrument = InstrumentId{1};
  EXPECT_EQ(fault(), EnvelopeFault::order);
  rows[1].instrument = InstrumentId{4};
  EXPECT_EQ(fault(), EnvelopeFault::instrument);
  rows[1] = row(InstrumentId{3}, 1, 1, 8);
  EXPECT_EQ(fault(), EnvelopeFault::veto);
  rows[1] = row(InstrumentId{3}, 1, 1);
  rows[1].sell_max = Qty{-1};
  EXPECT_EQ(fault(), EnvelopeFault::amount);
  rows[1] = row(InstrumentId{3}, 1, 1);
  rows[1].reserved[4] = 1;
  EXPECT_EQ(fault(), EnvelopeFault::reserved);
  rows.assign(envelope_rows_max + 1, row(InstrumentId{1}, 1, 1));
  EXPECT_EQ(fault(), EnvelopeFault::rows);
  rows.clear();
  h.form = 2;
  EXPECT_EQ(fault(), EnvelopeFault::form);
}

}  // namespace
}  // namespace gimbal
