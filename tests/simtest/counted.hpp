// A strategy of the product that says what it asked for.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/core/strategy_view.hpp"

namespace gimbal::simtest {

template <class S>
struct Counted {
  S strategy;
  std::uint64_t asked{0};  // placings and changes
  std::array<OrderRequest, requests_per_step_max> placings{};
  std::size_t placed{0};  // of `placings`, since it was zeroed

  void wake(const StrategyView& view, Requests& requests) noexcept {
    strategy.wake(view, requests);
    asked += requests.places_ + requests.replaces_;
    placed = requests.places_;
    for (std::size_t n = 0; n < placed; ++n) placings[n] = requests.place_[n];
  }
  [[nodiscard]] std::span<const OrderRequest> wanted() const noexcept {
    return {placings.data(), placed};
  }
};

}  // namespace gimbal::simtest
