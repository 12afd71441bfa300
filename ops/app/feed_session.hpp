// A public session on the hot side: bytes in, events to the sink. Room: ops/app (wiring). Hot.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

#include "engine/core/command.hpp"
#include "engine/runtime/clock.hpp"
#include "engine/runtime/probe.hpp"
#include "feeds/decoder.hpp"
#include "ops/app/listing_tasks.hpp"
#include "ops/app/session.hpp"
#include "venues/registry.hpp"

namespace gimbal {

inline constexpr std::size_t feed_batch_events = 32768;  // a full snapshot fits twice
inline constexpr std::size_t resyncs_waiting_max = 64;

// A feed's counters as the cold thread may read them.
struct SharedFeedCounters {
  std::atomic<std::uint64_t> frames{0};
  std::atomic<std::uint64_t> events{0};
  std::atomic<std::uint64_t> malformed{0};
  std::atomic<std::uint64_t> gaps{0};
  std::atomic<std::uint64_t> resyncs{0};
  std::atomic<std::uint64_t> listings{0};    // messages that something is listed
  std::atomic<std::uint64_t> notes_lost{0};  // the ring of notes was full
  std::atomic<std::uint64_t> silences{0};    // connections given up because no data came
};

// `Events` has: void events(std::span<Event>) noexcept.
template <class Venue, class Events>
class FeedSession {
 public:
  using Feed = WithLogin<typename Venue::Feed, typename Venue::Login>;

  // `books` are the instruments whose books come over this connection.
  FeedSession(Feed feed, std::vector<InstrumentId> books, Events& events, TscProbe& probe,
              const TscClock& clock, std::uint16_t slot, Priority priority, const LinkConfig& link)
      : feed_{std::move(feed)},
        books_{std::move(books)},
        events_{events},
        probe_{probe},
        clock_{clock},
        session_{*this, slot, priority, link} {
    books_.reserve(books_.size() + listings_max);
  }

  [[nodiscard]] Session<FeedSession>& session() noexcept { return session_; }
  [[nodiscard]] typename Venue::Feed& feed() noexcept { return feed_.feed(); }
  [[nodiscard]] const typename Venue::Feed& feed() const noexcept { return feed_.feed(); }
  [[nodiscard]] const SharedFeedCounters& shared() const noexcept { return shared_; }
  // heartbeats alone are no data. Zero: never given up.
  void set_data_silence_max(Nanos limit) noexcept { data_silence_max_ = limit; }
  // The cold side takes notes out of the one and puts tasks into the other.
  [[nodiscard]] ListingNotes& listing_notes() noexcept { return notes_; }
  [[nodiscard]] ListingTasks& listing_tasks() noexcept { return tasks_; }
  // Hot thread, every timer; or any thread once the hot one has ended.
  void publish() noexcept {
    const auto& c = feed_.feed().counters();
    shared_.frames.store(c.frames, std::memory_order_relaxed);
    shared_.events.store(c.events, std::memory_order_relaxed);
    shared_.malformed.store(c.malformed, std::memory_order_relaxed);
    shared_.gaps.store(c.gaps, std::memory_order_relaxed);
    shared_.resyncs.store(c.resyncs, std::memory_order_relaxed);
    shared_.listings.store(c.listings, std::memory_order_relaxed);
  }

  // Called from inside a step, so it only notes the wish; the next text or timer carries it out.
  void want_resync(InstrumentId id) noexcept {
    if (resyncs_ == resyncs_waiting_max) return;
    resync_[resyncs_++] = id;
    session_.tape().put(FrameKind::resync, clock_.now(), {}, id.value);
  }

