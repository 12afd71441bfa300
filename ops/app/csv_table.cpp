#include "ops/app/csv_table.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace gimbal {

namespace {

// Length of the valid UTF-8 sequence at `at`, 0 when there is none.
std::size_t utf8_length(std::string_view s, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  const unsigned char first = byte(at);
  const std::size_t length = first < 0x80   ? 1
                             : first < 0xc2 ? 0
                             : first < 0xe0 ? 2
                             : first < 0xf0 ? 3
                             : first < 0xf5 ? 4
                                            : 0;
  if (length == 0 || at + length > s.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xc0) != 0x80) return 0;
  }
  if (length < 3) return length;
  const unsigned char second = byte(at + 1);
  const bool bad = (first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
                   (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f);
  return bad ? 0 : length;
}

// -? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?
bool json_number(std::string_view s) {
  std::size_t i = 0;
  const auto digits = [&] {
    const std::size_t from = i;
    while (i < s.size() && s[i] >= '0' && s[i] <= '9') ++i;
    return i - from;
  };
  if (i < s.size() && s[i] == '-') ++i;
  const bool zero = i < s.size() && s[i] == '0';
  const std::size_t whole = digits();
  if (whole == 0 || (zero && whole > 1)) return false;
  if (i < s.size() && s[i] == '.') {
    ++i;
    if (digits() == 0) return false;
  }
  if (i < s.size() && (s[i] == 'e' || s[i] == 'E')) {
    ++i;
    if (i < s.size() && (s[i] == '+' || s[i] == '-')) ++i;
    if (digits() == 0) return false;
  }
  return i == s.size();
}

}  // namespace

std::string csv_lower(std::string_view s) {
  std::string out{s};
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

std::string csv_shown(std::string_view cell) {
  std::string out{"\""};
  for (const char c : cell.substr(0, 40)) out.push_back(c >= ' ' && c <= '~' ? c : '?');
  return out + (cell.size() > 40 ? "...\"" : "\"");
}

std::string csv_text(std::string_view s) {
  if (s.find_first_of(",\"\r\n") == std::string_view::npos) return std::string{s};
  std::string out{"\""};
  for (const char c : s) out += c == '"' ? std::string{"\"\""} : std::string{c};
  return out + '"';
}

std::string csv_number(double v) {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), v).ptr;
  return {digits.data(), end};
}

std::string csv_json_string(std::string_view s) {
  std::string o{"\""};
  for (std::size_t i = 0; i < s.size();) {
    const std::size_t length = utf8_length(s, i);
    const auto c = static_cast<unsigned char>(s[i]);
    if (length == 0) {
      o += "\\ufffd";
    } else if (c == '"' || c == '\\') {
      o += '\\';
      o += s[i];
    } else if (c < 0x20) {
      constexpr std::string_view hex{"0123456789abcdef"};
      o += "\\u00";
      o += hex[c >> 4];
      o += hex[c & 15];
    } else {
      o += s.substr(i, length);
    }
    i += length == 0 ? 1 : length;
  }
  return o + '"';
}

std::string CsvProblem::to_text(std::string_view source) const {
  std::string o{source};
  o += ":" + std::to_string(line) + ": ";
  if (column > 0) o += "column " + std::to_string(column) + " (" + name + "): ";
  return o + text;
}

CsvInputs::CsvInputs(std::span<const std::string_view> names, std::size_t required, CsvOutcome& out)
    : names_{names}, required_{required}, out_{out}, at_(names.size(), none) {}

bool CsvInputs::read_header(const CsvRecord& r) {
  if (!r.error.empty()) return refuse(r.line, r.error);
  for (const CsvCell& c : r.cells) header_.push_back(std::string{trimmed(c.value)});
  bool good = true;
  for (std::size_t i = 0; i < names_.size(); ++i) good = find_input(r, i) && good;
  for (std::size_t i = 0; i < r.cells.size(); ++i) {
    if (i > 0) header_text_ += ',';
    header_text_ += r.cells[i].raw;
  }
  return good;
}

