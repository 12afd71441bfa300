// One venue connection on the hot side: the link, its slot in the poller, and the hand-over with
// the cold connector. FeedSession and OrderSession put a feed or a gateway behind it.
//
// Hot. The only system calls are the poller's and the link's. A dead connection goes back to the
// cold side to be destroyed there; a new one is adopted when the connector has put it.
// Room: ops/app (wiring).
#pragma once

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "engine/runtime/clock.hpp"
#include "engine/runtime/probe.hpp"
#include "engine/wire/connector.hpp"
#include "engine/wire/link.hpp"
#include "engine/wire/poller.hpp"
#include "feeds/frame.hpp"
#include "ops/app/session_tape.hpp"

namespace gimbal {

// What the connector sees of a session, and what it hands over. One per session; two threads.
struct SessionPort {
  Handover to_hot;                          // established connections
  Handover to_cold;                         // finished ones, to be destroyed
  std::atomic<bool> wanted{true};           // false while a connection is up or on its way
  std::atomic<std::uint64_t> connected{0};  // connections adopted
  std::atomic<std::uint64_t> lost{0};
  std::atomic<std::uint64_t> frames{0};
};

inline constexpr std::size_t session_slots = 8;
// How long a session that said good-bye waits for the peer's. Whatever else the peer sends does not
// renew it: a half-dead front end goes on with its heartbeats for ever.
inline constexpr Nanos close_wait_max = milliseconds(250);

// `Owner` has: void opened(RecvTime), void text(const TextFrame&), void ended(const LinkClosed&,
// RecvTime), void timer(RecvTime). It may have void before_timer(RecvTime): what it puts on the
// tape comes before the timer's own record.
template <class Owner>
class Session {
 public:
  Session(Owner& owner, std::uint16_t slot, Priority priority, const LinkConfig& config)
      : owner_{owner}, slot_{slot}, priority_{priority}, link_{config} {}

  // A connection without a single frame for this long is given up: the venue's heartbeat is due
  // more often, so the socket is half open or the venue is gone. Zero: never.
  void set_silence_max(Nanos limit) noexcept { silence_max_ = limit; }

  [[nodiscard]] SessionTape& tape() noexcept { return tape_; }
  [[nodiscard]] SessionPort& port() noexcept { return port_; }
  [[nodiscard]] const SessionPort& port() const noexcept { return port_; }
  [[nodiscard]] Link& link() noexcept { return link_; }
  [[nodiscard]] std::uint16_t slot() const noexcept { return slot_; }
  [[nodiscard]] bool up() const noexcept { return added_; }

  // Takes over a new connection, if the connector has put one.
  bool adopt(Poller& poller, RecvTime now) noexcept {
    if (added_ || owes()) return false;
    std::unique_ptr<Established> connection = port_.to_hot.take();
    if (connection == nullptr) return false;
    if (!poller.add(connection->fd, slot_, priority_)) {
      (void)port_.to_cold.put(connection);
      port_.wanted.store(true, std::memory_order_release);
      return true;
    }
    added_ = true;
    port_.connected.fetch_add(1, std::memory_order_relaxed);
    // The login frames go out before anything that came along with the upgrade is looked at.
    adopted_at_ = now;
    heard_at_ = now;
    closing_ = false;
    tape_.put(FrameKind::opened, now);
    link_.adopt(std::move(connection), now, *this);
    owner_.opened(now);
    settle(poller);
    return true;
  }
  void received(Poller& poller, std::span<const char> bytes, RecvTime at) noexcept {
    // What comes after our close frame is read by nobody.
    if (link_.state() != LinkState::closing) heard_at_ = at;
    link_.on_bytes(bytes, at, *this);
    settle(poller);
  }
  void lost(Poller& poller, int error) noexcept {
    link_.on_lost(error, *this);
    settle(poller);
  }
  // Unsent bytes, and the owner's timers every timer_interval.
  void upkeep(Poller& poller, RecvTime now) noexcept {
    if (added_) link_.settle(*this);
    if (added_) bound_close(now);
    if (now >= timer_due_) on_time(now);
    settle(poller);
  }
  // Bytes the socket did not take yet, or an end that nobody has been told of: upkeep() is due now.
  [[nodiscard]] bool pressing() const noexcept {
    return added_ && (dead_ || link_.state() == LinkState::closed || link_.backlog() > 0);
  }
  // The close handshake, for close_wait_max at most.
  void close(std::uint16_t code, std::string_view reason) noexcept { link_.close(code, reason); }
  // Says good-bye and waits for nothing: for a session that cancels, where each millisecond without
  // its successor is one in which nothing can be cancelled.
  void leave(std::uint16_t code, std::string_view reason) noexcept {
    link_.close(code, reason);
    link_.give_up(*this);
  }
  // Sends every text of an outbox, then empties it.
  void send(Outbox& outbox) noexcept {
    for (std::size_t i = 0; i < outbox.size(); ++i) {
      if (!link_.send_text(outbox[i])) break;
    }
    outbox.clear();
  }

