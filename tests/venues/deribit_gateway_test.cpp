// The Deribit gateway: conformance, its texts, and one test per private message.
#include "tests/support/deribit_gateway_fixture.hpp"
#include "tests/venues/deribit_gateway_rig.hpp"
#include "tests/venues/gateway_conformance.hpp"
#include "venues/deribit/cancel_encode.hpp"
#include "venues/registry.hpp"

namespace gimbal::test {
INSTANTIATE_TYPED_TEST_SUITE_P(Deribit, GatewayConformance, DeribitGatewayRig);
}  // namespace gimbal::test

namespace gimbal {
namespace {

using test::amount;
using test::DeribitGateway;
using test::usd;

TEST_F(DeribitGateway, LoginSetsTheSessionUpStepByStep) {
  gateway().on_open(now, 1, batch, outbox);
  EXPECT_EQ(found<GatewayStatus>(EventKind::gateway_status)[0].state, GatewayState::connecting);
  ASSERT_EQ(outbox.size(), 1U);
  EXPECT_EQ(
      outbox[0],
      R"({"jsonrpc":"2.0","id":900000000,"method":"public/auth",)"
      R"("params":{"grant_type":"client_credentials","client_id":"id","client_secret":"secret"}})");
  log_in();
  EXPECT_EQ(found<GatewayStatus>(EventKind::gateway_status)[0].state, GatewayState::authenticated);
  ASSERT_EQ(outbox.size(), 4U);
  EXPECT_NE(outbox[1].find("public/set_heartbeat"), std::string_view::npos);
  EXPECT_NE(
      outbox[2].find(R"("private/enable_cancel_on_disconnect","params":{"scope":"connection"})"),
      std::string_view::npos);
  EXPECT_NE(outbox[3].find(
                R"(["user.orders.any.any.raw","user.trades.any.any.raw","user.portfolio.any"])"),
            std::string_view::npos);
  connect();
  EXPECT_TRUE(gateway().ready());
  EXPECT_EQ(gateway().waiting_for(), "");
  EXPECT_EQ(gateway().access_token(), "A");
}

TEST_F(DeribitGateway, MissingScopeChannelOrAnswerKeepsItFromReady) {
  gateway().on_open(now, 1, batch, outbox);
  (void)take(R"({"jsonrpc":"2.0","id":900000000,"result":{"access_token":"A","expires_in":900,)"
             R"("refresh_token":"R","scope":"connection trade:read"}})");
  EXPECT_EQ(gateway().waiting_for(), "the login was refused");
  log_in();
  (void)take(
      R"({"jsonrpc":"2.0","id":4,"result":["user.portfolio.any","user.trades.any.any.raw"]})");
  EXPECT_EQ(gateway().waiting_for(), "a private channel is missing from the subscription answer");
  log_in();
  now = now + seconds(6);
  batch.clear();
  gateway().on_timer(now, batch, outbox);
  EXPECT_EQ(gateway().waiting_for(), "a step of the session's set-up was not answered in time");
  EXPECT_EQ(kinds(), std::vector<EventKind>{EventKind::gateway_status});
}

// The second request's answer comes when the set-up's time is over.
TEST_F(DeribitGateway, ALoginThatIsAnsweredOnlyTheSecondTimeEndsReady) {
  gateway().on_open(now, 1, batch, outbox);
  (void)take(R"({"id":900000000,"jsonrpc":"2.0","resul)");
  outbox.clear();
  batch.clear();
  now = now + seconds(5);
  gateway().on_timer(now, batch, outbox);
  EXPECT_EQ(gateway().waiting_for(), "the login was not answered in time");
  ASSERT_EQ(outbox.size(), 1U);
  now = now + milliseconds(100);
  (void)take(R"({"jsonrpc":"2.0","id":)" + id_of(outbox[0]) +
             R"(,"result":{"access_token":"A","expires_in":900,"refresh_token":"R",)"
             R"("scope":"connection trade:read_write","token_type":"bearer"}})");
  (void)take(R"({"jsonrpc":"2.0","id":1,"result":"ok"})");
  take_channels();
  (void)take(R"({"jsonrpc":"2.0","id":2,"result":"ok"})");
  EXPECT_FALSE(gateway().ready());
  (void)take(R"({"jsonrpc":"2.0","id":3,"result":{"scope":"connection","enabled":true}})");
  EXPECT_TRUE(gateway().ready());
  batch.clear();
  now = now + milliseconds(4800);
  gateway().on_timer(now, batch, outbox);
  EXPECT_TRUE(gateway().ready());
}

TEST_F(DeribitGateway, ASetUpThatIsAnsweredLateEndsReadyAndOneThatIsNotGivesTheConnectionUp) {
  log_in();
  (void)take(R"({"jsonrpc":"2.0","id":1,"result":"ok"})");
  (void)take(R"({"jsonrpc":"2.0","id":2,"result":"ok"})");
  (void)take(R"({"jsonrpc":"2.0","id":3,"result":{"scope":"connection","enabled":true}})");
  now = now + seconds(6);
  gateway().on_timer(now, batch, outbox);
  EXPECT_FALSE(gateway().ready());
  EXPECT_FALSE(gateway().lost(now + seconds(10)));
  EXPECT_TRUE(gateway().lost(now + seconds(10) + Nanos{1}));
  take_channels();
  EXPECT_TRUE(gateway().ready());
  EXPECT_FALSE(gateway().lost(now + seconds(60)));
}

TEST_F(DeribitGateway, ASetUpThatWasRefusedIsNotMadeGoodByTheOtherAnswers) {
  log_in();
  (void)take(R"({"jsonrpc":"2.0","id":2,"error":{"message":"no","code":10001}})");
  (void)take(R"({"jsonrpc":"2.0","id":2,"result":"ok"})");
  (void)take(R"({"jsonrpc":"2.0","id":1,"result":"ok"})");
  (void)take(R"({"jsonrpc":"2.0","id":3,"result":{"scope":"connection","enabled":true}})");
  take_channels();
  EXPECT_FALSE(gateway().ready());
  EXPECT_TRUE(gateway().lost(now + seconds(11)));
}

TEST_F(DeribitGateway, AnUnauthorizedAnswerToNothingItAskedLeavesItReady) {
  connect();
  (void)take(R"({"jsonrpc":"2.0","id":900000001,"error":{"message":"no","code":13009}})");
  EXPECT_TRUE(gateway().ready());
  (void)placed();
  (void)take(R"({"jsonrpc":"2.0","id":17,"error":{"message":"no","code":13009}})");
  EXPECT_FALSE(gateway().ready());
  EXPECT_TRUE(gateway().lost(now + seconds(11)));
}

TEST_F(DeribitGateway, PlaceTextIsExact) {
  connect();
  EXPECT_EQ(
      placed(),
      R"({"jsonrpc":"2.0","id":17,"method":"private/buy",)"
      R"("params":{"instrument_name":"BTC-PERPETUAL","type":"limit",)"
      R"("label":"gt1-000007010000002a-abcd1234","amount":120,)"
      R"("time_in_force":"immediate_or_cancel","price":50000.5,"valid_until":1700000000500}})");
}

TEST_F(DeribitGateway, PostOnlyIsNeverLetToReprice) {
  connect();
  PlaceOrder p;
  p.order = order;
  p.side = Side::sell;
  p.price = usd(0.0715);
  p.amount = amount(0.3);
  p.instrument = option;
  p.valid_until = from_unix_ms(1700000000500);
  p.tif = TimeInForce::good_til_cancelled;
  p.flags = order_flag::post_only | order_flag::reduce_only;
  RiskLimits limits = test::wide_limits();
  GateContext c = context(option);
  c.mark = usd(0.0715);
  RiskGate gate{limits};
  auto answer = gate.approve(p, c);
  ASSERT_EQ(answer.index(), 0U);
  const std::string text = encoded(gateway().encode(std::get<0>(answer), now, bytes));
  EXPECT_NE(text.find("private/sell"), std::string::npos);
  EXPECT_NE(text.find(R"("post_only":true,"reject_post_only":true,"reduce_only":true)"),
            std::string::npos);
  EXPECT_NE(text.find(R"("price":0.0715)"), std::string::npos);
  EXPECT_NE(text.find(R"("amount":0.3,)"), std::string::npos);
}

// Found at the venue after a restart: its label holds the config hash of the boot that sent it, and
// cancel_by_label compares the whole label.
TEST_F(DeribitGateway, CancelsAnAdoptedOrderByTheLabelItWasSentWith) {
  connect();
  const CancelOrder cancel{order, instrument, config.venue, true, 0x00000009};
  EXPECT_EQ(encoded(gateway().encode(cancel, now, bytes)),
            R"({"jsonrpc":"2.0","id":17,"method":"private/cancel_by_label",)"
            R"("params":{"label":"gt1-000007010000002a-00000009"}})");
}

TEST_F(DeribitGateway, CancelAndReplaceUseTheVenuesIdOnceItIsKnown) {
  connect();
  const CancelOrder cancel{order, instrument, config.venue};
  EXPECT_EQ(encoded(gateway().encode(cancel, now, bytes)),
            R"({"jsonrpc":"2.0","id":17,"method":"private/cancel_by_label",)"
            R"("params":{"label":"gt1-000007010000002a-abcd1234"}})");
  (void)take(ack(order, usd(50000), amount(100), Qty{}));
  EXPECT_EQ(gateway().venue_order_id(order), "5550001");
  EXPECT_EQ(
      encoded(gateway().encode(cancel, now, bytes)),
      R"({"jsonrpc":"2.0","id":18,"method":"private/cancel","params":{"order_id":"5550001"}})");
  (void)take(notice("user.orders.any.any.raw",
                    order_text(order, usd(50000), amount(100), Qty{}, "cancelled",
                               R"(,"cancel_reason":"user_request")")));
  EXPECT_EQ(gateway().venue_order_id(order), "") << "done orders are forgotten";
  EXPECT_EQ(found<OrderDone>(EventKind::order_done)[0].reason, DoneReason::cancelled_by_us);
}

TEST_F(DeribitGateway, MassCancelsFollowTheScopeAndTheAccountsOwnership) {
  connect();
  EXPECT_TRUE(gateway().encode(CancelAll{{ScopeLevel::global, 0}, config.venue}, now, outbox));
  EXPECT_EQ(
      outbox[0],
      R"({"jsonrpc":"2.0","id":17,"method":"private/cancel_all","params":{"detailed":true}})");
  outbox.clear();
  EXPECT_TRUE(gateway().encode(CancelAll{{ScopeLevel::instrument, option.value}, config.venue}, now,
                               outbox));
  EXPECT_NE(outbox[0].find(R"("instrument_name":"BTC-25DEC26-50000-C","type":"all")"),
            std::string_view::npos);
  outbox.clear();
  EXPECT_TRUE(gateway().encode(CancelAll{{ScopeLevel::underlying, 0}, config.venue}, now, outbox));
  ASSERT_EQ(outbox.size(), 2U);
  EXPECT_NE(outbox[0].find(R"("currency":"BTC")"), std::string_view::npos);
  EXPECT_NE(outbox[1].find(R"("currency_pair":"btc_usdc")"), std::string_view::npos);
  outbox.clear();
  EXPECT_FALSE(gateway().encode(CancelAll{{ScopeLevel::strategy, 0}, config.venue}, now, outbox));
  config.own_account = false;
  made.reset();
  connect();
  EXPECT_FALSE(gateway().encode(CancelAll{{ScopeLevel::global, 0}, config.venue}, now, outbox));
  EXPECT_TRUE(outbox.empty()) << "others' orders are never touched";
}

TEST_F(DeribitGateway, ReplyToABuyIsAckThenFillsThenDone) {
  connect();
  const std::string id = id_of(placed());
  (void)take(R"({"jsonrpc":"2.0","id":)" + id + R"(,"result":{"trades":[)" +
             trade_text("88", label(order), usd(50000), amount(120)) + R"(],"order":)" +
             order_text(order, usd(50000.5), amount(120), amount(120), "filled") +
             R"(},"usIn":1,"usOut":2,"usDiff":1,"testnet":false})");
  EXPECT_EQ(kinds(), (std::vector{EventKind::order_ack, EventKind::fill, EventKind::order_done}));
  const Fill fill = found<Fill>(EventKind::fill)[0];
  EXPECT_EQ(fill.fee.nano, -250);
  EXPECT_EQ(fill.fee_currency, currency("BTC"));
  EXPECT_EQ(fill.liquidity, Liquidity::maker);
  EXPECT_EQ(fill.profit.nano, absent_nano);
  EXPECT_EQ(fill.index, usd(50001.5));
  EXPECT_EQ(fill.mark, usd(50000.25));
  EXPECT_EQ(found<OrderDone>(EventKind::order_done)[0].filled, amount(120));
  EXPECT_TRUE(batch.committed().back().has(event_flag::last_in_packet));
  // The same fill on the private channel: told again, with the same id.
  (void)take(fill_notice(order, "88", usd(50000), amount(120)));
  EXPECT_EQ(found<Fill>(EventKind::fill)[0].trade, fill.trade);
}

}  // namespace
}  // namespace gimbal
