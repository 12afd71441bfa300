#include "engine/quant/stress/pool.hpp"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace gimbal::quant {

void run_blocks(std::size_t blocks, std::size_t threads,
                const std::function<void(std::size_t)>& work,
                const std::function<void(std::size_t)>& progress) {
  std::atomic<std::size_t> next{0};
  std::atomic<std::size_t> done{0};
  const auto one = [&] {
    const std::size_t block = next.fetch_add(1);
    if (block >= blocks) return false;
    work(block);
    done.fetch_add(1);
    return true;
  };
  {
    std::vector<std::jthread> others;
    for (std::size_t i = 1; i < std::min(threads, blocks); ++i) {
      others.emplace_back([&] {
        while (one()) {}
      });
    }
    while (one()) {
      if (progress) progress(done.load());
    }
  }
  if (progress) progress(blocks);
}

std::size_t core_count() noexcept {
  return std::max<std::size_t>(1, std::thread::hardware_concurrency());
}

}  // namespace gimbal::quant
