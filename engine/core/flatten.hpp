// FLATTEN as the core keeps it: one job that closes positions under a CANCEL of its own scope.
// Specification: controls, section 4. A job, not a mode: it lends its own orders a way past that
// one CANCEL and past nothing else. Fixed size, no text; copied into EngineStatus.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/core/ids.hpp"
#include "engine/core/modes.hpp"
#include "engine/core/risk/refusal.hpp"
#include "engine/core/time.hpp"
#include "engine/core/units.hpp"

namespace gimbal {

// Owner of the orders that a person's job sends: no strategy of the registry has this number.
inline constexpr StrategyId operator_strategy{strategies_max - 1};

namespace flatten_flag {
inline constexpr std::uint8_t options = 1;     // close options too; otherwise futures only
inline constexpr std::uint8_t hedge_only = 2;  // bring the delta to zero with the hedges instead
}  // namespace flatten_flag

// Numbers are part of the trace format: append, never reorder.
enum class FlattenPhase : std::uint8_t {
  none,
  cancelling,  // until every order of the scope has ended or is UNKNOWN
  settling,    // until the venue's positions, asked for after that, are adopted
  closing,     // one immediate-or-cancel slice at a time
  verifying,   // until the venue's positions, asked for after the last slice, are adopted
  ended,
};

enum class FlattenEnd : std::uint8_t {
  none,
  flat,            // the venue shows nothing left of what was selected
  left_over,       // something selected cannot be closed now: each position says why
  unknown_orders,  // an order that nobody can prove ended holds the rest back
  max_loss,        // the next slice could cost more than allowed
  by_operator,
  scope_stopped,  // a covering scope was stopped by another cause, or this one more strictly
  gate_closed,    // the last gate refuses the job's orders
  no_picture,     // the venue's positions did not come
};

// Why a position of the scope is not closed.
enum class FlattenWhy : std::uint8_t {
  none,           // being closed, or closed
  not_selected,   // an option, and options were not asked for
  no_book,        // no valid book
  no_bid,         // the book holds nothing inside the collar
  below_minimum,  // less than the venue's smallest order
  paused,         // an input is not to be trusted
  scope_stopped,  // a narrower scope is HALT or stricter
  refused,        // by a control: `refusal`
  rejected,       // three times by the venue
  unknown_order,  // what is left may be closed already by an order in doubt
};

struct FlattenItem {
  InstrumentId instrument{};
  FlattenWhy why{FlattenWhy::none};
  Refusal refusal{Refusal::none};
  std::array<std::uint8_t, 4> reserved{};
  Qty amount{};  // signed, still held
};

inline constexpr std::size_t flatten_items_max = 64;

struct FlattenStatus {
  std::uint64_t command_id{0};
  Scope scope{};
  FlattenPhase phase{FlattenPhase::none};
  FlattenEnd end{FlattenEnd::none};
  std::uint8_t flags{0};
  std::uint32_t orders{0};  // slices sent
  std::uint32_t fills{0};
  std::uint32_t held{0};     // positions of the scope, selected or not
  std::uint32_t unknown{0};  // orders of the scope in doubt
  Money cost{};              // USD: fills against the mark at decision, fees; negative is a gain
  Money max_loss{};
  RecvTime started{};
  RecvTime ended{};
  RecvTime verified{};  // the venue's picture that the end relies on; zero: none
  std::uint32_t items_shown{0};
  std::uint32_t reserved{0};
  std::array<FlattenItem, flatten_items_max> item{};

  [[nodiscard]] bool running() const noexcept {
    return phase != FlattenPhase::none && phase != FlattenPhase::ended;
  }
};

// What the core keeps beside the figures it shows.
struct FlattenJob {
  FlattenStatus shown{};
  OrderId order{};           // the slice in flight
  Price mark{};              // of its instrument when it was decided
  RecvTime next{};           // no slice before
  RecvTime asked{};          // when the awaited picture was asked for
  RecvTime progress{};       // last fill, or start of the phase
  FlattenEnd pending{};      // what the verification will find, if it finds the same
  std::uint8_t reopened{0};  // verifications that found something left after all
  std::uint8_t gate_refusals{0};

  [[nodiscard]] bool running() const noexcept { return shown.running(); }
};

}  // namespace gimbal
