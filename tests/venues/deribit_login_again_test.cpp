// A log-in that was refused for its signature is signed again.
#include "tests/venues/deribit_gateway_rig.hpp"
#include "venues/deribit/login.hpp"

namespace gimbal {
namespace {

using namespace deribit;  // the names under test

// The host's clock may be what is wrong, and right again a moment later.
TEST(RefusedLogin, ASignatureIsMadeAgainThreeTimesWithTheTimeOfThen) {
  LoginConfig config;
  config.client_id = "AMANDA";
  config.client_secret = "AMANDASECRECT";
  Outbox outbox;
  RecvTime now{seconds(10).count};
  const auto take = [](deribit::DeribitLogin& login, const std::string& text, RecvTime at,
                       Outbox& out) {
    test::PaddedText bytes{text};
    return login.on_frame(bytes.frame(), at, out);
  };
  const auto granted = [](std::int64_t id) {
    return R"({"jsonrpc":"2.0","id":)" + std::to_string(id) +
           R"(,"result":{"scope":"connection","expires_in":900,"access_token":"A1"}})";
  };
  static std::int64_t wall_ms;
  wall_ms = 1000;
  config.unix_ms = [] { return wall_ms; };
  const auto refused = [](std::int64_t id) {
    return R"({"jsonrpc":"2.0","id":)" + std::to_string(id) +
           R"(,"error":{"message":"invalid_credentials","code":13004}})";
  };
  deribit::DeribitLogin login{config};
  login.on_open(now, outbox);
  constexpr Nanos waits[] = {seconds(1), seconds(2), seconds(4)};
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(take(login, refused(900'000'000 + i), now, outbox), LoginStep::refused);
    EXPECT_EQ(login.error_code(), 13004);
    outbox.clear();
    wall_ms += waits[i].count / 1'000'000;
    login.on_timer(now + waits[i] - milliseconds(1), outbox);
    EXPECT_TRUE(outbox.empty());
    now = now + waits[i];
    login.on_timer(now, outbox);
    ASSERT_EQ(outbox.size(), 1U) << i;
    EXPECT_NE(outbox[0].find(R"("timestamp":)" + std::to_string(wall_ms) + ","),
              std::string_view::npos);
  }
  deribit::DeribitLogin later = std::move(login);
  EXPECT_EQ(take(later, refused(900'000'003), now, outbox), LoginStep::refused);
  outbox.clear();
  later.on_timer(now + seconds(60), outbox);
  EXPECT_TRUE(outbox.empty()) << "a wrong key stays wrong";
  later.on_close();
  later.on_open(now, outbox);
  EXPECT_EQ(take(later, refused(900'000'004), now, outbox), LoginStep::refused);
  now = now + seconds(1);
  later.on_timer(now, outbox);
  EXPECT_EQ(take(later, granted(900'000'005), now, outbox), LoginStep::accepted);
  EXPECT_TRUE(later.ready());
}

// This host's clock is 65 s ahead, which the venue does not take: its refusal says what time it is.
TEST(RefusedLogin, WhatIsSignedAgainSaysTheVenuesTime) {
  LoginConfig config;
  config.client_id = "AMANDA";
  config.client_secret = "AMANDASECRECT";
  static std::int64_t wall_ms;
  wall_ms = 1'790'000'065'000;
  config.unix_ms = [] { return wall_ms; };
  DeribitLogin login{config};
  Outbox outbox;
  RecvTime now{seconds(10).count};
  login.on_open(now, outbox);
  const auto refused = [&](std::int64_t id, const std::string& us_out) {
    test::PaddedText bytes{R"({"jsonrpc":"2.0","id":)" + std::to_string(id) +
                           R"(,"error":{"message":"invalid_credentials","code":13004},"usOut":)" +
                           us_out + "}"};
    return login.on_frame(bytes.frame(), now, outbox);
  };
  const auto signed_at = [&](std::int64_t ms) {
    return outbox[outbox.size() - 1].find(R"("timestamp":)" + std::to_string(ms) + ",") !=
           std::string_view::npos;
  };
  EXPECT_EQ(refused(900'000'000, "1790000000000020"), LoginStep::refused);
  wall_ms += 1000;
  now = now + seconds(1);
  login.on_timer(now, outbox);
  EXPECT_TRUE(signed_at(1'790'000'001'000)) << outbox[outbox.size() - 1];
  login.on_close();
  login.on_open(now, outbox);
  EXPECT_TRUE(signed_at(1'790'000'001'000)) << "the next connection knows it";
  // The host's clock is set: nothing goes by it any more. What is no time changes nothing.
  wall_ms -= 65'000;
  std::int64_t id = 900'000'002;
  std::int64_t ms = 1'790'000'001'000;
  for (const char* none : {"0", "-1", "null", R"("1790000000")"}) {
    EXPECT_EQ(refused(id++, none), LoginStep::refused) << none;
    now = now + seconds(1);
    ms += 1000;
    login.on_timer(now, outbox);
    ++id;
    EXPECT_TRUE(signed_at(ms)) << none << ' ' << outbox[outbox.size() - 1];
    login.on_close();
    login.on_open(now, outbox);
  }
  EXPECT_EQ(refused(id, "1790000900000000"), LoginStep::refused);
  now = now + seconds(1);
  login.on_timer(now, outbox);
  EXPECT_TRUE(signed_at(1'790'000'901'000)) << "the newest refusal counts";
}

struct AskedAgain : testing::Test {
  LoginConfig config;
  Outbox outbox;
  RecvTime now{seconds(10).count};
  AskedAgain() {
    config.client_id = "AMANDA";
    config.client_secret = "AMANDASECRECT";
    config.unix_ms = [] { return std::int64_t{1576074319000}; };
  }
  LoginStep take(deribit::DeribitLogin& login, int nth, const char* rest) {
    test::PaddedText bytes{R"({"jsonrpc":"2.0","id":)" + std::to_string(900'000'000 + nth) + rest};
    return login.on_frame(bytes.frame(), now, outbox);
  }
  static constexpr const char* grant =
      R"(,"result":{"scope":"connection","expires_in":900,"access_token":"A",)"
      R"("refresh_token":"R"}})";
  static constexpr const char* unauthorized = R"(,"error":{"message":"no","code":13009}})";
};

TEST_F(AskedAgain, OfTwoRequestsARefusalOfOneDoesNotHideTheGrantOfTheOther) {
  deribit::DeribitLogin login{config};
  login.on_open(now, outbox);
  now = now + seconds(5);
  login.on_timer(now, outbox);
  EXPECT_EQ(take(login, 0, unauthorized), LoginStep::waiting);
  EXPECT_EQ(take(login, 1, grant), LoginStep::accepted);
  login.on_close();
  login.on_open(now, outbox);
  now = now + seconds(5);
  login.on_timer(now, outbox);
  EXPECT_EQ(take(login, 2, unauthorized), LoginStep::waiting);
  EXPECT_EQ(take(login, 3, unauthorized), LoginStep::refused) << "both";
}

TEST_F(AskedAgain, AnAnswerThatIsLostForGoodHidesNoRefusal) {
  deribit::DeribitLogin login{config};
  login.on_open(now, outbox);
  LoginStep step = LoginStep::waiting;
  int refusals = 0;
  while (step == LoginStep::waiting && refusals < 10) {
    now = now + seconds(5);
    login.on_timer(now, outbox);
    step = take(login, ++refusals, unauthorized);
    EXPECT_EQ(login.error_code(), 13009);
  }
  EXPECT_EQ(step, LoginStep::refused);
  EXPECT_EQ(refusals, 3);
}

TEST_F(AskedAgain, ARefreshWhoseAnswerCannotBeUsedEndsNoSession) {
  deribit::DeribitLogin login{config};
  login.on_open(now, outbox);
  EXPECT_EQ(take(login, 0, grant), LoginStep::accepted);
  now = now + seconds(721);
  login.on_timer(now, outbox);
  EXPECT_EQ(take(login, 1, R"(,"result":{"scope":"connection"}})"), LoginStep::waiting);
  EXPECT_TRUE(login.ready());
  outbox.clear();
  now = now + seconds(11);
  login.on_timer(now, outbox);
  ASSERT_EQ(outbox.size(), 1U);
  EXPECT_NE(outbox[0].find(R"("grant_type":"client_signature")"), std::string_view::npos);
}

// A venue takes a refresh token once.
TEST_F(AskedAgain, ARefreshWithoutAnAnswerIsFollowedByTheCredentials) {
  deribit::DeribitLogin login{config};
  login.on_open(now, outbox);
  EXPECT_EQ(take(login, 0, grant), LoginStep::accepted);
  outbox.clear();
  now = now + seconds(721);
  login.on_timer(now, outbox);
  now = now + seconds(11);
  login.on_timer(now, outbox);
  ASSERT_EQ(outbox.size(), 2U);
  EXPECT_NE(outbox[0].find(R"("grant_type":"refresh_token")"), std::string_view::npos);
  EXPECT_NE(outbox[1].find(R"("grant_type":"client_signature")"), std::string_view::npos);
}

TEST_F(AskedAgain, ARefusedRefreshEndsNoSession) {
  deribit::DeribitLogin login{config};
  login.on_open(now, outbox);
  EXPECT_EQ(take(login, 0, grant), LoginStep::accepted);
  now = now + seconds(721);
  login.on_timer(now, outbox);
  EXPECT_EQ(take(login, 1, unauthorized), LoginStep::waiting);
  EXPECT_TRUE(login.ready());
  EXPECT_EQ(login.access_token(), "A");
  outbox.clear();
  now = now + seconds(11);
  login.on_timer(now, outbox);
  ASSERT_EQ(outbox.size(), 1U);
  EXPECT_NE(outbox[0].find(R"("grant_type":"client_signature")"), std::string_view::npos);
}

// The refresh token is gone, and this host's clock was stepped since the log-in.
TEST_F(AskedAgain, CredentialsRefusedInARefreshAreSignedAgainWithTheVenuesTime) {
  deribit::DeribitLogin login{config};
  login.on_open(now, outbox);
  EXPECT_EQ(take(login, 0, grant), LoginStep::accepted);
  now = now + seconds(721);
  login.on_timer(now, outbox);
  EXPECT_EQ(take(login, 1, unauthorized), LoginStep::waiting);
  now = now + seconds(11);
  login.on_timer(now, outbox);
  EXPECT_EQ(take(login, 2,
                 R"(,"error":{"message":"invalid_credentials","code":13004},)"
                 R"("usOut":1790000000000020})"),
            LoginStep::waiting);
  EXPECT_TRUE(login.ready());
  outbox.clear();
  now = now + seconds(11);
  login.on_timer(now, outbox);
  ASSERT_EQ(outbox.size(), 1U);
  EXPECT_NE(outbox[0].find(R"("timestamp":1790000011000,)"), std::string_view::npos) << outbox[0];
}

}  // namespace
}  // namespace gimbal
