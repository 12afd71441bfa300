// Room venues/sim, pure. One instrument's resting orders by price, then time. It knows nothing of
// accounts' rules: the exchange decides what may rest or trade and calls the primitives here.
//
// Every mutation notes the touched level, so that take_changes() gives the net difference of a
// batch of calls as the venue publishes it: one entry a level, against the state before.
#pragma once

#include <cstdint>
#include <vector>

#include "venues/sim/records.hpp"

namespace gimbal::sim {

class Book {
 public:
  using Slot = std::uint32_t;
  static constexpr Slot none = 0xFFFFFFFFu;
  // A slot that may have been freed and used again since it was noted.
  struct Handle {
    Slot slot{none};
    std::uint32_t generation{0};
  };
  struct Resting {
    std::int64_t price{0};      // nano
    std::int64_t remaining{0};  // nano, > 0 while resting
    OrderNo order{0};           // 0: a house order
    AccountId account{no_account};
    Side side{Side::buy};
    Slot prev{none};
    Slot next{none};
    std::uint32_t generation{0};
  };

  // Appends behind everything at its price. amount > 0.
  Slot insert(Side side, Price price, Qty amount, AccountId account, OrderNo order);
  void remove(Slot slot);
  // Takes `by` off the front of the order's amount, keeping its place; removes it at zero.
  void reduce(Slot slot, Qty by);

  [[nodiscard]] const Resting& at(Slot slot) const noexcept { return pool_[slot]; }
  [[nodiscard]] Handle handle(Slot slot) const noexcept { return {slot, pool_[slot].generation}; }
  [[nodiscard]] bool alive(Handle h) const noexcept {
    return h.slot < pool_.size() && pool_[h.slot].generation == h.generation &&
           pool_[h.slot].remaining > 0;
  }

  [[nodiscard]] bool empty(Side side) const noexcept { return levels_of(side).empty(); }
  // First order in the queue at the best price; `none` when the side is empty.
  [[nodiscard]] Slot front(Side side) const noexcept;
  // The order after `slot` in matching priority, across levels.
  [[nodiscard]] Slot after(Slot slot) const noexcept;
  [[nodiscard]] Price best(Side side) const noexcept;  // absent_nano when empty
  [[nodiscard]] Qty best_amount(Side side) const noexcept;
  [[nodiscard]] Qty amount_at(Side side, Price price) const noexcept;
  void levels(Side side, std::size_t depth, std::vector<Level>& out) const;
  [[nodiscard]] std::size_t size() const noexcept { return live_; }

  // The net changes since the last call, bids first, in order of first touch.
  void take_changes(std::vector<LevelChange>& out);

 private:
  struct LevelQueue {
    std::int64_t price{0};
    std::int64_t total{0};
    Slot head{none};
    Slot tail{none};
  };
  struct Touch {
    std::int64_t price{0};
    std::int64_t before{0};
  };
  [[nodiscard]] const std::vector<LevelQueue>& levels_of(Side s) const noexcept {
    return sides_[static_cast<std::size_t>(s)];
  }
  // Position of the level at `price`, or where it belongs (levels are kept worst first).
  [[nodiscard]] std::size_t place_of(Side side, std::int64_t price) const noexcept;
  [[nodiscard]] const LevelQueue* level(Side side, std::int64_t price) const noexcept;
  void touch(Side side, std::int64_t price, std::int64_t before);

  std::vector<LevelQueue> sides_[2];
  std::vector<Touch> touched_[2];
  std::vector<Resting> pool_;
  std::vector<Slot> free_;
  std::size_t live_{0};
};

// Whether an order of `taker` side at `limit` trades with a resting price.
constexpr bool crosses(Side taker, Price limit, Price resting) noexcept {
  return taker == Side::buy ? limit.nano >= resting.nano : limit.nano <= resting.nano;
}

}  // namespace gimbal::sim