  // --- Session's owner
  void opened(RecvTime now) noexcept {
    data_at_ = now;
    feed_.on_open(now, outbox_);
    session_.send(outbox_);
  }
  void text(const TextFrame& t) noexcept {
    probe_.mark(ProbeHop::decrypt);
    const DecodeStatus status =
        feed_.on_frame(Frame{t.data, t.size, t.capacity}, t.at, batch_, outbox_);
    if (status == DecodeStatus::ok) data_at_ = t.at;
    probe_.mark(ProbeHop::parse);
    deliver(t.at);
  }
  void ended(const LinkClosed&, RecvTime now) noexcept {
    feed_.on_close(now, batch_);
    deliver(now);
  }
  void timer(RecvTime now) noexcept {
    follow_listings(now);
    feed_.on_timer(now, outbox_, batch_);
    deliver(now);
    publish();
    if (data_silence_max_.count == 0 || now - data_at_ <= data_silence_max_) return;
    data_at_ = now;
    shared_.silences.fetch_add(1, std::memory_order_relaxed);
    session_.link().close(1001, "no data");
  }

 private:
  void deliver(RecvTime now) noexcept {
    pass_on();
    if (resyncs_ > 0) run_resyncs(now);
    if (!outbox_.empty()) session_.send(outbox_);
  }
  // An account has several feed connections: what this one says about its whole session concerns
  // its own instruments only, so it becomes one event for each of them.
  void pass_on() noexcept {
    const std::span<Event> all = batch_.committed();
    std::size_t from = 0;
    for (std::size_t at = 0; at < all.size(); ++at) {
      if (all[at].kind() == EventKind::instrument_change) note_change(all[at]);
      if (all[at].kind() != EventKind::feed_status || all[at].instrument.valid()) continue;
      if (at > from) events_.events(all.subspan(from, at - from));
      from = at + 1;
      Event one = all[at];
      for (const InstrumentId id : books_) {
        one.instrument = id;
        events_.events(std::span<Event>{&one, 1});
      }
    }
    if (all.size() > from) events_.events(all.subspan(from));
    batch_.clear();
  }
  void note_change(const Event& e) noexcept {
    const ListingNote note{e.instrument, e.as<InstrumentChange>().change};
    if (!notes_.push(note)) shared_.notes_lost.fetch_add(1, std::memory_order_relaxed);
  }
  // At most one request's worth at a time: the venue counts subscriptions.
  void follow_listings(RecvTime now) noexcept {
    if (now < listing_due_) return;
    std::size_t subscribed = 0;
    ListingTask task;
    while (subscribed < listings_per_request && tasks_.pop_into(task)) {
      session_.tape().put(task.ended ? FrameKind::retired : FrameKind::listed, now, {},
                          task.instrument.value);
      if (task.ended) {
        feed_.feed().retire(task.instrument, now, outbox_);
        continue;
      }
      (void)feed_.feed().want_book(task.instrument, task.book);
      (void)feed_.feed().want_ticker(task.instrument, task.ticker);
      if (books_.size() < books_.capacity()) books_.push_back(task.instrument);
      ++subscribed;
    }
    if (subscribed == 0) return;
    listing_due_ = now + listing_interval;
    feed_.feed().subscribe_new(now, outbox_);
  }
  void run_resyncs(RecvTime now) noexcept {
    const std::size_t count = resyncs_;
    resyncs_ = 0;
    for (std::size_t i = 0; i < count; ++i) {
      feed_.feed().resync(resync_[i], FeedReason::crossed, now, batch_, outbox_);
    }
    pass_on();
  }

  Feed feed_;
  std::vector<InstrumentId> books_;
  Events& events_;
  TscProbe& probe_;
  const TscClock& clock_;
  EventBatch batch_{feed_batch_events};
  Outbox outbox_{1u << 20, 1024};
  std::array<InstrumentId, resyncs_waiting_max> resync_{};
  std::size_t resyncs_{0};
  SharedFeedCounters shared_{};
  ListingNotes notes_{listing_notes_max};
  ListingTasks tasks_{listings_max};
  RecvTime listing_due_{};
  RecvTime data_at_{};  // of the last frame that brought something
  Nanos data_silence_max_{};
  Session<FeedSession> session_;
};

}  // namespace gimbal
