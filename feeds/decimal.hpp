// Decimal text <-> int64 at 1e-9, exactly and without a double in between. Room: feeds (hot).
//
// Reads the whole JSON number grammar: -?(0|[1-9][0-9]*)(.[0-9]+)?([eE][+-]?[0-9]+)?, nothing
// before or after it. Two doors:
//   parse_nano       prices, amounts, strikes, ticks: refused when the value is no multiple of
//   1e-9; parse_nano_round analytics and booked money (index, greeks, volatility, fee, profit):
//   venues send
//                    binary noise there (-9.999999999886402e-10), so half away from zero.
// Both refuse what does not fit 64 bits. Nothing allocates, nothing throws.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace gimbal {

enum class DecimalStatus : std::uint8_t { ok, not_a_number, out_of_range, too_precise };

namespace decimal_detail {

inline constexpr std::array<std::uint64_t, 20> powers_of_ten = [] {
  std::array<std::uint64_t, 20> p{};
  p[0] = 1;
  for (std::size_t i = 1; i < p.size(); ++i) p[i] = p[i - 1] * 10;
  return p;
}();

// Value = (negative ? -1 : 1) * mantissa * 10^exponent, plus a non-zero tail when `inexact`.
struct Scanned {
  std::uint64_t mantissa{0};
  std::int64_t exponent{0};
  bool negative{false};
  bool inexact{false};
};

constexpr bool digit(char c) noexcept { return c >= '0' && c <= '9'; }

// One run of digits into the mantissa; digits beyond 19 significant ones only move the exponent.
constexpr const char* take_digits(const char* at, const char* end, bool fraction,
                                  Scanned& out) noexcept {
  for (; at != end && digit(*at); ++at) {
    const auto d = static_cast<std::uint64_t>(*at - '0');
    if (out.mantissa < 1'000'000'000'000'000'000ULL) {
      out.mantissa = out.mantissa * 10 + d;
      if (fraction) --out.exponent;
    } else {
      if (d != 0) out.inexact = true;
      if (!fraction) ++out.exponent;
    }
  }
  return at;
}

// The number at `at`, as far as it goes: where it stops, nullptr when none begins there.
constexpr const char* scan_number(const char* at, const char* end, Scanned& out) noexcept {
  if (at != end && *at == '-') {
    out.negative = true;
    ++at;
  }
  if (at == end || !digit(*at)) return nullptr;
  if (*at == '0' && end - at > 1 && digit(at[1])) return nullptr;
  at = take_digits(at, end, false, out);
  if (at != end && *at == '.') {
    ++at;
    if (at == end || !digit(*at)) return nullptr;
    at = take_digits(at, end, true, out);
  }
  if (at != end && (*at == 'e' || *at == 'E')) {
    ++at;
    bool minus = false;
    if (at != end && (*at == '+' || *at == '-')) minus = *at++ == '-';
    if (at == end || !digit(*at)) return nullptr;
    std::int64_t power = 0;
    for (; at != end && digit(*at); ++at) {
      if (power < 1'000'000) power = power * 10 + (*at - '0');  // beyond: the same answer
    }
    out.exponent += minus ? -power : power;
  }
  return at;
}

constexpr bool scan(std::string_view text, Scanned& out) noexcept {
  const char* const end = text.data() + text.size();
  return scan_number(text.data(), end, out) == end;
}

constexpr DecimalStatus finish(const Scanned& s, std::uint64_t magnitude,
                               std::int64_t& out) noexcept {
  constexpr auto max = static_cast<std::uint64_t>(INT64_MAX);
  if (magnitude > max) return DecimalStatus::out_of_range;
  const auto value = static_cast<std::int64_t>(magnitude);
  out = s.negative ? -value : value;
  return DecimalStatus::ok;
}

// The value times 10^scale as an integer.
constexpr DecimalStatus to_scaled(const Scanned& s, std::int64_t scale, bool round,
                                  std::int64_t& out) noexcept {
  if (s.mantissa == 0) {
    out = 0;
    return DecimalStatus::ok;
  }
  const std::int64_t shift = s.exponent + scale;
  if (shift >= 0) {
    if (s.inexact || shift > 19) return DecimalStatus::out_of_range;
    std::uint64_t product = 0;
    if (__builtin_mul_overflow(s.mantissa, powers_of_ten[static_cast<std::size_t>(shift)],
                               &product)) {
      return DecimalStatus::out_of_range;
    }
    return finish(s, product, out);
  }
  if (shift < -19) {
    if (!round) return DecimalStatus::too_precise;
    out = 0;
    return DecimalStatus::ok;
  }
  const std::uint64_t divisor = powers_of_ten[static_cast<std::size_t>(-shift)];
  const std::uint64_t quotient = s.mantissa / divisor;
  const std::uint64_t rest = s.mantissa % divisor;
  if ((rest != 0 || s.inexact) && !round) return DecimalStatus::too_precise;
  return finish(s, quotient + (rest >= divisor - rest ? 1 : 0), out);
}

constexpr DecimalStatus to_scaled(std::string_view text, std::int64_t scale, bool round,
                                  std::int64_t& out) noexcept {
  Scanned s;
  if (!scan(text, s)) return DecimalStatus::not_a_number;
  return to_scaled(s, scale, round, out);
}

}  // namespace decimal_detail

// Exact: `too_precise` when the number is no multiple of 1e-9. `out` is untouched unless ok.
[[nodiscard]] constexpr DecimalStatus parse_nano(std::string_view text,
                                                 std::int64_t& out) noexcept {
  return decimal_detail::to_scaled(text, 9, false, out);
}

// Rounded half away from zero to 1e-9. `out` is untouched unless ok.
[[nodiscard]] constexpr DecimalStatus parse_nano_round(std::string_view text,
                                                       std::int64_t& out) noexcept {
  return decimal_detail::to_scaled(text, 9, true, out);
}

// A whole number ("12", "1.2e1", "12.0"): ids, sequence numbers, milliseconds.
[[nodiscard]] constexpr DecimalStatus parse_integer(std::string_view text,
                                                    std::int64_t& out) noexcept {
  return decimal_detail::to_scaled(text, 0, false, out);
}

// Longest text of write_nano: -9223372036.854775808
inline constexpr std::size_t decimal_text_max = 21;

// Shortest decimal text ("0.5", "-12", "76914.5"); gives its length, 0 when `out` is too small.
[[nodiscard]] constexpr std::size_t write_nano(std::int64_t nano, std::span<char> out) noexcept {
  char text[decimal_text_max + 1] = {};
  std::size_t at = sizeof text;
  const auto magnitude =
      nano < 0 ? 0 - static_cast<std::uint64_t>(nano) : static_cast<std::uint64_t>(nano);
  std::uint64_t fraction = magnitude % 1'000'000'000;
  std::uint64_t whole = magnitude / 1'000'000'000;
  if (fraction != 0) {
    std::size_t digits = 9;
    while (fraction % 10 == 0) {
      fraction /= 10;
      --digits;
    }
    for (; digits > 0; --digits, fraction /= 10)
      text[--at] = static_cast<char>('0' + fraction % 10);
    text[--at] = '.';
  }
  do {
    text[--at] = static_cast<char>('0' + whole % 10);
    whole /= 10;
  } while (whole != 0);
  if (nano < 0) text[--at] = '-';
  const std::size_t length = sizeof text - at;
  if (length > out.size()) return 0;
  for (std::size_t i = 0; i < length; ++i) out[i] = text[at + i];
  return length;
}

}  // namespace gimbal
