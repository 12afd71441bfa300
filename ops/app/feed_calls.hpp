// What a public session does with each call of its connection, without the connection: the running
// bot and a replay of recorded frames go through this same code. Room: ops/app (wiring). Hot.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "engine/core/payload.hpp"
#include "feeds/decoder.hpp"
#include "ops/app/listing_tasks.hpp"
#include "venues/registry.hpp"

namespace gimbal {

inline constexpr std::size_t feed_batch_events = 32768;  // a full snapshot fits twice
inline constexpr std::size_t resyncs_waiting_max = 64;

template <class Venue>
class FeedCalls {
 public:
  using Feed = WithLogin<typename Venue::Feed, typename Venue::Login>;

  // `books` are the instruments whose books come over this connection.
  FeedCalls(Feed feed, std::vector<InstrumentId> books)
      : feed_{std::move(feed)}, books_{std::move(books)} {
    books_.reserve(books_.size() + listings_max);
  }

  [[nodiscard]] Feed& feed() noexcept { return feed_; }
  [[nodiscard]] const Feed& feed() const noexcept { return feed_; }
  [[nodiscard]] Outbox& outbox() noexcept { return outbox_; }
  [[nodiscard]] bool logged_in() noexcept { return feed_.login().ready(); }

  // Each call is followed by pass_on() and run_resyncs(), in this order.
  void opened(RecvTime now) noexcept { feed_.on_open(now, outbox_); }
  DecodeStatus text(const Frame& frame, RecvTime at) noexcept {
    return feed_.on_frame(frame, at, batch_, outbox_);
  }
  void ended(RecvTime now) noexcept { feed_.on_close(now, batch_); }
  void timer(RecvTime now) noexcept { feed_.on_timer(now, outbox_, batch_); }

  // Instruments listed while running: wanted one by one, then subscribed together.
  void list(InstrumentId id, deribit::Interval book, deribit::Interval ticker) noexcept {
    (void)feed_.feed().want_book(id, book);
    (void)feed_.feed().want_ticker(id, ticker);
    if (books_.size() < books_.capacity()) books_.push_back(id);
  }
  void subscribe_listed(RecvTime now) noexcept { feed_.feed().subscribe_new(now, outbox_); }
  void retire(InstrumentId id, RecvTime now) noexcept { feed_.feed().retire(id, now, outbox_); }

  // Only notes the wish; the next call carries it out. False when too many wait.
  bool want_resync(InstrumentId id) noexcept {
    if (resyncs_ == resyncs_waiting_max) return false;
    resync_[resyncs_++] = id;
    return true;
  }

  // An account has several feed connections: what this one says about its whole session concerns
  // its own instruments only, so it becomes one event for each of them.
  // `changed` is told of each instrument change first.
  template <class Events, class Changed>
  void pass_on(Events& events, Changed&& changed) noexcept {
    const std::span<Event> all = batch_.committed();
    std::size_t from = 0;
    for (std::size_t at = 0; at < all.size(); ++at) {
      if (all[at].kind() == EventKind::instrument_change) changed(all[at]);
      if (all[at].kind() != EventKind::feed_status || all[at].instrument.valid()) continue;
      if (at > from) events.events(all.subspan(from, at - from));
      from = at + 1;
      Event one = all[at];
      for (const InstrumentId id : books_) {
        one.instrument = id;
        events.events(std::span<Event>{&one, 1});
      }
    }
    if (all.size() > from) events.events(all.subspan(from));
    batch_.clear();
  }
  template <class Events>
  void pass_on(Events& events) noexcept {
    pass_on(events, [](const Event&) {});
  }
  template <class Events>
  void run_resyncs(RecvTime now, Events& events) noexcept {
    if (resyncs_ == 0) return;
    const std::size_t count = resyncs_;
    resyncs_ = 0;
    for (std::size_t i = 0; i < count; ++i) {
      feed_.feed().resync(resync_[i], FeedReason::crossed, now, batch_, outbox_);
    }
    pass_on(events);
  }

 private:
  Feed feed_;
  std::vector<InstrumentId> books_;
  EventBatch batch_{feed_batch_events};
  Outbox outbox_{1u << 20, 1024};
  std::array<InstrumentId, resyncs_waiting_max> resync_{};
  std::size_t resyncs_{0};
};

}  // namespace gimbal
