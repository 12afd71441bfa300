// The risk gate's reasons as words, for status and metrics. Room: ops/app. Cold.
#pragma once

#include <string_view>

#include "engine/core/risk/refusal.hpp"

namespace gimbal {

[[nodiscard]] std::string_view name_of(Refusal reason) noexcept;

}  // namespace gimbal
