// Strong types for prices, quantities and money. Orders are integers; analytics may be doubles.
//
// Scale: one unit = 1e9 nano, in a signed 64-bit integer, so the range is +-9.22e9 units. A decoder
// or the instrument loader refuses what does not fit; nothing saturates silently. Only products
// that mean something exist: Price * Qty is a Notional; Price + Price does not compile.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>

namespace gimbal {

__extension__ typedef __int128 i128;

inline constexpr std::int64_t nano_per_unit = 1'000'000'000;

// A difference between two prices, at 1e-9.
struct PriceOffset {
  std::int64_t nano{0};
  friend constexpr auto operator<=>(PriceOffset, PriceOffset) = default;
};

// Price in the instrument's quote: coins for inverse options, USD for inverse futures, quote
// currency for linear instruments. Unit: 1e-9 of that currency.
struct Price {
  std::int64_t nano{0};
  friend constexpr auto operator<=>(Price, Price) = default;
};

// Signed quantity in the venue's `amount` unit: USD for inverse futures and perpetuals, base coins
// for options and linear instruments. Unit: 1e-9. Buys and long positions are positive.
struct Qty {
  std::int64_t nano{0};
  friend constexpr auto operator<=>(Qty, Qty) = default;
};

// An amount of one currency as a venue books it (fee, cash, profit), at 1e-9.
struct Money {
  std::int64_t nano{0};
  friend constexpr auto operator<=>(Money, Money) = default;
};

// The full product of a price and a quantity, at 1e-18; rounded once, by name, elsewhere.
struct Notional {
  i128 atto{0};
  friend constexpr bool operator==(Notional, Notional) = default;
  friend constexpr bool operator<(Notional a, Notional b) noexcept { return a.atto < b.atto; }
};

constexpr Price operator+(Price p, PriceOffset d) noexcept { return Price{p.nano + d.nano}; }
constexpr Price operator-(Price p, PriceOffset d) noexcept { return Price{p.nano - d.nano}; }
constexpr PriceOffset operator-(Price a, Price b) noexcept { return PriceOffset{a.nano - b.nano}; }
constexpr PriceOffset operator-(PriceOffset d) noexcept { return PriceOffset{-d.nano}; }

constexpr Qty operator+(Qty a, Qty b) noexcept { return Qty{a.nano + b.nano}; }
constexpr Qty operator-(Qty a, Qty b) noexcept { return Qty{a.nano - b.nano}; }
constexpr Qty operator-(Qty a) noexcept { return Qty{-a.nano}; }
constexpr Qty& operator+=(Qty& a, Qty b) noexcept { return a = a + b; }
constexpr Qty& operator-=(Qty& a, Qty b) noexcept { return a = a - b; }
constexpr Qty abs(Qty a) noexcept { return a.nano < 0 ? -a : a; }

constexpr Money operator+(Money a, Money b) noexcept { return Money{a.nano + b.nano}; }
constexpr Money operator-(Money a, Money b) noexcept { return Money{a.nano - b.nano}; }
constexpr Money operator-(Money a) noexcept { return Money{-a.nano}; }
constexpr Money& operator+=(Money& a, Money b) noexcept { return a = a + b; }

constexpr Notional operator*(Price p, Qty q) noexcept {
  return Notional{static_cast<i128>(p.nano) * q.nano};
}

// Addition that refuses to wrap: false and `out` untouched on overflow.
[[nodiscard]] constexpr bool add_checked(Qty a, Qty b, Qty& out) noexcept {
  std::int64_t sum = 0;
  if (__builtin_add_overflow(a.nano, b.nano, &sum)) return false;
  out = Qty{sum};
  return true;
}

enum class Side : std::uint8_t { buy = 0, sell = 1 };
constexpr Side opposite(Side s) noexcept { return s == Side::buy ? Side::sell : Side::buy; }
constexpr Qty signed_qty(Side s, Qty size) noexcept { return s == Side::buy ? size : -size; }
constexpr Side side_of(Qty signed_amount) noexcept {
  return signed_amount.nano < 0 ? Side::sell : Side::buy;
}

// Named roundings: towards the passive or the aggressive side of an order, or plain directions.
enum class Rounding : std::uint8_t { down, up, nearest };
constexpr Rounding passive(Side s) noexcept {
  return s == Side::buy ? Rounding::down : Rounding::up;
}
constexpr Rounding aggressive(Side s) noexcept {
  return s == Side::buy ? Rounding::up : Rounding::down;
}

// Integer division with a named rounding; `step` must be positive.
// One word by one word takes the processor's own division, or a multiplication where the step is a
// constant; two words a call that is some ten times as long.
constexpr i128 divide(i128 value, i128 step, Rounding mode) noexcept {
  const auto v = static_cast<std::int64_t>(value);
  const auto s = static_cast<std::int64_t>(step);
  const bool words = v == value && s == step && s > 0;
  const i128 quotient = words ? v / s : value / step;
  const i128 rest = value - quotient * step;
  if (rest == 0) return quotient;
  const i128 floor = quotient - (rest < 0 ? 1 : 0);
  if (mode == Rounding::down) return floor;
  if (mode == Rounding::up) return floor + 1;
  const i128 above = value - floor * step;
  return above * 2 >= step ? floor + 1 : floor;
}

constexpr bool fits_int64(i128 value) noexcept {
  return value >= std::numeric_limits<std::int64_t>::min() &&
         value <= std::numeric_limits<std::int64_t>::max();
}

// --- analytics: doubles in distinct types -----------------------------------------------------
// Delta in base coins; gamma in coins per quote unit; vega per 1.00 of volatility; theta per year.
struct Delta {
  double value{0};
};
struct Gamma {
  double value{0};
};
struct Vega {
  double value{0};
};
struct Theta {
  double value{0};
};
struct Vol {
  double value{0};
};  // Black volatility per sqrt(year), a fraction (0.60), not percent

constexpr double to_double(Price p) noexcept { return static_cast<double>(p.nano) * 1e-9; }
constexpr double to_double(Qty q) noexcept { return static_cast<double>(q.nano) * 1e-9; }
constexpr double to_double(Money m) noexcept { return static_cast<double>(m.nano) * 1e-9; }

// The one door from analytics to decisions: a double becomes integer nano-units, half away from
// zero, before it is compared with anything. Out of range or NaN gives `false`.
[[nodiscard]] constexpr bool decision_nano(double value, std::int64_t& out) noexcept {
  const double scaled = value * 1e9;
  if (!(scaled > -9.2e18 && scaled < 9.2e18)) return false;
  out = static_cast<std::int64_t>(scaled + (scaled < 0 ? -0.5 : 0.5));
  return true;
}

}  // namespace gimbal
