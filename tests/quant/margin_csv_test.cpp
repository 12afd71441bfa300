// The table behind `gimbal margin`: golden rows through the tool, and its messages.
#include "ops/risk/margin_csv.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "ops/app/csv_reader.hpp"
#include "ops/risk/json_fields.hpp"
#include "tests/support/number_table.hpp"
#include "tests/support/shared_data.hpp"

namespace gimbal::risk {
namespace {

using Row = std::map<std::string, std::string>;

std::string slurp(const std::string& path) {
  std::ostringstream out;
  out << std::ifstream{path}.rdbuf();
  return out.str();
}

std::vector<Row> rows_of(const std::string& csv) {
  CsvReader reader{csv};
  CsvRecord record;
  std::vector<std::string> names;
  std::vector<Row> rows;
  while (reader.next(record)) {
    if (names.empty()) {
      for (const CsvCell& c : record.cells) names.push_back(c.value);
      continue;
    }
    Row row;
    for (std::size_t i = 0; i < names.size(); ++i) row[names[i]] = record.cells.at(i).value;
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<double> numbers(const std::string& cell) {
  std::vector<double> out;
  std::string part;
  for (const char c : cell) {
    if (c == '[' || c == ' ') continue;
    if (c == ',' || c == ']') {
      out.push_back(test::NumberTable::parse(part));
      part.clear();
    } else {
      part.push_back(c);
    }
  }
  if (!part.empty()) out.push_back(test::NumberTable::parse(part));
  return out;
}

MarginRequest request(const std::string& model, const std::string& parameters) {
  MarginRequest out;
  out.model = model;
  std::string fault;
  if (needs_parameters(model)) {
    EXPECT_TRUE(read_margin_parameters(model, parameters, out.parameters, fault)) << fault;
  }
  return out;
}

// Every result that the file has a column for, against that column.
void check_file(const std::string& model, const std::string& folder, const std::string& file,
                const std::string& parameter_file, double tolerance) {
  if (!test::present(folder + "/" + file)) GTEST_SKIP() << folder << " is not here";
  const std::string text = slurp(folder + "/" + file);
  const auto out =
      margin_table(text, CsvFormat::csv, request(model, slurp(folder + "/" + parameter_file)));
  ASSERT_TRUE(out.usable);
  ASSERT_TRUE(out.problems.empty()) << out.problems.front().to_text(file);
  double worst = 0;
  std::size_t compared = 0;
  const auto rows = rows_of(out.output);
  for (const Row& row : rows) {
    for (const auto& [name, cell] : row) {
      if (!name.starts_with("gimbal_")) continue;
      const std::string& want = row.at(name.substr(7));
      ++compared;
      if (name == "gimbal_status") {
        EXPECT_EQ(cell, want) << "row " << row.at("id");
        continue;
      }
      const auto a = numbers(cell);
      const auto b = numbers(want);
      ASSERT_EQ(a.size(), b.size()) << name << " row " << row.at("id");
      double scale = 0;  // a vector's entries cancel against each other
      for (const double v : b) scale = std::max(scale, std::isfinite(v) ? std::abs(v) : 0.0);
      for (std::size_t i = 0; i < a.size(); ++i) {
        if (a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]))) continue;
        const double error = std::abs(a[i] - b[i]) / std::max(scale, 1e-9);
        EXPECT_LE(error, tolerance) << name << " row " << row.at("id");
        worst = std::max(worst, error);
      }
    }
  }
  EXPECT_GT(compared, 3 * rows.size());
  EXPECT_GT(rows.size(), 30u);
  std::printf("%s: %zu rows, largest relative error %.2g\n", file.c_str(), rows.size(), worst);
}

struct Golden {
  const char* name;
  const char* model;
  const char* file;
  const char* parameters;
};
class MarginGolden : public testing::TestWithParam<Golden> {};

TEST_P(MarginGolden, TheProjectsOwnRowsAgree) {
  const Golden& g = GetParam();
  check_file(g.model, test::fixture_path("quant"), g.file, g.parameters, 1e-11);
}
TEST_P(MarginGolden, TheGoldenRowsAgree) {
  const Golden& g = GetParam();
  check_file(g.model, test::shared_path("data/quant"), g.file, g.parameters, 1e-11);
}
INSTANTIATE_TEST_SUITE_P(
    Models, MarginGolden,
    testing::Values(Golden{"TieredLinear", "tiered", "tiered_linear.csv", "margin_tiers.csv"},
                    Golden{"TieredInverse", "tiered", "tiered_inverse.csv", "margin_tiers.csv"},
                    Golden{"Aave", "aave", "aave_health.csv", "margin_tiers.csv"},
                    Golden{"DeribitPm", "deribit_pm", "portfolio_margin.csv", "pm_params.json"}),
    [](const auto& of) { return std::string{of.param.name}; });

std::string own(const std::string& file) { return slurp(test::fixture_path("quant/" + file)); }

TEST(MarginCsv, StandardMarginReportsHealthCushionAndBothDistances) {
  const auto out = margin_table(
      "index,equity,sigma,legs\n"
      "50000,0.6,0.6,\"[{\"\"t\"\":\"\"C\"\",\"\"F\"\":50000,\"\"K\"\":60000,\"\"T\"\":0.08,"
      "\"\"iv\"\":0.6,\"\"qty\"\":-3},{\"\"t\"\":\"\"P\"\",\"\"F\"\":50000,\"\"K\"\":42000,"
      "\"\"T\"\":0.08,\"\"iv\"\":0.6,\"\"qty\"\":-3}]\"\n",
      CsvFormat::csv, request("deribit_standard", own("standard_rates.json")));
  ASSERT_TRUE(out.problems.empty()) << out.problems.front().to_text("f");
  const Row row = rows_of(out.output).at(0);
  const double mm = test::NumberTable::parse(row.at("mm_coin"));
  EXPECT_NEAR(test::NumberTable::parse(row.at("health_mm_over_equity")), mm / 0.6, 1e-12);
  EXPECT_NEAR(test::NumberTable::parse(row.at("cushion")), 0.6 - mm, 1e-12);
  EXPECT_EQ(row.at("status"), "ok");
  for (const char* name : {"below_pct", "above_pct", "below_sigma", "above_sigma"}) {
    const double v = test::NumberTable::parse(row.at(name));
    EXPECT_TRUE(v > 0 && std::isfinite(v)) << name;
  }
}

TEST(MarginCsv, WithoutEquityThereIsARequirementButNoHealth) {
  const auto out = margin_table(
      "index,legs,settle\n100000,\"[{\"\"t\"\":\"\"perp\"\",\"\"F\"\":100000,\"\"coins\"\":25}]\","
      "linear\n",
      CsvFormat::json_lines, request("deribit_standard", own("standard_rates.json")));
  EXPECT_NE(out.output.find("\"im\":53125"), std::string::npos) << out.output;
  EXPECT_NE(out.output.find("\"mm\":28125"), std::string::npos);
  EXPECT_NE(out.output.find("\"health_mm_over_equity\":null"), std::string::npos);
  EXPECT_NE(out.output.find("\"status\":\"no_equity\""), std::string::npos);
}

TEST(MarginCsv, JsonKeepsVectorsAsLists) {
  const auto out = margin_table(
      "index,legs\n2000,\"[{\"\"t\"\":\"\"perp\"\",\"\"F\"\":2000,\"\"usd\"\":-2000}]\"\n",
      CsvFormat::json_lines, request("deribit_pm", own("pm_params.json")));
  EXPECT_NE(out.output.find("\"standard_vector\":[0."), std::string::npos) << out.output;
}

// One row: 10 calls sold at 61,000 beside 2 puts that have no cost and stay.
CsvOutcome plan_of(const char* equity, const char* closing) {
  auto setup = request("deribit_pm", own("pm_params.json"));
  setup.plan_health = 0.5;
  std::string row = "index,equity,legs\n60000," + std::string{equity} +
                    ",\"[{\"\"t\"\":\"\"C\"\",\"\"F\"\":60000,\"\"K\"\":61000,\"\"T\"\":0.1,"
                    "\"\"iv\"\":0.6,\"\"qty\"\":-10" +
                    std::string{closing} +
                    "},{\"\"t\"\":\"\"P\"\",\"\"F\"\":60000,\"\"K\"\":50000,\"\"T\"\":0.1,"
                    "\"\"iv\"\":0.7,\"\"qty\"\":2}]\"\n";
  return margin_table(row, CsvFormat::json_lines, setup);
}

TEST(MarginCsv, APlanNamesTheTradesThatReachTheHealth) {
  const auto whole = plan_of("1.6", ",\"\"cost\"\":0.002,\"\"lot\"\":0.5");
  ASSERT_EQ(whole.rows, 1u) << (whole.problems.empty() ? "" : whole.problems[0].text);
  const Json row = Json::parse(whole.output);
  EXPECT_EQ(row.at("plan_result"), "reached");
  ASSERT_EQ(row.at("plan").size(), 1u);
  const Json& step = row.at("plan")[0];
  EXPECT_EQ(step.at("leg"), 0);
  const double trade = step.at("trade").get<double>();
  EXPECT_GT(trade, 0);
  EXPECT_NEAR(trade * 2, std::round(trade * 2), 1e-9);
  EXPECT_NEAR(row.at("plan_cost").get<double>(), 0.002 * trade, 1e-12);
  const double health = row.at("plan_health").get<double>();
  EXPECT_LE(health, 0.5);
  // By less than what one of the 20 lots gives back.
  const double mm = row.at("mm_coin").get<double>();
  EXPECT_GT(mm / 1.6, 0.5);
  EXPECT_GT(health, 0.5 - 1.1 * (mm / 1.6) / 20);
}

TEST(MarginCsv, APlanSaysWhenThereIsNothingToDoOrNothingToBeDone) {
  const auto result = [](const CsvOutcome& out) {
    return Json::parse(out.output).at("plan_result").get<std::string>();
  };
  EXPECT_EQ(result(plan_of("100", ",\"\"cost\"\":0.002")), "nothing_needed");
  EXPECT_EQ(result(plan_of("1.6", "")), "out_of_reach");
  EXPECT_EQ(result(plan_of("", ",\"\"cost\"\":0.002")), "no_equity");
  EXPECT_EQ(result(plan_of("1.6", ",\"\"cost\"\":0.002,\"\"lot\"\":1e-300")), "reached");
  const auto negative = plan_of("1.6", ",\"\"cost\"\":-1");
  EXPECT_EQ(negative.rows, 0u);
  ASSERT_EQ(negative.problems.size(), 1u);
  EXPECT_NE(negative.problems[0].text.find("legs[0].cost"), std::string::npos);
  // Without --plan the key is not known.
  const auto none = margin_table(
      "index,legs\n1,\"[{\"\"t\"\":\"\"perp\"\",\"\"F\"\":1,\"\"usd\"\":1,\"\"cost\"\":1}]\"\n",
      CsvFormat::csv, request("deribit_pm", own("pm_params.json")));
  EXPECT_EQ(none.rows, 0u);
}

TEST(MarginCsv, ErrorsNameLineColumnAndPlaceInTheCell) {
  const auto out = margin_table(
      "index,legs\n"
      "0,[]\n"
      "100,[}\n"
      "100,\"[{\"\"t\"\":\"\"X\"\",\"\"F\"\":1}]\"\n"
      "100,\"[{\"\"t\"\":\"\"perp\"\",\"\"F\"\":1,\"\"usd\"\":1,\"\"size\"\":2}]\"\n"
      "100,\"[{\"\"t\"\":\"\"perp\"\",\"\"F\"\":-1,\"\"usd\"\":1}]\"\n"
      "100,\"[{\"\"t\"\":\"\"C\"\",\"\"F\"\":1}]\"\n"
      "100,[]\n",
      CsvFormat::csv, request("deribit_pm", own("pm_params.json")));
  EXPECT_EQ(out.rows, 1u);
  std::vector<std::string> texts;
  for (const auto& p : out.problems) texts.push_back(p.to_text("f.csv"));
  ASSERT_EQ(texts.size(), 6u);
  EXPECT_EQ(texts[0], "f.csv:2: column 1 (index): must be above 0");
  EXPECT_TRUE(texts[1].starts_with("f.csv:3: column 2 (legs): is not JSON: ")) << texts[1];
  EXPECT_EQ(texts[2], "f.csv:4: column 2 (legs): legs[0].t must be C, P, perp or fut, not \"X\"");
  EXPECT_EQ(texts[3], "f.csv:5: column 2 (legs): legs[0] has a key that is not known: \"size\"");
  EXPECT_EQ(texts[4], "f.csv:6: column 2 (legs): legs[0].F must be from 1e-12 to 1e+12");
  EXPECT_EQ(texts[5], "f.csv:7: column 2 (legs): legs[0].K is missing");
}

TEST(MarginCsv, TieredRowsNeedAKnownTableAndOneKindOfSize) {
  const auto setup = request("tiered", own("margin_tiers.csv"));
  const auto both = margin_table("table,side,mark,entry\nlin_a,1,1,1\n", CsvFormat::csv, setup);
  EXPECT_FALSE(both.usable);
  const auto out = margin_table(
      "table,side,mark,entry,qty,wallet\nnone,1,10,10,1,1\nlin_a,2,10,10,1,1\nlin_a,1,10,10,,1\n",
      CsvFormat::csv, setup);
  ASSERT_EQ(out.problems.size(), 3u);
  EXPECT_EQ(out.problems[0].to_text("f"),
            "f:2: column 1 (table): \"none\" is not in the parameter file");
  EXPECT_EQ(out.problems[1].to_text("f"), "f:3: column 2 (side): must be 1 or -1");
  EXPECT_EQ(out.problems[2].to_text("f"), "f:4: column 5 (qty): is empty");
}

TEST(MarginCsv, ParameterFilesAreStrict) {
  MarginParameters p;
  const auto fault = [&](const std::string& model, const std::string& text) {
    std::string why;
    EXPECT_FALSE(read_margin_parameters(model, text, p, why)) << text;
    return why;
  };
  EXPECT_TRUE(fault("deribit_pm", "{").starts_with("is not JSON: "));
  EXPECT_EQ(fault("deribit_pm", "{}"), "price_range is missing");
  std::string more = own("pm_params.json");
  more.replace(more.find("\"vup\""), 5, "\"vip\"");
  EXPECT_EQ(fault("deribit_pm", more), "vup is missing");
  EXPECT_EQ(fault("deribit_standard", "{\"future\": {}, \"option\": {}}"),
            "future.initial is missing");
  EXPECT_EQ(fault("tiered", "table,lower,upper,mmr\na,0,inf,2\n"),
            "table \"a\": tier 0: mmr must be between 0 and 1");
  EXPECT_EQ(fault("tiered", "table,lower,upper,mmr\na,0,x,0.1\n"),
            "line 2, upper: \"x\" is not a number");
  EXPECT_FALSE(fault("tiered", "").empty());
}

TEST(MarginCsv, DeductionsAreFilledInWhereTheTableHasNone) {
  MarginParameters p;
  std::string why;
  ASSERT_TRUE(read_margin_parameters("tiered", "table,lower,upper,mmr\na,0,100,0.01\na,100,,0.02\n",
                                     p, why))
      << why;
  EXPECT_DOUBLE_EQ(std::get<TierTables>(p).at("a").at(1).deduction, 1.0);
}

}  // namespace
}  // namespace gimbal::risk
