// `gimbal stress` without its command line: portfolio files, positions, shock sets and the report's
// forms.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string>

#include "engine/core/pricing.hpp"
#include "ops/app/csv_table.hpp"
#include "ops/risk/positions_json.hpp"
#include "tests/support/stress_fixture.hpp"

namespace gimbal::risk {
namespace {

using test::example_options;

std::string fault_of(const std::string& text) {
  StressInput input;
  std::string fault;
  EXPECT_FALSE(read_portfolio(text, example_options(), input, fault)) << text;
  return fault;
}

TEST(PortfolioFile, TheExampleIsRead) {
  const StressInput input = test::example_input();
  ASSERT_EQ(input.portfolio.accounts.size(), 3u);
  ASSERT_TRUE(input.dynamics.has_value());
  const quant::Account& a = input.portfolio.accounts[0];
  EXPECT_EQ(a.book.settlement, quant::Settlement::coin);
  EXPECT_EQ(a.book.index, 63250);
  EXPECT_EQ(a.book.legs.size(), 4u);
  EXPECT_TRUE(a.has_equity);
  EXPECT_TRUE(static_cast<bool>(a.margin));
  EXPECT_EQ(input.portfolio.accounts[2].book.settlement, quant::Settlement::quote);
  EXPECT_EQ(input.dynamics->common[1].mean, -0.1);
}

TEST(PortfolioFile, FaultsNameTheirPlace) {
  const std::string head = R"({"underlyings": [{"name": "BTC", "index": 50000, "sigma": 0.5}], )";
  EXPECT_TRUE(fault_of("{").starts_with("is not JSON: "));
  EXPECT_EQ(fault_of("{}"), "underlyings is missing");
  EXPECT_EQ(fault_of(head + R"("accounts": []})"), "accounts must not be empty");
  EXPECT_EQ(fault_of(head + R"("accounts": [{"name": "a", "underlying": "X", "legs": []}]})"),
            "accounts[0].underlying must be one of the underlyings");
  EXPECT_EQ(fault_of(head + R"("accounts": [{"name": "a", "underlying": "BTC", "legs": [
              {"t": "perp", "F": 50000, "coins": 1}]}]})"),
            "accounts[0].legs[0].usd is missing");
  EXPECT_EQ(fault_of(head + R"("accounts": [{"name": "a", "underlying": "BTC", "legs": [],
              "margin": {"model": "deribit_pm", "parameters": "none.json"}}]})"),
            "accounts[0].margin.parameters: none.json: cannot be opened");
  EXPECT_EQ(fault_of(head + R"("accounts": [{"name": "a", "underlying": "BTC", "legs": []}],
              "dynamics": {"correlation": [[0.5]]}})"),
            "dynamics: correlation must have 1 on its diagonal");
  EXPECT_EQ(fault_of(head + R"("accounts": [{"name": "a", "underlying": "BTC", "legs": []}],
              "dynamic": {}})"),
            "it has a key that is not known: \"dynamic\"");
}

TEST(Shocks, ColumnsAreFoundByUnderlying) {
  const StressInput input = test::example_input();
  std::vector<ShockRow> rows;
  std::string fault;
  ASSERT_TRUE(
      read_shocks("ETH_move,label,BTC_move,days\n-0.2,x,0.1,3.65\n", input.portfolio, rows, fault))
      << fault;
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].label, "x");
  EXPECT_EQ(rows[0].shocks[0].move, 0.1);
  EXPECT_EQ(rows[0].shocks[1].move, -0.2);
  EXPECT_EQ(rows[0].shocks[1].vol, 0);
  EXPECT_DOUBLE_EQ(rows[0].shocks[0].years, 0.01);
  EXPECT_FALSE(read_shocks("label,BTC_move\nx,0\n", input.portfolio, rows, fault));
  EXPECT_EQ(fault, "line 1: the header has no column ETH_move");
  fault.clear();
  EXPECT_FALSE(read_shocks("label,BTC_move,ETH_move\nx,-1,0\n", input.portfolio, rows, fault));
  EXPECT_EQ(fault, "line 2, BTC_move: must be in (-1, 100]");
}

