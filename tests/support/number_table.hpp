// A comma-separated file with a header row, for golden data: columns by name, cells as text or
// number. No quoting: the files it reads have none where it matters. Errors throw: a test must not
// go on.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace gimbal::test {

class NumberTable {
 public:
  explicit NumberTable(const std::string& path) {
    std::ifstream in{path};
    if (!in) throw std::runtime_error{"cannot read " + path};
    std::string line;
    std::getline(in, line);
    header_ = split(line);
    while (std::getline(in, line)) {
      rows_.push_back(split(line));
      if (rows_.back().size() != header_.size()) throw std::runtime_error{"cells in " + path};
    }
  }
  [[nodiscard]] std::size_t size() const { return rows_.size(); }
  [[nodiscard]] bool has(const std::string& name) const {
    return std::find(header_.begin(), header_.end(), name) != header_.end();
  }
  [[nodiscard]] std::size_t column(const std::string& name) const {
    for (std::size_t i = 0; i < header_.size(); ++i) {
      if (header_[i] == name) return i;
    }
    throw std::runtime_error{"no column " + name};
  }
  [[nodiscard]] const std::string& text(std::size_t row, const std::string& name) const {
    return rows_.at(row)[column(name)];
  }
  [[nodiscard]] double number(std::size_t row, const std::string& name) const {
    return parse(text(row, name));
  }
  static double parse(const std::string& cell) {
    double value = 0;
    const auto result = std::from_chars(cell.data(), cell.data() + cell.size(), value);
    if (result.ptr != cell.data() + cell.size()) throw std::runtime_error{"no number: " + cell};
    return value;  // out of range: underflow to 0
  }

 private:
  static std::vector<std::string> split(const std::string& line) {
    std::vector<std::string> cells{""};
    bool quoted = false;
    for (const char c : line) {
      if (c == '"') {
        quoted = !quoted;
      } else if (c == ',' && !quoted) {
        cells.emplace_back();
      } else if (c != '\r') {
        cells.back().push_back(c);
      }
    }
    return cells;
  }

  std::vector<std::string> header_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace gimbal::test
