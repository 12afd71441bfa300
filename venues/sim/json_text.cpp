#include "venues/sim/json_text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace gimbal::sim {
namespace {

constexpr double nano_range = 9.2e9;

void append_unsigned(std::string& out, std::uint64_t value) {
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
}

// The significant digits of a magnitude at 1e-9 and where the decimal point stands among them.
struct Decimal {
  std::array<char, 24> digits{};
  int count{0};
  int point{0};  // value = 0.digits * 10^point
};

Decimal decimal_of(std::uint64_t magnitude) {
  Decimal d;
  const auto end = std::to_chars(d.digits.data(), d.digits.data() + d.digits.size(), magnitude).ptr;
  d.count = static_cast<int>(end - d.digits.data());
  d.point = d.count - 9;
  while (d.count > 1 && d.digits[static_cast<std::size_t>(d.count - 1)] == '0') --d.count;
  return d;
}

void append_fixed(std::string& out, const Decimal& d, bool keep_fraction) {
  const std::string_view digits{d.digits.data(), static_cast<std::size_t>(d.count)};
  if (d.point <= 0) {
    out += "0.";
    out.append(static_cast<std::size_t>(-d.point), '0');
    out += digits;
  } else if (d.point >= d.count) {
    out += digits;
    out.append(static_cast<std::size_t>(d.point - d.count), '0');
    if (keep_fraction) out += ".0";
  } else {
    out += digits.substr(0, static_cast<std::size_t>(d.point));
    out += '.';
    out += digits.substr(static_cast<std::size_t>(d.point));
  }
}

int fixed_length(const Decimal& d) {
  if (d.point <= 0) return 2 - d.point + d.count;
  return d.point >= d.count ? d.point + 2 : d.count + 1;
}

void append_exponent(std::string& out, const Decimal& d) {
  out += d.digits[0];
  out += '.';
  if (d.count == 1) out += '0';
  out.append(d.digits.data() + 1, static_cast<std::size_t>(d.count - 1));
  out += 'e';
  const int exponent = d.point - 1;
  if (exponent < 0) out += '-';
  append_unsigned(out, static_cast<std::uint64_t>(exponent < 0 ? -exponent : exponent));
}

int exponent_length(const Decimal& d) {
  const int exponent = d.point - 1;
  return std::max(d.count, 2) + 2 + (exponent < 0 ? 1 : 0) + (std::abs(exponent) > 9 ? 2 : 1);
}

}  // namespace

void JsonText::value_begins() {
  if (out_.empty()) return;
  const char last = out_.back();
  if (last != '{' && last != '[' && last != ':' && last != ',') out_ += ',';
}

JsonText& JsonText::key(std::string_view name) {
  value_begins();
  out_ += '"';
  out_ += name;
  out_ += "\":";
  return *this;
}

void JsonText::text(std::string_view value) {
  static constexpr char hex[] = "0123456789abcdef";
  value_begins();
  out_ += '"';
  const auto plain = [](char c) {
    return static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\';
  };
  while (!value.empty()) {
    const auto end = std::find_if_not(value.begin(), value.end(), plain);
    out_.append(value.begin(), end);
    if (end == value.end()) break;
    const auto byte = static_cast<unsigned char>(*end);
    if (byte >= 0x20) {
      out_ += '\\';
      out_ += *end;
    } else {
      out_ += "\\u00";
      out_ += hex[byte >> 4];
      out_ += hex[byte & 15];
    }
    value = {end + 1, value.end()};
  }
  out_ += '"';
}

void JsonText::integer(std::int64_t value) {
  value_begins();
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out_.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
}

void JsonText::nano(std::int64_t value) {
  value_begins();
  if (value == 0) {
    out_ += style_ == NumberStyle::trimmed ? "0" : "0.0";
    return;
  }
  const std::uint64_t magnitude =
      value < 0 ? ~static_cast<std::uint64_t>(value) + 1 : static_cast<std::uint64_t>(value);
  if (value < 0) out_ += '-';
  const Decimal d = decimal_of(magnitude);
  if (style_ == NumberStyle::shortest && exponent_length(d) < fixed_length(d)) {
    append_exponent(out_, d);
  } else {
    append_fixed(out_, d, style_ != NumberStyle::trimmed);
  }
}

void JsonText::real(double value, int decimals) {
  if (!std::isfinite(value)) return null();
  static constexpr std::array<std::int64_t, 10> steps{
      1'000'000'000, 100'000'000, 10'000'000, 1'000'000, 100'000, 10'000, 1'000, 100, 10, 1};
  const std::int64_t step = steps[static_cast<std::size_t>(std::clamp(decimals, 0, 9))];
  if (std::abs(value) < nano_range) {
    return nano(std::llround(value * (1e9 / static_cast<double>(step))) * step);
  }
  value_begins();
  std::array<char, 64> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value,
                                 std::chars_format::fixed, 1)
                       .ptr;
  out_.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
}

void rotate_members(std::string& out, std::size_t begin, std::size_t split) {
  if (split <= begin || split >= out.size()) return;
  // `a,b,c` becomes `c,a,b`: the comma before the split moves to the join.
  const auto first = out.begin() + static_cast<std::ptrdiff_t>(begin);
  const auto middle = out.begin() + static_cast<std::ptrdiff_t>(split);
  const auto tail = out.end() - middle;
  std::rotate(first, middle, out.end());
  const auto comma_gone = std::rotate(first + tail, out.end() - 1, out.end());
  static_cast<void>(comma_gone);
}

JsonText& MemberMarks::key(std::string_view name) {
  json_.key(name);
  if (count_ < marks_max) {
    marks_[count_++] = static_cast<std::uint32_t>(json_.size() - name.size() - 3);
  }
  return json_;
}

void MemberMarks::rotate(std::size_t by) {
  if (count_ < 2) return;
  const std::size_t chosen = by % count_;
  if (chosen != 0) rotate_members(json_.out(), begin_, marks_[chosen]);
}

}  // namespace gimbal::sim