TEST(InstrumentName, FuturesPerpetualsAndOptionsOfBothKinds) {
  InstrumentName n;
  ASSERT_TRUE(parse_instrument_name("BTC-PERPETUAL", n));
  EXPECT_TRUE(n.perpetual);
  EXPECT_FALSE(n.linear);
  n = {};
  ASSERT_TRUE(parse_instrument_name("ETH-25DEC26", n));
  EXPECT_EQ(n.kind, quant::LegKind::future);
  EXPECT_EQ(n.expiry_unix_seconds, 1798185600);  // 2026-12-25 08:00 UTC
  n = {};
  ASSERT_TRUE(parse_instrument_name("BTC-5MAR27-60000-P", n));
  EXPECT_EQ(n.type, OptionType::put);
  EXPECT_EQ(n.strike, 60000);
  EXPECT_EQ(n.expiry_unix_seconds, 1804233600);  // 2027-03-05 08:00 UTC
  n = {};
  ASSERT_TRUE(parse_instrument_name("XRP_USDC-25DEC26-0d55-C", n));
  EXPECT_TRUE(n.linear);
  EXPECT_EQ(n.coin, "XRP");
  EXPECT_EQ(n.strike, 0.55);
  for (const char* bad : {"", "BTC", "BTC-25XXX26", "BTC-25DEC26-60000", "BTC-25DEC26-60000-X",
                          "BTC-25DEC26-x-C", "BTC-FS-25DEC26_PERP", "-PERPETUAL", "BTC-99DEC26"}) {
    n = {};
    EXPECT_FALSE(parse_instrument_name(bad, n)) << bad;
  }
}

// As `gimbalctl positions --json` prints it: amounts and marks are decimal strings.
std::string positions_text(const std::string& option_mark) {
  return R"({"positions":[
    {"account":"main","instrument":"BTC-PERPETUAL","amount":"-12000","average":null,"mark":"50010",
     "delta":-0.24,"gamma":0,"vega":0,"theta":0},
    {"account":"main","instrument":"BTC-25DEC26-60000-C","amount":"-3","average":null,"mark":")" +
         option_mark + R"(","delta":0,"gamma":0,"vega":0,"theta":0}],
    "underlyings":[{"underlying":"BTC","index":50000,"delta":0}],
    "margins":[{"account":"main","currency":"BTC","equity":"2.5","balance":"2.5"}]})";
}

TEST(Positions, OfARunningBotBecomeAPortfolio) {
  const double years = (1798185600.0 - 1790000000.0) / 31536000.0;
  const double mark = price_inverse({OptionType::call, 50000, 60000, years, 0.62}).value;
  StressInput input;
  std::string fault;
  ASSERT_TRUE(read_portfolio(positions_text(csv_number(mark)), example_options(), input, fault))
      << fault;
  ASSERT_EQ(input.portfolio.accounts.size(), 1u);
  const quant::Account& a = input.portfolio.accounts[0];
  EXPECT_EQ(a.book.equity, 2.5);
  ASSERT_EQ(a.book.legs.size(), 2u);
  EXPECT_EQ(a.book.legs[0].forward, 50010);
  EXPECT_EQ(a.book.legs[0].amount, -12000);
  EXPECT_NEAR(a.book.legs[1].sigma, 0.62, 1e-9);
  EXPECT_NEAR(a.book.legs[1].years, years, 1e-12);
  EXPECT_NEAR(input.portfolio.underlyings[0].sigma, 0.62, 1e-9);
  EXPECT_EQ(input.notes.size(), 2u);  // where sigma and the forward come from
  EXPECT_FALSE(input.dynamics.has_value());
}

TEST(Positions, AMarkWithoutVolatilityNeedsOneOrIsRefused) {
  StressInput input;
  std::string fault;
  EXPECT_FALSE(read_portfolio(positions_text("1.5"), example_options(), input, fault));
  EXPECT_NE(fault.find("BTC-25DEC26-60000-C: its mark implies no volatility"), std::string::npos)
      << fault;
  PortfolioOptions options = example_options();
  options.flat_sigma = 0.7;
  StressInput flat;
  fault.clear();
  ASSERT_TRUE(read_portfolio(positions_text("1.5"), options, flat, fault)) << fault;
  EXPECT_EQ(flat.portfolio.accounts[0].book.legs[1].sigma, 0.7);
  EXPECT_FALSE(flat.notes.empty());
}

