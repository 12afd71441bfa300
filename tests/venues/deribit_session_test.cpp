// Login, signatures, labels, error table, rate budget and order rules.
#include "tests/venues/deribit_gateway_rig.hpp"
#include "venues/deribit/cancel_encode.hpp"
#include "venues/deribit/environment.hpp"
#include "venues/deribit/errors.hpp"
#include "venues/deribit/rules.hpp"

namespace gimbal {
namespace {

using namespace deribit;  // the names under test
using test::amount;
using test::usd;

TEST(DeribitSign, LoginSignatureMatchesTheVenuesVector) {
  std::array<char, 64> out{};
  ASSERT_TRUE(sign_login("AMANDASECRECT", 1576074319000, "1iqt2wls", "", out));
  EXPECT_EQ((std::string_view{out.data(), out.size()}),
            "56590594f97921b09b18f166befe0d1319b198bbcdad7ca73382de2f88fe9aa1");
  std::array<char, 63> small{};
  EXPECT_FALSE(sign_login("AMANDASECRECT", 1576074319000, "1iqt2wls", "", small));
  // 13 digits, two line ends, 8 characters of nonce: what is left holds the data.
  const std::string data(login_message_max - 13 - 2 - 8, 'd');
  EXPECT_TRUE(sign_login("AMANDASECRECT", 1576074319000, "1iqt2wls", data, out));
  EXPECT_FALSE(sign_login("AMANDASECRECT", 1576074319000, "1iqt2wls", data + "d", out));
}

TEST(DeribitSign, HttpHeaderNamesItsParts) {
  const std::string header =
      sign_http("id", "secret", 1576074319000, "n1", "GET", "/api/v2/private/get_positions", "");
  EXPECT_EQ(header.rfind("deri-hmac-sha256 id=id,ts=1576074319000,sig=", 0), 0U);
  EXPECT_EQ(header.size(),
            std::string{"deri-hmac-sha256 id=id,ts=1576074319000,sig=,nonce=n1"}.size() + 64);
  EXPECT_NE(header, sign_http("id", "secret", 1576074319000, "n1", "POST",
                              "/api/v2/private/get_positions", ""));
}

TEST(DeribitLogin, ScopesAreCoveredByWordAndReadByReadWrite) {
  EXPECT_TRUE(scope_covers("connection trade:read_write account:read", "trade:read_write"));
  EXPECT_TRUE(scope_covers("trade:read_write", "trade:read"));
  EXPECT_FALSE(scope_covers("trade:read", "trade:read_write"));
  EXPECT_FALSE(scope_covers("xtrade:read_write", "trade:read_write"));
  EXPECT_TRUE(scope_covers("", ""));
}

struct LoginTest : testing::Test {
  LoginConfig config;
  Outbox outbox;
  RecvTime now{seconds(10).count};
  LoginTest() {
    config.client_id = "AMANDA";
    config.client_secret = "AMANDASECRECT";
    config.unix_ms = [] { return std::int64_t{1576074319000}; };
  }
  static LoginStep take(deribit::DeribitLogin& login, std::string_view text, RecvTime at,
                        Outbox& out) {
    test::PaddedText bytes{text};
    return login.on_frame(bytes.frame(), at, out);
  }
  static std::string granted(std::int64_t id, int expires) {
    return R"({"id":)" + std::to_string(id) +
           R"(,"jsonrpc":"2.0","result":{"token_type":"bearer","scope":"connection",)"
           R"("refresh_token":"R1","expires_in":)" +
           std::to_string(expires) + R"(,"enabled_features":[],"access_token":"A1"}})";
  }
};

TEST_F(LoginTest, SignatureLoginCarriesTimestampNonceAndSignature) {
  deribit::DeribitLogin login{config};
  login.on_open(now, outbox);
  ASSERT_EQ(outbox.size(), 1U);
  EXPECT_NE(outbox[0].find(
                R"("grant_type":"client_signature","client_id":"AMANDA","timestamp":1576074319000,)"
                R"("nonce":")"),
            std::string_view::npos);
  EXPECT_EQ(outbox[0].find("AMANDASECRECT"), std::string_view::npos) << "the secret is not sent";
}

TEST_F(LoginTest, TokenIsRefreshedAtFourFifthsOfItsLife) {
  deribit::DeribitLogin login{config};
  login.on_open(now, outbox);
  EXPECT_EQ(take(login, R"({"jsonrpc":"2.0","method":"heartbeat","params":{"type":"heartbeat"}})",
                 now, outbox),
            LoginStep::not_mine);
  EXPECT_EQ(take(login, granted(900'000'000, 900), now, outbox), LoginStep::accepted);
  EXPECT_TRUE(login.ready());
  EXPECT_EQ(login.access_token(), "A1");
  outbox.clear();
  login.on_timer(now + seconds(719), outbox);
  EXPECT_TRUE(outbox.empty());
  login.on_timer(now + seconds(721), outbox);
  ASSERT_EQ(outbox.size(), 1U);
  EXPECT_EQ(outbox[0], R"({"jsonrpc":"2.0","id":900000001,"method":"public/auth",)"
                       R"("params":{"grant_type":"refresh_token","refresh_token":"R1"}})");
  EXPECT_EQ(take(login, granted(900'000'001, 900), now + seconds(721), outbox),
            LoginStep::accepted);
}

// Heartbeats keep such a session alive: only its own limit ends the wait.
TEST_F(LoginTest, ALoginWithoutAnAnswerThatCanBeReadIsAskedForAgain) {
  deribit::DeribitLogin login{config};
  login.on_open(now, outbox);
  outbox.clear();
  EXPECT_EQ(take(login, R"({"id":900000000,"jsonrpc":"2.0","resul)", now, outbox),
            LoginStep::not_mine);
  login.on_timer(now + milliseconds(3999), outbox);
  EXPECT_TRUE(outbox.empty());
  login.on_timer(now + seconds(4), outbox);
  ASSERT_EQ(outbox.size(), 1U);
  EXPECT_NE(outbox[0].find(R"("id":900000001,"method":"public/auth")"), std::string_view::npos);
  login.on_timer(now + seconds(6), outbox);
  EXPECT_EQ(outbox.size(), 1U);
  EXPECT_EQ(take(login, granted(900'000'001, 900), now + seconds(6), outbox), LoginStep::accepted);
}

TEST_F(LoginTest, AnAnswerThatIsSlowerThanTheNextRequestIsTaken) {
  deribit::DeribitLogin login{config};
  login.on_open(now, outbox);
  login.on_timer(now + seconds(4), outbox);
  EXPECT_EQ(outbox.size(), 2U);
  EXPECT_EQ(take(login, granted(900'000'002, 900), now + seconds(6), outbox), LoginStep::not_mine);
  EXPECT_EQ(take(login, granted(900'000'000, 900), now + seconds(6), outbox), LoginStep::accepted);
  // The next connection takes no answer of this one.
  login.on_close();
  login.on_open(now + seconds(7), outbox);
  EXPECT_EQ(take(login, granted(900'000'001, 900), now + seconds(7), outbox), LoginStep::not_mine);
  EXPECT_EQ(take(login, granted(900'000'002, 900), now + seconds(7), outbox), LoginStep::accepted);
}

TEST_F(LoginTest, RefusalIsToldInWordsAndNotRepeated) {
  config.grant = GrantType::client_credentials;
  deribit::DeribitLogin login{config};
  login.on_open(now, outbox);
  outbox.clear();
  EXPECT_EQ(take(login,
                 R"({"jsonrpc":"2.0","id":900000000,"error":{"message":"invalid_credentials",)"
                 R"("code":13004}})",
                 now, outbox),
            LoginStep::refused);
  EXPECT_EQ(login.error_code(), 13004);
  EXPECT_NE(login.refusal().find("13004"), std::string_view::npos);
  login.on_timer(now + seconds(60), outbox);
  EXPECT_TRUE(outbox.empty());
}

// X-01: the key's own scopes are read; one that can withdraw is not used, one that can look is.
TEST_F(LoginTest, AKeyThatCanWithdrawIsRefusedAndOneThatOnlyReadsTheWalletIsNot) {
  const auto step_for = [this](const std::string& scope, std::string& why) {
    deribit::DeribitLogin login{config};
    login.on_open(now, outbox);
    std::string text = granted(config.first_request_id, 900);
    text.replace(text.find("connection"), 10, scope);
    const LoginStep step = take(login, text, now, outbox);
    why = login.refusal();
    return step;
  };
  std::string why;
  EXPECT_EQ(step_for("connection trade:read_write wallet:read", why), LoginStep::accepted) << why;
  EXPECT_EQ(step_for("connection wallet:read_write trade:read_write", why), LoginStep::refused);
  EXPECT_NE(why.find("can withdraw"), std::string::npos) << why;
}

TEST_F(LoginTest, SignatureWithoutAClockIsRefusedAtOnce) {
  config.unix_ms = nullptr;
  deribit::DeribitLogin login{config};
  login.on_open(now, outbox);
  EXPECT_TRUE(outbox.empty());
  EXPECT_NE(login.refusal().find("unix_ms"), std::string_view::npos);
}

TEST(DeribitLabel, RoundTripsAndRefusesEverythingElse) {
  const OrderId order = make_order_id(0xABCDEF, StrategyId{9}, 77);
  std::array<char, label_text_max> out{};
  const std::size_t n = write_label("bot1", order, 0x01234567, out);
  const std::string_view text{out.data(), n};
  EXPECT_EQ(text, "gbot1-abcdef090000004d-01234567");
  EXPECT_EQ(parse_label("bot1", text).order, order);
  EXPECT_EQ(parse_label("bot1", text).config_hash, 0x01234567U);
  EXPECT_TRUE(of_epoch(parse_label("bot1", text), 0xABCDEF));
  EXPECT_FALSE(of_epoch(parse_label("bot1", text), 0xABCDEE));
  EXPECT_FALSE(parse_label("bot2", text).order.valid());
  for (const char* other :
       {"", "g", "gate4-fill-1784494768234", "gbot1-ABCDEF090000004d-01234567",
        "gbot1-0000000000000000-01234567", "gbot1-abcdef090000004d-0123456",
        "gbot1-abcdef090000004d-012345678", "hbot1-abcdef090000004d-01234567"}) {
    EXPECT_FALSE(parse_label("bot1", other).order.valid()) << other;
  }
  EXPECT_EQ(write_label("Bot", order, 0, out), 0U) << "upper case is no tag";
  EXPECT_EQ(write_label("seventeencharsxxx", order, 0, out), 0U);
}

TEST(DeribitErrors, AnAmountRefusedAtAPlacingSaysThatTheTermsAreNotTheVenues) {
  for (const std::int32_t code : {10002, 10021, 10027}) {
    EXPECT_EQ(reject_reason(code, OrderAction::place), RejectReason::wrong_amount) << code;
  }
  for (const std::int32_t code : {10002, 10021}) {
    EXPECT_EQ(reject_reason(code, OrderAction::replace), RejectReason::venue) << code;
  }
  EXPECT_EQ(reject_reason(10009, OrderAction::place), RejectReason::venue);
  EXPECT_EQ(reject_reason(424242, OrderAction::place), RejectReason::unclear);
}

TEST(DeribitErrors, EveryCodeSaysWhatItProves) {
  EXPECT_EQ(error_info(13888).reason, RejectReason::expired);
  EXPECT_EQ(error_info(10028).reason, RejectReason::throttled);
  EXPECT_EQ(error_info(10047).reason, RejectReason::throttled);
  EXPECT_EQ(error_info(10041).outcome, ErrorClass::retryable);
  EXPECT_EQ(error_info(11054).reason, RejectReason::venue);
  EXPECT_EQ(error_info(424242).reason, RejectReason::unclear);
  EXPECT_EQ(error_info(11094).outcome, ErrorClass::unknown);
  for (const ErrorInfo& e : error_table()) {
    EXPECT_EQ(e.outcome == ErrorClass::unknown, e.reason == RejectReason::unclear) << e.code;
    EXPECT_EQ(&error_info(e.code), &e);
  }
}

TEST(DeribitRateBudget, RiskLeavesTheReserveAndCancelsMayTakeIt) {
  RateBudget budget{{20, 50, 700, 200}};
  ASSERT_TRUE(budget.set_quota(0, 1000));
  EXPECT_FALSE(budget.set_quota(1, 1)) << "more than the whole";
  EXPECT_EQ(budget.depth(), 35U) << "70 % of the venue's burst";
  const RecvTime now{seconds(5).count};
  std::uint32_t risk = 0;
  while (budget.take(0, RateUse::risk, now)) ++risk;
  EXPECT_EQ(risk, 28U) << "20 % kept back";
  std::uint32_t cancels = 0;
  while (budget.take(0, RateUse::cancel, now)) ++cancels;
  EXPECT_EQ(cancels, 7U);
  EXPECT_EQ(budget.refused(RateUse::risk), 1U);
}

TEST(DeribitRateBudget, NeverPassesTheVenuesOwnBucket) {
  // The venue's model: depth 20, 5 a second. A storm at ten times that for a minute.
  RateBudget budget{{5, 20, 700, 200}};
  ASSERT_TRUE(budget.set_quota(0, 1000));
  double venue = 20;
  RecvTime now{seconds(1).count};
  for (int i = 0; i < 3000; ++i) {
    now = now + milliseconds(20);
    venue = std::min(20.0, venue + 0.02 * 5);
    if (!budget.take(0, i % 3 == 0 ? RateUse::cancel : RateUse::risk, now)) continue;
    venue -= 1;
    ASSERT_GE(venue, 0.0) << "message " << i << " would have been refused";
  }
  EXPECT_GE(budget.available(0, RateUse::cancel, now + seconds(60)), 14U);
}

TEST(DeribitRateBudget, SmallestBucketStillKeepsOneCancel) {
  RateBudget budget{{1, 2, 700, 200}};
  ASSERT_TRUE(budget.set_quota(0, 1000));
  const RecvTime now{1};
  EXPECT_FALSE(budget.take(0, RateUse::risk, now));
  EXPECT_TRUE(budget.take(0, RateUse::cancel, now));
}

TEST(DeribitRateBudget, SessionsKeepToTheirQuotasAndDrainingStopsAll) {
  RateBudget budget{{100, 100, 700, 200}};
  ASSERT_TRUE(budget.set_quota(0, 500));
  ASSERT_TRUE(budget.set_quota(1, 500));
  const RecvTime now{seconds(1).count};
  std::uint32_t taken = 0;
  while (budget.take(0, RateUse::risk, now)) ++taken;
  EXPECT_EQ(taken, 35U);
  EXPECT_GT(budget.available(1, RateUse::risk, now), 0U);
  budget.drained(now);
  EXPECT_EQ(budget.available(1, RateUse::cancel, now), 0U);
  EXPECT_GT(budget.available(1, RateUse::cancel, now + seconds(1)), 0U);
}

TEST(DeribitRules, OnlyExactMultiplesPass) {
  Instrument perp = test::perpetual_definition();
  EXPECT_EQ(check_order(perp, usd(50000.5), amount(10)), RuleBreach::none);
  EXPECT_EQ(check_order(perp, usd(50000.4), amount(10)), RuleBreach::price_tick);
  EXPECT_EQ(check_order(perp, usd(0), amount(10)), RuleBreach::price_range);
  EXPECT_EQ(check_order(perp, usd(1), amount(15)), RuleBreach::amount_lot);
  EXPECT_EQ(check_order(perp, usd(1), amount(5)), RuleBreach::amount_min);
  perp.state = InstrumentState::closed;
  EXPECT_EQ(check_order(perp, usd(1), amount(10)), RuleBreach::not_open);
}

TEST(DeribitCancelText, RefusesWhatJsonWouldHaveToEscape) {
  std::array<char, 256> out{};
  EXPECT_EQ(encode_cancel(1, "a\"b", out), 0U);
  EXPECT_EQ(encode_cancel(1, "", out), 0U);
  EXPECT_EQ(encode_cancel_by_label(1, "x", std::span<char>{out.data(), 20}), 0U);
  EXPECT_EQ((std::string_view{out.data(), encode_cancel_all(9, false, out)}),
            R"({"jsonrpc":"2.0","id":9,"method":"private/cancel_all","params":{}})");
}

TEST(DeribitEnvironments, TestIsNotLive) {
  EXPECT_NE(live_environment.host, test_environment.host);
}

}  // namespace
}  // namespace gimbal
