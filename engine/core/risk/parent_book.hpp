// What the children of each parent have filled (control P-12). The open part is summed from the
// order table at the moment of the check. Hot: fixed memory; the parent used longest ago gives its
// place to a new one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/core/ids.hpp"
#include "engine/core/units.hpp"

namespace gimbal {

class ParentBook {
 public:
  static constexpr std::size_t kept_max = 256;
  struct Parent {
    StrategyId strategy{};
    bool closed{false};  // exceeded once: takes no more children
    std::uint64_t id{0};
    Qty amount{};
    Qty filled{};
    std::uint64_t used{0};
    // What children may sum to.
    [[nodiscard]] Qty allowed() const noexcept { return closed ? Qty{} : amount; }
  };

  [[nodiscard]] const Parent* find(StrategyId strategy, std::uint64_t id) const noexcept {
    if (id == 0) return nullptr;
    for (const Parent& p : parents_) {
      if (p.id == id && p.strategy == strategy) return &p;
    }
    return nullptr;
  }
  [[nodiscard]] Parent* find(StrategyId strategy, std::uint64_t id) noexcept {
    return const_cast<Parent*>(static_cast<const ParentBook*>(this)->find(strategy, id));
  }
  // The parent, known from now on; its amount is that of the first call.
  Parent& open(StrategyId strategy, std::uint64_t id, Qty amount) noexcept {
    Parent* found = find(strategy, id);
    if (found == nullptr) {
      found = &parents_[0];
      for (Parent& p : parents_) {
        if (p.used < found->used) found = &p;
      }
      *found = Parent{strategy, false, id, amount, {}, 0};
    }
    found->used = ++uses_;
    return *found;
  }

 private:
  std::array<Parent, kept_max> parents_{};
  std::uint64_t uses_{0};
};

}  // namespace gimbal
