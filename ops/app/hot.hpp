// The one place that knows the threads. Stages, and the two ways to put them together:
//
//   fused      one pinned thread: poll -> decode -> sequence -> step -> gate -> encode -> send
//   pipelined  feed thread -> ring -> core thread -> ring -> order thread -> ring -> core thread
//
// Both use the same sessions, sequencer and engine; only the arrows differ (Direct or ring).
// Hot. After start: no allocation, no lock, no system call but the poller's and the links'.
// Room: ops/app (wiring).
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/core/engine.hpp"
#include "engine/runtime/gate_page.hpp"
#include "engine/runtime/journal.hpp"
#include "engine/runtime/probe.hpp"
#include "engine/runtime/seqlock.hpp"
#include "engine/runtime/sequencer.hpp"
#include "engine/wire/poller.hpp"
#include "ops/app/feed_session.hpp"
#include "ops/app/order_session.hpp"
#include "ops/app/router.hpp"
#include "ops/app/session_setup.hpp"
#include "strategies/registry.hpp"

namespace gimbal {

using BotVenue = DeribitVenue;
inline constexpr std::size_t feeds_max = 6;
inline constexpr std::size_t margins_shown_max = 8;

// The engine's probe is copied; the record it writes into is not.
struct ProbeRef {
  TscProbe* probe{nullptr};
  void mark(Hop hop) noexcept { probe->mark(hop); }
};
using BotEngine = Engine<ProbeRef, StrategySet>;

// Data of an underlying's hedge instrument, as of the snapshot.
struct HedgeData {
  bool valid{false};
  RecvTime at{};  // zero: none yet
};

// What the core thread shows the cold one, on request.
struct HotSnapshot {
  EngineStatus engine{};
  std::array<MarginReport, margins_shown_max> margin{};
  std::array<HedgeState, underlyings_max> hedge{};
  std::array<LiquidationState, Liquidation::accounts_max> ladder{};
  std::uint64_t digest{0};
  std::uint64_t digest_commands{0};
  std::uint32_t books_valid{0};
  std::uint32_t books_invalid{0};
  Nanos newest_data_age{-1};  // over all instruments; -1: none yet
  std::array<HedgeData, underlyings_max> hedge_data{};
};
static_assert(std::is_trivially_copyable_v<HotSnapshot>);

struct SnapshotPort {
  std::atomic<bool> wanted{false};
  Seqlock<HotSnapshot> box{};
  std::array<Currency, margins_shown_max> currencies{};
  std::array<InstrumentId, underlyings_max> hedges{};
  VenueId venue{};
};

// The sequencer's view of the engine.
struct StepCore {
  BotEngine& engine;
  RecvTime last_recv{};  // of the event that is being stepped
  void step(const Event& event, Commands& out) noexcept {
    last_recv = event.recv;
    engine.begin(event, out);
  }
  void rest(Commands& out) noexcept { engine.rest(out); }
};

inline void count_books(const EngineCore& core, HotSnapshot& out) noexcept {
  out.books_valid = out.books_invalid = 0;
  out.newest_data_age = Nanos{-1};
  for (std::size_t i = 0; i < core.instruments().size(); ++i) {
    const InstrumentId id{static_cast<std::uint16_t>(i)};
    const FlatOrderBook* book = core.book(id);
    if (book == nullptr || core.instruments()[id].state == InstrumentState::settled) continue;
    ++(book->view().has_value() ? out.books_valid : out.books_invalid);
    const Nanos age = core.view().data_age(id);
    if (out.newest_data_age.count < 0 || age < out.newest_data_age) out.newest_data_age = age;
  }
}

// Times and not ages: a core that is given no events does not get older by itself.
inline void look_at_hedges(const EngineCore& core, const SnapshotPort& port,
                           HotSnapshot& out) noexcept {
  for (std::size_t u = 0; u < underlyings_max; ++u) {
    const InstrumentId id = port.hedges[u];
    out.hedge_data[u] = HedgeData{};
    const FlatOrderBook* book = id.valid() ? core.book(id) : nullptr;
    if (book == nullptr) continue;
    const RecvTime at = core.now() - core.view().data_age(id);
    out.hedge_data[u] = HedgeData{book->view().has_value(), at.mono_ns > 0 ? at : RecvTime{}};
  }
}

// Publishes a snapshot when one is wanted and the thread has nothing better to do.
template <class Sequencer>
void show(SnapshotPort& port, const BotEngine& engine, const StrategySet& strategies,
          const Sequencer& sequencer, HotSnapshot& scratch) noexcept {
  scratch.engine = engine.snapshot();
  for (std::size_t i = 0; i < margins_shown_max; ++i) {
    const MarginReport* m = engine.core().margin(port.venue, port.currencies[i]);
    scratch.margin[i] = m != nullptr ? *m : MarginReport{};
  }
  const DeltaHedge& hedge = std::get<DeltaHedge>(strategies);
  for (std::size_t u = 0; u < underlyings_max; ++u) {
    scratch.hedge[u] = hedge.state(UnderlyingId{static_cast<std::uint8_t>(u)});
  }
  const Liquidation& liquidation = std::get<Liquidation>(strategies);
  for (std::size_t n = 0; n < scratch.ladder.size(); ++n) scratch.ladder[n] = liquidation.state(n);
  count_books(engine.core(), scratch);
  look_at_hedges(engine.core(), port, scratch);
  scratch.digest = sequencer.digest().value();
  scratch.digest_commands = sequencer.digest().count();
  port.box.store(scratch);
  port.wanted.store(false, std::memory_order_release);
}

// Everything built before the threads start; shared by both topologies.
struct HotParts {
  const TscClock* clock{nullptr};
  BotEngine* engine{nullptr};
  JournalWriter* journal{nullptr};
  SideBlockPool* blocks{nullptr};
  GateCloser* closer{nullptr};
  QueryRing* queries{nullptr};
  EventRing* from_queries{nullptr};  // input of the sequencer
  EventRing* from_control{nullptr};  // its priority input
  EventRing* from_orders{nullptr};   // input of the sequencer
  SnapshotPort* snapshot{nullptr};
  TscProbe* probe{nullptr};
  Counters* counters{nullptr};
  AlertRing* alerts{nullptr};          // trips for the cold side
  EventRing* from_surface{nullptr};    // input of the sequencer; null: no surface
  EventRing* from_scenarios{nullptr};  // input of the sequencer; null: no scenarios
};

// ---------------------------------------------------------------------------------------- fused
class FusedHot {
 public:
  struct Direct {
    FusedHot* self{nullptr};
    void events(std::span<Event> batch) noexcept {
      self->sequencer_.submit(batch.data(), batch.size());
    }
  };
  using Orders = OrderSession<BotVenue>;
  using Feed = FeedSession<BotVenue, Direct>;

