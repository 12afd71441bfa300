// The portfolio kept in place and its naive twin under one suite, then what only the first has:
// ages, marks, cost of ticks and fills, the expiry window.
#include "engine/core/portfolio.hpp"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/option_book.hpp"
#include "tests/support/scratch_portfolio.hpp"
#include "tests/support/week_option.hpp"

namespace gimbal {
namespace {

using namespace test;

// --- one suite for both
// ---------------------------------------------------------------------------

template <class P>
class AnyPortfolio : public testing::Test {};
using Twins = testing::Types<Portfolio, ScratchPortfolio>;

class TwinName {
 public:
  template <class T>
  static std::string GetName(int) {
    return std::is_same_v<T, Portfolio> ? "in_place" : "scratch";
  }
};
TYPED_TEST_SUITE(AnyPortfolio, Twins, TwinName);

TYPED_TEST(AnyPortfolio, InversePerpetualCountsItsCoinsAtTheMid) {
  Book<TypeParam> b;
  const InstrumentId perp = b.perpetual();
  b.mid(50000);
  b.portfolio->set_position(perp, qty(-100000));
  EXPECT_DOUBLE_EQ(b.risk().delta_net.value, -2);
  EXPECT_DOUBLE_EQ(b.risk().delta_one, -2);
  EXPECT_DOUBLE_EQ(b.risk().gamma_net.value, 2.0 / 50000);
  b.mid(40000);
  EXPECT_DOUBLE_EQ(b.risk().delta_net.value, -2.5);
  EXPECT_TRUE(b.risk().complete);
}

TYPED_TEST(AnyPortfolio, LinearPerpetualCountsItsAmountAtAnyPrice) {
  Book<TypeParam> b;
  const InstrumentId perp = b.perpetual(InstrumentKind::linear_perpetual);
  b.portfolio->set_position(perp, qty(1.5));
  EXPECT_DOUBLE_EQ(b.risk().delta_net.value, 1.5);
  EXPECT_TRUE(b.risk().complete);
}

TYPED_TEST(AnyPortfolio, InverseFutureUsesItsOwnMidAndTheForwardBeforeItHasOne) {
  Book<TypeParam> b;
  const InstrumentId future = b.add(make(InstrumentKind::inverse_future, btc, start + day * 7));
  const InstrumentId option = b.option(50000);
  b.portfolio->set_position(future, qty(51000));
  EXPECT_FALSE(b.risk().complete);
  b.ticker(option, 0.6, 51000);
  EXPECT_DOUBLE_EQ(b.risk().delta_net.value, 1);
  b.portfolio->on_future_mid(future, price(50000), b.venue, b.now);
  EXPECT_DOUBLE_EQ(b.risk().delta_net.value, 1.02);
  b.portfolio->apply_fill(future, qty(-51000));
  EXPECT_DOUBLE_EQ(b.risk().delta_net.value, 0);
}

TYPED_TEST(AnyPortfolio, InverseOptionsCountThePremiumAdjustedDelta) {
  Book<TypeParam> b;
  const InstrumentId call = b.option(60000);
  b.ticker(call, 0.6, 58000);
  b.portfolio->set_position(call, qty(-10));
  const InverseGreeks g = price_inverse(week(58000, 60000, 0.6));
  const RiskNumbers r = b.risk();
  EXPECT_NEAR(r.delta_net.value, -10 * g.delta_net, 1e-12);
  EXPECT_NEAR(r.delta_bs.value, -10 * g.delta_bs, 1e-12);
  EXPECT_NEAR(r.options_value, -10 * g.value, 1e-12);
  EXPECT_NEAR(r.gamma.value, -10 * g.gamma_bs, 1e-15);
  EXPECT_NEAR(r.gamma_net.value, -10 * g.gamma_net, 1e-15);
  EXPECT_NEAR(r.vega.value, -10 * g.vega * 58000, 1e-7);
  EXPECT_NEAR(r.theta.value, -10 * g.theta * 58000, 1e-6);
  EXPECT_TRUE(r.complete);
}

TYPED_TEST(AnyPortfolio, LinearOptionsCountThePlainDelta) {
  Book<TypeParam> b;
  const InstrumentId put = b.option(60000, OptionType::put, InstrumentKind::linear_option);
  b.ticker(put, 0.6, 58000);
  b.portfolio->set_position(put, qty(3));
  const LinearGreeks g = price_linear(week(58000, 60000, 0.6, OptionType::put));
  EXPECT_NEAR(b.risk().delta_net.value, 3 * g.delta, 1e-12);
  EXPECT_NEAR(b.risk().linear_value, 3 * g.price, 1e-9);
  EXPECT_EQ(b.risk().options_value, 0);
}

TYPED_TEST(AnyPortfolio, PerpetualMovesEveryForwardInProportion) {
  Book<TypeParam> b;
  const InstrumentId call = b.option(60000);
  b.mid(50000);
  b.ticker(call, 0.6, 51000);
  b.portfolio->set_position(call, qty(1));
  b.mid(55000);
  EXPECT_NEAR(b.risk().delta_net.value, price_inverse(week(56100, 60000, 0.6)).delta_net, 1e-4);
  b.ticker(call, 0.6, 56000);
  EXPECT_NEAR(b.risk().delta_net.value, price_inverse(week(56000, 60000, 0.6)).delta_net, 1e-4);
}

TYPED_TEST(AnyPortfolio, FillsAddUpAndASettledOptionLeavesNothing) {
  Book<TypeParam> b;
  const InstrumentId call = b.option(60000);
  b.ticker(call, 0.6, 58000);
  b.portfolio->apply_fill(call, qty(4));
  b.portfolio->apply_fill(call, qty(-1.5));
  EXPECT_EQ(b.portfolio->position(call), qty(2.5));
  EXPECT_NEAR(b.risk().delta_net.value, 2.5 * price_inverse(week(58000, 60000, 0.6)).delta_net,
              1e-12);
  b.portfolio->settle(call, price(61000));
  EXPECT_EQ(b.portfolio->position(call), Qty{});
  EXPECT_EQ(b.risk().delta_net.value, 0);
  EXPECT_TRUE(b.risk().complete);
}

TYPED_TEST(AnyPortfolio, PositionWithoutMarkMakesTheRiskIncomplete) {
  Book<TypeParam> b;
  const InstrumentId marked = b.option(60000);
  const InstrumentId unmarked = b.option(65000);
  b.ticker(marked, 0.6, 58000);
  b.portfolio->set_position(marked, qty(1));
  b.portfolio->set_position(unmarked, qty(1));
  EXPECT_FALSE(b.risk().complete);
  const double part = price_inverse(week(58000, 60000, 0.6)).delta_net;
  EXPECT_NEAR(b.risk().delta_net.value, part, 1e-12);
  b.ticker(unmarked, 0.7, 58000);
  EXPECT_TRUE(b.risk().complete);
  EXPECT_NEAR(b.risk().delta_net.value, part + price_inverse(week(58000, 65000, 0.7)).delta_net,
              1e-12);
}

TYPED_TEST(AnyPortfolio, RiskOfAnExpiryIsItsOwnPartOnly) {
  Book<TypeParam> b;
  const InstrumentId perp = b.perpetual();
  const InstrumentId call = b.option(60000);
  const InstrumentId later =
      b.option(60000, OptionType::call, InstrumentKind::inverse_option, day * 30);
  b.mid(58000);
  b.ticker(call, 0.6, 58000);
  b.ticker(later, 0.6, 58500);
  b.portfolio->set_position(call, qty(1));
  b.portfolio->set_position(later, qty(2));
  b.portfolio->set_position(perp, qty(58000));
  const auto part = [&](InstrumentId id) {
    return b.portfolio->risk(b.table[id].expiry_id).delta_net.value;
  };
  EXPECT_NEAR(part(call), price_inverse(week(58000, 60000, 0.6)).delta_net, 1e-12);
  EXPECT_DOUBLE_EQ(part(perp), 1);
  EXPECT_NEAR(part(call) + part(later) + part(perp), b.risk().delta_net.value, 1e-12);
}

}  // namespace
}  // namespace gimbal
