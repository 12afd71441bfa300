// What has been, as stock clients ask for it: candles, funding, trades, settlements, delivery
// prices.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <set>
#include <string>

#include "tests/sim/summaries_fixture.hpp"
#include "tests/support/shared_data.hpp"

namespace gimbal::sim {
namespace {

TEST_F(Summaries, CandlesAreThoseOfTheTrades) {
  run(seconds(150));
  const std::string json =
      ask("public/get_tradingview_chart_data?instrument_name=BTC-PERPETUAL&resolution=1" +
          span(seconds(300)));
  EXPECT_EQ(keys_at(json, 2), (std::set<std::string>{"status", "ticks", "open", "high", "low",
                                                     "close", "volume", "cost"}));
  EXPECT_NE(json.find("\"status\":\"ok\""), std::string::npos) << json;
  const auto trades = exchange.last_trades(exchange.find("BTC-PERPETUAL"), 1000);
  ASSERT_FALSE(trades.empty());
  const std::size_t close = json.find("\"close\":[");
  const std::size_t end = json.find(']', close);
  const std::string last = json.substr(json.rfind(',', end) + 1, end - json.rfind(',', end) - 1);
  EXPECT_DOUBLE_EQ(std::strtod(last.c_str(), nullptr), to_double(trades.back().price));
  const std::string none =
      ask("public/get_tradingview_chart_data?instrument_name=BTC-PERPETUAL&resolution=1D"
          "&start_timestamp=0&end_timestamp=1000");
  EXPECT_NE(none.find("\"status\":\"no_data\""), std::string::npos) << none;
}

TEST_F(Summaries, FundingIsWhatThePerpetualCostAndOnlyPerpetualsHaveIt) {
  run(seconds(10));
  const std::string json =
      ask("public/get_funding_rate_value?instrument_name=BTC-PERPETUAL" + span(seconds(60)));
  const InstrumentIndex i = exchange.find("BTC-PERPETUAL");
  EXPECT_NEAR(number_after(json, "result"),
              exchange.funding(i).paid(venue.now() - seconds(60), venue.now()), 1e-11);
  EXPECT_NE(ask("public/get_funding_rate_history?instrument_name=BTC-PERPETUAL" + span(seconds(60)))
                .find("\"result\":[]"),
            std::string::npos)
      << "no hour is over";
  std::string option;
  for (const Listing& l : exchange.instruments()) {
    if (is_option(l.def.kind)) option = l.name;
  }
  EXPECT_NE(ask("public/get_funding_rate_value?instrument_name=" + option + span(seconds(60)), 400)
                .find("perpetual"),
            std::string::npos);
}

TEST_F(Summaries, TradesOfASpanComeInTheOrderAskedFor) {
  run(seconds(60));
  const std::string base =
      "public/get_last_trades_by_instrument_and_time?instrument_name="
      "BTC-PERPETUAL&count=5" +
      span(seconds(120));
  const std::string up = ask(base + "&sorting=asc");
  const std::string down = ask(base + "&sorting=desc");
  ASSERT_EQ(count_of(up, "\"trade_id\""), 5U);
  const std::size_t second = up.find("\"trade_seq\"", up.find("\"trade_seq\"") + 1);
  EXPECT_LT(number_after(up, "trade_seq"), number_after(up, "trade_seq", second));
  EXPECT_GT(number_after(down, "trade_seq"), number_after(up, "trade_seq"));
  EXPECT_NE(up.find("\"has_more\":true"), std::string::npos);
  const std::string all = ask("public/get_last_trades_by_currency?currency=BTC&count=1000");
  EXPECT_GT(count_of(all, "\"trade_id\""), 5U);
}

// What a look-up of an order in doubt asks for.
TEST_F(Summaries, EndedOrdersAreFoundByLabelAndInPagesNewestFirst) {
  exchange.deposit(account, currency("BTC"), coins(10));
  run(seconds(1));
  for (int n = 0; n < 5; ++n) {
    const std::string label = "g-" + std::to_string(n);
    ask("private/buy?instrument_name=BTC-PERPETUAL&amount=10&type=limit&price=90000&label=" +
        label);
    ask("private/cancel_by_label?label=" + label);
    ask("private/buy?instrument_name=BTC-PERPETUAL&amount=10&type=market&label=f" + label);
    run(milliseconds(100));
  }
  const std::string by_label = ask("private/get_order_state_by_label?currency=BTC&label=g-3");
  EXPECT_EQ(count_of(by_label, "\"order_id\""), 1U) << by_label;
  EXPECT_NE(by_label.find("\"order_state\":\"cancelled\""), std::string::npos) << by_label;
  EXPECT_NE(ask("private/get_order_state_by_label?currency=ETH&label=g-3").find("\"result\":[]"),
            std::string::npos);
  EXPECT_NE(ask("private/get_order_state_by_label?currency=BTC&label=g-9").find("\"result\":[]"),
            std::string::npos);

  const auto page = [&](int offset) {
    return ask("private/get_order_history_by_currency?currency=BTC&include_unfilled=true&count=4" +
               ("&offset=" + std::to_string(offset)));
  };
  const std::string all = page(0) + page(4) + page(8);
  EXPECT_LT(all.find("\"label\":\"fg-4\""), all.find("\"label\":\"fg-0\"")) << "newest first";
  EXPECT_EQ(count_of(page(8), "\"order_id\""), 2U);
  EXPECT_NE(page(10).find("\"result\":[]"), std::string::npos) << "behind the end";

  const std::string trades =
      "private/get_user_trades_by_currency_and_time?currency=BTC&count=2&sorting=desc"
      "&start_timestamp=0&end_timestamp=";
  const std::string first = ask(trades + "9999999999999");
  EXPECT_NE(first.find("\"has_more\":true"), std::string::npos);
  EXPECT_NE(first.find("\"label\":\"fg-4\""), std::string::npos) << first;
  const std::size_t last = first.rfind("\"timestamp\"");
  const auto until = static_cast<std::int64_t>(number_after(first, "timestamp", last));
  const std::string second = ask(trades + std::to_string(until));
  EXPECT_EQ(second.find("\"label\":\"fg-4\""), std::string::npos) << second;
  EXPECT_NE(second.find("\"label\":\"fg-2\""), std::string::npos) << second;
}

TEST_F(Summaries, ASettlementIsShownToAllAndItsShareToItsHolder) {
  run(milliseconds(100));
  const Listing* option = nullptr;
  for (const Listing& l : exchange.instruments()) {
    if (l.def.kind == InstrumentKind::inverse_option && l.base == "BTC" &&
        l.def.option == OptionType::call) {
      if (option == nullptr || l.def.strike < option->def.strike) option = &l;
    }
  }
  ASSERT_NE(option, nullptr);
  const std::string name = option->name;
  exchange.deposit(account, currency("BTC"), Money{50 * nano_per_unit});
  const InitialPosition held{option->index, Qty{-2 * nano_per_unit}, Price{absent_nano}};
  exchange.endow(account, {&held, 1});
  const Money before = exchange.summary(account, currency("BTC")).balance;
  EXPECT_GT(venue.settle_expiry(option->product, option->def.expiry), 1U);
  const Money paid = exchange.summary(account, currency("BTC")).balance - before;
  EXPECT_LT(paid.nano, 0) << "short a call in the money";
  EXPECT_EQ(exchange.position(account, option->index).size.nano, 0);

  const std::string mine =
      ask("private/get_settlement_history_by_instrument?instrument_name=" + name);
  EXPECT_EQ(number_after(mine, "position"), -2);
  EXPECT_NE(mine.find("\"type\":\"delivery\""), std::string::npos) << mine;
  const std::string all = ask("public/get_last_settlements_by_instrument?instrument_name=" + name);
  EXPECT_EQ(count_of(all, "\"instrument_name\""), 1U) << all;
  const std::string prices = ask("public/get_delivery_prices?index_name=btc_usd");
  EXPECT_EQ(number_after(prices, "records_total"), 1) << prices;
  EXPECT_NEAR(number_after(prices, "delivery_price"), number_after(mine, "index_price"), 1e-9);
  EXPECT_NE(ask("public/get_instrument?instrument_name=" + name).find("\"is_active\":false"),
            std::string::npos);
}

TEST_F(Summaries, SettlementsAndDeliveryPricesHaveTheMembersOfTheDocumentation) {
  const std::string path = test::shared_path("data/deribit/docs_examples.jsonl");
  if (!test::present(path)) GTEST_SKIP() << "the shared folder's docs_examples.jsonl is not here";
  std::ifstream in{path};
  std::string line;
  std::set<std::string> settlement;
  std::set<std::string> delivery;
  while (std::getline(in, line)) {
    if (line.find("\"settlements\":[{") != std::string::npos) settlement = keys_at(line, 3);
    if (line.find("\"delivery_price\"") != std::string::npos &&
        line.find("\"records_total\"") != std::string::npos) {
      delivery = keys_at(line, 3);
    }
  }
  ASSERT_FALSE(settlement.empty());
  ASSERT_FALSE(delivery.empty());
  run(milliseconds(100));
  for (const Listing& l : exchange.instruments()) {
    if (l.def.expiry.unix_ns == 0) continue;
    (void)venue.settle_expiry(l.product, l.def.expiry);
    break;
  }
  EXPECT_EQ(keys_at(ask("public/get_last_settlements_by_currency?currency=BTC"), 3), settlement);
  EXPECT_EQ(keys_at(ask("public/get_delivery_prices?index_name=btc_usd"), 3), delivery);
}

}  // namespace
}  // namespace gimbal::sim
