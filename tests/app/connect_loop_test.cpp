// The thread that makes connections, against a real server on loopback.
#include "ops/app/connect_loop.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <thread>

#include "tests/wire/test_servers.hpp"

namespace gimbal::test {
namespace {

using namespace std::chrono_literals;

struct Connecting : testing::Test {
  void SetUp() override {
    const Identity root = make_authority();
    CertSpec spec;
    spec.dns = {"venue.test"};
    server = std::make_unique<EchoServer>(make_identity(spec, &root));
    std::string error;
    auto context = TlsContext::make({write_pem({root}), {}}, error);
    ASSERT_TRUE(context) << error;
    Endpoint e;
    e.host = "venue.test";
    e.address = "127.0.0.1";
    e.port = server->port();
    loop = std::make_unique<ConnectLoop>(context, e, 5s, ReconnectConfig{}, clock,
                                         [](const std::string&) {});
  }
  void start() {
    thread = std::jthread{[this] { loop->run(stop); }};
  }
  void TearDown() override { stop.store(true); }
  template <class Done>
  static bool eventually(Done done) {
    for (int i = 0; i < 2000 && !done(); ++i) std::this_thread::sleep_for(5ms);
    return done();
  }
  static std::unique_ptr<Established> taken(SessionPort& port) {
    std::unique_ptr<Established> got;
    (void)eventually([&] { return got != nullptr || (got = port.to_hot.take()) != nullptr; });
    return got;
  }
  // As the kernel says: it does not when acknowledgements wait for something to go with.
  static bool acknowledges_soon(int fd) {
    int on = -1;
    socklen_t size = sizeof on;
    EXPECT_EQ(getsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, &size), 0);
    return on != 0;
  }
  static void acknowledge_soon(int fd) {
    const int on = 1;
    ASSERT_EQ(setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on), 0);
  }

  TscClock clock;
  std::unique_ptr<EchoServer> server;
  std::unique_ptr<ConnectLoop> loop;
  SessionPort feed;
  SessionPort orders;
  std::atomic<bool> stop{false};
  std::jthread thread;
};

TEST_F(Connecting, AFeedAcknowledgesLateAgainAndAgainAndOrdersAreLeftAlone) {
  loop->add("orders", orders);
  loop->add("feed", feed, Acknowledge::late);
  start();
  const std::unique_ptr<Established> order_connection = taken(orders);
  std::unique_ptr<Established> feed_connection = taken(feed);
  ASSERT_TRUE(order_connection && feed_connection);
  for (int round = 0; round < 3; ++round) {
    acknowledge_soon(feed_connection->fd);  // as the kernel's timer does
    acknowledge_soon(order_connection->fd);
    EXPECT_TRUE(eventually([&] { return !acknowledges_soon(feed_connection->fd); })) << round;
    EXPECT_TRUE(acknowledges_soon(order_connection->fd)) << round;
  }
}

// The descriptor's number may be another connection's as soon as it is closed.
TEST_F(Connecting, WhatWasGivenBackIsTouchedNoMore) {
  loop->add("feed", feed, Acknowledge::late);
  start();
  std::unique_ptr<Established> connection = taken(feed);
  ASSERT_TRUE(connection);
  const int number = connection->fd;
  const int kept = ::dup(number);
  ASSERT_GE(kept, 0);
  ASSERT_TRUE(feed.to_cold.put(connection));
  const std::uint64_t seen = loop->cycles();
  ASSERT_TRUE(eventually([&] { return loop->cycles() > seen + 2; }));
  ASSERT_EQ(::dup2(kept, number), number);  // the number is somebody else's now
  acknowledge_soon(number);
  const std::uint64_t from = loop->cycles();
  ASSERT_TRUE(eventually([&] { return loop->cycles() > from + 5; }));
  EXPECT_TRUE(acknowledges_soon(number));
  ::close(number);
  ::close(kept);
}

}  // namespace
}  // namespace gimbal::test
