// Cold, once, when everything is built and before threads start: the program's memory moves to
// pages of 2 MiB. After a pause an order then finds its way through a few entries of the TLB in
// place of hundreds; under nested paging each of those costs up to a microsecond
// (ops/docs/decisions/0031).
#pragma once

#include <cstddef>
#include <string_view>

namespace gimbal {

struct HugePages {
  std::size_t whole{0};  // of 2 MiB each, in private memory of this process
  std::size_t moved{0};  // of these: on a huge page now, the others are as they were
};

// madvise(MADV_COLLAPSE), Linux 6.1, on private anonymous memory. A page that was never touched has
// nothing to move.
HugePages use_huge_pages();

struct MemoryRange {
  unsigned long begin{0};
  unsigned long end{0};  // both rounded to whole huge pages; begin == end: nothing to move
};

// One line of /proc/PID/maps; empty for what is not to be moved: files, shared memory, stacks, the
// kernel's own, and what holds no whole huge page.
[[nodiscard]] MemoryRange range_to_move(std::string_view line);

}  // namespace gimbal
