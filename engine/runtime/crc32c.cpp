#include "engine/runtime/crc32c.hpp"

#include <nmmintrin.h>
#include <wmmintrin.h>

#include <array>
#include <cstring>

namespace gimbal {
namespace {

constexpr std::uint32_t polynomial = 0x82F63B78u;

constexpr std::array<std::uint32_t, 256> make_table() noexcept {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t c = i;
    for (int bit = 0; bit < 8; ++bit) c = (c >> 1) ^ ((c & 1u) != 0 ? polynomial : 0u);
    table[i] = c;
  }
  return table;
}
constexpr auto table = make_table();

// What a checksum is multiplied by where `bytes` more follow: x to 8 * bytes; less 33, of which the
// reflected product brings 1 and the crc32 instruction 32.
constexpr std::uint32_t behind(std::size_t bytes) noexcept {
  std::uint32_t power = 0x80000000u;  // of x, 0
  for (std::size_t i = 33; i < 8 * bytes; ++i) {
    power = (power >> 1) ^ ((power & 1u) != 0 ? polynomial : 0u);
  }
  return power;
}

std::uint64_t word_at(const unsigned char* at) noexcept {
  std::uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

__m128i times(std::uint64_t checksum, std::uint32_t factor) noexcept {
  return _mm_clmulepi64_si128(_mm_cvtsi64_si128(static_cast<long long>(checksum)),
                              _mm_cvtsi64_si128(static_cast<long long>(factor)), 0);
}

// Three parts of `part` bytes side by side: the instruction takes three cycles, and one begins
// each.
template <std::size_t part>
std::uint64_t three_parts(std::uint64_t c, const unsigned char* at) noexcept {
  constexpr std::uint32_t two_follow = behind(2 * part);
  constexpr std::uint32_t one_follows = behind(part);
  std::uint64_t second = 0, third = 0;
  for (std::size_t i = 0; i < part; i += 8) {
    c = _mm_crc32_u64(c, word_at(at + i));
    second = _mm_crc32_u64(second, word_at(at + part + i));
    third = _mm_crc32_u64(third, word_at(at + 2 * part + i));
  }
  const __m128i both = _mm_xor_si128(times(c, two_follow), times(second, one_follows));
  return _mm_crc32_u64(0, static_cast<std::uint64_t>(_mm_cvtsi128_si64(both))) ^ third;
}

// As many of them as there are.
template <std::size_t part>
std::uint64_t in_parts(std::uint64_t c, const unsigned char*& at, std::size_t& bytes) noexcept {
  for (; bytes >= 3 * part; at += 3 * part, bytes -= 3 * part) c = three_parts<part>(c, at);
  return c;
}

}  // namespace

std::uint32_t crc32c(const void* data, std::size_t bytes, std::uint32_t seed) noexcept {
  const auto* at = static_cast<const unsigned char*>(data);
  std::uint64_t c = in_parts<128>(~seed, at, bytes);
  c = in_parts<64>(c, at, bytes);
  for (; bytes >= 8; at += 8, bytes -= 8) c = _mm_crc32_u64(c, word_at(at));
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
