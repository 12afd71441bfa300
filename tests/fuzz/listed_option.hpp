// Options that blocks under fuzz may name: three settled in the coin, then linear ones.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/core/instrument.hpp"

namespace gimbal::test {

inline Instrument listed_option(std::size_t n, ExchTime expiry) {
  constexpr std::int64_t one = nano_per_unit;
  Instrument i;
  i.kind = n < 3 ? InstrumentKind::inverse_option : InstrumentKind::linear_option;
  i.option = n % 2 == 0 ? OptionType::call : OptionType::put;
  i.state = InstrumentState::open;
  i.venue = VenueId{0};
  i.underlying = UnderlyingId{0};
  i.settlement = currency(n < 3 ? "BTC" : "USDC");
  i.strike = Price{(45'000 + 5'000 * static_cast<std::int64_t>(n)) * one};
  i.expiry = expiry;
  i.ticks.base = Price{one / 10'000};
  i.lot = i.amount_min = Qty{one / 10};
  i.contract_size = Qty{one};
  return i;
}

}  // namespace gimbal::test
