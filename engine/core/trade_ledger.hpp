// Remembers the last N trade ids exactly, so that a fill is booked once however often it arrives.
//
// Hot. Fixed memory: a ring of ids in arrival order and an open-addressing index over it. The
// oldest id is forgotten when the ring is full; choose N above any replay a venue sends after a
// reconnect.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/core/ids.hpp"

namespace gimbal {

class TradeLedger {
 public:
  explicit TradeLedger(std::size_t capacity = 65536);

  // True when the id is new and is now remembered; false for a duplicate.
  [[nodiscard]] bool remember(VenueId venue, TradeId trade) noexcept;
  [[nodiscard]] bool knows(VenueId venue, TradeId trade) const noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return count_; }
  [[nodiscard]] std::size_t capacity() const noexcept { return ring_.size(); }

 private:
  struct Key {
    TradeId trade{};
    VenueId venue{};
    friend constexpr bool operator==(const Key&, const Key&) = default;
  };
  static constexpr std::uint32_t empty = 0xFFFFFFFF;

  [[nodiscard]] std::size_t home(const Key& key) const noexcept;
  [[nodiscard]] std::size_t find(const Key& key) const noexcept;  // slot that holds it, or a hole
  void forget(const Key& key) noexcept;

  std::vector<Key> ring_;
  std::vector<std::uint32_t> index_;  // position in ring_, at least twice its size
  std::size_t mask_;
  std::size_t next_{0};
  std::size_t count_{0};
};

}  // namespace gimbal
