// Prices, Greeks and the normal distribution against rows computed with 60 digits: the project's
// own sample always, the full golden set where it is present. Errors are measured in units of u *
// kappa * scale, u = 2^-53 and kappa = 1 + (1 + |d1|)^2; the maxima are printed.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <string>

#include "engine/core/math.hpp"
#include "engine/core/pricing.hpp"
#include "tests/support/number_table.hpp"
#include "tests/support/shared_data.hpp"

namespace gimbal {
namespace {

using test::NumberTable;

constexpr double unit = 0x1p-53;
constexpr double absolute_below = 1e-290;

// Largest error seen per quantity, in its own unit, with the row that gave it.
class Worst {
 public:
  void add(const std::string& name, std::size_t row, double got, double want, double scale) {
    const double error = std::abs(got - want);
    double units = error <= absolute_below ? 0.0 : error / scale;
    if (std::isnan(got) || std::isnan(units)) units = HUGE_VAL;
    auto& entry = worst_[name];
    if (units > entry.first) entry = {units, row};
  }
  void expect_below(const std::string& name, double limit) const {
    const auto& [units, row] = worst_.at(name);
    EXPECT_LE(units, limit) << name << " in row " << row;
  }
  void print(const std::string& title, std::size_t rows) const {
    std::printf("%s, %zu rows, largest errors:", title.c_str(), rows);
    for (const auto& [name, entry] : worst_) std::printf(" %s %.2f", name.c_str(), entry.first);
    std::printf("\n");
  }
  [[nodiscard]] const auto& all() const { return worst_; }

 private:
  std::map<std::string, std::pair<double, std::size_t>> worst_;
};

OptionTerms terms_of(const NumberTable& t, std::size_t row) {
  OptionTerms o;
  o.type = t.text(row, "type") == "C" ? OptionType::call : OptionType::put;
  o.forward = t.number(row, "F");
  o.strike = t.number(row, "K");
  o.years = t.number(row, "T");
  o.sigma = t.number(row, "sigma");
  return o;
}

void check_black76(const std::string& path) {
  const NumberTable t{path};
  Worst worst;
  for (std::size_t i = 0; i < t.size(); ++i) {
    OptionTerms o = terms_of(t, i);
    o.rate = t.number(i, "r");
    o.discount = t.number(i, "df");
    ASSERT_TRUE(priceable(o));
    const LinearGreeks g = price_linear(o);
    const double d1 = std::abs(t.number(i, "d1"));
    const double sd = o.sigma * std::sqrt(o.years);
    const double kappa = unit * (1 + (1 + d1) * (1 + d1));
    const double terms = t.number(i, "term_magnitude");
    const double vega = t.number(i, "vega");
    const double density = vega / (o.forward * std::sqrt(o.years));
    const auto relative = [&](const char* name, double got) {
      worst.add(name, i, got, t.number(i, name), kappa * std::abs(t.number(i, name)));
    };
    worst.add("price", i, g.price, t.number(i, "price"), kappa * terms);
    relative("delta", g.delta);
    relative("gamma", g.gamma);
    relative("vega", g.vega);
    worst.add("theta", i, g.theta, t.number(i, "theta"),
              kappa * (vega * o.sigma / (2 * o.years) + std::abs(o.rate) * terms));
    worst.add("vanna", i, g.vanna, t.number(i, "vanna"), kappa * density * (d1 + sd) / o.sigma);
    worst.add("volga", i, g.volga, t.number(i, "volga"),
              kappa * vega * (d1 + sd) * (d1 + sd) / o.sigma);
  }
  worst.print("black76", t.size());
  for (const auto& entry : worst.all()) worst.expect_below(entry.first, 16);
}

void check_inverse(const std::string& path) {
  const NumberTable t{path};
  Worst worst;
  for (std::size_t i = 0; i < t.size(); ++i) {
    const OptionTerms o = terms_of(t, i);
    const InverseGreeks g = price_inverse(o);
    const double sd = o.sigma * std::sqrt(o.years);
    const double d1 = std::abs(math::log_ratio(o.forward, o.strike) / sd + sd / 2);
    const double kappa = unit * (1 + (1 + d1) * (1 + d1));
    const double F = o.forward;
    const double vega = t.number(i, "vega_coin");
    const double net = std::abs(t.number(i, "delta_net"));
    const double gamma = t.number(i, "gamma_bs");
    const auto scaled = [&](const char* name, double got, double scale) {
      worst.add(name, i, got, t.number(i, name), kappa * scale);
    };
    // Twice the unit for the value: its tolerance is 32.
    scaled("v_coin", g.value, 2 * (std::abs(t.number(i, "delta_bs")) + net));
    scaled("delta_bs", g.delta_bs, std::abs(t.number(i, "delta_bs")));
    scaled("delta_net", g.delta_net, net);
    scaled("gamma_bs", g.gamma_bs, gamma);
    scaled("gamma_net", g.gamma_net, gamma + net / F);
    scaled("dv_dF", g.dv_df, net / F);
    scaled("d2v_dF2", g.d2v_df2, gamma / F + 2 * net / F / F);
    scaled("vega_coin", g.vega, vega);
    scaled("theta_coin", g.theta, std::abs(t.number(i, "theta_coin")));
    scaled("vanna_net", g.vanna_net, vega / std::sqrt(o.years) * (d1 + sd) / o.sigma);
    scaled("volga_coin", g.volga, vega * (d1 + sd) * (d1 + sd) / o.sigma);
  }
  worst.print("inverse_option", t.size());
  for (const auto& entry : worst.all()) worst.expect_below(entry.first, 16);
}

void check_normal(const std::string& path) {
  const NumberTable t{path};
  Worst worst;
  for (std::size_t i = 0; i < t.size(); ++i) {
    const double x = t.number(i, "x");
    const auto relative = [&](const char* name, double got) {
      worst.add(name, i, got, t.number(i, name), unit * std::abs(t.number(i, name)));
    };
    relative("cdf", math::normal_cdf(x));
    relative("pdf", math::normal_pdf(x));
    relative("mills_neg_abs", math::mills(std::abs(x)));
  }
  worst.print("normal", t.size());
  for (const auto& entry : worst.all()) worst.expect_below(entry.first, 8);
}

#define SKIP_WITHOUT(path) \
  if (!test::present(path)) GTEST_SKIP() << "golden data absent: " << (path)

TEST(Golden, OwnBlack76RowsAreWithinTolerance) {
  check_black76(test::fixture_path("quant/black76.csv"));
}
TEST(Golden, OwnInverseRowsAreWithinTolerance) {
  check_inverse(test::fixture_path("quant/inverse_option.csv"));
}
TEST(Golden, OwnNormalRowsAreWithinTolerance) {
  check_normal(test::fixture_path("quant/normal.csv"));
}
TEST(Golden, EveryBlack76RowIsWithinTolerance) {
  const std::string path = test::shared_path("data/quant/black76.csv");
  SKIP_WITHOUT(path);
  check_black76(path);
}
TEST(Golden, EveryInverseRowIsWithinTolerance) {
  const std::string path = test::shared_path("data/quant/inverse_option.csv");
  SKIP_WITHOUT(path);
  check_inverse(path);
}
TEST(Golden, EveryNormalRowIsWithinTolerance) {
  const std::string path = test::shared_path("data/quant/normal.csv");
  SKIP_WITHOUT(path);
  check_normal(path);
}

}  // namespace
}  // namespace gimbal
