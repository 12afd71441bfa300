#include "engine/core/order_book.hpp"

#include <algorithm>
#include <cstring>

namespace gimbal {
namespace {

// One side, worst first. `better(a, b)`: a is nearer to the other side than b.
struct Ladder {
  std::span<Level> levels;
  std::size_t& count;
  bool bid;

  [[nodiscard]] bool better(Price a, Price b) const noexcept { return bid ? a > b : a < b; }

  // Index of the first level (from the front, worst first) that is not worse than `price`.
  [[nodiscard]] std::size_t find(Price price) const noexcept {
    std::size_t i = count;
    // Most changes touch the top: look at a few levels before searching the rest.
    for (int near = 0; near < 8; ++near) {
      if (i == 0 || better(price, levels[i - 1].price)) return i;
      --i;
      if (levels[i].price == price) return i;
    }
    std::size_t low = 0;
    std::size_t high = i;
    while (low < high) {
      const std::size_t middle = (low + high) / 2;
      if (better(price, levels[middle].price)) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  [[nodiscard]] bool holds(std::size_t at, Price price) const noexcept {
    return at < count && levels[at].price == price;
  }

  void erase(std::size_t at) noexcept {
    std::memmove(&levels[at], levels.data() + at + 1, (count - at - 1) * sizeof(Level));
    --count;
  }

  // False when a level fell off the far end.
  bool insert(std::size_t at, Level level) noexcept {
    if (count < levels.size()) {
      std::memmove(levels.data() + at + 1, levels.data() + at, (count - at) * sizeof(Level));
      levels[at] = level;
      ++count;
      return true;
    }
    if (at == 0) return false;  // worse than everything kept
    std::memmove(levels.data(), levels.data() + 1, (at - 1) * sizeof(Level));
    levels[at - 1] = level;
    return false;
  }
};

}  // namespace

void FlatOrderBook::reset(std::uint64_t change_id) noexcept {
  bid_count_ = 0;
  ask_count_ = 0;
  change_id_ = change_id;
  truncated_ = false;
  state_ = BookState::building;
}

bool FlatOrderBook::apply(const BookDelta& delta) noexcept {
  if (state_ != BookState::building && state_ != BookState::valid) return false;
  if (delta.price.nano <= 0 || delta.amount.nano < 0 || bids_.empty()) {
    ++refused_;
    return false;
  }
  change_id_ = delta.change_id;
  const bool bid = delta.side == Side::buy;
  Ladder side{bid ? bids_ : asks_, bid ? bid_count_ : ask_count_, bid};
  const std::size_t at = side.find(delta.price);
  if (side.holds(at, delta.price)) {
    if (delta.amount.nano == 0) {
      side.erase(at);
    } else {
      side.levels[at].amount = delta.amount;
    }
    return true;
  }
  if (delta.amount.nano == 0) {
    ++missing_;
    return false;
  }
  if (!side.insert(at, Level{delta.price, delta.amount})) truncated_ = true;
  return true;
}

bool FlatOrderBook::end_of_packet() noexcept {
  if (state_ == BookState::building) state_ = BookState::valid;
  if (state_ == BookState::valid && crossed()) state_ = BookState::invalid;
  return state_ == BookState::valid;
}

bool FlatOrderBook::crossed() const noexcept {
  const Level* bid = best(Side::buy);
  const Level* ask = best(Side::sell);
  return bid != nullptr && ask != nullptr && bid->price >= ask->price;
}

const Level* FlatOrderBook::best(Side side) const noexcept {
  if (side == Side::buy) return bid_count_ == 0 ? nullptr : &bids_[bid_count_ - 1];
  return ask_count_ == 0 ? nullptr : &asks_[ask_count_ - 1];
}

std::optional<Level> BookView::best_bid() const noexcept {
  const Level* level = book_->best(Side::buy);
  return level == nullptr ? std::nullopt : std::optional<Level>{*level};
}

std::optional<Level> BookView::best_ask() const noexcept {
  const Level* level = book_->best(Side::sell);
  return level == nullptr ? std::nullopt : std::optional<Level>{*level};
}

std::optional<Quote> BookView::quote() const noexcept {
  const Level* bid = book_->best(Side::buy);
  const Level* ask = book_->best(Side::sell);
  if (bid == nullptr || ask == nullptr) return std::nullopt;
  return Quote{bid->price, bid->amount, ask->price, ask->amount};
}

std::size_t BookView::levels(Side side) const noexcept {
  return side == Side::buy ? book_->bid_count_ : book_->ask_count_;
}

std::optional<Level> BookView::level(Side side, std::size_t n) const noexcept {
  const std::size_t count = levels(side);
  if (n >= count) return std::nullopt;
  return (side == Side::buy ? book_->bids_ : book_->asks_)[count - 1 - n];
}

Depth BookView::depth(Side taker, Qty amount, Price limit) const noexcept {
  Depth found;
  const bool buying = taker == Side::buy;
  const auto& levels_of = buying ? book_->asks_ : book_->bids_;
  for (std::size_t i = buying ? book_->ask_count_ : book_->bid_count_; i > 0; --i) {
    const Level& at = levels_of[i - 1];
    if (found.amount >= amount || (buying ? at.price > limit : at.price < limit)) break;
    const Qty take = std::min(at.amount, amount - found.amount);
    found.amount += take;
    found.notional.atto += (at.price * take).atto;
    found.worst = at.price;
  }
  return found;
}

BookPool::BookPool(std::size_t delta_one_books, std::size_t option_books,
                   std::size_t delta_one_levels, std::size_t option_levels)
    : delta_one_max_{delta_one_books},
      option_max_{option_books},
      delta_one_levels_{delta_one_levels},
      option_levels_{option_levels},
      delta_one_storage_(delta_one_books * delta_one_levels * 2),
      option_storage_(option_books * option_levels * 2) {
  books_.reserve(delta_one_books + option_books);
}

FlatOrderBook* BookPool::take(bool option) noexcept {
  if (left(option) == 0) return nullptr;
  std::size_t& used = option ? option_used_ : delta_one_used_;
  const std::size_t levels = option ? option_levels_ : delta_one_levels_;
  Level* at = (option ? option_storage_ : delta_one_storage_).data() + used * levels * 2;
  ++used;
  books_.emplace_back(std::span<Level>{at, levels}, std::span<Level>{at + levels, levels});
  return &books_.back();
}

}  // namespace gimbal
