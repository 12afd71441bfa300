// The feed thread of the pipelined topology (hot_pipelined.hpp): sockets in, the market ring out.
// Hot. Room: ops/app (wiring).
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "ops/app/feed_hops.hpp"
#include "ops/app/hot.hpp"
#include "ops/app/ticker_hold.hpp"

namespace gimbal {

inline constexpr std::size_t market_ring_records = 131072;
static_assert(market_ring_records >= 4 * feed_batch_events,
              "one batch must not half-fill the ring");
static_assert(market_ring_records / 2 > std::numeric_limits<decltype(InstrumentId::value)>::max(),
              "half of the ring takes the word for every book that it is a guess");

// Feed thread. Over half full it stops reading the normal feeds, TCP holds the data, and of the
// tickers that came all the same only the newest of each instrument waits (TickerHold). The hedge
// feed goes on.
class FeedStage {
 public:
  // Of all feeds together: from the first unit that found no room until the word for every book.
  // What comes meanwhile lies behind a hole and is lost as well; so the ring empties.
  struct Loss {
    std::atomic<std::uint64_t> batches{0};
    bool open{false};
  };
  struct ToRing {
    EventRing* ring{nullptr};
    Loss* loss{nullptr};
    TickerHold* hold{nullptr};   // null: every ticker goes at once
    SessionTape* tape{nullptr};  // of the feed
    const TscProbe* probe{nullptr};
    FeedHops* hops{nullptr};
    bool holding{false};
    bool lost{false};  // since the last start over
    void events(std::span<Event> batch) noexcept {
      if (loss->open) return lose(batch);
      note_hops(batch);
      if (hold != nullptr && kept(batch)) return;
      for (std::size_t at = 0; at < batch.size();) {
        const std::size_t parts = batch[at].part_count();
        if (hold != nullptr && batch[at].kind() == EventKind::feed_status) {
          hold->drop(batch[at].instrument);
        }
        if (!ring->push_unit(&batch[at], parts)) return lose(batch);
        at += parts;
      }
    }
    void release() noexcept {
      if (hold == nullptr || hold->empty()) return;
      hold->release([this](const Event* unit) { return ring->push_unit(unit, TickerHold::parts); });
    }

   private:
    void note_hops(std::span<Event> batch) noexcept {
      if (probe == nullptr || hops == nullptr || batch.empty()) return;
      const HopRow& row = probe->row();
      const std::uint64_t parse = row.tsc[static_cast<std::size_t>(ProbeHop::parse)];
      if (parse == 0) return;  // of a timer, or of a session's end
      const std::uint64_t decrypt = row.tsc[static_cast<std::size_t>(ProbeHop::decrypt)];
      hops->note(batch.front().recv, {decrypt, parse});
    }
    void lose(std::span<Event> batch) noexcept {
      if (!lost && tape != nullptr) {
        tape->put(FrameKind::conflated, batch.front().recv, {},
                  static_cast<std::uint32_t>(ConflatedBy::market_ring));
      }
      lost = loss->open = true;
      loss->batches.fetch_add(1, std::memory_order_relaxed);
    }
    // Behind older ones that still wait, a ticker waits too.
    bool kept(std::span<Event> batch) noexcept {
      if (!holding && hold->empty()) return false;
      if (!TickerHold::suits(batch.data(), batch.size())) return false;
      // What is replaced is missing for a replay of the frames: it ends here.
      if (hold->empty() && tape != nullptr) tape->put(FrameKind::conflated, batch.front().recv);
      return hold->keep(batch.data());
    }
  };
  using Feed = FeedSession<BotVenue, ToRing>;

  // `instruments`: how many the table can hold.
  FeedStage(Poller& poller, EventRing& ring, ResyncRing& resyncs, const TscClock& clock,
            TscProbe& probe, FeedHops& feed_hops, std::size_t instruments)
      : poller_{poller},
        ring_{ring},
        resyncs_{resyncs},
        clock_{clock},
        probe_{probe},
        hold_{instruments},
        hedge_to_ring_{&ring, &loss_},
        rest_to_ring_{&ring, &loss_, &hold_} {
    for (ToRing* to : {&hedge_to_ring_, &rest_to_ring_}) {
      to->probe = &probe;
      to->hops = &feed_hops;
    }
  }

  void add_feed(std::unique_ptr<Feed> feed) {
    sink(feed->session().slot()).tape = &feed->session().tape();
    feeds_.push_back(std::move(feed));
  }
  [[nodiscard]] ToRing& sink(std::uint16_t slot) noexcept {
    return slot == hedge_slot ? hedge_to_ring_ : rest_to_ring_;
  }
  // Any thread: tickers that a newer one replaced before they reached the core.
  [[nodiscard]] std::uint64_t tickers_replaced() const noexcept { return hold_.replaced(); }
  [[nodiscard]] std::vector<std::unique_ptr<Feed>>& feeds() noexcept { return feeds_; }
  [[nodiscard]] std::uint64_t overflows() const noexcept {
    return loss_.batches.load(std::memory_order_relaxed);
  }

  std::size_t do_work() noexcept {
    InstrumentId id;
    while (resyncs_.pop_into(id)) {
      for (auto& feed : feeds_) feed->want_resync(id);
    }
    hold_back();
    std::size_t done = poller_.poll(clock_, *this);
    const RecvTime now = clock_.now();
    probe_.begin();  // what timers cause is not a tick's way
    if (loss_.open && !ring_.over_half()) start_over(now);
    for (auto& feed : feeds_) {
      done += feed->session().adopt(poller_, now) ? 1 : 0;
      feed->session().upkeep(poller_, now);
    }
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
    if (!full) rest_to_ring_.release();
    if (full == rest_to_ring_.holding) return;
    rest_to_ring_.holding = full;
    for (auto& feed : feeds_) {
      const std::uint16_t slot = feed->session().slot();
      if (slot == hedge_slot || !feed->session().up()) continue;
      full ? poller_.pause(slot) : poller_.resume(slot);
    }
  }
  // Events were lost: every book of these connections is a guess. New connections, new snapshots.
  // The core hears it right behind the last event before the hole, however long that waits in the
  // ring: the upkeep of this cycle ends the sessions. One that ended by itself meanwhile said so to
  // a full ring.
  void start_over(RecvTime now) noexcept {
    loss_.open = hedge_to_ring_.lost = rest_to_ring_.lost = false;
    for (auto& feed : feeds_) {
      if (feed->session().up()) {
        feed->session().leave(1001, "overload");
      } else {
        feed->ended({}, now);
      }
    }
  }

  Poller& poller_;
  EventRing& ring_;
  ResyncRing& resyncs_;
  const TscClock& clock_;
  TscProbe& probe_;
  Loss loss_;
  TickerHold hold_;
  ToRing hedge_to_ring_;
  ToRing rest_to_ring_;
  std::vector<std::unique_ptr<Feed>> feeds_;
};

}  // namespace gimbal
