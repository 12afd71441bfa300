// Controls of a book in the gate: gross delta, worst-case gamma and vega, stale Greeks, open value,
// parents and children.
#include <gtest/gtest.h>

#include "engine/core/risk/gate.hpp"
#include "engine/core/risk/parent_book.hpp"
#include "tests/support/engine_world.hpp"
#include "tests/support/gate_fixture.hpp"

namespace gimbal {
namespace {

using test::amount;
using test::Gate;
using test::money;

// --- P-09
// -----------------------------------------------------------------------------------------

TEST_F(Gate, GrossDeltaIsExactAndLetsExitsAndHedgesThrough) {
  limits.max_gross_delta_usd = money(100000);  // two coins
  c.gross_delta = amount(1.5).nano;
  c.order_delta = amount(0.5).nano;
  EXPECT_EQ(reason(), Refusal::none);
  c.order_delta = -amount(0.5).nano - 1;
  EXPECT_EQ(ask(),
            (Refused{Refusal::gross_delta_limit, money(100000).nano, money(100000).nano + 50000}));
  c.order_delta = amount(0.25).nano;
  c.greeks_stale = true;  // twice what is held is over
  EXPECT_EQ(reason(), Refusal::gross_delta_limit);
  c.gross_delta = amount(0.875).nano;
  EXPECT_EQ(reason(), Refusal::none);
  c.gross_delta = amount(50).nano;
  c.position = amount(-1000);
  EXPECT_EQ(reason(), Refusal::none) << "an exit";
  c.position = {};
  EXPECT_EQ(reason(), Refusal::gross_delta_limit);
  c.hedge_instrument = true;
  c.delta = {amount(-3).nano, amount(-3).nano};
  EXPECT_EQ(reason(), Refusal::none) << "a hedge";
}

TEST_F(Gate, GammaAndVegaCountOpenAndUnknownOrdersBothWays) {
  limits.max_gamma_usd = money(1000);
  c.gamma_usd = money(500).nano;
  c.gamma_open = {-money(900).nano, money(400).nano};
  c.order_gamma_usd = money(100).nano;
  EXPECT_EQ(reason(), Refusal::none);
  c.order_gamma_usd = money(100).nano + 1;
  EXPECT_EQ(reason(), Refusal::gamma_limit);
  c.order_gamma_usd = -money(600).nano;
  EXPECT_EQ(reason(), Refusal::none);
  c.order_gamma_usd = -money(600).nano - 1;
  EXPECT_EQ(ask(), (Refused{Refusal::gamma_limit, money(1000).nano, -money(1000).nano - 1}));
  c.greeks_stale = true;  // 500 or 1,000: both must fit
  c.order_gamma_usd = -money(600).nano;
  EXPECT_EQ(reason(), Refusal::none);
  c.gamma_open = {};
  c.order_gamma_usd = 1;
  EXPECT_EQ(reason(), Refusal::gamma_limit);
  c.greeks_stale = false;
  EXPECT_EQ(reason(), Refusal::none);
  limits.max_gamma_usd = {};
  limits.max_vega_usd = money(10);
  c.vega_open = {-money(4).nano, money(3).nano};
  c.vega_usd = money(2).nano;
  c.order_vega_usd = money(5).nano;
  EXPECT_EQ(reason(), Refusal::none);
  c.order_vega_usd = money(5).nano + 1;
  EXPECT_EQ(reason(), Refusal::vega_limit);
}

TEST_F(Gate, WithStaleGreeksTheOptionsShareOfDeltaCountsTwiceWhereThatIsWorse) {
  limits.max_delta_usd = money(50000);  // one coin
  c.options_delta = amount(0.5).nano;
  c.delta = {amount(0.25).nano, amount(0.25).nano};
  c.order_delta = amount(0.5).nano;
  EXPECT_EQ(reason(), Refusal::none);
  c.greeks_stale = true;  // 1.25 coins
  EXPECT_EQ(reason(), Refusal::delta_limit);
  c.order_delta = amount(0.25).nano;
  EXPECT_EQ(reason(), Refusal::none);
  c.order_delta = amount(-1.25).nano;
  EXPECT_EQ(reason(), Refusal::none);
}

// --- P-10
// -----------------------------------------------------------------------------------------

TEST_F(Gate, OpenValueHoldsNoExitBack) {
  limits.max_open_usd = limits.max_venue_open_usd = money(1);
  EXPECT_EQ(reason(), Refusal::open_usd);
  c.position = amount(-1000);
  EXPECT_EQ(reason(), Refusal::none);
  o.amount = amount(1010);
  EXPECT_EQ(reason(), Refusal::open_usd) << "it would cross zero";
}

// --- P-12
// -----------------------------------------------------------------------------------------

TEST_F(Gate, ChildrenNeverExceedTheirParent) {
  c.has_parent = true;
  c.parent_amount = amount(3000);
  c.parent_used = amount(2000);
  EXPECT_EQ(reason(), Refusal::none);
  c.parent_used = amount(2010);
  EXPECT_EQ(ask(), (Refused{Refusal::parent_amount, amount(3000).nano, amount(3010).nano}));
  c.parent_amount = Qty{INT64_MAX};
  c.parent_used = Qty{INT64_MAX - 1};
  EXPECT_EQ(reason(), Refusal::parent_amount);
}

TEST(ParentBook, KeepsTheFirstAmountAndForgetsTheOneUsedLongestAgo) {
  ParentBook book;
  EXPECT_EQ(book.find(StrategyId{1}, 7), nullptr);
  book.open(StrategyId{1}, 7, amount(10)).filled = amount(4);
  EXPECT_EQ(book.open(StrategyId{1}, 7, amount(90)).amount, amount(10));
  EXPECT_EQ(book.open(StrategyId{2}, 7, amount(5)).filled, Qty{});
  for (std::uint64_t n = 1; n < ParentBook::kept_max; ++n) {
    book.open(StrategyId{3}, n, amount(1));
    ASSERT_NE(book.find(StrategyId{2}, 7), nullptr) << n;
    book.open(StrategyId{2}, 7, amount(5));
  }
  EXPECT_EQ(book.find(StrategyId{1}, 7), nullptr);
}

}  // namespace
}  // namespace gimbal
