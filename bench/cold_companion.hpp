// On a host of two cores the bot's cold threads share the exchange's core and slow its sends and
// receives, which is part of every sample of the bot. So that a ratio compares clients, a thread
// like them runs beside each floor: SCHED_BATCH, a thousand wake-ups a second, a little work and
// one write each. The table's head prints how alike the two are.
#pragma once

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "bench/harness.hpp"

namespace gimbal::bench {

inline constexpr std::int64_t companion_sleep_ns = 1'000'000;
inline constexpr std::int64_t companion_work_ns = 50'000;
inline constexpr off_t companion_file_max = 1 << 20;

[[noreturn]] inline void accompany(int core) {
  (void)pin_to(core);
  const sched_param none{};
  (void)pthread_setschedparam(pthread_self(), SCHED_BATCH, &none);
  std::string path = (std::filesystem::temp_directory_path() / "companion-XXXXXX").string();
  const int file = ::mkstemp(path.data());
  (void)::unlink(path.c_str());
  std::array<char, 16'384> work{};
  off_t at = 0;
  for (char round = 0;; ++round) {
    const timespec nap{0, companion_sleep_ns};
    ::nanosleep(&nap, nullptr);
    for (const std::int64_t end = now_ns() + companion_work_ns; now_ns() < end;) {
      for (std::size_t i = 0; i < work.size(); i += 64)
        work[i] = static_cast<char>(work[i] + round);
    }
    at = at < companion_file_max ? at + 1024 : 0;
    if (::pwrite(file, work.data(), 1024, at) < 0) at = 0;
  }
}

// What the threads of a process have run: the busiest one, which spins, and all others.
struct Ran {
  std::int64_t hot_ns{0};
  std::int64_t cold_ns{0};
};
inline Ran ran_of(pid_t pid) {
  Ran sum;
  std::error_code ignored;
  for (const auto& task :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task", ignored)) {
    std::int64_t ran = 0;
    std::ifstream{task.path() / "schedstat"} >> ran;
    sum.cold_ns += std::min(ran, sum.hot_ns);
    sum.hot_ns = std::max(ran, sum.hot_ns);
  }
  return sum;
}
// Of the time that the spinning thread ran since `from`.
inline double cold_share(pid_t pid, const Ran& from) {
  const Ran now = ran_of(pid);
  const auto hot = static_cast<double>(now.hot_ns - from.hot_ns);
  return hot > 0 ? static_cast<double>(now.cold_ns - from.cold_ns) / hot : 0;
}

}  // namespace gimbal::bench
