// Query texts and reply parsers.
#include "tests/venues/deribit_gateway_rig.hpp"
#include "venues/deribit/queries.hpp"

namespace gimbal {
namespace {

using deribit::QueryParser;
using deribit::QueryResult;
using deribit::QueryTexts;
using deribit::Records;
using test::amount;
using test::usd;

struct DeribitQueries : testing::Test, test::DeribitGatewayRig {
  QueryParser parser{{config.venue, config.label_tag, &symbols}, std::size_t{1} << 20};
  OrderId order = make_order_id(7, StrategyId{1}, 42);

  static std::string reply(std::string_view result, std::int64_t us_out = 1'700'000'001'000'000) {
    return R"({"jsonrpc":"2.0","id":1,"result":)" + std::string{result} + R"(,"usIn":1,"usOut":)" +
           std::to_string(us_out) + R"(,"usDiff":1,"testnet":true})";
  }
  template <class Payload>
  std::vector<Payload> found(EventKind kind) {
    std::vector<Payload> out;
    PartsBuffer<Payload> parts;
    for (const Event& e : batch.committed()) {
      if (e.kind() == kind && parts.add(e)) out.push_back(parts.value());
    }
    return out;
  }
  std::vector<AccountMargin> models() {
    std::vector<AccountMargin> out;
    for (const Event& e : batch.committed()) {
      if (e.kind() == EventKind::margin_report && e.last_part()) out.push_back(account_margin(e));
    }
    return out;
  }
};

TEST_F(DeribitQueries, TextsNameMethodParametersAndToken) {
  QueryTexts texts{"TOKEN"};
  EXPECT_EQ(texts.get_time(5),
            R"({"jsonrpc":"2.0","id":5,"method":"public/get_time","params":{}})");
  EXPECT_EQ(texts.get_positions(6), R"({"jsonrpc":"2.0","id":6,"method":"private/get_positions",)"
                                    R"("params":{"access_token":"TOKEN","currency":"any"}})");
  EXPECT_EQ(texts.get_user_trades_from(7, "BTC", "ETH-12", 1000),
            R"({"jsonrpc":"2.0","id":7,"method":"private/get_user_trades_by_currency",)"
            R"("params":{"access_token":"TOKEN","currency":"BTC","start_id":"ETH-12","count":1000,)"
            R"("sorting":"asc"}})");
  EXPECT_EQ(QueryTexts{}.get_user_trades_back(8, "BTC", 10, 20, 1000, Records::recent),
            R"({"jsonrpc":"2.0","id":8,"method":"private/get_user_trades_by_currency_and_time",)"
            R"("params":{"currency":"BTC","start_timestamp":10,"end_timestamp":20,"count":1000,)"
            R"("sorting":"desc"}})");
  EXPECT_EQ(QueryTexts{}.get_order_history(9, "BTC", 1000, 0, Records::recent),
            R"({"jsonrpc":"2.0","id":9,"method":"private/get_order_history_by_currency","params":)"
            R"({"currency":"BTC","count":1000,"include_old":true,"include_unfilled":true}})");
  EXPECT_EQ(QueryTexts{}.get_order_history(9, "BTC", 1000, 2000, Records::historical),
            R"({"jsonrpc":"2.0","id":9,"method":"private/get_order_history_by_currency","params":)"
            R"({"currency":"BTC","count":1000,"include_old":true,"include_unfilled":true,)"
            R"("offset":2000,"historical":true}})");
  EXPECT_EQ(QueryTexts{}.get_open_orders(8),
            R"({"jsonrpc":"2.0","id":8,"method":"private/get_open_orders","params":{}})");
}

TEST_F(DeribitQueries, TimeAndItsRefusals) {
  ExchTime at;
  test::PaddedText good{reply("1550147385946")};
  ASSERT_TRUE(parser.time(good.frame(), at).ok);
  EXPECT_EQ(at, from_unix_ms(1550147385946));
  test::PaddedText bad{reply("\"soon\"")};
  EXPECT_FALSE(parser.time(bad.frame(), at).ok);
  test::PaddedText error{R"({"id":1,"error":{"code":13009,"message":"unauthorized"},"usOut":2})"};
  const QueryResult r = parser.time(error.frame(), at);
  EXPECT_EQ(r.error_code, 13009);
  EXPECT_NE(r.error.find("unauthorized"), std::string::npos);
}

TEST_F(DeribitQueries, OpenOrdersReportOwnAndForeignOnes) {
  test::PaddedText text{reply(
      "[" + order_text(order, usd(50000), amount(100), amount(20)) +
      R"(,{"order_id":"9","instrument_name":"BTC-PERPETUAL","direction":"sell","price":1,)"
      R"("amount":10,"order_state":"open","label":"hand","reduce_only":true},{"order_id":"8",)"
      R"("instrument_name":"NEW-PERPETUAL","direction":"sell","price":1,"amount":10,)"
      R"("order_state":"open"}])")};
  const QueryResult r = parser.open_orders(text.frame(), now, batch);
  ASSERT_TRUE(r.ok) << r.error;
  EXPECT_EQ(r.rows, 2U);
  EXPECT_EQ(r.skipped, 1U);
  EXPECT_EQ(r.skipped_ours, 0U);
  const auto open = found<OpenOrderReport>(EventKind::open_order_report);
  ASSERT_EQ(open.size(), 2U);
  EXPECT_EQ(open[0].order, order);
  EXPECT_EQ(open[0].filled, amount(20));
  EXPECT_FALSE(open[1].order.valid());
  EXPECT_EQ(open[1].side, Side::sell);
  EXPECT_EQ(open[1].reduce_only, 1);
  EXPECT_NE(open[1].venue_ref, open[0].venue_ref);
  EXPECT_TRUE(batch.committed()[0].has(event_flag::historical));
}

TEST_F(DeribitQueries, PositionsAreSignedWhicheverWayTheVenueWritesIt) {
  const auto size = [&](std::string_view direction, std::string_view written) {
    batch.clear();
    test::PaddedText text{
        reply(R"([{"instrument_name":"BTC-PERPETUAL","kind":"future","direction":")" +
              std::string{direction} + R"(","size":)" + std::string{written} +
              R"(,"average_price":0.0}])")};
    const QueryResult r = parser.positions(text.frame(), now, batch);
    return r.ok ? found<PositionReport>(EventKind::position_report)[0].amount : Qty{-1};
  };
  EXPECT_EQ(size("buy", "50"), amount(50));
  EXPECT_EQ(size("sell", "-50"), -amount(50));
  EXPECT_EQ(size("sell", "50.0"), -amount(50));
  EXPECT_EQ(size("zero", "0.0"), Qty{});
  EXPECT_EQ(size("buy", "-50"), Qty{-1}) << "contradiction is refused";
}

