// Feeds the venue's lists to a search for orders in doubt.
#pragma once

#include "tests/venues/deribit_gateway_rig.hpp"
#include "venues/deribit/order_search.hpp"

namespace gimbal::test {

struct DeribitSearch : testing::Test, DeribitGatewayRig {
  using OrderSearch = deribit::OrderSearch;
  using QueryParser = deribit::QueryParser;
  using QueryResult = deribit::QueryResult;
  using Records = deribit::Records;

  static constexpr std::int64_t sent_ms = 1'700'000'000'000;
  static constexpr std::int64_t answered_ms = sent_ms + 1000;
  static constexpr std::int64_t minute_ms = 60'000;

  QueryParser parser{{config.venue, config.label_tag, &symbols}, std::size_t{1} << 22};
  OrderId order = make_order_id(7, StrategyId{1}, 42);
  OrderId another = make_order_id(7, StrategyId{1}, 43);

  static std::string reply(std::string_view result, std::int64_t at_ms = answered_ms) {
    return R"({"jsonrpc":"2.0","id":1,"result":)" + std::string{result} + R"(,"usIn":1,"usOut":)" +
           std::to_string(at_ms * 1000) + R"(,"usDiff":1,"testnet":true})";
  }
  static std::string trades(std::string_view rows, bool more = false) {
    return R"({"trades":[)" + std::string{rows} + R"(],"has_more":)" + (more ? "true}" : "false}");
  }
  // `count` orders of somebody else, the newest at `newest_ms`, one a millisecond.
  static std::string history_rows(std::size_t count, std::int64_t newest_ms) {
    std::string rows = "[";
    for (std::size_t n = 0; n < count; ++n) {
      rows += std::string{n == 0 ? "" : ","} + R"({"order_id":"1","instrument_name":)" +
              R"("BTC-PERPETUAL","direction":"buy","price":1,"amount":10,"filled_amount":0,)" +
              R"("order_state":"cancelled","label":"hand","last_update_timestamp":)" +
              std::to_string(newest_ms - static_cast<std::int64_t>(n)) + "}";
    }
    return rows + "]";
  }
  std::string trade(std::string_view id, std::int64_t at_ms, OrderId of, int size = 10,
                    const char* state = "filled") const {
    return R"({"trade_id":")" + std::string{id} + R"(","instrument_name":"BTC-PERPETUAL",)" +
           R"("direction":"buy","price":5,"amount":)" + std::to_string(size) + R"(,"state":")" +
           state + R"(","timestamp":)" + std::to_string(at_ms) + R"(,"label":")" + label(of) +
           "\"}";
  }
  QueryOrder question(std::int64_t at_ms = sent_ms) const {
    return {order, from_unix_ms(at_ms + 500), from_unix_ms(at_ms), instrument, config.venue};
  }
  OrderSearch search(std::size_t currencies = 1, std::int64_t at_ms = sent_ms) {
    const QueryOrder asked = question(at_ms);
    return OrderSearch{parser, {&asked, 1}, currencies};
  }
  static QueryResult open(OrderSearch& s, const std::string& text) {
    PaddedText padded{text};
    return s.open_orders(padded.frame());
  }
  static QueryResult history(OrderSearch& s, const std::string& text, std::size_t currency = 0,
                             Records records = Records::recent) {
    PaddedText padded{text};
    return s.order_history(padded.frame(), currency, records);
  }
  static QueryResult fills(OrderSearch& s, const std::string& text, std::size_t currency = 0,
                           Records records = Records::recent,
                           std::int64_t until_ms = answered_ms + minute_ms) {
    PaddedText padded{text};
    const deribit::TradesSpan asked{to_unix_ms(s.trades_since(records)), until_ms};
    return s.user_trades(padded.frame(), currency, records, asked);
  }
  static QueryResult by_label(OrderSearch& s, const std::string& text, std::size_t currency = 0) {
    PaddedText padded{text};
    return s.state_by_label(padded.frame(), 0, currency);
  }
  static LookupOutcome outcome(const OrderSearch& s) { return s.result(0).outcome; }
};

}  // namespace gimbal::test
