// Rows of the scenario cells on their way: what the core asks to be priced, and the side block of
// kind `scenario_rows` that brings the answer back as an event.
//
// Room: engine/core; the block is part of the journal format. Rows are priced off the hot thread
// (engine/quant/margin/scenario_pricer.hpp); the core adopts them, and moves them with the price by
// their slopes and curves until the next ones.
// Units: coins for inverse, quote currency for linear options, of one coin's option; slopes and
// curves a relative move of the price (scenario_cells.hpp).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

#include "engine/core/ids.hpp"
#include "engine/core/math.hpp"
#include "engine/core/risk/scenario_table.hpp"
#include "engine/core/time.hpp"

namespace gimbal {

inline constexpr std::uint32_t scenario_block_version = 1;
inline constexpr std::size_t scenario_rows_max = 16;

// Options of one expiry, to be priced at what the core sees now. Rows from `count` on are empty.
struct ScenarioQuestion {
  UnderlyingId underlying{};
  bool inverse{true};
  std::uint8_t count{0};
  std::uint32_t generation{0};  // of the anchor
  RecvTime at{};                // the age of the answer is counted from here
  double anchor{0};             // what the answer's moves are relative to
  double spot{0};               // the perpetual's mid
  double forward{0};            // as the options see it (OptionMark::seen)
  double share{1};              // OptionMark::share
  double years{0};
  std::array<InstrumentId, scenario_rows_max> instruments{};
  std::array<double, scenario_rows_max> strike{}, sigma{}, sign{};
};

// Where questions go. Written by the core and never read by it: what is lost is asked again.
struct ScenarioDesk {
  void* to{nullptr};
  void (*put)(void* to, const ScenarioQuestion& question) noexcept {nullptr};
  void ask(const ScenarioQuestion& question) const noexcept {
    if (put != nullptr) put(to, question);
  }
};

struct ScenarioRowsHead {
  std::uint32_t version{scenario_block_version};
  UnderlyingId underlying{};
  std::uint8_t inverse{1};
  std::uint8_t rows{0};
  std::uint8_t reserved{0};
  std::uint32_t generation{0};
  std::uint32_t reserved2{0};
  RecvTime at{};
  double anchor{0};
  std::uint64_t table{0};  // ScenarioTable::number
  std::array<InstrumentId, scenario_rows_max> instruments{};
};
[[nodiscard]] inline ScenarioRowsHead head_of_answer(const ScenarioQuestion& q,
                                                     std::uint64_t table) noexcept {
  ScenarioRowsHead head;
  head.underlying = q.underlying;
  head.inverse = q.inverse ? 1 : 0;
  head.rows = q.count;
  head.generation = q.generation;
  head.at = q.at;
  head.anchor = q.anchor;
  head.table = table;
  head.instruments = q.instruments;
  return head;
}
struct ScenarioRow {
  std::array<double, ScenarioTable::count> value{}, slope{}, half_curve{};
};
static_assert(sizeof(ScenarioRowsHead) == 72 && std::is_trivially_copyable_v<ScenarioRowsHead>);
static_assert(sizeof(ScenarioRow) == 840 && std::is_trivially_copyable_v<ScenarioRow>);
inline constexpr std::size_t scenario_block_max =
    sizeof(ScenarioRowsHead) + scenario_rows_max * sizeof(ScenarioRow);

// A view of a block's bytes; `sound` says whether they are one.
class ScenarioRows {
 public:
  explicit ScenarioRows(std::span<const std::byte> bytes) noexcept : bytes_{bytes} {
    if (bytes.size() >= sizeof head_) std::memcpy(&head_, bytes.data(), sizeof head_);
  }
  [[nodiscard]] const ScenarioRowsHead& head() const noexcept { return head_; }
  // A copy of a row; `Row` has `value`, `slope` and `half_curve` of `ScenarioTable::count` numbers
  // or more.
  template <class Row>
  void row(std::size_t n, Row& to) const noexcept {
    const std::byte* from = bytes_.data() + sizeof head_ + n * sizeof(ScenarioRow);
    constexpr std::size_t column = sizeof(ScenarioRow) / 3;
    std::memcpy(to.value.data(), from, column);
    std::memcpy(to.slope.data(), from + column, column);
    std::memcpy(to.half_curve.data(), from + 2 * column, column);
  }
  // Size, version, head, and that every number is one; which instruments the rows are of is the
  // reader's to check.
  [[nodiscard]] bool sound() const noexcept {
    if (bytes_.size() < sizeof head_ || head_.version != scenario_block_version) return false;
    if (head_.rows == 0 || head_.rows > scenario_rows_max || head_.inverse > 1) return false;
    if (bytes_.size() != sizeof head_ + head_.rows * sizeof(ScenarioRow)) return false;
    if (head_.underlying.value >= underlyings_max) return false;
    return head_.anchor > 0 && math::finite(head_.anchor) && finite();
  }

 private:
  // By the exponents: one of ones alone carries into the sign. A sum would do as well, one addition
  // after the other.
  [[nodiscard]] bool finite() const noexcept {
    constexpr std::uint64_t exponent = 0x7FF0'0000'0000'0000ULL;
    std::uint64_t carried = 0;
    for (std::size_t at = sizeof head_; at < bytes_.size(); at += sizeof(double)) {
      std::uint64_t bits = 0;
      std::memcpy(&bits, bytes_.data() + at, sizeof bits);
      carried |= (bits & exponent) + (std::uint64_t{1} << 52);
    }
    return carried >> 63 == 0;
  }

  std::span<const std::byte> bytes_;
  ScenarioRowsHead head_{};
};

}  // namespace gimbal
