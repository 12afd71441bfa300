// Room: engine/wire. Incremental UTF-8 validation (RFC 3629): no overlong forms, no surrogates,
// nothing above U+10FFFF; a character may be split across calls. ASCII runs eight bytes at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace gimbal {

class Utf8 {
 public:
  // False as soon as a byte cannot belong to any valid text; the object then stays invalid.
  [[nodiscard]] bool feed(std::span<const char> bytes) noexcept;
  // True when the text may end here: valid so far and not inside a character.
  [[nodiscard]] bool complete() const noexcept { return valid_ && missing_ == 0; }
  void reset() noexcept { *this = Utf8{}; }

 private:
  bool lead(std::uint8_t byte) noexcept;

  std::uint8_t missing_{0};  // continuation bytes still owed
  std::uint8_t low_{0x80};   // allowed range of the next one
  std::uint8_t high_{0xBF};
  bool valid_{true};
};

}  // namespace gimbal
