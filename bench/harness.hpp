// Shared by the latency programs: pinning, seeded think times, sample statistics, host description.
// Bench only; nothing here is linked into the product.
#pragma once

#include <pthread.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

namespace gimbal::bench {

inline std::int64_t now_ns() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<std::int64_t>(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}

// Pins the calling thread; false when the kernel refuses (the caller prints it as a condition).
inline bool pin_to(int core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(core), &set);
  return pthread_setaffinity_np(pthread_self(), sizeof set, &set) == 0;
}

// splitmix64: the same think times in every run of a seed.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_{seed} {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(high - low + 1));
  }

 private:
  std::uint64_t state_;
};

// Latency samples in nanoseconds.
class Samples {
 public:
  void add(std::int64_t ns) { values_.push_back(ns); }
  void append(const Samples& other) {
    values_.insert(values_.end(), other.values_.begin(), other.values_.end());
  }
  // The samples added since there were `first`.
  [[nodiscard]] Samples from(std::size_t first) const {
    Samples rest;
    rest.values_.assign(values_.begin() + static_cast<std::ptrdiff_t>(first), values_.end());
    return rest;
  }
  [[nodiscard]] std::size_t count() const { return values_.size(); }
  // Value at a fraction in [0, 1]; 0 when empty.
  [[nodiscard]] std::int64_t at(double fraction) const {
    if (values_.empty()) return 0;
    std::vector<std::int64_t> sorted = values_;
    const auto last = static_cast<double>(sorted.size() - 1);
    const auto index = static_cast<std::ptrdiff_t>(fraction * last + 0.5);
    std::nth_element(sorted.begin(), sorted.begin() + index, sorted.end());
    return sorted[static_cast<std::size_t>(index)];
  }

 private:
  std::vector<std::int64_t> values_;
};

inline double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const std::size_t n = values.size();
  return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

// CPU model and kernel, for the line above every table.
inline std::string host_line() {
  std::string model = "unknown CPU";
  std::ifstream info{"/proc/cpuinfo"};
  for (std::string line; std::getline(info, line);) {
    if (line.rfind("model name", 0) == 0) {
      model = line.substr(line.find(':') + 2);
      break;
    }
  }
  std::string kernel;
  std::ifstream{"/proc/sys/kernel/osrelease"} >> kernel;
  const long cores = sysconf(_SC_NPROCESSORS_ONLN);
  return model + ", " + std::to_string(cores) + " cores, Linux " + kernel;
}

}  // namespace gimbal::bench
