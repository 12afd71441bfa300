// Looks a method of the dialect up by its name. Cold.
#pragma once

#include <string_view>

namespace gimbal::sim {

struct Method;
[[nodiscard]] const Method* find_method(std::string_view name) noexcept;

}  // namespace gimbal::sim
