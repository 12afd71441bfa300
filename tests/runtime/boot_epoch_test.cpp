// The number of a boot: it grows, and a file that was damaged gives none.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "engine/runtime/latch.hpp"
#include "tests/runtime/temp_dir.hpp"

namespace gimbal {
namespace {

using test::TempDir;

void put(const TempDir& dir, const std::string& bytes) {
  std::ofstream{dir.file("epoch"), std::ios::binary} << bytes;
}
std::string taken(const TempDir& dir) {
  std::ifstream in{dir.file("epoch"), std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

TEST(BootEpoch, GrowsByOneAtEveryBootAndNeverFallsBelowTheGivenFloor) {
  const TempDir dir;
  std::uint32_t epoch = 0;
  ASSERT_TRUE(next_boot_epoch(dir.file("epoch"), 0, epoch));
  EXPECT_EQ(epoch, 1u);
  ASSERT_TRUE(next_boot_epoch(dir.file("epoch"), 0, epoch));
  EXPECT_EQ(epoch, 2u);
  ASSERT_TRUE(next_boot_epoch(dir.file("epoch"), 10, epoch));
  EXPECT_EQ(epoch, 10u);
  ASSERT_TRUE(next_boot_epoch(dir.file("epoch"), 0, epoch));
  EXPECT_EQ(epoch, 11u);
}

TEST(BootEpoch, RefusesADamagedFileAtEveryBit) {
  const TempDir dir;
  std::uint32_t epoch = 0;
  ASSERT_TRUE(next_boot_epoch(dir.file("epoch"), 7, epoch));
  const std::string good = taken(dir);
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bytes = good;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    put(dir, bytes);
    ASSERT_FALSE(next_boot_epoch(dir.file("epoch"), 0, epoch)) << bit;
  }
  put(dir, good.substr(0, 5));
  EXPECT_FALSE(next_boot_epoch(dir.file("epoch"), 0, epoch));
}

TEST(BootEpoch, RefusesToWrapAround) {
  const TempDir dir;
  std::uint32_t epoch = 0;
  ASSERT_TRUE(next_boot_epoch(dir.file("epoch"), boot_epoch_max, epoch));
  EXPECT_FALSE(next_boot_epoch(dir.file("epoch"), 0, epoch));
}

}  // namespace
}  // namespace gimbal
