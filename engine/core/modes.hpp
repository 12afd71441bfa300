// Trading modes, the scopes they apply to, and the strictest-wins rule.
// Specification: controls, section 4. A mode is a permission; nothing loosens by itself.
#pragma once

#include <array>
#include <cstdint>
#include <type_traits>

#include "engine/core/ids.hpp"

namespace gimbal {

// Ordered from loosest to strictest; comparisons rely on it.
enum class Mode : std::uint8_t {
  active,  // strategy decides
  reduce,  // only orders that P-13 lets through; increasing resting orders are cancelled
  halt,    // nothing new, nothing amended; resting orders stay
  cancel,  // as halt, and every order in scope is cancelled until the venue shows none
  lock,    // as cancel, plus a block at the venue where it offers one
};
constexpr Mode stricter(Mode a, Mode b) noexcept { return a < b ? b : a; }

enum class ScopeLevel : std::uint8_t { global, venue, account, strategy, underlying, instrument };
inline constexpr std::size_t scope_levels = 6;

struct Scope {
  constexpr Scope() = default;
  constexpr Scope(ScopeLevel at, std::uint16_t index) noexcept : level{at}, id{index} {}
  ScopeLevel level{ScopeLevel::global};
  std::uint8_t reserved{0};  // a byte of the journal: zero, not what was on the stack
  std::uint16_t id{0};       // index in its level; 0 for global
  // Not `reserved`: in older journals it is anything.
  friend constexpr bool operator==(Scope a, Scope b) noexcept {
    return a.level == b.level && a.id == b.id;
  }
};
static_assert(std::has_unique_object_representations_v<Scope>);

// Number of scope words per level; `account` has one per VenueId (one account session each).
constexpr std::size_t scope_count(ScopeLevel level) noexcept {
  switch (level) {
    case ScopeLevel::global: return 1;
    case ScopeLevel::venue: return venues_max;
    case ScopeLevel::account: return venues_max;
    case ScopeLevel::strategy: return strategies_max;
    case ScopeLevel::underlying: return underlyings_max;
    case ScopeLevel::instrument: return instruments_max;
  }
  return 0;
}

// The scopes an order falls under.
struct OrderScopes {
  VenueId venue{};
  StrategyId strategy{};
  UnderlyingId underlying{};
  InstrumentId instrument{};
};

// The core's own copy of the scope words, changed only by events. Starts with global = halt.
class ModeTable {
 public:
  ModeTable() noexcept { global_ = Mode::halt; }

  [[nodiscard]] Mode at(Scope s) const noexcept {
    switch (s.level) {
      case ScopeLevel::global: return global_;
      case ScopeLevel::venue: return in(venue_, s.id);
      case ScopeLevel::account: return in(account_, s.id);
      case ScopeLevel::strategy: return in(strategy_, s.id);
      case ScopeLevel::underlying: return in(underlying_, s.id);
      case ScopeLevel::instrument: return in(instrument_, s.id);
    }
    return Mode::lock;
  }
  // Tightens only: a lower mode never replaces a higher one. True when the word changed.
  bool tighten(Scope s, Mode m) noexcept {
    Mode* word = slot(s);
    if (word == nullptr || *word >= m) return false;
    *word = m;
    return true;
  }
  // Loosening needs a human; the engine calls it only for a validated arm command.
  bool loosen(Scope s, Mode m) noexcept {
    Mode* word = slot(s);
    if (word == nullptr) return false;
    *word = m;
    return true;
  }
  // The strictest mode over all scopes that cover an order.
  [[nodiscard]] Mode effective(const OrderScopes& o) const noexcept {
    Mode m = stricter(global_, in(venue_, o.venue.value));
    m = stricter(m, in(account_, o.venue.value));
    m = stricter(m, in(strategy_, o.strategy.value));
    m = stricter(m, in(underlying_, o.underlying.value));
    return stricter(m, in(instrument_, o.instrument.value));
  }

 private:
  template <std::size_t N>
  static Mode in(const std::array<Mode, N>& words, std::size_t id) noexcept {
    return id < N ? words[id] : Mode::lock;  // an unknown scope is never permission
  }
  Mode* slot(Scope s) noexcept {
    if (s.id >= scope_count(s.level)) return nullptr;
    switch (s.level) {
      case ScopeLevel::global: return &global_;
      case ScopeLevel::venue: return &venue_[s.id];
      case ScopeLevel::account: return &account_[s.id];
      case ScopeLevel::strategy: return &strategy_[s.id];
      case ScopeLevel::underlying: return &underlying_[s.id];
      case ScopeLevel::instrument: return &instrument_[s.id];
    }
    return nullptr;
  }

  Mode global_;
  std::array<Mode, venues_max> venue_{};
  std::array<Mode, venues_max> account_{};
  std::array<Mode, strategies_max> strategy_{};
  std::array<Mode, underlyings_max> underlying_{};
  std::array<Mode, instruments_max> instrument_{};
};

}  // namespace gimbal
