// The execution gap: prices at decision, departure, fill and afterwards, in integers.
#include <gtest/gtest.h>

#include <random>

#include "engine/core/execution_gap.hpp"
#include "tests/support/engine_fixture.hpp"

namespace gimbal {
namespace {

struct ExecutionGapTest : EngineTest {
  // A market around 50,000 that may be traded in.
  void trading() {
    go();
    to_armed();
    mark(perp, 50010, 50000);
  }
  PlaceOrder decided(Side side, double decision, double limit) {
    OrderRequest r;
    r.instrument = perp;
    r.strategy = StrategyId{0};
    r.side = side;
    r.limit = usd(limit);
    r.amount = amount(50000);
    r.intent = ++intent_;
    r.decision_price = usd(decision);
    EXPECT_TRUE(puppet.next->place(r));
    mark(perp, 50010, 50000);
    return placed().back();
  }
  void sent(const PlaceOrder& o) {
    OrderSent s;
    s.order = o.order;
    send(EventKind::order_sent, s, perp);
  }
  void filled(const PlaceOrder& o, double price, double size, double fee = 0) {
    Fill f;
    f.order = o.order;
    f.trade = {77, ++trade};
    f.price = usd(price);
    f.amount = amount(size);
    f.side = o.side;
    f.fee = money(fee);
    f.index = usd(50000);
    send(EventKind::fill, f, perp);
  }
  void later(Nanos n) {
    now = now + n;
    clock();
  }
  const GapTotals& totals() const { return core().gaps().of(StrategyId{0}); }
  std::uint64_t intent_{500};
};

TEST_F(ExecutionGapTest, EveryOrderKeepsWhatItsDecisionSaw) {
  trading();
  const PlaceOrder o = decided(Side::buy, 50000, 50020);
  const Order* kept = core().orders().find(o.order);
  ASSERT_NE(kept, nullptr);
  EXPECT_EQ(kept->decision_price, usd(50000));
  EXPECT_EQ(kept->decision.theoretical, usd(50010)) << "the venue's mark of a delta-one";
  EXPECT_EQ(kept->decision.book.bid, usd(49999.5));
  EXPECT_EQ(kept->decision.book.ask_amount, amount(100000));
  EXPECT_EQ(kept->decision.arrival, Price{});
  market(50004);
  sent(o);
  market(50008);
  sent(o);
  EXPECT_EQ(kept->decision.arrival, usd(50004)) << "the first departure counts";
}

TEST_F(ExecutionGapTest, AFillIsMeasuredAgainstDecisionDepartureAndTheMarksAfterIt) {
  trading();
  const PlaceOrder o = decided(Side::buy, 50000, 50020);
  market(50005);
  sent(o);
  filled(o, 50010, 50000, 0.00025);
  // 50,000 USD of an inverse perpetual: coins are 1/50000 - 1/p each USD, here at index 50,000.
  EXPECT_EQ(totals().fills, 1U);
  EXPECT_EQ(totals().traded_usd, money(50000));
  EXPECT_NEAR(to_double(totals().shortfall_usd), 50000 * (1 - 50000.0 / 50010), 1e-4);
  EXPECT_NEAR(to_double(totals().delay_usd), 50000 * (1 - 50000.0 / 50005), 1e-4);
  EXPECT_NEAR(to_double(totals().theory_usd), 0, 1e-4);
  EXPECT_NEAR(to_double(totals().fees_usd), 12.5, 1e-6);
  EXPECT_EQ(core().gaps().of(test::the_venue).shortfall_usd, totals().shortfall_usd);

  market(50030);
  later(milliseconds(999));
  EXPECT_EQ(totals().marked[0], 0U);
  later(milliseconds(2));
  EXPECT_EQ(totals().marked[0], 1U);
  EXPECT_EQ(core().gaps().fill(0).mark[0], usd(50030));
  EXPECT_NEAR(to_double(totals().after_usd[0]), 50000.0 * 50000 * (1 / 50010.0 - 1 / 50030.0),
              1e-3);
  market(49950);
  later(seconds(60));
  EXPECT_EQ(totals().marked[1], 1U);
  EXPECT_NEAR(to_double(totals().after_usd[1]), 50000.0 * 50000 * (1 / 50010.0 - 1 / 49950.0),
              1e-3);
  EXPECT_EQ(totals().marked[0], 1U) << "the 1 s mark is taken once";
}

TEST_F(ExecutionGapTest, ASaleBelowItsDecisionIsACostAndARepeatedFillCountsOnce) {
  trading();
  const PlaceOrder o = decided(Side::sell, 50000, 49980);
  sent(o);
  filled(o, 49990, 50000);
  --trade;
  filled(o, 49990, 50000);
  EXPECT_EQ(totals().fills, 1U);
  EXPECT_GT(totals().shortfall_usd.nano, money(9.9).nano);
  EXPECT_EQ(totals().delay_usd, Money{});
}

TEST_F(ExecutionGapTest, AFillWithoutADecisionPriceIsCountedAndLeftOut) {
  trading();
  const PlaceOrder o = decided(Side::buy, 0, 50020);
  filled(o, 50010, 1000);
  EXPECT_EQ(totals().fills, 1U);
  EXPECT_EQ(totals().unpriced, 1U);
  EXPECT_EQ(totals().shortfall_usd, Money{});
}

// A ledger that may take all the memory it likes, over random fills and times.
TEST(ExecutionGaps, AgreesWithASlowLedgerAndNeverLosesAFill) {
  Instrument i = test::perpetual_definition();
  i.kind = InstrumentKind::linear_perpetual;
  i.id = InstrumentId{3};
  ExecutionGaps gaps{64};
  std::mt19937_64 rng{5};
  struct Slow {
    RecvTime at;
    std::int64_t price;
    std::int64_t signed_amount;
    bool marked;
  };
  std::vector<Slow> slow;
  i128 shortfall = 0, after = 0;
  RecvTime now{1};
  std::uint64_t waiting_max = 0;
  for (int n = 0; n < 20000; ++n) {
    now = now + milliseconds(static_cast<std::int64_t>(rng() % 400));
    const std::int64_t mid = 100 + static_cast<std::int64_t>(rng() % 50);
    while (const FillGap* due = gaps.due(0, now)) {
      Slow& s = slow[gaps.marked(0)];
      ASSERT_EQ(due->at, s.at);
      ASSERT_LE(s.at + seconds(1), now);
      gaps.mark(0, i, Price{mid * nano_per_unit});
      after += static_cast<i128>(mid - s.price) * s.signed_amount;
    }
    while (gaps.due(1, now) != nullptr) gaps.mark(1, i, Price{mid * nano_per_unit});
    Order o;
    o.id = make_order_id(1, StrategyId{2}, static_cast<std::uint32_t>(n + 1));
    o.decision_price = Price{mid * nano_per_unit};
    Fill f;
    const bool buys = rng() % 2 == 0;
    f.side = buys ? Side::buy : Side::sell;
    const std::int64_t paid = mid + static_cast<std::int64_t>(rng() % 5) - 2;
    const auto lots = static_cast<std::int64_t>(rng() % 9 + 1);
    f.price = Price{paid * nano_per_unit};
    f.amount = Qty{lots * nano_per_unit};
    gaps.on_fill(i, o, f, Price{}, now);
    slow.push_back({now, paid, buys ? lots : -lots, false});
    shortfall += static_cast<i128>(paid - mid) * (buys ? lots : -lots);
    waiting_max = std::max(waiting_max, gaps.fills() - gaps.marked(1));
  }
  EXPECT_EQ(gaps.fills(), 20000U);
  EXPECT_LE(waiting_max, 64U) << "memory is bounded";
  EXPECT_GT(gaps.dropped(), 0U) << "the test must reach the bound";
  const GapTotals& t = gaps.of(StrategyId{2});
  EXPECT_EQ(t.shortfall_usd.nano, static_cast<std::int64_t>(shortfall) * nano_per_unit);
  EXPECT_EQ(t.after_usd[0].nano, static_cast<std::int64_t>(after) * nano_per_unit);
}

}  // namespace
}  // namespace gimbal
