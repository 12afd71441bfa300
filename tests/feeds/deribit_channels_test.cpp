// One test per public message that is no book, and the life of the session.
#include "tests/feeds/deribit_rig.hpp"
#include "tests/support/deribit_decoder_fixture.hpp"

namespace gimbal {
namespace {

using deribit::Ignored;
using deribit::Interval;
using test::data_message;
using test::Decoder;
using test::px;
using Kinds = std::vector<EventKind>;

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

// What is listed between the list at the start, or the end of a connection, and the subscription is
// in no message: the list is out of date at each confirmed subscription.
TEST_F(Decoder, EachConfirmedSubscriptionToInstrumentStateIsAReasonToReadTheList) {
  ASSERT_TRUE(feed->want_instrument_state("any", "any"));
  EXPECT_EQ(feed->counters().listings, 0U);
  open(R"("instrument.state.any.any")");
  EXPECT_EQ(feed->counters().listings, 1U);
  feed->on_open(now, outbox);  // another connection
  EXPECT_EQ(feed->counters().listings, 1U) << "asked for, not confirmed";
  take(R"({"jsonrpc":"2.0","id":17,"result":["instrument.state.any.any"]})");
  EXPECT_EQ(feed->counters().listings, 2U);
  feed->on_open(now, outbox);
  take(R"({"jsonrpc":"2.0","id":18,"result":[]})");
  EXPECT_EQ(feed->counters().listings, 2U) << "refused";
}

// A name that the table got while running is not read before the session says so.
TEST_F(Decoder, WhatInstrumentStateSaysOfANameThatIsNotKnownYetIsIgnored) {
  ASSERT_TRUE(feed->want_instrument_state("any", "any"));
  open(R"("instrument.state.any.any")");
  const std::string settled = data_message(
      "instrument.state.any.any",
      R"({"timestamp":1553080940000,"state":"settled","instrument_name":"BTC-25DEC26"})");
  const InstrumentId id = symbols.find("BTC-25DEC26");
  feed->know(id.value);
  EXPECT_EQ(take(settled), DecodeStatus::ignored);
  EXPECT_EQ(feed->counters().ignored[static_cast<std::size_t>(Ignored::unknown_instrument)], 1U);
  feed->know(std::size_t{id.value} + 1);
  ASSERT_EQ(take(settled), DecodeStatus::ok);
  EXPECT_EQ(events()[0].instrument, id);
}

TEST_F(Decoder, AnInstrumentListedWhileRunningIsAskedForAloneAndOneThatEndedNeverAgain) {
  ASSERT_TRUE(feed->want_book(perp, Interval::raw));
  open(R"("book.BTC-PERPETUAL.raw")");
  snapshot(1);
  ASSERT_TRUE(feed->want_book(option, Interval::ms100));
  outbox.clear();
  feed->subscribe_new(now, outbox);
  ASSERT_EQ(outbox.size(), 1U);
  EXPECT_NE(outbox[0].find("book.BTC-25DEC26-76000-C.100ms"), std::string_view::npos);
  EXPECT_EQ(outbox[0].find("BTC-PERPETUAL"), std::string_view::npos);
  outbox.clear();
  feed->retire(perp, now, outbox);
  ASSERT_EQ(outbox.size(), 1U);
  EXPECT_NE(outbox[0].find("unsubscribe"), std::string_view::npos);
  EXPECT_EQ(take(test::book_message("snapshot", 9, -1, "", "")), DecodeStatus::ignored);
  EXPECT_FALSE(feed->book_valid(perp));
  batch.clear();
  feed->on_close(now, batch);
  outbox.clear();
  feed->on_open(now, outbox);
  for (std::size_t i = 0; i < outbox.size(); ++i) {
    EXPECT_EQ(outbox[i].find("PERPETUAL"), std::string_view::npos) << outbox[i];
  }
  feed->retire(option, now, outbox);
  outbox.clear();
  feed->on_close(now, batch);
  feed->on_open(now, outbox);
  for (std::size_t i = 0; i < outbox.size(); ++i) {
    EXPECT_EQ(outbox[i].find("subscribe"), std::string_view::npos) << "nothing is left to ask for";
  }
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
  now = now + seconds(3);
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
