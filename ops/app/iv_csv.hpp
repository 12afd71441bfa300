// The table behind `gimbal iv`: CSV rows of option prices in, the same rows with the volatility
// that each price implies.
//
// Room: ops/app, cold. Input: a header row in any order with type (C or P), F, K, T (years) and
// price; optional df or r (linear only, default no discounting) and settle (linear or inverse; an
// inverse price is in coins and undiscounted). Appended are status (ok, below_intrinsic,
// above_maximum, zero_time_value), sigma (a fraction per sqrt(year)) and attainable_rel, the
// relative change of sigma for one unit in the last place of the price; both nan (JSON: null)
// unless ok. A status other than ok is an answer, not a problem: the row is written.
#pragma once

#include <string_view>

#include "ops/app/csv_table.hpp"

namespace gimbal {

[[nodiscard]] CsvOutcome implied_vol_table(std::string_view input, CsvFormat format);

}  // namespace gimbal
