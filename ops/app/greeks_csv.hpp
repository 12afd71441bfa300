// The table behind `gimbal greeks`: CSV rows in, the same rows with prices and Greeks out.
//
// Room: ops/app, cold. Input: a header row in any order with type (C or P), F, K, T (years), sigma;
// optional r, df and settle (linear or inverse, default linear). An absent df is exp(-rT), an
// absent r is -ln(df)/T; both default to no discounting. Inverse options are undiscounted: r and df
// are not used. Every input column is copied byte for byte, quoting included; results are appended
// with as many digits as bring back the same double.
//
// A file with both settlements gets both groups of columns, empty where they do not apply. A result
// whose name the file already uses is appended as gimbal_<name>. A refused row is reported and left
// out; a refused header ends the work.
#pragma once

#include <string_view>

#include "ops/app/csv_table.hpp"

namespace gimbal {

[[nodiscard]] CsvOutcome greeks_table(std::string_view input, CsvFormat format);

}  // namespace gimbal
