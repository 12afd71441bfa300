#include "ops/risk/margin_setup.hpp"

#include <array>
#include <limits>

#include "ops/app/csv_table.hpp"
#include "ops/risk/json_fields.hpp"

namespace gimbal::risk {

namespace {

constexpr double usd_max = 1e15;

void read_vol_order(JsonFields& f) {
  const Json* order = f.find("vol_order");
  if (order != nullptr && *order != Json::array({"down", "same", "up"})) {
    f.refuse("vol_order", "must be [\"down\", \"same\", \"up\"]");
  }
}

std::vector<double> read_moves(JsonFields& f) {
  std::vector<double> moves;
  const Json* list = f.array("extended_moves");
  for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
    if (!(*list)[i].is_number()) {
      f.refuse("extended_moves[" + std::to_string(i) + "]", "must be a number");
      break;
    }
    moves.push_back((*list)[i].get<double>());
  }
  return moves;
}

void read_portfolio(const Json& json, quant::PortfolioMarginParameters& p, std::string& fault) {
  JsonFields f{json, {}, fault};
  p.price_range = f.number("price_range", 0, 1);
  const double prices = f.number_or("price_buckets", 9, 3, 201);
  p.buckets = (static_cast<int>(prices) - 1) / 2;
  if (prices != 2.0 * p.buckets + 1.0)
    f.refuse("price_buckets", "must be odd: 9 is 4 a side and 0");
  p.volatility_up = f.number("vup", 0, 10);
  p.volatility_down = f.number("vdn", 0, 10);
  p.volatility_up_min = f.number("vmin", 0, 10);
  p.short_power = f.number("short_pow", 0, 10);
  p.long_power = f.number("long_pow", 0, 10);
  p.extended_factor = f.number("ext_factor", 0, 100);
  p.dampener_usd = f.number("dampener_usd", 0, usd_max);
  p.annual_move = f.number("ann_move", 0, 10);
  p.roll_min = f.number("min_move", 0, 10);
  p.delta_shock_per_coin = f.number("m_inc", 0, 1);
  p.delta_shock_max = f.number("max_delta_shock", 0, 1);
  p.delta_shock_threshold_usd = f.number("thr_usd", 0, usd_max);
  p.maintenance_factor = f.number("mm_factor", 0, 1);
  p.extended_moves = read_moves(f);
  read_vol_order(f);
  f.finish();
  if (fault.empty()) fault = quant::fault_of(p);
}

void read_standard(const Json& json, quant::StandardRates& r, std::string& fault) {
  JsonFields f{json, {}, fault};
  static const Json nothing;
  const Json* future = f.find("future");
  const Json* option = f.find("option");
  f.finish();
  JsonFields a{future != nullptr ? *future : nothing, "future", fault};
  r.future_initial = a.number("initial", 0, 1);
  r.future_maintenance = a.number("maintenance", 0, 1);
  r.future_per_coin = a.number("per_coin", 0, 1);
  a.finish();
  JsonFields b{option != nullptr ? *option : nothing, "option", fault};
  r.option_initial = b.number("initial", 0, 1);
  r.option_initial_min = b.number("initial_min", 0, 1);
  r.option_maintenance = b.number("maintenance", 0, 1);
  b.finish();
}

// --- tiers
// ----------------------------------------------------------------------------------------

constexpr std::array<std::string_view, 6> tier_names{"table", "lower", "upper",
                                                     "mmr",   "tier",  "deduction"};
enum TierInput : std::size_t { in_table, in_lower, in_upper, in_mmr, in_tier, in_deduction };

class TierRows {
 public:
  TierRows(TierTables& tables, CsvOutcome& out) : tables_{tables}, in_{tier_names, 4, out} {}
  bool read_header(const CsvRecord& r) { return in_.read_header(r); }
  void read_row(const CsvRecord& r) {
    if (!in_.complete(r)) return;
    std::optional<double> lower;
    std::optional<double> upper;
    std::optional<double> rate;
    std::optional<double> deduction;
    const std::string_view top = in_.cell(r, in_upper);
    const bool last = top == "inf" || top.empty();
    bool good = in_.number(r, in_lower, lower) && (last || in_.number(r, in_upper, upper));
    good = good && in_.number(r, in_mmr, rate) && in_.number(r, in_deduction, deduction);
    if (!good) return;
    constexpr double no_end = std::numeric_limits<double>::infinity();
    tables_[std::string{in_.cell(r, in_table)}].push_back(
        {*lower, last ? no_end : *upper, *rate, deduction.value_or(0)});
  }
  void write() {
    if (in_.has(in_deduction)) return;
    for (auto& [name, tiers] : tables_) quant::fill_deductions(tiers);
  }

 private:
  TierTables& tables_;
  CsvInputs in_;
};

bool read_tiers(std::string_view text, TierTables& tables, std::string& fault) {
  CsvOutcome out;
  TierRows rows{tables, out};
  run_csv_table(text, rows, out);
  if (!out.problems.empty()) {
    const CsvProblem& p = out.problems.front();
    fault =
        "line " + std::to_string(p.line) + (p.name.empty() ? "" : ", " + p.name) + ": " + p.text;
  }
  for (const auto& [name, tiers] : tables) {
    const std::string wrong = quant::fault_of(tiers);
    if (fault.empty() && !wrong.empty()) fault = "table " + csv_shown(name) + ": " + wrong;
  }
  if (fault.empty() && tables.empty()) fault = "has no tier";
  return fault.empty();
}

}  // namespace

bool known_model(std::string_view model) noexcept {
  return model == "aave" || needs_parameters(model);
}

bool needs_parameters(std::string_view model) noexcept {
  return model == "deribit_standard" || model == "deribit_pm" || model == "tiered";
}

bool read_margin_parameters(std::string_view model, std::string_view text, MarginParameters& out,
                            std::string& fault) {
  if (model == "tiered") {
    TierTables tables;
    if (!read_tiers(text, tables, fault)) return false;
    out = std::move(tables);
    return true;
  }
  Json json;
  if (!parse_json(text, json, fault)) return false;
  if (model == "deribit_pm") {
    quant::PortfolioMarginParameters p;
    read_portfolio(json, p, fault);
    out = std::move(p);
  } else {
    quant::StandardRates r;
    read_standard(json, r, fault);
    out = r;
  }
  return fault.empty();
}

}  // namespace gimbal::risk
