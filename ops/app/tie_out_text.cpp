#include "ops/app/tie_out_text.hpp"

#include "ops/app/field_list.hpp"

namespace gimbal {

std::string tie_out_text(const Trip& trip) {
  if (trip.code != TripCode::tie_out) return {};
  const auto packed = static_cast<std::uint64_t>(trip.evidence);
  std::string currency;
  for (unsigned shift = 56; shift >= 32; shift -= 8) {
    const auto letter = static_cast<char>(packed >> shift & 0xFF);
    if (letter != 0) currency += letter;
  }
  return currency + ": own cash " + field::decimal_text(trip.limit) + ", the venue's balance " +
         field::decimal_text(trip.actual) + ", difference " +
         field::decimal_text(trip.actual - trip.limit) + ", " +
         std::to_string(packed & 0xFFFFFFFF) + " fills";
}

}  // namespace gimbal
