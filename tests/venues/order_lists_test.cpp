// How far the venue's lists prove that an order in doubt is not in them.
#include "tests/venues/order_search_rig.hpp"

namespace gimbal {
namespace {

using test::DeribitSearch;

TEST_F(DeribitSearch, PagesReachBackUntilOneShowsSomethingOlder) {
  OrderSearch s = search();
  (void)open(s, reply("[]"));
  (void)history(s, reply(history_rows(1000, sent_ms + 1500)));
  EXPECT_TRUE(s.wants_history(0, Records::recent));
  (void)history(s, reply(history_rows(1000, sent_ms - 1000)));  // to 1 ms less than the margin
  EXPECT_TRUE(s.wants_history(0, Records::recent)) << "our clock is not the venue's";
  (void)history(s, reply(history_rows(1000, sent_ms - 1002)));
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
  EXPECT_FALSE(s.wants_trades(0, Records::recent));
  (void)fills(s, reply(trades("")), 0, Records::recent, sent_ms - 2 * minute_ms + 1);
  EXPECT_EQ(outcome(s), LookupOutcome::unproven) << "what lies between the two was never told";
}

TEST_F(DeribitSearch, APageOfTradesThatDoesNotJoinTheOneBeforeReachesNowhere) {
  for (const std::int64_t gap_ms : {0, 1}) {
    OrderSearch s = search();
    (void)open(s, reply("[]"));
    (void)history(s, reply("[]"));
    (void)fills(s, reply(trades(trade("T-2", sent_ms, another), true)));
    (void)fills(s, reply(trades("")), 0, Records::recent, sent_ms + 1 - gap_ms);
    EXPECT_EQ(outcome(s), gap_ms == 0 ? LookupOutcome::absent : LookupOutcome::unproven);
  }
  OrderSearch early = search();
  (void)open(early, reply("[]"));
  (void)history(early, reply("[]"));
  (void)fills(early, reply(trades("")), 0, Records::recent, sent_ms + 500);
  EXPECT_EQ(outcome(early), LookupOutcome::unproven) << "asked for what is before its end only";
}

// Oldest first, the first page has the oldest: what came since is not in it.
TEST_F(DeribitSearch, AHistoryThatDoesNotComeNewestFirstReachesNowhere) {
  const auto rows = [](std::int64_t updated_step_ms, std::int64_t created_step_ms, bool mixed) {
    std::string text = "[";
    for (std::int64_t n = 0; n < 30; ++n) {
      const std::int64_t late = mixed && n == 15 ? 900 : 0;
      text += std::string{n == 0 ? "" : ","} + R"({"order_id":"1","instrument_name":)" +
              R"("BTC-PERPETUAL","direction":"buy","price":1,"amount":10,"filled_amount":0,)" +
              R"("order_state":"cancelled","label":"hand","creation_timestamp":)" +
              std::to_string(sent_ms - minute_ms + late + n * created_step_ms) +
              R"(,"last_update_timestamp":)" +
              std::to_string(sent_ms - minute_ms + 10 + late + n * updated_step_ms) + "}";
    }
    return text + "]";
  };
  const auto found = [&](const std::string& page) {
    OrderSearch s = search();
    (void)open(s, reply("[]"));
    (void)fills(s, reply(trades("")));
    (void)history(s, reply(page));
    EXPECT_FALSE(s.wants_history(0, Records::recent)) << "nothing more would help";
    (void)history(s, reply("[]"));
    return outcome(s);
  };
  EXPECT_EQ(found(rows(1, 1, false)), LookupOutcome::unproven);
  EXPECT_EQ(found(rows(1, -1, false)), LookupOutcome::absent) << "newest first by creation";
  EXPECT_EQ(found(rows(-1, 1, false)), LookupOutcome::absent) << "newest first by the last change";
  EXPECT_EQ(found(rows(-1, -1, true)), LookupOutcome::absent) << "one engine is a little behind";
}

// Asked since before it keeps any, a venue may answer with none: that would hide the newest.
TEST_F(DeribitSearch, RecentTradesAreAskedForNoEarlierThanTheVenueKeepsThem) {
  const std::int64_t day_ms = 24 * 60 * minute_ms;
  std::vector<QueryOrder> asked(2, question());
  asked[1].order = another;
  asked[1].sent = from_unix_ms(sent_ms - 3 * day_ms);
  OrderSearch s{parser, asked, 1};
  (void)open(s, reply("[]"));
  EXPECT_EQ(s.trades_since(Records::recent),
            from_unix_ms(answered_ms - 23 * 60 * minute_ms - minute_ms));
  EXPECT_EQ(s.trades_since(Records::historical), from_unix_ms(sent_ms - 3 * day_ms - minute_ms));
  (void)history(s, reply("[]"));
  (void)history(s, reply("[]"), 0, Records::historical);
  (void)fills(s, reply(trades("")));
  EXPECT_FALSE(s.wants_trades(0, Records::recent));
  EXPECT_EQ(s.result(0).outcome, LookupOutcome::absent);
  EXPECT_EQ(s.result(1).outcome, LookupOutcome::unproven) << "it may have traded days ago";
  (void)fills(s, reply(trades("")), 0, Records::historical);
  EXPECT_EQ(s.result(1).outcome, LookupOutcome::absent);
}

}  // namespace
}  // namespace gimbal