TEST_F(DeribitQueries, AccountGivesMarginAndTheMatchingEnginesLimits) {
  deribit::RateLimits limits;
  test::PaddedText text{reply(
      R"({"id":1,"email":"x","summaries":[{"currency":"BTC","equity":1.5,"balance":1.5,)"
      R"("margin_model":"segregated_pm",)"
      R"("margin_balance":1.5,"initial_margin":0.1,"maintenance_margin":0.05,)"
      R"("available_funds":1.4,"delta_total":0.25,"limits":{"non_matching_engine":{"rate":20,)"
      R"("burst":100},"matching_engine":{"trading":{"total":{"rate":30,"burst":100}},)"
      R"("cancel_all":{"rate":5,"burst":20},"maximum_quotes":{"rate":500,"burst":500}}}},)"
      R"({"currency":"ETH","equity":0.0}]})")};
  const QueryResult r = parser.account(text.frame(), now, batch, &limits);
  ASSERT_TRUE(r.ok) << r.error;
  const auto margins = found<MarginReport>(EventKind::margin_report);
  ASSERT_EQ(margins.size(), 2U);
  EXPECT_EQ(margins[0].delta_total_nano, 250'000'000);
  EXPECT_EQ(models(), (std::vector{AccountMargin::portfolio, AccountMargin::unknown}));
  EXPECT_EQ(r.account_id, 1U);
  EXPECT_EQ(limits.rate_per_s, 30U);
  EXPECT_EQ(limits.burst, 100U);
}

TEST_F(DeribitQueries, TheMarginModelIsOneOfTwoOrNotKnown) {
  const auto model = [&](std::string_view member) {
    test::PaddedText text{reply(R"({"currency":"BTC","equity":1.5)" + std::string{member} + "}")};
    EXPECT_TRUE(parser.account(text.frame(), now, batch).ok) << member;
    return models().back();
  };
  EXPECT_EQ(model(R"(,"margin_model":"segregated_sm")"), AccountMargin::standard);
  EXPECT_EQ(model(R"(,"margin_model":"cross_sm")"), AccountMargin::standard);
  EXPECT_EQ(model(R"(,"margin_model":"segregated_pm")"), AccountMargin::portfolio);
  EXPECT_EQ(model(R"(,"margin_model":"cross_pm")"), AccountMargin::portfolio);
  EXPECT_EQ(model(R"(,"margin_model":"pm_2")"), AccountMargin::unknown);
  EXPECT_EQ(model(R"(,"margin_model":null)"), AccountMargin::unknown);
  EXPECT_EQ(model(R"(,"margin_model":7)"), AccountMargin::unknown);
  EXPECT_EQ(model(""), AccountMargin::unknown);
}

