// A feed's interval as the config names it, and as the venue's channels do. Room: ops/app.
#pragma once

#include "feeds/deribit/decoder.hpp"
#include "ops/app/config.hpp"

namespace gimbal {

constexpr deribit::Interval interval_of(FeedInterval i) noexcept {
  switch (i) {
    case FeedInterval::raw: return deribit::Interval::raw;
    case FeedInterval::ms100: return deribit::Interval::ms100;
    case FeedInterval::agg2: return deribit::Interval::agg2;
  }
  return deribit::Interval::ms100;
}

}  // namespace gimbal
