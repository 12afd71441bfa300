#include "ops/risk/margin_csv.hpp"

#include <array>
#include <cmath>
#include <limits>

#include "ops/risk/margin_rows.hpp"

namespace gimbal::risk {

namespace {

constexpr std::array<std::string_view, 6> tail_names{"cushion",   "status",      "below_pct",
                                                     "above_pct", "below_sigma", "above_sigma"};

class Table {
 public:
  Table(MarginRows& rows, double horizon_years, CsvFormat format, CsvOutcome& out)
      : rows_{rows},
        horizon_{horizon_years},
        format_{format},
        in_{rows.inputs(), rows.required(), out} {}

  bool read_header(const CsvRecord& r) {
    std::vector<std::string_view> names;
    if (!in_.read_header(r) || !rows_.begin(in_, r.line, names)) return false;
    names.insert(names.end(), tail_names.begin(), tail_names.end());
    if (format_ == CsvFormat::csv) in_.write_header(names);
    return true;
  }

  void read_row(const CsvRecord& r) {
    MarginRow row;
    if (!in_.complete(r) || !rows_.read(in_, r, row)) return;
    append_tail(row);
    in_.write_row(format_, r, row.results);
  }

  void write() {}

 private:
  void append_tail(MarginRow& row) const {
    const quant::Margin now = row.model->at({});
    constexpr double nothing = std::numeric_limits<double>::quiet_NaN();
    quant::LiquidationDistance d;
    d.below.percent = d.above.percent = d.below.sigmas = d.above.sigmas = nothing;
    if (row.has_equity) d = quant::liquidation_distance(*row.model, row.sigma, horizon_);
    const char* status = !row.has_equity      ? "no_equity"
                         : now.liquidatable() ? "already_liquidatable"
                                              : "ok";
    auto& o = row.results;
    o.push_back({tail_names[0], row.has_equity ? now.cushion() : nothing});
    o.push_back({tail_names[1], 0, status, CsvResult::Kind::text});
    o.push_back({tail_names[2], d.below.percent});
    o.push_back({tail_names[3], d.above.percent});
    o.push_back({tail_names[4], d.below.sigmas});
    o.push_back({tail_names[5], d.above.sigmas});
  }

  MarginRows& rows_;
  double horizon_;
  CsvFormat format_;
  CsvInputs in_;
};

std::unique_ptr<MarginRows> rows_of(const MarginRequest& request) {
  const MarginParameters& p = request.parameters;
  if (const auto* t = std::get_if<TierTables>(&p)) return tiered_rows(*t);
  if (const auto* r = std::get_if<quant::StandardRates>(&p)) return standard_rows(*r);
  if (const auto* m = std::get_if<quant::PortfolioMarginParameters>(&p)) {
    return portfolio_rows(*m, request.plan_health);
  }
  return lending_rows();
}

}  // namespace

CsvOutcome margin_table(std::string_view input, CsvFormat format, const MarginRequest& request) {
  CsvOutcome out;
  const auto rows = rows_of(request);
  Table table{*rows, request.horizon_years, format, out};
  run_csv_table(input, table, out);
  return out;
}

}  // namespace gimbal::risk
