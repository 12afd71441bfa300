// Rows of `gimbal margin --model tiered` and `--model aave`.
#include <array>
#include <cmath>

#include "engine/quant/margin/lending.hpp"
#include "engine/quant/margin/tiered.hpp"
#include "ops/risk/json_fields.hpp"
#include "ops/risk/margin_rows.hpp"

namespace gimbal::risk {

namespace {

// --- tiered
// ---------------------------------------------------------------------------------------

constexpr std::array<std::string_view, 11> tiered_names{
    "table",         "side",        "mark",     "entry",      "qty",  "wallet",
    "contracts_usd", "wallet_coin", "other_mm", "other_upnl", "sigma"};
enum TieredInput : std::size_t {
  in_table,
  in_side,
  in_mark,
  in_entry,
  in_qty,
  in_wallet,
  in_usd,
  in_wallet_coin,
  in_other_mm,
  in_other_upnl,
  in_sigma
};

class TieredRows final : public MarginRows {
 public:
  explicit TieredRows(const TierTables& tables) : tables_{tables} {}
  [[nodiscard]] std::span<const std::string_view> inputs() const override { return tiered_names; }
  [[nodiscard]] std::size_t required() const override { return 4; }

  bool begin(CsvInputs& in, std::size_t line, std::vector<std::string_view>& results) override {
    linear_ = in.has(in_qty) && in.has(in_wallet);
    const bool inverse = in.has(in_usd) && in.has(in_wallet_coin);
    if (linear_ == inverse) {
      return in.refuse(line,
                       "the header needs either qty and wallet (linear), or contracts_usd and "
                       "wallet_coin (inverse)");
    }
    results = {linear_ ? "equity" : "equity_coin", linear_ ? "mm_total" : "mm_coin",
               "health_mm_over_equity", "liq_price"};
    names_ = results;
    return true;
  }

  bool read(CsvInputs& in, const CsvRecord& r, MarginRow& out) override {
    quant::TieredPosition p;
    const auto table = tables_.find(std::string{in.cell(r, in_table)});
    bool good = table != tables_.end() ||
                in.refuse_cell(r, in_table,
                               csv_shown(in.cell(r, in_table)) + " is not in the parameter file");
    good = read_position(in, r, p) && good;
    std::optional<double> sigma;
    good = in.number(r, in_sigma, sigma) && good;
    if (!good) return false;
    out.sigma = std::max(sigma.value_or(0), 0.0);
    auto model = std::make_unique<quant::TieredMargin>(p, table->second);
    const quant::Margin m = model->at({});
    out.results = {{names_[0], m.equity},
                   {names_[1], m.maintenance},
                   {names_[2], m.health()},
                   {names_[3], model->liquidation_price()}};
    out.model = std::move(model);
    return true;
  }

 private:
  bool read_position(CsvInputs& in, const CsvRecord& r, quant::TieredPosition& p) const {
    std::array<std::optional<double>, tiered_names.size()> v;
    const TieredInput size = linear_ ? in_qty : in_usd;
    const TieredInput wallet = linear_ ? in_wallet : in_wallet_coin;
    bool good = true;
    for (const TieredInput i : {in_mark, in_entry, size}) good = in.positive(r, i, v[i]) && good;
    for (const TieredInput i : {in_side, wallet, in_other_mm, in_other_upnl}) {
      good = in.number(r, i, v[i]) && good;
    }
    for (const TieredInput i : {size, wallet}) {
      if (good && !v[i]) good = in.refuse_cell(r, i, "is empty");
    }
    if (good && std::abs(*v[in_side]) != 1.0) good = in.refuse_cell(r, in_side, "must be 1 or -1");
    if (!good) return false;
    p.settlement = linear_ ? quant::Settlement::quote : quant::Settlement::coin;
    p.side = *v[in_side];
    p.size = *v[size];
    p.mark = *v[in_mark];
    p.entry = *v[in_entry];
    p.wallet = *v[wallet];
    p.other_maintenance = v[in_other_mm].value_or(0);
    p.other_profit = v[in_other_upnl].value_or(0);
    return true;
  }

  const TierTables& tables_;
  bool linear_{true};
  std::vector<std::string_view> names_;
};

// --- lending
// --------------------------------------------------------------------------------------

constexpr std::array<std::string_view, 3> lending_names{"collateral_price_amount_lt",
                                                        "debt_price_amount", "sigma"};
constexpr std::array<std::string_view, 5> lending_results{
    "weighted_collateral", "debt", "health_factor", "asset0_price_factor_at_hf1",
    "asset0_liq_price"};

class LendingRows final : public MarginRows {
 public:
  [[nodiscard]] std::span<const std::string_view> inputs() const override { return lending_names; }
  [[nodiscard]] std::size_t required() const override { return 2; }

  bool begin(CsvInputs&, std::size_t, std::vector<std::string_view>& results) override {
    results.assign(lending_results.begin(), lending_results.end());
    return true;
  }

  bool read(CsvInputs& in, const CsvRecord& r, MarginRow& out) override {
    std::vector<std::array<double, 3>> c;
    std::vector<std::array<double, 3>> d;
    std::optional<double> sigma;
    bool good = read_list(in, r, 0, 3, c);
    good = read_list(in, r, 1, 2, d) && good;
    good = in.number(r, 2, sigma) && good;
    if (!good) return false;
    out.sigma = std::max(sigma.value_or(0), 0.0);
    std::vector<quant::Collateral> collateral;
    std::vector<quant::Debt> debt;
    for (const auto& v : c) collateral.push_back({v[0], v[1], v[2]});
    for (const auto& v : d) debt.push_back({v[0], v[1]});
    const double price = collateral.empty() ? 0.0 : collateral.front().price;
    auto model = std::make_unique<quant::LendingMargin>(std::move(collateral), std::move(debt));
    const double at = model->liquidation_price();
    out.results = {{lending_results[0], model->weighted_collateral()},
                   {lending_results[1], model->debt()},
                   {lending_results[2], model->health_factor()},
                   {lending_results[3], at / price},
                   {lending_results[4], at}};
    out.model = std::move(model);
    return true;
  }

 private:
  // A JSON list of lists of `width` numbers, not negative; the third at most 1.
  static bool read_list(CsvInputs& in, const CsvRecord& r, std::size_t input, std::size_t width,
                        std::vector<std::array<double, 3>>& out) {
    Json json;
    std::string fault;
    if (!parse_json(in.cell(r, input), json, fault)) return in.refuse_cell(r, input, fault);
    if (!json.is_array()) return in.refuse_cell(r, input, "must be a list");
    for (std::size_t i = 0; i < json.size(); ++i) {
      const Json& item = json[i];
      const std::string place = "[" + std::to_string(i) + "] ";
      if (!item.is_array() || item.size() != width) {
        return in.refuse_cell(r, input, place + "must be a list of " + std::to_string(width));
      }
      std::array<double, 3> v{};
      for (std::size_t k = 0; k < width; ++k) {
        const bool number = item[k].is_number();
        v[k] = number ? item[k].get<double>() : -1.0;
        if (!(v[k] >= 0 && v[k] <= (k == 2 ? 1.0 : 1e30))) {
          return in.refuse_cell(r, input, place + "has a number that is missing or out of range");
        }
      }
      out.push_back(v);
    }
    return true;
  }
};

}  // namespace

std::unique_ptr<MarginRows> tiered_rows(const TierTables& tables) {
  return std::make_unique<TieredRows>(tables);
}
std::unique_ptr<MarginRows> lending_rows() { return std::make_unique<LendingRows>(); }

}  // namespace gimbal::risk
