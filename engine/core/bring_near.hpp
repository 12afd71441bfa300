// Keeps memory that the next order will use in the nearest cache. In silence the rehearsals keep
// code, predictors and kernel warm, on state of their own; the bot's own lines go cold meanwhile.
// Every look_over() of a class brings what an order needs of it and changes nothing.
// Room: engine/core. Hot.
#pragma once

#include <cstddef>
#include <cstdint>

namespace gimbal {

inline constexpr std::size_t line_bytes = 64;

// Asks for the lines of `bytes` bytes at `at`, which may be anything, null included: nothing is
// read.
inline void bring_near(const void* at, std::size_t bytes) noexcept {
  const auto first = reinterpret_cast<std::uintptr_t>(at);
  for (std::size_t n = 0; n < bytes; n += line_bytes) {
    __builtin_prefetch(reinterpret_cast<const void*>(first + n));
  }
}

// One object, where it lies; what it points to is not looked at.
template <class T>
void bring_near(const T& object) noexcept {
  bring_near(&object, sizeof object);
}

// Has the compiler work out what nobody uses.
template <class T>
void work_out(const T& value) noexcept {
  asm volatile("" : : "m"(value));
}

}  // namespace gimbal
