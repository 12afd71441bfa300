// How long a book is without data at most: the back-off of its resyncs, whatever else goes wrong.
#include "tests/feeds/deribit_rig.hpp"
#include "tests/support/deribit_decoder_fixture.hpp"

namespace gimbal {
namespace {

using test::book_message;
using test::Decoder;
using test::Interval;

constexpr const char* perp_channel = "book.BTC-PERPETUAL.raw";
constexpr const char* option_channel = "book.BTC-25DEC26-76000-C.100ms";

struct Resync : Decoder {
  static std::string quoted(const std::string& channel) { return '"' + channel + '"'; }
  // Lets the timer run for `time`, ten times a second; when the feed first asked for something.
  [[nodiscard]] Nanos asked_within(Nanos time) {
    outbox.clear();
    const RecvTime began = now;
    while (now - began < time) {
      now = now + milliseconds(100);
      feed->on_timer(now, outbox, batch);
      if (!outbox.empty()) return now - began;
    }
    return Nanos{-1};
  }
  // The number of the newest subscription request in the outbox.
  [[nodiscard]] std::string newest_id() {
    const std::string_view text = outbox[outbox.size() - 1];
    const std::size_t at = text.find("\"id\":") + 5;
    return std::string{text.substr(at, text.find(',', at) - at)};
  }
  void accept(const std::string& id, const std::string& channels) {
    (void)take(R"({"jsonrpc":"2.0","id":)" + id + R"(,"result":[)" + channels + "]}");
  }
};

// Twelve times in a row, the snapshot lost or the answer: between two requests never more than the
// longest back-off, though seconds of it pass in waiting for what never comes.
TEST_F(Resync, WhatIsWaitedForInVainIsPartOfTheBackOff) {
  for (const bool answered : {true, false}) {
    make();
    open_book();
    snapshot(100);
    outbox.clear();
    ASSERT_EQ(take(book_message("change", 500, 499, "", "")), DecodeStatus::sequence_gap);
    Nanos longest{};
    for (int failure = 0; failure < 12; ++failure) {
      if (answered) accept(newest_id(), quoted(perp_channel));
      const Nanos waited = asked_within(seconds(30));
      ASSERT_GT(waited.count, 0) << "never asked again";
      EXPECT_GE(waited, config.answer_timeout - milliseconds(1));
      longest = std::max(longest, waited);
    }
    EXPECT_LE(longest, config.resync_delay_max + milliseconds(100)) << answered;
    EXPECT_GE(longest, config.resync_delay_max - milliseconds(100)) << "it backs off all the same";
  }
}

// Five gaps in a row, then a book that is good for three seconds, until its terms change and it is
// asked for by the core: the 1.6 s of the back-off have passed long since its newest request.
TEST_F(Resync, WhatABookWasGoodForIsPartOfTheBackOffToo) {
  make();
  open_book();
  snapshot(100);
  outbox.clear();
  for (int failure = 0; failure < 5; ++failure) {
    ASSERT_EQ(take(book_message("change", 500, 499, "", "")), DecodeStatus::sequence_gap);
    EXPECT_TRUE(!outbox.empty() || asked_within(seconds(5)).count > 0);
    accept(newest_id(), quoted(perp_channel));
    snapshot(100);
    outbox.clear();
  }
  EXPECT_LT(asked_within(seconds(3)).count, 0);
  batch.clear();
  feed->resync(perp, FeedReason::crossed, now, batch, outbox);
  EXPECT_EQ(outbox.size(), 2U) << "at once";
}

// A frame of nobody takes every book: the second one within twenty seconds is backed off, and no
// book goes ahead with requests of its own.
TEST_F(Resync, BooksGivenUpTogetherAreAskedForTogether) {
  ASSERT_TRUE(feed->want_book(perp, Interval::raw));
  ASSERT_TRUE(feed->want_book(option, Interval::ms100));
  const std::string both = quoted(perp_channel) + "," + quoted(option_channel);
  open(both);
  const auto snapshots = [&](std::uint64_t id) {
    snapshot(id);
    std::string other = book_message("snapshot", id, -1, "", "", option_channel);
    const std::string_view name = "BTC-PERPETUAL";
    other.replace(other.find(name), name.size(), "BTC-25DEC26-76000-C");
    ASSERT_EQ(take(other), DecodeStatus::ok);
  };
  snapshots(100);
  now = now + seconds(8);  // long accepted
  for (const std::int64_t wait_ms : {0, 100, 200, 400, 800, 1600}) {
    outbox.clear();
    ASSERT_EQ(take("{\"jsonrpc\":"), DecodeStatus::malformed);
    const RecvTime failed = now;
    int looks = 0;
    for (; outbox.empty() && looks < 200; ++looks) {
      now = now + milliseconds(20);
      feed->on_timer(now, outbox, batch);
    }
    ASSERT_EQ(outbox.size(), 2U) << "both books in one request, behind " << wait_ms << " ms";
    EXPECT_NE(outbox[1].find(both), std::string_view::npos) << outbox[1];
    if (wait_ms > 0) { EXPECT_GE(now - failed, milliseconds(wait_ms)); }
    EXPECT_LE(now - failed, milliseconds(wait_ms + 40));
    accept(newest_id(), both);
    snapshots(200);
    EXPECT_TRUE(feed->book_valid(perp));
    now = now + seconds(6);
  }
}

// Books and tickers by turns, as the app wants them. The answer lost, refused for the rate, the
// snapshots lost: whatever is due again leaves in as few requests as it came in.
TEST_F(Resync, WhatWasAskedForTogetherIsAskedForTogetherAgain) {
  for (const InstrumentId id : {perp, option, dated}) {
    ASSERT_TRUE(feed->want_book(id, Interval::ms100));
    ASSERT_TRUE(feed->want_ticker(id, Interval::ms100));
  }
  std::string books;
  std::string all;
  for (const char* name : {"BTC-PERPETUAL", "BTC-25DEC26-76000-C", "BTC-25DEC26"}) {
    const std::string book = quoted("book." + std::string{name} + ".100ms");
    books += (books.empty() ? "" : ",") + book;
    all += (all.empty() ? "" : ",") + book + "," + quoted("ticker." + std::string{name} + ".100ms");
  }
  const auto expect_one = [&](const std::string& channels, const char* behind) {
    ASSERT_GT(asked_within(seconds(10)).count, 0) << behind;
    ASSERT_EQ(outbox.size(), 2U) << "unsubscribe and subscribe, behind " << behind;
    for (std::size_t n = 0; n < 2; ++n) {
      EXPECT_NE(outbox[n].find("[" + channels + "]"), std::string_view::npos) << outbox[n];
    }
  };
  const auto refuse = [&] {
    (void)take(R"({"jsonrpc":"2.0","id":)" + newest_id() +
               R"(,"error":{"code":10028,"message":"too_many_requests"}})");
  };
  feed->on_open(now, outbox);
  for (int failure = 0; failure < 3; ++failure) expect_one(all, "a lost answer");
  for (int failure = 0; failure < 3; ++failure) {
    refuse();
    expect_one(all, "a refusal");
  }
  accept(newest_id(), all);
  expect_one(books, "lost snapshots");
  config.subscribe_batch = 4;
  make();
  for (const InstrumentId id : {perp, option, dated}) {
    ASSERT_TRUE(feed->want_book(id, Interval::ms100));
    ASSERT_TRUE(feed->want_ticker(id, Interval::ms100));
  }
  feed->on_open(now, outbox);
  ASSERT_GT(asked_within(seconds(10)).count, 0);
  EXPECT_EQ(outbox.size(), 4U) << "six channels, four in a request";
}

// Found by the fuzzer: a feed that learns its channels, as the tools that read recordings have it.
TEST(LearningFeed, TakesAChannelThatNamesNoInstrument) {
  deribit::SymbolTable symbols{4};
  deribit::FeedConfig config;
  config.learn = true;
  deribit::DeribitFeed feed{config, symbols};
  EventBatch batch{64};
  Outbox outbox;
  feed.on_open(RecvTime{1}, outbox);
  for (const char* channel : {"ticker..raw", "quote.", "book..raw", "perpetual..raw", "ticker.."}) {
    test::FrameBytes bytes{R"({"jsonrpc":"2.0","method":"subscription","params":{"channel":")" +
                           std::string{channel} + R"(","data":{"timestamp":1}}})"};
    batch.clear();
    EXPECT_NE(feed.on_frame(bytes.frame(), RecvTime{2}, batch, outbox), DecodeStatus::ok);
    for (const Event& e : batch.committed()) EXPECT_EQ(e.kind(), EventKind::feed_status) << channel;
  }
  feed.on_timer(RecvTime{seconds(60).count}, outbox, batch);
  feed.on_close(RecvTime{seconds(61).count}, batch);
}

}  // namespace
}  // namespace gimbal
