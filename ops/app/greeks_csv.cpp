#include "ops/app/greeks_csv.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include "engine/core/math.hpp"
#include "engine/core/pricing.hpp"
#include "ops/app/csv_reader.hpp"

namespace gimbal {

namespace {

std::string lower(std::string_view s) {
  std::string out{s};
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

// At most 40 characters of a cell, for a message.
std::string shown(std::string_view cell) {
  std::string out{"\""};
  for (const char c : cell.substr(0, 40)) out.push_back(c >= ' ' && c <= '~' ? c : '?');
  return out + (cell.size() > 40 ? "...\"" : "\"");
}

std::string number_text(double v) {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), v).ptr;
  return {digits.data(), end};
}

// --- what goes in and out
// -------------------------------------------------------------------------

constexpr std::size_t inputs = 8;
constexpr std::array<std::string_view, inputs> input_names{"type",  "F", "K",  "T",
                                                           "sigma", "r", "df", "settle"};
enum Input : std::size_t { in_type, in_f, in_k, in_t, in_sigma, in_r, in_df, in_settle };
constexpr std::size_t required_inputs = 5;

constexpr std::array<std::string_view, 7> linear_names{"price", "delta", "gamma", "vega",
                                                       "theta", "vanna", "volga"};
constexpr std::array<std::string_view, 9> inverse_names{"v_coin",     "delta_bs",  "delta_net",
                                                        "gamma_bs",   "gamma_net", "vega_coin",
                                                        "theta_coin", "vanna_net", "volga_coin"};

struct Row {
  CsvRecord record;
  bool inverse{false};
  OptionTerms terms;
};

class Table {
 public:
  Table(GreeksFormat format, GreeksOutcome& out) : format_{format}, out_{out} {}

  // Finds the input columns; false (with problems) when they cannot be found.
  bool read_header(const CsvRecord& r) {
    if (!r.error.empty()) return refuse(r.line, 0, {}, r.error);
    for (const CsvCell& c : r.cells) header_.push_back(std::string{trimmed(c.value)});
    at_.fill(none);
    bool good = true;
    for (std::size_t i = 0; i < inputs; ++i) good = find_input(r, i) && good;
    return good;
  }

  void read_row(CsvRecord&& r) {
    Row row;
    row.record = std::move(r);
    if (understand(row)) rows_.push_back(std::move(row));
  }

  void write() {
    for (const Row& r : rows_) (r.inverse ? any_inverse_ : any_linear_) = true;
    if (!any_inverse_) any_linear_ = true;
    if (format_ == GreeksFormat::csv) write_csv_header();
    for (const Row& r : rows_) {
      const std::vector<double> results = r.inverse ? inverse(r.terms) : linear(r.terms);
      if (!std::all_of(results.begin(), results.end(), [](double v) { return std::isfinite(v); })) {
        refuse(r.record.line, 0, {}, "a result is too large for a double");
        continue;
      }
      format_ == GreeksFormat::csv ? write_csv(r, results) : write_json(r, results);
      ++out_.rows;
    }
  }

 private:
  static constexpr std::size_t none = static_cast<std::size_t>(-1);

  bool refuse(std::size_t line, std::size_t column, std::string name, std::string text) {
    out_.problems.push_back({line, column, std::move(name), std::move(text)});
    return false;
  }
  bool refuse_cell(const Row& row, std::size_t input, std::string text) {
    return refuse(row.record.line, at_[input] + 1, std::string{input_names[input]},
                  std::move(text));
  }

  bool find_input(const CsvRecord& r, std::size_t input) {
    const std::string name{input_names[input]};
    const auto first = std::find(header_.begin(), header_.end(), name);
    if (first == header_.end()) {
      if (input >= required_inputs) return true;
      const auto near = std::find_if(header_.begin(), header_.end(), [&](const std::string& h) {
        return lower(h) == lower(name) &&
               std::find(input_names.begin(), input_names.end(), h) == input_names.end();
      });
      return refuse(r.line, 0, {},
                    "the header has no column " + name +
                        (near != header_.end() ? "; " + shown(*near) + " is not it, case matters"
                                               : "; needed are type, F, K, T, sigma"));
    }
    if (std::find(first + 1, header_.end(), name) != header_.end()) {
      return refuse(r.line, 0, {}, "the header has column " + name + " twice");
    }
    at_[input] = static_cast<std::size_t>(first - header_.begin());
    return true;
  }

  std::string_view cell(const Row& row, std::size_t input) const {
    return at_[input] == none ? std::string_view{} : trimmed(row.record.cells[at_[input]].value);
  }

