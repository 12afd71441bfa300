#include "ops/app/greeks_csv.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "engine/core/math.hpp"
#include "engine/core/pricing.hpp"

namespace gimbal {

namespace {

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
  Table(CsvFormat format, CsvOutcome& out)
      : format_{format}, out_{out}, in_{input_names, required_inputs, out} {}

  bool read_header(const CsvRecord& r) { return in_.read_header(r); }

  void read_row(CsvRecord&& r) {
    Row row;
    row.record = std::move(r);
    if (understand(row)) rows_.push_back(std::move(row));
  }

  void write() {
    for (const Row& r : rows_) (r.inverse ? any_inverse_ : any_linear_) = true;
    if (!any_inverse_) any_linear_ = true;
    if (format_ == CsvFormat::csv) write_csv_header();
    for (const Row& r : rows_) {
      const std::vector<double> results = r.inverse ? inverse(r.terms) : linear(r.terms);
      if (!std::all_of(results.begin(), results.end(), [](double v) { return std::isfinite(v); })) {
        in_.refuse(r.record.line, "a result is too large for a double");
        continue;
      }
      format_ == CsvFormat::csv ? write_csv(r, results) : write_json(r, results);
      ++out_.rows;
    }
  }

 private:
  bool understand(Row& row) {
    const CsvRecord& r = row.record;
    if (!in_.complete(r)) return false;
    const bool type = read_type(row);
    const bool settle = read_settle(row);
    std::array<std::optional<double>, inputs> v;
    bool numbers = true;
    for (const Input i : {in_f, in_k, in_t, in_sigma, in_r, in_df}) {
      numbers = in_.number(r, i, v[i]) && numbers;
    }
    if (!type || !settle || !numbers) return false;
    for (const Input i : {in_f, in_k, in_df}) {
      if (v[i] && !(*v[i] > 0)) return in_.refuse_cell(r, i, "must be above 0");
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
    return in_.refuse(
        r.line,
        "out of range: F and K go from 1e-100 to 1e100, T, sigma and r to 1e6, df from "
        "1e-60 to 1e60");
  }

  bool read_type(Row& row) {
    const std::string text = csv_lower(in_.cell(row.record, in_type));
    if (text == "c" || text == "call") {
      row.terms.type = OptionType::call;
    } else if (text == "p" || text == "put") {
      row.terms.type = OptionType::put;
    } else {
      return in_.refuse_cell(row.record, in_type,
                             csv_shown(in_.cell(row.record, in_type)) + " is neither C nor P");
    }
    return true;
  }

  bool read_settle(Row& row) {
    const std::string text = csv_lower(in_.cell(row.record, in_settle));
    row.inverse = text == "inverse";
    if (text.empty() || text == "linear" || row.inverse) return true;
    return in_.refuse_cell(
        row.record, in_settle,
        csv_shown(in_.cell(row.record, in_settle)) + " is neither linear nor inverse");
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

  void write_csv_header() {
    std::vector<std::string_view> names;
    if (any_linear_) names.insert(names.end(), linear_names.begin(), linear_names.end());
    if (any_inverse_) names.insert(names.end(), inverse_names.begin(), inverse_names.end());
    in_.write_header(names);
  }

  void write_csv(const Row& row, const std::vector<double>& results) {
    std::string& o = out_.output;
    in_.write_csv(row.record);
    const auto append = [&](bool applies, std::size_t count) {
      for (std::size_t i = 0; i < count; ++i) o += applies ? "," + csv_number(results[i]) : ",";
    };
    if (any_linear_) append(!row.inverse, linear_names.size());
    if (any_inverse_) append(row.inverse, inverse_names.size());
    o += '\n';
  }

  void write_json(const Row& row, const std::vector<double>& results) {
    in_.write_json(row.record);
    std::string& o = out_.output;
    for (std::size_t i = 0; i < results.size(); ++i) {
      const std::string_view name = row.inverse ? inverse_names[i] : linear_names[i];
      o += ',' + csv_json_string(in_.result_name(name)) + ':' + csv_number(results[i]);
    }
    o += "}\n";
  }

  CsvFormat format_;
  CsvOutcome& out_;
  CsvInputs in_;
  std::vector<Row> rows_;
  bool any_linear_{false};
  bool any_inverse_{false};
};

}  // namespace

CsvOutcome greeks_table(std::string_view input, CsvFormat format) {
  CsvOutcome out;
  Table table{format, out};
  run_csv_table(input, table, out);
  return out;
}

}  // namespace gimbal
