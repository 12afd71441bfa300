// The guardian's session at its venue: what it needs before it may cancel, and what it does not.
#include "ops/guardian/cancel_session.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/deaf_peer.hpp"

namespace gimbal::guardian {
namespace {

struct CancelSessionTest : testing::Test {
  static deribit::LoginConfig login() {
    deribit::LoginConfig c;
    c.client_id = "guard";
    c.client_secret = "secret";
    c.grant = deribit::GrantType::client_credentials;
    c.first_request_id = 900'000'000;
    return c;
  }
  TscClock clock;
  CancelSession session{login(), clock};
  RecvTime now{seconds(10).count};
  std::int64_t next_login{900'000'000};

  void hear(std::int64_t id, const std::string& rest) {
    std::string text = R"({"jsonrpc":"2.0","id":)" + std::to_string(id) + "," + rest + "}";
    std::vector<char> bytes{text.begin(), text.end()};
    bytes.resize(text.size() + 64);
    session.text(TextFrame{bytes.data(), text.size(), bytes.size(), now});
  }
  // Logged in, and proven able to cancel.
  void able() {
    session.opened(now);
    hear(next_login++, R"("result":{"scope":"connection","expires_in":900,"access_token":"A"})");
    ASSERT_EQ(session.trouble(), "proving that it may cancel");
    hear(3'000'000'001, R"("result":0)");
    ASSERT_EQ(session.trouble(), "asking which account its key belongs to");
  }
  // Without a connection beneath, up is "silent": it has nothing to ask for any more.
  [[nodiscard]] bool up() const { return session.trouble() == "silent"; }
};

TEST_F(CancelSessionTest, K04AVenueThatDoesNotSayTheAccountHoldsUpTheCancelsForASecondAndNoLonger) {
  able();
  session.timer(now + seconds(1) - Nanos{1});
  EXPECT_FALSE(up()) << session.trouble();
  session.timer(now + seconds(1));
  EXPECT_TRUE(up()) << session.trouble();
  EXPECT_EQ(session.account(), 0u);
  hear(3'000'000'002, R"("result":{"id":77,"summaries":[]})");
  EXPECT_EQ(session.account(), 77u) << "it is asked again, and the answer counts";
}

TEST_F(CancelSessionTest, K04TheAccountIsKnownBeforeTheSessionIsUp) {
  able();
  hear(3'000'000'002, R"("result":{"id":77,"summaries":[]})");
  EXPECT_TRUE(up()) << session.trouble();
  EXPECT_EQ(session.account(), 77u);
}

TEST_F(CancelSessionTest, K04AKeyThatMayNotAskForItsAccountIsRefused) {
  for (const int code : {13009, 13021, 13403}) {
    able();
    hear(3'000'000'002, R"("error":{"message":"no","code":)" + std::to_string(code) + "}");
    EXPECT_NE(session.trouble().find("account:read"), std::string::npos) << session.trouble();
    session.timer(now + seconds(2));
    EXPECT_FALSE(up()) << code;
  }
}

// Without the venue's answer to our close frame: the next connection may be able to cancel.
TEST_F(CancelSessionTest, K04ARefusedConnectionIsLeftAtOnce) {
  PollerConfig config;
  config.kind = PollerKind::spin;
  PollerChoice choice;
  const auto poller = Poller::open(config, choice);
  ASSERT_TRUE(poller) << choice.reason;
  test::DeafPeer venue;
  auto connection = venue.connect();
  ASSERT_TRUE(session.session().port().to_hot.put(connection));
  ASSERT_TRUE(session.session().adopt(*poller, now));
  session.session().port().wanted = false;
  hear(next_login, R"("error":{"message":"invalid_credentials","code":13004})");
  EXPECT_NE(session.trouble().find("login refused"), std::string::npos) << session.trouble();
  session.session().upkeep(*poller, now);
  EXPECT_FALSE(session.session().up());
  EXPECT_TRUE(session.session().port().wanted);
}

}  // namespace
}  // namespace gimbal::guardian
