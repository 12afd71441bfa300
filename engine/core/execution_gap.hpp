// What execution cost: every fill against the prices when its order was decided, when its bytes
// left, and 1 s and 60 s after the fill; sums per strategy and per venue.
//
// Hot. Integers only, O(1) a fill and a mark, fixed memory. Times are the events': a mark is the
// first price at or after its due time. Nothing here decides anything.
//
// Signs: a cost is positive, so is a gain after the fill. USD at 1e-9; what settles in a coin is
// taken at the index of the moment of the fill.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/core/ids.hpp"
#include "engine/core/instrument.hpp"
#include "engine/core/orders.hpp"
#include "engine/core/payload.hpp"
#include "engine/core/time.hpp"
#include "engine/core/units.hpp"

namespace gimbal {

inline constexpr std::size_t gap_fills_kept = 4096;  // fills that may wait for their 60 s mark
inline constexpr std::array<Nanos, 2> gap_marks{seconds(1), seconds(60)};

struct FillGap {
  OrderId order{};
  InstrumentId instrument{};
  VenueId venue{};
  Side side{Side::buy};
  bool priced{false};  // the sums below could be taken: every price was known
  RecvTime at{};
  Price price{};
  Qty amount{};
  Price decision{};     // mid when decided
  Price theoretical{};  // our model's price of an option, the venue's mark of the rest; 0: none
  Price arrival{};      // mid when the order's bytes left; 0: not seen
  Price index{};
  Money shortfall_usd{};  // fill against decision
  Money delay_usd{};      // the part of it until the bytes left
  Money theory_usd{};     // fill against theoretical
  Money fee_usd{};
  std::array<Price, 2> mark{};  // mid 1 s and 60 s later; 0: not yet, or none
  std::array<Money, 2> after_usd{};
};

struct GapTotals {
  std::uint64_t fills{0};
  std::uint64_t unpriced{0};  // fills left out of the sums: a price was missing
  std::array<std::uint64_t, 2> marked{};
  Money traded_usd{};
  Money shortfall_usd{};
  Money delay_usd{};
  Money theory_usd{};
  Money fees_usd{};
  std::array<Money, 2> after_usd{};
};

class ExecutionGaps {
 public:
  explicit ExecutionGaps(std::size_t fills_kept = gap_fills_kept);

  // A fill of an order of ours, repetitions removed. `index`: USD of the coin, 0 when not known.
  void on_fill(const Instrument& instrument, const Order& order, const Fill& fill, Price index,
               RecvTime now) noexcept;
  // Earliest time at which a fill wants its mark; RecvTime max when none does.
  [[nodiscard]] RecvTime next_due() const noexcept { return due_; }
  // The fill that wants mark `which` now, or nullptr.
  [[nodiscard]] const FillGap* due(std::size_t which, RecvTime now) const noexcept;
  // Its price, 0 when there is none; takes it off the queue.
  void mark(std::size_t which, const Instrument& instrument, Price price) noexcept;

  [[nodiscard]] const GapTotals& of(StrategyId s) const noexcept { return strategies_[s.value]; }
  [[nodiscard]] const GapTotals& of(VenueId v) const noexcept { return venues_[v.value]; }
  // Fills so far; the newest gap_fills_kept of them can be read by their number, from 0.
  [[nodiscard]] std::uint64_t fills() const noexcept { return total_; }
  [[nodiscard]] std::uint64_t marked(std::size_t which) const noexcept { return next_[which]; }
  [[nodiscard]] const FillGap& fill(std::uint64_t n) const noexcept { return ring_[n & mask_]; }
  // Fills whose mark was given up because too many waited.
  [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_; }

 private:
  void make_room() noexcept;
  void plan() noexcept;

  std::vector<FillGap> ring_;
  std::uint64_t mask_;
  std::uint64_t total_{0};
  std::array<std::uint64_t, 2> next_{};  // first fill without its mark
  RecvTime due_{INT64_MAX};
  std::uint64_t dropped_{0};
  std::array<GapTotals, strategies_max> strategies_{};
  std::array<GapTotals, venues_max> venues_{};
};

// What holding signed `amount` from `from` to `to` is worth in USD; false when a price is missing.
[[nodiscard]] bool profit_usd(const Instrument& instrument, Price from, Price to, Qty amount,
                              Price index, Money& out) noexcept;

}  // namespace gimbal
