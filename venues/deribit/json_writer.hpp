// Appends text, decimals and integers to a fixed buffer; remembers whether everything fitted. Room:
// venues (hot).
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "feeds/decimal.hpp"

namespace gimbal::deribit {

class JsonWriter {
 public:
  explicit JsonWriter(std::span<char> out) noexcept : out_{out} {}

  JsonWriter& raw(std::string_view piece) noexcept {
    if (!ok_ || out_.size() - used_ < piece.size()) {
      ok_ = false;
      return *this;
    }
    std::memcpy(out_.data() + used_, piece.data(), piece.size());
    used_ += piece.size();
    return *this;
  }
  // A text that needs no escape; one that would need it fails the whole.
  JsonWriter& plain(std::string_view text) noexcept {
    for (const char c : text) {
      const auto u = static_cast<unsigned char>(c);
      if (u < 0x20 || u > 0x7E || c == '"' || c == '\\') ok_ = false;
    }
    return raw(text);
  }
  JsonWriter& integer(std::int64_t value) noexcept {
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    return raw({digits, static_cast<std::size_t>(end - digits)});
  }
  JsonWriter& nano(std::int64_t value) noexcept {
    char digits[decimal_text_max];
    return raw({digits, write_nano(value, digits)});
  }
  // Bytes written, or 0 when something did not fit.
  [[nodiscard]] std::size_t size() const noexcept { return ok_ ? used_ : 0; }
  [[nodiscard]] std::string_view view() const noexcept { return {out_.data(), size()}; }

 private:
  std::span<char> out_;
  std::size_t used_{0};
  bool ok_{true};
};

}  // namespace gimbal::deribit
