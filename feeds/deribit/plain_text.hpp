// A cursor over JSON without white space and escapes: the pieces that read_usual_form() is made of.
// Room: feeds (hot), private to it.
//
// Every step checks `end` before it believes a byte, but loads words of 8 and 16 bytes: what is
// behind `end` has to be readable for frame_padding bytes. A step that fails leaves the cursor
// anywhere; the whole reading is given up then.
#pragma once

#include <smmintrin.h>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "feeds/decimal.hpp"

namespace gimbal::deribit {

[[nodiscard]] inline std::uint64_t load_word(const char* at) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return word;
}

// Up to eight characters as load_word() gives them.
[[nodiscard]] constexpr std::uint64_t word_of(std::string_view text) noexcept {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    word |= static_cast<std::uint64_t>(static_cast<unsigned char>(text[i])) << (8 * i);
  }
  return word;
}

// The decimal digits at the start of eight bytes: how many, and their value.
struct ShortDigits {
  std::size_t count{0};
  std::uint64_t value{0};
};
[[nodiscard]] inline ShortDigits short_digits(const char* at) noexcept {
  const std::uint64_t digits = load_word(at) ^ 0x3030303030303030ULL;
  // The top bit of each byte that is no digit; carries only reach what comes behind the first.
  const std::uint64_t others = ((digits + 0x7676767676767676ULL) | digits) & 0x8080808080808080ULL;
  const auto count = static_cast<std::size_t>(std::countr_zero(others)) / 8;
  if (count == 0) return {};
  std::uint64_t v = digits << (64 - 8 * count);  // leading zeros in front
  v = ((v & 0x0F0F0F0F0F0F0F0FULL) * 2561) >> 8;
  v = ((v & 0x00FF00FF00FF00FFULL) * 6553601) >> 16;
  v = ((v & 0x0000FFFF0000FFFFULL) * 42949672960001ULL) >> 32;
  return {count, v};
}

// A number as it mostly comes: one to seven digits, of which the first is no idle zero, and a point
// with one to nine more or none; not negative, no exponent. Times 1e9; `bytes` is 0 for anything
// else.
struct ShortNumber {
  std::size_t bytes{0};
  std::int64_t nano{0};
};

// For each count of digits before (from 1) and behind the point (from 0): where each of sixteen
// digits comes from, seven before and nine behind it. A place that has none becomes zero.
inline constexpr std::size_t whole_max = 7;
inline constexpr std::size_t part_max = 9;
struct alignas(16) DigitPlaces {
  std::array<std::uint8_t, 16> from;
};
inline constexpr auto digit_places = [] {
  std::array<std::array<DigitPlaces, part_max + 1>, whole_max> all{};
  for (std::size_t whole = 1; whole <= whole_max; ++whole) {
    for (std::size_t part = 0; part <= part_max; ++part) {
      std::array<std::uint8_t, 16>& from = all[whole - 1][part].from;
      from.fill(0x80);
      for (std::size_t n = 0; n < whole; ++n) {
        from[whole_max - whole + n] = static_cast<std::uint8_t>(n);
      }
      for (std::size_t n = 0; n < part; ++n) {
        from[whole_max + n] = static_cast<std::uint8_t>(whole + 1 + n);
      }
    }
  }
  return all;
}();

// Sixteen digits, each in its byte.
[[nodiscard]] inline std::int64_t value_of(__m128i digits) noexcept {
  const __m128i pairs = _mm_maddubs_epi16(digits, _mm_set1_epi16(0x010A));
  const __m128i fours = _mm_madd_epi16(pairs, _mm_set1_epi32(0x00010064));
  const __m128i packed = _mm_packus_epi32(fours, fours);
  const __m128i eights = _mm_madd_epi16(packed, _mm_set1_epi32(0x00012710));
  const auto both = static_cast<std::uint64_t>(_mm_cvtsi128_si64(eights));
  return static_cast<std::int64_t>((both & 0xFFFFFFFF) * 100'000'000 + (both >> 32));
}

[[nodiscard]] inline ShortNumber short_number(const char* at) noexcept {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
  const __m128i digits = _mm_xor_si128(bytes, _mm_set1_epi8('0'));
  const __m128i others = _mm_cmpeq_epi8(_mm_max_epu8(digits, _mm_set1_epi8(10)), digits);
  const auto mask = static_cast<unsigned>(_mm_movemask_epi8(others));
  const auto whole = static_cast<std::size_t>(std::countr_zero(mask));
  if (whole - 1 >= whole_max) return {};
  std::size_t all = whole;
  std::size_t part = 0;
  if (at[whole] == '.') {
    all = static_cast<std::size_t>(std::countr_zero(mask & (mask - 1)));
    part = all - whole - 1;
    if (part - 1 >= part_max) return {};
  }
  if ((whole > 1 && *at == '0') || (at[all] | 0x20) == 'e') return {};
  const __m128i from =
      _mm_load_si128(reinterpret_cast<const __m128i*>(&digit_places[whole - 1][part]));
  return {all, value_of(_mm_shuffle_epi8(digits, from))};
}

