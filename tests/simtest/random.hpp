// Random numbers of the simulation tester: one small generator per purpose, so that taking one
// fault away does not move what another one does.
#pragma once

#include <cstdint>
#include <cstring>

#include "engine/core/time.hpp"

namespace gimbal::simtest {

class Random {
 public:
  Random() noexcept = default;
  Random(std::uint64_t seed, std::uint64_t stream) noexcept
      : state_{seed * 0x9e3779b97f4a7c15ULL ^ (stream + 1) * 0xd1342543de82ef95ULL} {
    static_cast<void>(next());
  }
  std::uint64_t next() noexcept {
    state_ += 0x9e3779b97f4a7c15ULL;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  // 0 .. n-1; 0 when n is 0.
  std::uint64_t below(std::uint64_t n) noexcept { return n == 0 ? 0 : next() % n; }
  std::int64_t between(std::int64_t low, std::int64_t high) noexcept {
    return low + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(high - low + 1)));
  }
  double unit() noexcept { return static_cast<double>(next() >> 11) * 0x1p-53; }
  bool chance(double p) noexcept { return unit() < p; }
  Nanos time(Nanos low, Nanos high) noexcept { return Nanos{between(low.count, high.count)}; }
  // Every order of magnitude between the two as likely as the next.
  Nanos spread(Nanos low, Nanos high) noexcept {
    std::int64_t bound = low.count;
    const int doublings = 63 - __builtin_clzll(static_cast<std::uint64_t>(high.count / low.count));
    bound <<= below(static_cast<std::uint64_t>(doublings) + 1);
    return time(Nanos{bound / 2 + 1}, Nanos{bound < high.count ? bound : high.count});
  }

 private:
  std::uint64_t state_{0};
};

// Over everything that crossed a border, eight bytes at a time: two runs of one seed must agree on
// it.
class TraceHash {
 public:
  void bytes(const void* data, std::size_t size) noexcept {
    const auto* at = static_cast<const unsigned char*>(data);
    number(size);  // a rest is filled up with zeros
    for (; size >= sizeof(std::uint64_t); at += sizeof(std::uint64_t)) {
      std::uint64_t word = 0;
      std::memcpy(&word, at, sizeof word);
      number(word);
      size -= sizeof word;
    }
    if (size == 0) return;
    std::uint64_t rest = 0;
    std::memcpy(&rest, at, size);
    number(rest);
  }
  void number(std::uint64_t n) noexcept {
    value_ = (value_ ^ n) * 0x9e3779b97f4a7c15ULL;
    value_ ^= value_ >> 29;
  }
  [[nodiscard]] std::uint64_t value() const noexcept { return value_; }

 private:
  std::uint64_t value_{0xcbf29ce484222325ULL};
};

}  // namespace gimbal::simtest
