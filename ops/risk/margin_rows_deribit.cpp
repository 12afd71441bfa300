// Rows of `gimbal margin --model deribit_standard` and `--model deribit_pm`.
#include <array>

#include "engine/quant/margin/deleverage.hpp"
#include "engine/quant/margin/deribit_portfolio.hpp"
#include "engine/quant/margin/deribit_standard.hpp"
#include "ops/risk/book_json.hpp"
#include "ops/risk/margin_rows.hpp"

namespace gimbal::risk {

namespace {

constexpr std::array<std::string_view, 6> book_names{"index",  "legs",  "settle",
                                                     "equity", "sigma", "equity_coin"};
enum BookInput : std::size_t { in_index, in_legs, in_settle, in_equity, in_sigma, in_equity_coin };

// Columns index and legs, and if wanted settle, equity and sigma.
class BookRows : public MarginRows {
 public:
  [[nodiscard]] std::span<const std::string_view> inputs() const final { return book_names; }
  [[nodiscard]] std::size_t required() const final { return 2; }

 protected:
  static bool read_book(CsvInputs& in, const CsvRecord& r, quant::Book& book, MarginRow& out,
                        std::vector<LegClosing>* closing = nullptr) {
    std::string fault;
    std::optional<double> index;
    std::optional<double> equity;
    std::optional<double> sigma;
    bool good = in.positive(r, in_index, index);
    good = in.number(r, in_equity, equity) && good;
    if (good && !equity) good = in.number(r, in_equity_coin, equity);
    good = in.number(r, in_sigma, sigma) && good;
    book.settlement = read_settlement(std::string{in.cell(r, in_settle)}, fault);
    if (!fault.empty()) good = in.refuse_cell(r, in_settle, fault);
    fault.clear();
    Json legs;
    if (parse_json(in.cell(r, in_legs), legs, fault)) {
      book.legs = read_legs(legs, book.settlement, "legs", fault, closing);
    }
    if (!fault.empty()) return in.refuse_cell(r, in_legs, fault);
    if (!good) return false;
    book.index = *index;
    book.equity = equity.value_or(0);
    out.has_equity = equity.has_value();
    out.sigma = std::max(sigma.value_or(0), 0.0);
    return true;
  }
  // Requirements are in coins unless the rows say how they settle.
  static std::array<std::string_view, 2> requirement_names(const CsvInputs& in) {
    if (in.has(in_settle)) return {"im", "mm"};
    return {"im_coin", "mm_coin"};
  }
};

class StandardRows final : public BookRows {
 public:
  explicit StandardRows(const quant::StandardRates& rates) : rates_{rates} {}

  bool begin(CsvInputs& in, std::size_t, std::vector<std::string_view>& results) override {
    names_ = requirement_names(in);
    results = {names_[0], names_[1], "health_mm_over_equity"};
    return true;
  }

  bool read(CsvInputs& in, const CsvRecord& r, MarginRow& out) override {
    quant::Book book;
    if (!read_book(in, r, book, out)) return false;
    out.model = std::make_unique<quant::DeribitStandardMargin>(std::move(book), rates_);
    const quant::Margin m = out.model->at({});
    out.results = {{names_[0], m.initial}, {names_[1], m.maintenance}};
    out.results.push_back({"health_mm_over_equity",
                           out.has_equity ? m.health() : std::numeric_limits<double>::quiet_NaN()});
    return true;
  }

 private:
  const quant::StandardRates& rates_;
  std::array<std::string_view, 2> names_;
};

std::string list_text(const std::vector<double>& values) {
  std::string out = "[";
  for (std::size_t i = 0; i < values.size(); ++i) {
    out += (i > 0 ? ", " : "") + csv_number(values[i]);
  }
  return out + "]";
}

constexpr std::array<std::string_view, 4> plan_names{"plan", "plan_result", "plan_cost",
                                                     "plan_health"};

std::string result_name(quant::DeleverageResult r) {
  switch (r) {
    case quant::DeleverageResult::nothing_needed: return "nothing_needed";
    case quant::DeleverageResult::reached: return "reached";
    case quant::DeleverageResult::delta_shocked: return "delta_shocked";
    case quant::DeleverageResult::not_found: return "not_found";
    case quant::DeleverageResult::out_of_reach: break;
  }
  return "out_of_reach";
}

std::string steps_text(const std::vector<quant::DeleverageStep>& steps) {
  std::string out = "[";
  for (const quant::DeleverageStep& s : steps) {
    if (out.size() > 1) out += ", ";
    out += "{\"leg\": " + std::to_string(s.leg) + ", \"trade\": " + csv_number(s.amount) +
           ", \"cost\": " + csv_number(s.cost) + ", \"mm_after\": " + csv_number(s.maintenance) +
           "}";
  }
  return out + "]";
}

class PortfolioRows final : public BookRows {
 public:
  PortfolioRows(const quant::PortfolioMarginParameters& p, double plan_health)
      : parameters_{p}, plan_health_{plan_health} {}

