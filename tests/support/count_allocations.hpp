// Counts calls of operator new in a test binary that links count_allocations.cpp.
#pragma once

#include <cstddef>

namespace gimbal::test {

[[nodiscard]] std::size_t allocation_count() noexcept;

}  // namespace gimbal::test
