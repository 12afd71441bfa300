// Engine::step: one event in, at most 16 commands out.
//
// Hot. Deterministic: the answer depends on the events alone, in their order. No clock, no heap, no
// lock, no text after construction. A strategy is woken at the end of a packet, sees const state
// and asks; snap, gate and order table turn its requests into commands.
#pragma once

#include <tuple>
#include <utility>

#include "engine/core/assert.hpp"
#include "engine/core/engine_core.hpp"
#include "engine/core/probe.hpp"
#include "engine/core/strategy.hpp"
#include "engine/core/strategy_view.hpp"

namespace gimbal {

// A strategy: `wake` looks and asks; it never waits, allocates or keeps a reference.
template <class S>
concept Strategy = requires(S strategy, const StrategyView& view, Requests& requests) {
  { strategy.wake(view, requests) }
  noexcept;
};

// A strategy with `behind_orders = true` is woken once the commands of those before it may have
// left: nothing waits for what it computes. Such strategies stand last.
template <class S>
constexpr bool behind_orders() noexcept {
  if constexpr (requires { S::behind_orders; }) return S::behind_orders;
  return false;
}

template <class... S>
constexpr bool behind_stand_last(const std::tuple<S...>*) noexcept {
  bool seen = false;
  bool last = true;
  ((last = last && (!seen || behind_orders<S>()), seen = seen || behind_orders<S>()), ...);
  return last;
}

// `Strategies` is a std::tuple of Strategy types (strategies/registry.hpp); they are woken in
// order.
template <class Probe, class Strategies>
class Engine {
 public:
  // Copies the instruments: ids stay what they are in `table`.
  Engine(const EngineSetup& setup, const InstrumentTable& table, Strategies strategies = {},
         Probe probe = {})
      : core_{setup, table}, strategies_{std::move(strategies)}, probe_{std::move(probe)} {}

  // Events come in sequence without a hole; anything else is a broken sequencer and aborts.
  // `out` is cleared first.
  void step(const Event& event, Commands& out) noexcept {
    begin(event, out);
    rest(out);
  }
  // The same in two parts, always both: what is in `out` after the first is final and may leave
  // before the second, which adds to it. All commands, their order and the limit of 16 are those of
  // `step`. `out` keeps its size between the two.
  void begin(const Event& event, Commands& out) noexcept {
    probe_.mark(Hop::step_begin);
    GIMBAL_ASSERT(core_.in_sequence(event.seq()));
    out.clear();
    wake_ = core_.apply(event, out);
    probe_.mark(Hop::state_updated);
    wake<false>(out);
    probe_.mark(Hop::strategy_done);
    probe_.mark(Hop::step_end);
  }
  void rest(Commands& out) noexcept {
    const std::size_t before = out.size();
    wake<true>(out);
    const bool asked = out.size() != before;
    if (asked) probe_.mark(Hop::strategy_done);
    core_.finish(out);
    if (asked) probe_.mark(Hop::step_end);
  }

  [[nodiscard]] EngineStatus snapshot() const noexcept { return core_.snapshot(); }
  [[nodiscard]] const EngineCore& core() const noexcept { return core_; }
  [[nodiscard]] const OperatorAnswer& last_operator() const noexcept {
    return core_.last_operator();
  }
  [[nodiscard]] Strategies& strategies() noexcept { return strategies_; }
  [[nodiscard]] Probe& probe() noexcept { return probe_; }

 private:
  static_assert(behind_stand_last(static_cast<const Strategies*>(nullptr)),
                "a strategy behind the orders stands before one that is not");

  template <bool Behind>
  void wake(Commands& out) noexcept {
    if (!wake_) return;
    std::apply([&](auto&... strategy) { (wake_one<Behind>(strategy, out), ...); }, strategies_);
  }
  template <bool Behind, Strategy S>
  void wake_one(S& strategy, Commands& out) noexcept {
    if constexpr (Behind != behind_orders<S>()) return;
    requests_.clear();
    strategy.wake(core_.view(), requests_);
    if (!requests_.empty()) core_.submit(requests_, out);
  }

  EngineCore core_;
  Strategies strategies_;
  Probe probe_;
  Requests requests_{};
  bool wake_{false};  // of the present step
};

}  // namespace gimbal
