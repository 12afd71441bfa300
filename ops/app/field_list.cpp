// Reading and writing of single config values. Every complaint says what was expected and found.
#include "ops/app/field_list.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace gimbal::field {
namespace {

struct DurationUnit {
  std::string_view name;
  std::int64_t ns;
};
// Largest first, so that duration_text picks the shortest exact form.
constexpr std::array<DurationUnit, 6> duration_units{{{"h", 3'600'000'000'000},
                                                      {"m", 60'000'000'000},
                                                      {"s", 1'000'000'000},
                                                      {"ms", 1'000'000},
                                                      {"us", 1'000},
                                                      {"ns", 1}}};

bool all_digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// "12.5" times `scale` as an exact integer; nullopt on anything else, overflow and lost digits.
std::optional<std::int64_t> scaled_decimal(std::string_view text, std::int64_t scale) {
  const bool negative = !text.empty() && text.front() == '-';
  if (negative) text.remove_prefix(1);
  const auto dot = text.find('.');
  const auto whole = text.substr(0, dot);
  const auto part = dot == std::string_view::npos ? std::string_view{} : text.substr(dot + 1);
  if (!all_digits(whole) || (dot != std::string_view::npos && !all_digits(part)))
    return std::nullopt;
  i128 value = 0;
  const i128 limit = static_cast<i128>(std::numeric_limits<std::int64_t>::max());
  for (const char c : whole) {
    value = value * 10 + (c - '0');
    if (value > limit) return std::nullopt;
  }
  value *= scale;
  i128 weight = scale;
  for (const char c : part) {
    if (c == '0' && weight % 10 != 0) continue;
    if (weight % 10 != 0) return std::nullopt;  // finer than the scale can hold
    weight /= 10;
    value += weight * (c - '0');
  }
  if (value > limit) return std::nullopt;
  return static_cast<std::int64_t>(negative ? -value : value);
}

std::string range_text(const FieldInfo& info) {
  const bool low = std::isfinite(info.min);
  const bool high = std::isfinite(info.max);
  if (low && high) return "between " + double_text(info.min) + " and " + double_text(info.max);
  return low ? "at least " + double_text(info.min) : "at most " + double_text(info.max);
}

std::string outside(double value, const FieldInfo& info, std::string_view shown,
                    std::string_view unit) {
  if (value >= info.min && value <= info.max) return {};
  return "is out of range: must be " + range_text(info) + (unit.empty() ? "" : " ") +
         std::string{unit} + ", found " + std::string{shown};
}

// A bound as an integer of 1e-9, so that the bound itself is inside and the next number is not.
std::int64_t nano_bound(double bound) {
  constexpr double most = 9.2e18;
  const double nano = bound * 1e9;
  if (nano > most) return std::numeric_limits<std::int64_t>::max();
  if (nano < -most) return std::numeric_limits<std::int64_t>::min();
  return std::llround(nano);
}

std::string outside_nano(std::int64_t nano, const FieldInfo& info, std::string_view shown,
                         std::string_view unit) {
  if (nano >= nano_bound(info.min) && nano <= nano_bound(info.max)) return {};
  return "is out of range: must be " + range_text(info) + (unit.empty() ? "" : " ") +
         std::string{unit} + ", found " + std::string{shown};
}

std::string wrong_length(std::size_t length, const FieldInfo& info, std::string_view what) {
  if (static_cast<double>(length) >= info.min && static_cast<double>(length) <= info.max) return {};
  if (length == 0) return "must not be empty";
  return "has " + std::to_string(length) + " " + std::string{what} + ", must be " +
         range_text(info);
}

}  // namespace

std::string quoted(std::string_view text) {
  std::string out{"\""};
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      constexpr std::string_view hex{"0123456789abcdef"};
      const auto byte = static_cast<unsigned char>(c);
      out += "\\u00";
      out += hex[byte >> 4];
      out += hex[byte & 15];
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string double_text(double value) {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  return {digits.data(), end};
}

std::string duration_text(Nanos value) {
  for (const auto& unit : duration_units) {
    if (value.count % unit.ns == 0 && (value.count != 0 || unit.name == "s")) {
      return std::to_string(value.count / unit.ns) + std::string{unit.name};
    }
  }
  return "0s";
}

std::string decimal_text(std::int64_t nano) {
  const bool negative = nano < 0;
  const std::uint64_t size =
      negative ? 0 - static_cast<std::uint64_t>(nano) : static_cast<std::uint64_t>(nano);
  constexpr auto unit = static_cast<std::uint64_t>(nano_per_unit);
  std::string text = (negative ? "-" : "") + std::to_string(size / unit);
  if (const std::uint64_t rest = size % unit; rest != 0) {
    std::string digits = std::to_string(rest);
    digits.insert(0, 9 - digits.size(), '0');
    digits.erase(digits.find_last_not_of('0') + 1);
    text += "." + digits;
  }
  return text;
}

std::optional<Nanos> parse_duration(std::string_view text) {
  const auto split = text.find_first_not_of("0123456789.-");
  if (split == std::string_view::npos) return std::nullopt;
  for (const auto& unit : duration_units) {
    if (text.substr(split) != unit.name) continue;
    const auto ns = scaled_decimal(text.substr(0, split), unit.ns);
    return ns ? std::optional{Nanos{*ns}} : std::nullopt;
  }
  return std::nullopt;
}

std::optional<std::int64_t> parse_decimal_nano(std::string_view text) {
  return scaled_decimal(text, nano_per_unit);
}

std::string load_bool(const TomlValue& v, bool& out) {
  if (v.kind != TomlKind::boolean) return "must be true or false, found " + v.found();
  out = v.boolean;
  return {};
}

std::string load_integer(const TomlValue& v, const FieldInfo& info, std::int64_t lowest,
                         std::uint64_t highest, std::int64_t& out) {
  if (v.kind != TomlKind::integer) return "must be an integer, found " + v.found();
  if (v.integer < lowest || (v.integer > 0 && static_cast<std::uint64_t>(v.integer) > highest)) {
    return "is out of range: " + std::to_string(v.integer) + " does not fit";
  }
  auto wrong = outside(static_cast<double>(v.integer), info, std::to_string(v.integer), info.unit);
  if (wrong.empty()) out = v.integer;
  return wrong;
}

std::string load_double(const TomlValue& v, const FieldInfo& info, double& out) {
  double value = 0;
  if (v.kind == TomlKind::real) {
    value = v.real;
  } else if (v.kind == TomlKind::integer) {
    value = static_cast<double>(v.integer);
  } else {
    return "must be a number, found " + v.found();
  }
  if (!std::isfinite(value)) return "must be a finite number, found " + v.found();
  auto wrong = outside(value, info, double_text(value), info.unit);
  if (wrong.empty()) out = value;
  return wrong;
}

std::string load_duration(const TomlValue& v, const FieldInfo& info, Nanos& out) {
  constexpr std::string_view form =
      "a duration with a unit such as \"250ms\" (ns, us, ms, s, m, h)";
  if (v.kind != TomlKind::string) {
    return "must be " + std::string{form} + ", found " + v.found() + " without a unit";
  }
  const auto value = parse_duration(v.text);
  if (!value) return "must be " + std::string{form} + ", found " + v.found();
  auto wrong = outside_nano(value->count, info, v.text, "seconds");
  if (wrong.empty()) out = *value;
  return wrong;
}

std::string load_decimal(const TomlValue& v, const FieldInfo& info, std::int64_t& nano) {
  constexpr std::string_view form =
      "a decimal number in quotes such as \"50000.5\", at most 9 decimals and below 9.2e9";
  if (v.kind != TomlKind::string) return "must be " + std::string{form} + ", found " + v.found();
  const auto value = parse_decimal_nano(v.text);
  if (!value) return "must be " + std::string{form} + ", found " + v.found();
  auto wrong = outside_nano(*value, info, v.text, info.unit);
  if (wrong.empty()) nano = *value;
  return wrong;
}

std::string load_text(const TomlValue& v, const FieldInfo& info, std::string& out) {
  if (v.kind != TomlKind::string) return "must be a string, found " + v.found();
  for (const char c : v.text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      return "must not hold control characters";
  }
  auto wrong = wrong_length(v.text.size(), info, "bytes");
  if (wrong.empty()) out = v.text;
  return wrong;
}

std::string load_texts(const TomlValue& v, const FieldInfo& info, std::vector<std::string>& out) {
  if (v.kind != TomlKind::array) return "must be a list of strings, found " + v.found();
  std::vector<std::string> items;
  for (const auto& item : v.items) {
    std::string text;
    if (auto wrong = load_text(item, FieldInfo{.min = 1}, text); !wrong.empty()) {
      return "item " + std::to_string(items.size() + 1) + " " + wrong;
    }
    if (std::find(items.begin(), items.end(), text) != items.end()) {
      return "names " + quoted(text) + " twice";
    }
    items.push_back(std::move(text));
  }
  auto wrong = wrong_length(items.size(), info, "items");
  if (wrong.empty()) out = std::move(items);
  return wrong;
}

std::string load_currency(const TomlValue& v, Currency& out) {
  const bool fits =
      v.kind == TomlKind::string && !v.text.empty() && v.text.size() <= out.ticker.size() &&
      std::all_of(v.text.begin(), v.text.end(),
                  [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); });
  if (!fits)
    return "must be a currency such as \"BTC\" (1-8 capitals or digits), found " + v.found();
  out = currency(v.text);
  return {};
}

}  // namespace gimbal::field
