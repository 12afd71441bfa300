// Orders in doubt are looked up by lists that they share, page by page, and then by label.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>

#include "ops/app/query_queue.hpp"
#include "ops/app/venue_queries.hpp"
#include "venues/deribit/labels.hpp"

namespace gimbal {
namespace {

constexpr std::int64_t answered_ms = 1'800'000'000'000;
constexpr std::int64_t sent_ms = answered_ms - 10'000;
constexpr std::uint32_t hash = 0xABCD;

constexpr OrderId order_of(std::uint32_t n) { return make_order_id(6, StrategyId{0}, n); }

std::string label_text(OrderId id) {
  char label[deribit::label_text_max];
  return {label, deribit::write_label("demo", id, hash, label)};
}

std::string row(const std::string& label, const char* state, int filled, std::int64_t at_ms) {
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
    return {200,
            R"({"jsonrpc":"2.0","id":1,"result":)" + result_of(asked.body) +
                R"(,"usIn":1,"usOut":)" + std::to_string(answered_ms) +
                R"(000,"usDiff":1,"testnet":true})",
            {},
            false};
  }
  RecvTime now() const override { return RecvTime{1}; }
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
  std::string open_rows;
  std::string history_rows;                   // on the first page of BTC
  std::int64_t others_orders{0};              // behind them, all since `sent_ms`
  std::int64_t others_trades{0};              // of BTC, one a millisecond back from `answered_ms`
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
      rows += (rows.empty() ? "" : ",") + row("hand", "cancelled", 0, answered_ms - 1);
    }
    return "[" + rows + "]";
  }
  [[nodiscard]] std::string trades(const std::string& body) const {
    const std::int64_t newest = std::min(answered_ms, number(body, "end_timestamp", 0));
    const std::int64_t oldest =
        std::max(answered_ms - others_trades + 1, number(body, "start_timestamp", 0));
    const std::int64_t end = std::max(oldest, newest - number(body, "count", 10) + 1);
    std::string rows;
    for (std::int64_t at = newest; at >= end; --at) {
      rows += std::string{rows.empty() ? "" : ","} + R"({"trade_id":")" + std::to_string(at) +
              R"(","instrument_name":"BTC-PERPETUAL","direction":"buy","price":5,"amount":10,)" +
              R"("timestamp":)" + std::to_string(at) + "}";
    }
    return R"({"trades":[)" + rows + R"(],"has_more":)" + (end > oldest ? "true}" : "false}");
  }
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

