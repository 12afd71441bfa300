// Order labels: see labels.hpp.
#include "venues/deribit/labels.hpp"

#include <cstring>

namespace gimbal::deribit {

namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

void write_hex(std::uint64_t value, std::size_t digits, char* out) noexcept {
  for (std::size_t i = 0; i < digits; ++i) {
    out[digits - 1 - i] = hex_digits[value & 0xF];
    value >>= 4;
  }
}

bool read_hex(std::string_view text, std::uint64_t& out) noexcept {
  out = 0;
  for (const char c : text) {
    const std::size_t digit = hex_digits.find(c);
    if (digit == std::string_view::npos) return false;
    out = (out << 4) | digit;
  }
  return true;
}

}  // namespace

bool label_tag_ok(std::string_view tag) noexcept {
  if (tag.size() > label_tag_max) return false;
  for (const char c : tag) {
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))) return false;
  }
  return true;
}

std::size_t write_label(std::string_view tag, OrderId order, std::uint32_t config_hash,
                        std::span<char> out) noexcept {
  const std::size_t length = 1 + tag.size() + 1 + 16 + 1 + 8;
  if (!label_tag_ok(tag) || out.size() < length) return 0;
  char* at = out.data();
  *at++ = 'g';
  std::memcpy(at, tag.data(), tag.size());
  at += tag.size();
  *at++ = '-';
  write_hex(order.value, 16, at);
  at += 16;
  *at++ = '-';
  write_hex(config_hash, 8, at);
  return length;
}

Label parse_label(std::string_view tag, std::string_view text) noexcept {
  const std::size_t head = 1 + tag.size();
  if (text.size() != head + 26 || text[0] != 'g') return {};
  if (text.substr(1, tag.size()) != tag || text[head] != '-' || text[head + 17] != '-') return {};
  std::uint64_t order = 0;
  std::uint64_t hash = 0;
  if (!read_hex(text.substr(head + 1, 16), order)) return {};
  if (!read_hex(text.substr(head + 18, 8), hash) || order == 0) return {};
  return {OrderId{order}, static_cast<std::uint32_t>(hash)};
}

}  // namespace gimbal::deribit
