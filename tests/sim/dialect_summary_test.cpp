// The methods that stock clients need, against the documented shapes and the exchange's own state.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <set>
#include <string>

#include "tests/sim/support.hpp"
#include "tests/support/shared_data.hpp"
#include "venues/sim/dialect_deribit.hpp"

namespace gimbal::sim {
namespace {

// Keys of every object at the given depth of a JSON text; depth 1 is the outermost object.
std::set<std::string> keys_at(const std::string& json, int depth) {
  std::set<std::string> keys;
  int level = 0;
  for (std::size_t i = 0; i < json.size(); ++i) {
    if (json[i] == '{') ++level;
    if (json[i] == '}') --level;
    if (json[i] != '"') continue;
    const std::size_t end = json.find('"', i + 1);
    if (end + 1 < json.size() && json[end + 1] == ':' && level == depth) {
      keys.insert(json.substr(i + 1, end - i - 1));
    }
    i = end;
  }
  return keys;
}

std::size_t count_of(const std::string& json, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = json.find(part); at != std::string::npos; at = json.find(part, at + 1)) ++n;
  return n;
}

double number_after(const std::string& json, const std::string& key, std::size_t from = 0) {
  const std::size_t at = json.find('"' + key + "\":", from);
  return at == std::string::npos ? -1e300
                                 : std::strtod(json.c_str() + at + key.size() + 3, nullptr);
}

struct Summaries : testing::Test {
  SimExchange exchange{small_market(3)};
  AccountId account = exchange.add_account("id", "secret");
  DeribitDialect venue{exchange, [] {
                         DialectConfig c;
                         c.vary = false;
                         return c;
                       }()};

  void run(Nanos d) { venue.advance(venue.now() + d); }
  std::string ask(const std::string& method_and_query, int status = 200) {
    const std::string target = "/api/v2/" + method_and_query;
    HttpCall call;
    call.verb = "GET";
    call.target = target;
    const std::string basic = "Basic aWQ6c2VjcmV0";  // id:secret
    if (method_and_query.rfind("private", 0) == 0) call.authorization = basic;
    const HttpAnswer answer = venue.http(call);
    EXPECT_EQ(answer.status, status) << answer.body;
    return answer.body;
  }
  std::string span(Nanos back) const {
    const std::int64_t now_ms = to_unix_ms(venue.now());
    return "&start_timestamp=" + std::to_string(now_ms - back.count / 1'000'000) +
           "&end_timestamp=" + std::to_string(now_ms);
  }
};

// A query string has no types: an order id or a label of digits alone is one all the same.
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