  void look_over() noexcept {
    tape_.look_over();
    link_.look_over();
  }

  // --- the link's sink
  void on_text(const TextFrame& frame) noexcept {
    port_.frames.fetch_add(1, std::memory_order_relaxed);
    owner_.text(frame);
    // Behind the work it caused: keeping a frame is not on the way to the order.
    tape_.put(FrameKind::text_in, frame.at, {frame.data, frame.size});
  }
  void on_closed(const LinkClosed& closed) noexcept {
    dead_ = true;
    closed_ = closed;
  }

 private:
  static constexpr Nanos timer_interval = milliseconds(20);

  void bound_close(RecvTime now) noexcept {
    if (link_.state() != LinkState::closing) {
      closing_ = false;
      return;
    }
    if (!closing_) closing_since_ = now;
    closing_ = true;
    if (now - closing_since_ > close_wait_max) link_.give_up(*this);
  }
  // An owner may owe the core the word that the last connection is gone: it is told before a new
  // one.
  [[nodiscard]] bool owes() noexcept {
    if constexpr (requires { owner_.owes(); }) return owner_.owes();
    return false;
  }
  void on_time(RecvTime now) noexcept {
    timer_due_ = now + timer_interval;
    (void)owes();
    if (added_) {
      if constexpr (requires { owner_.before_timer(now); }) owner_.before_timer(now);
      tape_.put(FrameKind::timer, now);
      owner_.timer(now);
    }
    if (added_ && silence_max_.count > 0 && now - heard_at_ > silence_max_) {
      link_.on_lost(ETIMEDOUT, *this);
    }
  }
  void settle(Poller& poller) noexcept {
    if (!dead_ || !added_) return;
    dead_ = false;
    added_ = false;
    poller.remove(slot_);
    std::unique_ptr<Established> remains = link_.retire();
    // The connector empties this box before it connects again, so it is free here.
    (void)port_.to_cold.put(remains);
    port_.lost.fetch_add(1, std::memory_order_relaxed);
    tape_.put(FrameKind::ended, last_time());
    owner_.ended(closed_, last_time());
    port_.wanted.store(true, std::memory_order_release);
  }
  [[nodiscard]] RecvTime last_time() const noexcept {
    return timer_due_ < adopted_at_ ? adopted_at_ : timer_due_ - timer_interval;
  }

  Owner& owner_;
  std::uint16_t slot_;
  Priority priority_;
  Link link_;
  SessionPort port_;
  SessionTape tape_;
  bool added_{false};
  bool dead_{false};
  bool closing_{false};  // seen by upkeep
  LinkClosed closed_{};
  RecvTime adopted_at_{};
  RecvTime heard_at_{};
  RecvTime closing_since_{};
  Nanos silence_max_{};
  RecvTime timer_due_{};
};

}  // namespace gimbal