  bool read_number(const Row& row, std::size_t input, std::optional<double>& out) {
    std::string_view text = cell(row, input);
    if (text.empty()) { return input >= required_inputs || refuse_cell(row, input, "is empty"); }
    if (text.front() == '+') text.remove_prefix(1);
    double v = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), v);
    if (error == std::errc::result_out_of_range) {
      return refuse_cell(row, input, shown(text) + " does not fit a double");
    }
    if (error != std::errc{} || end != text.data() + text.size()) {
      return refuse_cell(row, input, shown(text) + " is not a number");
    }
    if (!std::isfinite(v)) return refuse_cell(row, input, shown(text) + " is not finite");
    out = v;
    return true;
  }

  bool understand(Row& row) {
    const CsvRecord& r = row.record;
    if (!r.error.empty()) return refuse(r.line, 0, {}, r.error);
    if (r.cells.size() != header_.size()) {
      return refuse(r.line, 0, {},
                    std::to_string(r.cells.size()) + " cells, the header has " +
                        std::to_string(header_.size()));
    }
    const bool type = read_type(row);
    const bool settle = read_settle(row);
    std::array<std::optional<double>, inputs> v;
    bool numbers = true;
    for (const Input i : {in_f, in_k, in_t, in_sigma, in_r, in_df}) {
      numbers = read_number(row, i, v[i]) && numbers;
    }
    if (!type || !settle || !numbers) return false;
    for (const Input i : {in_f, in_k, in_df}) {
      if (v[i] && !(*v[i] > 0)) return refuse_cell(row, i, "must be above 0");
    }
    OptionTerms& t = row.terms;
    t.forward = *v[in_f];
    t.strike = *v[in_k];
    t.years = *v[in_t];
    t.sigma = *v[in_sigma];
    if (!row.inverse) {
      t.discount = v[in_df].value_or(math::exp(-v[in_r].value_or(0.0) * std::max(t.years, 0.0)));
      const double implied = v[in_df] && t.years > 0 ? -math::log(t.discount) / t.years : 0.0;
      t.rate = v[in_r].value_or(implied);
    }
    if (priceable(t)) return true;
    return refuse(r.line, 0, {},
                  "out of range: F and K go from 1e-100 to 1e100, T, sigma and r to 1e6, df from "
                  "1e-60 to 1e60");
  }

  bool read_type(Row& row) {
    const std::string text = lower(cell(row, in_type));
    if (text == "c" || text == "call") {
      row.terms.type = OptionType::call;
    } else if (text == "p" || text == "put") {
      row.terms.type = OptionType::put;
    } else {
      return refuse_cell(row, in_type, shown(cell(row, in_type)) + " is neither C nor P");
    }
    return true;
  }

  bool read_settle(Row& row) {
    const std::string text = lower(cell(row, in_settle));
    row.inverse = text == "inverse";
    if (text.empty() || text == "linear" || row.inverse) return true;
    return refuse_cell(row, in_settle,
                       shown(cell(row, in_settle)) + " is neither linear nor inverse");
  }

  static std::vector<double> linear(const OptionTerms& t) {
    const LinearGreeks g = price_linear(t);
    return {g.price, g.delta, g.gamma, g.vega, g.theta, g.vanna, g.volga};
  }
  static std::vector<double> inverse(const OptionTerms& t) {
    const InverseGreeks g = price_inverse(t);
    return {g.value, g.delta_bs, g.delta_net, g.gamma_bs, g.gamma_net,
            g.vega,  g.theta,    g.vanna_net, g.volga};
  }

  // The name under which a result is appended: one that the file does not use yet.
  [[nodiscard]] std::string result_name(std::string_view name) const {
    std::string out{name};
    while (std::find(header_.begin(), header_.end(), out) != header_.end()) out = "gimbal_" + out;
    return out;
  }

  void write_csv_header() {
    std::string& o = out_.output;
    o += header_text_;
    const auto append = [&](const auto& names) {
      for (const std::string_view name : names) o += "," + result_name(name);
    };
    if (any_linear_) append(linear_names);
    if (any_inverse_) append(inverse_names);
    o += '\n';
  }

  void write_csv(const Row& row, const std::vector<double>& results) {
    std::string& o = out_.output;
    for (std::size_t i = 0; i < row.record.cells.size(); ++i) {
      if (i > 0) o += ',';
      o += row.record.cells[i].raw;
    }
    const auto append = [&](bool applies, std::size_t count) {
      for (std::size_t i = 0; i < count; ++i) o += applies ? "," + number_text(results[i]) : ",";
    };
    if (any_linear_) append(!row.inverse, linear_names.size());
    if (any_inverse_) append(row.inverse, inverse_names.size());
    o += '\n';
  }

  void write_json(const Row& row, const std::vector<double>& results);

 public:
  void keep_header_text(const CsvRecord& r) {
    for (std::size_t i = 0; i < r.cells.size(); ++i) {
      if (i > 0) header_text_ += ',';
      header_text_ += r.cells[i].raw;
    }
  }

 private:
  GreeksFormat format_;
  GreeksOutcome& out_;
  std::vector<std::string> header_;
  std::string header_text_;
  std::array<std::size_t, inputs> at_{};
  std::vector<Row> rows_;
  bool any_linear_{false};
  bool any_inverse_{false};
};

// --- JSON lines
// -----------------------------------------------------------------------------------

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

std::string json_string(std::string_view s) {
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

void Table::write_json(const Row& row, const std::vector<double>& results) {
  std::string& o = out_.output;
  o += '{';
  for (std::size_t i = 0; i < header_.size(); ++i) {
    const CsvCell& c = row.record.cells[i];
    o += json_string(header_[i]) + ':';
    o += json_number(c.raw) ? std::string{c.raw} : json_string(c.value);
    o += ',';
  }
  for (std::size_t i = 0; i < results.size(); ++i) {
    const std::string_view name = row.inverse ? inverse_names[i] : linear_names[i];
    if (i > 0) o += ',';
    o += json_string(result_name(name)) + ':' + number_text(results[i]);
  }
  o += "}\n";
}

}  // namespace

std::string GreeksProblem::to_text(std::string_view source) const {
  std::string o{source};
  o += ":" + std::to_string(line) + ": ";
  if (column > 0) o += "column " + std::to_string(column) + " (" + name + "): ";
  return o + text;
}

GreeksOutcome greeks_table(std::string_view input, GreeksFormat format) {
  GreeksOutcome out;
  CsvReader reader{input};
  CsvRecord record;
  if (!reader.next(record)) {
    out.problems.push_back({1, 0, {}, "no header row: the input is empty"});
    return out;
  }
  Table table{format, out};
  if (!table.read_header(record)) return out;
  table.keep_header_text(record);
  out.usable = true;
  while (reader.next(record)) table.read_row(std::move(record));
  table.write();
  return out;
}

}  // namespace gimbal
