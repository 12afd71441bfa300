// Room venues/sim, pure. The expiry calendar, Deribit's names, ticks, lots and fees.
#pragma once

#include <string>
#include <vector>

#include "venues/sim/config.hpp"
#include "venues/sim/records.hpp"

namespace gimbal::sim {

struct CalendarEntry {
  ExchTime at{};
  Period period{Period::day};
};
// The nearest daily, weekly (Friday), monthly and quarterly (last Friday) 08:00 UTC after `now`,
// each later than the one before; the first `count` of them.
std::vector<CalendarEntry> expiry_calendar(ExchTime now, std::uint32_t count);
// The next 08:00 UTC strictly after `now`.
ExchTime next_settlement(ExchTime now) noexcept;
// "5DEC26": day without padding, month, two-digit year.
std::string date_code(ExchTime at);
// "2026-12-05"
std::string iso_date(ExchTime at);

struct ListingContext {
  const ProductConfig& product;
  std::uint32_t product_index;
  UnderlyingId underlying;
  ExchTime now;
};
Listing perpetual_listing(const ListingContext& c);
Listing future_listing(const ListingContext& c, const CalendarEntry& expiry);
Listing option_listing(const ListingContext& c, const CalendarEntry& expiry, double strike,
                       OptionType type);
// `count` strikes around `forward`, a round step wide, ascending.
std::vector<double> strike_ladder(double forward, double vol, double years, std::uint32_t count);

}  // namespace gimbal::sim
