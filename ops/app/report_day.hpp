// All boots of one trading day in one picture, for `gimbal report --day`. Room: ops/app. Cold.
#pragma once

#include <string>

#include "ops/app/run_picture.hpp"

namespace gimbal {

// `day`: "2026-11-29". The boots in the journal's `directory` that have events of that day, each
// stepped from its start; days begin at the newest boot's `[risk] day_start`. Empty on success,
// else why there is no picture.
[[nodiscard]] std::string read_day(const std::string& directory, const std::string& day,
                                   RunPicture& out);

}  // namespace gimbal
