// Fixed-width values as bytes of a small state file, and back. Cold.
#pragma once

#include <array>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

namespace gimbal {

template <class T>
void put_bytes(std::string& out, T value) {
  static_assert(std::is_trivially_copyable_v<T>);
  std::array<char, sizeof(T)> raw;
  std::memcpy(raw.data(), &value, sizeof(T));
  out.append(raw.data(), raw.size());
}

// Takes a value off the front. False when the bytes run out.
template <class T>
[[nodiscard]] bool get_bytes(std::string_view& in, T& value) noexcept {
  static_assert(std::is_trivially_copyable_v<T>);
  if (in.size() < sizeof(T)) return false;
  std::memcpy(&value, in.data(), sizeof(T));
  in.remove_prefix(sizeof(T));
  return true;
}

}  // namespace gimbal
