// Recorded option chains that carry the venue's own Greeks, against ours from mark_iv and
// underlying_price. Medians, maxima and the share explained by the rounding of the published inputs
// are printed; the limits are those found when the venue's rules were worked out.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/pricing.hpp"
#include "tests/support/number_table.hpp"
#include "tests/support/shared_data.hpp"

namespace gimbal {
namespace {

using test::NumberTable;

struct Published {
  std::string instrument;
  double underlying{0}, mark{0}, mark_iv{0};
  std::int64_t time_ms{0};
  VenueGreeks greeks{};
};

// Days since 1970-01-01 of a proleptic Gregorian date.
std::int64_t days_since_epoch(int year, int month, int day) {
  year -= month <= 2 ? 1 : 0;
  const int era_year = year % 400;
  const int shifted = (month + 9) % 12;
  const int day_of_year = (153 * shifted + 2) / 5 + day - 1;
  const int day_of_era = era_year * 365 + era_year / 4 - era_year / 100 + day_of_year;
  return static_cast<std::int64_t>(year / 400) * 146097 + day_of_era - 719468;
}

// BTC-5JUN20-9250-C
OptionTerms terms_of(const Published& p) {
  const std::size_t a = p.instrument.find('-');
  const std::size_t b = p.instrument.find('-', a + 1);
  const std::size_t c = p.instrument.find('-', b + 1);
  const std::string date = p.instrument.substr(a + 1, b - a - 1);
  const std::size_t letters = date.find_first_not_of("0123456789");
  static constexpr std::array<std::string_view, 12> months{
      "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
  const std::string name = date.substr(letters, 3);
  const auto month = std::find(months.begin(), months.end(), name) - months.begin();
  const std::int64_t day =
      days_since_epoch(2000 + std::stoi(date.substr(letters + 3)), static_cast<int>(month) + 1,
                       std::stoi(date.substr(0, letters)));
  OptionTerms t;
  t.type = p.instrument.substr(c + 1) == "C" ? OptionType::call : OptionType::put;
  t.forward = p.underlying;
  std::string strike = p.instrument.substr(b + 1, c - b - 1);
  std::replace(strike.begin(), strike.end(), 'd', '.');  // the venue writes 1.02 as 1d02
  t.strike = std::stod(strike);
  t.sigma = p.mark_iv / 100;
  t.years = years(Nanos{((day * 24 + 8) * 3'600'000 - p.time_ms) * 1'000'000});
  return t;
}

double after(const std::string& text, const std::string& key) {
  const std::size_t at = text.find(key);
  if (at == std::string::npos) throw std::runtime_error{"no " + key};
  return std::stod(text.substr(at + key.size()));
}

VenueGreeks greeks_in(const std::string& text, const std::string& quote) {
  const auto value = [&](const char* name) {
    return after(text, quote + name + quote + (quote == "'" ? ": " : ":"));
  };
  return {value("delta"), value("gamma"), value("vega"), value("theta"), value("rho")};
}

void read_chain(const std::string& path, std::vector<Published>& out) {
  const NumberTable t{path};
  const bool flat = t.has("greeks.delta");
  for (std::size_t i = 0; i < t.size(); ++i) {
    Published p;
    p.instrument = t.text(i, "instrument_name");
    p.underlying = t.number(i, "underlying_price");
    p.mark = t.number(i, "mark_price");
    p.mark_iv = t.number(i, "mark_iv");
    p.time_ms = std::stoll(t.text(i, "timestamp"));
    p.greeks = flat ? VenueGreeks{t.number(i, "greeks.delta"), t.number(i, "greeks.gamma"),
                                  t.number(i, "greeks.vega"), t.number(i, "greeks.theta"),
                                  t.number(i, "greeks.rho")}
                    : greeks_in(t.text(i, "greeks"), "'");
    out.push_back(p);
  }
}

void read_tickers(const std::string& path, std::vector<Published>& out) {
  std::ifstream in{path};
  for (std::string line; std::getline(in, line);) {
    if (line.find("\"mark_iv\":") == std::string::npos) continue;
    const std::size_t name = line.find("\"instrument_name\":\"") + 19;
    Published p;
    p.instrument = line.substr(name, line.find('"', name) - name);
    p.underlying = after(line, "\"underlying_price\":");
    p.mark = after(line, "\"mark_price\":");
    p.mark_iv = after(line, "\"mark_iv\":");
    p.time_ms = static_cast<std::int64_t>(after(line, "\"timestamp\":"));
    p.greeks = greeks_in(line, "\"");
    out.push_back(p);
  }
}

struct Errors {
  std::vector<double> values;
  std::size_t explained{0};
  void add(double got, double want, double allowed) {
    values.push_back(std::abs(got - want));
    if (values.back() <= allowed) ++explained;
  }
  double median() {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
  }
  [[nodiscard]] double max() const { return *std::max_element(values.begin(), values.end()); }
  [[nodiscard]] double share() const {
    return static_cast<double>(explained) / static_cast<double>(values.size());
  }
  void expect(const char* name, double median_max, double max_max, double share_min) {
    std::printf("  %s: median %.2g, max %.2g, explained by rounding %.1f %%\n", name, median(),
                max(), 100 * share());
    EXPECT_LE(median(), median_max) << name;
    EXPECT_LE(max(), max_max) << name;
    EXPECT_GE(share(), share_min) << name;
  }
};

bool inverse(const Published& p) { return p.instrument.find('_') == std::string::npos; }

// What changes when mark_iv, underlying_price and mark_price move by half of their last digits.
VenueGreeks rounding_allowance(const Published& p, const OptionTerms& t) {
  VenueGreeks allowed{5.5e-6, 5.5e-6, 5.5e-6, 5.5e-6, 5.5e-6};
  const VenueGreeks base = deribit_display(t, p.mark, inverse(p));
  for (const double part : {-1.0, 1.0}) {
    OptionTerms iv = t;
    iv.sigma += part * 0.00005;
    OptionTerms forward = t;
    forward.forward += part * 0.005;
    for (const OptionTerms& moved : {iv, forward}) {
      const VenueGreeks g = deribit_display(moved, p.mark, inverse(p));
      allowed.delta += 0.5 * std::abs(g.delta - base.delta);
      allowed.gamma += 0.5 * std::abs(g.gamma - base.gamma);
      allowed.vega += 0.5 * std::abs(g.vega - base.vega);
      allowed.theta += 0.5 * std::abs(g.theta - base.theta);
    }
  }
  const double mark_step = p.time_ms > 1'650'000'000'000     ? 1e-4  // 4 decimals since 2022
                           : p.instrument.starts_with("BTC") ? 1e-8
                                                             : 1e-6;
  allowed.theta +=
      std::abs(deribit_display(t, p.mark + mark_step / 2, inverse(p)).theta - base.theta);
  return allowed;
}

TEST(VenueChains, OurGreeksFromMarkIvEqualThePublishedOnesWithinTheirRounding) {
  std::vector<Published> rows;
  for (const char* file : {"bottama_20210209_btc_chain.csv", "bottama_20210209_eth_chain.csv",
                           "bottama_20210211_btc_chain.csv", "bottama_20210211_eth_chain.csv",
                           "schepal_20200522_btc_chain.csv", "cryptofeed_2021_ws_raw.jsonl",
                           "fastmm_2026_messages.jsonl", "tardis_node_2019_2024_messages.jsonl"}) {
    const std::string path = test::shared_path(std::string{"data/deribit/"} + file);
    if (!test::present(path)) GTEST_SKIP() << "recorded chains absent: " << path;
    if (std::string_view{file}.ends_with(".csv")) {
      read_chain(path, rows);
    } else {
      read_tickers(path, rows);
    }
  }
  Errors delta, gamma, vega, theta;
  std::size_t left_out = 0;
  for (const Published& p : rows) {
    const OptionTerms t = terms_of(p);
    if (!(p.underlying > 0) || !(p.mark_iv > 0) || !(t.years > 0)) {
      ++left_out;
      continue;
    }
    ASSERT_TRUE(priceable(t)) << p.instrument;
    const VenueGreeks ours = deribit_display(t, p.mark, inverse(p));
    const VenueGreeks allowed = rounding_allowance(p, t);
    delta.add(ours.delta, p.greeks.delta, allowed.delta);
    gamma.add(ours.gamma, p.greeks.gamma, allowed.gamma);
    vega.add(ours.vega, p.greeks.vega, allowed.vega);
    theta.add(ours.theta, p.greeks.theta, allowed.theta);
  }
  std::printf("%zu published tickers, %zu without volatility or life left out\n", rows.size(),
              left_out);
  EXPECT_GT(rows.size(), 2000u);
  EXPECT_LT(left_out, rows.size() / 50);
  delta.expect("delta", 5e-6, 1.05e-4, 0.92);
  gamma.expect("gamma", 3e-6, 1.5e-5, 0.995);
  vega.expect("vega", 6e-5, 0.011, 0.75);
  theta.expect("theta", 2e-4, 0.85, 0.88);
}

}  // namespace
}  // namespace gimbal
