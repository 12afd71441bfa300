#include "engine/core/order_book.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

namespace gimbal {
namespace {

Price at(std::int64_t units) { return Price{units * nano_per_unit}; }
Qty of(std::int64_t units) { return Qty{units * nano_per_unit}; }

BookDelta delta(Side side, std::int64_t price, std::int64_t amount) {
  BookDelta d;
  d.side = side;
  d.price = at(price);
  d.amount = of(amount);
  return d;
}

// The obvious twin: ordered maps, no capacity.
class MapOrderBook {
 public:
  class View {
   public:
    explicit View(const MapOrderBook& book) : book_{&book} {}
    std::optional<Level> level(Side side, std::size_t n) const {
      if (side == Side::buy) return nth(book_->bids_.rbegin(), book_->bids_.rend(), n);
      return nth(book_->asks_.begin(), book_->asks_.end(), n);
    }
    std::optional<Level> best_bid() const { return level(Side::buy, 0); }
    std::optional<Level> best_ask() const { return level(Side::sell, 0); }
    std::size_t levels(Side side) const {
      return side == Side::buy ? book_->bids_.size() : book_->asks_.size();
    }
    std::optional<Quote> quote() const {
      const auto bid = best_bid();
      const auto ask = best_ask();
      if (!bid || !ask) return std::nullopt;
      return Quote{bid->price, bid->amount, ask->price, ask->amount};
    }
    Depth depth(Side taker, Qty amount, Price limit) const {
      Depth found;
      const Side hit = opposite(taker);
      for (std::size_t n = 0; n < levels(hit) && found.amount < amount; ++n) {
        const Level l = *level(hit, n);
        if (taker == Side::buy ? l.price > limit : l.price < limit) break;
        const Qty take = std::min(l.amount, amount - found.amount);
        found.amount += take;
        found.notional.atto += (l.price * take).atto;
        found.worst = l.price;
      }
      return found;
    }

   private:
    template <class It>
    static std::optional<Level> nth(It begin, It end, std::size_t n) {
      for (; begin != end; ++begin) {
        if (n-- == 0) return Level{begin->first, begin->second};
      }
      return std::nullopt;
    }
    const MapOrderBook* book_;
  };

  void reset(std::uint64_t id = 0) {
    bids_.clear();
    asks_.clear();
    change_id_ = id;
    state_ = BookState::building;
  }
  bool apply(const BookDelta& d) {
    if (state_ != BookState::building && state_ != BookState::valid) return false;
    if (d.price.nano <= 0 || d.amount.nano < 0) return false;
    change_id_ = d.change_id;
    auto& side = d.side == Side::buy ? bids_ : asks_;
    if (d.amount.nano == 0) return side.erase(d.price) > 0;
    side[d.price] = d.amount;
    return true;
  }
  bool end_of_packet() {
    if (state_ == BookState::building) state_ = BookState::valid;
    if (state_ == BookState::valid && crossed()) state_ = BookState::invalid;
    return state_ == BookState::valid;
  }
  void invalidate() {
    if (state_ != BookState::nothing) state_ = BookState::invalid;
  }
  bool crossed() const {
    return !bids_.empty() && !asks_.empty() && bids_.rbegin()->first >= asks_.begin()->first;
  }
  std::optional<View> view() const {
    if (state_ != BookState::valid) return std::nullopt;
    return View{*this};
  }
  std::optional<Quote> top() const {
    const auto v = view();
    return v ? v->quote() : std::nullopt;
  }
  BookState state() const { return state_; }
  std::uint64_t change_id() const { return change_id_; }

 private:
  std::map<Price, Qty> bids_;
  std::map<Price, Qty> asks_;
  std::uint64_t change_id_{0};
  BookState state_{BookState::nothing};
};

template <class Book>
struct Made {
  Book book;
};
template <>
struct Made<FlatOrderBook> {
  std::vector<Level> bids = std::vector<Level>(1024);
  std::vector<Level> asks = std::vector<Level>(1024);
  FlatOrderBook book{bids, asks};
};

template <class Book>
class OrderBook : public testing::Test {
 protected:
  Made<Book> made;
  Book& book = made.book;

