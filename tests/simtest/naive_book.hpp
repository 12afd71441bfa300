// An order book as one would write it first: two sorted maps, fed by the same events as the core's.
#pragma once

#include <cstdint>
#include <map>

#include "engine/core/payload.hpp"

namespace gimbal::simtest {

class NaiveBook {
 public:
  void clear() {
    bids_.clear();
    asks_.clear();
  }
  void apply(const BookDelta& d) {
    auto& side = d.side == Side::buy ? bids_ : asks_;
    if (d.price.nano <= 0 || d.amount.nano < 0) return;
    if (d.amount.nano == 0) {
      side.erase(d.price.nano);
    } else {
      side[d.price.nano] = d.amount.nano;
    }
  }
  [[nodiscard]] bool has_both() const noexcept { return !bids_.empty() && !asks_.empty(); }
  [[nodiscard]] std::int64_t bid() const noexcept { return bids_.rbegin()->first; }
  [[nodiscard]] std::int64_t bid_amount() const noexcept { return bids_.rbegin()->second; }
  [[nodiscard]] std::int64_t ask() const noexcept { return asks_.begin()->first; }
  [[nodiscard]] std::int64_t ask_amount() const noexcept { return asks_.begin()->second; }

 private:
  std::map<std::int64_t, std::int64_t> bids_;
  std::map<std::int64_t, std::int64_t> asks_;
};

}  // namespace gimbal::simtest
