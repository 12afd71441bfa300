// One writer, many readers, a small flat struct: how the hot thread shows its status. The writer
// never waits; a reader retries while a write is under way. Words are atomics with release and
// acquire order (plain moves on x86), so that the copy is no data race by the letter either.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace gimbal {

template <class T>
class Seqlock {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  // Writer thread only. Hot.
  void store(const T& value) noexcept {
    std::array<std::uint64_t, words> copy{};
    std::memcpy(copy.data(), &value, sizeof(T));
    const std::uint64_t version = version_.load(std::memory_order_relaxed);
    version_.store(version + 1, std::memory_order_relaxed);
    for (std::size_t i = 0; i < words; ++i) data_[i].store(copy[i], std::memory_order_release);
    version_.store(version + 2, std::memory_order_release);
  }
  // Any thread. False when the writer kept interfering for `attempts_max` tries.
  [[nodiscard]] bool try_load(T& out, int attempts_max = 1000) const noexcept {
    for (int attempt = 0; attempt < attempts_max; ++attempt) {
      const std::uint64_t before = version_.load(std::memory_order_acquire);
      if ((before & 1u) != 0) continue;
      std::array<std::uint64_t, words> copy;
      for (std::size_t i = 0; i < words; ++i) copy[i] = data_[i].load(std::memory_order_acquire);
      if (version_.load(std::memory_order_relaxed) != before) continue;
      std::memcpy(static_cast<void*>(&out), copy.data(), sizeof(T));
      return true;
    }
    return false;
  }
  // Number of finished writes.
  [[nodiscard]] std::uint64_t writes() const noexcept {
    return version_.load(std::memory_order_acquire) / 2;
  }

 private:
  static constexpr std::size_t words = (sizeof(T) + 7) / 8;
  alignas(64) std::atomic<std::uint64_t> version_{0};
  std::array<std::atomic<std::uint64_t>, words> data_{};
};

}  // namespace gimbal
