#include "engine/runtime/huge_pages.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstdint>
#include <cstring>
#include <fstream>
#include <string>

namespace gimbal {
namespace {

constexpr std::size_t huge = 2u << 20;

TEST(HugePages, PrivateMemoryIsMovedAndNothingElse) {
  const auto size = [](std::string_view line) {
    const MemoryRange r = range_to_move(line);
    return r.end - r.begin;
  };
  EXPECT_EQ(size("7f0000000000-7f0000400000 rw-p 00000000 00:00 0 "), 2 * huge);
  EXPECT_EQ(size("7f0000001000-7f0000401000 rw-p 00000000 00:00 0"), huge) << "whole pages only";
  EXPECT_EQ(size("55d000000000-55d000400000 rw-p 00000000 00:00 0       [heap]"), 2 * huge);
  EXPECT_EQ(size("55d000000000-55d000400000 r-xp 00001000 fe:00 77     /opt/gimbal"), 0U);
  EXPECT_EQ(size("55d000000000-55d000400000 rw-p 00001000 fe:00 77     /opt/gimbal"), 0U);
  EXPECT_EQ(size("7f0000000000-7f0000400000 rw-s 00000000 00:01 9      /run/gimbal/gate"), 0U);
  EXPECT_EQ(size("7f0000000000-7f0000400000 ---p 00000000 00:00 0"), 0U);
  EXPECT_EQ(size("7ffc00000000-7ffc00400000 rw-p 00000000 00:00 0      [stack]"), 0U);
  EXPECT_EQ(size("7f0000001000-7f0000200000 rw-p 00000000 00:00 0"), 0U);
  EXPECT_EQ(size(""), 0U);
  EXPECT_EQ(size("not a line of maps"), 0U);
}

// KiB of the mapping that holds `p` that are on huge pages.
std::size_t huge_kib(const void* p) {
  std::ifstream maps{"/proc/self/smaps"};
  const auto at = reinterpret_cast<std::uintptr_t>(p);
  bool inside = false;
  for (std::string line; std::getline(maps, line);) {
    unsigned long begin = 0;
    unsigned long end = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &begin, &end) == 2) inside = begin <= at && at < end;
    unsigned long kib = 0;
    if (inside && std::sscanf(line.c_str(), "AnonHugePages: %lu kB", &kib) == 1) return kib;
  }
  return 0;
}

TEST(HugePages, MemoryKeepsItsBytesAndIsOnHugePages) {
  constexpr std::size_t bytes = 4 * huge;
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  ASSERT_EQ(::madvise(memory, bytes, MADV_NOHUGEPAGE), 0);
  std::memset(memory, 'x', bytes);
  ASSERT_EQ(huge_kib(memory), 0U);
  ASSERT_EQ(::madvise(memory, bytes, MADV_HUGEPAGE), 0);
  const HugePages done = use_huge_pages();
  EXPECT_GE(done.whole, 3U);
  if (done.moved == 0) GTEST_SKIP() << "this kernel moves no memory to huge pages";
  EXPECT_GE(huge_kib(memory), 3 * huge / 1024);
  const std::string wanted(bytes, 'x');
  EXPECT_EQ(std::memcmp(memory, wanted.data(), bytes), 0);
  ::munmap(memory, bytes);
}

}  // namespace
}  // namespace gimbal
