#include "ops/risk/portfolio_file.hpp"

#include <algorithm>
#include <array>

#include "ops/app/csv_table.hpp"
#include "ops/risk/book_json.hpp"
#include "ops/risk/margin_setup.hpp"
#include "ops/risk/positions_json.hpp"

namespace gimbal::risk {

namespace {

constexpr double money_max = 1e15;
constexpr std::size_t underlyings_max = 64;

void read_underlyings(const Json& list, quant::Portfolio& p, std::string& fault) {
  for (std::size_t i = 0; i < list.size() && fault.empty(); ++i) {
    JsonFields f{list[i], "underlyings[" + std::to_string(i) + "]", fault};
    quant::Underlying u;
    u.name = f.text("name");
    u.index = f.number("index", 1e-12, 1e12);
    u.sigma = f.number("sigma", 0, 100);
    f.finish();
    p.underlyings.push_back(std::move(u));
  }
  if (p.underlyings.empty() && fault.empty()) fault = "underlyings must not be empty";
  if (p.underlyings.size() > underlyings_max) fault = "at most 64 underlyings";
}

quant::MarginOf margin_of(const MarginParameters& parameters) {
  if (const auto* r = std::get_if<quant::StandardRates>(&parameters)) {
    return [rates = *r](const quant::Book& book) -> std::unique_ptr<quant::MarginModel> {
      return std::make_unique<quant::DeribitStandardMargin>(book, rates);
    };
  }
  const auto* p = std::get_if<quant::PortfolioMarginParameters>(&parameters);
  return [pm = *p](const quant::Book& book) -> std::unique_ptr<quant::MarginModel> {
    return std::make_unique<quant::DeribitPortfolioMargin>(book, pm);
  };
}

void read_margin(JsonFields& account, const PortfolioOptions& options, quant::Account& a,
                 std::string& fault) {
  const Json* section = account.find("margin");
  if (section == nullptr) return;
  JsonFields f{*section, account.path() + ".margin", fault};
  const std::string model = f.text("model");
  const std::string file = f.text("parameters");
  f.finish();
  if (model != "deribit_standard" && model != "deribit_pm") {
    f.refuse("model", "must be deribit_standard or deribit_pm");
  }
  if (!fault.empty()) return;
  std::string text;
  std::string why;
  MarginParameters parameters;
  if (!options.read_file(file, text, why) ||
      !read_margin_parameters(model, text, parameters, why)) {
    fault = account.path() + ".margin.parameters: " + file + ": " + why;
    return;
  }
  a.margin = margin_of(parameters);
}

void read_account(const Json& json, const std::string& path, const PortfolioOptions& options,
                  quant::Portfolio& p, std::string& fault) {
  JsonFields f{json, path, fault};
  quant::Account a;
  a.name = f.text("name");
  const std::string underlying = f.text("underlying");
  const auto at = std::find_if(p.underlyings.begin(), p.underlyings.end(),
                               [&](const quant::Underlying& u) { return u.name == underlying; });
  if (at == p.underlyings.end()) {
    f.refuse("underlying", "must be one of the underlyings");
    return;
  }
  a.underlying = static_cast<std::size_t>(at - p.underlyings.begin());
  std::string wrong;
  a.book.settlement = read_settlement(f.text_or("settle", "inverse"), wrong);
  if (!wrong.empty()) f.refuse("settle", wrong);
  a.book.index = at->index;
  a.has_equity = f.has("equity");
  a.book.equity = f.number_or("equity", 0, -money_max, money_max);
  if (const Json* legs = f.array("legs")) {
    a.book.legs = read_legs(*legs, a.book.settlement, path + ".legs", fault);
  }
  read_margin(f, options, a, fault);
  f.finish();
  p.accounts.push_back(std::move(a));
}

std::vector<double> read_matrix(JsonFields& f, const char* key, std::size_t n) {
  std::vector<double> m;
  const Json* rows = f.find(key);
  if (rows == nullptr) {  // independent unless told otherwise
    for (std::size_t i = 0; i < n * n; ++i) m.push_back(i % (n + 1) == 0 ? 1.0 : 0.0);
    return m;
  }
  const bool square = rows->is_array() && rows->size() == n;
  for (std::size_t i = 0; square && i < n; ++i) {
    if (!(*rows)[i].is_array()) break;
    for (const Json& v : (*rows)[i]) m.push_back(v.is_number() ? v.get<double>() : 2.0);
  }
  if (m.size() != n * n) f.refuse(key, "must be a list of " + std::to_string(n) + " lists");
  return m;
}

std::vector<quant::Jumps> read_jumps(JsonFields& f, const char* key, bool own, std::size_t n) {
  std::vector<quant::Jumps> jumps(n);
  const Json* list = f.find(key);
  if (list == nullptr) return jumps;
  if (!list->is_array() || list->size() != n) {
    f.refuse(key, "must be a list of " + std::to_string(n) + ", one for each underlying");
    return jumps;
  }
  std::string fault;
  for (std::size_t i = 0; i < n; ++i) {
    JsonFields j{(*list)[i], std::string{key} + "[" + std::to_string(i) + "]", fault};
    if (own) jumps[i].per_year = j.number("per_year", 0, 1000);
    jumps[i].mean = j.number("mean", -5, 5);
    jumps[i].deviation = j.number("deviation", 0, 5);
    j.finish();
  }
  if (!fault.empty()) f.refuse({}, "." + fault);
  return jumps;
}

void read_dynamics_section(const Json& json, std::size_t n, StressInput& out, std::string& fault) {
  JsonFields f{json, "dynamics", fault};
  quant::Dynamics d;
  d.correlation = read_matrix(f, "correlation", n);
  d.jump_correlation = read_matrix(f, "jump_correlation", n);
  d.common_per_year = f.number_or("common_jumps_per_year", 0, 0, 1000);
  d.common = read_jumps(f, "common_jumps", false, n);
  d.own = read_jumps(f, "own_jumps", true, n);
  d.vol_jump = f.number_or("vol_jump", 0, -0.99, 10);
  d.vol_of_move = f.number_or("vol_of_move", 0, -10, 10);
  f.finish();
  if (fault.empty()) {
    const std::string wrong = quant::fault_of(d, n);
    if (!wrong.empty()) fault = "dynamics: " + wrong;
  }
  if (fault.empty()) out.dynamics = std::move(d);
}

void read_own_format(const Json& json, const PortfolioOptions& options, StressInput& out,
                     std::string& fault) {
  JsonFields f{json, {}, fault};
  quant::Portfolio& p = out.portfolio;
  p.name = f.text_or("name", "portfolio");
  const std::string numeraire = f.text_or("numeraire", "usd");
  if (numeraire != "usd" && numeraire != "coin") f.refuse("numeraire", "must be usd or coin");
  p.numeraire = numeraire == "coin" ? quant::Numeraire::coin : quant::Numeraire::usd;
  if (const Json* list = f.array("underlyings")) read_underlyings(*list, p, fault);
  if (const Json* list = f.array("accounts")) {
    for (std::size_t i = 0; i < list->size() && fault.empty(); ++i) {
      read_account((*list)[i], "accounts[" + std::to_string(i) + "]", options, p, fault);
    }
    if (list->empty()) f.refuse("accounts", "must not be empty");
  }
  if (const Json* d = f.find("dynamics")) {
    read_dynamics_section(*d, p.underlyings.size(), out, fault);
  }
  f.finish();
}

}  // namespace

bool use_margin(std::string_view model, std::string_view parameters, StressInput& io,
                std::string& fault) {
  MarginParameters read;
  if (!known_model(model) || model == "tiered" || model == "aave") {
    fault = "margin of a book is deribit_standard or deribit_pm";
    return false;
  }
  if (!read_margin_parameters(model, parameters, read, fault)) return false;
  for (quant::Account& a : io.portfolio.accounts) {
    if (a.has_equity) a.margin = margin_of(read);
  }
  return true;
}

bool read_portfolio(std::string_view text, const PortfolioOptions& options, StressInput& out,
                    std::string& fault) {
  Json json;
  if (!parse_json(text, json, fault)) return false;
  if (json.is_object() && json.contains("positions")) {
    read_positions(json, options, out, fault);
  } else {
    read_own_format(json, options, out, fault);
  }
  return fault.empty();
}

bool read_dynamics(std::string_view text, StressInput& out, std::string& fault) {
  Json json;
  if (!parse_json(text, json, fault)) return false;
  JsonFields f{json, {}, fault};
  const Json* d = f.find("dynamics");
  if (d == nullptr) {
    f.refuse("dynamics", "is missing");
  } else {
    read_dynamics_section(*d, out.portfolio.underlyings.size(), out, fault);
  }
  f.finish();
  return fault.empty();
}

// --- shock sets
// -----------------------------------------------------------------------------------

namespace {

// Columns: label, days, then move and vol of each underlying.
class ShockRows {
 public:
  ShockRows(const quant::Portfolio& p, std::vector<ShockRow>& rows, CsvOutcome& out)
      : texts_{names_of(p)},
        names_{texts_.begin(), texts_.end()},
        rows_{rows},
        in_{names_, 1, out} {}

