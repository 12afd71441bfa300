// Which (order state, event) pairs a run has visited.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string>

#include "engine/core/event.hpp"
#include "engine/core/orders.hpp"

namespace gimbal::simtest {

inline constexpr std::size_t coverage_pairs = order_states * order_events;

class Coverage {
 public:
  void visit(OrderState state, OrderEvent event) noexcept {
    ++counts_[static_cast<std::size_t>(state) * order_events + static_cast<std::size_t>(event)];
  }
  void add(const Coverage& other) noexcept {
    for (std::size_t i = 0; i < coverage_pairs; ++i) counts_[i] += other.counts_[i];
  }
  [[nodiscard]] std::size_t visited() const noexcept;
  // One line a state: its events with their counts, "-" for none.
  [[nodiscard]] std::string table() const;
  // "  not visited: STATE EVENT", one line each.
  [[nodiscard]] std::string missed() const;

 private:
  std::array<std::uint64_t, coverage_pairs> counts_{};
};

// What an input event is to the order it names; false when it is about no order. `order` is as it
// was before the event. `venue_now`: for an answer without a time.
[[nodiscard]] bool classify(const Event& event, const Order* order, ExchTime venue_now,
                            OrderEvent& out) noexcept;

}  // namespace gimbal::simtest
