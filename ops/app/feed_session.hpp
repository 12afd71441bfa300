// A public session on the hot side: bytes in, events to the sink. Room: ops/app (wiring). Hot.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "engine/core/command.hpp"
#include "engine/runtime/clock.hpp"
#include "engine/runtime/probe.hpp"
#include "ops/app/feed_calls.hpp"
#include "ops/app/known_names.hpp"
#include "ops/app/listing_tasks.hpp"
#include "ops/app/session.hpp"

namespace gimbal {

// A feed's counters as the cold thread may read them.
struct SharedFeedCounters {
  std::atomic<std::uint64_t> frames{0};
  std::atomic<std::uint64_t> events{0};
  std::atomic<std::uint64_t> malformed{0};
  std::atomic<std::uint64_t> gaps{0};
  std::atomic<std::uint64_t> resyncs{0};
  std::atomic<std::uint64_t> listings{0};    // reasons to read the venue's list again
  std::atomic<std::uint64_t> notes_lost{0};  // the ring of notes was full
  std::atomic<std::uint64_t> silences{0};    // connections given up because no data came
};

// `Events` has: void events(std::span<Event>) noexcept.
template <class Venue, class Events>
class FeedSession {
 public:
  using Feed = typename FeedCalls<Venue>::Feed;

  // `books` are the instruments whose books come over this connection.
  FeedSession(Feed feed, std::vector<InstrumentId> books, Events& events, TscProbe& probe,
              const TscClock& clock, std::uint16_t slot, Priority priority, const LinkConfig& link)
      : calls_{std::move(feed), std::move(books)},
        events_{events},
        probe_{probe},
        clock_{clock},
        session_{*this, slot, priority, link} {}

  [[nodiscard]] Session<FeedSession>& session() noexcept { return session_; }
  [[nodiscard]] typename Venue::Feed& feed() noexcept { return calls_.feed().feed(); }
  [[nodiscard]] const typename Venue::Feed& feed() const noexcept { return calls_.feed().feed(); }
  [[nodiscard]] const SharedFeedCounters& shared() const noexcept { return shared_; }
  // Cold, behind the tape's attach(): what `symbols` gets while running is known from a place on
  // that the tape says.
  void follow_names(const deribit::SymbolTable& symbols) noexcept {
    names_.follow(symbols, session_.tape(), clock_.now());
    feed().know(names_.end());
  }
  // heartbeats alone are no data. Zero: never given up.
  void set_data_silence_max(Nanos limit) noexcept { data_silence_max_ = limit; }
  // The cold side takes notes out of the one and puts tasks into the other.
  [[nodiscard]] ListingNotes& listing_notes() noexcept { return notes_; }
  [[nodiscard]] ListingTasks& listing_tasks() noexcept { return tasks_; }
  // Hot thread, every timer; or any thread once the hot one has ended.
  void publish() noexcept {
    const auto& c = feed().counters();
    shared_.frames.store(c.frames, std::memory_order_relaxed);
    shared_.events.store(c.events, std::memory_order_relaxed);
    shared_.malformed.store(c.malformed, std::memory_order_relaxed);
    shared_.gaps.store(c.gaps, std::memory_order_relaxed);
    shared_.resyncs.store(c.resyncs, std::memory_order_relaxed);
    shared_.listings.store(c.listings, std::memory_order_relaxed);
  }

  // Called from inside a step, so it only notes the wish; the next text or timer carries it out.
  void want_resync(InstrumentId id) noexcept {
    if (!calls_.want_resync(id)) return;
    session_.tape().put(FrameKind::resync, clock_.now(), {}, id.value);
  }

  // --- Session's owner
  void opened(RecvTime now) noexcept {
    data_at_ = now;
    watched_ = false;
    calls_.opened(now);
    session_.send(calls_.outbox());
  }
  void text(const TextFrame& t) noexcept {
    probe_.mark(ProbeHop::decrypt);
    learn_names(t.at);
    const DecodeStatus status = calls_.text(Frame{t.data, t.size, t.capacity}, t.at);
    if (status == DecodeStatus::ok) data_at_ = t.at;
    probe_.mark(ProbeHop::parse);
    deliver(t.at);
  }
  void ended(const LinkClosed&, RecvTime now) noexcept {
    calls_.ended(now);
    deliver(now);
  }
  void before_timer(RecvTime now) noexcept {
    learn_names(now);
    follow_listings(now);
  }
  void timer(RecvTime now) noexcept {
    calls_.timer(now);
    deliver(now);
    publish();
    // Before the log-in no data was asked for; a dumb link ends by itself.
    watched_ = watched_ || calls_.logged_in();
    if (!watched_) data_at_ = now;
    if (data_silence_max_.count == 0 || now - data_at_ <= data_silence_max_) return;
    data_at_ = now;
    shared_.silences.fetch_add(1, std::memory_order_relaxed);
    session_.close(1001, "no data");
  }

 private:
  void deliver(RecvTime now) noexcept {
    calls_.pass_on(events_, [this](const Event& e) { note_change(e); });
    calls_.run_resyncs(now, events_);
    if (!calls_.outbox().empty()) session_.send(calls_.outbox());
  }
  void note_change(const Event& e) noexcept {
    const ListingNote note{e.instrument, e.as<InstrumentChange>().change};
    if (!notes_.push(note)) shared_.notes_lost.fetch_add(1, std::memory_order_relaxed);
  }
  void learn_names(RecvTime now) noexcept {
    if (names_.learn(now)) feed().know(names_.end());
  }
  // At most one request's worth at a time: the venue counts subscriptions.
  void follow_listings(RecvTime now) noexcept {
    if (now < listing_due_) return;
    std::size_t subscribed = 0;
    ListingTask task;
    while (subscribed < listings_per_request && tasks_.pop_into(task)) {
      // The cold side may have named it since the look before: its name was there before its task.
      learn_names(now);
      session_.tape().put(task.ended ? FrameKind::retired : FrameKind::listed, now, {},
                          task.instrument.value);
      if (task.ended) {
        calls_.retire(task.instrument, now);
        continue;
      }
      calls_.list(task.instrument, task.book, task.ticker);
      ++subscribed;
    }
    if (subscribed == 0) return;
    listing_due_ = now + listing_interval;
    calls_.subscribe_listed(now);
  }

  FeedCalls<Venue> calls_;
  Events& events_;
  TscProbe& probe_;
  const TscClock& clock_;
  SharedFeedCounters shared_{};
  KnownNames names_;
  ListingNotes notes_{listing_notes_max};
  ListingTasks tasks_{listings_max};
  RecvTime listing_due_{};
  RecvTime data_at_{};  // of the last frame that brought something
  Nanos data_silence_max_{};
  bool watched_{false};  // this connection has been logged in
  Session<FeedSession> session_;
};

}  // namespace gimbal
