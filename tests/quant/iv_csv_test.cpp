// The table behind `gimbal iv`.
#include "ops/app/iv_csv.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/quant/implied_vol.hpp"
#include "tests/support/number_table.hpp"

namespace gimbal {
namespace {

constexpr const char* head = "type,F,K,T,price\n";

std::string second_line(const std::string& text) {
  const auto from = text.find('\n') + 1;
  return text.substr(from, text.find('\n', from) - from);
}
double cell(const std::string& line, int from_end) {
  std::string rest = line;
  for (int i = 0; i < from_end; ++i) rest.resize(rest.rfind(','));
  return test::NumberTable::parse(rest.substr(rest.rfind(',') + 1));
}

TEST(IvCsv, AppendsStatusSigmaAndWhatIsAttainable) {
  const auto out =
      implied_vol_table("price,type,K,note,T,F\n6.5,C,110,x,0.25,100\n", CsvFormat::csv);
  ASSERT_TRUE(out.usable);
  EXPECT_EQ(out.rows, 1u);
  EXPECT_TRUE(out.output.starts_with("price,type,K,note,T,F,status,sigma,attainable_rel\n"));
  const std::string line = second_line(out.output);
  EXPECT_TRUE(line.starts_with("6.5,C,110,x,0.25,100,ok,0."));
  const auto v = quant::implied_vol({OptionType::call, 100, 110, 0.25, 1, 6.5});
  EXPECT_EQ(cell(line, 1), v.sigma);
  EXPECT_EQ(cell(line, 0), v.attainable);
}

TEST(IvCsv, AFileWithTheAnswersKeepsThem) {
  const auto out =
      implied_vol_table("type,F,K,T,price,status,sigma\nC,100,110,0.25,6.5,ok,9\n", CsvFormat::csv);
  EXPECT_TRUE(out.output.starts_with(
      "type,F,K,T,price,status,sigma,gimbal_status,gimbal_sigma,attainable_rel\n"));
}

TEST(IvCsv, ARefusedPriceIsAnAnswer) {
  const auto out = implied_vol_table(
      std::string{head} + "C,110,100,0.25,9\nC,110,100,0.25,10\nP,110,100,0.25,100\n",
      CsvFormat::csv);
  EXPECT_EQ(out.rows, 3u);
  EXPECT_TRUE(out.problems.empty());
  EXPECT_NE(out.output.find("9,below_intrinsic,nan,nan\n"), std::string::npos);
  EXPECT_NE(out.output.find("10,zero_time_value,nan,nan\n"), std::string::npos);
  EXPECT_NE(out.output.find("100,above_maximum,nan,nan\n"), std::string::npos);
}

TEST(IvCsv, JsonHasNullWhereThereIsNoVolatility) {
  const auto out =
      implied_vol_table(std::string{head} + "C,110,100,0.25,9\n", CsvFormat::json_lines);
  EXPECT_EQ(out.output,
            "{\"type\":\"C\",\"F\":110,\"K\":100,\"T\":0.25,\"price\":9,"
            "\"status\":\"below_intrinsic\",\"sigma\":null,\"attainable_rel\":null}\n");
}

TEST(IvCsv, InversePricesAreInCoins) {
  const auto coin =
      implied_vol_table("type,F,K,T,price,settle\nC,64,70,0.25,0.0625,inverse\n", CsvFormat::csv);
  const auto quote = implied_vol_table(std::string{head} + "C,64,70,0.25,4\n", CsvFormat::csv);
  EXPECT_EQ(cell(second_line(coin.output), 1), cell(second_line(quote.output), 1));
}

TEST(IvCsv, ARateIsADiscountFactor) {
  const auto by_rate =
      implied_vol_table("type,F,K,T,price,r\nC,100,110,0.5,6,0.1\n", CsvFormat::csv);
  const auto by_df =
      implied_vol_table("type,F,K,T,price,df\nC,100,110,0.5,6,0.951229424500714\n", CsvFormat::csv);
  const auto plain = implied_vol_table(std::string{head} + "C,100,110,0.5,6\n", CsvFormat::csv);
  EXPECT_NEAR(cell(second_line(by_rate.output), 1), cell(second_line(by_df.output), 1), 1e-14);
  EXPECT_GT(cell(second_line(by_df.output), 1), cell(second_line(plain.output), 1));
}

TEST(IvCsv, ErrorsNameLineAndColumn) {
  const auto out = implied_vol_table(
      "type,F,K,T,price,settle\n"
      "X,100,110,0.25,5,\n"
      "C,0,110,0.25,5,\n"
      "C,100,110,0,5,\n"
      "C,100,110,0.25,,\n"
      "C,100,110,0.25,5,coin\n"
      "C,1e200,110,0.25,5,\n"
      "C,100,110,0.25\n"
      "P,100,110,0.25,12,\n",
      CsvFormat::csv);
  EXPECT_EQ(out.rows, 1u);
  std::vector<std::string> texts;
  for (const auto& p : out.problems) texts.push_back(p.to_text("f.csv"));
  const std::vector<std::string> expected{
      "f.csv:2: column 1 (type): \"X\" is neither C nor P",
      "f.csv:3: column 2 (F): must be above 0",
      "f.csv:4: column 4 (T): must be above 0",
      "f.csv:5: column 5 (price): is empty",
      "f.csv:6: column 6 (settle): \"coin\" is neither linear nor inverse",
      "f.csv:7: out of range: F and K go from 1e-100 to 1e100, T from 1e-12 to 1e6, df from 1e-60 "
      "to 1e60",
      "f.csv:8: 4 cells, the header has 6"};
  EXPECT_EQ(texts, expected);
}

TEST(IvCsv, AHeaderWithoutThePriceIsRefused) {
  const auto out = implied_vol_table("type,F,K,T\nC,1,1,1\n", CsvFormat::csv);
  EXPECT_FALSE(out.usable);
  EXPECT_EQ(out.problems.at(0).to_text("f"),
            "f:1: the header has no column price; needed are type, F, K, T, price");
}

}  // namespace
}  // namespace gimbal
