// [budget] of the hops: judged by the p99 of a window, told with its numbers.
#include "ops/app/hop_budget.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "ops/app/answer_times.hpp"
#include "ops/app/tie_out_text.hpp"

namespace gimbal {
namespace {

struct HopBudgetTest : testing::Test {
  HopBudgetTest() {
    limits.window = seconds(1);
    limits.encode = microseconds(10);
    limits.tick_to_order = microseconds(50);
  }
  // An order whose encoding took `encode_ns` of its `whole_ns`.
  void order(std::uint64_t encode_ns, std::uint64_t whole_ns) {
    HopRow r;
    r.tsc[static_cast<std::size_t>(ProbeHop::receive)] = 1000;
    r.tsc[static_cast<std::size_t>(ProbeHop::commands)] = 2000;
    r.tsc[static_cast<std::size_t>(ProbeHop::encode)] = 2000 + encode_ns;
    r.tsc[static_cast<std::size_t>(ProbeHop::send)] = 1000 + whole_ns;
    times.add(r);
  }
  bool judged(Nanos after) {
    now = now + after;
    return budgets->judge(now, trip, text);
  }
  HopVerdict of(ProbeHop hop) const { return budgets->verdict(static_cast<std::size_t>(hop)); }
  void begin() {
    budgets.emplace(limits, times);
    EXPECT_FALSE(judged({}));
  }

