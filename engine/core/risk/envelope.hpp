// What a risk module of a third party allows: the body of a side block of kind risk_envelope, an
// EnvelopeHead and then `rows` EnvelopeRows, ascending by instrument. An envelope only tightens:
// it is one more limit beside those of [risk], never instead of one.
//
// Amounts are Qty in the venue's unit, at 1e-9: the most that may still be bought (sold) of the
// instrument from the position at `as_of` or, where that allows less, from the one at which the
// core takes the envelope, over all orders, open and unknown ones counted as filled. INT64_MAX is
// no opinion. Part of the journal format: append, never reorder.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "engine/core/ids.hpp"
#include "engine/core/time.hpp"
#include "engine/core/units.hpp"

namespace gimbal {

inline constexpr std::size_t risk_modules_max = 8;
inline constexpr std::size_t envelope_rows_max = 1024;
inline constexpr std::uint32_t envelope_form = 1;
inline constexpr Qty no_opinion{INT64_MAX};

// Bits of EnvelopeRow::veto. A bit that is not known here makes the envelope invalid.
namespace module_veto {
inline constexpr std::uint8_t growth = 1;  // exits and hedges only, as in REDUCE
inline constexpr std::uint8_t buy = 2;     // no buys but exits
inline constexpr std::uint8_t sell = 4;    // no sells but exits
inline constexpr std::uint8_t known = growth | buy | sell;
}  // namespace module_veto

// How the bot sees a module. Only `live` comes with limits; `late` is never journalled: the core
// finds it by its own time.
enum class ModuleSight : std::uint8_t { absent, live, dead, invalid, late };

struct EnvelopeRow {
  InstrumentId instrument{};
  std::uint8_t veto{0};
  std::array<std::uint8_t, 5> reserved{};
  Qty buy_max{no_opinion};
  Qty sell_max{no_opinion};
};
static_assert(sizeof(EnvelopeRow) == 24 && std::is_trivially_copyable_v<EnvelopeRow>);

struct EnvelopeHead {
  std::uint32_t form{envelope_form};
  std::uint8_t module{0};  // its place among the [[module]] tables
  ModuleSight sight{ModuleSight::live};
  std::uint16_t rows{0};
  std::uint64_t as_of{0};  // newest event that the module had seen
  RecvTime made{};
  Nanos ttl{};           // as the module asks; the core takes no more than its [[module]] ttl
  EnvelopeRow others{};  // instruments without a row
  std::uint64_t reserved{0};
};
static_assert(sizeof(EnvelopeHead) == 64 && std::is_trivially_copyable_v<EnvelopeHead>);

enum class EnvelopeFault : std::uint8_t {
  none,
  size,        // not a head and that many rows
  form,        // of another version
  made,        // in the future, or not after the envelope before it
  ttl,         // not positive
  rows,        // more than envelope_rows_max
  order,       // rows not ascending, or one instrument twice
  instrument,  // no such instrument
  veto,        // a bit that is not known
  amount,      // negative
  reserved,    // a byte that must be zero is not
};

// What is wrong with an envelope that was read at `now`; `instruments`: how many there are,
// `before`: when the one before it was made. Pure; every byte is distrusted.
[[nodiscard]] EnvelopeFault fault_of(const EnvelopeHead& head, std::span<const EnvelopeRow> rows,
                                     RecvTime now, RecvTime before,
                                     std::size_t instruments) noexcept;

// The limits of all modules on one instrument, as bounds of the worst-case position.
struct EnvelopeCap {
  std::int64_t ceiling{INT64_MAX};
  std::int64_t floor{INT64_MIN};
  std::uint8_t veto{0};
  std::array<std::uint8_t, 7> reserved{};
  friend constexpr bool operator==(const EnvelopeCap&, const EnvelopeCap&) = default;
};

}  // namespace gimbal
