// One test per public message, with its literal payload.
#include "tests/feeds/deribit_rig.hpp"
#include "tests/support/deribit_decoder_fixture.hpp"

namespace gimbal {
namespace {

using deribit::Ignored;
using deribit::Interval;
using test::book_message;
using test::data_message;
using test::Decoder;
using test::DeribitRig;
using test::px;
using test::snapshot_asks;
using test::snapshot_bids;
using Kinds = std::vector<EventKind>;

TEST_F(Decoder, OpeningSetsTheHeartbeatAndSubscribesWhatIsWanted) {
  ASSERT_TRUE(feed->want_book(perp, Interval::ms100));
  ASSERT_TRUE(feed->want_ticker(option, Interval::ms100));
  EXPECT_FALSE(feed->want_book(perp, Interval::ms100)) << "the same channel twice";
  EXPECT_FALSE(feed->want_book(InstrumentId{40}, Interval::raw)) << "an id without a name";
  feed->on_open(now, outbox);
  ASSERT_EQ(outbox.size(), 2U);
  EXPECT_EQ(outbox[0],
            R"({"jsonrpc":"2.0","id":1,"method":"public/set_heartbeat","params":{"interval":10}})");
  EXPECT_EQ(
      outbox[1],
      R"({"jsonrpc":"2.0","id":16,"method":"public/subscribe",)"
      R"("params":{"channels":["book.BTC-PERPETUAL.100ms","ticker.BTC-25DEC26-76000-C.100ms"]}})");
}

TEST_F(Decoder, SnapshotResetsThenFillsTheBookAndMakesItValid) {
  open_book();
  EXPECT_FALSE(feed->book_valid(perp));
  snapshot(118850968930);
  ASSERT_EQ(kinds(), (Kinds{EventKind::book_reset, EventKind::book_delta, EventKind::book_delta,
                            EventKind::book_delta, EventKind::feed_status}));
  const auto all = events();
  EXPECT_EQ(all[0].as<BookReset>().change_id, 118850968930U);
  const auto bid = all[1].as<BookDelta>();
  EXPECT_EQ(bid.price, px(76914.0));
  EXPECT_EQ(bid.amount.nano, 1'000'200'000'000'000);
  EXPECT_EQ(bid.side, Side::buy);
  const auto ask = all[3].as<BookDelta>();
  EXPECT_EQ(ask.amount, bid.amount) << "an exponent number is the same number";
  EXPECT_EQ(ask.side, Side::sell);
  EXPECT_EQ(status_at(4).state, FeedState::valid);
  EXPECT_EQ(status_at(4).reason, FeedReason::connected);
  for (const Event& e : all) {
    EXPECT_EQ(e.has(event_flag::last_in_packet), &e == &all.back());
    EXPECT_EQ(e.instrument, perp);
    EXPECT_EQ(e.venue, VenueId{3});
    EXPECT_EQ(e.recv, now);
  }
  EXPECT_EQ(all[0].exch, from_unix_ms(1789344931639));
  EXPECT_TRUE(all[0].has(event_flag::snapshot));
  EXPECT_TRUE(feed->book_valid(perp));
}

TEST_F(Decoder, ChangeWithItsPreviousIdLastFollowsTheChain) {
  open_book();
  snapshot(118850968930);
  ASSERT_EQ(take(book_message("change", 118850969743, 118850968930,
                              R"(["change",76914.0,5.0],["delete",76909.0,0.0])",
                              R"(["new",77023.0,10])")),
            DecodeStatus::ok);
  ASSERT_EQ(kinds(), (Kinds{3, EventKind::book_delta}));
  EXPECT_EQ(events()[1].as<BookDelta>().amount, Qty{});
  EXPECT_EQ(events()[2].as<BookDelta>().change_id, 118850969743U);
  EXPECT_TRUE(events()[2].has(event_flag::last_in_packet));
}

TEST_F(Decoder, MemberOrderDoesNotMatter) {
  open_book();
  snapshot(10);
  EXPECT_EQ(
      take(R"({"params":{"data":{"prev_change_id":10,"asks":[],"bids":[["new",5.5,1]],)"
           R"("type":"change","change_id":11,"instrument_name":"BTC-PERPETUAL","timestamp":1},)"
           R"("channel":"book.BTC-PERPETUAL.raw"},"method":"subscription","jsonrpc":"2.0"})"),
      DecodeStatus::ok);
  ASSERT_EQ(kinds(), Kinds{EventKind::book_delta});
  EXPECT_EQ(events()[0].as<BookDelta>().price, px(5.5));
}

TEST_F(Decoder, MessagesOf2020WithoutTypeAreTold) {
  open_book();
  EXPECT_EQ(take(book_message("", 7, -1, snapshot_bids, snapshot_asks)), DecodeStatus::ok);
  EXPECT_EQ(kinds().front(), EventKind::book_reset);
  EXPECT_EQ(take(book_message("", 8, 7, snapshot_bids, "")), DecodeStatus::ok);
  EXPECT_EQ(kinds().front(), EventKind::book_delta);
}

TEST_F(Decoder, EmptyBookMayStartItsChainAtZero) {
  open_book();
  EXPECT_EQ(take(book_message("snapshot", 500, -1, "", "")), DecodeStatus::ok);
  EXPECT_EQ(take(book_message("change", 14617771529, 0, snapshot_bids, "")), DecodeStatus::ok);
  EXPECT_EQ(take(book_message("change", 14617771530, 0, snapshot_bids, "")),
            DecodeStatus::sequence_gap)
      << "only the first change may";
}

TEST_F(Decoder, GapGivesOneStatusAndOneResync) {
  open_book();
  snapshot(100);
  outbox.clear();
  EXPECT_EQ(take(book_message("change", 102, 101, snapshot_bids, "")), DecodeStatus::sequence_gap);
  ASSERT_EQ(kinds(), Kinds{EventKind::feed_status});
  EXPECT_EQ(status_at(0).state, FeedState::invalid);
  EXPECT_EQ(status_at(0).reason, FeedReason::sequence_gap);
  EXPECT_EQ(status_at(0).expected, 100U);
  EXPECT_EQ(status_at(0).found, 101U);
  ASSERT_EQ(outbox.size(), 2U);
  EXPECT_NE(
      outbox[0].find(
          R"("method":"public/unsubscribe","params":{"channels":["book.BTC-PERPETUAL.raw"]})"),
      std::string_view::npos);
  EXPECT_NE(outbox[1].find(
                R"("method":"public/subscribe","params":{"channels":["book.BTC-PERPETUAL.raw"]})"),
            std::string_view::npos);
  outbox.clear();
  EXPECT_EQ(take(book_message("change", 103, 102, snapshot_bids, "")), DecodeStatus::ignored);
  EXPECT_EQ(feed->last().ignored, Ignored::change_before_snapshot);
  EXPECT_TRUE(outbox.empty()) << "one resync at a time";
  EXPECT_FALSE(feed->book_valid(perp));
  snapshot(200);
  EXPECT_EQ(status_at(4).reason, FeedReason::resynced);
}

TEST_F(Decoder, RepeatedFailureBacksOffAndStaysInvalid) {
  open_book();
  snapshot(100);
  std::int64_t id = 16;
  int asked_at_once = 0;
  for (int round = 0; round < 4; ++round) {
    outbox.clear();
    (void)take(book_message("change", 500, 499, "", ""));
    if (!outbox.empty()) {
      ++asked_at_once;
    } else {
      feed->on_timer(now, outbox, batch);
      EXPECT_TRUE(outbox.empty()) << "asked again before the back-off";
      now = now + seconds(2);
      feed->on_timer(now, outbox, batch);
      EXPECT_EQ(outbox.size(), 2U) << "not asked again after the back-off";
    }
    id += 2;
    (void)take(R"({"jsonrpc":"2.0","id":)" + std::to_string(id) +
               R"(,"result":["book.BTC-PERPETUAL.raw"]})");
    snapshot(100);
  }
  EXPECT_EQ(asked_at_once, 1);
}

TEST_F(Decoder, MalformedFrameLeavesNothingButTheStatus) {
  open_book();
  snapshot(100);
  outbox.clear();
  EXPECT_EQ(take(book_message("change", 101, 100, R"(["new",1,1],["new",2,-1])", "")),
            DecodeStatus::malformed);
  ASSERT_EQ(kinds(), Kinds{EventKind::feed_status});
  EXPECT_EQ(status_at(0).reason, FeedReason::malformed);
  EXPECT_EQ(events()[0].instrument, perp);
  EXPECT_EQ(outbox.size(), 2U);
}

TEST_F(Decoder, UnreadableFrameInvalidatesTheSession) {
  open_book();
  snapshot(100);
  outbox.clear();
  EXPECT_EQ(take(R"({"jsonrpc":"2.0","method":"subscrip)"), DecodeStatus::malformed);
  ASSERT_EQ(kinds(), Kinds{EventKind::feed_status});
  EXPECT_FALSE(events()[0].instrument.valid());
  EXPECT_FALSE(feed->book_valid(perp));
  EXPECT_EQ(outbox.size(), 2U);
}

TEST_F(Decoder, RefusesWhatItCannotTrust) {
  const auto change = [](std::string_view bids) { return book_message("change", 2, 1, bids, ""); };
  const std::string deep(5000, '[');
  const std::vector<std::string> refused{
      change(R"(["new",1e400,1])"),
      change(R"(["new",0.0000000001,1])"),
      change(R"(["new","1",1])"),
      change(R"(["new",null,1])"),
      change(R"(["swap",1,1])"),
      change(R"(["new",1])"),
      change(R"(["new",1,1,1])"),
      change(R"({"new":1})"),
      change(R"(["new",1,1],)"),
      book_message("chang", 2, 1, "", ""),
      book_message("change", 2, -1, "", ""),
      data_message("book.BTC-PERPETUAL.raw", "null"),
      data_message("book.BTC-PERPETUAL.raw", "[]"),
      data_message("book.BTC-PERPETUAL.raw", R"({"timestamp":1,"change_id":2})"),
      data_message("book.BTC-PERPETUAL.raw",
                   R"({"timestamp":1,"change_id":2,"change_id":2,"bids":[],"asks":[]})"),
      data_message("book.BTC-PERPETUAL.raw",
                   R"({"timestamp":-1,"change_id":2,"bids":[],"asks":[]})"),
      data_message("book.BTC-PERPETUAL.raw",
                   R"({"timestamp":1,"change_id":2.5,"bids":[],"asks":[]})"),
      data_message(
          "book.BTC-PERPETUAL.raw",
          R"({"timestamp":1,"change_id":2,"instrument_name":"ETH-PERPETUAL","bids":[],"asks":[]})"),
      data_message("book.BTC-PERPETUAL.raw",
                   R"({"timestamp":1,"change_id":2,"bids":[],"asks":[],"x":)" + deep + "}"),
      data_message("book.BTC-PERPETUAL.raw",
                   R"({"timestamp":1,"change_id":2,"bids":[],"asks":[],"x":)" +
                       std::string(40, '[') + std::string(40, ']') + "}"),
      data_message("book.BTC-PERPETUAL.raw",
                   R"({"timestamp":1,"change_id":2,"bids":[],"asks":[],"x":nope})"),
      book_message("change", 2, 1, "", "") + "{}",
      "",
      "x",
      "17",
      "\"text\"",
      "{",
      "{\"a\"",
      "[1,2",
      "\xff\xfe{}",
      R"({"method":"subscription","params":{}})",
      R"({"method":"subscription","method":"subscription"})"};
  for (const std::string& text : refused) {
    DeribitRig rig;
    ASSERT_TRUE(rig.feed->want_book(rig.perp, Interval::raw));
    rig.open(R"("book.BTC-PERPETUAL.raw")");
    ASSERT_EQ(rig.take(book_message("snapshot", 1, -1, snapshot_bids, "")), DecodeStatus::ok);
    EXPECT_EQ(rig.take(text), DecodeStatus::malformed) << text.substr(0, 200);
    EXPECT_EQ(rig.kinds(), Kinds{EventKind::feed_status}) << text.substr(0, 200);
    EXPECT_FALSE(rig.feed->last().reason.empty());
    EXPECT_FALSE(rig.feed->book_valid(rig.perp));
  }
}

TEST_F(Decoder, FrameWithoutPaddingOrOverTheLimitIsRefused) {
  open_book();
  std::string text = book_message("snapshot", 1, -1, "", "");
  EXPECT_EQ(feed->on_frame({text.data(), text.size(), text.size()}, now, batch, outbox),
            DecodeStatus::malformed);
  config.frame_max = 1000;
  make();
  ASSERT_TRUE(feed->want_book(perp, Interval::raw));
  feed->on_open(now, outbox);
  EXPECT_EQ(take(std::string(1001, ' ') + "{}"), DecodeStatus::malformed);
}

TEST_F(Decoder, SnapshotLargerThanTheBatchIsRefusedWhole) {
  open_book();
  batch = EventBatch{2};
  EXPECT_EQ(take(book_message("snapshot", 1, -1, snapshot_bids, snapshot_asks)),
            DecodeStatus::malformed);
  ASSERT_EQ(kinds(), Kinds{EventKind::feed_status});
  EXPECT_EQ(status_at(0).reason, FeedReason::overload);
}

TEST_F(Decoder, GroupedBookIsAFullPictureEachTime) {
  ASSERT_TRUE(feed->want_grouped_book(perp, "none", 20, Interval::ms100));
  open(R"("book.BTC-PERPETUAL.none.20.100ms")");
  const auto picture = data_message(
      "book.BTC-PERPETUAL.none.20.100ms",
      R"({"timestamp":1653983481909,"instrument_name":"BTC-PERPETUAL","change_id":45176552517,)"
      R"("bids":[[31523.5,128780.0]],"asks":[[31524.0,30.0]]})");
  EXPECT_EQ(take(picture), DecodeStatus::ok);
  EXPECT_EQ(kinds(), (Kinds{EventKind::book_reset, EventKind::book_delta, EventKind::book_delta,
                            EventKind::feed_status}));
  EXPECT_EQ(take(picture), DecodeStatus::ok);
  EXPECT_EQ(kinds().size(), 3U) << "valid already";
}

}  // namespace
}  // namespace gimbal
