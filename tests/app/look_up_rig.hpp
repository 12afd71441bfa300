// A venue that answers look-ups, with an account on which somebody else is busy.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <map>

#include "ops/app/venue_queries.hpp"
#include "venues/deribit/labels.hpp"

namespace gimbal::test::look_ups {

inline constexpr std::int64_t answered_ms = 1'800'000'000'000;
inline constexpr std::int64_t sent_ms = answered_ms - 10'000;
inline constexpr std::uint32_t hash = 0xABCD;

constexpr OrderId order_of(std::uint32_t n) { return make_order_id(6, StrategyId{0}, n); }

inline std::string label_text(OrderId id) {
  char label[deribit::label_text_max];
  return {label, deribit::write_label("demo", id, hash, label)};
}

inline std::string row(const std::string& label, const char* state, int filled,
                       std::int64_t at_ms) {
  return R"({"order_id":"1","direction":"buy","price":50000,"amount":10,"filled_amount":)" +
         std::to_string(filled) + R"(,"order_state":")" + state +
         R"(","instrument_name":"BTC-PERPETUAL","label":")" + label + R"(","creation_timestamp":)" +
         std::to_string(at_ms) + R"(,"last_update_timestamp":)" + std::to_string(at_ms) + "}";
}

// A venue with an account on which somebody else is busy.
class Answers final : public QueryTransport {
 public:
  HttpResponse call(const HttpRequest& asked, std::chrono::milliseconds) override {
    calls.push_back(asked.body);
    now_at = now_at + a_call_takes;
    if (heard) heard();
    return {200,
            R"({"jsonrpc":"2.0","id":1,"result":)" + result_of(asked.body) +
                R"(,"usIn":1,"usOut":)" + std::to_string(answered_ms) +
                R"(000,"usDiff":1,"testnet":true})",
            {},
            false};
  }
  RecvTime now() const override { return now_at; }
  ExchTime wall() const override { return from_unix_ms(answered_ms); }
  void pause(std::chrono::milliseconds) override {}

  [[nodiscard]] std::vector<std::string> asked(const std::string& method) const {
    std::vector<std::string> out;
    for (const std::string& body : calls) {
      if (body.find(method) != std::string::npos) out.push_back(body);
    }
    return out;
  }
  static std::int64_t number(const std::string& body, const char* name, std::int64_t otherwise) {
    const std::size_t at = body.find("\"" + std::string{name} + "\":");
    if (at == std::string::npos) return otherwise;
    return std::atoll(body.c_str() + at + std::string{name}.size() + 3);
  }

  std::vector<std::string> calls;
  RecvTime now_at{1};
  Nanos a_call_takes{};
  std::function<void()> heard;  // at each call
  std::string open_rows;
  std::string history_rows;       // on the first page of BTC
  std::int64_t others_orders{0};  // behind them, all since `sent_ms`
  std::int64_t others_trades{0};  // of BTC, back from `answered_ms`
  std::int64_t trades_a_ms{1};
  std::int64_t our_trade{-1};  // which of them, from the newest, is of the first order
  bool end_counts{true};       // whether a span has its last millisecond in it
  bool oldest_first{false};    // whatever is asked for
  bool no_rows_yet_more{false};
  std::map<std::string, std::string> labels;  // what get_order_state_by_label tells

 private:
  [[nodiscard]] std::string result_of(const std::string& body) const {
    const auto asks = [&](const char* text) { return body.find(text) != std::string::npos; };
    const bool btc = asks(R"("currency":"BTC")");
    if (asks("get_open_orders")) return "[" + open_rows + "]";
    if (asks("get_order_history")) return btc ? history(body) : "[]";
    if (asks("get_user_trades")) return trades(btc ? body : "");
    if (asks("get_order_state_by_label") && btc) {
      for (const auto& [label, rows] : labels) {
        if (asks(label.c_str())) return "[" + rows + "]";
      }
    }
    return "[]";
  }
  [[nodiscard]] std::string history(const std::string& body) const {
    const std::int64_t offset = number(body, "offset", 0);
    std::string rows = offset == 0 ? history_rows : "";
    const std::int64_t end = std::min(others_orders, offset + number(body, "count", 20));
    for (std::int64_t n = offset; n < end; ++n) {
      const std::int64_t at = oldest_first ? answered_ms - 20'000 + n : answered_ms - 1;
      rows += (rows.empty() ? "" : ",") + row("hand", "cancelled", 0, at);
    }
    return "[" + rows + "]";
  }
  [[nodiscard]] std::string trades(const std::string& body) const {
    if (no_rows_yet_more) return R"({"trades":[],"has_more":)" + more(calls.size() < 4);
    const std::int64_t last = number(body, "end_timestamp", 0) - (end_counts ? 0 : 1);
    const std::int64_t since = number(body, "start_timestamp", 0);
    // From the newest on: the first and the last of the span, and those of them on the page.
    const std::int64_t from = std::max<std::int64_t>(0, (answered_ms - last) * trades_a_ms);
    const std::int64_t all = std::min(others_trades, (answered_ms - since + 1) * trades_a_ms);
    const std::int64_t count = std::min(number(body, "count", 10), std::max(all - from, 0L));
    std::string rows;
    for (std::int64_t k = 0; k < count; ++k) {
      rows += (rows.empty() ? "" : ",") + trade(oldest_first ? all - 1 - k : from + k);
    }
    return R"({"trades":[)" + rows + R"(],"has_more":)" + more(count < all - from);
  }
  [[nodiscard]] std::string trade(std::int64_t n) const {
    return R"({"trade_id":")" + std::to_string(n) +
           R"(","instrument_name":"BTC-PERPETUAL","direction":"buy","price":5,"amount":10,)" +
           R"("timestamp":)" + std::to_string(answered_ms - n / trades_a_ms) + R"(,"label":")" +
           (n == our_trade ? label_text(order_of(1)) : "hand") + "\"}";
  }
  static std::string more(bool has) { return has ? "true}" : "false}"; }
};

struct LookUps : testing::Test {
  deribit::SymbolTable symbols;
  std::shared_ptr<Answers> venue = std::make_shared<Answers>();
  std::vector<OrderLookup> found;
  std::unique_ptr<VenueQueries> queries;

  void SetUp() override { ASSERT_TRUE(symbols.add("BTC-PERPETUAL", InstrumentId{0})); }
  void make(bool knows_labels, std::vector<std::string> currencies = {"BTC"}) {
    QuerySetup setup;
    setup.label_tag = "demo";
    setup.symbols = &symbols;
    setup.transport = venue;
    setup.currencies = std::move(currencies);
    setup.burst = 10'000;
    if (knows_labels) {
      setup.label_hash = [](OrderId) { return std::optional<std::uint32_t>{hash}; };
    }
    queries = std::make_unique<VenueQueries>(std::move(setup));
  }
  void look_up(std::span<const QueryOrder> orders) {
    found.clear();
    venue->calls.clear();
    ASSERT_EQ(queries->look_up(orders,
                               [&](std::span<const Event> unit) {
                                 found.push_back(unit[0].as<OrderLookup>());
                                 return true;
                               }),
              "");
    ASSERT_EQ(found.size(), orders.size());
  }
  static std::vector<QueryOrder> orders(std::uint32_t count, std::int64_t at_ms = sent_ms) {
    std::vector<QueryOrder> out(count);
    for (std::uint32_t n = 0; n < count; ++n) {
      out[n].order = order_of(n + 1);
      out[n].sent = from_unix_ms(at_ms);
      out[n].valid_until = from_unix_ms(sent_ms + 500);
    }
    return out;
  }
};

}  // namespace gimbal::test::look_ups
