// Writes JSON text, commas included. Room: ops/app. Cold path.
#pragma once

#include <cmath>
#include <concepts>
#include <string>
#include <string_view>

#include "ops/app/field_list.hpp"

namespace gimbal {

class JsonWriter {
 public:
  JsonWriter& begin_object(std::string_view name = {}) { return open(name, '{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array(std::string_view name = {}) { return open(name, '['); }
  JsonWriter& end_array() { return close(']'); }

  JsonWriter& text(std::string_view name, std::string_view value) {
    return raw(name, quote(value));
  }
  JsonWriter& boolean(std::string_view name, bool value) {
    return raw(name, value ? "true" : "false");
  }
  template <std::integral T>
  JsonWriter& integer(std::string_view name, T value) {
    return raw(name, std::to_string(value));
  }
  // Null when it is not finite: JSON has no NaN.
  JsonWriter& number(std::string_view name, double value) {
    return raw(name, std::isfinite(value) ? field::double_text(value) : "null");
  }
  // An exact decimal string; null for `absent_nano`.
  JsonWriter& decimal(std::string_view name, std::int64_t nano) {
    if (nano == INT64_MIN) return raw(name, "null");
    key(name);
    out_ += '"';
    out_ += field::decimal_text(nano);
    out_ += '"';
    return *this;
  }
  JsonWriter& raw(std::string_view name, std::string_view value) {
    key(name);
    out_ += value;
    return *this;
  }
  [[nodiscard]] std::string take() { return std::move(out_); }

  // Bytes over 0x7e become '?': what comes from a peer may not be UTF-8.
  static std::string quote(std::string_view value) {
    std::string clean{value};
    for (char& c : clean) {
      if (static_cast<unsigned char>(c) > 0x7e) c = '?';
    }
    return field::quoted(clean);
  }

 private:
  void key(std::string_view name) {
    if (!out_.empty() && out_.back() != '{' && out_.back() != '[') out_ += ',';
    if (!name.empty()) out_ += quote(name) + ":";
  }
  JsonWriter& open(std::string_view name, char bracket) {
    key(name);
    out_ += bracket;
    return *this;
  }
  JsonWriter& close(char bracket) {
    out_ += bracket;
    return *this;
  }

  std::string out_;
};

}  // namespace gimbal
