// Reading JSON members through simdjson's on-demand values. Room: feeds and venues (hot).
//
// Templates over the value types, so that the parser's header is included by .cpp files only
// (before this one). Rules: a known member may come once; unknown members are skipped after a check
// of scalars and of nesting (depth_max); numbers keep their exact decimal value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/core/payload.hpp"
#include "engine/core/time.hpp"
#include "feeds/decimal.hpp"
#include "feeds/deribit/keys.hpp"

namespace gimbal::deribit {

inline constexpr int depth_max = 16;

// Venue milliseconds that fit an ExchTime.
inline constexpr std::int64_t unix_ms_max = 9'000'000'000'000;

// Nesting of a JSON text, strings skipped; gives up above depth_max.
[[nodiscard]] inline bool depth_ok(std::string_view json) noexcept {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > depth_max) return false;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return true;
}

[[nodiscard]] inline std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && (text.back() == ' ' || text.back() == '\n' || text.back() == '\r' ||
                           text.back() == '\t')) {
    text.remove_suffix(1);
  }
  return text;
}

// The text of a scalar as it stands in the frame; of a container its opening bracket.
template <class Value>
[[nodiscard]] std::string_view token(Value& value) noexcept {
  return trimmed(value.raw_json_token());
}

template <class Value>
[[nodiscard]] bool is_null(Value& value) noexcept {
  return token(value) == "null";
}

// A string without its quotes; unescaped by the parser only when it has escapes.
template <class Value>
[[nodiscard]] bool read_text(Value& value, std::string_view& out) noexcept {
  const std::string_view raw = token(value);
  if (raw.size() < 2 || raw.front() != '"' || raw.back() != '"') return false;
  const std::string_view inner = raw.substr(1, raw.size() - 2);
  if (inner.find('\\') == std::string_view::npos) {
    out = inner;
    return true;
  }
  return value.get_string().get(out) == 0;
}

template <class Value>
[[nodiscard]] bool read_bool(Value& value, bool& out) noexcept {
  const std::string_view raw = token(value);
  if (raw != "true" && raw != "false") return false;
  out = raw == "true";
  return true;
}

// Exact prices and amounts.
template <class Value>
[[nodiscard]] bool read_exact(Value& value, std::int64_t& nano) noexcept {
  return parse_nano(token(value), nano) == DecimalStatus::ok;
}

// Analytics and booked money: rounded to 1e-9; null leaves `nano` as it was.
template <class Value>
[[nodiscard]] bool read_rounded(Value& value, std::int64_t& nano) noexcept {
  const std::string_view raw = token(value);
  if (raw == "null") return true;
  return parse_nano_round(raw, nano) == DecimalStatus::ok;
}

// As read_rounded, but a string in the number's place ("expired", "market_price") counts as absent.
template <class Value>
[[nodiscard]] bool read_loose(Value& value, std::int64_t& nano) noexcept {
  const std::string_view raw = token(value);
  if (raw.size() >= 2 && raw.front() == '"' && raw.back() == '"') return true;
  return read_rounded(value, nano);
}

// Exact, null (side empty) leaves `nano` as it was.
template <class Value>
[[nodiscard]] bool read_exact_or_null(Value& value, std::int64_t& nano) noexcept {
  return is_null(value) || read_exact(value, nano);
}

template <class Value>
[[nodiscard]] bool read_integer(Value& value, std::int64_t& out) noexcept {
  return parse_integer(token(value), out) == DecimalStatus::ok;
}

template <class Value>
[[nodiscard]] bool read_unsigned(Value& value, std::uint64_t& out) noexcept {
  std::int64_t n = 0;
  if (!read_integer(value, n) || n < 0) return false;
  out = static_cast<std::uint64_t>(n);
  return true;
}

// A venue timestamp in milliseconds.
template <class Value>
[[nodiscard]] bool read_time(Value& value, ExchTime& out) noexcept {
  std::int64_t ms = 0;
  if (!read_integer(value, ms) || ms < 0 || ms > unix_ms_max) return false;
  out = from_unix_ms(ms);
  return true;
}

template <class Value>
[[nodiscard]] bool is_object(Value& value) noexcept {
  const std::string_view raw = token(value);
  return !raw.empty() && raw.front() == '{';
}

template <class Value>
[[nodiscard]] bool is_array(Value& value) noexcept {
  const std::string_view raw = token(value);
  return !raw.empty() && raw.front() == '[';
}

// A value that is not needed: scalars must be JSON, containers must close and not nest too deep.
template <class Value>
[[nodiscard]] bool skip(Value& value) noexcept {
  const std::string_view raw = token(value);
  if (raw.empty()) return false;
  switch (raw.front()) {
    case '"': return raw.size() >= 2 && raw.back() == '"';
    case 't': return raw == "true";
    case 'f': return raw == "false";
    case 'n': return raw == "null";
    case '{': {
      auto object = value.get_object();
      std::string_view json;
      return object.error() == 0 && object.value_unsafe().raw_json().get(json) == 0 &&
             depth_ok(json);
    }
    case '[': {
      auto array = value.get_array();
      std::string_view json;
      return array.error() == 0 && array.value_unsafe().raw_json().get(json) == 0 && depth_ok(json);
    }
    default: {
      decimal_detail::Scanned number;
      return decimal_detail::scan(raw, number);
    }
  }
}

template <class Field>
[[nodiscard]] bool field_key(Field& field, Key& key) noexcept {
  const char* const begin = field.key().raw();
  const char* end = begin;
  while (*end != '"' && *end != '\\') ++end;  // the parser proved that a quote closes the key
  if (*end == '"') {
    key = key_of({begin, static_cast<std::size_t>(end - begin)});
    return true;
  }
  std::string_view name;
  if (field.unescaped_key().get(name) != 0) return false;
  key = key_of(name);
  return true;
}

// Calls visit(Key, value) -> bool for each known member; false when the visit refuses, a known
// member comes twice, or the object is not well formed.
template <class Object, class Visit>
[[nodiscard]] bool each_member(Object& object, SeenKeys& seen, Visit&& visit) noexcept {
  for (auto item : object) {
    if (item.error() != 0) return false;
    auto& field = item.value_unsafe();
    Key key = Key::unknown;
    if (!field_key(field, key)) return false;
    auto& value = field.value();
    if (key == Key::unknown) {
      if (!skip(value)) return false;
      continue;
    }
    if (!seen.first(key) || !visit(key, value)) return false;
  }
  return true;
}

template <class Value, class Visit>
[[nodiscard]] bool read_object(Value& value, SeenKeys& seen, Visit&& visit) noexcept {
  if (!is_object(value)) return false;
  auto object = value.get_object();
  if (object.error() != 0) return false;
  return each_member(object.value_unsafe(), seen, visit);
}

template <class Value, class Visit>
[[nodiscard]] bool read_array(Value& value, Visit&& visit) noexcept {
  if (!is_array(value)) return false;
  auto array = value.get_array();
  if (array.error() != 0) return false;
  for (auto item : array.value_unsafe()) {
    if (item.error() != 0) return false;
    if (!visit(item.value_unsafe())) return false;
  }
  return true;
}

}  // namespace gimbal::deribit
