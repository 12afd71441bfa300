#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <random>
#include <thread>
#include <vector>

#include "engine/runtime/gate_page.hpp"
#include "tests/runtime/temp_dir.hpp"

namespace gimbal {
namespace {

const OrderScopes order_scopes{VenueId{1}, StrategyId{2}, UnderlyingId{3}, InstrumentId{4}};
const std::vector<Scope> covering{{ScopeLevel::global, 0},     {ScopeLevel::venue, 1},
                                  {ScopeLevel::account, 1},    {ScopeLevel::strategy, 2},
                                  {ScopeLevel::underlying, 3}, {ScopeLevel::instrument, 4}};

class SenderGateTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(gate.create(dir.file("gate"), 1));
    ASSERT_TRUE(stop.create(dir.file("stop")));
    gate.loosen({}, Mode::active);
  }
  test::TempDir dir;
  GatePage gate;
  StopPage stop;
  TscClock clock;
};

TEST_F(SenderGateTest, LetsAnOrderThroughWhenEveryScopeIsActive) {
  SenderGate sender{gate, stop, gate.register_sender()};
  ASSERT_TRUE(sender.enter(order_scopes, OrderId{7}, 1, false));
  EXPECT_EQ(gate.layout().senders[0].in_send.load() % 2, 1u);
  EXPECT_EQ(gate.layout().senders[0].order.load(), 7u);
  sender.leave();
  EXPECT_EQ(gate.layout().senders[0].in_send.load() % 2, 0u);
}

TEST_F(SenderGateTest, ObeysTheStricterPageOverAllScopes) {
  SenderGate sender{gate, stop, gate.register_sender()};
  for (const Scope s : covering) {
    for (const Mode m : {Mode::reduce, Mode::halt, Mode::cancel, Mode::lock}) {
      gate.loosen(s, m);
      EXPECT_FALSE(sender.enter(order_scopes, OrderId{1}, 1, false));
      const bool reduces_passes = sender.enter(order_scopes, OrderId{1}, 1, true);
      EXPECT_EQ(reduces_passes, m == Mode::reduce);
      if (reduces_passes) sender.leave();
      gate.loosen(s, Mode::active);
    }
    ASSERT_TRUE(stop.request(s, Mode::halt, clock.now(), 0, 0));
    EXPECT_FALSE(sender.enter(order_scopes, OrderId{1}, 1, true));
    stop.clear(s);
    ASSERT_TRUE(sender.enter(order_scopes, OrderId{1}, 1, false));
    sender.leave();
  }
  EXPECT_EQ(gate.layout().senders[0].in_send.load() % 2, 0u);
}

TEST_F(SenderGateTest, AScopeThatDoesNotCoverTheOrderDoesNotStopIt) {
  SenderGate sender{gate, stop, gate.register_sender()};
  gate.tighten({ScopeLevel::venue, 2}, Mode::lock);
  gate.tighten({ScopeLevel::instrument, 5}, Mode::lock);
  ASSERT_TRUE(sender.enter(order_scopes, OrderId{1}, 1, false));
  sender.leave();
}

TEST_F(SenderGateTest, AnOrderOfAnUnknownScopeIsRefused) {
  SenderGate sender{gate, stop, gate.register_sender()};
  OrderScopes unknown = order_scopes;
  unknown.underlying = UnderlyingId{};
  EXPECT_FALSE(sender.enter(unknown, OrderId{1}, 1, true));
}

TEST_F(SenderGateTest, ZeroingTheStopPageNeverLoosensAClosedGate) {
  SenderGate sender{gate, stop, gate.register_sender()};
  GateCloser closer{gate, clock};
  ASSERT_TRUE(stop.request({}, Mode::cancel, clock.now(), 0, 0));
  stop.each_stop([&](Scope s, Mode m) { closer.close(s, m); });
  stop.clear({});
  EXPECT_FALSE(sender.enter(order_scopes, OrderId{1}, 1, true));
  EXPECT_EQ(gate.at({}), Mode::cancel);
}

// Stopped and armed again within the life of an approval: what was approved before the stop would
// find the gate open.
TEST_F(SenderGateTest, AnOrderApprovedBeforeAStopDoesNotLeaveAfterTheArm) {
  constexpr std::uint64_t before = 6;
  constexpr std::uint64_t after = 8;
  SenderGate sender{gate, stop, gate.register_sender()};
  SenderGate other{gate, stop, gate.register_sender()};
  GateCloser closer{gate, clock};
  for (const Mode m : {Mode::reduce, Mode::halt, Mode::cancel, Mode::lock}) {
    ASSERT_TRUE(closer.close({}, m).changed);
    ASSERT_TRUE(gate.reopen({}, m, Mode::active, after));
    EXPECT_FALSE(sender.enter(order_scopes, OrderId{1}, before, false));
    EXPECT_FALSE(sender.enter(order_scopes, OrderId{1}, after - 1, true));
    EXPECT_FALSE(other.enter(order_scopes, OrderId{2}, after - 1, false));
    EXPECT_EQ(gate.layout().senders[0].in_send.load() % 2, 0u) << "and nothing is in flight";
    ASSERT_TRUE(sender.enter(order_scopes, OrderId{3}, after, false));
    sender.leave();
  }
  ASSERT_TRUE(gate.reopen(covering.back(), Mode::active, Mode::active, after - 1));
  EXPECT_FALSE(sender.enter(order_scopes, OrderId{1}, before, false)) << "no arm lowers the bound";
  ASSERT_TRUE(gate.create(dir.file("gate"), 2));
  gate.loosen({}, Mode::active);
  ASSERT_TRUE(sender.enter(order_scopes, OrderId{4}, 1, false)) << "a boot counts from one again";
  sender.leave();
}

