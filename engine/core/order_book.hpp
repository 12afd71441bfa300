// Order book of one instrument: sorted contiguous levels over storage given at construction.
//
// Hot. No allocation. The best level of each side is at the back, so changes near the top move few
// bytes. Permission to read a price is a type: the only way to one is `view()`, which is empty
// unless the book is valid, so a stale or gapped book cannot leak a price into a decision.
//
// Life: nothing -> (BookReset) building -> (end of packet) valid -> (gap, disconnect, crossed)
// invalid -> (BookReset) building. Deltas outside building and valid are dropped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/core/bring_near.hpp"
#include "engine/core/payload.hpp"
#include "engine/core/units.hpp"

namespace gimbal {

inline constexpr std::size_t delta_one_levels_max = 8192;  // a side
inline constexpr std::size_t option_levels_max = 512;      // a side

struct Level {
  Price price{};
  Qty amount{};
  friend constexpr bool operator==(const Level&, const Level&) = default;
};

// Both best levels of a valid, uncrossed book.
struct Quote {
  Price bid{};
  Qty bid_amount{};
  Price ask{};
  Qty ask_amount{};
  [[nodiscard]] constexpr Price mid() const noexcept {
    return Price{bid.nano + (ask.nano - bid.nano) / 2};
  }
  friend constexpr bool operator==(const Quote&, const Quote&) = default;
};

enum class BookState : std::uint8_t { nothing, building, valid, invalid };

// What a depth walk found: `amount` of the request is available at an average cost of
// `notional / amount`, the last level used being `worst`.
struct Depth {
  Qty amount{};
  Notional notional{};
  Price worst{};
};

class FlatOrderBook;

// Read access to a valid book; made only by FlatOrderBook::view(). Do not keep it across events.
class BookView {
 public:
  [[nodiscard]] std::optional<Level> best_bid() const noexcept;
  [[nodiscard]] std::optional<Level> best_ask() const noexcept;
  // Empty when a side is empty.
  [[nodiscard]] std::optional<Quote> quote() const noexcept;
  // Walks the side that an order of `taker` would hit until `amount` is found or `limit` is passed.
  [[nodiscard]] Depth depth(Side taker, Qty amount, Price limit) const noexcept;
  // The n-th level from the best, 0 first; empty past the end.
  [[nodiscard]] std::optional<Level> level(Side side, std::size_t n) const noexcept;
  [[nodiscard]] std::size_t levels(Side side) const noexcept;

 private:
  friend class FlatOrderBook;
  explicit BookView(const FlatOrderBook& book) noexcept : book_{&book} {}
  const FlatOrderBook* book_;
};

class FlatOrderBook {
 public:
  FlatOrderBook() noexcept = default;
  // Both spans have the same size, the capacity of a side, and outlive the book.
  FlatOrderBook(std::span<Level> bids, std::span<Level> asks) noexcept : bids_{bids}, asks_{asks} {}

  // A snapshot begins: drops every level and starts building.
  void reset(std::uint64_t change_id = 0) noexcept;
  // One level's new total amount; zero deletes. A non-positive price or negative amount is counted
  // and dropped. False when the book takes no deltas or the level was refused.
  bool apply(const BookDelta& delta) noexcept;
  // The packet is complete: building becomes valid; a crossed or locked book becomes invalid.
  // True when the state or a best level may be used now.
  bool end_of_packet() noexcept;
  void invalidate() noexcept {
    if (state_ != BookState::nothing) state_ = BookState::invalid;
  }

  [[nodiscard]] std::optional<BookView> view() const noexcept {
    if (state_ != BookState::valid) return std::nullopt;
    return BookView{*this};
  }
  // The quote of a valid book with both sides present.
  [[nodiscard]] std::optional<Quote> top() const noexcept {
    if (state_ != BookState::valid) return std::nullopt;
    return BookView{*this}.quote();
  }

  // The best levels of both sides: bring_near.hpp.
  void look_over() const noexcept {
    constexpr std::size_t near = 8;
    bring_near(*this);
    for (const auto& [levels, count] :
         {std::pair{bids_, bid_count_}, std::pair{asks_, ask_count_}}) {
      bring_near(levels.data() + (count > near ? count - near : 0), (near + 1) * sizeof(Level));
    }
  }
  [[nodiscard]] BookState state() const noexcept { return state_; }
  [[nodiscard]] bool crossed() const noexcept;
  // Levels were dropped because a side was full; deep amounts are a lower bound.
  [[nodiscard]] bool truncated() const noexcept { return truncated_; }
  [[nodiscard]] std::uint64_t change_id() const noexcept { return change_id_; }
  [[nodiscard]] std::size_t capacity() const noexcept { return bids_.size(); }
  // Deltas dropped: bad numbers, or deletion of a level that is not there.
  [[nodiscard]] std::uint64_t refused() const noexcept { return refused_; }
  [[nodiscard]] std::uint64_t missing_deletes() const noexcept { return missing_; }

 private:
  friend class BookView;
  [[nodiscard]] const Level* best(Side side) const noexcept;

  std::span<Level> bids_{};
  std::span<Level> asks_{};
  std::size_t bid_count_{0};
  std::size_t ask_count_{0};
  std::uint64_t change_id_{0};
  std::uint64_t refused_{0};
  std::uint64_t missing_{0};
  BookState state_{BookState::nothing};
  bool truncated_{false};
};

// Hands out books from two preallocated classes of storage. Never frees: a book lives as long as
// its instrument id, which is the whole boot.
class BookPool {
 public:
  BookPool(std::size_t delta_one_books, std::size_t option_books,
           std::size_t delta_one_levels = delta_one_levels_max,
           std::size_t option_levels = option_levels_max);

  // nullptr when the class is exhausted.
  [[nodiscard]] FlatOrderBook* take(bool option) noexcept;
  [[nodiscard]] std::size_t left(bool option) const noexcept {
    return option ? option_max_ - option_used_ : delta_one_max_ - delta_one_used_;
  }

 private:
  std::size_t delta_one_max_, option_max_, delta_one_levels_, option_levels_;
  std::size_t delta_one_used_{0};
  std::size_t option_used_{0};
  std::vector<Level> delta_one_storage_;
  std::vector<Level> option_storage_;
  std::vector<FlatOrderBook> books_;
};

}  // namespace gimbal
