// The table behind `gimbal greeks`.
#include "ops/app/greeks_csv.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <vector>

#include "engine/core/pricing.hpp"

namespace gimbal {
namespace {

CsvOutcome run(const std::string& text, CsvFormat format = CsvFormat::csv) {
  return greeks_table(text, format);
}

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> out{""};
  for (const char c : text) {
    if (c == '\n') {
      out.emplace_back();
    } else {
      out.back().push_back(c);
    }
  }
  out.pop_back();
  return out;
}

double last_number(const std::string& line) {
  double v = 0;
  const std::size_t at = line.rfind(',') + 1;
  std::from_chars(line.data() + at, line.data() + line.size(), v);
  return v;
}

TEST(GreeksCsv, AppendsLinearColumnsToAHeaderInAnyOrder) {
  const auto out = run("sigma,note,T,K,F,type\n0.5,x,0.25,110,100,C\n");
  ASSERT_TRUE(out.usable);
  EXPECT_TRUE(out.problems.empty());
  const auto rows = lines(out.output);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0], "sigma,note,T,K,F,type,price,delta,gamma,vega,theta,vanna,volga");
  EXPECT_EQ(rows[1].substr(0, 24), "0.5,x,0.25,110,100,C,6.1");
  EXPECT_EQ(last_number(rows[1]), price_linear({OptionType::call, 100, 110, 0.25, 0.5}).volga);
}

TEST(GreeksCsv, AppendsInverseColumnsWhenEveryRowIsInverse) {
  const auto out = run("type,F,K,T,sigma,settle\nP,100,110,0.25,0.5,inverse\n");
  const auto rows = lines(out.output);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0],
            "type,F,K,T,sigma,settle,v_coin,delta_bs,delta_net,gamma_bs,gamma_net,vega_coin,"
            "theta_coin,vanna_net,volga_coin");
  EXPECT_EQ(last_number(rows[1]), price_inverse({OptionType::put, 100, 110, 0.25, 0.5}).volga);
}

TEST(GreeksCsv, AMixedFileGetsBothGroupsAndEmptyCells) {
  const auto out =
      run("type,F,K,T,sigma,settle\nC,100,110,0.25,0.5,\nC,100,110,0.25,0.5,inverse\n");
  const auto rows = lines(out.output);
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(std::count(rows[0].begin(), rows[0].end(), ','), 21);
  EXPECT_EQ(std::count(rows[1].begin(), rows[1].end(), ','), 21);
  EXPECT_TRUE(rows[1].ends_with(",,,,,,,,,"));
  EXPECT_NE(rows[2].find("inverse,,,,,,,,0.0"), std::string::npos);
}

TEST(GreeksCsv, RateAndDiscountFollowFromEachOther) {
  const std::string row = "C,100,110,0.5,0.5,";
  const auto price = [&](const std::string& names, const std::string& cells) {
    const auto out = run("type,F,K,T,sigma," + names + "\n" + row + cells + "\n");
    EXPECT_EQ(out.rows, 1u);
    const std::string line = lines(out.output).at(1);
    const std::size_t at = row.size() + cells.size() + 1;
    double v = 0;
    std::from_chars(line.data() + at, line.data() + line.size(), v);
    return v;
  };
  const double plain = price_linear({OptionType::call, 100, 110, 0.5, 0.5}).price;
  EXPECT_NEAR(price("r", "0.1"), plain * 0.951229424500714, 1e-12);
  EXPECT_NEAR(price("df", "0.9"), plain * 0.9, 1e-12);
  EXPECT_NEAR(price("r,df", ",0.9"), plain * 0.9, 1e-12);
  EXPECT_NEAR(price("df,r", ",0.1"), plain * 0.951229424500714, 1e-12);
  EXPECT_EQ(price("r", ""), plain);
}

TEST(GreeksCsv, ThetaUsesTheRateImpliedByTheDiscount) {
  const auto by_rate = run("type,F,K,T,sigma,r\nC,100,110,0.5,0.5,0.1\n");
  const auto by_discount = run("type,F,K,T,sigma,df\nC,100,110,0.5,0.5,0.951229424500714\n");
  const auto theta = [](const std::string& text) {
    std::string line = lines(text).at(1);
    for (int k = 0; k < 2; ++k) line.resize(line.rfind(','));
    return last_number(line);
  };
  EXPECT_NEAR(theta(by_rate.output), theta(by_discount.output), 1e-11);
}

TEST(GreeksCsv, QuotedCellsAreCopiedAsWritten) {
  const auto out =
      run("type,\"F\",K,T,sigma,\"a,b\"\r\n\"C\",100,110,0.25,0.5,\"x \"\"y\"\"\n z\"\r\n\r\n");
  ASSERT_EQ(out.rows, 1u);
  EXPECT_TRUE(out.output.starts_with("type,\"F\",K,T,sigma,\"a,b\",price,"));
  EXPECT_NE(out.output.find("\n\"C\",100,110,0.25,0.5,\"x \"\"y\"\"\n z\",6.1"), std::string::npos);
}

