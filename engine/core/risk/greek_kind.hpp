// Which number of a book or of an option a control looked at.
#pragma once

#include <cstdint>

namespace gimbal {

// Numbers are part of the alert file (evidence of a trip): append, never reorder.
enum class GreekKind : std::uint8_t {
  none,
  delta,        // coins, or USD where a limit in USD is meant
  gross_delta,  // sum of the instruments' absolute deltas
  gamma,        // USD of delta for a 1% move
  vega,         // USD per volatility point
  volatility,   // a fraction per sqrt(year) at 1e-9
  price,        // an option's mark against its no-arbitrage band
};

}  // namespace gimbal
