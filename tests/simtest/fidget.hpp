// A strategy without a purpose: places, moves and cancels small orders of every kind, so that all
// states of an order are visited. Deterministic; falls silent at a given time and takes its orders
// back. For most seeds it then leaves one to rest, which a stop has to cancel; half of the seeds
// ask while the venue is not ready too, which is the gate's to refuse.
#pragma once

#include "engine/core/strategy.hpp"
#include "engine/core/strategy_view.hpp"
#include "tests/simtest/random.hpp"

namespace gimbal::simtest {

class Fidget {
 public:
  Fidget(StrategyId id, InstrumentId instrument, std::uint64_t seed, RecvTime quiet_from) noexcept
      : id_{id}, instrument_{instrument}, quiet_from_{quiet_from}, random_{seed, 3} {
    leaves_ = random_.chance(0.7);
    hasty_ = random_.chance(0.5);
  }

  void wake(const StrategyView& view, Requests& requests) noexcept;

 private:
  static constexpr std::size_t orders_max = 3;
  static constexpr std::uint64_t left_intent = orders_max + 1;
  void touch(const Order& order, const StrategyView& view, Requests& requests) noexcept;
  void place(const StrategyView& view, Requests& requests) noexcept;
  void leave(const StrategyView& view, Requests& requests) noexcept;

  StrategyId id_;
  InstrumentId instrument_;
  RecvTime quiet_from_;
  Random random_;
  bool leaves_{false};
  bool hasty_{false};
};

}  // namespace gimbal::simtest
