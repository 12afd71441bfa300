// The table behind `gimbal iv --surface`, on the project's own chain and on recorded ones.
#include "ops/app/surface_csv.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "engine/quant/surface/vol_surface.hpp"
#include "tests/support/number_table.hpp"
#include "tests/support/shared_data.hpp"

namespace gimbal {
namespace {

std::string file_text(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}
std::string own_chain() { return file_text(test::fixture_path("quant/surface_chain.csv")); }

// The printed rows: column name to cell.
std::vector<std::map<std::string, std::string>> rows_of(const std::string& csv) {
  std::vector<std::vector<std::string>> lines;
  CsvReader reader{csv};
  for (CsvRecord r; reader.next(r);) {
    lines.emplace_back();
    for (const CsvCell& c : r.cells) lines.back().push_back(c.value);
  }
  std::vector<std::map<std::string, std::string>> out;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    out.emplace_back();
    for (std::size_t j = 0; j < lines[0].size(); ++j) out.back()[lines[0][j]] = lines[i].at(j);
  }
  return out;
}
double number(const std::string& cell) { return test::NumberTable::parse(cell); }

TEST(SurfaceCsv, PrintsParametersErrorsAndVerdictsOfEachExpiry) {
  const CsvOutcome out = surface_table(own_chain(), {});
  ASSERT_TRUE(out.usable);
  EXPECT_TRUE(out.problems.empty());
  const auto rows = rows_of(out.output);
  ASSERT_EQ(rows.size(), 4u);
  const std::vector<std::string> names{"BTC-7D", "BTC-30D", "BTC-90D", "BTC-180D"};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto& r = rows[i];
    EXPECT_EQ(r.at("expiry"), names[i]);
    EXPECT_EQ(r.at("strikes"), "21");
    EXPECT_EQ(r.at("quotes"), "book");
    EXPECT_EQ(r.at("model"), "svi");
    EXPECT_EQ(r.at("verdict"), "accepted");
    EXPECT_EQ(r.at("butterfly"), "free");
    EXPECT_NE(r.at("calendar"), "crossing");
    EXPECT_EQ(number(r.at("inside_share")), 1);
    EXPECT_LT(number(r.at("rms_points")), 0.1);
  }
  // The slice that the prices were made of.
  EXPECT_NEAR(number(rows[3].at("a")), 0.095, 1e-3);
  EXPECT_NEAR(number(rows[3].at("b")), 0.16, 1e-3);
  EXPECT_NEAR(number(rows[3].at("rho")), -0.28, 1e-2);
}

TEST(SurfaceCsv, JsonHasOneObjectAnExpiryAndNoNan) {
  SurfaceRequest request;
  request.format = CsvFormat::json_lines;
  const CsvOutcome out = surface_table(own_chain(), request);
  EXPECT_EQ(out.rows, 4u);
  EXPECT_TRUE(out.output.starts_with("{\"expiry\":\"BTC-7D\",\"T\":0.019178082191780823,"));
  EXPECT_EQ(out.output.find("nan"), std::string::npos);
  EXPECT_NE(out.output.find("\"calendar\":\"alone\",\"min_gap\":null"), std::string::npos);
}

TEST(SurfaceCsv, EachRowIsAnsweredWithALabel) {
  const std::string text =
      own_chain() +
      "BTC-1Y,C,64000.0,70000.0,1.0,0.1,0.11,inverse,0.55\n"  // too few strikes: the venue's
      "BTC-2Y,C,64000.0,70000.0,2.0,0.1,0.11,inverse,\n";     // and it has none
  SurfaceRequest request;
  request.each = true;
  const auto rows = rows_of(surface_table(text, request).output);
  ASSERT_EQ(rows.size(), 170u);
  double worst = 0;
  for (std::size_t i = 0; i < 168; ++i) {
    EXPECT_EQ(rows[i].at("source"), "svi");
    worst = std::max(worst, std::abs(number(rows[i].at("sigma")) - number(rows[i].at("iv"))));
  }
  std::printf("largest distance from the volatilities behind the prices: %.3f points\n",
              100 * worst);
  EXPECT_LT(worst, 0.01);
  EXPECT_EQ(rows[168].at("source"), "venue");
  EXPECT_EQ(rows[168].at("sigma"), "0.55");
  EXPECT_EQ(rows[169].at("source"), "none");
  EXPECT_EQ(rows[169].at("sigma"), "nan");
  request.flat = 0.8;
  const auto flat = rows_of(surface_table(text, request).output);
  EXPECT_EQ(flat[169].at("source"), "flat");
  EXPECT_EQ(flat[169].at("sigma"), "0.8");
}

TEST(SurfaceCsv, AnEarlierSurfaceStandsInUntilItIsTooOld) {
  const std::string before = surface_table(own_chain(), {}).output;
  std::string now = "expiry,type,F,K,T,iv\n";
  for (const char* strike : {"60000", "64000", "68000"}) {  // three strikes: no fit
    now += std::string{"BTC-30D,C,64000,"} + strike + ",0.082,0.58\n";
  }
  SurfaceRequest request;
  request.previous = before;
  request.previous_age_s = 30;
  request.age_max_s = 60;
  const auto kept = rows_of(surface_table(now, request).output);
  ASSERT_EQ(kept.size(), 1u);
  EXPECT_EQ(kept[0].at("model"), "kept");
  EXPECT_EQ(kept[0].at("verdict"), "too_few_strikes");
  const std::string before_was_kept = surface_table(now, request).output;
  request.previous = before_was_kept;
  EXPECT_EQ(rows_of(surface_table(now, request).output)[0].at("model"), "none") << "kept for ever";
  request.previous = before;
  request.previous_age_s = 61;
  EXPECT_EQ(rows_of(surface_table(now, request).output)[0].at("model"), "none");
  request.previous = "expiry,T,model,a,b,rho,m,sigma\nBTC-30D,0.1,svi,0.1,0.1,2,0,0.1\n";
  const CsvOutcome wrong = surface_table(now, request);
  EXPECT_FALSE(wrong.usable);
  ASSERT_EQ(wrong.problems.size(), 1u);
  EXPECT_NE(wrong.problems[0].text.find("is no SVI curve"), std::string::npos);
}

