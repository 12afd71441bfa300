#include "engine/runtime/ring.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "engine/core/command.hpp"
#include "engine/core/event.hpp"

namespace gimbal {
namespace {

TEST(SpscRing, RoundsItsCapacityUpToAPowerOfTwo) {
  EXPECT_EQ(SpscRing<int>{1}.capacity(), 2u);
  EXPECT_EQ(SpscRing<int>{1000}.capacity(), 1024u);
  EXPECT_EQ(SpscRing<int>{1024}.capacity(), 1024u);
}

TEST(SpscRing, GivesBackInOrderAndRefusesWhenFull) {
  SpscRing<int> ring{4};
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(ring.push(i));
  EXPECT_FALSE(ring.push(99));
  int out = -1;
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(ring.pop_into(out));
    EXPECT_EQ(out, i);
  }
  EXPECT_FALSE(ring.pop_into(out));
  EXPECT_TRUE(ring.push(5)) << "room comes back after the wrap";
}

TEST(SpscRing, RefusesAUnitThatFitsOnlyInPart) {
  SpscRing<int> ring{4};
  const std::array<int, 3> unit{1, 2, 3};
  EXPECT_TRUE(ring.push_unit(unit.data(), unit.size()));
  EXPECT_FALSE(ring.push_unit(unit.data(), unit.size()));
  EXPECT_EQ(ring.size(), 3u);
  EXPECT_EQ(*ring.peek(2), 3);
  EXPECT_EQ(ring.peek(3), nullptr);
}

TEST(SpscRing, CarriesMoveOnlyElementsAndLeavesARefusedOneUntouched) {
  SpscRing<std::unique_ptr<int>> ring{2};
  EXPECT_TRUE(ring.push(std::make_unique<int>(1)));
  EXPECT_TRUE(ring.push(std::make_unique<int>(2)));
  auto third = std::make_unique<int>(3);
  EXPECT_FALSE(ring.push(std::move(third)));
  ASSERT_NE(third, nullptr);
  std::unique_ptr<int> out;
  ASSERT_TRUE(ring.pop_into(out));
  EXPECT_EQ(*out, 1);
}

TEST(SpscRing, CarriesCommands) {
  SpscRing<Command> ring{8};
  EXPECT_TRUE(ring.push(Command{CancelOrder{OrderId{7}, InstrumentId{1}, VenueId{2}}}));
  Command out;
  ASSERT_TRUE(ring.pop_into(out));
  ASSERT_EQ(out.kind(), CommandKind::cancel);
  EXPECT_EQ(out.cancel().order.value, 7u);
}

TEST(SpscRing, DrainStopsAtItsLimit) {
  SpscRing<int> ring{16};
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(ring.push(i));
  int sum = 0;
  EXPECT_EQ(ring.drain([&](int& v) { sum += v; }, 4), 4u);
  EXPECT_EQ(sum, 0 + 1 + 2 + 3);
  EXPECT_EQ(ring.size(), 6u);
  EXPECT_EQ(ring.drain([&](int& v) { sum += v; }, 100), 6u);
  EXPECT_EQ(sum, 45);
}

TEST(SpscRing, KnowsWhenItIsOverHalf) {
  SpscRing<int> ring{4};
  EXPECT_TRUE(ring.push(1));
  EXPECT_TRUE(ring.push(2));
  EXPECT_FALSE(ring.over_half());
  EXPECT_TRUE(ring.push(3));
  EXPECT_TRUE(ring.over_half());
  EXPECT_EQ(ring.room(), 1u);
}

// Units of 1-4 records from one thread to another through a small ring: order kept, no unit cut.
TEST(SpscRing, NeverShowsPartOfAUnitToTheOtherThread) {
  constexpr std::uint64_t units = 60'000;
  SpscRing<Event> ring{64};
  std::thread producer{[&] {
    for (std::uint64_t n = 1; n <= units; ++n) {
      std::array<Event, event_parts_max> unit;
      const std::size_t parts = 1 + n % event_parts_max;
      for (std::size_t i = 0; i < parts; ++i) {
        unit[i].set_seq(Seq{n});
        unit[i].part = static_cast<std::uint8_t>((parts << 4) | (i + 1));
      }
      while (!ring.push_unit(unit.data(), parts)) std::this_thread::yield();
    }
  }};
  std::uint64_t wrong = 0;
  for (std::uint64_t n = 1; n <= units;) {
    const Event* first = ring.peek();
    if (first == nullptr) {
      std::this_thread::yield();
      continue;
    }
    const std::size_t parts = first->part_count();
    for (std::size_t i = 0; i < parts; ++i) {
      const Event* part = ring.peek(i);
      if (part == nullptr || part->seq().value != n || part->part_index() != i + 1) ++wrong;
    }
    ring.pop(parts);
    ++n;
  }
  producer.join();
  EXPECT_EQ(wrong, 0u);
  EXPECT_TRUE(ring.empty());
}

TEST(SharedRing, KeepsUnitsOfSeveralProducersWholeAndInTheirOwnOrder) {
  struct Item {
    std::uint32_t producer{0};
    std::uint32_t number{0};
  };
  constexpr std::uint32_t producers = 3, pairs = 5000;
  SharedRing<Item> ring{64};
  std::vector<std::thread> threads;
  for (std::uint32_t p = 0; p < producers; ++p) {
    threads.emplace_back([&ring, p] {
      for (std::uint32_t n = 0; n < pairs; ++n) {
        const std::array<Item, 2> unit{Item{p, 2 * n}, Item{p, 2 * n + 1}};
        while (!ring.push_unit(unit.data(), 2)) std::this_thread::yield();
      }
    });
  }
  std::array<std::uint32_t, producers> next{};
  std::uint64_t wrong = 0;
  for (std::uint32_t taken = 0; taken < producers * pairs;) {
    const Item* first = ring.out().peek(0);
    if (first == nullptr) {
      std::this_thread::yield();
      continue;
    }
    const Item* second = ring.out().peek(1);
    if (second == nullptr || second->producer != first->producer ||
        first->number != next[first->producer] || second->number != first->number + 1) {
      ++wrong;
    }
    next[first->producer] = first->number + 2;
    ring.out().pop(2);
    ++taken;
  }
  for (auto& t : threads) t.join();
  EXPECT_EQ(wrong, 0u);
}

}  // namespace
}  // namespace gimbal
