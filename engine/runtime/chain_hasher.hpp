// The SHA-256 chain of a stream that is being read, by a thread of its own: a fifth of the time of
// a replay, and needed by nothing else in it. The reader hands over the very bytes it read. Cold.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "engine/runtime/sha256.hpp"

namespace gimbal {

class ChainHasher {
 public:
  ChainHasher() = default;
  ~ChainHasher() { finish(); }
  ChainHasher(const ChainHasher&) = delete;
  ChainHasher& operator=(const ChainHasher&) = delete;

  // --- the reader's thread
  // A segment begins: the chain so far.
  void restart(const Sha256Digest& chain);
  // `hold` keeps the bytes; without it they stay where they are until finish().
  void add(std::shared_ptr<const std::byte[]> hold, std::span<const std::byte> bytes);
  // Everything since the last seal must give this.
  void seal(const Sha256Digest& expected, std::uint64_t block, std::uint32_t segment,
            std::uint64_t offset);
  // Waits until all is hashed. Nothing is taken after it.
  void finish();
  // Of the first seal that differs; empty: none. After finish().
  [[nodiscard]] const std::string& damage() const noexcept { return damage_; }

 private:
  enum class Kind : std::uint8_t { restart, add, seal, stop };
  struct Job {
    Kind kind{Kind::add};
    std::shared_ptr<const std::byte[]> hold{};
    std::span<const std::byte> bytes{};
    Sha256Digest digest{};
    std::uint64_t block{0};
    std::uint32_t segment{0};
    std::uint64_t offset{0};
  };
  // Handed over together, so that the threads seldom wake each other; the reader waits when this
  // much is not hashed yet.
  static constexpr std::size_t jobs_together = 32;
  static constexpr std::size_t bytes_together = 1u << 20;
  static constexpr std::size_t bytes_waiting_max = 8u << 20;

  void put(Job job);
  void hand_over();
  void work();
  void take(const Job& job);

  std::mutex mutex_;
  std::condition_variable moved_;
  std::vector<Job> gathered_;  // the reader's
  std::size_t gathered_bytes_{0};
  std::vector<Job> jobs_;
  std::size_t bytes_waiting_{0};  // with those that are being hashed
  RunningSha256 hash_;
  std::string damage_;
  std::thread worker_;
};

}  // namespace gimbal
