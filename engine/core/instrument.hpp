// What can be traded: kind, tick schedule, lot, expiry, and what one unit of it is worth.
//
// The table is dense, of fixed capacity and append-only: an InstrumentId stays valid for the whole
// boot. A change (new expiry listed, tick size changed, settled) is an InstrumentChange event; the
// instrument is invalid from the event that announces it until the new definition is adopted.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/core/ids.hpp"
#include "engine/core/time.hpp"
#include "engine/core/units.hpp"

namespace gimbal {

enum class InstrumentKind : std::uint8_t {
  inverse_perpetual,  // amount in USD, price in USD, settled in the coin
  inverse_future,     // the same with an expiry
  linear_perpetual,   // amount in coins, price and settlement in the quote currency
  linear_future,
  inverse_option,  // amount in coins, price in coins, strike in USD
  linear_option,   // amount in coins, price, strike and settlement in the quote currency
};
constexpr bool is_option(InstrumentKind k) noexcept {
  return k == InstrumentKind::inverse_option || k == InstrumentKind::linear_option;
}
constexpr bool is_inverse(InstrumentKind k) noexcept {
  return k == InstrumentKind::inverse_perpetual || k == InstrumentKind::inverse_future ||
         k == InstrumentKind::inverse_option;
}
constexpr bool is_perpetual(InstrumentKind k) noexcept {
  return k == InstrumentKind::inverse_perpetual || k == InstrumentKind::linear_perpetual;
}

enum class OptionType : std::uint8_t { none, call, put };

// The tick of a price is that of the highest step whose `above` is strictly below the price; the
// base tick otherwise (Deribit get_instruments: tick_size, tick_size_steps).
struct TickStep {
  Price above;
  Price tick;
};
struct TickSchedule {
  static constexpr std::size_t steps_max = 6;
  Price base{};
  std::array<TickStep, steps_max> steps{};  // ascending by `above`
  std::uint8_t count{0};

  [[nodiscard]] Price tick_at(Price p) const noexcept;
  [[nodiscard]] bool on_tick(Price p) const noexcept;
  // Rounds to a price that is on the schedule. Rounding up may cross into a coarser step; the
  // result is on that step's grid. Zero or negative base tick: returns `p` unchanged.
  [[nodiscard]] Price snap(Price p, Rounding mode) const noexcept;
};

// invalid: its terms are in doubt, nothing may be sent; settled is for good.
enum class InstrumentState : std::uint8_t { invalid, open, closed, settled };

struct Instrument {
  InstrumentId id{};
  VenueId venue{};
  InstrumentKind kind{InstrumentKind::inverse_perpetual};
  OptionType option{OptionType::none};
  InstrumentState state{InstrumentState::invalid};
  UnderlyingId underlying{};
  ExpiryId expiry_id{};   // perpetuals share one bucket per underlying with expiry 0
  Currency settlement{};  // currency of cash, fees and margin
  Price strike{};         // options only
  ExchTime expiry{};      // zero for perpetuals
  TickSchedule ticks{};
  Qty lot{};  // amounts are multiples of this
  Qty amount_min{};
  Qty contract_size{};             // amount of one contract
  std::int64_t maker_fee_nano{0};  // fraction of notional (futures) or coins per contract (options)
  std::int64_t taker_fee_nano{0};

  // Worth in USD of `amount` at `price`, with `index` the USD price of the coin. Rounded half up to
  // 1e-9 USD; false when it does not fit 64 bits. Magnitude only: the sign of amount is dropped.
  //   inverse perpetual/future: |amount|          linear: |amount| * price
  //   inverse option: |amount| * price * index    linear option: |amount| * price
  [[nodiscard]] bool notional_usd(Price price, Qty amount, Price index, Money& out) const noexcept;

  // Exposure of `amount` in USD, for size and position limits. Options count their underlying:
  // |amount| * index; the others as notional_usd.
  [[nodiscard]] bool exposure_usd(Price price, Qty amount, Price index, Money& out) const noexcept;

  // Delta-one position in coins (signed): inverse amount / price, linear amount. Options: amount.
  [[nodiscard]] double coins(Qty amount, double price) const noexcept;

  // Cash change in the settlement currency from holding signed `amount` from `from` to `to`,
  // rounded half away from zero: inverse futures amount * (1/from - 1/to); everything else amount *
  // (to - from). False when a price is not positive (inverse) or the result does not fit.
  [[nodiscard]] bool profit(Price from, Price to, Qty amount, Money& out) const noexcept;
};

// Whether an order priced and sized for `a` means the same under `b`: ticks, lot, smallest amount,
// contract size and fees. Identity and state are not looked at.
[[nodiscard]] bool same_terms(const Instrument& a, const Instrument& b) noexcept;

class InstrumentTable {
 public:
  explicit InstrumentTable(std::size_t capacity = instruments_max);

  // Appends and gives the id; an invalid id when full or when the definition is refused (see
  // `acceptable`). Assigns expiry_id from (underlying, expiry).
  InstrumentId add(Instrument instrument) noexcept;
  // Replaces the definition of a known instrument; identity (kind, strike, expiry, underlying,
  // settlement) must be equal, otherwise false and nothing changes.
  [[nodiscard]] bool redefine(const Instrument& changed) noexcept;
  void set_state(InstrumentId id, InstrumentState state) noexcept;

  [[nodiscard]] bool contains(InstrumentId id) const noexcept { return id.value < items_.size(); }
  [[nodiscard]] const Instrument& operator[](InstrumentId id) const noexcept {
    return items_[id.value];
  }
  [[nodiscard]] std::size_t size() const noexcept { return items_.size(); }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

  struct Expiry {
    UnderlyingId underlying{};
    ExchTime at{};  // zero: the perpetuals' bucket
  };
  [[nodiscard]] std::size_t expiry_count() const noexcept { return expiry_count_; }
  [[nodiscard]] const Expiry& expiry(ExpiryId id) const noexcept { return expiries_[id.value]; }

  // Whether the definition can be traded exactly at 1e-9: positive tick and lot, ascending steps,
  // option fields present on options only.
  [[nodiscard]] static bool acceptable(const Instrument& instrument) noexcept;

 private:
  ExpiryId expiry_for(UnderlyingId underlying, ExchTime at) noexcept;

  std::size_t capacity_;
  std::vector<Instrument> items_;  // reserved at construction, never grows past it
  std::array<Expiry, expiries_max> expiries_{};
  std::size_t expiry_count_{0};
};

}  // namespace gimbal
