// Whole connections over loopback TLS against an independent server, on every poller.
#include "engine/wire/link.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <chrono>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "engine/wire/poller.hpp"
#include "tests/wire/test_servers.hpp"

namespace gimbal {
namespace {

using namespace std::chrono_literals;
using test::EchoServer;
using test::Identity;
using test::ScriptedPeer;

struct SystemClock {
  RecvTime now() const noexcept {
    timespec t{};
    clock_gettime(CLOCK_MONOTONIC, &t);
    return RecvTime{t.tv_sec * 1'000'000'000 + t.tv_nsec};
  }
};

// What a test saw on one link; also the sink of both the poller and the link.
struct Station {
  explicit Station(const LinkConfig& config = {}) : link{config} {}
  void on_text(const TextFrame& f) {
    EXPECT_GE(f.capacity, f.size + ws_padding);
    texts.emplace_back(f.data, f.size);
    last_at = f.at;
    if (hook) hook(f);
  }
  void on_closed(const LinkClosed& c) { endings.push_back(c); }

  Link link;
  std::deque<std::string> texts;
  std::vector<LinkClosed> endings;
  RecvTime last_at{};
  std::function<void(const TextFrame&)> hook;
};

struct Router {
  std::vector<Station*> stations;
  void on_received(std::uint16_t slot, std::span<const char> bytes, RecvTime at) {
    stations[slot]->link.on_bytes(bytes, at, *stations[slot]);
  }
  void on_lost(std::uint16_t slot, int error) {
    stations[slot]->link.on_lost(error, *stations[slot]);
  }
};

class LinkOver : public testing::TestWithParam<PollerKind> {
 protected:
  void SetUp() override {
    test::CertSpec spec;
    spec.dns = {"venue.test"};
    root_ = test::make_authority();
    leaf_ = test::make_identity(spec, &root_);
    std::string error;
    context_ = TlsContext::make({test::write_pem({root_}), {}}, error);
    ASSERT_TRUE(context_) << error;
    PollerChoice choice;
    PollerConfig config;
    config.kind = GetParam();
    poller_ = Poller::open(config, choice);
    if (!poller_) GTEST_SKIP() << name_of(GetParam()) << ": " << choice.reason;
  }
  Endpoint endpoint(std::uint16_t port) const {
    Endpoint e;
    e.host = "venue.test";
    e.address = "127.0.0.1";
    e.port = port;
    return e;
  }
  void join(Station& station, std::uint16_t port, Priority priority = Priority::normal) {
    ConnectFailure failure;
    auto made = Connector{context_}.connect(endpoint(port), 5s, failure);
    ASSERT_TRUE(made) << failure.text;
    EXPECT_EQ(made->security, "TLSv1.3 TLS_AES_128_GCM_SHA256");
    const auto slot = static_cast<std::uint16_t>(router_.stations.size());
    router_.stations.push_back(&station);
    ASSERT_TRUE(poller_->add(made->fd, slot, priority));
    station.link.adopt(std::move(made), clock_.now(), station);
  }
  bool run_until(const std::function<bool()>& done, std::chrono::milliseconds limit = 10s) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!done()) {
      if (std::chrono::steady_clock::now() > end) return false;
      if (poller_->poll(clock_, router_) == 0) poller_->wait(1);
      for (Station* s : router_.stations) s->link.settle(*s);
    }
    return true;
  }
  void TearDown() override {
    for (std::uint16_t i = 0; poller_ && i < router_.stations.size(); ++i) poller_->remove(i);
  }

