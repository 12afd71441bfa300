// Who else sends orders under our label: another process on the same account, or this one started
// without the epochs it had used before. Control R-04 and fault F50: one instance an account.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/core/ids.hpp"

namespace gimbal {

// Hot: only for an order that is in no table. Orders of one boot are numbered upwards, so what was
// seen before an acknowledgement stays acknowledged, and the next order is news again.
class OtherInstances {
 public:
  static constexpr std::size_t kept_max = 8;  // boots; beyond: the oldest is forgotten, thus news
  static constexpr std::size_t twins_max = 256;  // a picture tells them all again: the same beyond

  // True when this order is newer than what somebody has acknowledged of its boot.
  bool note(OrderId id) noexcept {
    Seen* seen = nullptr;
    for (Seen& s : seen_) {
      if (s.epoch == id.epoch() && s.newest != 0) seen = &s;
    }
    if (seen == nullptr) {
      seen = &seen_[next_++ % kept_max];
      *seen = Seen{id.epoch(), 0, 0, {}};
    }
    if (id.counter() >= seen->newest) {
      seen->newest = std::max(id.counter(), 1U);
      seen->order = id;
    }
    return seen->newest > seen->acknowledged;
  }
  // The same of an order under a label of ours: its number tells nothing, its id at the venue does.
  bool note_twin(OrderId id, std::uint64_t venue_ref) noexcept {
    for (const Twin& t : twins_) {
      if (t.order == id && t.venue_ref == venue_ref) return !t.acknowledged;
    }
    twins_[next_twin_++ % twins_max] = {id, venue_ref, false};
    return true;
  }
  void acknowledge() noexcept {
    for (Seen& s : seen_) s.acknowledged = s.newest;
    for (Twin& t : twins_) t.acknowledged = true;
  }
  // The newest order that nobody has acknowledged; invalid when there is none.
  [[nodiscard]] OrderId unacknowledged() const noexcept {
    OrderId found{};
    for (const Seen& s : seen_) {
      if (s.newest > s.acknowledged && s.order > found) found = s.order;
    }
    for (const Twin& t : twins_) {
      if (!t.acknowledged && t.order > found) found = t.order;
    }
    return found;
  }

 private:
  struct Seen {
    std::uint32_t epoch{0};
    std::uint32_t newest{0};  // order counter; 0: not used
    std::uint32_t acknowledged{0};
    OrderId order{};  // the newest
  };
  struct Twin {
    OrderId order{};
    std::uint64_t venue_ref{0};
    bool acknowledged{true};
  };
  std::array<Twin, twins_max> twins_{};
  std::size_t next_twin_{0};
  std::array<Seen, kept_max> seen_{};
  std::size_t next_{0};
};

}  // namespace gimbal
