// From the options of one expiry to the quotes that its curve is fitted to.
//
// Room: engine/quant, cold. Of each strike the option out of the money; the middle of bid and ask
// where enough strikes have both, else the venue's marks.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "engine/quant/surface/slice_fit.hpp"

namespace gimbal::quant {

// One option; volatilities, 0: none.
struct OptionVols {
  double strike{0};
  double forward{0};  // at which the volatilities were implied
  bool out_of_the_money{false};
  double mark{0};
  double bid{0};
  double ask{0};
};

struct QuoteChoice {
  std::vector<VolQuote> quotes{};  // by rising strike
  bool firm{true};                 // of a book; else of marks
};

// Of two rows of one strike and side the last one counts.
[[nodiscard]] QuoteChoice choose_quotes(std::span<const OptionVols> options, double years,
                                        std::size_t strikes_min);

}  // namespace gimbal::quant