TEST_F(DeribitQueries, UserTradesAreHistoricalFillsWithAPageToFollow) {
  test::PaddedText text{
      reply(R"({"trades":[)" + trade_text("ETH-1", label(order), usd(1), amount(10)) + "," +
            trade_text("ETH-2", "", usd(1), amount(10)) + R"(],"has_more":true})")};
  const QueryResult r = parser.user_trades(text.frame(), now, batch);
  ASSERT_TRUE(r.ok) << r.error;
  EXPECT_TRUE(r.has_more);
  EXPECT_EQ(r.last_trade_id, "ETH-2");
  EXPECT_EQ(r.last_timestamp_ms, 1700000000200);
  EXPECT_EQ(found<Fill>(EventKind::fill).size(), 2U);
}

// They moved cash: the core must hear of them, although it has no place for them.
TEST_F(DeribitQueries, TradesOfWhatIsNotListedAreFillsOfNoInstrumentAndNoOrder) {
  const auto trade = [&](std::string_view id, std::string_view name, std::string_view more) {
    return R"({"trade_id":")" + std::string{id} + R"(","instrument_name":")" + std::string{name} +
           R"(","direction":"buy","price":5,"amount":10,"fee":0.25,"timestamp":1700000000200,)" +
           R"("label":")" + label(order) + "\"" + std::string{more} + "}";
  };
  test::PaddedText text{
      reply(R"({"trades":[)" + trade("E-1", "ETH-PERPETUAL", R"(,"fee_currency":"ETH")") + "," +
            trade("S-1", "BTC_USDC", R"(,"fee_currency":"USDC")") + "," +
            trade("C-1", "BTC-FS-25DEC26_PERP", R"(,"fee_currency":"BTC","combo_trade_id":"C-1")") +
            R"(],"has_more":false})")};
  const QueryResult r = parser.user_trades(text.frame(), now, batch);
  ASSERT_TRUE(r.ok) << r.error;
  EXPECT_EQ(r.rows, 0U);
  EXPECT_EQ(r.skipped, 3U);
  const auto fills = found<Fill>(EventKind::fill);
  ASSERT_EQ(fills.size(), 3U);
  for (const Event& e : batch.committed()) EXPECT_FALSE(e.instrument.valid());
  for (const Fill& f : fills) {
    EXPECT_FALSE(f.order.valid());
    EXPECT_TRUE(f.trade.valid());
  }
  EXPECT_EQ(fills[0].fee_currency, currency("ETH"));
  EXPECT_EQ(fills[1].fee_currency, Currency{}) << "a spot trade moves two";
  EXPECT_EQ(fills[2].fee_currency, currency("BTC"));
}

// A picture that takes them for empty lists would end every order.
TEST_F(DeribitQueries, AReplyThatIsNoListIsNotAnEmptyOne) {
  for (const char* other : {"{}", R"("ok")", "null", R"(["BTC"])", "[{}]"}) {
    test::PaddedText text{reply(other)};
    EXPECT_FALSE(parser.open_orders(text.frame(), now, batch).ok) << other;
    const QueryResult r = parser.user_trades(text.frame(), now, batch);
    EXPECT_FALSE(r.ok) << other;
    EXPECT_NE(r.error.find("has_more"), std::string::npos) << r.error;
  }
  test::PaddedText none{reply("[]")};
  EXPECT_TRUE(parser.open_orders(none.frame(), now, batch).ok);
  test::PaddedText cut{reply(R"({"trades":[]})")};
  EXPECT_FALSE(parser.user_trades(cut.frame(), now, batch).ok) << "whether there are more";
}

TEST_F(DeribitQueries, UnreadableReplyCommitsNothing) {
  for (const char* text : {"", "{", "[]", R"({"result":[{"order_id":1}]})", R"({"id":1})"}) {
    test::PaddedText bytes{text};
    const QueryResult r = parser.open_orders(bytes.frame(), now, batch);
    EXPECT_FALSE(r.ok) << text;
    EXPECT_FALSE(r.error.empty());
    EXPECT_TRUE(batch.committed().empty());
  }
}

}  // namespace
}  // namespace gimbal
