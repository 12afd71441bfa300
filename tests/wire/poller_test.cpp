// Slots of a poller that change hands.
#include "engine/wire/poller.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>

namespace gimbal {
namespace {

// Both ends of a stream; the near one is the poller's.
struct TwoEnds {
  std::array<int, 2> fd{-1, -1};
  TwoEnds() { EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd.data()), 0); }
  TwoEnds(const TwoEnds&) = delete;
  TwoEnds& operator=(const TwoEnds&) = delete;
  ~TwoEnds() {
    ::close(fd[0]);
    ::close(fd[1]);
  }
  void say(const std::string& text) const {
    EXPECT_EQ(::write(fd[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
};

struct NoClock {
  RecvTime now() const noexcept { return RecvTime{1}; }
};

struct SlotSink {
  std::string text;
  void on_received(std::uint16_t, std::span<const char> bytes, RecvTime) {
    text.append(bytes.data(), bytes.size());
  }
  void on_lost(std::uint16_t, int error) { ADD_FAILURE() << "lost: " << error; }
};

class PollerSlots : public testing::TestWithParam<PollerKind> {};
INSTANTIATE_TEST_SUITE_P(EveryPoller, PollerSlots,
                         testing::Values(PollerKind::uring, PollerKind::epoll, PollerKind::spin,
                                         PollerKind::mixed),
                         [](const auto& p) { return std::string{name_of(p.param)}; });

// With a burst, chunks of the first tenant wait behind the one that is served.
TEST_P(PollerSlots, WhatWaitsOfARemovedConnectionIsNotTheNextOnes) {
  PollerConfig config;
  config.kind = GetParam();
  config.buffer_bytes = 1024;
  config.chunks_per_poll_max = 1;
  PollerChoice choice;
  const std::unique_ptr<Poller> poller = Poller::open(config, choice);
  if (poller == nullptr) GTEST_SKIP() << name_of(GetParam()) << ": " << choice.reason;
  const NoClock clock;
  const TwoEnds before;
  const TwoEnds after;
  SlotSink heard;
  ASSERT_TRUE(poller->add(before.fd[0], 3, Priority::normal));
  before.say(std::string(8 * 1024, 'b'));
  for (int i = 0; i < 1000 && heard.text.empty(); ++i) (void)poller->poll(clock, heard);
  ASSERT_FALSE(heard.text.empty());
  heard.text.clear();
  poller->remove(3);
  ASSERT_TRUE(poller->add(after.fd[0], 3, Priority::normal));
  after.say("after");
  for (int i = 0; i < 1000 && heard.text.size() < 5; ++i) (void)poller->poll(clock, heard);
  EXPECT_EQ(heard.text, "after");
}

}  // namespace
}  // namespace gimbal
