// The Deribit gateway: replies and private messages, one test each.
#include "tests/support/deribit_gateway_fixture.hpp"
#include "tests/venues/deribit_gateway_rig.hpp"

namespace gimbal {
namespace {

using test::amount;
using test::DeribitGateway;
using test::usd;

TEST_F(DeribitGateway, RemainderOfAnIocIsNotACancelOfOurs) {
  connect();
  std::string row = order_text(order, usd(50000), amount(100), amount(30), "cancelled",
                               R"(,"cancel_reason":"user_request")");
  const std::string resting = "good_til_cancelled";
  row.replace(row.find(resting), resting.size(), "immediate_or_cancel");
  (void)take(notice("user.orders.any.any.raw", row));
  EXPECT_EQ(found<OrderDone>(EventKind::order_done)[0].filled, amount(30));
  EXPECT_EQ(found<OrderDone>(EventKind::order_done)[0].reason, DoneReason::ioc_remainder);
}

TEST_F(DeribitGateway, EachCancelReasonHasItsMeaning) {
  connect();
  const auto reason = [&](std::string_view why) {
    (void)take(notice("user.orders.any.any.raw",
                      order_text(order, usd(1), amount(10), Qty{}, "cancelled",
                                 R"(,"cancel_reason":")" + std::string{why} + "\"")));
    return found<OrderDone>(EventKind::order_done).at(0).reason;
  };
  EXPECT_EQ(reason("user_request"), DoneReason::cancelled_by_us);
  EXPECT_EQ(reason("cancel_on_disconnect"), DoneReason::cancelled_on_disconnect);
  for (const char* why : {"autoliquidation", "mmp_trigger", "settlement", "edit_post_only_reject",
                          "a reason of next year"}) {
    EXPECT_EQ(reason(why), DoneReason::cancelled_by_venue) << why;
  }
}

TEST_F(DeribitGateway, UnknownOrderStateIsUnclearNotSilent) {
  connect();
  (void)take(notice("user.orders.any.any.raw",
                    order_text(order, usd(1), amount(10), Qty{}, "hibernating")));
  const auto rejects = found<OrderReject>(EventKind::order_reject);
  ASSERT_EQ(rejects.size(), 1U);
  EXPECT_EQ(rejects[0].order, order);
  EXPECT_EQ(rejects[0].reason, RejectReason::unclear);
  EXPECT_EQ(gateway().counters().unknown_enums, 1U);
}

// A lot that changed: the core closes the instrument until the list was read again.
TEST_F(DeribitGateway, APlacingRefusedForItsAmountIsOffTheVenuesGrid) {
  connect();
  (void)take(error(placed(), 10021));
  const auto rejects = found<OrderReject>(EventKind::order_reject);
  ASSERT_EQ(rejects.size(), 1U);
  EXPECT_EQ(rejects[0].reason, RejectReason::wrong_amount);
  EXPECT_EQ(rejects[0].venue_code, 10021);
}

TEST_F(DeribitGateway, OrdersComeAsObjectOrArrayAndForeignOnesUnderNoId) {
  connect();
  (void)take(notice(
      "user.orders.any.any.100ms",
      "[" + order_text(order, usd(1), amount(10), Qty{}) +
          R"(,{"order_id":"USDC-SLMB-19641","instrument_name":"BTC-PERPETUAL",)"
          R"("direction":"sell","price":"market_price","amount":10,"order_state":"untriggered",)"
          R"("label":""}])"));
  const auto acks = found<OrderAck>(EventKind::order_ack);
  ASSERT_EQ(acks.size(), 2U);
  EXPECT_EQ(acks[0].order, order);
  EXPECT_FALSE(acks[1].order.valid());
  EXPECT_EQ(acks[1].price.nano, absent_nano);
}

TEST_F(DeribitGateway, ChangesCarryFillsBeforeOrdersAndThePosition) {
  connect();
  (void)take(notice(
      "user.changes.any.any.raw",
      R"({"instrument_name":"BTC-PERPETUAL","positions":[{"instrument_name":"BTC-PERPETUAL",)"
      R"("direction":"sell","size":-40.0,"average_price":50000.0,"mark_price":50001.0,)"
      R"("delta":-0.0008}],"orders":[)" +
          order_text(order, usd(50000), amount(40), amount(40), "filled") + R"(],"trades":[)" +
          trade_text("89", label(order), usd(50000), amount(40)) + "]}"));
  EXPECT_EQ(kinds(),
            (std::vector{EventKind::fill, EventKind::order_done, EventKind::position_report}));
  EXPECT_EQ(found<PositionReport>(EventKind::position_report)[0].amount, -amount(40));
}

// A name that the table got while running is not read before the session says so.
TEST_F(DeribitGateway, RowsOfANameThatIsNotKnownYetAreOfAnUnknownInstrument) {
  connect();
  const std::string open =
      notice("user.orders.any.any.100ms", "[" + order_text(order, usd(1), amount(10), Qty{}) + "]");
  gateway().know(instrument.value);
  (void)take(open);
  EXPECT_TRUE(found<OrderAck>(EventKind::order_ack).empty());
  EXPECT_EQ(gateway().counters().unknown_instruments, 1U);
  gateway().know(std::size_t{instrument.value} + 1);
  (void)take(open);
  EXPECT_EQ(found<OrderAck>(EventKind::order_ack).size(), 1U);
}

TEST_F(DeribitGateway, PortfolioGivesTheMargin) {
  connect();
  (void)take(test::venue_fixture("user_portfolio.json"));
  const auto margins = found<MarginReport>(EventKind::margin_report);
  ASSERT_EQ(margins.size(), 1U);
  EXPECT_EQ(margins[0].settlement, currency("BTC"));
  EXPECT_EQ(margins[0].equity.nano, 55'000'550'000);
  EXPECT_EQ(margins[0].available.nano, 53'868'247'000);
  EXPECT_EQ(margins[0].delta_total_nano, -400'000'000);
}

TEST_F(DeribitGateway, CombosAreCountedFromTheirLegsOnly) {
  connect();
  const std::string leg =
      trade_text("258544119", "", usd(64451.5), amount(10),
                 R"(,"combo_id":"BTC-FS-25DEC26_PERP","combo_trade_id":"258544118")");
  std::string net = trade_text("258544118", "", usd(1199), amount(10),
                               R"(,"combo_id":"BTC-FS-25DEC26_PERP","combo_trade_id":"258544118")");
  (void)take(notice("user.trades.any.any.raw", "[" + leg + "," + net + "]"));
  // The net row is a fill of no instrument: what it says of the cash is not known.
  std::vector<InstrumentId> of;
  for (const Event& e : batch.committed()) {
    if (e.kind() == EventKind::fill && e.last_part()) of.push_back(e.instrument);
  }
  ASSERT_EQ(of, (std::vector{instrument, InstrumentId{}}));
  EXPECT_FALSE(found<Fill>(EventKind::fill)[1].order.valid());
  EXPECT_EQ(gateway().counters().combo_rows, 1U);
}

TEST_F(DeribitGateway, LiquidationIsToldByWhoseSideItWasOn) {
  connect();
  const auto kind = [&](std::string_view flag) {
    (void)take(notice("user.trades.any.any.raw",
                      "[" +
                          trade_text("1", "", usd(1), amount(10),
                                     R"(,"liquidation":")" + std::string{flag} + "\"") +
                          "]"));
    return found<Fill>(EventKind::fill).at(0).kind;
  };
  EXPECT_EQ(kind("M"), FillKind::liquidation) << "we were the maker";
  EXPECT_EQ(kind("MT"), FillKind::liquidation);
  EXPECT_EQ(kind("T"), FillKind::normal) << "the other side was liquidated";
}

TEST_F(DeribitGateway, CancelByLabelThatFoundNothingIsARefusedCancel) {
  connect();
  const CancelOrder cancel{order, instrument, config.venue};
  const std::string id = id_of(encoded(gateway().encode(cancel, now, bytes)));
  (void)take(R"({"jsonrpc":"2.0","id":)" + id + R"(,"result":0})");
  const auto rejects = found<OrderReject>(EventKind::order_reject);
  ASSERT_EQ(rejects.size(), 1U);
  EXPECT_EQ(rejects[0].action, OrderAction::cancel);
  EXPECT_EQ(rejects[0].venue_code, 11044);
}

TEST_F(DeribitGateway, DetailedMassCancelReportsEachOrder) {
  connect();
  EXPECT_TRUE(gateway().encode(CancelAll{{ScopeLevel::global, 0}, config.venue}, now, outbox));
  (void)take(
      R"({"jsonrpc":"2.0","id":17,"result":[{"currency":"BTC","type":"limit",)"
      R"("instrument_name":"BTC-PERPETUAL","result":[)" +
      order_text(order, usd(1), amount(10), Qty{}, "cancelled") +
      R"(]},{"currency":"ETH","type":"limit","error":{"message":"matching_engine_queue_full",)"
      R"("code":10047}}]})");
  EXPECT_EQ(kinds(), std::vector{EventKind::order_done});
}

TEST_F(DeribitGateway, ExpiredAndDeadTokenHaveTheirOwnReasons) {
  connect();
  (void)take(error(placed(), 13888));
  EXPECT_EQ(found<OrderReject>(EventKind::order_reject)[0].reason, RejectReason::expired);
  (void)take(error(placed(), 13009));
  EXPECT_FALSE(gateway().ready());
  EXPECT_EQ(kinds(), (std::vector{EventKind::gateway_status, EventKind::order_reject}));
}

TEST_F(DeribitGateway, OffTickOrUnknownInstrumentIsNeverSent) {
  connect();
  table.set_state(instrument, InstrumentState::open);
  Approved<PlaceOrder> good = place(order, usd(50000), amount(100), 0);
  Instrument changed = table[instrument];
  changed.ticks.base = usd(7);
  ASSERT_TRUE(table.redefine(changed));
  const Encoded e = gateway().encode(good, now, bytes);
  EXPECT_EQ(e.refused, RejectReason::venue);
}

TEST_F(DeribitGateway, TestRequestIsAnswered) {
  connect();
  (void)take(R"({"jsonrpc":"2.0","method":"heartbeat","params":{"type":"test_request"}})");
  ASSERT_EQ(outbox.size(), 1U);
  EXPECT_NE(outbox[0].find("public/test"), std::string_view::npos);
}

}  // namespace
}  // namespace gimbal
