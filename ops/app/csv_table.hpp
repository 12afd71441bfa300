// What the CSV tools share: a header in any order, cells as numbers with errors that name line and
// column, every input column copied byte for byte, results appended as CSV or as JSON lines.
//
// Room: ops/app, cold. A refused row is reported and left out; a refused header ends the work. A
// result whose name the file already uses is appended as gimbal_<name>. Numbers are written with as
// many digits as bring back the same double.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ops/app/csv_reader.hpp"

namespace gimbal {

struct CsvProblem {
  std::size_t line{0};    // of the file, from 1
  std::size_t column{0};  // of the table, from 1; 0 when the line as a whole is meant
  std::string name{};     // of the column, when known
  std::string text{};
  [[nodiscard]] std::string to_text(std::string_view source) const;  // source:line: ...
};

enum class CsvFormat { csv, json_lines };

struct CsvOutcome {
  bool usable{false};   // the header was understood
  std::size_t rows{0};  // written
  std::string output{};
  std::vector<CsvProblem> problems{};
};

// One appended result. A text is quoted in CSV where it must be, and always in JSON; `json` is JSON
// text, written there as it is. A number that is not finite is nan, inf or -inf in CSV and null in
// JSON.
struct CsvResult {
  enum class Kind { number, text, json };
  std::string_view name;
  double number{0};
  std::string text{};
  Kind kind{Kind::number};
};

// The input side of a table. Columns are found by name; the first `required` of `names` must exist.
class CsvInputs {
 public:
  CsvInputs(std::span<const std::string_view> names, std::size_t required, CsvOutcome& out);

  // Finds the input columns; false (with problems) when they cannot be found.
  bool read_header(const CsvRecord& r);
  // Whether the record has a cell for each column; false with the problem.
  bool complete(const CsvRecord& r);

  [[nodiscard]] bool has(std::size_t input) const { return at_[input] != none; }
  // Without spaces at the ends; empty for a column the file does not have.
  [[nodiscard]] std::string_view cell(const CsvRecord& r, std::size_t input) const;
  // Reads a finite number. An empty cell is fine (nothing is stored) unless the input is required.
  bool number(const CsvRecord& r, std::size_t input, std::optional<double>& out);
  // The same, refused unless it is above 0.
  bool positive(const CsvRecord& r, std::size_t input, std::optional<double>& out);

  bool refuse(std::size_t line, std::string text);  // false always
  bool refuse_cell(const CsvRecord& r, std::size_t input, std::string text);

  // The name under which a result is appended: one that the file does not use yet.
  [[nodiscard]] std::string result_name(std::string_view name) const;
  void write_header(std::span<const std::string_view> results);
  void write_csv(const CsvRecord& r);   // the input cells, no line end
  void write_json(const CsvRecord& r);  // the opening brace and the input cells
  // A whole row in the format, line end included.
  void write_row(CsvFormat format, const CsvRecord& r, std::span<const CsvResult> results);

 private:
  static constexpr std::size_t none = static_cast<std::size_t>(-1);
  bool find_input(const CsvRecord& r, std::size_t input);

  std::span<const std::string_view> names_;
  std::size_t required_;
  CsvOutcome& out_;
  std::vector<std::string> header_;
  std::string header_text_;
  std::vector<std::size_t> at_;
};

// Each record after the header, through `table.read_header` and `table.read_row`, then
// `table.write`. The loop of every tool.
template <class Table>
void run_csv_table(std::string_view input, Table& table, CsvOutcome& out) {
  CsvReader reader{input};
  CsvRecord record;
  if (!reader.next(record)) {
    out.problems.push_back({1, 0, {}, "no header row: the input is empty"});
    return;
  }
  if (!table.read_header(record)) return;
  out.usable = true;
  while (reader.next(record)) table.read_row(std::move(record));
  table.write();
}

[[nodiscard]] std::string csv_number(double v);
// Text as a JSON string; invalid UTF-8 becomes U+FFFD.
[[nodiscard]] std::string csv_json_string(std::string_view s);
// Text as a CSV cell, quoted where it holds a comma, a quote or a line end.
[[nodiscard]] std::string csv_text(std::string_view s);
// At most 40 characters of a cell in quotes, for a message.
[[nodiscard]] std::string csv_shown(std::string_view cell);
[[nodiscard]] std::string csv_lower(std::string_view s);

}  // namespace gimbal
