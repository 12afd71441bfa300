// The scraper's door: bounded, never blocking, and only what was asked for.
#include "ops/app/http_listener.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

namespace gimbal {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

class Caller {
 public:
  explicit Caller(std::uint16_t port) : fd_{::socket(AF_INET, SOCK_STREAM, 0)} {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
  }
  ~Caller() { ::close(fd_); }
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;
  void say(const std::string& text) const {
    (void)::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
  }
  // Everything until the server closes; empty text when it does not within `limit`.
  std::string all(HttpListener& server, std::chrono::milliseconds limit = 3000ms) {
    std::string text;
    const auto end = Clock::now() + limit;
    while (Clock::now() < end) {
      server.poll_once();
      char chunk[4096];
      const ssize_t n = ::recv(fd_, chunk, sizeof chunk, MSG_DONTWAIT);
      if (n == 0 || (n < 0 && errno != EAGAIN)) return text.empty() ? "closed" : text;
      if (n > 0) text.append(chunk, static_cast<std::size_t>(n));
      if (n < 0) std::this_thread::sleep_for(1ms);
    }
    return {};
  }

 private:
  int fd_;
};

class HttpListenerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ListenAddress where;
    ASSERT_TRUE(parse_listen("127.0.0.1:0", where));
    const auto opened = server.open(where);
    ASSERT_TRUE(static_cast<bool>(opened)) << opened.error();
  }
  std::string ask(const std::string& text) {
    Caller caller{server.port()};
    caller.say(text);
    return caller.all(server);
  }
  std::string body{"up 1\n"};
  HttpListener server{[this](std::string_view path) {
    return path == "/metrics" ? HttpAnswer{200, "text/plain", body}
                              : HttpAnswer{404, "text/plain", "no"};
  }};
};

TEST_F(HttpListenerTest, AScrapeGetsTheBodyWithItsLengthAndTheEndOfTheConnection) {
  const std::string answer = ask("GET /metrics?x=1 HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(answer.rfind("HTTP/1.1 200 OK\r\n", 0), 0u) << answer;
  EXPECT_NE(answer.find("Content-Length: 5\r\n"), std::string::npos);
  EXPECT_EQ(answer.substr(answer.size() - 5), "up 1\n");
}

TEST_F(HttpListenerTest, ALongBodyArrivesWholeThroughAFullSocketBuffer) {
  body = std::string(8u << 20, 'x');
  const std::string answer = ask("GET /metrics HTTP/1.1\r\n\r\n");
  EXPECT_EQ(answer.size() - answer.find("\r\n\r\n") - 4, body.size());
}

TEST_F(HttpListenerTest, WhatIsNotAGetOfAPathIsRefused) {
  EXPECT_EQ(ask("POST /metrics HTTP/1.1\r\n\r\n").rfind("HTTP/1.1 405", 0), 0u);
  EXPECT_EQ(ask("GET /other HTTP/1.1\r\n\r\n").rfind("HTTP/1.1 404", 0), 0u);
  for (const char* text :
       {"\r\n\r\n", "GET\r\n\r\n", "GET  HTTP/1.1\r\n\r\n", "GET /metrics\r\n\r\n",
        "GET metrics HTTP/1.1\r\n\r\n", "\x16\x03\x01\r\n\r\n"}) {
    EXPECT_EQ(ask(text).rfind("HTTP/1.1 400", 0), 0u) << text;
  }
  EXPECT_EQ(server.counters().answered, 1u);
}

TEST_F(HttpListenerTest, ARequestThatNeverEndsIsCutAtItsLimit) {
  EXPECT_EQ(ask("GET /" + std::string(3000, 'a')).rfind("HTTP/1.1 400", 0), 0u);
}

TEST_F(HttpListenerTest, ASlowClientIsClosedAfterItsPatienceAndHoldsNobody) {
  Caller slow{server.port()};
  slow.say("GET /metr");
  const auto began = Clock::now();
  EXPECT_NE(ask("GET /metrics HTTP/1.1\r\n\r\n").find("up 1"), std::string::npos);
  EXPECT_EQ(slow.all(server, 4000ms), "closed");
  const auto lasted = Clock::now() - began;
  EXPECT_GE(lasted, 1500ms);
  EXPECT_LE(lasted, 3500ms);
  EXPECT_EQ(server.counters().timed_out, 1u);
}

TEST_F(HttpListenerTest, AFloodOfIdleClientsDoesNotKeepTheNextScrapeOut) {
  std::list<Caller> idle;
  for (int i = 0; i < 50; ++i) {
    idle.emplace_back(server.port());
    server.poll_once();
    EXPECT_LE(server.clients(), HttpListener::clients_max);
  }
  EXPECT_NE(ask("GET /metrics HTTP/1.1\r\n\r\n").find("up 1"), std::string::npos);
  EXPECT_GT(server.counters().evicted, 40u);
}

TEST_F(HttpListenerTest, NoCallTakesLongWhateverClientsDo) {
  body = std::string(4u << 20, 'x');
  std::list<Caller> callers;
  for (int i = 0; i < 8; ++i) {
    callers.emplace_back(server.port());
    callers.back().say("GET /metrics HTTP/1.1\r\n\r\n");  // and never reads
  }
  Clock::duration longest{};
  for (int i = 0; i < 1000; ++i) {
    const auto began = Clock::now();
    server.poll_once();
    longest = std::max(longest, Clock::now() - began);
  }
  EXPECT_LT(longest, 500ms);
}

TEST(ParseListen, TakesAnAddressAndAPortAndNothingElse) {
  ListenAddress a;
  ASSERT_TRUE(parse_listen("127.0.0.1:9464", a));
  EXPECT_EQ(a.host, "127.0.0.1");
  EXPECT_EQ(a.port, 9464);
  EXPECT_TRUE(a.loopback());
  ASSERT_TRUE(parse_listen("[::1]:0", a));
  EXPECT_TRUE(a.loopback());
  ASSERT_TRUE(parse_listen("0.0.0.0:9464", a));
  EXPECT_FALSE(a.loopback());
  for (const char* bad : {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:70000",
                          "localhost:9464", ":9464", "127.0.0.1:94 64", "127.0.0:1"}) {
    EXPECT_FALSE(parse_listen(bad, a)) << bad;
  }
}

}  // namespace
}  // namespace gimbal
