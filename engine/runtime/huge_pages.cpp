#include "engine/runtime/huge_pages.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <string>

namespace gimbal {
namespace {

constexpr unsigned long huge = 2ul << 20;
constexpr int advice_collapse = 25;  // MADV_COLLAPSE; older headers do not name it

bool collapse(unsigned long begin, unsigned long end) noexcept {
  return ::madvise(reinterpret_cast<void*>(begin), end - begin, advice_collapse) == 0;
}

}  // namespace

MemoryRange range_to_move(std::string_view line) {
  unsigned long begin = 0;
  unsigned long end = 0;
  std::array<char, 5> mode{};
  int behind = 0;  // "address mode offset device inode", then spaces and the name
  const std::string text{line};
  if (std::sscanf(text.c_str(), "%lx-%lx %4s %*s %*s %*s%n", &begin, &end, mode.data(), &behind) !=
          3 ||
      behind == 0) {
    return {};
  }
  std::string_view name = line.substr(static_cast<std::size_t>(behind));
  name.remove_prefix(std::min(name.find_first_not_of(' '), name.size()));
  const bool memory = mode[1] == 'w' && mode[3] == 'p' && (name.empty() || name == "[heap]");
  const unsigned long from = (begin + huge - 1) / huge * huge;
  const unsigned long to = end / huge * huge;
  if (!memory || from >= to) return {};
  return {from, to};
}

HugePages use_huge_pages() {
  HugePages done;
  std::ifstream maps{"/proc/self/maps"};
  for (std::string line; std::getline(maps, line);) {
    const MemoryRange range = range_to_move(line);
    const std::size_t pages = (range.end - range.begin) / huge;
    done.whole += pages;
    if (pages > 0 && collapse(range.begin, range.end)) {
      done.moved += pages;
      continue;
    }
    // One page that cannot be moved is no reason to leave the others.
    for (unsigned long at = range.begin; at < range.end; at += huge) {
      if (collapse(at, at + huge)) ++done.moved;
    }
  }
  return done;
}

}  // namespace gimbal