  BudgetLimits limits;
  HopTimes times{1.0};
  std::optional<HopBudgets> budgets;
  RecvTime now{seconds(100).count};
  Trip trip;
  std::string text;
};

TEST_F(HopBudgetTest, OneSlowOrderInAHundredIsBorneAndTwoAreNot) {
  begin();
  EXPECT_EQ(of(ProbeHop::encode), HopVerdict::waiting);
  EXPECT_EQ(of(ProbeHop::parse), HopVerdict::none);
  for (int i = 0; i < 99; ++i) order(10'000, 50'000);
  order(10'001, 50'000);
  EXPECT_FALSE(judged(seconds(1))) << text;
  EXPECT_EQ(of(ProbeHop::encode), HopVerdict::ok);
  for (int i = 0; i < 98; ++i) order(10'000, 50'000);
  order(30'000, 50'000);
  order(30'000, 50'000);
  EXPECT_TRUE(judged(seconds(1)));
  EXPECT_EQ(of(ProbeHop::encode), HopVerdict::over);
  EXPECT_EQ(of(ProbeHop::receive), HopVerdict::ok);
  EXPECT_EQ(trip.code, TripCode::hop_slow);
  EXPECT_EQ(trip.mode, Mode::active) << "told, and nothing else";
  EXPECT_EQ(trip.limit, 10'000);
  EXPECT_GE(trip.actual, 30'000);
  EXPECT_EQ(trip.evidence >> 32, 2);
  EXPECT_EQ(trip.evidence & 0xFFFFFFFF, 100);
  EXPECT_EQ(text, "encode p99 30.0 us, budget 10.0 us, 2 of 100 over");
  for (int i = 0; i < 100; ++i) order(1000, 50'000);
  EXPECT_FALSE(judged(seconds(1)));
  EXPECT_EQ(of(ProbeHop::encode), HopVerdict::ok) << "each window speaks for itself";
}

TEST_F(HopBudgetTest, AWindowLastsUntilItHasAHundredOrders) {
  begin();
  for (int i = 0; i < 99; ++i) order(20'000, 40'000);
  EXPECT_FALSE(judged(seconds(60)));
  EXPECT_EQ(of(ProbeHop::encode), HopVerdict::waiting);
  order(20'000, 40'000);
  EXPECT_TRUE(judged(milliseconds(1)));
}

TEST_F(HopBudgetTest, AHundredOrdersDoNotEndAWindowBeforeItsTime) {
  begin();
  order(20'000, 40'000);
  EXPECT_FALSE(judged(milliseconds(1)));
  for (int i = 0; i < 500; ++i) order(20'000, 40'000);
  EXPECT_FALSE(judged(milliseconds(998)));
  EXPECT_TRUE(judged(milliseconds(1)));
}

TEST_F(HopBudgetTest, TheWholeWayIsJudgedToo) {
  begin();
  for (int i = 0; i < 100; ++i) order(1000, 80'000);
  EXPECT_TRUE(judged(seconds(1)));
  EXPECT_EQ(trip.limit, 50'000);
  EXPECT_EQ(text.rfind("tick_to_order p99 ", 0), 0U) << text;
}

TEST_F(HopBudgetTest, WithoutBudgetsNothingIsEverTold) {
  limits = {};
  begin();
  for (int i = 0; i < 1000; ++i) order(1'000'000'000, 4'000'000'000);
  EXPECT_FALSE(judged(seconds(10)));
  EXPECT_EQ(of(ProbeHop::encode), HopVerdict::none);
}

TEST(LateTicksText, SaysHowManyOfHowManyTheWorstAndTheBudget) {
  Trip t;
  EXPECT_EQ(late_ticks_text(t), "");
  t.code = TripCode::late_ticks;
  t.limit = 200'000;
  t.actual = 900'000;
  t.evidence = (std::int64_t{4} << 32) | 9;
  EXPECT_EQ(late_ticks_text(t), "4 of 9 ticks late, worst 900.0 us, budget 200.0 us");
}

TEST(TieOutText, NamesTheCurrencyBothSidesAndTheFills) {
  Trip t;
  EXPECT_EQ(tie_out_text(t), "");
  t.code = TripCode::tie_out;
  t.limit = 10'000'000'020;
  t.actual = 10'000'000'000;
  t.evidence =
      (std::int64_t{'E'} << 56) | (std::int64_t{'T'} << 48) | (std::int64_t{'H'} << 40) | 3;
  EXPECT_EQ(tie_out_text(t),
            "ETH: own cash 10.00000002, the venue's balance 10, difference -0.00000002, 3 fills");
}

TEST(AnswerTimes, TheFirstAnswerToAnOrderIsMeasuredAndNoOther) {
  AnswerTimes answers;
  HopRow row;
  OrderAck ack;
  ack.order = make_order_id(1, StrategyId{0}, 7);
  Event e = make_event(EventKind::order_ack, VenueId{}, InstrumentId{}, {}, {}, ack);
  EXPECT_FALSE(answers.answered(e, 900, row)) << "never sent";
  answers.sent(ack.order, 500);
  ASSERT_TRUE(answers.answered(e, 900, row));
  HopTimes times{1.0};
  times.add(row);
  EXPECT_EQ(times.step_of(ProbeHop::ack).max(), 400U);
  EXPECT_EQ(times.tick_to_order().count(), 0U);
  EXPECT_FALSE(answers.answered(e, 950, row));
  answers.sent(ack.order, 1000);
  OrderReject reject;
  reject.order = ack.order;
  e = make_event(EventKind::order_reject, VenueId{}, InstrumentId{}, {}, {}, reject);
  EXPECT_TRUE(answers.answered(e, 1100, row));
}

TEST(AnswerTimes, AnOrderOutlivedByManyIsNotMeasuredAndNeverTakenForAnother) {
  AnswerTimes answers;
  for (std::uint32_t n = 1; n <= AnswerTimes::kept + 1; ++n) {
    answers.sent(make_order_id(1, StrategyId{0}, n), n);
  }
  HopRow row;
  OrderAck ack;
  ack.order = make_order_id(1, StrategyId{0}, 1);
  const Event e = make_event(EventKind::order_ack, VenueId{}, InstrumentId{}, {}, {}, ack);
  EXPECT_FALSE(answers.answered(e, 900, row));
}

}  // namespace
}  // namespace gimbal
