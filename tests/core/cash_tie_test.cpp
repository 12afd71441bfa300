// Own cash against reported balances: exact over a million fills, to the unit at the edge, and
// whatever the order is in which fills and balances are told.
#include "engine/core/cash_tie.hpp"

#include <gtest/gtest.h>

namespace gimbal {
namespace {

constexpr Money unit{10};  // 1e-8
constexpr i128 atto = CashTie::atto_per_nano;

struct TieOut : testing::Test {
  CashTie tie;
  CashTie::Rule rule{unit, seconds(2), true};
  RecvTime now{seconds(1000).count};
  std::int64_t venue{5'000'000'000};
  std::uint64_t state{11};

  std::int64_t random(std::int64_t n) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<std::int64_t>((state >> 33) % static_cast<std::uint64_t>(n));
  }
  CashTie::Verdict report() { return tie.report(Money{venue}, rule, now); }
  void pay(std::int64_t nano) { tie.move(-nano * atto, unit, now); }
  // A fill that pays `nano`, which the venue books `wrong` nano too high.
  void fill(std::int64_t nano, std::int64_t wrong = 0) {
    pay(nano);
    venue -= nano + wrong;
  }
  void proven() {
    ASSERT_EQ(report(), CashTie::Verdict::none);
    now = now + seconds(3);
    ASSERT_EQ(report(), CashTie::Verdict::tied);
  }
  // What the balance is taken for once it has stayed as it is.
  CashTie::Verdict settled() {
    (void)report();
    now = now + seconds(3);
    return report();
  }
};

TEST_F(TieOut, OneUnitAFillPassesAndOneNanoMoreDoesNot) {
  for (const std::int64_t fills : {1, 2, 7}) {
    for (const std::int64_t sign : {1, -1}) {
      tie.forget();
      proven();
      for (std::int64_t n = 0; n < fills; ++n) fill(50'000, sign * unit.nano);
      EXPECT_EQ(settled(), CashTie::Verdict::tied) << fills << " fills, " << sign;
      for (std::int64_t n = 0; n < fills; ++n) fill(50'000, sign * unit.nano);
      venue -= sign;
      EXPECT_EQ(settled(), CashTie::Verdict::differs) << fills << " fills, " << sign;
    }
  }
}

TEST_F(TieOut, TwoUnitsOfOneFillDifferAndAreToldOnceWithTheirNumbers) {
  proven();
  fill(50'000, 2 * unit.nano);
  EXPECT_EQ(report(), CashTie::Verdict::open);
  now = now + seconds(2) - Nanos{1};
  EXPECT_EQ(report(), CashTie::Verdict::open);
  now = now + Nanos{1};
  EXPECT_EQ(report(), CashTie::Verdict::differs);
  EXPECT_EQ(tie.difference().own, Money{venue + 2 * unit.nano});
  EXPECT_EQ(tie.difference().venue, Money{venue});
  EXPECT_EQ(tie.difference().fills, 1U);
  EXPECT_EQ(settled(), CashTie::Verdict::tied) << "the venue's figure counts from here on";
}

TEST_F(TieOut, WithoutAFillNotANanoMayMove) {
  proven();
  venue += 1;
  EXPECT_EQ(settled(), CashTie::Verdict::differs);
  EXPECT_EQ(tie.difference().fills, 0U);
}

TEST_F(TieOut, ADifferenceWaitsUntilTheVenuesTradesWereAskedFor) {
  proven();
  venue -= 50'000;  // the message of this fill was lost
  rule.asked = false;
  EXPECT_EQ(settled(), CashTie::Verdict::open);
  pay(50'000);  // the picture has it
  rule.asked = true;
  EXPECT_EQ(report(), CashTie::Verdict::tied);
}

// Two messages were lost. The picture that was asked for after the first has that one alone; the
// balance of then knows both.
TEST_F(TieOut, AFillLearntByAskingMayHaveCompanyAndBeginsTheWaitAnew) {
  proven();
  rule.asked = false;
  venue -= 50'000;
  EXPECT_EQ(report(), CashTie::Verdict::open);
  const RecvTime first = tie.open_since();
  now = now + seconds(3);
  venue -= 70'000;
  EXPECT_EQ(report(), CashTie::Verdict::open);
  tie.move(-50'000 * atto, unit, now, true);
  EXPECT_GT(tie.open_since(), first) << "the next picture must have been begun since";
  rule.asked = true;
  EXPECT_EQ(report(), CashTie::Verdict::open);
  tie.move(-70'000 * atto, unit, now, true);
  EXPECT_EQ(report(), CashTie::Verdict::tied);
}

// The balance knew a fill whose message was lost. That it is met again proves nothing before the
// venue's trades were asked for; the picture then moves our own cash away from it.
TEST_F(TieOut, AnAnchorIsNotProvenBeforeTheVenuesTradesWereAskedForSince) {
  rule.anchor_asked = false;
  venue -= 50'000;
  ASSERT_EQ(report(), CashTie::Verdict::none);
  now = now + seconds(3);
  ASSERT_EQ(report(), CashTie::Verdict::tied);
  tie.move(-50'000 * atto, unit, now, true);
  rule.anchor_asked = true;
  now = now + seconds(3);
  EXPECT_EQ(settled(), CashTie::Verdict::none) << "the anchor is taken anew, and nothing told";
  EXPECT_EQ(settled(), CashTie::Verdict::tied);
}

TEST_F(TieOut, AMillionFillsTieOutExactlyWhateverIsToldFirst) {
  proven();
  std::int64_t balance = venue;  // the venue's own sum
  std::uint64_t tied = 0;
  std::uint64_t open = 0;
  for (int n = 0; n < 1'000'000; ++n) {
    // 0.1 to 5 options at 0.0001 to 0.2, bought or sold, and a fee of the venue's 8 decimals.
    const std::int64_t amount = (1 + random(50)) * 100'000'000;
    const std::int64_t price = (1 + random(2000)) * 100'000;
    const std::int64_t side = random(2) == 0 ? 1 : -1;
    const std::int64_t fee = random(40) * 100 * unit.nano / 10 * 10;
    const i128 moved = -static_cast<i128>(side) * amount * price - fee * atto;
    ASSERT_EQ(moved % atto, 0);
    balance += static_cast<std::int64_t>(moved / atto);
    now = now + milliseconds(1 + random(20));
    const bool early = random(3) == 0;  // the balance before its fill
    if (early) (void)tie.report(Money{balance}, rule, now);
    tie.move(moved, unit, now);
    if (random(3) != 0) continue;
    const CashTie::Verdict v = tie.report(Money{balance}, rule, now);
    ASSERT_NE(v, CashTie::Verdict::differs) << n;
    tied += v == CashTie::Verdict::tied ? 1 : 0;
    open += v == CashTie::Verdict::open ? 1 : 0;
  }
  EXPECT_GT(tied, 300'000U);
  EXPECT_EQ(open, 0U);
  venue = balance;
  ASSERT_EQ(settled(), CashTie::Verdict::tied);
  venue = balance + 1;  // the own cash is the venue's to the nano
  EXPECT_EQ(settled(), CashTie::Verdict::differs);
  EXPECT_EQ(tie.difference().own, Money{balance});
}

TEST_F(TieOut, ABalanceFromBeforeTheNewestFillsIsMetButNotForLong) {
  proven();
  const std::int64_t before = venue;
  for (int n = 0; n < 5; ++n) fill(40'000 + n);
  EXPECT_EQ(tie.report(Money{before}, rule, now), CashTie::Verdict::tied);
  now = now + seconds(2);
  EXPECT_EQ(tie.report(Money{before}, rule, now), CashTie::Verdict::open) << "never booked";
  now = now + seconds(2);
  EXPECT_EQ(tie.report(Money{before}, rule, now), CashTie::Verdict::differs);
}

TEST_F(TieOut, AnAnchorTakenBetweenAFillAndItsBalanceIsTakenAnew) {
  venue -= 50'000;
  ASSERT_EQ(report(), CashTie::Verdict::none);
  pay(50'000);  // already in the balance
  EXPECT_EQ(settled(), CashTie::Verdict::open);
  EXPECT_EQ(settled(), CashTie::Verdict::none);
  now = now + seconds(3);
  EXPECT_EQ(report(), CashTie::Verdict::tied);
  fill(50'000, 2 * unit.nano);
  EXPECT_EQ(settled(), CashTie::Verdict::differs);
}

TEST_F(TieOut, FillsOfOneFeeDoNotProveAWrongAnchor) {
  venue -= 50'000;
  ASSERT_EQ(report(), CashTie::Verdict::none);
  pay(50'000);  // already in the balance: from here on it looks like the one before a fill
  for (int n = 0; n < 50; ++n) {
    now = now + milliseconds(100);
    fill(50'000);
    ASSERT_EQ(report(), CashTie::Verdict::tied);
  }
  for (int n = 0; n < 5; ++n) {
    now = now + seconds(1);
    EXPECT_NE(report(), CashTie::Verdict::differs);
  }
}

// Fills without a pause from the first balance on: no anchor is ever met again.
TEST_F(TieOut, AVenueThatAlwaysTakesMoreIsFoundWithoutAPause) {
  ASSERT_EQ(report(), CashTie::Verdict::none);
  bool told = false;
  for (int n = 0; n < 120 && !told; ++n) {
    now = now + milliseconds(100);
    fill(50'000 + 37 * n, 2 * unit.nano + 1);
    told = report() == CashTie::Verdict::differs;
  }
  EXPECT_TRUE(told) << "within twelve seconds";
}

// The venue took a trade back. Seconds later it is told in a word that holds a new fill too, whose
// own message comes a moment behind: seed 5117286 of the simulator.
TEST_F(TieOut, ADifferenceIsToldOnceWhenTheWordThatTellsItHoldsAFillThatIsYetToCome) {
  proven();
  venue += 286'459;  // a fee came back
  EXPECT_EQ(report(), CashTie::Verdict::open);
  now = now + seconds(2);
  venue -= 302'692;
  EXPECT_EQ(report(), CashTie::Verdict::differs);
  pay(302'692);
  for (int n = 0; n < 5; ++n) {
    fill(25'510);
    EXPECT_EQ(report(), CashTie::Verdict::tied) << n;
    now = now + seconds(2);
    EXPECT_EQ(report(), CashTie::Verdict::tied) << n;
  }
}

TEST_F(TieOut, FillsThatALostMessageKeptFromTheWordsOfADifferenceAreNoSecondOne) {
  proven();
  venue += 286'459;
  EXPECT_EQ(report(), CashTie::Verdict::open);
  now = now + seconds(1);
  venue -= 50'000;  // lost
  EXPECT_EQ(report(), CashTie::Verdict::open);
  now = now + seconds(1);
  venue -= 70'000;  // on its way
  EXPECT_EQ(report(), CashTie::Verdict::differs);
  pay(70'000);
  rule.anchor_asked = false;
  now = now + seconds(1);
  EXPECT_EQ(report(), CashTie::Verdict::tied);
  tie.move(-50'000 * atto, unit, now, true);  // the next picture has it
  rule.anchor_asked = true;
  EXPECT_EQ(settled(), CashTie::Verdict::tied);
  EXPECT_EQ(settled(), CashTie::Verdict::tied);
}

// Its message was lost, five fills later the difference passes for their rounding, and only then
// the fill is learnt by asking.
TEST_F(TieOut, ALateFillThatWasTakenForRoundingIsNotCountedTwice) {
  proven();
  venue -= 5 * unit.nano;
  EXPECT_EQ(report(), CashTie::Verdict::open);
  for (int n = 0; n < 5; ++n) fill(50'000);
  EXPECT_EQ(report(), CashTie::Verdict::tied);
  now = now + seconds(1);
  tie.move(-5 * unit.nano * atto, unit, now, true);
  EXPECT_EQ(report(), CashTie::Verdict::tied);
  now = now + seconds(1);
  fill(50'000);
  EXPECT_EQ(settled(), CashTie::Verdict::tied);
  now = now + seconds(10);
  for (int n = 0; n < 3; ++n) {
    fill(50'000);
    EXPECT_EQ(settled(), CashTie::Verdict::tied);
  }
  venue -= 1;
  EXPECT_EQ(settled(), CashTie::Verdict::differs) << "to the nano, as ever";
}

TEST_F(TieOut, ALateFillThatNoTieCanHaveTakenForRoundingMustMoveTheBalance) {
  proven();
  fill(50'000);
  EXPECT_EQ(settled(), CashTie::Verdict::tied);
  now = now + seconds(10);
  tie.move(-5 * unit.nano * atto, unit, now, true);
  EXPECT_EQ(report(), CashTie::Verdict::tied) << "it may have been told before the fill";
  now = now + seconds(3);
  EXPECT_EQ(settled(), CashTie::Verdict::differs);
}

TEST_F(TieOut, WhatStoodBeforeADifferenceEndsOnceItsAnchorIsProven) {
  proven();
  venue += 286'459;
  EXPECT_EQ(report(), CashTie::Verdict::open);
  now = now + seconds(2);
  venue += 302'692;
  EXPECT_EQ(report(), CashTie::Verdict::differs);
  EXPECT_EQ(settled(), CashTie::Verdict::tied);
  venue -= 302'692;  // to what was told in between
  EXPECT_EQ(settled(), CashTie::Verdict::differs);
}

TEST_F(TieOut, ADifferenceBehindADifferenceIsToldAsWell) {
  proven();
  venue += 286'459;
  EXPECT_EQ(settled(), CashTie::Verdict::differs);
  venue += 286'459;
  EXPECT_EQ(settled(), CashTie::Verdict::differs);
  venue -= 2 * 286'459;  // what it was before both
  EXPECT_EQ(settled(), CashTie::Verdict::differs);
}

TEST_F(TieOut, WhatNobodyToldIsForgotten) {
  proven();
  fill(50'000);
  tie.forget();
  venue += 123'456'789;
  EXPECT_EQ(report(), CashTie::Verdict::none);
  now = now + seconds(3);
  EXPECT_EQ(report(), CashTie::Verdict::tied);
}

}  // namespace
}  // namespace gimbal
