// The upgrade over TLS, and REST.
#include <gtest/gtest.h>

#include "engine/wire/http.hpp"
#include "engine/wire/link.hpp"
#include "tests/support/peer_fixture.hpp"
#include "tests/wire/test_servers.hpp"

namespace gimbal {
namespace {

using namespace std::chrono_literals;
using test::endpoint;
using test::good_spec;
using test::Identity;
using test::root;
using test::ScriptedPeer;
using test::trusting;

// --- the upgrade over TLS, and REST
// ---------------------------------------------------------------

TEST(Connector, ReportsTheStatusOfARefusedUpgrade) {
  const Identity leaf = test::make_identity(good_spec(), &root());
  ScriptedPeer peer{[&](SSL_CTX* c) { test::present(c, leaf); },
                    [](SSL* ssl, int) {
                      (void)test::read_head(ssl);
                      test::write_text(ssl,
                                       "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3\r\n\r\n");
                      SSL_shutdown(ssl);
                    }};
  ConnectFailure failure;
  EXPECT_FALSE(Connector{trusting(root())}.connect(endpoint(peer.port()), 2s, failure));
  EXPECT_EQ(failure.stage, ConnectStage::upgrade);
  EXPECT_EQ(failure.http_status, 429);
}

TEST(TlsContext, RefusesAMissingFileAnEmptyBundleAndALonePin) {
  std::string error;
  EXPECT_FALSE(TlsContext::make({"/nonexistent/ca.pem", {}}, error));
  EXPECT_NE(error.find("/nonexistent/ca.pem"), std::string::npos);
  EXPECT_FALSE(TlsContext::make({test::write_pem({}), {}}, error));
  EXPECT_FALSE(TlsContext::make({test::write_pem({root()}), {SpkiPin{}}}, error));
  EXPECT_NE(error.find("backup"), std::string::npos);
}

TEST(TlsContext, ReadsPinsInBothForms) {
  SpkiPin a{};
  SpkiPin b{};
  ASSERT_TRUE(parse_pin("sha256/AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=", a));
  ASSERT_TRUE(parse_pin("0102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F20", b));
  EXPECT_EQ(a, b);
  EXPECT_EQ(a[31], 32);
  for (const char* bad : {"", "sha256/", "sha256/AQID", "0102", "zz02030405060708090a0b0c0d0e0f10",
                          "sha256/AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHy!="}) {
    EXPECT_FALSE(parse_pin(bad, a)) << bad;
  }
}

std::string whole(const std::string& body, const std::string& extra = {}) {
  return "HTTP/1.1 200 OK\r\n" + extra + "Content-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

TEST(HttpsClient, KeepsItsConnectionAndOpensAnotherWhenTheServerClosedIt) {
  const Identity leaf = test::make_identity(good_spec(), &root());
  ScriptedPeer peer{[&](SSL_CTX* c) { test::present(c, leaf); },
                    [](SSL* ssl, int) {
                      for (int i = 0; i < 3; ++i) {
                        const std::string head = test::read_head(ssl);
                        if (head.empty()) return;
                        test::write_text(ssl, whole(head.substr(0, head.find(' '))));
                      }
                      SSL_shutdown(ssl);
                    }};
  HttpsClient client{trusting(root()), endpoint(peer.port())};
  for (int i = 0; i < 6; ++i) {
    const auto answer = client.call({"GET", "/api", {{"Accept", "application/json"}}, {}}, 2s);
    ASSERT_TRUE(answer.ok()) << i << ": " << answer.error;
    EXPECT_EQ(answer.body, "GET");
  }
  EXPECT_EQ(client.connections(), 2U);
}

TEST(HttpsClient, DoesNotRepeatAPostOnADeadConnection) {
  const Identity leaf = test::make_identity(good_spec(), &root());
  ScriptedPeer peer{[&](SSL_CTX* c) { test::present(c, leaf); },
                    [](SSL* ssl, int) {
                      if (!test::read_head(ssl).empty()) test::write_text(ssl, whole("ok"));
                      SSL_shutdown(ssl);
                    }};
  HttpsClient client{trusting(root()), endpoint(peer.port())};
  ASSERT_TRUE(client.call({"GET", "/", {}, {}}, 2s).ok());
  const auto answer = client.call({"POST", "/order", {}, "{}"}, 2s);
  EXPECT_FALSE(answer.ok());
  EXPECT_FALSE(answer.not_sent);
  EXPECT_EQ(peer.accepted(), 1);
}

TEST(HttpsClient, RefusesAnAnswerOverTheBodyLimitAndALateOne) {
  const Identity leaf = test::make_identity(good_spec(), &root());
  ScriptedPeer peer{[&](SSL_CTX* c) { test::present(c, leaf); },
                    [](SSL* ssl, int) {
                      const std::string head = test::read_head(ssl);
                      if (head.find("/late") != std::string::npos)
                        std::this_thread::sleep_for(500ms);
                      test::write_text(ssl, whole(std::string(5000, 'b')));
                    }};
  HttpsClient client{trusting(root()), endpoint(peer.port()), 4096};
  EXPECT_NE(client.call({}, 2s).error.find("body limit"), std::string::npos);
  const auto late = client.call({"GET", "/late", {}, {}}, 150ms);
  EXPECT_FALSE(late.ok());
  EXPECT_NE(late.error.find("in time"), std::string::npos) << late.error;
}

TEST(HttpsClient, RefusesRequestsThatCouldSmuggle) {
  const Identity leaf = test::make_identity(good_spec(), &root());
  ScriptedPeer peer{[&](SSL_CTX* c) { test::present(c, leaf); }, [](SSL*, int) {}};
  HttpsClient client{trusting(root()), endpoint(peer.port())};
  for (const HttpRequest& request :
       {HttpRequest{"PATCH", "/", {}, {}}, HttpRequest{"GET", "/a b", {}, {}},
        HttpRequest{"GET", "/", {{"X", "1\r\nY: 2"}}, {}}}) {
    const auto answer = client.call(request, 2s);
    EXPECT_FALSE(answer.ok());
    EXPECT_TRUE(answer.not_sent);
  }
}

}  // namespace
}  // namespace gimbal
