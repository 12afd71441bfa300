#include "engine/runtime/alloc_guard.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstdlib>
#include <memory>
#include <thread>

#include "engine/runtime/counters.hpp"
#include "engine/runtime/journal.hpp"
#include "engine/runtime/sequencer.hpp"
#include "tests/runtime/journal_builder.hpp"

namespace gimbal {
namespace {

using namespace gimbal::test;

#define SKIP_WHEN_A_SANITIZER_OWNS_MALLOC() \
  if (!alloc_guard_active()) GTEST_SKIP() << "a sanitizer interposes malloc itself"

// Keeps the optimiser from removing an allocation.
void keep(void* p) { asm volatile("" : : "g"(p) : "memory"); }

TEST(AllocGuard, CountsEveryMemberOfTheMallocFamilyOfAnArmedThread) {
  SKIP_WHEN_A_SANITIZER_OWNS_MALLOC();
  arm_alloc_guard();
  void* a = std::malloc(10);
  keep(a);
  a = std::realloc(a, 2000);
  void* b = std::calloc(3, 4);
  void* c = std::aligned_alloc(64, 128);
  void* d = nullptr;
  const int failed = posix_memalign(&d, 64, 128);
  auto* e = new int{1};
  keep(b), keep(c), keep(d), keep(e);
  std::free(a);
  std::free(b);
  std::free(c);
  std::free(d);
  delete e;
  void* page = mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  munmap(page, 4096);
  const AllocCounts counts = thread_alloc_counts();
  disarm_alloc_guard();
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(counts.allocations, 6u);
  EXPECT_EQ(counts.frees, 5u);
  EXPECT_EQ(counts.maps, 2u);
}

TEST(AllocGuard, IgnoresThreadsThatDidNotArm) {
  SKIP_WHEN_A_SANITIZER_OWNS_MALLOC();
  arm_alloc_guard();
  disarm_alloc_guard();
  const AllocCounts before = total_alloc_counts();
  std::thread other{[] { keep(std::make_unique<int>(5).get()); }};
  other.join();
  EXPECT_EQ(total_alloc_counts().allocations, before.allocations);
  EXPECT_EQ(thread_alloc_counts().allocations, 0u);
}

struct QuietCore {
  void step(const Event& event, Commands& out) noexcept {
    if (event.kind() == EventKind::trade) {
      (void)out.push(Command{CancelOrder{OrderId{1}, event.instrument, event.venue}});
    }
    if (event.seq().value % 64 == 0) (void)out.push(Command{ArmTimer{1, event.now()}});
  }
};
struct QuietSink {
  SpscRing<Command> orders{1024};
  Command taken{};
  int faults{0};
  void command(Command&& c) noexcept {
    (void)orders.push(std::move(c));
    (void)orders.pop_into(taken);
  }
  void fault(SequencerFault) noexcept { ++faults; }
};

TEST(AllocGuard, SequencingJournallingAndTheRingsAllocateNothing) {
  SKIP_WHEN_A_SANITIZER_OWNS_MALLOC();
  const TempDir dir;
  const TscClock clock;
  JournalConfig config = small_journal(dir);
  config.ring_records = 1 << 17;
  JournalWriter journal{config, {1, 0, 0}, nullptr};
  ASSERT_TRUE(journal.open());
  QuietCore core;
  QuietSink sink;
  Counters counters{"core"};
  Sequencer<QuietCore, QuietSink, JournalWriter> sequencer{
      SequencerConfig{}, core, sink, journal, clock, counters, nullptr};
  EventRing ring{256};
  ASSERT_TRUE(sequencer.add_input(ring));
  const auto unit = ticker_unit(0, 1);
  const Event boot = boot_event(0, 1), trade = trade_event(0, 1);
  arm_alloc_guard();
  sequencer.submit(boot);
  for (int i = 0; i < 20'000; ++i) {
    (void)ring.push(trade);
    (void)ring.push_unit(unit.data(), unit.size());
    sequencer.do_work();
  }
  const AllocCounts counts = thread_alloc_counts();
  disarm_alloc_guard();
  EXPECT_EQ(counts.allocations, 0u);
  EXPECT_EQ(counts.frees, 0u);
  EXPECT_EQ(counts.maps, 0u);
  EXPECT_EQ(sink.faults, 0);
  EXPECT_EQ(journal.lost_records(), 0u);
}

}  // namespace
}  // namespace gimbal