  Identity root_;
  Identity leaf_;
  std::shared_ptr<TlsContext> context_;
  std::unique_ptr<Poller> poller_;
  SystemClock clock_;
  Router router_;
};

INSTANTIATE_TEST_SUITE_P(EveryPoller, LinkOver,
                         testing::Values(PollerKind::uring, PollerKind::epoll, PollerKind::spin),
                         [](const auto& p) { return std::string{name_of(p.param)}; });

TEST_P(LinkOver, EchoesTextsOfEverySizeInOrder) {
  EchoServer server{leaf_};
  Station station;
  join(station, server.port());
  std::vector<std::string> sent;
  for (const std::size_t size : {0UL, 1UL, 125UL, 126UL, 4000UL, 16384UL, 65535UL, 65536UL}) {
    sent.emplace_back(size, static_cast<char>('a' + size % 26));
    ASSERT_TRUE(station.link.send_text(sent.back()));
  }
  ASSERT_TRUE(run_until([&] { return station.texts.size() == sent.size(); }));
  for (std::size_t i = 0; i < sent.size(); ++i) EXPECT_EQ(station.texts[i], sent[i]);
  EXPECT_EQ(station.link.counters().texts_out, sent.size());
  EXPECT_LE(station.last_at, clock_.now());
}

TEST_P(LinkOver, WritesAnOrderInPlaceFromInsideTheSink) {
  EchoServer server{leaf_};
  Station station;
  int rounds = 0;
  station.hook = [&](const TextFrame& f) {
    if (++rounds == 100) return;
    auto room = station.link.reserve(f.size + 1);
    ASSERT_EQ(room.size(), f.size + 1);
    std::copy_n(f.data, f.size, room.begin());
    room.back() = '+';
    ASSERT_TRUE(station.link.commit(f.size + 1));
  };
  join(station, server.port());
  ASSERT_TRUE(station.link.send_text("order"));
  ASSERT_TRUE(run_until([&] { return rounds == 100; }));
  EXPECT_EQ(station.texts.back(), "order" + std::string(99, '+'));
}

TEST_P(LinkOver, AnswersPingsAndClosesBothWays) {
  EchoServer server{leaf_};
  Station a;
  Station b;
  join(a, server.port());
  join(b, server.port());
  ASSERT_TRUE(a.link.send_text("!ping"));
  ASSERT_TRUE(run_until([&] { return a.link.counters().pings_in == 1 && a.texts.size() == 1; }));
  a.link.close(1000, "done");
  ASSERT_TRUE(b.link.send_text("!close"));
  ASSERT_TRUE(run_until([&] { return a.endings.size() == 1 && b.endings.size() == 1; }));
  EXPECT_EQ(a.endings[0].cause, CloseCause::by_us);
  EXPECT_EQ(a.endings[0].code, 1000);
  EXPECT_EQ(b.endings[0].cause, CloseCause::by_peer);
  EXPECT_EQ(b.endings[0].code, 1001);
  EXPECT_FALSE(b.link.send_text("late"));
}

TEST_P(LinkOver, RefusesABinaryMessageWith1003) {
  EchoServer server{leaf_};
  Station station;
  join(station, server.port());
  ASSERT_TRUE(station.link.send_text("!binary"));
  ASSERT_TRUE(run_until([&] { return !station.endings.empty(); }));
  EXPECT_EQ(station.endings[0].failure, WsFailure::binary_message);
  EXPECT_EQ(station.endings[0].code, 1003);
  EXPECT_TRUE(station.texts.empty());
}

TEST_P(LinkOver, RefusesAMessageOverTheSessionsLimitWith1009) {
  EchoServer server{leaf_};
  Station station{{1000, 4000}};
  join(station, server.port());
  EXPECT_FALSE(station.link.send_text(std::string(4001, 'x')));
  ASSERT_TRUE(station.link.send_text(std::string(1001, 'x')));
  ASSERT_TRUE(run_until([&] { return !station.endings.empty(); }));
  EXPECT_EQ(station.endings[0].code, 1009);
}

TEST_P(LinkOver, DeliversMessagesThatCameTogetherWithTheUpgradeAnswer) {
  const std::string frame = std::string{"\x81\x05"} + "early";
  ScriptedPeer peer{[&](SSL_CTX* c) { test::present(c, leaf_); },
                    [&](SSL* ssl, int) {
                      if (test::accept_upgrade(ssl, frame + frame)) test::write_text(ssl, frame);
                      (void)test::read_head(ssl);
                    }};
  Station station;
  join(station, peer.port());
  ASSERT_TRUE(run_until([&] { return station.texts.size() == 3; }));
  EXPECT_EQ(station.texts[0], "early");
}

TEST_P(LinkOver, KeepsAPartialSendAndFinishesItInOrder) {
  EchoServer server{leaf_};
  Station station;
  join(station, server.port());
  std::vector<std::string> sent;  // more than socket buffers and our own hold at once
  std::size_t refused = 0;
  for (int i = 0; i < 400; ++i) {
    std::string text =
        std::to_string(i) + ":" + std::string(50000, static_cast<char>('a' + i % 26));
    if (station.link.send_text(text))
      sent.push_back(std::move(text));
    else
      ++refused;
  }
  EXPECT_GT(station.link.counters().send_again, 0U);
  EXPECT_GT(refused, 0U) << "a full backlog must refuse, not grow";
  ASSERT_TRUE(run_until([&] { return station.texts.size() == sent.size(); }, 30s));
  for (std::size_t i = 0; i < sent.size(); ++i) ASSERT_EQ(station.texts[i], sent[i]) << i;
  EXPECT_EQ(station.link.backlog(), 0U);
}

TEST_P(LinkOver, ReportsACutConnectionOnceAndCanBeUsedAgain) {
  auto server = std::make_unique<EchoServer>(leaf_);
  Station station;
  join(station, server->port());
  server.reset();
  ASSERT_TRUE(run_until([&] { return !station.endings.empty(); }));
  EXPECT_EQ(station.endings[0].code, 1006);
  poller_->remove(0);
  auto remains = station.link.retire();
  ASSERT_TRUE(remains);
  remains.reset();
  router_.stations.clear();
  EchoServer again{leaf_};
  join(station, again.port());
  ASSERT_TRUE(station.link.send_text("back"));
  ASSERT_TRUE(run_until([&] { return station.texts.size() == 1; }));
  EXPECT_EQ(station.endings.size(), 1U);
  EXPECT_EQ(station.link.counters().adopted, 2U);
}

TEST_P(LinkOver, HoldsAPausedSlotBackAndServesItAfterResume) {
  EchoServer server{leaf_};
  Station a;
  Station b;
  join(a, server.port());
  join(b, server.port());
  poller_->pause(0);
  (void)run_until([] { return false; }, 20ms);  // lets the cancellation through
  ASSERT_TRUE(a.link.send_text("held"));
  ASSERT_TRUE(b.link.send_text("free"));
  ASSERT_TRUE(run_until([&] { return b.texts.size() == 1; }));
  EXPECT_FALSE(run_until([&] { return !a.texts.empty(); }, 100ms));
  poller_->resume(0);
  EXPECT_TRUE(run_until([&] { return a.texts.size() == 1; }));
}

struct ChunkOrder {
  std::vector<std::uint16_t> slots;
  int urgent{-1};
  void on_received(std::uint16_t slot, std::span<const char> /*bytes*/, RecvTime /*at*/) {
    if (slots.empty()) { EXPECT_EQ(::send(urgent, "!", 1, 0), 1); }
    slots.push_back(slot);
  }
  void on_lost(std::uint16_t slot, int /*error*/) { ADD_FAILURE() << "slot " << slot << " lost"; }
};

TEST_P(LinkOver, ServesAPriorityChunkBeforeTheRestOfABurst) {
  PollerConfig config;
  config.kind = GetParam();
  config.buffer_bytes = 1024;
  PollerChoice choice;
  const auto poller = Poller::open(config, choice);
  ASSERT_TRUE(poller);
  int burst[2];
  int order[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, burst), 0);
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, order), 0);
  ASSERT_TRUE(poller->add(burst[0], 3, Priority::normal));
  ASSERT_TRUE(poller->add(order[0], 9, Priority::first));
  EXPECT_FALSE(poller->add(order[0], 9, Priority::first)) << "the slot is taken";
  const std::string bytes(8 * 1024, 'b');
  ASSERT_EQ(::send(burst[1], bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  ChunkOrder seen;
  seen.urgent = order[1];
  for (int i = 0; i < 1000 && seen.slots.size() < 9; ++i) (void)poller->poll(clock_, seen);
  ASSERT_EQ(seen.slots.size(), 9U);
  EXPECT_EQ(seen.slots[0], 3);
  EXPECT_EQ(seen.slots[1], 9) << "one chunk of the burst, then the priority slot";
  poller->remove(3);
  poller->remove(9);
  for (const int fd : {burst[0], burst[1], order[0], order[1]}) ::close(fd);
}

TEST_P(LinkOver, TamperedCiphertextEndsTheLink) {
  EchoServer server{leaf_};
  Station station;
  join(station, server.port());
  std::string garbage(200, '\x17');
  garbage.replace(0, 5, std::string{"\x17\x03\x03\x00\x40", 5});
  station.link.on_bytes(garbage, clock_.now(), station);
  ASSERT_EQ(station.endings.size(), 1U);
  EXPECT_EQ(station.endings[0].cause, CloseCause::tls);
  EXPECT_TRUE(station.texts.empty());
}

TEST(Poller, FallsBackToEpollAndSaysWhyWhenTheKernelRefusesIoUring) {
  PollerConfig config;
  config.uring_refused = true;
  PollerChoice choice;
  const auto poller = Poller::open(config, choice);
  ASSERT_TRUE(poller);
  EXPECT_EQ(poller->kind(), PollerKind::epoll);
  EXPECT_EQ(choice.kind, PollerKind::epoll);
  EXPECT_NE(choice.reason.find("io_uring"), std::string::npos) << choice.reason;
  EXPECT_NE(choice.reason.find("Operation not permitted"), std::string::npos) << choice.reason;
  config.kind = PollerKind::uring;
  EXPECT_FALSE(Poller::open(config, choice));
  EXPECT_NE(choice.reason.find("Operation not permitted"), std::string::npos);
}

TEST_P(LinkOver, KernelStampsAreOnOurClockWhereOffered) {
  PollerConfig config;
  config.kind = GetParam();
  config.kernel_stamps = true;
  PollerChoice choice;
  poller_ = Poller::open(config, choice);
  ASSERT_TRUE(poller_);
  EXPECT_EQ(poller_->kernel_stamps(), GetParam() != PollerKind::uring);
  EchoServer server{leaf_};
  Station station;
  join(station, server.port());
  for (int i = 1; i <= 5; ++i) {
    const RecvTime before = clock_.now();
    ASSERT_TRUE(station.link.send_text("tick"));
    ASSERT_TRUE(run_until([&] { return station.texts.size() == static_cast<std::size_t>(i); }));
    EXPECT_GE(station.last_at, before - microseconds(200));
    EXPECT_LE(station.last_at, clock_.now());
  }
}

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
