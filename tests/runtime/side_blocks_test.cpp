#include "engine/runtime/side_blocks.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace gimbal {
namespace {

std::vector<std::byte> bytes_of(std::size_t n, unsigned char value) {
  return std::vector<std::byte>(n, std::byte{value});
}

TEST(SideBlockPool, GivesBackExactlyWhatWasPublished) {
  SideBlockPool pool{2, 100};
  const auto content = bytes_of(60, 7);
  const SideBlockRef ref = pool.publish(SideBlockKind::config, content);
  ASSERT_EQ(ref.kind, SideBlockKind::config);
  const auto read = pool.read(ref);
  EXPECT_TRUE(std::equal(read.begin(), read.end(), content.begin(), content.end()));
}

TEST(SideBlockPool, FreesASlotOnlyWhenEveryHolderLetGo) {
  SideBlockPool pool{1, 16};
  const SideBlockRef first = pool.publish(SideBlockKind::surface, bytes_of(8, 1), 2);
  EXPECT_EQ(pool.publish(SideBlockKind::surface, bytes_of(8, 2)).kind, SideBlockKind::none);
  pool.release(first);
  EXPECT_EQ(pool.publish(SideBlockKind::surface, bytes_of(8, 2)).kind, SideBlockKind::none);
  EXPECT_EQ(pool.in_use(), 1u);
  pool.release(first);
  const SideBlockRef second = pool.publish(SideBlockKind::surface, bytes_of(8, 2));
  EXPECT_EQ(second.kind, SideBlockKind::surface);
  EXPECT_NE(second.generation, first.generation);
  EXPECT_EQ(pool.refused(), 2u);
}

TEST(SideBlockPool, AStaleReferenceNeitherReadsNorReleases) {
  SideBlockPool pool{1, 16};
  const SideBlockRef old = pool.publish(SideBlockKind::config, bytes_of(4, 1), 1);
  pool.release(old);
  const SideBlockRef fresh = pool.publish(SideBlockKind::config, bytes_of(4, 1), 1);
  EXPECT_EQ(pool.read(old).data(), nullptr);
  pool.release(old);
  EXPECT_NE(pool.read(fresh).data(), nullptr);
}

TEST(SideBlockPool, RefusesAReferenceThatDiffersInAnyField) {
  SideBlockPool pool{2, 32};
  const SideBlockRef good = pool.publish(SideBlockKind::config, bytes_of(8, 1));
  for (int field = 0; field < 5; ++field) {
    SideBlockRef ref = good;
    if (field == 0) ref.kind = SideBlockKind::surface;
    if (field == 1) ref.slot = 9;
    if (field == 2) ++ref.generation;
    if (field == 3) ++ref.bytes;
    if (field == 4) ref.crc32c ^= 1;
    EXPECT_EQ(pool.read(ref).data(), nullptr) << field;
  }
  EXPECT_NE(pool.read(good).data(), nullptr);
}

TEST(SideBlockPool, FindsABlockBySlotAndGenerationUntilItIsReleased) {
  SideBlockPool pool{2, 32};
  const SideBlockRef ref = pool.publish(SideBlockKind::instrument, bytes_of(8, 1), 1);
  EXPECT_EQ(SideBlockPool::find(&pool, ref.slot, ref.generation).size(), 8u);
  EXPECT_EQ(SideBlockPool::find(&pool, ref.slot, ref.generation + 1).data(), nullptr);
  EXPECT_EQ(SideBlockPool::find(&pool, 7, ref.generation).data(), nullptr);
  pool.release(ref);
  EXPECT_EQ(SideBlockPool::find(&pool, ref.slot, ref.generation).data(), nullptr);
}

TEST(SideBlockPool, RefusesABlockLargerThanASlot) {
  SideBlockPool pool{2, 32};
  EXPECT_EQ(pool.publish(SideBlockKind::config, bytes_of(33, 1)).kind, SideBlockKind::none);
}

TEST(SideBlockOf, FindsTheReferenceInsideAnAdoptedInstrumentOnly) {
  InstrumentChange change;
  change.change = InstrumentChangeKind::adopt;
  change.slot = 3;
  change.generation = 9;
  change.bytes = 40;
  change.crc32c = 77;
  Event e = make_event(EventKind::instrument_change, VenueId{}, InstrumentId{}, RecvTime{},
                       ExchTime{}, change);
  const SideBlockRef ref = side_block_of(e);
  EXPECT_EQ(ref.kind, SideBlockKind::instrument);
  EXPECT_EQ(ref.slot, 3);
  EXPECT_EQ(ref.generation, 9u);
  EXPECT_EQ(ref.crc32c, 77u);
  change.change = InstrumentChangeKind::invalidate;
  e.put(change);
  EXPECT_EQ(side_block_of(e).kind, SideBlockKind::none);
}

}  // namespace
}  // namespace gimbal
