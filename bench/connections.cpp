// What connections that are silent cost the one that is not: 350 bytes over loopback TCP to the
// poller's sink, with 1, 8 and 32 connections open, by the mixed poller and by each backend. The
// sender is this thread too.
#include <benchmark/benchmark.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <vector>

#include "bench/floor_client.hpp"
#include "engine/runtime/clock.hpp"
#include "engine/wire/poller.hpp"

namespace gimbal::bench {
namespace {

constexpr std::size_t message_bytes = 350;

// Both ends of one connection; -1 where there is none.
struct Pair {
  int near{-1};
  int far{-1};
  Pair() {
    std::uint16_t port = 0;
    const int listener = listen_loopback(port);
    near = connect_loopback(port);
    far = ::accept(listener, nullptr, nullptr);
    ::close(listener);
    if (far >= 0) no_delay(far);
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;
  ~Pair() {
    if (near >= 0) ::close(near);
    if (far >= 0) ::close(far);
  }
};

struct Sink {
  std::size_t bytes{0};
  bool lost{false};
  void on_received(std::uint16_t, std::span<const char> chunk, RecvTime) { bytes += chunk.size(); }
  void on_lost(std::uint16_t, int) { lost = true; }
};

// The busy connection is the last one added: a backend that asks one after the other meets it last.
// With `deployed` it has the hedge feed's priority, and the first of the others the order
// session's.
void receive_beside(benchmark::State& state, PollerKind kind, bool deployed = false) {
  PollerConfig config;
  config.kind = kind;
  PollerChoice choice;
  const std::unique_ptr<Poller> poller = Poller::open(config, choice);
  if (poller == nullptr) return state.SkipWithError(choice.reason.c_str());
  std::vector<std::unique_ptr<Pair>> pairs;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    pairs.push_back(std::make_unique<Pair>());
    const bool first = deployed && (i == 0 || i + 1 == state.range(0));
    if (!poller->add(pairs.back()->near, static_cast<std::uint16_t>(i),
                     first ? Priority::first : Priority::normal)) {
      return state.SkipWithError("a connection was not taken");
    }
  }
  const TscClock clock;
  const std::array<char, message_bytes> message{};
  Sink sink;
  for (auto _ : state) {
    sink.bytes = 0;
    if (::send(pairs.back()->far, message.data(), message.size(), MSG_NOSIGNAL) < 0) break;
    while (sink.bytes < message.size() && !sink.lost) (void)poller->poll(clock, sink);
  }
  if (sink.lost) state.SkipWithError("the connection was lost");
  for (std::size_t i = 0; i < pairs.size(); ++i) poller->remove(static_cast<std::uint16_t>(i));
}

// What `auto` chooses where the kernel offers io_uring.
BENCHMARK_CAPTURE(receive_beside, mixed, PollerKind::mixed, true)->Arg(1)->Arg(8)->Arg(32);
BENCHMARK_CAPTURE(receive_beside, io_uring, PollerKind::uring)->Arg(1)->Arg(8)->Arg(32);
BENCHMARK_CAPTURE(receive_beside, epoll, PollerKind::epoll)->Arg(1)->Arg(8)->Arg(32);
BENCHMARK_CAPTURE(receive_beside, spin, PollerKind::spin)->Arg(1)->Arg(8)->Arg(32);

}  // namespace
}  // namespace gimbal::bench

BENCHMARK_MAIN();
