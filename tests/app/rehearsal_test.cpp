// Rehearsals of the hot path: they run whole, only in silence, without heap, and lead nowhere.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "engine/runtime/alloc_guard.hpp"
#include "engine/wire/connector.hpp"
#include "engine/wire/socket_calls.hpp"
#include "engine/wire/websocket.hpp"
#include "ops/app/hot.hpp"
#include "ops/app/rehearsal.hpp"
#include "ops/app/rehearsal_venue.hpp"
#include "strategies/delta_hedge/delta_hedge.hpp"
#include "tests/runtime/temp_dir.hpp"
#include "tests/support/engine_world.hpp"

namespace gimbal {
namespace {

// No way to a venue, by type.
static_assert(std::is_constructible_v<Rehearsal, const RehearsalConfig&, const TscClock&>);
static_assert(
    !std::is_constructible_v<Rehearsal, const RehearsalConfig&, const TscClock&, const Endpoint&>);
static_assert(
    !std::is_constructible_v<Rehearsal, const RehearsalConfig&, const TscClock&, FusedHot&>);
static_assert(!std::is_constructible_v<RehearsalVenue, std::unique_ptr<Established>>);

struct RehearsalTest : testing::TestWithParam<PollerKind> {
  test::TempDir dir;
  TscClock clock;
  RehearsalConfig config() const {
    RehearsalConfig c;
    c.poller.kind = GetParam();
    c.scratch_dir = dir.path();
    return c;
  }
  static std::uint64_t finished(const Rehearsal& r) { return r.counters().finished.load(); }
  // Silent cycles until `more` rehearsals have ended.
  static void run(Rehearsal& r, std::uint64_t more) {
    const std::uint64_t to = finished(r) + more;
    for (std::uint64_t cycle = 0; finished(r) < to && r.counters().running.load(); ++cycle) {
      ASSERT_LT(cycle, std::uint64_t{4'000'000'000});
      r.after(0);
    }
  }
};

// Sockets of this process: those of a network, and the local ones with neither a name nor a peer
// that has one, made by this process.
struct Sockets {
  std::size_t network{0};
  std::size_t nameless{0};
  std::size_t other{0};
};
Sockets sockets_of_this_process() {
  Sockets found;
  const auto nameless = [](const sockaddr_storage& a, socklen_t size) {
    return a.ss_family == AF_UNIX && size == sizeof(sa_family_t);
  };
  for (int fd = 0; fd < 1024; ++fd) {
    sockaddr_storage own{};
    sockaddr_storage peer{};
    socklen_t own_size = sizeof own;
    socklen_t peer_size = sizeof peer;
    ucred maker{};
    socklen_t maker_size = sizeof maker;
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&own), &own_size) != 0) continue;
    if (own.ss_family == AF_INET || own.ss_family == AF_INET6) {
      ++found.network;
    } else if (nameless(own, own_size) &&
               ::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &peer_size) == 0 &&
               nameless(peer, peer_size) &&
               ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &maker, &maker_size) == 0 &&
               maker.pid == ::getpid()) {
      ++found.nameless;
    } else {
      ++found.other;
    }
  }
  return found;
}

TEST_P(RehearsalTest, TheWholeWayRunsInSilence) {
  Rehearsal rehearsal{config(), clock};
  Channel::prepare_thread();
  ASSERT_EQ(rehearsal.prepare(), "");
  run(rehearsal, 500);
  EXPECT_TRUE(rehearsal.counters().running.load());
  // A host that stalls may cost a few.
  EXPECT_LE(rehearsal.counters().missed.load() * 50, finished(rehearsal));
  EXPECT_GE(rehearsal.orders_received(), finished(rehearsal));
}

TEST_P(RehearsalTest, NothingStartsWhileThereIsWork) {
  Rehearsal rehearsal{config(), clock};
  Channel::prepare_thread();
  ASSERT_EQ(rehearsal.prepare(), "");
  const std::uint64_t before = rehearsal.counters().started.load();
  const RecvTime end = clock.now() + milliseconds(5);
  while (clock.now() < end) rehearsal.after(1);
  EXPECT_EQ(rehearsal.counters().started.load(), before);
}

TEST_P(RehearsalTest, TheIntervalIsKept) {
  RehearsalConfig slow = config();
  slow.interval = milliseconds(2);
  Rehearsal rehearsal{slow, clock};
  Channel::prepare_thread();
  ASSERT_EQ(rehearsal.prepare(), "");
  const std::uint64_t before = finished(rehearsal);
  const RecvTime end = clock.now() + milliseconds(40);
  while (clock.now() < end) rehearsal.after(0);
  EXPECT_LE(finished(rehearsal) - before, 21u);
  EXPECT_GE(rehearsal.counters().started.load(), before + 1);
}