TEST(GreeksCsv, AResultNameThatIsTakenGetsAPrefix) {
  const auto out = run("type,F,K,T,sigma,price,gimbal_price\nC,100,110,0.25,0.5,7,8\n");
  EXPECT_TRUE(
      out.output.starts_with("type,F,K,T,sigma,price,gimbal_price,gimbal_gimbal_price,delta,"));
}

TEST(GreeksCsv, ErrorsNameLineAndColumn) {
  const auto out =
      run("type,F,K,T,sigma,settle\n"
          "C,100,110,0.25,0.5,linear\n"
          "X,100,110,0.25,0.5,linear\n"
          "C,nan,inf,0.25,abc,linear\n"
          "C,100,,0.25,0.5,coin\n"
          "C,100\n"
          "C,-5,110,0.25,1e999,linear\n"
          "C,1e200,110,0.25,0.5,linear\n"
          "C,100,1\"10,0.25,0.5,linear\n"
          "P,100,110,0.25,0.5,linear\n");
  EXPECT_EQ(out.rows, 2u);
  std::vector<std::string> texts;
  for (const auto& p : out.problems) texts.push_back(p.to_text("f.csv"));
  const std::vector<std::string> expected{
      "f.csv:3: column 1 (type): \"X\" is neither C nor P",
      "f.csv:4: column 2 (F): \"nan\" is not finite",
      "f.csv:4: column 3 (K): \"inf\" is not finite",
      "f.csv:4: column 5 (sigma): \"abc\" is not a number",
      "f.csv:5: column 6 (settle): \"coin\" is neither linear nor inverse",
      "f.csv:5: column 3 (K): is empty",
      "f.csv:6: 2 cells, the header has 6",
      "f.csv:7: column 5 (sigma): \"1e999\" does not fit a double",
      "f.csv:8: out of range: F and K go from 1e-100 to 1e100, T, sigma and r to 1e6, df from "
      "1e-60 to 1e60",
      "f.csv:9: a quote inside an unquoted cell"};
  EXPECT_EQ(texts, expected);
}

TEST(GreeksCsv, AHeaderWithoutTheInputsIsRefused) {
  EXPECT_FALSE(run("").usable);
  EXPECT_FALSE(run("\n\n").usable);
  const auto missing = run("type,F,K,T\nC,1,1,1\n");
  EXPECT_FALSE(missing.usable);
  EXPECT_TRUE(missing.output.empty());
  EXPECT_EQ(missing.problems.at(0).to_text("f"),
            "f:1: the header has no column sigma; needed are type, F, K, T, sigma");
  EXPECT_EQ(run("type,f,K,T,sigma\n").problems.at(0).to_text("f"),
            "f:1: the header has no column F; \"f\" is not it, case matters");
  EXPECT_FALSE(run("type,F,F,K,T,sigma\n").usable);
  EXPECT_FALSE(run("type,F,K,T,\"sigma\n").usable);
}

TEST(GreeksCsv, AHeaderAloneGivesAHeaderAlone) {
  const auto out = run("type,F,K,T,sigma\n");
  EXPECT_TRUE(out.usable);
  EXPECT_EQ(lines(out.output).size(), 1u);
}

TEST(GreeksCsv, ExpiredRowsAreWorthTheirIntrinsicValue) {
  const auto out = run("type,F,K,T,sigma,r\nC,110,100,0,0.5,0.1\nC,110,100,-1,0.5,0.1\n");
  const auto rows = lines(out.output);
  EXPECT_EQ(rows.at(1), "C,110,100,0,0.5,0.1,10,1,0,0,0,0,0");
  EXPECT_EQ(rows.at(2), "C,110,100,-1,0.5,0.1,10,1,0,0,0,0,0");
}

TEST(GreeksCsv, JsonLinesKeepNumbersAndEscapeText) {
  const auto out =
      run("type,F,K,T,sigma,\"n\"\"1\"\nC,100,110,0.25,0.50,\"a\tb\\\xff\"\nP,007,5,1,.5,3\n",
          CsvFormat::json_lines);
  const auto rows = lines(out.output);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_TRUE(rows[0].starts_with(
      "{\"type\":\"C\",\"F\":100,\"K\":110,\"T\":0.25,\"sigma\":0.50,\"n\\\"1\":\"a\\u0009b\\\\"
      "\\ufffd\",\"price\":6.1"));
  EXPECT_TRUE(rows[0].ends_with("}"));
  EXPECT_TRUE(
      rows[1].starts_with("{\"type\":\"P\",\"F\":\"007\",\"K\":5,\"T\":1,\"sigma\":\".5\""));
}

}  // namespace
}  // namespace gimbal
