// Whole connections over loopback TLS against an independent server, on every poller.
#include "engine/wire/link.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <vector>

#include "engine/wire/poller.hpp"
#include "tests/support/link_fixture.hpp"
#include "tests/wire/test_servers.hpp"

namespace gimbal {
namespace {

using namespace std::chrono_literals;
using test::EchoServer;
using test::LinkOver;
using test::ScriptedPeer;
using test::Station;

INSTANTIATE_TEST_SUITE_P(EveryPoller, LinkOver,
                         testing::Values(PollerKind::uring, PollerKind::epoll, PollerKind::spin,
                                         PollerKind::mixed),
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
  for (const PollerKind kind : {PollerKind::uring, PollerKind::mixed}) {
    config.kind = kind;
    EXPECT_FALSE(Poller::open(config, choice));
    EXPECT_NE(choice.reason.find("Operation not permitted"), std::string::npos);
  }
}

TEST(Poller, AutomaticSpinsOnWhatIsUrgentAndSaysSo) {
  PollerChoice choice;
  const auto poller = Poller::open({}, choice);
  ASSERT_TRUE(poller);
  if (poller->kind() != PollerKind::mixed) GTEST_SKIP() << choice.reason;
  EXPECT_EQ(choice.kind, PollerKind::mixed);
  EXPECT_NE(choice.reason.find("io_uring"), std::string::npos) << choice.reason;
}

// An idle thread must be woken by either half of a mixed poller.
TEST_P(LinkOver, AWaitEndsForAnUrgentSlotAndForAnyOther) {
  PollerChoice choice;
  PollerConfig config;
  config.kind = GetParam();
  const auto poller = Poller::open(config, choice);
  ASSERT_TRUE(poller);
  struct Sink {
    std::array<std::size_t, 2> bytes{};
    void on_received(std::uint16_t slot, std::span<const char> b, RecvTime) {
      bytes[slot] += b.size();
    }
    void on_lost(std::uint16_t, int) {}
  } sink;
  int pairs[2][2];
  for (std::uint16_t slot = 0; slot < 2; ++slot) {
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pairs[slot]), 0);
    ASSERT_TRUE(poller->add(pairs[slot][0], slot, slot == 0 ? Priority::first : Priority::normal));
  }
  (void)poller->poll(clock_, sink);
  for (std::uint16_t slot = 0; slot < 2; ++slot) {
    std::jthread sender{[&] {
      std::this_thread::sleep_for(20ms);
      ASSERT_EQ(::send(pairs[slot][1], "x", 1, 0), 1);
    }};
    const RecvTime before = clock_.now();
    poller->wait(10'000);
    EXPECT_LT((clock_.now() - before).count, seconds(5).count) << slot;
    ASSERT_TRUE(run_until([&] {
      (void)poller->poll(clock_, sink);
      return sink.bytes[slot] == 1;
    })) << slot;
  }
  for (std::uint16_t slot = 0; slot < 2; ++slot) {
    poller->remove(slot);
    ::close(pairs[slot][0]);
    ::close(pairs[slot][1]);
  }
}

TEST_P(LinkOver, KernelStampsAreOnOurClockWhereOffered) {
  PollerConfig config;
  config.kind = GetParam();
  config.kernel_stamps = true;
  PollerChoice choice;
  poller_ = Poller::open(config, choice);
  ASSERT_TRUE(poller_);
  EXPECT_EQ(poller_->kernel_stamps(),
            GetParam() == PollerKind::epoll || GetParam() == PollerKind::spin);
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

}  // namespace
}  // namespace gimbal