TEST_P(RehearsalTest, SteadyStateAllocatesNothing) {
  Rehearsal rehearsal{config(), clock};
  Channel::prepare_thread();
  ASSERT_EQ(rehearsal.prepare(), "");
  if (!alloc_guard_active()) GTEST_SKIP() << "the sanitizer owns malloc";
  arm_alloc_guard();
  run(rehearsal, 5000);
  const AllocCounts counts = thread_alloc_counts();
  disarm_alloc_guard();
  EXPECT_EQ(counts.allocations, 0u);
  EXPECT_EQ(counts.maps, 0u);
}

TEST_P(RehearsalTest, EverySocketEndsInThisProcess) {
  const Sockets before = sockets_of_this_process();
  Rehearsal rehearsal{config(), clock};
  Channel::prepare_thread();
  ASSERT_EQ(rehearsal.prepare(), "");
  run(rehearsal, 10);
  const Sockets during = sockets_of_this_process();
  EXPECT_EQ(during.network, before.network) << "a rehearsal opens no way out";
  EXPECT_EQ(during.other, before.other);
  EXPECT_EQ(during.nameless, before.nameless + 4) << "two connections, both ends ours";
}

TEST_P(RehearsalTest, NoFileIsLeftBehind) {
  {
    Rehearsal rehearsal{config(), clock};
    Channel::prepare_thread();
    ASSERT_EQ(rehearsal.prepare(), "");
  }
  EXPECT_TRUE(std::filesystem::is_empty(dir.path()));
}

TEST_P(RehearsalTest, ADirectoryThatCannotBeUsedIsSaidAndNothingRuns) {
  RehearsalConfig bad = config();
  bad.scratch_dir = dir.path() + "/absent";
  Rehearsal rehearsal{bad, clock};
  Channel::prepare_thread();
  EXPECT_NE(rehearsal.prepare(), "");
  rehearsal.after(0);
  EXPECT_FALSE(rehearsal.counters().running.load());
  EXPECT_EQ(rehearsal.counters().started.load(), 0u);
}

struct Hedger : test::World<DeltaHedge> {
  // Moves that each need a hedge; between them `between` runs.
  template <class Between>
  std::uint64_t digest_after(Between&& between) {
    DeltaHedgeConfig c;
    c.underlying = "BTC";
    c.numeraire = Numeraire::coin;
    c.interval_min = Nanos{};
    c.usd_per_second_max = test::money(9'000'000'000);
    DeltaHedge hedge{StrategyId{0}};
    EXPECT_EQ(hedge.add(c, test::the_coin, perp), "");
    setup.limits.price_drift_bps = 1'000'000;
    start(hedge);
    to_armed(50000, 0, -50);
    std::size_t filled = 0;
    for (int i = 0; i < 40; ++i) {
      advance(milliseconds(50));
      market(50000 + (i % 2 == 0 ? 900 : -900));
      for (; filled < placed().size(); ++filled) {
        const PlaceOrder o = placed()[filled];
        ack(o);
        fill(o, to_double(o.amount));
      }
      between();
    }
    EXPECT_GT(placed().size(), 10u);
    return digest.value();
  }
};

TEST_P(RehearsalTest, TheCommandsOfTheRealEngineAreTheSameWithAndWithout) {
  Hedger alone;
  const std::uint64_t without = alone.digest_after([] {});
  Rehearsal rehearsal{config(), clock};
  Channel::prepare_thread();
  ASSERT_EQ(rehearsal.prepare(), "");
  Hedger beside;
  const std::uint64_t with = beside.digest_after([&] { run(rehearsal, 5); });
  EXPECT_EQ(with, without);
  EXPECT_GE(finished(rehearsal), 200u);
}

// A rehearsal whose order did not come is missed, whatever became of the order before it.
TEST(RehearsalVenueTest, AnOrderIsTakenOnceAlthoughItsFillWentElsewhere) {
  RehearsalVenue venue;
  std::string error;
  const RehearsalVenue::ClientEnds ends = venue.open(error);
  ASSERT_NE(ends.orders, nullptr) << error;
  EXPECT_FALSE(venue.take_order());
  const std::string order =
      R"({"jsonrpc":"2.0","id":7,"method":"private/buy","params":{"instrument_name":)"
      R"("BTC-PERPETUAL","type":"limit","label":"r-1","amount":10.0,"price":100000.0}})";
  std::vector<char> storage(ws_header_max + order.size());
  std::copy(order.begin(), order.end(), storage.begin() + ws_header_max);
  ASSERT_TRUE(
      ends.orders->channel->write(ws_seal(storage, order.size(), WsOpcode::text, 0x01020304)));
  const std::span<const char> wire = ends.orders->channel->out();
  ASSERT_EQ(send_now(ends.orders->fd, wire.data(), wire.size()), std::ssize(wire));
  EXPECT_TRUE(venue.take_order());
  EXPECT_FALSE(venue.take_order());
  EXPECT_EQ(venue.orders(), 1u);
}

INSTANTIATE_TEST_SUITE_P(Pollers, RehearsalTest,
                         testing::Values(PollerKind::automatic, PollerKind::uring,
                                         PollerKind::epoll, PollerKind::spin),
                         [](const auto& made) { return std::string{name_of(made.param)}; });

}  // namespace
}  // namespace gimbal