bool CsvInputs::find_input(const CsvRecord& r, std::size_t input) {
  const std::string name{names_[input]};
  const auto first = std::find(header_.begin(), header_.end(), name);
  if (first == header_.end()) {
    if (input >= required_) return true;
    const auto near = std::find_if(header_.begin(), header_.end(), [&](const std::string& h) {
      return csv_lower(h) == csv_lower(name) &&
             std::find(names_.begin(), names_.end(), h) == names_.end();
    });
    std::string needed;
    for (std::size_t i = 0; i < required_; ++i) {
      needed += (i > 0 ? ", " : "") + std::string{names_[i]};
    }
    return refuse(r.line,
                  "the header has no column " + name +
                      (near != header_.end() ? "; " + csv_shown(*near) + " is not it, case matters"
                                             : "; needed are " + needed));
  }
  if (std::find(first + 1, header_.end(), name) != header_.end()) {
    return refuse(r.line, "the header has column " + name + " twice");
  }
  at_[input] = static_cast<std::size_t>(first - header_.begin());
  return true;
}

bool CsvInputs::complete(const CsvRecord& r) {
  if (!r.error.empty()) return refuse(r.line, r.error);
  if (r.cells.size() == header_.size()) return true;
  return refuse(r.line, std::to_string(r.cells.size()) + " cells, the header has " +
                            std::to_string(header_.size()));
}

std::string_view CsvInputs::cell(const CsvRecord& r, std::size_t input) const {
  return has(input) ? trimmed(r.cells[at_[input]].value) : std::string_view{};
}

bool CsvInputs::number(const CsvRecord& r, std::size_t input, std::optional<double>& out) {
  std::string_view text = cell(r, input);
  if (text.empty()) return input >= required_ || refuse_cell(r, input, "is empty");
  if (text.front() == '+') text.remove_prefix(1);
  double v = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), v);
  if (error == std::errc::result_out_of_range) {
    return refuse_cell(r, input, csv_shown(text) + " does not fit a double");
  }
  if (error != std::errc{} || end != text.data() + text.size()) {
    return refuse_cell(r, input, csv_shown(text) + " is not a number");
  }
  if (!std::isfinite(v)) return refuse_cell(r, input, csv_shown(text) + " is not finite");
  out = v;
  return true;
}

bool CsvInputs::positive(const CsvRecord& r, std::size_t input, std::optional<double>& out) {
  if (!number(r, input, out)) return false;
  return !out || *out > 0 || refuse_cell(r, input, "must be above 0");
}

bool CsvInputs::refuse(std::size_t line, std::string text) {
  out_.problems.push_back({line, 0, {}, std::move(text)});
  return false;
}

bool CsvInputs::refuse_cell(const CsvRecord& r, std::size_t input, std::string text) {
  out_.problems.push_back({r.line, at_[input] + 1, std::string{names_[input]}, std::move(text)});
  return false;
}

std::string CsvInputs::result_name(std::string_view name) const {
  std::string out{name};
  while (std::find(header_.begin(), header_.end(), out) != header_.end()) out = "gimbal_" + out;
  return out;
}

void CsvInputs::write_header(std::span<const std::string_view> results) {
  out_.output += header_text_;
  for (const std::string_view name : results) out_.output += "," + result_name(name);
  out_.output += '\n';
}

void CsvInputs::write_csv(const CsvRecord& r) {
  for (std::size_t i = 0; i < r.cells.size(); ++i) {
    if (i > 0) out_.output += ',';
    out_.output += r.cells[i].raw;
  }
}

void CsvInputs::write_json(const CsvRecord& r) {
  std::string& o = out_.output;
  o += '{';
  for (std::size_t i = 0; i < header_.size(); ++i) {
    const CsvCell& c = r.cells[i];
    if (i > 0) o += ',';
    o += csv_json_string(header_[i]) + ':';
    o += json_number(c.raw) ? std::string{c.raw} : csv_json_string(c.value);
  }
}

void CsvInputs::write_row(CsvFormat format, const CsvRecord& r,
                          std::span<const CsvResult> results) {
  const bool json = format == CsvFormat::json_lines;
  json ? write_json(r) : write_csv(r);
  std::string& o = out_.output;
  for (const CsvResult& v : results) {
    o += ',';
    if (json) o += csv_json_string(result_name(v.name)) + ':';
    if (v.kind == CsvResult::Kind::json && json) {
      o += v.text;
    } else if (v.kind != CsvResult::Kind::number) {
      o += json ? csv_json_string(v.text) : csv_text(v.text);
    } else {
      o += json && !std::isfinite(v.number) ? "null" : csv_number(v.number);
    }
  }
  o += json ? "}\n" : "\n";
  ++out_.rows;
}

}  // namespace gimbal
