// The parts of a profit, one at a time, on a scripted engine.
#include <gtest/gtest.h>

#include <cmath>

#include "engine/core/pricing.hpp"
#include "ops/app/profit_explain.hpp"
#include "tests/support/engine_world.hpp"

namespace gimbal {
namespace {

using test::amount;
using test::money;
using test::usd;

struct ExplainTest : testing::Test, test::World<test::Puppet> {
  std::unique_ptr<ProfitExplain> explain;
  double equity{10};

  void go(double perp_held, double option_held) {
    start(test::Puppet{});
    to_armed(50000, perp_held, option_held);
    explain = std::make_unique<ProfitExplain>(core());
    report();
  }
  template <class Payload>
  void tell(EventKind kind, const Payload& payload, InstrumentId instrument = {}) {
    Event head = make_event(kind, test::the_venue, instrument, now, venue_time(), payload);
    head.add_flag(event_flag::last_in_packet);
    const auto one = [this](Event& e) {
      step(e);
      explain->step(e);
    };
    if constexpr (sizeof(Payload) == payload_bytes) {
      one(head);
    } else {
      Event parts[event_parts_max];
      const std::size_t n = write_parts(head, payload, parts);
      for (std::size_t i = 0; i < n; ++i) one(parts[i]);
    }
  }
  void report() {
    MarginReport r;
    r.settlement = currency("BTC");
    r.equity = money(equity);
    tell(EventKind::margin_report, r);
  }
  void perp_mark(double at) {
    Ticker t;
    t.mark = t.index = usd(at);
    tell(EventKind::ticker, t, perp);
  }
  void option_mark(double sigma, double forward) {
    Ticker t;
    t.mark = usd(0.05);
    t.index = t.underlying = usd(forward);
    t.mark_iv_nano = usd(sigma).nano;
    tell(EventKind::ticker, t, option);
  }
  void filled(double signed_size, double at, std::uint64_t id, FillKind kind = FillKind::normal,
              bool own = true) {
    Fill f;
    if (own) f.order = make_order_id(7, StrategyId{0}, 1);
    f.trade = TradeId{5, id};
    f.price = usd(at);
    f.amount = amount(std::abs(signed_size));
    f.side = signed_size < 0 ? Side::sell : Side::buy;
    f.fee = money(0.0001);
    f.fee_currency = currency("BTC");
    f.kind = kind;
    tell(EventKind::fill, f, perp);
  }
  // After one more report: what the run earned since go().
  ExplainedProfit whole() {
    report();
    return explain->accounts()[0].whole();
  }
};

TEST_F(ExplainTest, AFutureEarnsByItsMarksAndAFillAgainstTheMark) {
  go(1000, 0);
  perp_mark(51000);
  filled(500, 51100, 1);
  filled(500, 51100, 1);  // told twice
  filled(-200, 50900, 2, FillKind::liquidation, false);
  perp_mark(50500);
  equity += 0.01;
  const ExplainedProfit p = whole();
  const double futures = 1000 * (1 / 50000.0 - 1 / 51000.0) + 1300 * (1 / 51000.0 - 1 / 50500.0);
  EXPECT_NEAR(p[ProfitPart::futures], futures, 1e-12);
  EXPECT_NEAR(p[ProfitPart::execution], 500 * (1 / 51100.0 - 1 / 51000.0), 1e-12);
  EXPECT_NEAR(p[ProfitPart::venue], -200 * (1 / 50900.0 - 1 / 51000.0), 1e-12);
  EXPECT_LT(p[ProfitPart::execution], 0);
  EXPECT_NEAR(p[ProfitPart::fees], -0.0002, 1e-12);
  EXPECT_EQ(p.fills, 2U);
  EXPECT_NEAR(p.profit, 0.01, 1e-12);
  EXPECT_NEAR(p.unexplained(), 0.01 - p.explained(), 1e-12);
}

TEST_F(ExplainTest, AnOptionsPartsAddUpToItsChangeInValue) {
  go(0, -2);
  option_mark(0.6, 50000);
  const auto value = [this] { return core().view().option_mark(option).price; };
  const double before = value();
  for (int n = 0; n < 40; ++n) {
    advance(milliseconds(300));
    option_mark(0.6 + 0.002 * (n % 5), 50000 + 30.0 * n);
  }
  for (int n = 0; n < 40; ++n) {
    advance(seconds(900));
    option_mark(0.61, 51170);
  }
  const ExplainedProfit p = whole();
  const double earned = -2 * (value() - before);
  EXPECT_NEAR(p.explained(), earned, 0.01 * std::abs(p[ProfitPart::delta]));
  EXPECT_LT(p[ProfitPart::delta], 0);
  EXPECT_LT(p[ProfitPart::gamma], 0);
  EXPECT_LT(p[ProfitPart::vega], 0);
  EXPECT_GT(p[ProfitPart::theta], 0);
  EXPECT_EQ(p[ProfitPart::futures], 0);
}

TEST_F(ExplainTest, FundingIsTheRateOfEightHoursOverTheTimeHeld) {
  go(-50000, 0);
  Ticker t;
  t.mark = t.index = usd(50000);
  t.funding_8h_nano = 1'000'000;  // 0.1 %: longs pay
  tell(EventKind::ticker, t, perp);
  for (int n = 0; n < 8; ++n) {
    advance(seconds(3600));
    tell(EventKind::ticker, t, perp);
  }
  EXPECT_NEAR(whole()[ProfitPart::funding], 0.001, 1e-9);
}

TEST_F(ExplainTest, DaysAreCutAtMidnightAndWhatCrossesItBelongsToTheNext) {
  go(1000, 0);
  std::int64_t left = 86'400 - venue_time().unix_ns / 1'000'000'000 % 86'400;
  advance(seconds(left - 10));
  perp_mark(50100);
  equity += 1;
  report();
  advance(seconds(20));
  perp_mark(50300);
  equity += 2;
  report();
  const auto& days = explain->accounts()[0].days;
  ASSERT_EQ(days.size(), 2U);
  EXPECT_EQ(days[1].number, days[0].number + 1);
  EXPECT_NEAR(days[0].profit.profit, 1, 1e-12);
  EXPECT_NEAR(days[1].profit.profit, 2, 1e-12);
  EXPECT_NEAR(days[1].profit[ProfitPart::futures], 1000 * (1 / 50100.0 - 1 / 50300.0), 1e-12);
  EXPECT_EQ(day_text(20'784), "2026-11-27");
}

TEST_F(ExplainTest, APositionThatTheVenueCorrectsIsCountedAndCostsNothing) {
  go(1000, 0);
  perp_mark(50000);
  const auto mark = [this](ReconcilePhase phase) {
    ReconcileMark m;
    m.phase = phase;
    m.generation = generation;
    m.as_of = venue_time();
    tell(EventKind::reconcile_mark, m);
  };
  advance(seconds(1));
  mark(ReconcilePhase::begin);
  PositionReport r;
  r.amount = amount(3000);
  tell(EventKind::position_report, r, perp);
  mark(ReconcilePhase::complete);
  advance(seconds(1));
  perp_mark(51000);
  const ExplainedProfit p = whole();
  EXPECT_EQ(p.adopted, 1U);
  EXPECT_EQ(p.fills, 0U);
  EXPECT_EQ(p[ProfitPart::execution], 0);
}

TEST_F(ExplainTest, TheShareIsOfTheSumOfAbsoluteParts) {
  ExplainedProfit p;
  EXPECT_EQ(p.share(), 0);
  p.profit = 1;
  EXPECT_GT(p.share(), 1e300) << "nothing explained";
  p[ProfitPart::delta] = 10;
  p[ProfitPart::futures] = -9.5;
  EXPECT_NEAR(p.share(), 0.5 / 19.5, 1e-12);
}

}  // namespace
}  // namespace gimbal
