// The proof that an order never arrived, and what else the venue's lists say of one in doubt.
#include "tests/venues/order_search_rig.hpp"

namespace gimbal {
namespace {

using test::amount;
using test::DeribitSearch;
using test::usd;

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
  // None of these is a list, and so none says that there is nothing.
  for (const char* other : {"{}", R"("ok")", "null", "7", R"(["BTC"])", "[null]", "[{}]",
                            R"({"orders":[],"continuation":"x"})"}) {
    EXPECT_EQ(found(reply(other), after, none), LookupOutcome::unproven) << other;
    EXPECT_EQ(found(after, reply(other), none), LookupOutcome::unproven) << other;
    EXPECT_EQ(found(after, after, reply(other)), LookupOutcome::unproven) << other;
  }
  for (const char* other :
       {"[]", R"({"trades":[]})", R"({"has_more":false})", R"({"trades":null,"has_more":false})",
        R"([{"trades":[],"has_more":false}])"}) {
    EXPECT_EQ(found(after, after, reply(other)), LookupOutcome::unproven) << other;
  }
}

TEST_F(DeribitSearch, AnAnswerByLabelThatIsNoListSaysNothing) {
  for (const char* other : {"{}", R"("ok")", "null"}) {
    OrderSearch s = search();
    (void)open(s, reply("[]"));
    (void)fills(s, reply(trades("")));
    EXPECT_FALSE(by_label(s, reply(other)).ok) << other;
    EXPECT_EQ(outcome(s), LookupOutcome::unproven) << other;
    EXPECT_TRUE(by_label(s, reply("[]")).ok);
    EXPECT_EQ(outcome(s), LookupOutcome::absent);
  }
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
  EXPECT_EQ(s.trades_since(Records::recent), from_unix_ms(sent_ms - 11 * minute_ms));
  (void)open(s, reply("[" + order_text(another, usd(50000), amount(100), amount(20)) + "]"));
  (void)history(s, reply(history_rows(1000, sent_ms - 1500)));
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
