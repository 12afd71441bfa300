// The matcher and its naive twin under one suite, then both under one random order flow.
#include "venues/sim/matcher.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/sim/naive_book.hpp"
#include "venues/sim/numeric.hpp"

namespace gimbal::sim {
namespace {

Price at(std::int64_t units) { return Price{units * nano_per_unit}; }
Qty amount(std::int64_t units) { return Qty{units * nano_per_unit}; }

template <class B>
class RestingBook : public testing::Test {
 protected:
  B book;
  std::vector<LevelChange> changes;
};
using Books = testing::Types<Book, NaiveBook>;
TYPED_TEST_SUITE(RestingBook, Books);

TYPED_TEST(RestingBook, EarlierOrderAtTheSamePriceIsFirst) {
  const auto first = this->book.insert(Side::buy, at(100), amount(1), 2, 1);
  const auto second = this->book.insert(Side::buy, at(100), amount(2), 3, 2);
  EXPECT_EQ(this->book.front(Side::buy), first);
  EXPECT_EQ(this->book.after(first), second);
  this->book.remove(first);
  EXPECT_EQ(this->book.front(Side::buy), second);
}

TYPED_TEST(RestingBook, BetterPriceComesBeforeEarlierTime) {
  this->book.insert(Side::sell, at(101), amount(1), 2, 1);
  const auto better = this->book.insert(Side::sell, at(100), amount(1), 2, 2);
  EXPECT_EQ(this->book.front(Side::sell), better);
}

TYPED_TEST(RestingBook, ReducingKeepsThePlace) {
  const auto first = this->book.insert(Side::sell, at(100), amount(5), 2, 1);
  this->book.insert(Side::sell, at(100), amount(5), 3, 2);
  this->book.reduce(first, amount(4));
  EXPECT_EQ(this->book.front(Side::sell), first);
  EXPECT_EQ(this->book.amount_at(Side::sell, at(100)), amount(6));
}

TYPED_TEST(RestingBook, ChangesAreTheNetDifferenceOfABatch) {
  const auto gone = this->book.insert(Side::buy, at(99), amount(1), 2, 1);
  this->book.insert(Side::buy, at(100), amount(1), 2, 2);
  this->book.remove(gone);
  this->book.take_changes(this->changes);
  ASSERT_EQ(this->changes.size(), 1u);
  EXPECT_EQ(this->changes[0].action, LevelAction::add);
  EXPECT_EQ(this->changes[0].price, at(100));
  this->changes.clear();
  this->book.insert(Side::buy, at(100), amount(2), 2, 3);
  this->book.take_changes(this->changes);
  ASSERT_EQ(this->changes.size(), 1u);
  EXPECT_EQ(this->changes[0].action, LevelAction::change);
  EXPECT_EQ(this->changes[0].amount, amount(3));
}

std::vector<Level> all_levels(const auto& book, Side side) {
  std::vector<Level> list;
  book.levels(side, 0, list);
  return list;
}

void sort_changes(std::vector<LevelChange>& list) {
  std::sort(list.begin(), list.end(), [](const LevelChange& a, const LevelChange& b) {
    return std::pair{a.side, a.price} < std::pair{b.side, b.price};
  });
}

TEST(Matcher, AgreesWithTheNaiveTwinOnRandomOrderFlow) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Rng rng{seed};
    Book fast;
    NaiveBook slow;
    std::vector<std::pair<Book::Slot, Book::Slot>> live;
    for (OrderNo n = 1; n <= 2000; ++n) {
      const Side side = rng.below(2) == 0 ? Side::buy : Side::sell;
      const Qty size = amount(1 + static_cast<std::int64_t>(rng.below(20)));
      const Price limit = at(90 + static_cast<std::int64_t>(rng.below(21)));
      Qty left = size;
      while (left.nano > 0 && fast.front(opposite(side)) != Book::none) {
        const auto f = fast.front(opposite(side));
        const auto s = slow.front(opposite(side));
        ASSERT_EQ(fast.at(f).order, slow.at(s).order) << "seed " << seed << " order " << n;
        if (!crosses(side, limit, Price{fast.at(f).price})) break;
        const Qty fill{std::min(left.nano, fast.at(f).remaining)};
        const bool gone = fill.nano == fast.at(f).remaining;
        fast.reduce(f, fill);
        slow.reduce(s, fill);
        if (gone) std::erase(live, std::pair{f, s});
        left -= fill;
      }
      if (left.nano > 0) {
        const auto f = fast.insert(side, limit, left, 2, n);
        live.emplace_back(f, slow.insert(side, limit, left, 2, n));
      }
      if (!live.empty() && rng.below(3) == 0) {
        const auto pick = live.begin() + static_cast<std::ptrdiff_t>(rng.below(live.size()));
        fast.remove(pick->first);
        slow.remove(pick->second);
        live.erase(pick);
      }
      for (const Side s : {Side::buy, Side::sell}) {
        const auto a = all_levels(fast, s);
        const auto b = all_levels(slow, s);
        ASSERT_EQ(a.size(), b.size()) << "seed " << seed << " order " << n;
        for (std::size_t i = 0; i < a.size(); ++i) {
          ASSERT_EQ(a[i].price, b[i].price);
          ASSERT_EQ(a[i].amount, b[i].amount);
        }
      }
      std::vector<LevelChange> x;
      std::vector<LevelChange> y;
      fast.take_changes(x);
      slow.take_changes(y);
      sort_changes(x);
      sort_changes(y);
      ASSERT_EQ(x.size(), y.size()) << "seed " << seed << " order " << n;
      for (std::size_t i = 0; i < x.size(); ++i) {
        ASSERT_EQ(x[i].action, y[i].action);
        ASSERT_EQ(x[i].amount, y[i].amount);
      }
    }
  }
}

}  // namespace
}  // namespace gimbal::sim