  bool read_header(const CsvRecord& r) {
    if (!in_.read_header(r)) return false;
    for (std::size_t i = 2; i < names_.size(); i += 2) {
      if (!in_.has(i)) return in_.refuse(r.line, "the header has no column " + texts_[i]);
    }
    return true;
  }
  void read_row(const CsvRecord& r) {
    if (!in_.complete(r)) return;
    ShockRow row;
    row.label = std::string{in_.cell(r, 0)};
    std::optional<double> days;
    bool good = in_.number(r, 1, days);
    if (days.value_or(0) < 0) good = in_.refuse_cell(r, 1, "must not be below 0");
    for (std::size_t i = 2; i < names_.size(); i += 2) {
      std::optional<double> move;
      std::optional<double> vol;
      good = in_.number(r, i, move) && in_.number(r, i + 1, vol) && good;
      if (good && !move) good = in_.refuse_cell(r, i, "is empty");
      if (move && !(*move > -1 && *move <= 100))
        good = in_.refuse_cell(r, i, "must be in (-1, 100]");
      if (vol && !(*vol >= -1 && *vol <= 100)) {
        good = in_.refuse_cell(r, i + 1, "must be in [-1, 100]");
      }
      row.shocks.push_back({move.value_or(0), vol.value_or(0), days.value_or(0) / 365.0});
    }
    if (good) rows_.push_back(std::move(row));
  }
  void write() {}

 private:
  static std::vector<std::string> names_of(const quant::Portfolio& p) {
    std::vector<std::string> names{"label", "days"};
    for (const quant::Underlying& u : p.underlyings) {
      names.push_back(u.name + "_move");
      names.push_back(u.name + "_vol");
    }
    return names;
  }

  std::vector<std::string> texts_;
  std::vector<std::string_view> names_;
  std::vector<ShockRow>& rows_;
  CsvInputs in_;
};

}  // namespace

bool read_shocks(std::string_view text, const quant::Portfolio& portfolio,
                 std::vector<ShockRow>& rows, std::string& fault) {
  CsvOutcome out;
  ShockRows table{portfolio, rows, out};
  run_csv_table(text, table, out);
  if (!out.problems.empty()) {
    const CsvProblem& p = out.problems.front();
    fault =
        "line " + std::to_string(p.line) + (p.name.empty() ? "" : ", " + p.name) + ": " + p.text;
  }
  return fault.empty();
}

}  // namespace gimbal::risk
