// One decrypted tick to one order's text through the bytes door (bytes_path.hpp); 200 options
// listed. Run under callgrind it gives the instructions of a tick (bench/instructions.sh); alone,
// nanoseconds.
//
//   tick_path [TICKS [PAUSE_US [LISTED]]]
//                                   with a pause, the thread spins for so long before every tick;
//                                   LISTED options instead of 200: 10, or 110 and more
//   tick_path --flat [TICKS]        10, 200 and 10,000 listed options in turns: exit 1 when the
//   tick
//                                   of the most costs over a tenth more than that of the fewest
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <vector>

#include "bench/bytes_path.hpp"
#include "bench/harness.hpp"

namespace gimbal::bench {
namespace {

constexpr int warm_up = 200;

void spin_for(std::int64_t ns) {
  const std::int64_t end = now_ns() + ns;
  while (now_ns() < end) __builtin_ia32_pause();
}

void run_block(BytesPath& path, int ticks, std::int64_t pause_ns, Samples& samples) {
  for (int i = 0; i < ticks; ++i) {
    path.prepare();
    if (pause_ns > 0) spin_for(pause_ns);
    const std::int64_t from = now_ns();
    path.tick();
    samples.add(now_ns() - from);
    path.settle();
  }
}

void warm(BytesPath& path) {
  Samples unused;
  run_block(path, warm_up, 0, unused);
}

int run(int ticks, std::int64_t pause_ns, int listed) {
  const auto path = std::make_unique<BytesPath>(listed);
  warm(*path);
  const std::uint64_t before = path->orders();
  Samples samples;
  run_block(*path, ticks, pause_ns, samples);
  const auto orders = path->orders() - before;
  std::printf("tick_path: %d ticks, %llu orders, p50 %lld ns, p99 %lld ns\n", ticks,
              static_cast<unsigned long long>(orders), static_cast<long long>(samples.at(0.5)),
              static_cast<long long>(samples.at(0.99)));
  return orders == static_cast<std::uint64_t>(ticks) ? 0 : 1;
}

// Blocks in turns, so that a host that changes its speed does it to all.
int run_flat(int ticks) {
  constexpr std::array<int, 3> listed{options_held, options, 10'000};
  constexpr int blocks = 20;
  std::array<std::unique_ptr<BytesPath>, listed.size()> paths;
  std::array<std::vector<double>, listed.size()> p50;
  for (std::size_t n = 0; n < listed.size(); ++n) paths[n] = std::make_unique<BytesPath>(listed[n]);
  for (int block = 0; block < blocks; ++block) {
    for (std::size_t n = 0; n < listed.size(); ++n) {
      warm(*paths[n]);
      Samples samples;
      run_block(*paths[n], ticks / blocks, 0, samples);
      p50[n].push_back(static_cast<double>(samples.at(0.5)));
    }
  }
  std::vector<double> ratios;
  for (int b = 0; b < blocks; ++b) ratios.push_back(p50.back()[b] / p50.front()[b]);
  std::sort(ratios.begin(), ratios.end());
  const double ratio = ratios[blocks / 2];
  for (std::size_t n = 0; n < listed.size(); ++n) {
    std::sort(p50[n].begin(), p50[n].end());
    std::printf("tick_path: %5d options listed: p50 %.0f ns\n", listed[n], p50[n][blocks / 2]);
  }
  std::printf("tick_path: 10,000 options / 10: %.2f, bar <= 1.10  %s\n", ratio,
              ratio <= 1.1 ? "met" : "NOT MET");
  return ratio <= 1.1 ? 0 : 1;
}

}  // namespace
}  // namespace gimbal::bench

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view{argv[1]} == "--flat") {
    return gimbal::bench::run_flat(argc > 2 ? std::atoi(argv[2]) : 40'000);
  }
  return gimbal::bench::run(argc > 1 ? std::atoi(argv[1]) : 20'000,
                            argc > 2 ? std::atoll(argv[2]) * 1000 : 0,
                            argc > 3 ? std::atoi(argv[3]) : gimbal::bench::options);
}