// With a real sender that never stops sending what was approved before the arm.
TEST_F(SenderGateTest, NoOldApprovalSlipsThroughWhileTheArmOpensTheGate) {
  SenderGate sender{gate, stop, gate.register_sender()};
  for (std::uint64_t epoch = 2; epoch < 2000; ++epoch) {
    gate.tighten({}, Mode::halt);
    std::atomic<bool> opened{false};
    std::thread arms{[&] {
      gate.reopen({}, Mode::halt, Mode::active, epoch);
      opened = true;
    }};
    bool passed = false;
    while (!opened.load() && !passed) {
      passed = sender.enter(order_scopes, OrderId{epoch}, epoch - 1, false);
    }
    if (passed) sender.leave();
    arms.join();
    ASSERT_FALSE(passed) << epoch;
  }
}

// A sender stopped between the check and the socket, as by SIGSTOP, does not hold up the close.
TEST_F(SenderGateTest, CloseNamesAStalledSenderAndDoesNotWaitForIt) {
  SenderGate stalled{gate, stop, gate.register_sender()};
  SenderGate idle{gate, stop, gate.register_sender()};
  ASSERT_TRUE(stalled.enter(order_scopes, OrderId{77}, 1, false));
  GateCloser closer{gate, clock};
  const RecvTime begin = clock.now();
  const CloseResult result = closer.close({}, Mode::cancel);
  EXPECT_TRUE(result.changed);
  ASSERT_EQ(result.in_flight, 1u);
  EXPECT_EQ(result.sender[0], 0);
  EXPECT_EQ(result.order[0].value, 77u);
  EXPECT_GE(result.t_gate_closed - begin, GateCloser::wait_max);
  EXPECT_EQ(gate.layout().closed.t_gate_closed.load(), result.t_gate_closed.mono_ns);
  EXPECT_FALSE(idle.enter(order_scopes, OrderId{1}, 1, false));
  stalled.leave();
  const CloseResult again = closer.close({}, Mode::cancel);
  EXPECT_FALSE(again.changed);
  EXPECT_EQ(again.in_flight, 0u);
  EXPECT_EQ(gate.layout().closed.closes.load(), 2u);
}

// The property behind the whole page: with real threads sending as fast as they can, no send starts
// after t_gate_closed except the one a sender was listed with.
TEST_F(SenderGateTest, NoSendStartsAfterTheGateIsClosed) {
  constexpr int senders = 2;
  constexpr int rounds = 60;
  std::mt19937 random{3};
  std::vector<int> lines;
  for (int i = 0; i < senders; ++i) lines.push_back(gate.register_sender());
  for (int round = 0; round < rounds; ++round) {
    gate.loosen({}, Mode::active);
    for (const Scope s : covering) gate.loosen(s, Mode::active);
    struct Sent {
      std::int64_t start;
      std::uint64_t order;
    };
    std::vector<std::vector<Sent>> sent(senders);
    std::atomic<bool> end{false};
    std::atomic<int> running{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < senders; ++i) {
      sent[static_cast<std::size_t>(i)].reserve(1 << 16);
      threads.emplace_back([&, i] {
        SenderGate sender{gate, stop, lines[static_cast<std::size_t>(i)]};
        auto& mine = sent[static_cast<std::size_t>(i)];
        std::uint64_t order = 0;
        running.fetch_add(1);
        while (!end.load(std::memory_order_relaxed) && mine.size() < (1u << 16)) {
          if (!sender.enter(order_scopes, OrderId{++order}, 1, false)) continue;
          mine.push_back({clock.now().mono_ns, order});
          sender.leave();
        }
      });
    }
    while (running.load() != senders) std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::microseconds{random() % 300});
    GateCloser closer{gate, clock};
    const CloseResult closed =
        closer.close(covering[static_cast<std::size_t>(round) % covering.size()], Mode::cancel);
    std::this_thread::sleep_for(std::chrono::microseconds{300});
    end = true;
    for (auto& t : threads) t.join();
    for (std::size_t i = 0; i < senders; ++i) {
      for (const Sent& s : sent[i]) {
        if (s.start <= closed.t_gate_closed.mono_ns) continue;
        bool listed = false;
        for (std::size_t f = 0; f < closed.in_flight; ++f) {
          listed = listed || (closed.sender[f] == static_cast<std::uint8_t>(lines[i]) &&
                              closed.order[f].value == s.order);
        }
        EXPECT_TRUE(listed) << "round " << round << " sender " << i << " order " << s.order
                            << " started " << s.start - closed.t_gate_closed.mono_ns
                            << " ns after the close";
      }
    }
  }
}

}  // namespace
}  // namespace gimbal
