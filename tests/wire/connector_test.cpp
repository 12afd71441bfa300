// The connector away from TLS and in failure, and the handover of a connection.
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "engine/wire/link.hpp"
#include "engine/wire/poller.hpp"
#include "tests/support/link_fixture.hpp"
#include "tests/wire/test_servers.hpp"

namespace gimbal {
namespace {

using namespace std::chrono_literals;
using test::EchoServer;
using test::ScriptedPeer;

TEST(Connector, RefusesPlaintextAwayFromLoopbackBeforeAnyByte) {
  ConnectFailure failure;
  Endpoint e;
  e.host = "192.0.2.1";
  e.transport = Transport::plaintext_loopback;
  EXPECT_FALSE(Connector{nullptr}.connect(e, 200ms, failure));
  EXPECT_NE(failure.text.find("not a loopback"), std::string::npos) << failure.text;
}

TEST(Connector, PlaintextOnLoopbackWorksForBenches) {
  EchoServer server{test::make_identity({}), false};
  ConnectFailure failure;
  Endpoint e;
  e.host = "127.0.0.1";
  e.port = server.port();
  e.transport = Transport::plaintext_loopback;
  auto made = Connector{nullptr}.connect(e, 2s, failure);
  ASSERT_TRUE(made) << failure.text;
  EXPECT_EQ(made->security, "plaintext");
}

TEST(Connector, GivesUpAtItsDeadlineOnAPeerThatNeverAnswers) {
  ScriptedPeer silent{nullptr, [](SSL*, int) { std::this_thread::sleep_for(600ms); }};
  std::string error;
  auto context = TlsContext::make({test::write_pem({test::make_authority()}), {}}, error);
  ConnectFailure failure;
  Endpoint e;
  e.host = "venue.test";
  e.address = "127.0.0.1";
  e.port = silent.port();
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(Connector{context}.connect(e, 200ms, failure));
  EXPECT_LT(std::chrono::steady_clock::now() - start, 500ms);
  EXPECT_EQ(failure.stage, ConnectStage::tls);
  EXPECT_NE(failure.text.find("in time"), std::string::npos) << failure.text;
}

TEST(Connector, ANameWithoutAnAddressFailsAtItsResolution) {
  std::string error;
  auto context = TlsContext::make({test::write_pem({test::make_authority()}), {}}, error);
  ConnectFailure failure;
  Endpoint e;
  e.host = std::string(64, 'a') + ".invalid";  // too long a label: no name server is asked
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(Connector{context}.connect(e, 2s, failure));
  EXPECT_LT(std::chrono::steady_clock::now() - start, 3s);
  EXPECT_EQ(failure.stage, ConnectStage::resolve);
  EXPECT_NE(failure.text.find("cannot resolve"), std::string::npos) << failure.text;
}

TEST(Connector, NamesTheStageThatFailed) {
  ConnectFailure failure;
  Endpoint e;
  e.host = "127.0.0.1";
  e.port = 1;
  e.transport = Transport::plaintext_loopback;
  EXPECT_FALSE(Connector{nullptr}.connect(e, 500ms, failure));
  EXPECT_EQ(failure.stage, ConnectStage::connect);
  EXPECT_NE(failure.text.find("127.0.0.1:1"), std::string::npos) << failure.text;
}

TEST(Handover, PassesOneConnectionAndRefusesASecondUntilTaken) {
  Handover handover;
  auto first = std::make_unique<Established>();
  auto second = std::make_unique<Established>();
  const Established* address = first.get();
  EXPECT_FALSE(handover.take());
  EXPECT_TRUE(handover.put(first));
  EXPECT_FALSE(first);
  EXPECT_FALSE(handover.put(second));
  EXPECT_TRUE(second);
  EXPECT_EQ(handover.take().get(), address);
  EXPECT_TRUE(handover.put(second));
}

}  // namespace
}  // namespace gimbal
