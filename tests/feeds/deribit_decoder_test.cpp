// One test per public message, with its literal payload.
#include "tests/feeds/deribit_rig.hpp"

namespace gimbal {
namespace {

using deribit::Ignored;
using deribit::Interval;
using test::book_message;
using test::data_message;
using test::DeribitRig;
using test::px;
using Kinds = std::vector<EventKind>;

constexpr auto snapshot_bids = R"(["new",76914.0,1000200.0],["new",76909.0,4040.0])";
constexpr auto snapshot_asks = R"(["new",76914.5,1.0002e6])";

struct Decoder : testing::Test, DeribitRig {
  void open_book() {
    ASSERT_TRUE(feed->want_book(perp, Interval::raw));
    open(R"("book.BTC-PERPETUAL.raw")");
  }
  void snapshot(std::uint64_t id) {
    ASSERT_EQ(take(book_message("snapshot", id, -1, snapshot_bids, snapshot_asks)),
              DecodeStatus::ok);
  }
};

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

TEST_F(Decoder, OptionTickerCarriesMarkForwardVolatilityAndGreeks) {
  ASSERT_TRUE(feed->want_ticker(option, Interval::ms100));
  open(R"("ticker.BTC-25DEC26-76000-C.100ms")");
  ASSERT_EQ(take(test::fixture("ticker_option.json")), DecodeStatus::ok);
  ASSERT_EQ(batch.committed().size(), 4U);
  PartsBuffer<Ticker> parts;
  EXPECT_FALSE(parts.add(events()[0]));
  EXPECT_FALSE(parts.add(events()[1]));
  ASSERT_TRUE(parts.add(events()[2]));
  const Ticker& t = parts.value();
  EXPECT_EQ(t.mark.nano, 129'600'000);
  EXPECT_EQ(t.index.nano, 83'250'780'000'000);
  EXPECT_EQ(t.underlying.nano, 84'222'230'000'000);
  EXPECT_EQ(t.mark_iv_nano, 382'500'000) << "percent becomes a fraction";
  EXPECT_EQ(t.ask_iv_nano, 403'800'000);
  EXPECT_EQ(t.bid_iv_nano, absent_nano) << "0.0 says that there is none";
  EXPECT_EQ(t.best_bid.nano, absent_nano) << "0.0 says that the side is empty";
  EXPECT_EQ(t.best_ask.nano, 133'000'000);
  EXPECT_EQ(t.delta_nano, 740'920'000);
  EXPECT_EQ(t.gamma_nano, 20'000);
  EXPECT_EQ(t.vega_nano, 132'364'900'000);
  EXPECT_EQ(t.funding_8h_nano, absent_nano);
  EXPECT_EQ(status_at(3).state, FeedState::valid) << "without a book the ticker is the picture";
}

TEST_F(Decoder, PerpetualTickerTakesExponentsNullsAndTexts) {
  ASSERT_TRUE(feed->want_ticker(perp, Interval::raw));
  open(R"("ticker.BTC-PERPETUAL.raw")");
  ASSERT_EQ(take(data_message(
                "ticker.BTC-PERPETUAL.raw",
                R"({"timestamp":1790755218559,"state":"open","stats":{"high":null,"low":null},)"
                R"("index_price":83251.03,"instrument_name":"BTC-PERPETUAL","last_price":null,)"
                R"("mark_price":8.321214e4,"funding_8h":-3.1e-6,"best_ask_price":null,)"
                R"("best_bid_price":83212,"estimated_delivery_price":"expired",)"
                R"("interest_value":-4.467407940520975e-5})")),
            DecodeStatus::ok);
  PartsBuffer<Ticker> parts;
  for (std::size_t i = 0; i < 3; ++i) (void)parts.add(events()[i]);
  EXPECT_EQ(parts.value().mark, px(83212.14));
  EXPECT_EQ(parts.value().funding_8h_nano, -3100);
  EXPECT_EQ(parts.value().best_ask.nano, absent_nano);
  EXPECT_EQ(parts.value().best_bid, px(83212));
}

TEST_F(Decoder, MalformedTickerAlsoResyncsTheBookThatItsStatusInvalidates) {
  ASSERT_TRUE(feed->want_book(perp, Interval::raw));
  ASSERT_TRUE(feed->want_ticker(perp, Interval::raw));
  open(R"("book.BTC-PERPETUAL.raw","ticker.BTC-PERPETUAL.raw")");
  snapshot(1);
  outbox.clear();
  EXPECT_EQ(take(data_message("ticker.BTC-PERPETUAL.raw", R"({"timestamp":1,"mark_price":"x"})")),
            DecodeStatus::malformed);
  EXPECT_EQ(outbox.size(), 4U);
  EXPECT_FALSE(feed->book_valid(perp));
}

TEST_F(Decoder, QuoteGivesTheBestPricesAndNothingElse) {
  ASSERT_TRUE(feed->want_quote(perp));
  open(R"("quote.BTC-PERPETUAL")");
  ASSERT_EQ(take(data_message(
                "quote.BTC-PERPETUAL",
                R"({"timestamp":1654012882984,"instrument_name":"BTC-PERPETUAL",)"
                R"("best_bid_price":32143.0,"best_bid_amount":179960.0,"best_ask_price":null,)"
                R"("best_ask_amount":0.0})")),
            DecodeStatus::ok);
  PartsBuffer<Ticker> parts;
  for (std::size_t i = 0; i < 3; ++i) (void)parts.add(events()[i]);
  EXPECT_EQ(parts.value().best_bid, px(32143));
  EXPECT_EQ(parts.value().best_ask.nano, absent_nano);
  EXPECT_EQ(parts.value().mark.nano, absent_nano);
}

TEST_F(Decoder, TradesKeepTheirSequenceSideAndLiquidation) {
  ASSERT_TRUE(feed->want_trades(perp, Interval::ms100));
  open(R"("trades.BTC-PERPETUAL.100ms")");
  ASSERT_EQ(take(test::fixture("trades.json")), DecodeStatus::ok);
  ASSERT_EQ(kinds(), (Kinds{2, EventKind::trade}));
  const auto first = events()[0].as<Trade>();
  EXPECT_EQ(first.trade_seq, 140284854U);
  EXPECT_EQ(first.taker, Side::buy);
  EXPECT_EQ(first.amount.nano, 8'450'000'000'000);
  EXPECT_EQ(first.liquidation, 0);
  EXPECT_EQ(events()[1].as<Trade>().liquidation, 1);
  EXPECT_EQ(events()[1].as<Trade>().taker, Side::sell);
}

TEST_F(Decoder, PriceIndexAndPerpetualChannelsGiveTheIndex) {
  ASSERT_TRUE(feed->want_price_index("btc_usd", UnderlyingId{4}));
  ASSERT_TRUE(feed->want_perpetual(perp, UnderlyingId{4}, Interval::ms100));
  open(R"("deribit_price_index.btc_usd","perpetual.BTC-PERPETUAL.100ms")");
  ASSERT_EQ(
      take(data_message("deribit_price_index.btc_usd",
                        R"({"timestamp":1535098298227,"price":6521.17,"index_name":"btc_usd"})")),
      DecodeStatus::ok);
  ASSERT_EQ(kinds(), Kinds{EventKind::index_price});
  EXPECT_EQ(events()[0].as<IndexPrice>().price, px(6521.17));
  EXPECT_EQ(events()[0].as<IndexPrice>().underlying, UnderlyingId{4});
  ASSERT_EQ(
      take(data_message("perpetual.BTC-PERPETUAL.100ms",
                        R"({"interest":0.004,"index_price":7872.88,"timestamp":1571386349530})")),
      DecodeStatus::ok);
  EXPECT_EQ(events()[0].as<IndexPrice>().price, px(7872.88));
}

TEST_F(Decoder, MarkPricesOfOptionsAreFractionsAlready) {
  ASSERT_TRUE(feed->want_mark_prices("btc_usd"));
  open(R"("markprice.options.btc_usd")");
  ASSERT_EQ(
      take(data_message("markprice.options.btc_usd",
                        R"([{"timestamp":1622470378005,"mark_price":0.0333,"iv":0.9,)"
                        R"("instrument_name":"BTC-25DEC26-76000-C"},{"timestamp":1622470378005,)"
                        R"("mark_price":0.117,"iv":0.9,"instrument_name":"BTC-2JUN21-40000-C"}])")),
      DecodeStatus::ok);
  ASSERT_EQ(batch.committed().size(), 3U);
  PartsBuffer<Ticker> parts;
  for (std::size_t i = 0; i < 3; ++i) (void)parts.add(events()[i]);
  EXPECT_EQ(parts.value().mark_iv_nano, 900'000'000);
  EXPECT_EQ(feed->counters().ignored[static_cast<std::size_t>(Ignored::unknown_instrument)], 1U);
}

TEST_F(Decoder, InstrumentStateSettlesInvalidatesOrNamesANewListing) {
  ASSERT_TRUE(feed->want_instrument_state("any", "any"));
  open(R"("instrument.state.any.any")");
  const auto state = [](std::string_view name, std::string_view word) {
    return data_message("instrument.state.any.any",
                        R"({"timestamp":1553080940000,"state":")" + std::string{word} +
                            R"(","instrument_name":")" + std::string{name} + "\"}");
  };
  ASSERT_EQ(take(state("BTC-25DEC26", "settled")), DecodeStatus::ok);
  EXPECT_EQ(events()[0].as<InstrumentChange>().change, InstrumentChangeKind::settle);
  ASSERT_EQ(take(state("BTC-25DEC26", "never_seen")), DecodeStatus::ok);
  EXPECT_EQ(events()[0].as<InstrumentChange>().change, InstrumentChangeKind::invalidate);
  EXPECT_EQ(take(state("BTC-22MAR19", "created")), DecodeStatus::ignored);
  EXPECT_EQ(feed->take_listed(), "BTC-22MAR19");
  EXPECT_EQ(feed->take_listed(), "");
}

TEST_F(Decoder, MaintenanceInvalidatesTheSessionUntilItEnds) {
  ASSERT_TRUE(feed->want_book(perp, Interval::raw));
  ASSERT_TRUE(feed->want_platform_state());
  open(R"("book.BTC-PERPETUAL.raw","platform_state")");
  snapshot(1);
  outbox.clear();
  ASSERT_EQ(take(data_message("platform_state", R"({"maintenance":true})")), DecodeStatus::ok);
  EXPECT_EQ(status_at(0).state, FeedState::invalid);
  EXPECT_FALSE(events()[0].instrument.valid());
  ASSERT_EQ(take(data_message("platform_state", R"({"maintenance":false})")),
            DecodeStatus::ignored);
  EXPECT_FALSE(outbox.empty()) << "the books are asked for anew";
}

TEST_F(Decoder, TestRequestIsAnsweredAtOnce) {
  open_book();
  outbox.clear();
  EXPECT_EQ(take(R"({"params":{"type":"test_request"},"method":"heartbeat","jsonrpc":"2.0"})"),
            DecodeStatus::ignored);
  ASSERT_EQ(outbox.size(), 1U);
  EXPECT_EQ(outbox[0], R"({"jsonrpc":"2.0","id":2,"method":"public/test","params":{}})");
  EXPECT_EQ(take(R"({"jsonrpc":"2.0","method":"heartbeat","params":{"type":"heartbeat"}})"),
            DecodeStatus::ignored);
  EXPECT_EQ(outbox.size(), 1U);
}

TEST_F(Decoder, ChannelLeftOutOfTheAnswerIsReported) {
  ASSERT_TRUE(feed->want_book(perp, Interval::raw));
  ASSERT_TRUE(feed->want_book(dated, Interval::raw));
  open(R"("book.BTC-25DEC26.raw")");
  ASSERT_EQ(kinds(), Kinds{EventKind::feed_status});
  EXPECT_EQ(status_at(0).reason, FeedReason::not_accepted);
  EXPECT_EQ(events()[0].instrument, perp);
  EXPECT_EQ(feed->counters().not_accepted, 1U);
}

TEST_F(Decoder, RefusedSubscriptionIsReportedAndARetryableOneRepeated) {
  ASSERT_TRUE(feed->want_book(perp, Interval::raw));
  feed->on_open(now, outbox);
  outbox.clear();
  (void)take(R"({"jsonrpc":"2.0","id":16,"error":{"code":10028,"message":"too_many_requests",)"
             R"("data":null}})");
  EXPECT_TRUE(batch.committed().empty());
  now = now + seconds(1);
  feed->on_timer(now, outbox, batch);
  EXPECT_EQ(outbox.size(), 2U);
  (void)take(R"({"jsonrpc":"2.0","id":18,"error":{"code":13778,)"
             R"("message":"raw_subscriptions_not_available_for_unauthorized"}})");
  EXPECT_EQ(status_at(0).reason, FeedReason::not_accepted);
}

TEST_F(Decoder, AnswerThatNeverComesIsAskedForAgain) {
  ASSERT_TRUE(feed->want_book(perp, Interval::raw));
  feed->on_open(now, outbox);
  outbox.clear();
  now = now + seconds(4);
  feed->on_timer(now, outbox, batch);
  EXPECT_TRUE(outbox.empty());
  now = now + seconds(2);
  feed->on_timer(now, outbox, batch);
  EXPECT_EQ(outbox.size(), 2U);
}

TEST_F(Decoder, SilenceInvalidatesTheSessionOnce) {
  open_book();
  snapshot(1);
  batch.clear();
  now = now + seconds(31);
  feed->on_timer(now, outbox, batch);
  ASSERT_EQ(kinds(), Kinds{EventKind::feed_status});
  EXPECT_EQ(status_at(0).reason, FeedReason::stale);
  batch.clear();
  feed->on_timer(now + seconds(1), outbox, batch);
  EXPECT_TRUE(batch.committed().empty());
}

TEST_F(Decoder, ClosingInvalidatesTheSession) {
  open_book();
  snapshot(1);
  batch.clear();
  feed->on_close(now, batch);
  ASSERT_EQ(kinds(), Kinds{EventKind::feed_status});
  EXPECT_EQ(status_at(0).reason, FeedReason::disconnected);
  EXPECT_FALSE(feed->book_valid(perp));
}

TEST_F(Decoder, CoreMayAskForAFreshBook) {
  open_book();
  snapshot(1);
  batch.clear();
  outbox.clear();
  feed->resync(perp, FeedReason::crossed, now, batch, outbox);
  EXPECT_EQ(status_at(0).reason, FeedReason::crossed);
  EXPECT_EQ(outbox.size(), 2U);
  feed->resync(perp, FeedReason::crossed, now, batch, outbox);
  EXPECT_EQ(outbox.size(), 2U) << "one at a time";
}

TEST_F(Decoder, ForeignAndPrivateMessagesAreCountedNotRefused) {
  open_book();
  EXPECT_EQ(take(data_message("chart.trades.BTC-PERPETUAL.1", R"({"tick":1})")),
            DecodeStatus::ignored);
  EXPECT_EQ(feed->last().ignored, Ignored::other_channel);
  EXPECT_EQ(take(data_message("user.orders.any.any.raw", "{}")), DecodeStatus::ignored);
  EXPECT_EQ(feed->last().ignored, Ignored::private_channel);
  EXPECT_EQ(take(data_message("book.BTC-25DEC26.raw", R"({"anything":[1,{"a":2}]})")),
            DecodeStatus::ignored);
  EXPECT_EQ(feed->last().ignored, Ignored::not_subscribed);
  EXPECT_EQ(take(R"({"jsonrpc":"2.0","id":"nfm000100000001","result":{"version":"1.2.26"}})"),
            DecodeStatus::ignored);
  EXPECT_EQ(feed->last().ignored, Ignored::foreign_reply);
  EXPECT_EQ(take(R"([{"a":1}])"), DecodeStatus::ignored);
  EXPECT_EQ(feed->last().ignored, Ignored::bare_result);
}

TEST_F(Decoder, EscapedMemberNamesAreTheSameNames) {
  open_book();
  EXPECT_EQ(take(R"({"jsonrpc":"2.0","method":"subscription",)"
                 R"("params":{"channel":"book.BTC-PERPETUAL.raw","data":{"timestamp":1,)"
                 R"("\u0074ype":"snapshot","change_id":3,"bids":[],"asks":[]}}})"),
            DecodeStatus::ok);
  EXPECT_EQ(take(R"({"jsonrpc":"2.0","method":"subscription",)"
                 R"("params":{"channel":"book.BTC-PERPETUAL.raw","data":{"timestamp":1,)"
                 R"("type":"snapshot","\u0074ype":"change","change_id":3,"bids":[],"asks":[]}}})"),
            DecodeStatus::malformed);
}

}  // namespace
}  // namespace gimbal
