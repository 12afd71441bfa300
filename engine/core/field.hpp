// How a config table describes itself: one `fields(visit, config)` beside each struct lists key,
// member and FieldInfo. The same list loads, validates, prints the effective config, writes the
// reference page and decides what `gimbalctl reload` may change.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>

namespace gimbal {

// What a reload may do to a field: nothing, only a stricter value while trading, or anything.
enum class Reload : std::uint8_t { fixed, tighten_lower, tighten_higher, live };

struct FieldInfo {
  double min{-std::numeric_limits<double>::infinity()};  // inclusive, in the unit of the text
  double max{std::numeric_limits<double>::infinity()};
  bool required{false};  // no default: start is refused without it
  Reload reload{Reload::fixed};
  std::string_view unit{};  // as written in the reference page: "USD", "coins", "1/s"
  std::string_view doc{};   // one sentence
  bool zero_is_off{false};  // a limit that 0 switches off: off counts as the loosest value
};

// Names of an enum that appears in a config: specialise beside the enum, with a static constexpr
// array `all` of (name, value) pairs.
template <class E>
using EnumPair = std::pair<std::string_view, E>;
template <class E>
struct EnumNames;

}  // namespace gimbal
