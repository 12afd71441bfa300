// PAUSE: a mask per scope that blocks growth while an input is not to be trusted. Not a mode: it
// clears by itself, and too many of them in an hour become REDUCE, latched (EngineCore::pause).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/core/modes.hpp"
#include "engine/core/time.hpp"

namespace gimbal {

class PauseMask {
 public:
  explicit PauseMask(std::size_t instruments) {
    for (std::size_t level = 0; level < scope_levels; ++level) {
      const auto l = static_cast<ScopeLevel>(level);
      words_[level].resize(l == ScopeLevel::instrument ? instruments : scope_count(l));
    }
  }

  // Growth in `scope` stays blocked until `until` at least.
  void extend(Scope scope, RecvTime until) noexcept {
    if (Word* w = word(scope)) w->until = std::max(w->until, until);
  }
  // Counts one more pause of the scope; gives how many began within the hour.
  std::uint32_t count(Scope scope, RecvTime now) noexcept {
    Word* w = word(scope);
    if (w == nullptr) return 0;
    if (w->window.mono_ns == 0 || now - w->window > seconds(3600)) {
      w->window = now;
      w->pauses = 0;
    }
    return ++w->pauses;
  }
  [[nodiscard]] bool blocks(Scope scope, RecvTime now) const noexcept {
    const auto& level = words_[static_cast<std::size_t>(scope.level)];
    return scope.id < level.size() && now < level[scope.id].until;
  }
  [[nodiscard]] bool blocks(const OrderScopes& o, RecvTime now) const noexcept {
    return blocks({ScopeLevel::global, 0}, now) ||
           blocks({ScopeLevel::venue, o.venue.value}, now) ||
           blocks({ScopeLevel::account, o.venue.value}, now) ||
           blocks({ScopeLevel::strategy, o.strategy.value}, now) ||
           blocks({ScopeLevel::underlying, o.underlying.value}, now) ||
           blocks({ScopeLevel::instrument, o.instrument.value}, now);
  }

 private:
  struct Word {
    RecvTime until{};
    RecvTime window{};
    std::uint32_t pauses{0};
  };
  Word* word(Scope scope) noexcept {
    auto& level = words_[static_cast<std::size_t>(scope.level)];
    return scope.id < level.size() ? &level[scope.id] : nullptr;
  }
  std::vector<Word> words_[scope_levels];
};

}  // namespace gimbal
