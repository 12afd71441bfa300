// The proof that an order never arrived, and what else the venue's lists say of one in doubt.
#include "venues/deribit/order_search.hpp"
#include "tests/venues/deribit_gateway_rig.hpp"

namespace gimbal {
namespace {

using deribit::OrderSearch;
using deribit::QueryParser;
using deribit::QueryResult;
using deribit::Records;
using test::amount;
using test::usd;

constexpr std::int64_t sent_ms = 1'700'000'000'000;
constexpr std::int64_t answered_ms = sent_ms + 1000;
constexpr std::int64_t minute_ms = 60'000;

struct DeribitSearch : testing::Test, test::DeribitGatewayRig {
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
    test::PaddedText padded{text};
    return s.open_orders(padded.frame());
  }
  static QueryResult history(OrderSearch& s, const std::string& text, std::size_t currency = 0,
                             Records records = Records::recent) {
    test::PaddedText padded{text};
    return s.order_history(padded.frame(), currency, records);
  }
  static QueryResult fills(OrderSearch& s, const std::string& text, std::size_t currency = 0,
                           Records records = Records::recent) {
    test::PaddedText padded{text};
    return s.user_trades(padded.frame(), currency, records);
  }
  static QueryResult by_label(OrderSearch& s, const std::string& text, std::size_t currency = 0) {
    test::PaddedText padded{text};
    return s.state_by_label(padded.frame(), 0, currency);
  }
  static LookupOutcome outcome(const OrderSearch& s) { return s.result(0).outcome; }
};

TEST_F(DeribitSearch, AbsenceIsProvenOnlyByAllThreeAfterTheTimeToLive) {
  const std::string before = reply("[]", sent_ms + 400);
  const std::string after = reply("[]");
  const std::string none = reply(trades(""));
  const auto found = [&](const std::string& a, const std::string& b, const std::string& c) {
    OrderSearch s = search();
    (void)open(s, a);
    (void)history(s, b);
    (void)fills(s, c);
    return outcome(s);
  };
  EXPECT_EQ(found(after, after, none), LookupOutcome::absent);
  EXPECT_EQ(found(before, after, none), LookupOutcome::unproven) << "asked too early";
  EXPECT_EQ(found(after, before, none), LookupOutcome::unproven);
  EXPECT_EQ(found(after, after, reply(trades(""), sent_ms + 400)), LookupOutcome::unproven);
  EXPECT_EQ(found(after, after, reply(trades("", true))), LookupOutcome::unproven)
      << "more trades exist";
  EXPECT_EQ(found(after, R"({"id":1,"error":{"code":10028}})", none), LookupOutcome::unproven);
  EXPECT_EQ(found(after, after, "{"), LookupOutcome::unproven);
  EXPECT_EQ(found("{", after, none), LookupOutcome::unproven);
}

TEST_F(DeribitSearch, WhatShowsTheLabelDecides) {
  const auto state = [&](std::string_view word, Qty filled) {
    OrderSearch s = search();
    (void)open(s, reply("[]"));
    (void)history(s, reply("[" + order_text(order, usd(50000), amount(100), filled, word) + "]"));
    return s.result(0);
  };
  EXPECT_EQ(state("filled", amount(100)).outcome, LookupOutcome::filled);
  EXPECT_EQ(state("cancelled", amount(30)).filled, amount(30));
  EXPECT_EQ(state("rejected", Qty{}).outcome, LookupOutcome::rejected);
  EXPECT_EQ(state("hibernating", Qty{}).outcome, LookupOutcome::unproven);
  OrderSearch s = search();
  (void)open(s, reply("[" + order_text(order, usd(50000), amount(100), Qty{}) + "]"));
  EXPECT_EQ(outcome(s), LookupOutcome::open);
  EXPECT_EQ(s.event(0, now).as<OrderLookup>().order, order);
  EXPECT_FALSE(s.wants_history(0, Records::recent)) << "it is found";
  EXPECT_FALSE(s.wants_trades(0, Records::recent));
}

// One currency's list is cut: the other's says nothing about it, in whichever order they answer.
TEST_F(DeribitSearch, AbsenceNeedsTheWholeAnswerOfEveryCurrency) {
  const std::string whole_history = reply("[]");
  const std::string cut_history = reply(history_rows(1000, sent_ms + 1000));  // all of them newer
  const std::string whole_trades = reply(trades(""));
  const std::string cut_trades = reply(trades(trade("T-1", answered_ms, another), true));
  const auto found = [&](bool cut_first, bool history_cut, bool trades_cut) {
    OrderSearch s = search(2);
    (void)open(s, reply("[]"));
    const std::size_t cut = cut_first ? 0 : 1;
    for (const std::size_t c : {std::size_t{0}, std::size_t{1}}) {
      (void)history(s, c == cut && history_cut ? cut_history : whole_history, c);
      (void)fills(s, c == cut && trades_cut ? cut_trades : whole_trades, c);
    }
    return outcome(s);
  };
  for (const bool first : {true, false}) {
    EXPECT_EQ(found(first, false, false), LookupOutcome::absent);
    EXPECT_EQ(found(first, true, false), LookupOutcome::unproven) << first;
    EXPECT_EQ(found(first, false, true), LookupOutcome::unproven) << first;
  }
  OrderSearch one = search(2);
  (void)open(one, reply("[]"));
  (void)history(one, whole_history, 1);
  (void)fills(one, whole_trades, 1);
  EXPECT_EQ(outcome(one), LookupOutcome::unproven) << "the first currency was never asked";
}

TEST_F(DeribitSearch, PagesReachBackUntilOneShowsSomethingOlder) {
  OrderSearch s = search();
  (void)open(s, reply("[]"));
  (void)history(s, reply(history_rows(1000, sent_ms + 1500)));
  EXPECT_TRUE(s.wants_history(0, Records::recent));
  (void)history(s, reply(history_rows(1000, sent_ms + 500)));
  EXPECT_FALSE(s.wants_history(0, Records::recent));
  (void)fills(s, reply(trades(trade("T-2", sent_ms, another), true)));
  EXPECT_TRUE(s.wants_trades(0, Records::recent));
  EXPECT_EQ(outcome(s), LookupOutcome::unproven);
  (void)fills(s, reply(trades(trade("T-1", sent_ms - 2 * minute_ms, another), true)));
  EXPECT_FALSE(s.wants_trades(0, Records::recent));
  EXPECT_EQ(outcome(s), LookupOutcome::absent);
}

TEST_F(DeribitSearch, ShortHistoryOrAnEmptyPageIsItsEnd) {
  for (const std::size_t last : {std::size_t{0}, std::size_t{19}, std::size_t{20}}) {
    OrderSearch s = search();
    (void)open(s, reply("[]"));
    (void)fills(s, reply(trades("")));
    (void)history(s, reply(history_rows(20, sent_ms + 900)));
    EXPECT_EQ(outcome(s), LookupOutcome::unproven);
    (void)history(s, reply(history_rows(last, sent_ms + 800)));
    EXPECT_EQ(outcome(s), last < 20 ? LookupOutcome::absent : LookupOutcome::unproven) << last;
  }
}

TEST_F(DeribitSearch, TradesThatDoNotComeNewestFirstReachNowhere) {
  OrderSearch s = search();
  const std::string rows =
      trade("T-1", sent_ms - 2 * minute_ms, another) + "," + trade("T-2", sent_ms + 100, another);
  (void)open(s, reply("[]"));
  (void)history(s, reply("[]"));
  (void)fills(s, reply(trades(rows, true)));
  EXPECT_EQ(outcome(s), LookupOutcome::unproven);
}

// What the venue calls recent ends after 30 minutes and 24 hours: an empty list proves no more.
TEST_F(DeribitSearch, AnOlderOrderIsAskedForInTheHistoricalListsToo) {
  const auto search_all = [&](std::int64_t age_ms, bool old_orders, bool old_trades) {
    OrderSearch s = search(1, answered_ms - age_ms);
    (void)open(s, reply("[]"));
    (void)history(s, reply("[]"));
    (void)fills(s, reply(trades("")));
    EXPECT_EQ(s.wants_history(0, Records::historical), age_ms > 25 * minute_ms) << age_ms;
    EXPECT_EQ(s.wants_trades(0, Records::historical), age_ms > 23 * 60 * minute_ms) << age_ms;
    (void)by_label(s, reply("[]"));  // of recent orders only
    if (old_orders) (void)history(s, reply("[]"), 0, Records::historical);
    if (old_trades) (void)fills(s, reply(trades("")), 0, Records::historical);
    return outcome(s);
  };
  EXPECT_EQ(search_all(25 * minute_ms, false, false), LookupOutcome::absent);
  EXPECT_EQ(search_all(25 * minute_ms + 1, false, false), LookupOutcome::unproven);
  EXPECT_EQ(search_all(25 * minute_ms + 1, true, false), LookupOutcome::absent);
  EXPECT_EQ(search_all(23 * 60 * minute_ms, true, false), LookupOutcome::absent);
  EXPECT_EQ(search_all(23 * 60 * minute_ms + 1, true, false), LookupOutcome::unproven);
  EXPECT_EQ(search_all(23 * 60 * minute_ms + 1, true, true), LookupOutcome::absent);
}

TEST_F(DeribitSearch, ByLabelDecidesWhatACutHistoryLeavesOpen) {
  const auto asked = [&](const std::string& answer, bool whole_trades) {
    OrderSearch s = search(2);
    (void)open(s, reply("[]"));
    for (const std::size_t c : {std::size_t{0}, std::size_t{1}}) {
      (void)history(s, reply(history_rows(1000, sent_ms + 5000)), c);
      (void)fills(s, reply(trades("", !whole_trades)), c);
    }
    EXPECT_TRUE(s.left_open(0));
    (void)by_label(s, reply("[]"), 0);
    EXPECT_TRUE(s.left_open(0)) << "one currency of two";
    (void)by_label(s, answer, 1);
    return s.result(0);
  };
  EXPECT_EQ(asked(reply("[]"), true).outcome, LookupOutcome::absent);
  EXPECT_EQ(asked(reply("[]"), false).outcome, LookupOutcome::unproven) << "trades are cut";
  EXPECT_EQ(asked(reply("[]", sent_ms + 400), true).outcome, LookupOutcome::unproven);
  const std::string row =
      "[" + order_text(order, usd(50000), amount(100), amount(30), "cancelled") + "]";
  EXPECT_EQ(asked(reply(row), false).outcome, LookupOutcome::cancelled);
  EXPECT_EQ(asked(reply(row), false).filled, amount(30));
}

// It arrived and rests no more: with all its trades known it has ended.
TEST_F(DeribitSearch, AnOrderThatOnlyItsTradesShowHasEndedWithTheirSum) {
  OrderSearch s = search();
  (void)open(s, reply("[]"));
  (void)fills(s, reply(trades(trade("T-3", sent_ms + 300, order, 20, "open") + "," +
                                  trade("T-2", sent_ms + 200, order, 10, "open"),
                              true)));
  EXPECT_EQ(outcome(s), LookupOutcome::unproven) << "earlier trades may be missing";
  EXPECT_EQ(s.label_hash(0), config.config_hash);
  // The page overlaps the one before.
  (void)fills(s, reply(trades(trade("T-2", sent_ms + 200, order, 10, "open") + "," +
                              trade("T-1", sent_ms + 100, order, 30, "open"))));
  EXPECT_EQ(outcome(s), LookupOutcome::cancelled);
  EXPECT_EQ(s.result(0).filled, amount(60));
  OrderSearch resting = search();
  (void)fills(resting, reply(trades(trade("T-1", sent_ms + 100, order, 30, "open"))));
  EXPECT_EQ(outcome(resting), LookupOutcome::open) << "nobody listed the open orders";
}

TEST_F(DeribitSearch, AStateThatWeDoNotKnowIsAnEndOnceItRestsNoMore) {
  const std::string row =
      "[" + order_text(order, usd(50000), amount(100), amount(30), "hibernating") + "]";
  for (const bool resting : {true, false}) {
    OrderSearch s = search();
    (void)open(s, reply(resting ? row : "[]"));
    (void)history(s, reply(resting ? "[]" : row));
    (void)fills(s, reply(trades("")));
    EXPECT_EQ(outcome(s), resting ? LookupOutcome::unproven : LookupOutcome::cancelled);
    EXPECT_EQ(s.result(0).filled, amount(30));
  }
}

TEST_F(DeribitSearch, OneReplyAnswersForEachOfManyByItsOwnDate) {
  std::vector<QueryOrder> asked(3, question());
  asked[1].order = another;
  asked[2].order = make_order_id(7, StrategyId{1}, 44);
  asked[2].sent = from_unix_ms(sent_ms - 10 * minute_ms);
  OrderSearch s{parser, asked, 1};
  EXPECT_EQ(s.trades_since(), from_unix_ms(sent_ms - 11 * minute_ms));
  (void)open(s, reply("[" + order_text(another, usd(50000), amount(100), amount(20)) + "]"));
  (void)history(s, reply(history_rows(1000, sent_ms + 500)));
  (void)fills(s, reply(trades(trade("T-1", sent_ms - 2 * minute_ms, OrderId{1}), true)));
  EXPECT_EQ(s.result(0).outcome, LookupOutcome::absent);
  EXPECT_EQ(s.result(1).outcome, LookupOutcome::open);
  EXPECT_EQ(s.result(1).filled, amount(20));
  EXPECT_EQ(s.result(2).outcome, LookupOutcome::unproven) << "the lists do not reach that far";
  EXPECT_TRUE(s.left_open(2));
  EXPECT_FALSE(s.left_open(0));
}

}  // namespace
}  // namespace gimbal
