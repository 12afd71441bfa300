#include "engine/runtime/crc32c.hpp"

#include <nmmintrin.h>

#include <array>
#include <cstring>

namespace gimbal {
namespace {

constexpr std::array<std::uint32_t, 256> make_table() noexcept {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t c = i;
    for (int bit = 0; bit < 8; ++bit) c = (c >> 1) ^ ((c & 1u) != 0 ? 0x82F63B78u : 0u);
    table[i] = c;
  }
  return table;
}
constexpr auto table = make_table();

}  // namespace

std::uint32_t crc32c(const void* data, std::size_t bytes, std::uint32_t seed) noexcept {
  const auto* at = static_cast<const unsigned char*>(data);
  std::uint64_t c = ~seed;
  while (bytes >= 8) {
    std::uint64_t word;
    std::memcpy(&word, at, 8);
    c = _mm_crc32_u64(c, word);
    at += 8;
    bytes -= 8;
  }
  auto rest = static_cast<std::uint32_t>(c);
  while (bytes-- > 0) rest = _mm_crc32_u8(rest, *at++);
  return ~rest;
}

std::uint32_t crc32c_table(const void* data, std::size_t bytes, std::uint32_t seed) noexcept {
  const auto* at = static_cast<const unsigned char*>(data);
  std::uint32_t c = ~seed;
  for (std::size_t i = 0; i < bytes; ++i) c = (c >> 8) ^ table[(c ^ at[i]) & 0xFFu];
  return ~c;
}

}  // namespace gimbal
