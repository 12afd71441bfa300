// What the controls count over the trading day, as a plain picture: the cold side keeps it in the
// state directory, and the next boot gets it back as DayCarry events. Fixed size, copied as bytes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/core/ids.hpp"
#include "engine/core/time.hpp"
#include "engine/core/units.hpp"

namespace gimbal {

inline constexpr Nanos trading_day = seconds(86'400);
inline constexpr std::size_t day_owners_max = strategies_max + 1;  // the last: the account besides
inline constexpr std::size_t day_holdings_max = 512;

// What became of the figures that this boot was given.
enum class DayCarryState : std::uint8_t {
  none,     // given none
  waiting,  // counted; whether their day still runs is not known before the venue's clock is
  counted,  // of the day that runs
  ended,    // their day is over: they count no more
};

struct DayHolding {  // part of an instrument's position that an owner answers for
  InstrumentId instrument{};
  std::uint8_t owner{0};
  Qty amount{};  // signed
  Price mark{};
};

struct DayRatio {
  std::uint64_t changes{0};
  std::int64_t maker_nano{0};  // coins at 1e-9
};

struct DayFigures {
  // The day is known, and what the boot before held has been taken over. Before that an older
  // picture of the same day says more than this one.
  bool complete{false};
  DayCarryState carry{DayCarryState::none};
  bool held{false};  // the cash did not tie out: nothing rolls before that is acknowledged
  std::uint16_t holdings{0};
  std::uint16_t holdings_left_out{0};  // no room, or no mark yet
  ExchTime began{};                    // when the day that runs began; zero while not complete
  ExchTime booked_until{};             // the venue's time of the newest fill counted
  Money peak{};
  Money carried{};                             // what the boots before had, as far as it counts
  std::array<Money, day_owners_max> profit{};  // since the day began, boots before included
  std::array<std::array<DayRatio, 2>, underlyings_max> ratio{};
  std::array<DayHolding, day_holdings_max> holding{};
};

}  // namespace gimbal