TEST(Positions, UnknownInstrumentsAndMissingMarksAreRefused) {
  const auto fault = [](std::string text, const std::string& from, const std::string& to) {
    text.replace(text.find(from), from.size(), to);
    StressInput input;
    std::string why;
    EXPECT_FALSE(read_portfolio(text, example_options(), input, why));
    return why;
  };
  const std::string good = positions_text("0.05");
  EXPECT_EQ(fault(good, "BTC-PERPETUAL", "BTC-CS-25DEC26-1_2"),
            "positions[0]: \"BTC-CS-25DEC26-1_2\" is not a future, perpetual or option");
  EXPECT_EQ(fault(good, "\"50010\"", "null"), "positions[0]: BTC-PERPETUAL has no mark");
  EXPECT_EQ(fault(good, "\"underlying\":\"BTC\"", "\"underlying\":\"ETH\""),
            "BTC-PERPETUAL: the answer has no index of BTC");
}

TEST(StressReport, JsonIsTheSameBytesForAnyNumberOfThreads) {
  const std::string one = stress_json(test::example_report(6000, 1));
  EXPECT_EQ(one, stress_json(test::example_report(6000, 3)));
  const auto json = nlohmann::json::parse(one);
  EXPECT_EQ(json.at("seed"), 1);
  EXPECT_EQ(json.at("grid").size(), 126u);
  EXPECT_EQ(json.at("simulations").size(), 2u);
  EXPECT_EQ(json.at("replay").size(), 7u);
  EXPECT_EQ(json.at("accounts").at(0).at("name"), "BTC options");
  EXPECT_LT(json.at("accounts").at(0).at("below").at("move"), 0);
  for (const auto& s : json.at("simulations")) {
    std::size_t paths = 0;
    for (const auto& c : s.at("histogram").at("counts")) paths += c.get<std::size_t>();
    EXPECT_EQ(paths, 6000u);
    EXPECT_GE(s.at("tail").at(1).at("es"), s.at("tail").at(1).at("var"));
    EXPECT_GT(s.at("tail").at(1).at("var_error"), 0);
  }
}

TEST(StressReport, CsvHasARowForEachNodeAndShock) {
  const std::string csv = stress_csv(test::example_report(200, 1));
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 1 + 126 + 7);
  EXPECT_TRUE(csv.starts_with(
      "kind,label,days,vol,move,profit_usd,delta_usd,maintenance_usd,health\ngrid,,0,-0.25,-0.6,"));
}

TEST(StressReport, TextNamesSeedErrorsAndDistances) {
  const std::string text = stress_text(test::example_report(2000, 1));
  for (const char* part : {"seed 1, 2000 paths", "VaR", "+-", "ES", "BTC options", "below %",
                           "Shock set, worst first", "Mar 2020"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part;
  }
}

TEST(StressReport, ThePageNeedsNoNetworkAndNoScript) {
  StressReport report = test::example_report(2000, 1);
  report.portfolio.name = "<script>alert(1)</script> & \"x\"";
  report.notes = {"a < b"};
  const std::string page = stress_html(report);
  for (const char* banned :
       {"http", "src=", "href=", "<script", "@import", "url(", "\"nan", " nan", "inf\""}) {
    EXPECT_EQ(page.find(banned), std::string::npos) << banned;
  }
  EXPECT_NE(page.find("&lt;script&gt;"), std::string::npos);
  EXPECT_NE(page.find("prefers-color-scheme:dark"), std::string::npos);
  std::size_t charts = 0;
  for (auto at = page.find("<svg"); at != std::string::npos; at = page.find("<svg", at + 1))
    ++charts;
  EXPECT_EQ(charts, 5u);  // profit, health, two distributions, distances
}

TEST(StressReport, WithoutDynamicsThereIsAGridAndNoSimulation) {
  StressInput input = test::example_input();
  input.dynamics.reset();
  for (auto& a : input.portfolio.accounts) a.margin = nullptr;
  const StressReport r = stress(input, {}, {});
  EXPECT_TRUE(r.simulations.empty());
  EXPECT_EQ(r.grid.size(), 126u);
  EXPECT_NE(stress_html(r).find("no equity or no margin model"), std::string::npos);
  EXPECT_NE(stress_json(r).find("\"health\":null"), std::string::npos);
}

TEST(ShortMoney, HasThreeToFourDigits) {
  EXPECT_EQ(short_money(0.2), "0");
  EXPECT_EQ(short_money(-450), "-450");
  EXPECT_EQ(short_money(999.7), "1.0k");
  EXPECT_EQ(short_money(-12345), "-12.3k");
  EXPECT_EQ(short_money(1.234e6), "1.23M");
  EXPECT_EQ(short_money(NAN), "-");
}

}  // namespace
}  // namespace gimbal::risk
