#include "engine/core/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace gimbal {

void assertion_failed(const char* condition, const char* file, int line) noexcept {
  std::fprintf(stderr, "gimbal: assertion failed: %s at %s:%d\n", condition, file, line);
  std::abort();
}

}  // namespace gimbal
