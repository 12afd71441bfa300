// Events that the command line asks for at a given time: an expiry listed, one settled early, a
// coarser tick, silence. What happens is real: books, orders, positions and cash change. Cold.
#pragma once

#include "engine/core/time.hpp"
#include "ops/sim/options.hpp"
#include "ops/sim/world.hpp"
#include "venues/sim/dialect_deribit.hpp"

namespace gimbal::sim {

class Schedule {
 public:
  // Times count from `dialect.now()`; all three must outlive the schedule.
  Schedule(const SimOptions& options, const World& world, DeribitDialect& dialect);

  // Runs what has become due. On the thread that moves the exchange.
  void on_time(ExchTime now);

 private:
  void list();
  void settle();
  void retick();

  const World& world_;
  DeribitDialect& dialect_;
  ExchTime list_at_{};  // zero: never, or done
  ExchTime settle_at_{};
  ExchTime retick_at_{};
  ExchTime silent_at_{};
};

}  // namespace gimbal::sim
