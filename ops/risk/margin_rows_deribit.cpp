// Rows of `gimbal margin --model deribit_standard` and `--model deribit_pm`.
#include <array>

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
  static bool read_book(CsvInputs& in, const CsvRecord& r, quant::Book& book, MarginRow& out) {
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
      book.legs = read_legs(legs, book.settlement, "legs", fault);
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

class PortfolioRows final : public BookRows {
 public:
  explicit PortfolioRows(const quant::PortfolioMarginParameters& p) : parameters_{p} {}

  bool begin(CsvInputs& in, std::size_t, std::vector<std::string_view>& results) override {
    names_ = requirement_names(in);
    results = {"standard_vector", "extended_vector", "worst",   "roll_shock",
               "delta_shock",     names_[0],         names_[1], "health_mm_over_equity"};
    return true;
  }

  bool read(CsvInputs& in, const CsvRecord& r, MarginRow& out) override {
    quant::Book book;
    if (!read_book(in, r, book, out)) return false;
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
    out.model = std::make_unique<quant::DeribitPortfolioMargin>(std::move(book), parameters_);
    return true;
  }

 private:
  const quant::PortfolioMarginParameters& parameters_;
  std::array<std::string_view, 2> names_;
};

}  // namespace

std::unique_ptr<MarginRows> standard_rows(const quant::StandardRates& rates) {
  return std::make_unique<StandardRows>(rates);
}
std::unique_ptr<MarginRows> portfolio_rows(const quant::PortfolioMarginParameters& parameters) {
  return std::make_unique<PortfolioRows>(parameters);
}

}  // namespace gimbal::risk