  bool begin(CsvInputs& in, std::size_t, std::vector<std::string_view>& results) override {
    names_ = requirement_names(in);
    results = {"standard_vector", "extended_vector", "worst",   "roll_shock",
               "delta_shock",     names_[0],         names_[1], "health_mm_over_equity"};
    if (plan_health_ > 0) results.insert(results.end(), plan_names.begin(), plan_names.end());
    return true;
  }

  bool read(CsvInputs& in, const CsvRecord& r, MarginRow& out) override {
    quant::Book book;
    std::vector<LegClosing> closing;
    if (!read_book(in, r, book, out, plan_health_ > 0 ? &closing : nullptr)) return false;
    if (plan_health_ > 0 && book.legs.size() > quant::deleverage_legs_max) {
      return in.refuse_cell(r, in_legs,
                            "has more than " + std::to_string(quant::deleverage_legs_max) +
                                " legs, which --plan does not take");
    }
    const quant::PortfolioMarginParts m = quant::portfolio_margin(book, parameters_);
    const quant::Margin whole{book.equity, m.initial, m.maintenance};
    out.results = {{"standard_vector", 0, list_text(m.standard), CsvResult::Kind::json},
                   {"extended_vector", 0, list_text(m.extended), CsvResult::Kind::json},
                   {"worst", m.worst},
                   {"roll_shock", m.roll_shock},
                   {"delta_shock", m.delta_shock},
                   {names_[0], m.initial},
                   {names_[1], m.maintenance},
                   {"health_mm_over_equity",
                    out.has_equity ? whole.health() : std::numeric_limits<double>::quiet_NaN()}};
    if (plan_health_ > 0) append_plan(book, closing, out);
    out.model = std::make_unique<quant::DeribitPortfolioMargin>(std::move(book), parameters_);
    return true;
  }

 private:
  void append_plan(const quant::Book& book, const std::vector<LegClosing>& closing,
                   MarginRow& out) const {
    quant::DeleverageAsk ask;
    ask.target_health = plan_health_;
    for (const LegClosing& c : closing) {
      ask.unit_cost.push_back(c.cost);
      ask.lot.push_back(c.lot);
    }
    quant::Deleverage plan;
    if (out.has_equity) plan = quant::deleverage(book, parameters_, ask);
    const bool there = out.has_equity && (plan.result == quant::DeleverageResult::reached ||
                                          plan.result == quant::DeleverageResult::nothing_needed);
    constexpr double nothing = std::numeric_limits<double>::quiet_NaN();
    out.results.push_back({plan_names[0], 0, steps_text(plan.steps), CsvResult::Kind::json});
    out.results.push_back({plan_names[1], 0,
                           out.has_equity ? result_name(plan.result) : "no_equity",
                           CsvResult::Kind::text});
    out.results.push_back({plan_names[2], there ? plan.cost : nothing});
    out.results.push_back(
        {plan_names[3],
         there ? quant::Margin{plan.equity, 0, plan.maintenance}.health() : nothing});
  }

  const quant::PortfolioMarginParameters& parameters_;
  double plan_health_;
  std::array<std::string_view, 2> names_;
};

}  // namespace

std::unique_ptr<MarginRows> standard_rows(const quant::StandardRates& rates) {
  return std::make_unique<StandardRows>(rates);
}
std::unique_ptr<MarginRows> portfolio_rows(const quant::PortfolioMarginParameters& parameters,
                                           double plan_health) {
  return std::make_unique<PortfolioRows>(parameters, plan_health);
}

}  // namespace gimbal::risk
