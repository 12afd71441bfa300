// Exact decimals: the whole JSON grammar, refusals, and round trips.
#include "feeds/decimal.hpp"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>

namespace gimbal {
namespace {

std::int64_t exact(std::string_view text) {
  std::int64_t nano = -77;
  EXPECT_EQ(parse_nano(text, nano), DecimalStatus::ok) << text;
  return nano;
}
std::int64_t rounded(std::string_view text) {
  std::int64_t nano = -77;
  EXPECT_EQ(parse_nano_round(text, nano), DecimalStatus::ok) << text;
  return nano;
}
DecimalStatus status(std::string_view text) {
  std::int64_t nano = -77;
  const DecimalStatus s = parse_nano(text, nano);
  if (s != DecimalStatus::ok) { EXPECT_EQ(nano, -77) << "written although refused: " << text; }
  return s;
}

TEST(Decimal, ReadsEveryFormOfAJsonNumberExactly) {
  EXPECT_EQ(exact("0"), 0);
  EXPECT_EQ(exact("-0.0"), 0);
  EXPECT_EQ(exact("76914.0"), 76'914'000'000'000);
  EXPECT_EQ(exact("1.0002e6"), 1'000'200'000'000'000);
  EXPECT_EQ(exact("8.7e3"), 8'700'000'000'000);
  EXPECT_EQ(exact("3E+4"), 30'000'000'000'000);
  EXPECT_EQ(exact("2.8e-4"), 280'000);
  EXPECT_EQ(exact("-4.0e-7"), -400);
  EXPECT_EQ(exact("0.000000001"), 1);
  EXPECT_EQ(exact("0.00000000100000000000000000000"), 1);
  EXPECT_EQ(exact("1000000000000000000e-18"), 1'000'000'000);
  EXPECT_EQ(exact("9223372036.854775807"), INT64_MAX);
  EXPECT_EQ(exact("0e999999999"), 0);
}

TEST(Decimal, RefusesWhatIsNoJsonNumber) {
  for (const char* text :
       {"",   "-",  "+1",  ".5",  "1.",       "01",    "-01",   "1e",   "1e+", "0x10",
        "1 ", " 1", "1,0", "NaN", "Infinity", "1.5.2", "\"1\"", "null", "--1", "1e5.0"}) {
    EXPECT_EQ(status(text), DecimalStatus::not_a_number) << text;
  }
}

TEST(Decimal, RefusesWhatDoesNotFitOneBillionth) {
  EXPECT_EQ(status("0.0000000001"), DecimalStatus::too_precise);
  EXPECT_EQ(status("1e-10"), DecimalStatus::too_precise);
  EXPECT_EQ(status("1e-100000"), DecimalStatus::too_precise);
  EXPECT_EQ(status("0.12345678901234567890123"), DecimalStatus::too_precise);
}

TEST(Decimal, RefusesWhatDoesNotFit64Bits) {
  EXPECT_EQ(status("9223372036.854775808"), DecimalStatus::out_of_range);
  EXPECT_EQ(status("1e10"), DecimalStatus::out_of_range);
  EXPECT_EQ(status("1e999999999999999999"), DecimalStatus::out_of_range);
  EXPECT_EQ(status("99999999999999999999999999999999"), DecimalStatus::out_of_range);
  EXPECT_EQ(status(std::string(4000, '9')), DecimalStatus::out_of_range);
}

TEST(Decimal, RoundsAnalyticsHalfAwayFromZero) {
  EXPECT_EQ(rounded("-9.999999999886402e-10"), -1);
  EXPECT_EQ(rounded("0.0000000005"), 1);
  EXPECT_EQ(rounded("-0.0000000005"), -1);
  EXPECT_EQ(rounded("0.00000000049999999999999999999999"), 0);
  EXPECT_EQ(rounded("1e-300"), 0);
  EXPECT_EQ(rounded("45.27600333464605"), 45'276'003'335);
}

TEST(Decimal, ReadsWholeNumbersOnly) {
  std::int64_t out = 0;
  EXPECT_EQ(parse_integer("1789344931302", out), DecimalStatus::ok);
  EXPECT_EQ(out, 1789344931302);
  EXPECT_EQ(parse_integer("1.2e1", out), DecimalStatus::ok);
  EXPECT_EQ(out, 12);
  EXPECT_EQ(parse_integer("9223372036854775807", out), DecimalStatus::ok);
  EXPECT_EQ(parse_integer("9223372036854775808", out), DecimalStatus::out_of_range);
  EXPECT_EQ(parse_integer("1.5", out), DecimalStatus::too_precise);
}

TEST(Decimal, WritesTheShortestText) {
  const auto text = [](std::int64_t nano) {
    std::array<char, decimal_text_max> out{};
    return std::string{out.data(), write_nano(nano, out)};
  };
  EXPECT_EQ(text(0), "0");
  EXPECT_EQ(text(76'914'500'000'000), "76914.5");
  EXPECT_EQ(text(-1), "-0.000000001");
  EXPECT_EQ(text(100'000'000), "0.1");
  EXPECT_EQ(text(10'000'000'000), "10");
  EXPECT_EQ(text(INT64_MIN), "-9223372036.854775808");
  std::array<char, 3> small{};
  EXPECT_EQ(write_nano(1'500'000'000'000, small), 0U);
}

TEST(Decimal, EveryWrittenNumberReadsBackAsItself) {
  std::mt19937_64 random{20261124};
  for (int i = 0; i < 200'000; ++i) {
    const auto nano = static_cast<std::int64_t>(random()) >> (random() % 60);
    std::array<char, decimal_text_max> out{};
    const std::size_t n = write_nano(nano, out);
    ASSERT_EQ(exact({out.data(), n}), nano);
  }
}

}  // namespace
}  // namespace gimbal
