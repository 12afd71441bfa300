// Venue names <-> dense ids: open addressing, linear probing, names in one pool. Room: feeds.
//
// Reserved at construction; `add` after that allocates nothing and refuses when full, so newly
// listed instruments can be added while running. One thread adds, any number look up meanwhile
// without a lock: a name is published by the one store that makes it findable, and never changes.
// Names are 1 to 47 bytes, compared exactly.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "engine/core/ids.hpp"

namespace gimbal::deribit {

inline constexpr std::size_t symbol_text_max = 47;

// FNV-1a, finished with a multiply so that the low bits can index a table.
[[nodiscard]] constexpr std::uint64_t text_hash(std::string_view text) noexcept {
  std::uint64_t h = 0xcbf29ce484222325ULL;
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return h ^ (h >> 29);
}

// For tables in memory only: eight bytes a step, and another value in another version.
[[nodiscard]] inline std::uint64_t table_hash(std::string_view text) noexcept {
  constexpr std::uint64_t factor = 0x9e3779b97f4a7c15ULL;
  std::uint64_t h = text.size() * factor;
  const char* at = text.data();
  std::size_t left = text.size();
  for (; left >= 8; at += 8, left -= 8) {
    std::uint64_t word;
    std::memcpy(&word, at, 8);
    h = (h ^ word) * factor;
    h ^= h >> 32;
  }
  std::uint64_t word = 0;
  for (; left > 0; ++at, --left) word = (word << 8) | static_cast<unsigned char>(*at);
  h = (h ^ word) * factor;
  return h ^ (h >> 32);
}

class SymbolTable {
 public:
  explicit SymbolTable(std::size_t capacity = instruments_max);

  // False when the name is empty, too long, taken by another id, or the table is full. Adding the
  // same pair again is accepted.
  [[nodiscard]] bool add(std::string_view name, InstrumentId id) noexcept;  // one thread only
  // Invalid id when unknown.
  [[nodiscard]] InstrumentId find(std::string_view name) const noexcept;
  // Empty when unknown.
  [[nodiscard]] std::string_view name(InstrumentId id) const noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return size_; }  // on the adding thread
  // Any thread: one above the highest id that has a name. What is below can be looked up.
  [[nodiscard]] std::size_t end() const noexcept {
    return end_.value.load(std::memory_order_acquire);
  }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

 private:
  struct Entry {
    char text[symbol_text_max];
    std::atomic<std::uint8_t> length{0};  // 0: no name yet; stored after the text
  };
  // Moves with the table, while nobody else looks.
  struct End {
    std::atomic<std::size_t> value{0};
    End() = default;
    End(End&& other) noexcept : value{other.value.load(std::memory_order_relaxed)} {}
    End& operator=(End&& other) noexcept {
      value.store(other.value.load(std::memory_order_relaxed), std::memory_order_relaxed);
      return *this;
    }
  };
  std::size_t capacity_;
  std::size_t mask_;
  std::size_t size_{0};
  End end_;
  std::vector<std::atomic<std::uint16_t>> slots_;  // InstrumentId value + 1, 0 when free
  std::vector<Entry> names_;                       // by InstrumentId value
};

}  // namespace gimbal::deribit