  void SetUp() override {
    book.reset(1);
    book.apply(delta(Side::buy, 100, 2));
    book.apply(delta(Side::buy, 99, 1));
    book.apply(delta(Side::sell, 102, 3));
    book.apply(delta(Side::sell, 105, 4));
    ASSERT_TRUE(book.end_of_packet());
  }
};
using Books = testing::Types<FlatOrderBook, MapOrderBook>;
TYPED_TEST_SUITE(OrderBook, Books);

TYPED_TEST(OrderBook, ShowsTheBestOfBothSides) {
  EXPECT_EQ(this->book.top(), (Quote{at(100), of(2), at(102), of(3)}));
  EXPECT_EQ(this->book.top()->mid(), at(101));
}

TYPED_TEST(OrderBook, DeletingBestBidPromotesNextLevel) {
  this->book.apply(delta(Side::buy, 100, 0));
  EXPECT_EQ(this->book.view()->best_bid(), (Level{at(99), of(1)}));
}

TYPED_TEST(OrderBook, AnAmountReplacesTheOldOne) {
  this->book.apply(delta(Side::sell, 102, 9));
  EXPECT_EQ(this->book.view()->best_ask(), (Level{at(102), of(9)}));
  EXPECT_EQ(this->book.view()->levels(Side::sell), 2U);
}

TYPED_TEST(OrderBook, DeletingAnAbsentLevelChangesNothing) {
  EXPECT_FALSE(this->book.apply(delta(Side::buy, 98, 0)));
  EXPECT_EQ(this->book.view()->levels(Side::buy), 2U);
}

TYPED_TEST(OrderBook, AnEmptySideHasNoQuoteButStaysValid) {
  this->book.apply(delta(Side::buy, 100, 0));
  this->book.apply(delta(Side::buy, 99, 0));
  EXPECT_TRUE(this->book.end_of_packet());
  EXPECT_FALSE(this->book.top());
  EXPECT_FALSE(this->book.view()->best_bid());
  EXPECT_TRUE(this->book.view()->best_ask());
}

TYPED_TEST(OrderBook, AnInvalidBookGivesNoPrice) {
  this->book.invalidate();
  EXPECT_FALSE(this->book.view());
  EXPECT_FALSE(this->book.top());
  EXPECT_FALSE(this->book.apply(delta(Side::buy, 101, 1)));
  EXPECT_FALSE(this->book.end_of_packet());
}

TYPED_TEST(OrderBook, ASnapshotIsNotReadableBeforeItsLastLevel) {
  this->book.reset(5);
  this->book.apply(delta(Side::buy, 90, 1));
  EXPECT_FALSE(this->book.view());
  this->book.apply(delta(Side::sell, 91, 1));
  EXPECT_TRUE(this->book.end_of_packet());
  EXPECT_EQ(this->book.top(), (Quote{at(90), of(1), at(91), of(1)}));
}

TYPED_TEST(OrderBook, ASnapshotReplacesAndNeverMerges) {
  this->book.reset(5);
  this->book.apply(delta(Side::buy, 90, 1));
  this->book.end_of_packet();
  EXPECT_EQ(this->book.view()->levels(Side::buy), 1U);
  EXPECT_EQ(this->book.view()->levels(Side::sell), 0U);
}

TYPED_TEST(OrderBook, ALockedOrCrossedBookIsInvalidAtTheEndOfThePacket) {
  this->book.apply(delta(Side::buy, 102, 1));
  EXPECT_TRUE(this->book.crossed());
  EXPECT_TRUE(this->book.view());  // within the packet a crossing may pass
  EXPECT_FALSE(this->book.end_of_packet());
  EXPECT_FALSE(this->book.view());
}

TYPED_TEST(OrderBook, RefusesLevelsThatCannotExist) {
  EXPECT_FALSE(this->book.apply(delta(Side::buy, 0, 1)));
  EXPECT_FALSE(this->book.apply(delta(Side::buy, -3, 1)));
  EXPECT_FALSE(this->book.apply(delta(Side::buy, 100, -1)));
  EXPECT_EQ(this->book.top()->bid_amount, of(2));
}

TYPED_TEST(OrderBook, ADepthWalkStopsAtTheAmountAndAtTheLimit) {
  const auto view = *this->book.view();
  EXPECT_EQ(view.depth(Side::buy, of(3), at(200)).worst, at(102));
  const Depth two = view.depth(Side::buy, of(5), at(200));
  EXPECT_EQ(two.amount, of(5));
  EXPECT_EQ(two.worst, at(105));
  EXPECT_TRUE(two.notional.atto == (at(102) * of(3)).atto + (at(105) * of(2)).atto);
  EXPECT_EQ(view.depth(Side::buy, of(5), at(104)).amount, of(3));
  EXPECT_EQ(view.depth(Side::sell, of(9), at(1)).amount, of(3));
}

TEST(FlatOrderBook, DropsTheWorstLevelWhenFullAndSaysSo) {
  std::vector<Level> bids(3);
  std::vector<Level> asks(3);
  FlatOrderBook book{bids, asks};
  book.reset();
  for (std::int64_t p : {10, 11, 12}) book.apply(delta(Side::buy, p, 1));
  EXPECT_FALSE(book.truncated());
  book.apply(delta(Side::buy, 13, 1));
  EXPECT_TRUE(book.truncated());
  book.apply(delta(Side::buy, 5, 1));  // worse than all that is kept
  book.end_of_packet();
  const BookView view = *book.view();
  EXPECT_EQ(view.level(Side::buy, 0)->price, at(13));
  EXPECT_EQ(view.level(Side::buy, 2)->price, at(11));
  book.apply(delta(Side::buy, 12, 0));
  EXPECT_EQ(book.view()->levels(Side::buy), 2U);
}

TEST(FlatOrderBook, AgreesWithItsTwinOverAMillionRandomChanges) {
  Made<FlatOrderBook> flat;
  MapOrderBook naive;
  std::mt19937_64 random{20240611};
  flat.book.reset();
  naive.reset();
  for (int i = 0; i < 1'000'000; ++i) {
    const std::uint64_t r = random();
    if (r % 50'000 == 0) {
      flat.book.reset(r);
      naive.reset(r);
    } else if (r % 60'000 == 1) {
      flat.book.invalidate();
      naive.invalidate();
    }
    BookDelta d = delta((r >> 8) % 2 == 0 ? Side::buy : Side::sell, 0, 0);
    // Bids below 500, asks above; now and then across.
    const auto offset = static_cast<std::int64_t>((r >> 16) % 400);
    d.price = at(d.side == Side::buy ? 499 - offset : 500 + offset);
    if (r % 20'011 == 0) d.price = at(500);
    d.amount = of((r >> 40) % 3 == 0 ? 0 : static_cast<std::int64_t>((r >> 44) % 9 + 1));
    d.change_id = r;
    ASSERT_EQ(flat.book.apply(d), naive.apply(d)) << i;
    if ((r >> 50) % 4 != 0) continue;
    ASSERT_EQ(flat.book.end_of_packet(), naive.end_of_packet()) << i;
    ASSERT_EQ(flat.book.state(), naive.state()) << i;
    ASSERT_EQ(flat.book.top(), naive.top()) << i;
    if (flat.book.state() == BookState::invalid) {
      flat.book.reset();
      naive.reset();
    }
    if (i % 997 != 0 || !flat.book.view()) continue;
    const auto a = *flat.book.view();
    const auto b = *naive.view();
    for (Side side : {Side::buy, Side::sell}) {
      ASSERT_EQ(a.levels(side), b.levels(side));
      for (std::size_t n = 0; n < a.levels(side); ++n)
        ASSERT_EQ(a.level(side, n), b.level(side, n));
    }
    ASSERT_EQ(a.depth(Side::buy, of(50), at(700)).amount,
              b.depth(Side::buy, of(50), at(700)).amount);
  }
}

TEST(BookPool, GivesEveryClassItsOwnCapacityAndThenNothing) {
  BookPool pool{1, 2, 32, 8};
  FlatOrderBook* future = pool.take(false);
  FlatOrderBook* first = pool.take(true);
  FlatOrderBook* second = pool.take(true);
  ASSERT_NE(future, nullptr);
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(future->capacity(), 32U);
  EXPECT_EQ(first->capacity(), 8U);
  EXPECT_EQ(pool.take(false), nullptr);
  EXPECT_EQ(pool.take(true), nullptr);
}

}  // namespace
}  // namespace gimbal
