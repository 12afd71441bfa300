// Orders in doubt are looked up by lists that they share, page by page, and then by label.
#include <atomic>
#include <set>
#include "ops/app/query_loop.hpp"
#include "ops/app/query_queue.hpp"
#include "tests/app/look_up_rig.hpp"

namespace gimbal {
namespace {

using test::look_ups::answered_ms;
using test::look_ups::Answers;
using test::look_ups::label_text;
using test::look_ups::LookUps;
using test::look_ups::order_of;
using test::look_ups::row;
using test::look_ups::sent_ms;

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

// A sweep fills many orders in one millisecond, and a page may end between them. The venue does not
// say whether a span has its last millisecond in it.
TEST_F(LookUps, PagesThatMeetInOneMillisecondHaveAllOfItsTrades) {
  make(false);
  venue->others_trades = 4'000;
  venue->trades_a_ms = 3;
  for (const bool counts : {true, false}) {
    venue->end_counts = counts;
    for (const std::int64_t n : {999, 1'000, 1'001}) {  // of one millisecond; a page has 1,000
      venue->our_trade = n;
      look_up(orders(2));
      EXPECT_EQ(found[0].outcome, LookupOutcome::cancelled) << counts << n;
      EXPECT_EQ(found[0].filled, Qty{10'000'000'000}) << counts << n;
      EXPECT_EQ(found[1].outcome, LookupOutcome::absent) << counts << n;
    }
  }
  venue->trades_a_ms = 1'500;  // more than a page has: that cannot be passed
  look_up(orders(2));
  EXPECT_EQ(found[1].outcome, LookupOutcome::unproven);
  EXPECT_EQ(venue->asked("get_user_trades").size(), 2U);
}

// The next page would begin before what the first one told, with all newer ones left out.
TEST_F(LookUps, AListThatComesOldestFirstProvesNothing) {
  make(false);
  venue->oldest_first = true;
  venue->others_trades = 2'500;
  venue->our_trade = 0;
  look_up(orders(2));
  EXPECT_EQ(found[0].outcome, LookupOutcome::unproven);
  EXPECT_EQ(found[1].outcome, LookupOutcome::unproven);
  EXPECT_EQ(venue->asked("get_user_trades").size(), 1U);
  venue->others_trades = 900;  // all on one page
  look_up(orders(2));
  EXPECT_EQ(found[0].outcome, LookupOutcome::cancelled);
  EXPECT_EQ(found[1].outcome, LookupOutcome::absent);
  venue->others_trades = 0;
  venue->others_orders = 2'500;
  look_up(orders(1));
  EXPECT_EQ(found[0].outcome, LookupOutcome::unproven);
  EXPECT_EQ(venue->asked("get_order_history").size(), 1U);
}

TEST_F(LookUps, AnEmptyPageOfTradesWithMoreBehindItProvesNothing) {
  make(false);
  venue->no_rows_yet_more = true;
  look_up(orders(1));
  EXPECT_EQ(found[0].outcome, LookupOutcome::unproven);
  EXPECT_EQ(venue->asked("get_user_trades").size(), 1U);
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

TEST_F(LookUps, WhileAPictureWaitsTheFirstPageOfEachListIsReadAndNoOther) {
  make(true);
  queries->give_way_to_pictures_when([] { return true; });
  venue->others_orders = 20'000;
  venue->others_trades = 100'000;
  look_up(orders(20));
  EXPECT_EQ(venue->asked("get_order_history").size(), 1U);
  EXPECT_EQ(venue->asked("get_user_trades").size(), 1U);
  EXPECT_EQ(venue->asked("get_order_state_by_label").size(), 1U);
  EXPECT_EQ(venue->calls.size(), 4U);
  venue->others_orders = 0;
  venue->others_trades = 900;
  look_up(orders(20));
  for (const OrderLookup& one : found) EXPECT_EQ(one.outcome, LookupOutcome::absent);
}

TEST_F(LookUps, ALookUpReadsNoFurtherPageAfterItsTime) {
  make(true);
  venue->others_orders = 20'000;
  venue->others_trades = 100'000;
  // The last call that begins within the time is that which begins after `ms` x calls.
  for (const auto& [ms, pages] : {std::pair{500, 3U}, std::pair{499, 4U}, std::pair{3'000, 1U}}) {
    venue->a_call_takes = milliseconds(ms);
    look_up(orders(20));
    EXPECT_EQ(venue->asked("get_order_history").size(), pages) << ms;
    EXPECT_EQ(venue->asked("get_user_trades").size(), 1U) << ms;
    EXPECT_EQ(venue->asked("get_order_state_by_label").size(), 1U) << ms;
  }
}

TEST_F(LookUps, AnOrderWithoutADateDoesNotMakeTheOthersAskSince1970) {
  make(true);
  std::vector<QueryOrder> asked = orders(3);
  asked[1].sent = {};
  look_up(asked);
  const auto trades = venue->asked("get_user_trades");
  ASSERT_GE(trades.size(), 3U);
  constexpr std::int64_t day_ms = 24LL * 3600 * 1000;
  EXPECT_EQ(Answers::number(trades[0], "start_timestamp", 0), sent_ms - 60'000);
  EXPECT_GT(Answers::number(trades[1], "start_timestamp", 1), answered_ms - day_ms)
      << "the venue may answer with none when it is asked for what it no longer keeps";
  EXPECT_EQ(Answers::number(trades[2], "start_timestamp", 1), 0) << "by itself";
  EXPECT_NE(trades[2].find("historical"), std::string::npos);
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

// The core asks for a picture while the query thread reads page after page.
TEST_F(LookUps, APictureThatIsAskedForInTheMiddleEndsTheReadingOfPages) {
  make(false);
  QueryRing tasks{16};
  EventRing events{4096};
  GatePage page;
  const TscClock clock;
  std::vector<std::string> said;
  QueryLoop loop{
      *queries, tasks,      events,       page,
      clock,    VenueId{0}, seconds(600), [&](const std::string& text) { said.push_back(text); }};
  venue->others_orders = 20'000;
  QueryTask task;
  task.kind = CommandKind::query_order;
  task.query = orders(1)[0];
  ASSERT_TRUE(tasks.push(task));
  std::atomic<bool> stop{false};
  venue->heard = [&] {
    const std::size_t pages = venue->asked("get_order_history").size();
    QueryTask picture;
    picture.kind = CommandKind::reconcile;
    if (pages == 3 && venue->calls.back().find("history") != std::string::npos) {
      ASSERT_TRUE(tasks.push(picture));
    }
    if (venue->calls.back().find("get_positions") != std::string::npos) stop = true;
  };
  loop.run(stop);
  EXPECT_EQ(venue->asked("get_order_history").size(), 3U);
  EXPECT_GE(venue->asked("get_positions").size(), 1U);
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
