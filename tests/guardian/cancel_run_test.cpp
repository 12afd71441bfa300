// A fire at the venue: what is sent, when it counts as confirmed, and what is left alone.
#include "ops/guardian/cancel_run.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace gimbal::guardian {
namespace {

constexpr const char* ours = "gdemo-0000010000000009-00000000";

// A venue of its own: answers after `lag`, may lose the connection.
struct FakeVenue final : CancelDoor {
  bool up{true};
  Nanos lag{milliseconds(3)};
  RecvTime now{seconds(10).count};
  std::vector<OpenRow> book;
  std::vector<std::string> sent;
  bool ignores_cancels{false};

  struct Due {
    RecvTime at{};
    std::string text;
    std::uint64_t question{0};
  };
  std::vector<Due> pending;
  OpenPicture shown;
  std::uint64_t questions{0};
  std::size_t waiting{0};

  bool ready() const override { return up; }
  bool take(const std::string& text) {
    if (!up) return false;
    sent.push_back(text);
    ++waiting;
    pending.push_back({now + lag, text, 0});
    return true;
  }
  bool cancel_all() override { return take("all"); }
  bool cancel_label(std::string_view label) override { return take("label " + std::string{label}); }
  bool cancel_order(std::string_view id) override { return take("id " + std::string{id}); }
  RecvTime sent_at() const override { return now; }
  std::uint64_t ask_open() override {
    if (!up) return 0;
    pending.push_back({now + lag, "", ++questions});
    return questions;
  }
  const OpenPicture& picture() const override { return shown; }
  std::size_t unanswered() const override { return waiting; }

  void drop() {
    up = false;
    pending.clear();
    waiting = 0;
  }
  void answer() {
    while (!pending.empty() && pending.front().at <= now) {
      const Due due = pending.front();
      pending.erase(pending.begin());
      if (due.question != 0) {
        shown = OpenPicture{due.question, book};
        continue;
      }
      --waiting;
      if (ignores_cancels) continue;
      std::erase_if(book, [&](const OpenRow& row) {
        return due.text == "all" || due.text == "label " + row.label ||
               due.text == "id " + row.order_id;
      });
    }
  }
};

struct CancelRunTest : testing::Test {
  FakeVenue venue;
  RunSetup setup{true, "demo", seconds(1), 5, 20};
  std::unique_ptr<CancelRun> run;
  int news{0};

