// The pipelined topology: feed thread -> ring -> core thread -> ring -> order thread -> ring ->
// core thread. The same sessions, sequencer and engine as the fused one (hot.hpp); only the arrows
// are rings. Hot. Room: ops/app (wiring).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "ops/app/hot.hpp"

namespace gimbal {

inline constexpr std::size_t market_ring_records = 131072;
inline constexpr std::size_t command_ring_slots = 4096;
static_assert(market_ring_records >= 4 * feed_batch_events,
              "one batch must not half-fill the ring");

// Feed thread. Over half full it stops reading the normal feeds: TCP holds the data.
class FeedStage {
 public:
  struct ToRing {
    EventRing* ring{nullptr};
    std::atomic<std::uint64_t>* overflows{nullptr};
    bool overflowed{false};
    void events(std::span<Event> batch) noexcept {
      for (std::size_t at = 0; at < batch.size();) {
        const std::size_t parts = batch[at].part_count();
        if (!ring->push_unit(&batch[at], parts)) {
          overflowed = true;
          overflows->fetch_add(1, std::memory_order_relaxed);
          return;
        }
        at += parts;
      }
    }
  };
  using Feed = FeedSession<BotVenue, ToRing>;

  FeedStage(Poller& poller, EventRing& ring, ResyncRing& resyncs, const TscClock& clock,
            TscProbe& probe)
      : poller_{poller},
        ring_{ring},
        resyncs_{resyncs},
        clock_{clock},
        probe_{probe},
        to_ring_{&ring, &overflows_} {}

  void add_feed(std::unique_ptr<Feed> feed) { feeds_.push_back(std::move(feed)); }
  [[nodiscard]] ToRing& sink() noexcept { return to_ring_; }
  [[nodiscard]] std::vector<std::unique_ptr<Feed>>& feeds() noexcept { return feeds_; }
  [[nodiscard]] std::uint64_t overflows() const noexcept {
    return overflows_.load(std::memory_order_relaxed);
  }

  std::size_t do_work() noexcept {
    InstrumentId id;
    while (resyncs_.pop_into(id)) {
      for (auto& feed : feeds_) feed->want_resync(id);
    }
    hold_back();
    std::size_t done = poller_.poll(clock_, *this);
    const RecvTime now = clock_.now();
    for (auto& feed : feeds_) {
      done += feed->session().adopt(poller_, now) ? 1 : 0;
      feed->session().upkeep(poller_, now);
    }
    if (to_ring_.overflowed) start_over();
    return done;
  }
  void on_received(std::uint16_t slot, std::span<const char> bytes, RecvTime at) noexcept {
    probe_.begin();
    feeds_[slot - hedge_slot]->session().received(poller_, bytes, at);
  }
  void on_lost(std::uint16_t slot, int error) noexcept {
    feeds_[slot - hedge_slot]->session().lost(poller_, error);
  }

 private:
  void hold_back() noexcept {
    const bool full = ring_.over_half();
    if (full == holding_) return;
    holding_ = full;
    for (auto& feed : feeds_) {
      const std::uint16_t slot = feed->session().slot();
      if (slot == hedge_slot || !feed->session().up()) continue;
      full ? poller_.pause(slot) : poller_.resume(slot);
    }
  }
  // Events were lost: every book of these connections is a guess. New connections, new snapshots.
  void start_over() noexcept {
    to_ring_.overflowed = false;
    for (auto& feed : feeds_) feed->session().link().close(1001, "overload");
  }

  Poller& poller_;
  EventRing& ring_;
  ResyncRing& resyncs_;
  const TscClock& clock_;
  TscProbe& probe_;
  std::atomic<std::uint64_t> overflows_{0};
  ToRing to_ring_;
  std::vector<std::unique_ptr<Feed>> feeds_;
  bool holding_{false};
};

// Order thread: commands from the core, bytes to and from the order session.
class OrderStage {
 public:
  using Orders = OrderSession<BotVenue>;
  OrderStage(Poller& poller, SpscRing<Command>& commands, const TscClock& clock, TscProbe& probe)
      : poller_{poller}, commands_{commands}, clock_{clock}, probe_{probe} {}
  void set_orders(std::unique_ptr<Orders> orders) { orders_ = std::move(orders); }
  [[nodiscard]] Orders& orders() noexcept { return *orders_; }

  std::size_t do_work() noexcept {
    std::size_t done = commands_.drain(
        [this](Command& c) {
          probe_.begin();
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
  Poller& poller_;
  SpscRing<Command>& commands_;
  const TscClock& clock_;
  TscProbe& probe_;
  std::unique_ptr<Orders> orders_;
};

// Core thread: everything from the rings, commands into rings.
class CoreStage {
 public:
  CoreStage(const HotParts& parts, EventRing& market, SpscRing<Command>& commands,
            ResyncRing& resyncs)
      : parts_{parts},
        commands_{commands},
        resyncs_{resyncs},
        core_{*parts.engine},
        router_{*this, *this, *parts.queries, *parts.closer, *parts.alerts},
        sequencer_{SequencerConfig{}, core_,           router_,     *parts.journal,
                   *parts.clock,      *parts.counters, parts.blocks} {
    sequencer_.set_priority(*parts.from_control);
    (void)sequencer_.add_input(*parts.from_orders);
    (void)sequencer_.add_input(market);
    (void)sequencer_.add_input(*parts.from_queries);
  }
  [[nodiscard]] auto& sequencer() noexcept { return sequencer_; }
  [[nodiscard]] std::uint64_t faults() const noexcept { return router_.faults(); }
  [[nodiscard]] std::uint64_t alerts_lost() const noexcept { return router_.alerts_lost(); }

  std::size_t do_work() noexcept {
    const std::size_t done = sequencer_.do_work();
    if (done == 0 && parts_.snapshot->wanted.load(std::memory_order_acquire)) {
      show(*parts_.snapshot, *parts_.engine, parts_.engine->strategies(), sequencer_, scratch_);
    }
    return done;
  }
  bool execute(Command&& c) noexcept { return commands_.push(std::move(c)); }
  void resync(InstrumentId id) noexcept { (void)resyncs_.push(id); }

 private:
  HotParts parts_;
  SpscRing<Command>& commands_;
  ResyncRing& resyncs_;
  StepCore core_;
  Router<CoreStage, CoreStage> router_;
  Sequencer<StepCore, Router<CoreStage, CoreStage>, JournalWriter> sequencer_;
  HotSnapshot scratch_{};
};

}  // namespace gimbal
