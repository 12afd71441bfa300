#include "ops/app/iv_csv.hpp"

#include <array>
#include <limits>

#include "engine/core/math.hpp"
#include "engine/quant/implied_vol.hpp"

namespace gimbal {

namespace {

constexpr std::size_t inputs = 8;
constexpr std::array<std::string_view, inputs> input_names{"type",  "F",  "K", "T",
                                                           "price", "df", "r", "settle"};
enum Input : std::size_t { in_type, in_f, in_k, in_t, in_price, in_df, in_r, in_settle };
constexpr std::size_t required_inputs = 5;
constexpr std::array<std::string_view, 3> result_names{"status", "sigma", "attainable_rel"};

class Table {
 public:
  Table(CsvFormat format, CsvOutcome& out)
      : format_{format}, in_{input_names, required_inputs, out} {}

  bool read_header(const CsvRecord& r) {
    if (!in_.read_header(r)) return false;
    if (format_ == CsvFormat::csv) in_.write_header(result_names);
    return true;
  }

  void read_row(const CsvRecord& r) {
    quant::QuotedOption o;
    if (!understand(r, o)) return;
    const quant::ImpliedVol v = quant::implied_vol(o);
    const bool ok = v.status == quant::VolStatus::ok;
    constexpr double nothing = std::numeric_limits<double>::quiet_NaN();
    const std::array<CsvResult, 3> results{
        CsvResult{result_names[0], 0, std::string{to_string(v.status)}, CsvResult::Kind::text},
        CsvResult{result_names[1], ok ? v.sigma : nothing},
        CsvResult{result_names[2], ok ? v.attainable : nothing}};
    in_.write_row(format_, r, results);
  }

  void write() {}

 private:
  bool understand(const CsvRecord& r, quant::QuotedOption& o) {
    if (!in_.complete(r)) return false;
    bool inverse = false;
    bool good = read_type(r, o.type);
    good = read_settle(r, inverse) && good;
    std::array<std::optional<double>, inputs> v;
    for (const Input i : {in_f, in_k, in_t, in_df}) good = in_.positive(r, i, v[i]) && good;
    for (const Input i : {in_price, in_r}) good = in_.number(r, i, v[i]) && good;
    if (!good) return false;
    o.forward = *v[in_f];
    o.strike = *v[in_k];
    o.years = *v[in_t];
    o.price = *v[in_price];
    if (inverse) {
      o.price *= o.forward;
    } else {
      o.discount = v[in_df].value_or(math::exp(-v[in_r].value_or(0.0) * o.years));
    }
    if (quant::solvable(o)) return true;
    return in_.refuse(r.line,
                      "out of range: F and K go from 1e-100 to 1e100, T from 1e-12 to 1e6, df from "
                      "1e-60 to 1e60");
  }

  bool read_type(const CsvRecord& r, OptionType& type) {
    const std::string text = csv_lower(in_.cell(r, in_type));
    const bool call = text == "c" || text == "call";
    const bool put = text == "p" || text == "put";
    type = put ? OptionType::put : OptionType::call;
    return call || put ||
           in_.refuse_cell(r, in_type, csv_shown(in_.cell(r, in_type)) + " is neither C nor P");
  }

  bool read_settle(const CsvRecord& r, bool& inverse) {
    const std::string text = csv_lower(in_.cell(r, in_settle));
    inverse = text == "inverse";
    return text.empty() || text == "linear" || inverse ||
           in_.refuse_cell(r, in_settle,
                           csv_shown(in_.cell(r, in_settle)) + " is neither linear nor inverse");
  }

  CsvFormat format_;
  CsvInputs in_;
};

}  // namespace

CsvOutcome implied_vol_table(std::string_view input, CsvFormat format) {
  CsvOutcome out;
  Table table{format, out};
  run_csv_table(input, table, out);
  return out;
}

}  // namespace gimbal