TEST_F(LookUps, ThreeAnswersDoForAll) {
  make(true);
  venue->open_rows = row(label_text(order_of(1)), "open", 3, sent_ms);
  venue->history_rows = row(label_text(order_of(2)), "cancelled", 4, sent_ms);
  look_up(orders(3));
  EXPECT_EQ(found[0].order, order_of(1));
  EXPECT_EQ(found[0].outcome, LookupOutcome::open);
  EXPECT_EQ(found[0].filled, Qty{3'000'000'000});
  EXPECT_EQ(found[1].outcome, LookupOutcome::cancelled);
  EXPECT_EQ(found[1].filled, Qty{4'000'000'000});
  EXPECT_EQ(found[2].order, order_of(3));
  EXPECT_EQ(found[2].outcome, LookupOutcome::absent);
  EXPECT_EQ(venue->calls.size(), 3U);
  EXPECT_NE(venue->calls[0].find("get_open_orders"), std::string::npos)
      << "an order goes from there to the other lists, never back";
}

TEST_F(LookUps, LongListsArePagedUntilTheyReachBehindTheSending) {
  make(false, {"BTC", "ETH"});
  venue->others_orders = 2'500;
  venue->others_trades = 2'500'000;
  look_up(orders(2, answered_ms - 1'000));  // trades since 61 s: many more than ten pages
  EXPECT_EQ(found[0].outcome, LookupOutcome::unproven);
  EXPECT_EQ(venue->asked("get_user_trades").size(), 10U + 1U) << "bounded, and one of ETH";
  venue->others_trades = 4'000;
  look_up(orders(2));
  EXPECT_EQ(found[0].outcome, LookupOutcome::absent);
  EXPECT_EQ(found[1].outcome, LookupOutcome::absent);
  EXPECT_EQ(venue->asked("get_order_history").size(), 4U + 1U) << "the fourth page is empty";
  EXPECT_GE(venue->asked("get_user_trades").size(), 4U + 1U);
  EXPECT_LE(venue->asked("get_user_trades").size(), 5U + 1U) << "pages share a millisecond";
}

// More orders than the look-up reads ended since it was sent: it would stay in doubt for ever.
TEST_F(LookUps, WhatTheListsLeaveOpenIsAskedByLabel) {
  make(true);
  venue->others_orders = 20'000;
  venue->labels[label_text(order_of(1))] = row(label_text(order_of(1)), "cancelled", 7, sent_ms);
  look_up(orders(2));
  EXPECT_EQ(venue->asked("get_order_history").size(), 10U);
  EXPECT_EQ(venue->asked("get_order_state_by_label").size(), 2U);
  EXPECT_EQ(found[0].outcome, LookupOutcome::cancelled);
  EXPECT_EQ(found[0].filled, Qty{7'000'000'000});
  EXPECT_EQ(found[1].outcome, LookupOutcome::absent) << "no order has its label";
  make(false);
  look_up(orders(2));
  EXPECT_EQ(venue->asked("get_order_state_by_label").size(), 0U) << "which label is not known";
  EXPECT_EQ(found[1].outcome, LookupOutcome::unproven);
}

TEST_F(LookUps, ManyThatAreLeftOpenAreAskedByLabelInTurn) {
  make(true);
  venue->others_trades = 100'000;  // no proof of absence for any: all stay
  std::set<std::string> asked;
  for (int round = 1; round <= 3; ++round) {
    look_up(orders(20));
    const auto labels = venue->asked("get_order_state_by_label");
    EXPECT_EQ(labels.size(), 8U);
    for (const std::string& body : labels) asked.insert(body.substr(body.find("\"label\"")));
    EXPECT_EQ(asked.size(), std::min<std::size_t>(20, 8U * static_cast<std::size_t>(round)));
  }
}

TEST_F(LookUps, AKillThatWaitsForItsCountWaitsForNoFurtherPage) {
  make(true);
  venue->others_orders = 20'000;
  venue->others_trades = 100'000;
  queries->give_way_when([&] { return venue->calls.size() >= 3; });
  look_up(orders(2));
  EXPECT_EQ(venue->calls.size(), 3U);
  EXPECT_EQ(found[0].outcome, LookupOutcome::unproven);
}

TEST_F(LookUps, AnOrderWithoutADateDoesNotMakeTheOthersAskSince1970) {
  make(true);
  std::vector<QueryOrder> asked = orders(3);
  asked[1].sent = {};
  look_up(asked);
  const auto trades = venue->asked("get_user_trades");
  ASSERT_GE(trades.size(), 2U);
  EXPECT_EQ(Answers::number(trades[0], "start_timestamp", 0), sent_ms - 60'000);
  EXPECT_EQ(Answers::number(trades[1], "start_timestamp", 1), 0) << "by itself";
  for (const OrderLookup& one : found) EXPECT_EQ(one.outcome, LookupOutcome::absent);
}

TEST_F(LookUps, AnAdoptedOrderHasItsDateAndItsLabelFromThePicture) {
  make(false);
  venue->open_rows = row(label_text(order_of(1)), "open", 0, sent_ms);
  (void)queries->reconcile(Reconcile{}, [](std::span<const Event>) { return true; });
  venue->open_rows.clear();
  venue->others_orders = 20'000;
  std::vector<QueryOrder> asked = orders(1);
  asked[0].sent = {};
  look_up(asked);
  EXPECT_EQ(Answers::number(venue->asked("get_user_trades")[0], "start_timestamp", 0),
            sent_ms - 60'000);
  ASSERT_EQ(venue->asked("get_order_state_by_label").size(), 1U);
  EXPECT_NE(venue->calls.back().find(label_text(order_of(1))), std::string::npos);
  EXPECT_EQ(found[0].outcome, LookupOutcome::absent);
}

TEST(QueryQueue, APictureWaitsForOneLookUpAtMost) {
  QueryQueue queue{4};
  QueryTask task;
  task.kind = CommandKind::query_order;
  for (const int again : {0, 1}) {
    for (std::uint32_t n = 1; n <= 10; ++n) {
      task.query.order = order_of(n + static_cast<std::uint32_t>(again));
      queue.take(task);
    }
  }
  for (std::uint64_t n = 1; n <= 2; ++n) {
    QueryTask picture;
    picture.kind = CommandKind::reconcile;
    picture.reconcile.generation = n;
    queue.take(picture);
  }
  const auto picture = queue.next_picture();
  ASSERT_TRUE(picture.has_value());
  EXPECT_EQ(picture->generation, 2U) << "one for both, of the newer session";
  EXPECT_FALSE(queue.next_picture().has_value());
  std::vector<std::size_t> groups;
  std::uint32_t next = 1;
  while (!queue.empty()) {
    QueryTask more;
    more.kind = CommandKind::reconcile;
    queue.take(more);
    EXPECT_FALSE(queue.next_picture().has_value()) << "two pictures in a row";
    const auto group = queue.next_orders();
    groups.push_back(group.size());
    for (const QueryOrder& order : group) EXPECT_EQ(order.order, order_of(next++));
    EXPECT_TRUE(queue.next_picture().has_value());
  }
  EXPECT_EQ(groups, (std::vector<std::size_t>{4, 4, 3})) << "each order once";
  task.query.order = order_of(1);
  queue.take(task);
  EXPECT_FALSE(queue.empty()) << "it is asked for again";
}

}  // namespace
}  // namespace gimbal
