// Which model a volatility is from: the rungs of the ladder surface, venue, flat.
//
// Room: engine/core, hot. Numbers are part of the journal format: append, never reorder.
#pragma once

#include <cstddef>
#include <cstdint>

namespace gimbal {

enum class VolSource : std::uint8_t {
  none,          // no rung had one
  svi,           // the surface: the expiry's own fit
  ssvi,          // its fallback fit
  kept,          // an earlier fit of the expiry, shifted at the money
  interpolated,  // between two expiries, linear in total variance at equal k
  venue,         // the volatility that the venue publishes for the option
  flat,          // the configured one
};
inline constexpr std::size_t vol_sources = 7;

constexpr bool of_surface(VolSource s) noexcept {
  return s >= VolSource::svi && s <= VolSource::interpolated;
}

// The models behind a number that several options make: one bit for each source.
class VolSources {
 public:
  constexpr void add(VolSource s) noexcept {
    bits_ = static_cast<std::uint8_t>(bits_ | (1U << static_cast<unsigned>(s)));
  }
  constexpr void add(VolSources other) noexcept {
    bits_ = static_cast<std::uint8_t>(bits_ | other.bits_);
  }
  [[nodiscard]] constexpr bool has(VolSource s) const noexcept {
    return (bits_ >> static_cast<unsigned>(s) & 1U) != 0;
  }
  [[nodiscard]] constexpr bool empty() const noexcept { return bits_ == 0; }
  friend constexpr bool operator==(VolSources, VolSources) = default;

 private:
  std::uint8_t bits_{0};
};

}  // namespace gimbal
