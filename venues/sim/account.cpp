#include "venues/sim/account.hpp"

#include <algorithm>
#include <limits>

namespace gimbal::sim {
namespace {

bool in_usd(const Instrument& def) noexcept {
  return def.kind == InstrumentKind::inverse_perpetual ||
         def.kind == InstrumentKind::inverse_future;
}

i128 magnitude(i128 v) noexcept { return v < 0 ? -v : v; }

// value * part / whole, rounded to nearest, odd in value.
i128 share(i128 value, std::int64_t part, std::int64_t whole) noexcept {
  // |value| < 2^100 and part < 2^63 may not fit 128 bits together: split value first.
  const i128 size = magnitude(value);
  const i128 quotient = size / whole;
  const i128 rest = size % whole;
  const i128 result = quotient * part + divide(rest * part, whole, Rounding::nearest);
  return value < 0 ? -result : result;
}

i128 capped_option_fee(i128 rate_nano, const Instrument& def, i128 amount, i128 price,
                       i128 index) noexcept {
  i128 fee = divide(rate_nano * amount, nano_per_unit, Rounding::nearest);
  if (def.kind == InstrumentKind::linear_option) {
    fee = divide(fee * index, nano_per_unit, Rounding::nearest);
  }
  const i128 cap = divide(price * amount, static_cast<i128>(nano_per_unit) * 8, Rounding::nearest);
  return std::min(fee, cap);
}

}  // namespace

i128 signed_value(const Instrument& def, std::int64_t size, std::int64_t price) noexcept {
  const i128 amount = magnitude(size);
  i128 value = 0;
  if (in_usd(def)) {
    if (price <= 0) return 0;
    value = -divide(amount * nano_per_unit, price, Rounding::nearest);
  } else {
    value = divide(amount * price, nano_per_unit, Rounding::nearest);
  }
  return size < 0 ? -value : value;
}

i128 Holding::apply(const Instrument& def, std::int64_t amount, std::int64_t price) noexcept {
  const bool opening = size == 0 || (size > 0) == (amount > 0);
  if (opening) {
    const i128 value = signed_value(def, amount, price);
    size += amount;
    cost += value;
    entry += value;
    return 0;
  }
  const std::int64_t held = size < 0 ? -size : size;
  const std::int64_t traded = amount < 0 ? -amount : amount;
  if (traded > held) {  // through zero: close all, then open the rest at the exact remaining value
    const i128 total = signed_value(def, amount, price);
    const i128 closing = signed_value(def, -size, price);
    const i128 result = -closing - cost;
    size += amount;
    cost = entry = total - closing;
    realized += result;
    return result;
  }
  const i128 removed = traded == held ? cost : share(cost, traded, held);
  const i128 removed_entry = traded == held ? entry : share(entry, traded, held);
  const i128 result = -signed_value(def, amount, price) - removed;
  size += amount;
  cost -= removed;
  entry -= removed_entry;
  realized += result;
  return result;
}

Price Holding::average(const Instrument& def) const noexcept {
  if (size == 0 || entry == 0) return Price{absent_nano};
  const i128 held = magnitude(size);
  const i128 paid = magnitude(entry);
  const i128 price = in_usd(def) ? divide(held * nano_per_unit, paid, Rounding::nearest)
                                 : divide(paid * nano_per_unit, held, Rounding::nearest);
  return Price{fits_int64(price) ? static_cast<std::int64_t>(price) : absent_nano};
}

i128 fee_of(const Instrument& def, Liquidity side, std::int64_t amount, std::int64_t price,
            std::int64_t index) noexcept {
  const i128 rate = side == Liquidity::maker ? def.maker_fee_nano : def.taker_fee_nano;
  if (is_option(def.kind)) return capped_option_fee(rate, def, amount, price, index);
  const i128 worth = magnitude(signed_value(def, amount, price));
  const i128 fee = divide(worth * magnitude(rate), nano_per_unit, Rounding::nearest);
  return rate < 0 ? -fee : fee;
}

i128 delivery_fee_of(const Instrument& def, std::int64_t amount, std::int64_t payoff,
                     std::int64_t index) noexcept {
  constexpr i128 rate_nano = 150'000;
  return capped_option_fee(rate_nano, def, magnitude(amount), payoff, index);
}

Money to_money(i128 nano) noexcept {
  constexpr i128 top = std::numeric_limits<std::int64_t>::max();
  return Money{static_cast<std::int64_t>(std::clamp(nano, -top, top))};
}

}  // namespace gimbal::sim
