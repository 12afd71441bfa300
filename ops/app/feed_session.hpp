// A public session on the hot side: bytes in, events to the sink. Room: ops/app (wiring). Hot.
#pragma once

#include <cstdint>

#include "engine/core/command.hpp"
#include "engine/runtime/clock.hpp"
#include "engine/runtime/probe.hpp"
#include "feeds/decoder.hpp"
#include "ops/app/session.hpp"
#include "venues/registry.hpp"

namespace gimbal {

inline constexpr std::size_t feed_batch_events = 32768;   // a full snapshot fits twice
inline constexpr std::size_t resyncs_waiting_max = 64;

// `Events` has: void events(std::span<Event>) noexcept.
template <class Venue, class Events>
class FeedSession {
 public:
  using Feed = WithLogin<typename Venue::Feed, typename Venue::Login>;

  FeedSession(Feed feed, Events& events, TscProbe& probe, const TscClock& clock,
              std::uint16_t slot, Priority priority, const LinkConfig& link)
      : feed_{std::move(feed)}, events_{events}, probe_{probe}, clock_{clock},
        session_{*this, slot, priority, link} {}

  [[nodiscard]] Session<FeedSession>& session() noexcept { return session_; }
  [[nodiscard]] typename Venue::Feed& feed() noexcept { return feed_.feed(); }
  [[nodiscard]] const typename Venue::Feed& feed() const noexcept { return feed_.feed(); }

  // Called from inside a step, so it only notes the wish; the next text or timer carries it out.
  void want_resync(InstrumentId id) noexcept {
    if (resyncs_ < resyncs_waiting_max) resync_[resyncs_++] = id;
  }

  // --- Session's owner
  void opened(RecvTime now) noexcept {
    feed_.on_open(now, outbox_);
    session_.send(outbox_);
  }
  void text(const TextFrame& t) noexcept {
    probe_.mark(ProbeHop::decrypt);
    (void)feed_.on_frame(Frame{t.data, t.size, t.capacity}, t.at, batch_, outbox_);
    probe_.mark(ProbeHop::parse);
    deliver(t.at);
  }
  void ended(const LinkClosed&, RecvTime now) noexcept {
    feed_.on_close(now, batch_);
    deliver(now);
  }
  void timer(RecvTime now) noexcept {
    feed_.on_timer(now, outbox_, batch_);
    deliver(now);
  }

 private:
  void deliver(RecvTime now) noexcept {
    if (!batch_.committed().empty()) events_.events(batch_.committed());
    batch_.clear();
    if (resyncs_ > 0) run_resyncs(now);
    if (!outbox_.empty()) session_.send(outbox_);
  }
  void run_resyncs(RecvTime now) noexcept {
    const std::size_t count = resyncs_;
    resyncs_ = 0;
    for (std::size_t i = 0; i < count; ++i) {
      feed_.feed().resync(resync_[i], FeedReason::crossed, now, batch_, outbox_);
    }
    if (!batch_.committed().empty()) events_.events(batch_.committed());
    batch_.clear();
  }

  Feed feed_;
  Events& events_;
  TscProbe& probe_;
  const TscClock& clock_;
  EventBatch batch_{feed_batch_events};
  Outbox outbox_{1u << 20, 1024};
  std::array<InstrumentId, resyncs_waiting_max> resync_{};
  std::size_t resyncs_{0};
  Session<FeedSession> session_;
};

}  // namespace gimbal