  FusedHot(const HotParts& parts, Poller& poller)
      : parts_{parts},
        poller_{poller},
        direct_{this},
        core_{*parts.engine, {}},
        router_{*this, *this, *parts.queries, *parts.closer, *parts.alerts},
        sequencer_{SequencerConfig{}, core_,           router_,     *parts.journal,
                   *parts.clock,      *parts.counters, parts.blocks} {
    sequencer_.set_priority(*parts.from_control);
    (void)sequencer_.add_input(*parts.from_orders);
    (void)sequencer_.add_input(*parts.from_queries);
    if (parts.from_surface != nullptr) (void)sequencer_.add_input(*parts.from_surface);
    if (parts.from_scenarios != nullptr) (void)sequencer_.add_input(*parts.from_scenarios);
  }

  // Cold, before the first work.
  void set_orders(std::unique_ptr<Orders> orders) { orders_ = std::move(orders); }
  void add_feed(std::unique_ptr<Feed> feed) { feeds_.push_back(std::move(feed)); }
  [[nodiscard]] Direct& direct() noexcept { return direct_; }
  [[nodiscard]] Orders& orders() noexcept { return *orders_; }
  [[nodiscard]] std::vector<std::unique_ptr<Feed>>& feeds() noexcept { return feeds_; }
  [[nodiscard]] auto& sequencer() noexcept { return sequencer_; }
  [[nodiscard]] std::uint64_t faults() const noexcept { return router_.faults(); }
  [[nodiscard]] std::uint64_t alerts_lost() const noexcept { return router_.alerts_lost(); }
  [[nodiscard]] std::uint64_t halts() const noexcept { return router_.halts(); }