struct PlainText {
  const char* at;
  const char* end;

  [[nodiscard]] bool over() const noexcept { return at == end; }
  [[nodiscard]] bool next_is(char c) const noexcept { return at < end && *at == c; }
  [[nodiscard]] bool take(char c) noexcept {
    if (!next_is(c)) return false;
    ++at;
    return true;
  }
  [[nodiscard]] bool take(std::string_view literal) noexcept {
    if (at > end || static_cast<std::size_t>(end - at) < literal.size()) return false;
    if (std::memcmp(at, literal.data(), literal.size()) != 0) return false;
    at += literal.size();
    return true;
  }
  // A string in its quotes: ASCII, no control characters, no backslash.
  [[nodiscard]] bool text(std::string_view& out) noexcept {
    if (!take('"')) return false;
    const char* const begin = at;
    for (; at < end; at += 16) {
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
      // Signed: what is beyond ASCII is below the space too.
      const __m128i odd = _mm_or_si128(_mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20)),
                                       _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
      const __m128i stop = _mm_or_si128(odd, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')));
      const auto mask = static_cast<unsigned>(_mm_movemask_epi8(stop));
      if (mask == 0) continue;
      at += std::countr_zero(mask);
      out = {begin, static_cast<std::size_t>(at - begin)};
      return take('"');
    }
    return false;
  }
  // A price, an amount, a figure: times 1e9, exact or rounded, as parse_nano and parse_nano_round.
  [[nodiscard]] bool nano(bool round, std::int64_t& out) noexcept {
    if (at >= end) return false;
    const ShortNumber usual = short_number(at);
    if (usual.bytes == 0) {
      std::int64_t other = 0;
      at = longer_nano(at, end, round, other);
      out = other;
      return at != nullptr;
    }
    at += usual.bytes;
    out = usual.nano;
    return true;
  }
  // An id, a time: a whole number that is not negative.
  [[nodiscard]] bool whole(std::uint64_t& out) noexcept {
    if (at >= end) return false;
    ShortDigits n = short_digits(at);
    const char* p = at + n.count;
    if (n.count == 8) {
      const ShortDigits rest = short_digits(p);
      n.value = n.value * decimal_detail::powers_of_ten[rest.count] + rest.value;
      p += rest.count;
      n.count += rest.count;
    }
    if (n.count - 1 > 14 || (n.count > 1 && *at == '0') || *p == '.' || (*p | 0x20) == 'e') {
      std::int64_t signed_value = 0;
      if (!any_number(0, false, signed_value) || signed_value < 0) return false;
      out = static_cast<std::uint64_t>(signed_value);
      return true;
    }
    at = p;
    out = n.value;
    return true;
  }
  // A number that is not needed.
  [[nodiscard]] bool skip_number() noexcept {
    decimal_detail::Scanned number;
    if (at >= end) return false;
    at = decimal_detail::scan_number(at, end, number);
    return at != nullptr;
  }
  [[nodiscard]] bool skip_scalar() noexcept {
    if (at >= end) return false;
    std::string_view ignored;
    switch (*at) {
      case '"': return text(ignored);
      case 'n': return take("null");
      case 't': return take("true");
      case 'f': return take("false");
      default: return skip_number();
    }
  }
  // {"name":scalar,...}
  [[nodiscard]] bool skip_flat_object() noexcept {
    if (!take('{')) return false;
    if (take('}')) return true;
    std::string_view ignored;
    do {
      if (!text(ignored) || !take(':') || !skip_scalar()) return false;
    } while (take(','));
    return take('}');
  }

 private:
  // Takes no `this`, for the cursor's sake, which stays in a register then.
  [[nodiscard, gnu::noinline]] static const char* longer_nano(const char* at, const char* end,
                                                              bool round,
                                                              std::int64_t& out) noexcept {
    const ShortNumber usual = *at == '-' ? short_number(at + 1) : ShortNumber{};
    if (usual.bytes != 0) {
      out = -usual.nano;
      return at + 1 + usual.bytes;
    }
    PlainText rest{at, end};
    return rest.any_number(9, round, out) ? rest.at : nullptr;
  }
  [[nodiscard]] bool any_number(std::int64_t scale, bool round, std::int64_t& out) noexcept {
    decimal_detail::Scanned number;
    at = decimal_detail::scan_number(at, end, number);
    return at != nullptr &&
           decimal_detail::to_scaled(number, scale, round, out) == DecimalStatus::ok;
  }
};

}  // namespace gimbal::deribit
