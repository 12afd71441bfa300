#include "engine/core/instrument.hpp"

#include <algorithm>

namespace gimbal {

Price TickSchedule::tick_at(Price p) const noexcept {
  Price tick = base;
  for (std::size_t i = 0; i < count && steps[i].above < p; ++i) tick = steps[i].tick;
  return tick;
}

bool TickSchedule::on_tick(Price p) const noexcept {
  const Price tick = tick_at(p);
  return tick.nano > 0 && p.nano % tick.nano == 0;
}

Price TickSchedule::snap(Price p, Rounding mode) const noexcept {
  if (base.nano <= 0) return p;
  // Rounding can move a price across a step onto another grid; two passes always settle, because a
  // step's boundary is itself a multiple of both ticks on every venue (checked at load).
  for (int pass = 0; pass < 2; ++pass) {
    const std::int64_t tick = tick_at(p).nano;
    const i128 snapped = divide(p.nano, tick, mode) * tick;
    if (!fits_int64(snapped)) return p;
    p = Price{static_cast<std::int64_t>(snapped)};
  }
  return p;
}

namespace {

bool to_money(i128 nano, Money& out) noexcept {
  if (!fits_int64(nano)) return false;
  out = Money{static_cast<std::int64_t>(nano)};
  return true;
}

i128 magnitude(i128 v) noexcept { return v < 0 ? -v : v; }

// |a| * |b| at 1e-9 from two 1e-9 factors.
i128 product_nano(i128 a, i128 b) noexcept {
  return divide(magnitude(a) * magnitude(b), nano_per_unit, Rounding::nearest);
}

}  // namespace

bool Instrument::notional_usd(Price price, Qty amount, Price index, Money& out) const noexcept {
  if (kind == InstrumentKind::inverse_perpetual || kind == InstrumentKind::inverse_future) {
    return to_money(magnitude(amount.nano), out);
  }
  const i128 value = product_nano(price.nano, amount.nano);
  if (kind != InstrumentKind::inverse_option) return to_money(value, out);
  if (!fits_int64(value)) return false;
  return to_money(product_nano(value, index.nano), out);
}

bool Instrument::exposure_usd(Price price, Qty amount, Price index, Money& out) const noexcept {
  if (is_option(kind)) return to_money(product_nano(amount.nano, index.nano), out);
  return notional_usd(price, amount, index, out);
}

double Instrument::coins(Qty amount, double price) const noexcept {
  const bool in_usd =
      kind == InstrumentKind::inverse_perpetual || kind == InstrumentKind::inverse_future;
  return in_usd ? to_double(amount) / price : to_double(amount);
}

bool Instrument::profit(Price from, Price to, Qty amount, Money& out) const noexcept {
  const bool in_usd =
      kind == InstrumentKind::inverse_perpetual || kind == InstrumentKind::inverse_future;
  if (!in_usd) {
    const i128 atto = static_cast<i128>(amount.nano) * (to.nano - from.nano);
    return to_money(divide(atto, nano_per_unit, Rounding::nearest), out);
  }
  if (from.nano <= 0 || to.nano <= 0) return false;
  // amount * (1/from - 1/to) = amount * (to - from) / (from * to): both products are at 1e-18, so
  // the quotient is in coins; nine decimal digits of long division keep it exact to one rounding.
  const i128 numerator = static_cast<i128>(amount.nano) * (to.nano - from.nano);
  const i128 denominator = static_cast<i128>(from.nano) * to.nano;
  if (denominator > (static_cast<i128>(1) << 123)) return false;
  i128 quotient = magnitude(numerator) / denominator;
  i128 rest = magnitude(numerator) % denominator;
  if (!fits_int64(quotient)) return false;
  for (int digit = 0; digit < 9; ++digit) {
    rest *= 10;
    quotient = quotient * 10 + rest / denominator;
    rest %= denominator;
  }
  if (rest * 2 >= denominator) ++quotient;
  return to_money(numerator < 0 ? -quotient : quotient, out);
}

bool same_terms(const Instrument& a, const Instrument& b) noexcept {
  if (a.ticks.base != b.ticks.base || a.ticks.count != b.ticks.count) return false;
  for (std::size_t s = 0; s < a.ticks.count; ++s) {
    if (a.ticks.steps[s].above != b.ticks.steps[s].above ||
        a.ticks.steps[s].tick != b.ticks.steps[s].tick) {
      return false;
    }
  }
  return a.lot == b.lot && a.amount_min == b.amount_min && a.contract_size == b.contract_size &&
         a.maker_fee_nano == b.maker_fee_nano && a.taker_fee_nano == b.taker_fee_nano;
}

InstrumentTable::InstrumentTable(std::size_t capacity)
    : capacity_{std::min(capacity, instruments_max - 1)} {
  items_.reserve(capacity_);
}

bool InstrumentTable::acceptable(const Instrument& i) noexcept {
  if (i.ticks.base.nano <= 0 || i.lot.nano <= 0 || i.amount_min.nano < 0) return false;
  if (i.ticks.count > TickSchedule::steps_max || !i.underlying.valid()) return false;
  for (std::size_t s = 0; s < i.ticks.count; ++s) {
    if (i.ticks.steps[s].tick.nano <= 0) return false;
    if (s > 0 && !(i.ticks.steps[s - 1].above < i.ticks.steps[s].above)) return false;
  }
  const bool option = is_option(i.kind);
  if (option != (i.option != OptionType::none)) return false;
  if (option && i.strike.nano <= 0) return false;
  return is_perpetual(i.kind) ? i.expiry.unix_ns == 0 : i.expiry.unix_ns > 0;
}

InstrumentId InstrumentTable::add(Instrument instrument) noexcept {
  if (items_.size() >= capacity_ || !acceptable(instrument)) return {};
  instrument.expiry_id = expiry_for(instrument.underlying, instrument.expiry);
  if (!instrument.expiry_id.valid()) return {};
  instrument.id = InstrumentId{static_cast<std::uint16_t>(items_.size())};
  items_.push_back(instrument);
  return instrument.id;
}

bool InstrumentTable::redefine(const Instrument& changed) noexcept {
  if (!contains(changed.id) || !acceptable(changed)) return false;
  Instrument& current = items_[changed.id.value];
  if (current.kind != changed.kind || current.option != changed.option ||
      current.strike != changed.strike || current.expiry != changed.expiry ||
      current.underlying != changed.underlying || current.settlement != changed.settlement) {
    return false;
  }
  const ExpiryId expiry_id = current.expiry_id;
  current = changed;
  current.expiry_id = expiry_id;
  return true;
}

void InstrumentTable::set_state(InstrumentId id, InstrumentState state) noexcept {
  if (contains(id)) items_[id.value].state = state;
}

ExpiryId InstrumentTable::expiry_for(UnderlyingId underlying, ExchTime at) noexcept {
  for (std::size_t i = 0; i < expiry_count_; ++i) {
    if (expiries_[i].underlying == underlying && expiries_[i].at == at) {
      return ExpiryId{static_cast<std::uint16_t>(i)};
    }
  }
  if (expiry_count_ == expiries_max) return {};
  expiries_[expiry_count_] = Expiry{underlying, at};
  return ExpiryId{static_cast<std::uint16_t>(expiry_count_++)};
}

}  // namespace gimbal