  std::size_t do_work() noexcept {
    parts_.probe->begin();  // what timers and operators cause is not a tick's way
    std::size_t done = sequencer_.do_work();
    done += poller_.poll(*parts_.clock, *this);
    const RecvTime now = parts_.clock->now();
    done += look_after(turn_, now);
    if (turn_ != 0 && orders_->session().pressing()) orders_->session().upkeep(poller_, now);
    turn_ = turn_ < feeds_.size() ? turn_ + 1 : 0;
    if (done == 0 && parts_.snapshot->wanted.load(std::memory_order_acquire)) {
      show(*parts_.snapshot, *parts_.engine, parts_.engine->strategies(), sequencer_, scratch_);
    }
    return done;
  }

  // Between two empty cycles, where rehearsals keep the rest warm: one underlying's next hedge.
  void look_over() noexcept {
    for (std::size_t n = 0; n < underlyings_max; ++n) {
      looked_at_ = looked_at_ + 1 < underlyings_max ? looked_at_ + 1 : 0;
      const InstrumentId hedge = parts_.snapshot->hedges[looked_at_];
      if (!hedge.valid()) continue;
      const UnderlyingId u{static_cast<std::uint8_t>(looked_at_)};
      const DeltaHedge& strategy = std::get<DeltaHedge>(parts_.engine->strategies());
      strategy.look_over();
      const OrderId next = parts_.engine->core().look_over(u, strategy.id());
      parts_.journal->look_over();
      return orders_->look_over(next, hedge);
    }
  }

  // --- the poller's sink
  void on_received(std::uint16_t slot, std::span<const char> bytes, RecvTime at) noexcept {
    parts_.probe->begin();
    parts_.probe->mark(ProbeHop::receive);
    if (slot == order_slot) return orders_->session().received(poller_, bytes, at);
    feeds_[slot - hedge_slot]->session().received(poller_, bytes, at);
  }
  void on_lost(std::uint16_t slot, int error) noexcept {
    if (slot == order_slot) return orders_->session().lost(poller_, error);
    feeds_[slot - hedge_slot]->session().lost(poller_, error);
  }
  // --- the router's desk and resyncs
  bool execute(Command&& c) noexcept {
    orders_->execute(c);
    return true;
  }
  void resync(InstrumentId id) noexcept {
    for (auto& feed : feeds_) feed->want_resync(id);
  }

 private:
  // One session a cycle: its connection and its timers can wait for a few microseconds, a tick that
  // arrives in this cycle cannot. Orders that the socket did not take yet cannot either.
  std::size_t look_after(std::size_t turn, RecvTime now) noexcept {
    return turn == 0 ? look_after(orders_->session(), now)
                     : look_after(feeds_[turn - 1]->session(), now);
  }
  template <class AnySession>
  std::size_t look_after(AnySession& session, RecvTime now) noexcept {
    const std::size_t adopted = session.adopt(poller_, now) ? 1 : 0;
    session.upkeep(poller_, now);
    return adopted;
  }

  HotParts parts_;
  Poller& poller_;
  Direct direct_;
  StepCore core_;
  Router<FusedHot, FusedHot> router_;
  Sequencer<StepCore, Router<FusedHot, FusedHot>, JournalWriter> sequencer_;
  std::unique_ptr<Orders> orders_;
  std::vector<std::unique_ptr<Feed>> feeds_;
  std::size_t turn_{0};       // 0: the order session, n: feed n - 1
  std::size_t looked_at_{0};  // an underlying
  HotSnapshot scratch_{};
};

}  // namespace gimbal
