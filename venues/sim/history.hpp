// Room venues/sim, pure. What the exchange remembers of the past for those who ask: candles of one
// minute from the trades, and what a perpetual has paid in funding. Bounded, oldest forgotten.
#pragma once

#include <cstddef>
#include <deque>
#include <vector>

#include "engine/core/time.hpp"
#include "engine/core/units.hpp"

namespace gimbal::sim {

struct Candle {
  ExchTime start{};
  Price open{};
  Price high{};
  Price low{};
  Price close{};
  double volume{0};  // coins
  double cost{0};    // USD
};

class CandleSeries {
 public:
  static constexpr std::size_t kept_max = 2 * 1440;

  // Times must not go back.
  void add(ExchTime time, Price price, double coins, double usd);
  // Candles of `width` (a whole number of minutes) whose start lies in [from, to], aligned to the
  // epoch. A candle without a trade repeats the close before it; none comes before the first trade.
  // At most `count_max`, the newest.
  [[nodiscard]] std::vector<Candle> collect(ExchTime from, ExchTime to, Nanos width,
                                            std::size_t count_max) const;

 private:
  std::deque<Candle> minutes_;
};

struct FundingHour {
  ExchTime end{};
  Price index{};
  Price previous_index{};
  double interest_8h{0};  // the rate as quoted, at the end of the hour
  double interest_1h{0};  // paid in the hour, fraction of the position
};

class FundingSeries {
 public:
  static constexpr std::size_t kept_max = 24 * 31;
  static constexpr std::size_t minutes_max = 24 * 60;

  // One step of the exchange: `paid` is the fraction that the step cost a long position.
  void add(ExchTime time, double paid, double rate_8h, Price index);
  // What a long position paid from `from` to `to`, as a fraction; to the minute.
  [[nodiscard]] double paid(ExchTime from, ExchTime to) const;
  [[nodiscard]] const std::deque<FundingHour>& hours() const noexcept { return hours_; }

 private:
  struct Minute {
    ExchTime end{};
    double total{0};  // since the start
  };
  std::deque<Minute> minutes_;
  std::deque<FundingHour> hours_;
  double total_{0};
  double hour_began_at_{0};
  Price hour_index_{};
  ExchTime last_{};
};

}  // namespace gimbal::sim
