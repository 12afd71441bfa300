// A runner is one thread's loop over stages: the control stage first in every cycle, then the
// others in order, then the idle strategy. A stage is anything with `std::size_t do_work()
// noexcept` that bounds its own drains. Hot: no allocation, no lock; one rdtsc per cycle for the
// stall counter.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "engine/core/time.hpp"
#include "engine/runtime/counters.hpp"
#include "engine/runtime/idle.hpp"
#include "engine/runtime/tsc.hpp"

namespace gimbal {

struct RunnerConfig {
  IdleConfig idle{};
  Nanos stall_threshold{microseconds(100)};  // a longer cycle counts as a stall
  double tsc_ghz{1.0};                       // from TscClock::tsc_ghz()
};

class Runner {
 public:
  // `counters` gets "cycles", "busy_cycles", "stalls" and "cycle_max_ns".
  Runner(const RunnerConfig& config, Counters& counters)
      : idle_{config.idle},
        ghz_{config.tsc_ghz > 0 ? config.tsc_ghz : 1.0},
        stall_ticks_{
            static_cast<std::uint64_t>(static_cast<double>(config.stall_threshold.count) * ghz_)},
        cycles_{counters.add("cycles")},
        busy_{counters.add("busy_cycles")},
        stalls_{counters.add("stalls")},
        longest_{counters.add("cycle_max_ns")} {}

  // Runs until `stop` is true. The first stage is the control stage. After `stop` one more full
  // cycle drains what was already queued.
  template <class Control, class... Stages>
  void run(const std::atomic<bool>& stop, Control& control, Stages&... stages) noexcept {
    while (!stop.load(std::memory_order_acquire)) cycle(control, stages...);
    cycle(control, stages...);
  }
  // One cycle, for tests and for fused loops that live elsewhere. Gives the work done.
  template <class Control, class... Stages>
  std::size_t cycle(Control& control, Stages&... stages) noexcept {
    const std::uint64_t begin = read_tsc();
    std::size_t work = control.do_work();
    ((work += stages.do_work()), ...);
    note(read_tsc() - begin, work);
    idle_.after(work);
    return work;
  }

 private:
  void note(std::uint64_t ticks, std::size_t work) noexcept {
    cycles_.add();
    if (work != 0) busy_.add();
    if (ticks <= stall_ticks_) return;
    stalls_.add();
    longest_.raise_to(static_cast<std::uint64_t>(static_cast<double>(ticks) / ghz_));
  }

  Idle idle_;
  double ghz_;
  std::uint64_t stall_ticks_;
  Counter& cycles_;
  Counter& busy_;
  Counter& stalls_;
  Counter& longest_;
};

}  // namespace gimbal
