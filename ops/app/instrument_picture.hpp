// The venue's instruments as one reading found them: a list for each settlement currency that was
// asked for. Room: ops/app. Cold.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "engine/core/time.hpp"
#include "feeds/deribit/instruments.hpp"

namespace gimbal {

struct InstrumentPicture {
  RecvTime begun{};  // not older than this
  std::vector<std::pair<std::string, deribit::InstrumentList>> lists;
};

}  // namespace gimbal