  void start(std::vector<std::string> labels = {}) {
    run = std::make_unique<CancelRun>(setup);
    run->start(venue.now, std::move(labels));
    run->step(venue.now, venue);
  }
  void pass(Nanos d) {
    const RecvTime end = venue.now + d;
    while (venue.now < end) {
      venue.now = venue.now + milliseconds(1);
      venue.answer();
      run->step(venue.now, venue);
      news += run->take_news() ? 1 : 0;
    }
  }
};

TEST_F(CancelRunTest, K04SendsTheMassCancelInTheVeryStepOfTheFire) {
  venue.book = {{"1", ours, "BTC-PERPETUAL"}, {"2", "by hand", "ETH-PERPETUAL"}};
  start();
  EXPECT_EQ(venue.sent, std::vector<std::string>{"all"});
  EXPECT_EQ(run->report().first_cancel, venue.now);
  pass(milliseconds(20));
  EXPECT_TRUE(run->report().confirmed);
  EXPECT_FALSE(run->report().final) << "an order may still be on its way";
  EXPECT_EQ(news, 1);
}

TEST_F(CancelRunTest, K04IsFinalOnlyAfterWhatWasOnItsWayCouldHaveArrived) {
  start();
  pass(milliseconds(500));
  EXPECT_TRUE(run->report().confirmed);
  venue.book = {{"9", ours, "BTC-PERPETUAL"}};  // it arrives late
  pass(milliseconds(490));
  EXPECT_FALSE(run->report().final);
  pass(milliseconds(200));
  EXPECT_TRUE(run->report().final);
  EXPECT_TRUE(run->report().confirmed);
  EXPECT_TRUE(venue.book.empty());
  EXPECT_EQ(venue.sent.size(), 2u);
  EXPECT_EQ(run->report().open_max, 1u);
  EXPECT_FALSE(run->active());
}

TEST_F(CancelRunTest, K04AnOpenOrderIsNeverConfirmedAwayAndIsCancelledAgain) {
  venue.book = {{"1", ours, "BTC-PERPETUAL"}};
  venue.ignores_cancels = true;
  start();
  pass(seconds(10));
  EXPECT_FALSE(run->report().confirmed);
  EXPECT_EQ(run->report().still_open, 1u);
  EXPECT_GE(venue.sent.size(), 8u);
  EXPECT_LE(venue.sent.size(), 25u) << "no storm: the waits double up to a second";
  EXPECT_TRUE(run->active());
  venue.ignores_cancels = false;
  pass(seconds(2));
  EXPECT_TRUE(run->report().final);
}

TEST_F(CancelRunTest, K04AVenueThatIsAwayIsCancelledAsSoonAsItIsBack) {
  venue.book = {{"1", ours, "BTC-PERPETUAL"}};
  venue.up = false;
  start();
  pass(seconds(3));
  EXPECT_TRUE(venue.sent.empty());
  EXPECT_FALSE(run->report().confirmed);
  venue.up = true;
  pass(milliseconds(1));
  EXPECT_EQ(venue.sent.size(), 1u);
  venue.drop();  // and it goes away again before it answers
  pass(seconds(1));
  venue.up = true;
  pass(milliseconds(50));
  EXPECT_EQ(venue.sent.size(), 2u);
  EXPECT_TRUE(run->report().final);
}

TEST_F(CancelRunTest, R04InASharedAccountOnlyOrdersOfOursAreCancelled) {
  setup.own_account = false;
  const std::string other_boot = "gdemo-0000020000000001-1234abcd";
  venue.book = {{"1", ours, "BTC-PERPETUAL"},
                {"2", "by hand", "BTC-PERPETUAL"},
                {"3", other_boot, "BTC-PERPETUAL"},
                {"4", "gother-0000010000000009-00000000", "BTC-PERPETUAL"},
                {"5", "", "BTC-PERPETUAL"}};
  start({ours});
  EXPECT_EQ(venue.sent, std::vector<std::string>{std::string{"label "} + ours});
  pass(seconds(2));
  EXPECT_EQ(venue.sent.back(), "id 3") << "of another boot: found in the venue's picture";
  EXPECT_EQ(std::count(venue.sent.begin(), venue.sent.end(), "all"), 0);
  ASSERT_EQ(venue.book.size(), 3u);
  EXPECT_TRUE(run->report().final);
}

TEST_F(CancelRunTest, T01CancelsByIdStayInsideTheAccountsRate) {
  setup.own_account = false;
  setup.burst = 10;
  setup.rate_per_s = 5;
  for (int i = 0; i < 30; ++i) {
    venue.book.push_back({std::to_string(i),
                          "gdemo-00000100000000" + std::to_string(10 + i) + "-00000000",
                          "BTC-PERPETUAL"});
  }
  start();
  pass(seconds(1));
  EXPECT_LE(venue.sent.size(), 15u);
  pass(seconds(2));
  EXPECT_LE(venue.sent.size(), 25u);
  pass(seconds(5));
  EXPECT_TRUE(venue.book.empty());
  EXPECT_TRUE(run->report().final);
}

TEST_F(CancelRunTest, K04ASecondFireStartsOver) {
  start();
  pass(seconds(2));
  ASSERT_TRUE(run->report().final);
  venue.book = {{"1", ours, "BTC-PERPETUAL"}};
  run->start(venue.now, {});
  EXPECT_FALSE(run->report().confirmed);
  pass(seconds(2));
  EXPECT_TRUE(run->report().final);
  EXPECT_TRUE(venue.book.empty());
}

}  // namespace
}  // namespace gimbal::guardian
