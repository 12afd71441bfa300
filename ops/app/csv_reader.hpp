// Splits CSV text into records and cells (RFC 4180, with LF or CRLF ends and an optional byte order
// mark): quoted cells may hold commas, doubled quotes and line ends. Room: ops/app, cold. Views
// point into the text, which must outlive them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gimbal {

struct CsvCell {
  std::string_view raw;  // as written, with its quotes
  std::string value;     // without
};
struct CsvRecord {
  std::size_t line{0};
  std::vector<CsvCell> cells;
  std::string error;  // of the reader; the record is then not usable
};

// Splits text into records: quoted cells may hold commas, doubled quotes and line ends.
class CsvReader {
 public:
  explicit CsvReader(std::string_view text) : text_{text} {
    if (text_.substr(0, 3) == "\xef\xbb\xbf") at_ = 3;
  }
  // False at the end. Blank lines are passed over.
  bool next(CsvRecord& r) {
    while (at_ < text_.size() && line_end(at_) > 0) skip_line_end();
    if (at_ >= text_.size()) return false;
    r = CsvRecord{line_, {}, {}};
    do { r.cells.push_back(cell(r)); } while (r.error.empty() && comma());
    if (!r.error.empty()) {
      while (at_ < text_.size() && line_end(at_) == 0) ++at_;
    }
    if (at_ < text_.size()) skip_line_end();
    return true;
  }

 private:
  [[nodiscard]] std::size_t line_end(std::size_t at) const {
    if (text_[at] == '\n') return 1;
    return text_[at] == '\r' && at + 1 < text_.size() && text_[at + 1] == '\n' ? 2 : 0;
  }
  void skip_line_end() {
    at_ += line_end(at_);
    ++line_;
  }
  bool comma() {
    if (at_ >= text_.size() || text_[at_] != ',') return false;
    ++at_;
    return true;
  }
  CsvCell cell(CsvRecord& r) {
    const std::size_t from = at_;
    if (at_ < text_.size() && text_[at_] == '"') return quoted(r);
    while (at_ < text_.size() && text_[at_] != ',' && line_end(at_) == 0) {
      if (text_[at_] == '"') {
        r.error = "a quote inside an unquoted cell";
        return {};
      }
      ++at_;
    }
    const std::string_view raw = text_.substr(from, at_ - from);
    return {raw, std::string{raw}};
  }
  CsvCell quoted(CsvRecord& r) {
    const std::size_t from = at_++;
    std::string value;
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '\n') ++line_;
      if (c != '"') {
        value.push_back(c);
      } else if (at_ + 1 < text_.size() && text_[at_ + 1] == '"') {
        value.push_back('"');
        ++at_;
      } else {
        ++at_;
        if (at_ < text_.size() && text_[at_] != ',' && line_end(at_) == 0) {
          r.error = "text after the closing quote of a cell";
        }
        return {text_.substr(from, at_ - from), std::move(value)};
      }
    }
    r.error = "a quoted cell is not closed before the end of the file";
    return {};
  }

  std::string_view text_;
  std::size_t at_{0};
  std::size_t line_{1};
};

inline std::string_view trimmed(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
  return s;
}

}  // namespace gimbal