TEST(SurfaceCsv, RowsThatAreWrongAreNamedAndLeftOut) {
  const CsvOutcome out = surface_table(
      own_chain() + "BTC-7D,X,64000,65000,0.02,,,,0.5\n" + "BTC-7D,C,nan,65000,0.02,,,,0.5\n" +
          "BTC-7D,C,64000,65000,-1,,,,0.5\n" + "BTC-7D,C,64000,65000,0.02,,,,zero\n",
      {});
  EXPECT_EQ(out.rows, 4u);
  std::vector<std::string> texts;
  for (const auto& p : out.problems) texts.push_back(p.to_text("f"));
  const std::vector<std::string> expected{"f:170: column 2 (type): \"X\" is neither C nor P",
                                          "f:171: column 3 (F): \"nan\" is not finite",
                                          "f:172: column 5 (T): must be above 0",
                                          "f:173: column 9 (iv): \"zero\" is not a number"};
  EXPECT_EQ(texts, expected);
}

TEST(SurfaceCsv, InputThatHoldsNoChainIsRefused) {
  EXPECT_FALSE(surface_table("", {}).usable);
  EXPECT_FALSE(surface_table("type,F,K,T\nC,1,1,1\n", {}).usable);
  EXPECT_FALSE(surface_table("type,F,K,T,iv\n", {}).usable);
  const CsvOutcome one = surface_table("type,F,K,T,iv\nC,100,100,0.1,0.5\n", {});
  EXPECT_TRUE(one.usable);
  EXPECT_EQ(rows_of(one.output).at(0).at("verdict"), "too_few_strikes");
  EXPECT_EQ(rows_of(one.output).at(0).at("model"), "none");
}

TEST(SurfaceCsv, TickersAreReadWithTheExpiryInTheirName) {
  std::string text = "instrument_name,underlying_price,timestamp,mark_iv,bid_iv,ask_iv\n";
  for (int strike = 56000; strike <= 72000; strike += 2000) {
    text += "BTC-27DEC24-" + std::to_string(strike) + "-C,64000,1734681600000,60,59,61\n";
  }
  const auto rows = rows_of(surface_table(text, {}).output);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].at("expiry"), "BTC-27DEC24");
  EXPECT_NEAR(number(rows[0].at("T")), 7.0 / 365, 1e-12);  // 20 to 27 December, 08:00
  EXPECT_EQ(rows[0].at("verdict"), "accepted");
  const CsvOutcome wrong = surface_table(text + "BTC-PERPETUAL,64000,1734681600000,60,59,61\n", {});
  ASSERT_EQ(wrong.problems.size(), 1u);
  EXPECT_NE(wrong.problems[0].text.find("is not an option"), std::string::npos);
}

// Recorded chains: what is accepted has no arbitrage and its error is within the bar; of the full
// snapshots nearly every expiry is accepted.
TEST(SurfaceCsv, RecordedChainsGiveSurfacesWithoutArbitrage) {
  struct Chain {
    const char* file;
    double accepted_min;  // share of the expiries quoted by the book
  };
  for (const Chain& chain : {Chain{"svcj_chain_20260101T091835Z.csv", 0.95},
                             Chain{"svcj_chain_20260205T155132Z.csv", 0.8},
                             Chain{"svcj_chain_20260206T043012Z.csv", 0.8},
                             Chain{"svcj_chain_20260217T160114Z.csv", 0.95},
                             Chain{"svcj_chain_20260822T035045Z.csv", 0.95},
                             Chain{"schepal_20200522_btc_chain.csv", 0.8},
                             Chain{"bottama_20210209_btc_chain.csv", 0.6}}) {
    const std::string path = test::shared_path(std::string{"data/deribit/"} + chain.file);
    if (!test::present(path)) GTEST_SKIP() << "recorded chains absent: " << path;
    const CsvOutcome out = surface_table(file_text(path), {});
    ASSERT_TRUE(out.usable) << path;
    double quoted = 0, accepted = 0, rms = 0, over_bar = 0, least_g = 1, least_gap = 1;
    for (const auto& r : rows_of(out.output)) {
      quoted += r.at("quotes") == "book" ? 1 : 0;
      if (r.at("verdict") != "accepted") continue;
      accepted += r.at("quotes") == "book" ? 1 : 0;
      EXPECT_EQ(r.at("butterfly"), "free");
      EXPECT_NE(r.at("calendar"), "crossing");
      rms = std::max(rms, number(r.at("rms_points")));
      over_bar = std::max(over_bar, number(r.at("rms_points")) / number(r.at("bar_points")));
      least_g = std::min(least_g, number(r.at("min_g")));
      if (r.at("calendar") == "free") least_gap = std::min(least_gap, number(r.at("min_gap")));
    }
    std::printf(
        "%s: %g of %g quoted expiries; rms at most %.3f points, %.2f of the bar; least g "
        "%.2g, least gap %.2g\n",
        chain.file, accepted, quoted, rms, over_bar, least_g, least_gap);
    EXPECT_GE(accepted, chain.accepted_min * quoted) << path;
    EXPECT_LE(over_bar, 1);
    EXPECT_GE(least_g, 0);
    EXPECT_GE(least_gap, -1e-10);
  }
}

}  // namespace
}  // namespace gimbal
