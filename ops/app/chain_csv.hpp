// Rows of an option chain, from any of the forms of surface_csv.hpp, as volatilities. Room:
// ops/app, cold.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/core/instrument.hpp"
#include "ops/app/csv_table.hpp"

namespace gimbal {

struct ChainRow {
  CsvRecord record{};
  std::string underlying{};  // empty where the file does not name it
  std::string expiry{};      // as the file names it, else T
  OptionType type{OptionType::call};
  double forward{0};
  double strike{0};
  double years{0};
  double mark{0};  // volatilities; 0: none
  double bid{0};
  double ask{0};
  [[nodiscard]] bool out_of_the_money() const {
    return (type == OptionType::call) == (strike >= forward);
  }
};

class ChainReader {
 public:
  explicit ChainReader(CsvOutcome& out) : out_{out} {}
  bool read_header(const CsvRecord& r);
  void read_row(CsvRecord r);
  void write() {}

  [[nodiscard]] std::vector<ChainRow>& rows() { return rows_; }
  [[nodiscard]] CsvInputs& inputs() { return *in_; }

 private:
  enum class Form { own, snapshot, ticker };
  bool read_own(const CsvRecord& r, ChainRow& row);
  bool read_snapshot(const CsvRecord& r, ChainRow& row);
  bool read_ticker(const CsvRecord& r, ChainRow& row);
  bool read_name(const CsvRecord& r, std::size_t input, ChainRow& row);
  bool read_type(const CsvRecord& r, std::size_t input, OptionType& type);

  CsvOutcome& out_;
  Form form_{Form::own};
  std::unique_ptr<CsvInputs> in_{};
  std::vector<ChainRow> rows_{};
};

}  // namespace gimbal
