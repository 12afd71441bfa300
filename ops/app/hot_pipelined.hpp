// The pipelined topology: feed thread -> ring -> core thread -> ring -> order thread -> ring ->
// core thread. The same sessions, sequencer and engine as the fused one (hot.hpp); only the arrows
// are rings. Hot. Room: ops/app (wiring).
#pragma once

#include <cstdint>
#include <memory>

#include "ops/app/feed_stage.hpp"
#include "ops/app/hot.hpp"

namespace gimbal {

inline constexpr std::size_t command_ring_slots = 4096;
// Hops of the core thread on their way with an order; a full ring loses times, never an order.
using HopRing = SpscRing<HopRow>;
inline constexpr std::size_t hop_ring_slots = 1024;

// The order that a command sends; 0 for what is no new or changed order.
inline std::uint64_t order_tag(const Command& c) noexcept {
  if (c.kind() == CommandKind::place) return c.place()->order.value;
  if (c.kind() == CommandKind::replace) return c.replace()->order.value;
  return 0;
}

// Order thread: commands from the core, bytes to and from the order session.
class OrderStage {
 public:
  using Orders = OrderSession<BotVenue>;
  OrderStage(Poller& poller, SpscRing<Command>& commands, HopRing& hop_ring, const TscClock& clock,
             TscProbe& probe)
      : poller_{poller}, commands_{commands}, hops_{hop_ring}, clock_{clock}, probe_{probe} {}
  void set_orders(std::unique_ptr<Orders> orders) { orders_ = std::move(orders); }
  [[nodiscard]] Orders& orders() noexcept { return *orders_; }

  std::size_t do_work() noexcept {
    std::size_t done = commands_.drain(
        [this](Command& c) {
          probe_.begin();
          follow(c);
          orders_->execute(c);
        },
        64);
    done += poller_.poll(clock_, *this);
    const RecvTime now = clock_.now();
    done += orders_->session().adopt(poller_, now) ? 1 : 0;
    orders_->session().upkeep(poller_, now);
    return done;
  }
  void on_received(std::uint16_t, std::span<const char> bytes, RecvTime at) noexcept {
    orders_->session().received(poller_, bytes, at);
  }
  void on_lost(std::uint16_t, int error) noexcept { orders_->session().lost(poller_, error); }

 private:
  // Takes over the hops that the core thread noted for this order.
  void follow(const Command& c) noexcept {
    const std::uint64_t tag = order_tag(c);
    if (tag == 0) return;
    while (const HopRow* row = hops_.peek()) {
      const bool mine = row->tag == tag;
      if (mine) probe_.go_on(*row);
      hops_.pop();
      if (mine) return;
    }
  }

  Poller& poller_;
  SpscRing<Command>& commands_;
  HopRing& hops_;
  const TscClock& clock_;
  TscProbe& probe_;
  std::unique_ptr<Orders> orders_;
};

// Core thread: everything from the rings, commands into rings.
class CoreStage {
 public:
  CoreStage(const HotParts& parts, EventRing& market, SpscRing<Command>& commands,
            HopRing& hop_ring, const FeedHops& feed_hops, ResyncRing& resyncs)
      : parts_{parts},
        commands_{commands},
        hops_{hop_ring},
        feed_hops_{feed_hops},
        resyncs_{resyncs},
        core_{*parts.engine, {}},
        router_{*this, *this, *parts.queries, *parts.closer, *parts.alerts},
        sequencer_{SequencerConfig{}, core_,           router_,     *parts.journal,
                   *parts.clock,      *parts.counters, parts.blocks} {
    sequencer_.set_priority(*parts.from_control);
    (void)sequencer_.add_input(*parts.from_orders);
    (void)sequencer_.add_input(market);
    (void)sequencer_.add_input(*parts.from_queries);
    if (parts.from_surface != nullptr) (void)sequencer_.add_input(*parts.from_surface);
    if (parts.from_scenarios != nullptr) (void)sequencer_.add_input(*parts.from_scenarios);
  }
  [[nodiscard]] auto& sequencer() noexcept { return sequencer_; }
  [[nodiscard]] std::uint64_t faults() const noexcept { return router_.faults(); }
  [[nodiscard]] std::uint64_t alerts_lost() const noexcept { return router_.alerts_lost(); }
  [[nodiscard]] std::uint64_t halts() const noexcept { return router_.halts(); }

  std::size_t do_work() noexcept {
    const std::size_t done = sequencer_.do_work();
    if (done == 0 && parts_.snapshot->wanted.load(std::memory_order_acquire)) {
      show(*parts_.snapshot, *parts_.engine, parts_.engine->strategies(), sequencer_, scratch_);
    }
    return done;
  }
  bool execute(Command&& c) noexcept {
    if (const std::uint64_t tag = order_tag(c); tag != 0) {
      HopRow row = parts_.probe->row();
      row.tag = tag;
      row.tsc[static_cast<std::size_t>(ProbeHop::receive)] = tsc_at(core_.last_recv);
      add_feed_hops(row);
      (void)hops_.push(row);
    }
    return commands_.push(std::move(c));
  }
  void resync(InstrumentId id) noexcept { (void)resyncs_.push(id); }

 private:
  void add_feed_hops(HopRow& row) const noexcept {
    const auto times = feed_hops_.of(core_.last_recv);
    // Of a later frame of the same read, when it is behind the step.
    if (!times || times->parse > row.tsc[static_cast<std::size_t>(ProbeHop::step)]) return;
    row.tsc[static_cast<std::size_t>(ProbeHop::decrypt)] = times->decrypt;
    row.tsc[static_cast<std::size_t>(ProbeHop::parse)] = times->parse;
  }
  // The feed thread stamped the event in nanoseconds.
  [[nodiscard]] std::uint64_t tsc_at(RecvTime recv) const noexcept {
    const auto age = static_cast<double>((parts_.clock->now() - recv).count);
    return read_tsc() - static_cast<std::uint64_t>(age > 0 ? age * parts_.clock->tsc_ghz() : 0.0);
  }

  HotParts parts_;
  SpscRing<Command>& commands_;
  HopRing& hops_;
  const FeedHops& feed_hops_;
  ResyncRing& resyncs_;
  StepCore core_;
  Router<CoreStage, CoreStage> router_;
  Sequencer<StepCore, Router<CoreStage, CoreStage>, JournalWriter> sequencer_;
  HotSnapshot scratch_{};
};

}  // namespace gimbal
