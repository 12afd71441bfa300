// One CSV row of each margin model: its columns, the model it makes, and its own results. Room:
// ops/risk, cold; used by margin_csv.cpp alone.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/quant/margin/model.hpp"
#include "ops/app/csv_table.hpp"
#include "ops/risk/margin_setup.hpp"

namespace gimbal::risk {

struct MarginRow {
  std::unique_ptr<quant::MarginModel> model;
  std::vector<CsvResult> results;  // the model's own
  bool has_equity{true};
  double sigma{0};
};

// What differs between the models. `read` reports its problems through `in`.
class MarginRows {
 public:
  MarginRows() = default;
  MarginRows(const MarginRows&) = delete;
  MarginRows& operator=(const MarginRows&) = delete;
  virtual ~MarginRows() = default;
  [[nodiscard]] virtual std::span<const std::string_view> inputs() const = 0;
  [[nodiscard]] virtual std::size_t required() const = 0;
  // The names of the results, once the header is known; false with a problem when columns do not
  // fit.
  virtual bool begin(CsvInputs& in, std::size_t line, std::vector<std::string_view>& results) = 0;
  virtual bool read(CsvInputs& in, const CsvRecord& r, MarginRow& out) = 0;
};

[[nodiscard]] std::unique_ptr<MarginRows> tiered_rows(const TierTables& tables);
[[nodiscard]] std::unique_ptr<MarginRows> lending_rows();
[[nodiscard]] std::unique_ptr<MarginRows> standard_rows(const quant::StandardRates& rates);
[[nodiscard]] std::unique_ptr<MarginRows> portfolio_rows(
    const quant::PortfolioMarginParameters& parameters, double plan_health);

}  // namespace gimbal::risk
