// The methods that stock clients need, against the documented shapes and the exchange's own state.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "tests/sim/summaries_fixture.hpp"

namespace gimbal::sim {
namespace {

TEST_F(Summaries, AnOrderIsFoundEditedAndCancelledByItsNumberInAQueryString) {
  exchange.deposit(account, currency("BTC"), coins(10));
  run(seconds(1));
  const std::string placed =
      ask("private/buy?instrument_name=BTC-PERPETUAL&amount=1000&type=limit&price=99000&label=42");
  ASSERT_NE(placed.find("\"label\":\"42\""), std::string::npos) << placed;
  const std::size_t at = placed.find("\"order_id\":\"") + 12;
  const std::string id = placed.substr(at, placed.find('"', at) - at);
  ASSERT_EQ(id.find_first_not_of("0123456789"), std::string::npos) << id;
  const std::string changed = ask("private/edit?order_id=" + id + "&amount=2000&price=98999.5");
  EXPECT_EQ(number_after(changed, "amount"), 2000) << changed;
  EXPECT_EQ(number_after(ask("private/get_order_state?order_id=" + id), "price"), 98999.5);
  EXPECT_NE(ask("private/cancel?order_id=" + id).find("\"cancelled\""), std::string::npos);
}

TEST_F(Summaries, AnAccountOnPortfolioMarginSaysSoAndTheOthersDoNot) {
  EXPECT_NE(
      ask("private/get_account_summary?currency=BTC").find(R"("margin_model":"segregated_sm")"),
      std::string::npos);
  SimConfig config = small_market(3);
  config.portfolio = usual_portfolio_rules();
  SimExchange on_portfolio{config};
  const AccountId other = on_portfolio.add_account("id", "secret");
  EXPECT_TRUE(on_portfolio.summary(other, currency("BTC")).portfolio_margin);
  EXPECT_FALSE(on_portfolio.summary(other, currency("USDC")).portfolio_margin) << "linear products";
  EXPECT_FALSE(exchange.summary(account, currency("BTC")).portfolio_margin);
}

TEST_F(Summaries, ASubscribedChartTellsTheCandleOfEveryTrade) {
  const ConnectionId client = venue.connect();
  venue.receive(client, R"({"jsonrpc":"2.0","id":1,"method":"public/subscribe","params":)"
                        R"({"channels":["chart.trades.BTC-PERPETUAL.1",)"
                        R"("chart.trades.BTC-PERPETUAL.7"]}})");
  std::string frame;
  ASSERT_TRUE(venue.pop(client, frame));
  EXPECT_NE(frame.find("BTC-PERPETUAL.1"), std::string::npos) << frame;
  EXPECT_EQ(frame.find("BTC-PERPETUAL.7"), std::string::npos) << "no such resolution";
  std::string newest;
  for (int i = 0; i < 100 && newest.empty(); ++i) {
    run(milliseconds(100));
    while (venue.pop(client, frame)) newest = frame;
  }
  for (const char* key : {"tick", "open", "high", "low", "close", "volume", "cost"}) {
    EXPECT_TRUE(keys_at(newest, 3).contains(key)) << newest;
  }
  EXPECT_GE(number_after(newest, "high"), number_after(newest, "low"));
  EXPECT_EQ(static_cast<std::int64_t>(number_after(newest, "tick")) % 60'000, 0);
}

TEST_F(Summaries, EveryActiveInstrumentOfACurrencyHasOneRowWithTheDocumentedMembers) {
  run(seconds(1));
  const std::string json = ask("public/get_book_summary_by_currency?currency=BTC");
  std::size_t active = 0;
  for (const Listing& l : exchange.instruments()) {
    if (l.active && l.def.settlement == currency("BTC")) ++active;
  }
  EXPECT_EQ(count_of(json, "\"instrument_name\""), active);
  const std::set<std::string> documented{"instrument_name",
                                         "base_currency",
                                         "quote_currency",
                                         "creation_timestamp",
                                         "volume",
                                         "volume_usd",
                                         "open_interest",
                                         "mark_price",
                                         "mid_price",
                                         "bid_price",
                                         "ask_price",
                                         "last",
                                         "high",
                                         "low",
                                         "price_change",
                                         "estimated_delivery_price"};
  const auto rows = keys_at(json, 2);
  for (const std::string& key : documented) EXPECT_TRUE(rows.contains(key)) << key;
}

TEST_F(Summaries, AnOptionsRowCarriesItsUnderlyingAndAPerpetualsItsFunding) {
  run(seconds(1));
  const std::string options = ask("public/get_book_summary_by_currency?currency=BTC&kind=option");
  EXPECT_EQ(count_of(options, "PERPETUAL"), 0U);
  for (const char* key : {"underlying_index", "underlying_price", "mark_iv", "interest_rate"}) {
    EXPECT_TRUE(keys_at(options, 2).contains(key)) << key;
  }
  const std::string one =
      ask("public/get_book_summary_by_instrument?instrument_name=BTC-PERPETUAL");
  EXPECT_EQ(count_of(one, "\"instrument_name\""), 1U);
  EXPECT_TRUE(keys_at(one, 2).contains("funding_8h"));
  const TickerInfo t = exchange.ticker(exchange.find("BTC-PERPETUAL"));
  EXPECT_DOUBLE_EQ(number_after(one, "bid_price"), to_double(t.best_bid));
  EXPECT_DOUBLE_EQ(number_after(one, "ask_price"), to_double(t.best_ask));
  EXPECT_DOUBLE_EQ(number_after(one, "mark_price"), to_double(t.mark));
}

TEST_F(Summaries, WrongParametersAreNamed) {
  EXPECT_NE(ask("public/get_book_summary_by_currency", 400).find("\"param\":\"currency\""),
            std::string::npos);
  EXPECT_NE(ask("public/get_book_summary_by_currency?currency=DOGE", 400).find("currency"),
            std::string::npos);
  EXPECT_NE(ask("public/get_book_summary_by_currency?currency=BTC&kind=x", 400).find("kind"),
            std::string::npos);
  EXPECT_NE(ask("public/get_tradingview_chart_data?instrument_name=BTC-PERPETUAL&resolution=1", 400)
                .find("start_timestamp"),
            std::string::npos);
  EXPECT_NE(ask("public/get_tradingview_chart_data?instrument_name=BTC-PERPETUAL&resolution=7" +
                    span(seconds(60)),
                400)
                .find("resolution"),
            std::string::npos);
  EXPECT_NE(ask("public/get_funding_rate_value?instrument_name=BTC-NOPE" + span(seconds(60)), 400)
                .find("\"code\""),
            std::string::npos);
}

}  // namespace
}  // namespace gimbal::sim
