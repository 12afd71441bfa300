// Realised and marked profit in integers: what every strategy traded, fees included, and what the
// account held besides ("house": positions found at the venue, fills of no strategy).
//
// Hot. Memory is taken at construction; a mark costs O(owners of the instrument). One slot per
// (instrument, owner) keeps cash and worth in the settlement currency at 1e-18, so that nothing
// piles up: profit = cash + worth at the mark, at any time, whatever happened in between.
//   inverse futures: a buy of q USD at p gives q/p coins, held q is worth -q/mark
//   everything else: a buy of q at p costs q p, held q is worth q mark
// Sums per owner and book, a book being an underlying and whether it settles in the coin.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/core/ids.hpp"
#include "engine/core/instrument.hpp"
#include "engine/core/units.hpp"

namespace gimbal {

class ProfitLedger {
 public:
  static constexpr std::size_t owners_max = strategies_max + 1;
  static constexpr std::size_t house = strategies_max;

  // `instruments`: ids below it have a house slot for certain; strategies share `slots` more.
  explicit ProfitLedger(std::size_t instruments, std::size_t slots = 4096);

  // `signed_amount` at `price` (positive); `fee` in the settlement currency, positive is paid.
  void trade(const Instrument& i, std::size_t owner, Qty signed_amount, Price price,
             Money fee) noexcept;
  // The account's position changed by other than a trade: from the mark on it counts, until there
  // is a mark it waits. For the house.
  void adopt(const Instrument& i, Qty signed_change) noexcept;
  // The venue's mark. True when a profit changed.
  bool mark(const Instrument& i, Price price) noexcept;
  // Expired: everything is closed at `price`, which is zero for a worthless option.
  void settle(const Instrument& i, Price price) noexcept;

  // Since the day began, in USD at 1e-9, rounded down; `index` by underlying, zero when unknown:
  // then a coin book counts as nothing.
  template <class IndexOf>
  [[nodiscard]] std::int64_t day_usd(std::size_t owner, IndexOf&& index_of) const noexcept {
    i128 usd = 0;
    for (std::size_t b = 0; b < books_used_; ++b) {
      const std::size_t book = used_[b];
      const i128 coins = profit(owner, book);
      if (coins == 0) continue;
      usd += in_coin(book)
                 ? divide(coins * index_of(underlying_of(book)).nano, nano_per_unit, Rounding::down)
                 : coins;
    }
    return clamp(usd);
  }
  template <class IndexOf>
  [[nodiscard]] std::int64_t day_usd(IndexOf&& index_of) const noexcept {
    i128 usd = 0;
    for (std::size_t owner = 0; owner < owners_max; ++owner) {
      if (seen_[owner]) usd += day_usd(owner, index_of);
    }
    return clamp(usd);
  }
  // From now on profits count from zero.
  void begin_day() noexcept { base_ = sum_; }

  [[nodiscard]] bool traded(std::size_t owner) const noexcept { return seen_[owner]; }
  [[nodiscard]] Qty held(InstrumentId id, std::size_t owner) const noexcept;
  // Calls visit(owner, amount, mark) for every owner that holds of the instrument; no mark: zero.
  template <class Visit>
  void each_owner(InstrumentId id, Visit&& visit) const noexcept {
    if (id.value >= lines_.size()) return;
    for (std::uint32_t n = lines_[id.value].first; n != none; n = slots_[n].next) {
      if (slots_[n].held.nano != 0) visit(slots_[n].owner, slots_[n].held, lines_[id.value].mark);
    }
  }
  // Since start, settlement currency at 1e-9, rounded down.
  [[nodiscard]] std::int64_t total(std::size_t owner, UnderlyingId u, bool coin) const noexcept;
  // Fills that a strategy's own slot had no room for: booked to the house.
  [[nodiscard]] std::uint64_t without_slot() const noexcept { return without_slot_; }

 private:
  static constexpr std::uint32_t none = UINT32_MAX;
  static constexpr std::size_t books_max = underlyings_max * 2;
  static constexpr i128 atto_per_nano = 1'000'000'000;

  struct Slot {
    std::size_t owner{0};
    Qty held{};
    Qty waiting{};  // adopted before the first mark
    i128 cash{0};
    i128 worth{0};
    std::uint32_t next{none};
  };
  struct Line {  // one per instrument
    std::uint32_t first{none};
    Price mark{};
  };

  static std::size_t book_of(const Instrument& i) noexcept {
    return i.underlying.value * std::size_t{2} + (is_inverse(i.kind) ? 1 : 0);
  }
  static bool in_coin(std::size_t book) noexcept { return book % 2 == 1; }
  static UnderlyingId underlying_of(std::size_t book) noexcept {
    return {static_cast<std::uint8_t>(book / 2)};
  }
  static std::int64_t clamp(i128 v) noexcept {
    if (fits_int64(v)) return static_cast<std::int64_t>(v);
    return v < 0 ? INT64_MIN : INT64_MAX;
  }
  static i128 worth_of(const Instrument& i, Qty held, Price mark) noexcept;
  [[nodiscard]] i128 profit(std::size_t owner, std::size_t book) const noexcept {
    return divide(sum_[owner][book] - base_[owner][book], atto_per_nano, Rounding::down);
  }
  Slot* slot(const Instrument& i, std::size_t owner) noexcept;
  void move(const Instrument& i, Slot& s, Qty signed_amount, Price price) noexcept;
  void note(const Instrument& i, Slot& s, i128 before) noexcept;

  std::vector<Slot> slots_;
  std::size_t slots_used_{0};
  std::size_t strategy_slots_left_;
  std::vector<Line> lines_;
  std::array<std::array<i128, books_max>, owners_max> sum_{};
  std::array<std::array<i128, books_max>, owners_max> base_{};
  std::array<bool, owners_max> seen_{};
  std::array<std::size_t, books_max> used_{};
  std::size_t books_used_{0};
  std::uint64_t without_slot_{0};
};

}  // namespace gimbal
